"""An activation is one row of the op book and its formulas: Shrink is added to a copy of the sources, which are built and
then train it, on the CPU and on Vulkan, and agree with onnxruntime on what it computes. Nothing else is edited.
"""
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime

from common import Failed, last_line

SOURCES = Path(__file__).resolve().parent.parent.parent
PARTS = ["CMakeLists.txt", "cli", "converters", "format", "runtime", "vulkan"]
ROW = "TONNX_ACTIVATION(shrink, Shrink, 9, lambd, 0.5, bias, 0.0, 1.0, never, never, x)\n"
FORMULAS = """
ACT_F(shrink) { return x < -a ? x + b : x > a ? x - b : R(0.0); }
ACT_D(shrink) { return x < -a || x > a ? R(1.0) : R(0.0); }

"""


def run(suite):
    suite.guarded("shrink", shrink)


def shrink(suite, case):
    tonnx = build(suite.path(case, "sources"))
    suite.tonnx_path, given = str(tonnx), suite.tonnx_path
    try:
        model, x, y = suite.path(case, "model.onnx"), suite.path(case, "x.npy"), suite.path(case, "y.npy")
        random = np.random.default_rng(3)
        np.save(x, random.standard_normal((256, 12)).astype(np.float32))
        np.save(y, random.integers(0, 4, 256))
        suite.tonnx("new", "12-24-24-4", "--act", "shrink:0.2:0.1", "--init", "he-normal", "-o", model)
        for backend in ("cpu", "vulkan"):
            trained = suite.path(case, f"{backend}.onnx")
            done = suite.run("train", model, "--data", x, "--target", y, "-o", trained, "--epochs", 3, "--verify", 1,
                             "--backend", backend, "-q")
            if backend == "vulkan" and done.returncode == 5 and os.environ.get("CI") != "true":
                suite.note(f"no Vulkan device: {last_line(done.stderr)}")
                continue
            if done.returncode:
                raise Failed(f"train --backend {backend}: exit {done.returncode}: {last_line(done.stderr)}")
            agrees(suite, case, backend, done.stdout)
            same_as_onnxruntime(suite, case, backend, trained, x)
    finally:
        suite.tonnx_path = given


def build(sources):
    """The command, out of a copy of the sources with one more activation."""
    sources.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (SOURCES / part).is_dir() else shutil.copy
        copy(SOURCES / part, sources / part)
    book, formulas = (sources / "runtime" / "ops" / name for name in ("activations.def", "act_math.h"))
    book.write_text(book.read_text().rstrip("\n") + "\n" + ROW)
    formulas.write_text(formulas.read_text().replace("ACT_F(relu) ", FORMULAS.lstrip("\n") + "ACT_F(relu) ", 1))
    for command in (["cmake", "-S", sources, "-B", sources / "build", "-G", "Ninja", "-DTONNX_TESTS=OFF",
                     "-DTONNX_WERROR=ON", "-DCMAKE_BUILD_TYPE=Release"],
                    ["cmake", "--build", sources / "build", "--target", "tonnx"]):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        if done.returncode:
            lines = [line for line in done.stdout.splitlines() if "error" in line] or [last_line(done.stderr)]
            raise Failed(f"the copy does not build: {lines[0]}")
    return sources / "build" / "tonnx"


def agrees(suite, case, backend, said):
    found = re.search(r"verified: (\d+) steps .* loss ([0-9.e-]+).*, weights ([0-9.e-]+)", said)
    suite.check(f"{case}/{backend}", found and int(found[1]) == 24 and float(found[2]) < 1e-6 and
                float(found[3]) < 1e-5, f"the reference backend disagrees: {said.strip()}")
    suite.note(f"{backend}: {said.strip()}")


def same_as_onnxruntime(suite, case, backend, trained, x):
    out = suite.path(case, f"{backend}.npy")
    suite.tonnx("predict", trained, "--data", x, "-o", out, "--backend", backend)
    session = onnxruntime.InferenceSession(str(trained))
    want, = session.run(None, {session.get_inputs()[0].name: np.load(x)})
    off = float(np.max(np.abs(want - np.load(out))))
    suite.check(f"{case}/{backend}", off < 1e-5, f"differs from onnxruntime by {off:.1e}")
