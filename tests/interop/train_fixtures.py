"""Trajectories: each net under tests/data/train, trained as its framework trained it, step by step.

Every step's loss lies within max(1e-4, 20 × fp64_rel_dev) of the framework's, relative; the trained net's outputs within 1e-3
(or tolerances.pred_abs, where rounding alone moves them further: saturated nets); its tensors within max(1e-4, 2 ×
tolerances.final_abs); and what the framework left alone keeps its bytes. How many cases meet all their own tighter
`tolerances`, ten times what rounding alone moves, is counted. Threads 1, 2, 3 write the same file. On Vulkan, where there is a
device (and in CI there must be), five times as much is allowed.
"""
import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx

from common import cases, excluded, load_json, step_losses, tensor_of, worst

LIST = "excluded_train.txt"
SLACK = {"cpu": 1, "reference": 1, "vulkan": 5}  # of what is allowed


class Tight:
    """How many cases met the fixture's own tolerances, and the worst of each kind over its tolerance."""

    def __init__(self):
        self.met = self.of = 0
        self.missed = []
        self.counting = threading.Lock()

    def add(self, case, ratios):
        over = {kind: ratio for kind, ratio in ratios.items() if ratio > 1}
        with self.counting:
            self.of += 1
            self.met += not over
            if over:
                self.missed.append(f"{case} (" + ", ".join(f"{kind} {ratio:.1f}×" for kind, ratio in over.items()) + ")")

    def lines(self, backend):
        yield f"{backend}: {self.met} of {self.of} cases meet their own tighter tolerances" + (
            "; not: " + ", ".join(sorted(self.missed)) if self.missed else "")


def run(suite):
    out = excluded(LIST)
    tight = {backend: Tight() for backend in SLACK if backend != "vulkan" or has_vulkan(suite)}
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:  # the command works outside Python
        list(pool.map(lambda folder: judge(suite, folder, folder.name in out, tight), cases("train", "losses.npy")))
    for backend, counted in tight.items():
        for line in counted.lines(backend):
            suite.note(line)


def judge(suite, folder, is_out, tight):
    if is_out:
        suite.guarded(folder.name, refused, folder)
        return
    for backend in tight:
        suite.guarded(folder.name, trajectory, folder, backend, tight[backend])
    suite.guarded(folder.name, threads, folder)


def has_vulkan(suite):
    row = next(line for line in suite.tonnx("devices").stdout.splitlines() if line.startswith("vulkan"))
    found = row.split()[1] != "none"
    if not found:
        suite.note(f"no Vulkan device: {row}")
    if os.environ.get("CI") == "true":
        suite.check("vulkan", found, "CI needs a Vulkan device (mesa-vulkan-drivers): " + row)
    return found


def train(suite, folder, tag, *more):
    """(trained model, log) of a case."""
    model, log = suite.path(folder.name, f"{tag}.onnx"), suite.path(folder.name, f"{tag}.jsonl")
    suite.tonnx("train", folder / "model.onnx", "--data", folder / "x.npy", "--target", folder / "y.npy", "-o", model,
                "--log", log, "--log-every", 1, *load_json(folder / "args.json"), *more)
    return model, log


def refused(suite, case, folder):
    suite.refuses(f"{case} (excluded)", "train", folder / "model.onnx", "--data", folder / "x.npy", "--target",
                  folder / "y.npy", "-o", suite.path(case, "out.onnx"), *load_json(folder / "args.json"))


def trajectory(suite, case, folder, backend, tight):
    about, tag = load_json(folder / "case.json"), f"{case} ({backend})"
    model, log = train(suite, folder, backend, "--backend", backend)
    ratios = {"loss": losses(suite, tag, folder, about, log, SLACK[backend]),
              "prediction": predictions(suite, tag, folder, about, model, backend),
              "tensor": tensors(suite, tag, folder, about, model, SLACK[backend])}
    untouched(suite, tag, folder, about, model)
    tight.add(case, ratios)


def losses(suite, tag, folder, about, log, slack):
    got, wanted = step_losses(log), np.load(folder / "losses.npy").astype(np.float64)
    if not suite.check(tag, len(got) == len(wanted), f"{len(got)} steps, not {len(wanted)}"):
        return float("inf")
    relative = np.abs(got - wanted) / np.abs(wanted)
    limit, at = slack * max(1e-4, 20 * about["fp64_rel_dev"]), int(np.argmax(relative))
    suite.check(tag, np.all(relative <= limit), f"loss of step {at + 1} is {got[at]:.8g}, not {wanted[at]:.8g} "
                f"(relative {relative[at]:.2e}, allowed {limit:.1e}; first beyond it: step {first(relative > limit)})")
    return relative[at] / about["tolerances"]["loss_rel"]


def first(mask):
    return int(np.argmax(mask)) + 1 if np.any(mask) else "none"


def predictions(suite, tag, folder, about, model, backend):
    out = suite.path(folder.name, f"{backend}-pred.npy")
    suite.tonnx("predict", model, "--data", folder / "x_test.npy", "-o", out, "--backend", backend)
    got, wanted = np.load(out), np.load(folder / "pred_test.npy")
    good, gap = worst(got, wanted, SLACK[backend] * max(1e-3, about["tolerances"]["pred_abs"]), 0)
    suite.check(tag, good and got.shape == wanted.shape, f"predictions {got.shape} against {wanted.shape}: off by {gap:.2e}")
    return gap / about["tolerances"]["pred_abs"]


def tensors(suite, tag, folder, about, model, slack):
    """Trained tensors against the framework's, by name; the greatest distance over the case's own tolerance."""
    trained, wanted, furthest = onnx.load(model), np.load(folder / "final.npz"), 0.0
    own = about["tolerances"]["final_abs"]
    for name in wanted.files:
        try:
            got = tensor_of(trained, name)
        except KeyError:
            suite.check(tag, False, f"the trained file has no tensor {name}")
            continue
        good, gap = worst(got, wanted[name], slack * max(1e-4, 2 * own), 0)
        suite.check(tag, good and got.shape == wanted[name].shape,
                    f"{name} {got.shape} against {wanted[name].shape}: off by {gap:.2e}, own tolerance {own:.1e}")
        furthest = max(furthest, gap / own)
    return furthest


def untouched(suite, tag, folder, about, model):
    """What the framework did not change keeps its bytes: frozen tensors, running statistics under --freeze-bn."""
    changed = set(about.get("changed", [])) | set(np.load(folder / "final.npz").files)
    before, after = onnx.load(folder / "model.onnx"), {t.name: t for t in onnx.load(model).graph.initializer}
    for tensor in before.graph.initializer:
        if tensor.name not in changed:
            kept = tensor.name in after and after[tensor.name].SerializeToString() == tensor.SerializeToString()
            suite.check(tag, kept, f"{tensor.name} should have kept its bytes")


def threads(suite, case, folder):
    """The same file and the same losses from one, two and three threads."""
    seen = []
    for count in (1, 2, 3):
        model, log = train(suite, folder, f"threads-{count}", "--backend", "cpu", "--threads", count)
        seen.append((hashlib.sha256(model.read_bytes()).hexdigest(), step_losses(log).tobytes()))
    for count, one in zip((2, 3), seen[1:]):
        suite.check(case, one[0] == seen[0][0], f"--threads {count} writes another file than --threads 1")
        suite.check(case, one[1] == seen[0][1], f"--threads {count} has other losses than --threads 1")
