"""The same seed gives the same bytes, another seed others, and the number of threads changes nothing.

Nets of many tiles and odd sizes, so that work is cut, and cut unevenly.
"""
import numpy as np

from common import step_losses

NETS = {  # name: the options of `tonnx new`
    "plain": ["97-613-251-10", "--act", "tanh"],
    "batchnorm": ["97-613-251-10", "--norm", "batch"],
    "dropout": ["97-613-251-10", "--dropout", "0.2", "--act", "elu"],
    "softmax": ["97-613-251-10", "--output-act", "softmax"],
    "narrow": ["97-1-10"],
}


def run(suite):
    for name, options in NETS.items():
        suite.guarded(name, same, options)


def data(suite):
    x, y = suite.path("x.npy"), suite.path("y.npy")
    if not x.exists():
        random = np.random.default_rng(7)
        points = random.standard_normal((1001, 97)).astype(np.float32)
        np.save(x, points)
        np.save(y, np.argmax(points @ random.standard_normal((97, 10)), axis=1))
    return x, y


def same(suite, case, options):
    made = [suite.path(case, f"{name}.onnx") for name in ("first", "again", "other")]
    for path, seed in zip(made, (3, 3, 4)):
        suite.tonnx("new", *options, "-o", path, "--seed", seed)
    first, again, other = (path.read_bytes() for path in made)
    suite.check(case, first == again, "new: the same seed makes another file")
    suite.check(case, first != other, "new: another seed makes the same file")
    trained = {tag: train(suite, case, made[0], tag, seed, count)
               for tag, seed, count in (("1", 5, 1), ("2", 5, 2), ("3", 5, 3), ("again", 5, 2), ("seed", 6, 2))}
    for tag in ("2", "3"):
        suite.check(case, trained[tag] == trained["1"], f"--threads {tag} gives another file or other losses than 1")
    suite.check(case, trained["again"] == trained["2"], "the same run twice differs")
    suite.check(case, trained["seed"][0] != trained["2"][0], "another seed trains the same weights")


def train(suite, case, model, tag, seed, count):
    """(the file's bytes, the losses' bytes) of three shuffled epochs whose last batch is short."""
    x, y = data(suite)
    out, log = suite.path(case, f"{tag}-out.onnx"), suite.path(case, f"{tag}.jsonl")
    suite.tonnx("train", model, "--data", x, "--target", y, "-o", out, "--batch", 128, "--epochs", 3, "--seed", seed,
                "--threads", count, "--backend", "cpu", "--log", log, "--log-every", 1)
    return out.read_bytes(), step_losses(log).tobytes()
