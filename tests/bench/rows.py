"""The rows of the table: who takes part in each, and on what."""
import gzip
import json
import re
import statistics
import sys
from pathlib import Path

import numpy as np

from contest import Command, Contestant, Server, call, take_turns
from workloads import GROUPS, WORKLOADS

HERE = Path(__file__).resolve().parent
FASHION = Path("/usr/share/datasets/fashion-mnist")  # Debian's dataset-fashion-mnist


class Row:
    """One row's outcome. Times are seconds a unit; `reach` says how many times faster than the best of a group."""

    def __init__(self, row, name, unit, fields, reach, floor=None, share=0, bound="", notes=()):
        self.row, self.name, self.unit, self.fields, self.reach = row, name, unit, fields, reach
        self.floor, self.share, self.bound, self.notes, self.agree = floor, share, bound, list(notes), True


class Training(Contestant):
    """`tonnx train`, started anew in each turn. A time is that of the log's epoch events, with shuffling and gathering; the
    first epoch warms the caches and is not counted. Losses are compared without the shuffle."""

    def __init__(self, folder, work, path, threads):
        super().__init__("tonnx", threads)
        self.work, self.log = work, Path(folder) / "log.jsonl"
        self.command = [path, "train", f"{folder}/model.onnx", "--data", f"{folder}/x.npy", "--target", f"{folder}/y.npy",
                        "-o", f"{folder}/trained.onnx", "--loss", work.loss, "--optimizer", work.optimizer, "--lr", work.rate,
                        "--batch", work.batch, "--backend", "cpu", "--threads", threads, "--log", self.log]
        story = self.events("--no-shuffle", "--epochs", -(-work.checked // work.steps), "--steps", work.checked, "--log-every", 1)
        self.loss = [e["loss"] for e in story if e["event"] == "step"][-1]

    def events(self, *more):
        call(*self.command, *more)
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def judged(self):
        """Losses of the first steps on the reference backend, in double."""
        story = self.events("--no-shuffle", "--steps", self.work.judged, "--log-every", 1, "--backend", "reference")
        return [e["loss"] for e in story if e["event"] == "step"]

    def turn(self):
        epochs = [e for e in self.events("--epochs", 1 + self.work.epochs) if e["event"] == "epoch"][1:]
        return sum(e["seconds"] for e in epochs) / len(epochs) / self.work.steps

    def profile(self):
        """Seconds a step that threads are at work, and that they wait for each other."""
        text = call(*self.command, "--epochs", 1 + self.work.epochs, "--profile", "--quiet")
        return text, *(float(re.search(rf"^{what}\s+([\d.]+)", text, re.M)[1]) * 1e-6 for what in ("instructions", "threads waiting.*?"))


def training_data(folder, work):
    random = np.random.default_rng(1)
    x = random.standard_normal((work.samples, work.dims[0]), dtype=np.float32)
    teacher = random.standard_normal((work.dims[0], work.dims[-1]), dtype=np.float32)
    truth = x @ teacher / np.sqrt(work.dims[0], dtype=np.float32)
    np.save(f"{folder}/x.npy", x)
    np.save(f"{folder}/y.npy", np.argmax(truth, axis=1) if work.loss == "cross-entropy" else truth)


def judge(row, ours, work, folder, tools):
    """Where floats cannot be compared after some steps: both sides in double."""
    theirs, mine = json.loads(call(tools.python["torch"], HERE / "peer.py", folder, work.row, "judge")), ours.judged()
    off = max(abs(a - b) / abs(b) for a, b in zip(mine, theirs, strict=True))
    row.agree = row.agree and off <= 1e-6
    row.notes.append(f"in double, {work.judged} steps: losses of our reference and of PyTorch differ by {off:.1g} at most, "
                     f"{'agree' if off <= 1e-6 else 'THEY DISAGREE'}")


def training(work, folder, tools, options):
    training_data(folder, work)
    call(tools.python["torch"], HERE / "peer.py", folder, work.row, "export")
    fields = [Training(folder, work, tools.tonnx, t) for t in options.threads]
    for kind in work.peers:
        python = tools.python_of(kind)
        if python and kind in options.peers:
            fields += [Server(kind, [python, HERE / "peer.py", folder, work.row, kind, t], work.steps, work.epochs, threads=t,
                              group=GROUPS[kind]) for t in options.threads]
    everybody = list(fields)
    take_turns(fields, options.rounds, tools.floor.measure)
    floor, bound = work.floor(tools.floor.flops, tools.floor.bandwidth, tools.floor.cache)
    row = Row(work.row, work.name, "µs a step", fields, work.reach, floor, work.share, bound)
    losses = [f.loss for f in everybody]
    row.agree = max(losses) - min(losses) <= 0.01 * abs(losses[0])
    row.notes.append(f"loss after {work.checked} step{'s' if work.checked > 1 else ''}: {min(losses):.5g} to {max(losses):.5g}, "
                     f"{'agree' if row.agree else 'THEY DISAGREE'}")
    if work.judged:
        judge(row, everybody[0], work, folder, tools)
    row.notes += [f"{f.title}: first step after {f.start:.1f} s" for f in everybody if f.start]
    return row


def small_model(folder, tools, work=WORKLOADS[0]):
    call(tools.python["torch"], HERE / "peer.py", folder, work.row, "export")
    return f"{folder}/model.onnx"


ONE_STEP = """
import torch
net = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
optimizer = torch.optim.Adam(net.parameters())
loss = torch.nn.functional.cross_entropy(net(torch.randn(32, 784)), torch.randint(10, (32,)))
loss.backward()
optimizer.step()
"""


def start(folder, tools, options):
    """C8: a process from its start to its end, with one step in between."""
    model, out = small_model(folder, tools), f"{folder}/out.onnx"
    np.save(f"{folder}/x.npy", np.random.default_rng(1).standard_normal((32, 784), dtype=np.float32))
    np.save(f"{folder}/y.npy", np.arange(32) % 10)

    def train(name, x, y, count):
        return Command(name, [tools.tonnx, "train", model, "--data", x, "--target", y, "-o", out, "--steps", 1, "--quiet"], count,
                       threads=2)

    fields = [train("tonnx", f"{folder}/x.npy", f"{folder}/y.npy", 20),
              Command("import torch", [tools.python["torch"], "-c", ONE_STEP], 1)]
    if FASHION.exists():
        zipped = [FASHION / f"train-{what}-ubyte.gz" for what in ("images-idx3", "labels-idx1")]
        for path in zipped:
            (Path(folder) / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
        fields.append(train("tonnx on IDX, 60,000 images", Path(folder) / zipped[0].stem, Path(folder) / zipped[1].stem, 5))
        fields.append(train("tonnx on IDX.gz, 60,000 images", *zipped, 2))
    take_turns(fields, options.rounds)
    return Row("C8", "process start to end with one step, 784-128-10, 32 rows", "ms", fields, {"import torch": 100})


def schedule(folder, tools, options):
    """C9: what a scheduler without our order could win at most: all the time that threads wait for each other."""
    notes, least = [], 1
    for work in (w for w in WORKLOADS if w.row in ("C1", "C2", "C4")):
        training_data(folder, work)
        call(tools.python["torch"], HERE / "peer.py", folder, work.row, "export")
        ours = Training(folder, work, tools.tonnx, max(options.threads))
        runs = [ours.profile()[1:] for _ in range(options.rounds)]
        shares = [worked / (worked + waited) for worked, waited in runs]
        notes.append(f"{work.row}: threads at work {100 * statistics.median(shares):.1f} % of the time "
                     f"({100 * min(shares):.1f} to {100 * max(shares):.1f}), {1e6 * statistics.median(w for _, w in runs):.1f} µs a "
                     "step waiting for each other: no schedule of the same kernels wins more than that")
    return Row("C9", "bit-equal for any number of threads, against the same kernels without a wait", "", [], {}, notes=notes)


def predict(folder, tools, options):
    """C10: outputs of 60,000 rows, from memory into memory."""
    rows, model = 60000, small_model(folder, tools)
    np.save(f"{folder}/x.npy", np.random.default_rng(1).standard_normal((rows, 784), dtype=np.float32))
    fields = [Server("tonnx", [tools.native, "predict", model, f"{folder}/x.npy", t, 1024], rows, threads=t) for t in options.threads]
    for batch in (1024, rows):
        fields += [Server(f"onnxruntime, {batch:,} at a time", [tools.python["torch"], HERE / "peer_once.py", "onnxruntime", model,
                   f"{folder}/x.npy", t, batch], rows, threads=t, group="onnxruntime") for t in options.threads]
    take_turns(fields, options.rounds, tools.floor.measure)
    return Row("C10", "predict, 784-128-10, 60,000 rows from memory", "rows/s", fields, {"onnxruntime": 1.3},
               2 * (784 * 128 + 128 * 10) / tools.floor.flops, bound="compute")


def write_tables(folder):
    """A table of numbers as instruments and spreadsheets write them, and one of pixels."""
    random = np.random.default_rng(1)
    with open(f"{folder}/numbers.csv", "w") as file:
        print(",".join(f"x{i}" for i in range(20)), file=file)
        np.savetxt(file, random.standard_normal((50000, 20)) * 10.0 ** random.integers(-2, 4, 20), fmt="%.9g", delimiter=",")
    with open(f"{folder}/pixels.csv", "w") as file:
        print(",".join(f"p{i}" for i in range(784)), file=file)
        np.savetxt(file, random.integers(0, 256, (5000, 784)) * (random.random((5000, 784)) < 0.5), fmt="%d", delimiter=",")


def readers(folder, tools, options):
    """C12: a row per format, everybody on one core."""
    write_tables(folder)
    np.save(f"{folder}/x.npy", np.random.default_rng(1).standard_normal((60000, 784), dtype=np.float32))
    python, once = tools.python["torch"], HERE / "peer_once.py"

    def native(what, path, name="tonnx"):
        return Server(name, ["taskset", "-c", "0", tools.native, what, path], Path(path).stat().st_size)

    def peer(name, path):
        return Server(name, ["taskset", "-c", "0", python, once, name, path], Path(path).stat().st_size)

    contests = [("C12a", "CSV of 50,000 × 20 numbers", f"{folder}/numbers.csv", ["pandas"], [], {"pandas": 5}),
                ("C12b", "CSV of 5,000 × 784 pixels", f"{folder}/pixels.csv", ["pandas"], [], {"pandas": 5}),
                ("C12c", "npy of 60,000 × 784 floats", f"{folder}/x.npy", ["numpy"], [("copy", "memcpy")], {"memcpy": 1})]
    if FASHION.exists():
        contests.append(("C12d", "IDX.gz of 60,000 images", FASHION / "train-images-idx3-ubyte.gz", ["gzip"], [("inflate", "zlib")],
                         {"zlib": 1}))
    for row, name, path, peers, limits, reach in contests:
        fields = [native("read", path)] + [peer(p, path) for p in peers] + [native(what, path, title) for what, title in limits]
        take_turns(fields, options.rounds)
        yield Row(row, name, "MB/s of the file", fields, reach)


def rows(tools, options, folder):
    """All rows that are wanted, one after the other."""
    for work in WORKLOADS:
        if options.wants(work.row):
            yield training(work, folder, tools, options)
    for row, contest in (("C8", start), ("C9", schedule), ("C10", predict)):
        if options.wants(row):
            yield contest(folder, tools, options)
    if options.wants("C12"):
        yield from readers(folder, tools, options)
