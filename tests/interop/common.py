"""What the parts of the interop tests share: running the command, counting checks, reading tensors out of a file."""
import fnmatch
import json
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

DATA = Path(__file__).resolve().parent.parent / "data"
HERE = Path(__file__).resolve().parent

UNSUPPORTED = 3  # tonnx's exit code for a model it cannot read


class Failed(Exception):
    """The command did not do what this check needs; the rest of the case is pointless."""


class Suite:
    """One part's checks: `case` names what is being tested, `check` counts, `tonnx` runs the command."""

    def __init__(self, tonnx, only="*"):
        self.tonnx_path = os.path.abspath(tonnx)
        self.only = only
        self.passed, self.failures, self.notes = 0, [], []
        self.counting = threading.Lock()
        self.folder = Path(tempfile.mkdtemp(prefix="tonnx-interop-"))

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def wants(self, case):
        return fnmatch.fnmatch(case, self.only)

    def check(self, case, good, why=""):
        with self.counting:
            if good:
                self.passed += 1
            else:
                self.failures.append(f"{case}: {why}")
        return bool(good)

    def note(self, text):
        self.notes.append(text)

    def run(self, *arguments):
        return subprocess.run([self.tonnx_path, *map(str, arguments)], capture_output=True, text=True, errors="replace",
                              stdin=subprocess.DEVNULL, timeout=600)

    def tonnx(self, *arguments):
        """Runs the command, which must succeed."""
        done = self.run(*arguments)
        if done.returncode != 0:
            raise Failed(f"exit {done.returncode} of tonnx {arguments[0]}: {last_line(done.stderr)} "
                         f"[tonnx {' '.join(map(str, arguments))}]")
        return done

    def guarded(self, case, function, *arguments):
        """Calls one case's function; a command that failed, or a file it should have written, is that case's failure."""
        if not self.wants(case):
            return None
        try:
            return function(self, case, *arguments)
        except (Failed, OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
            self.check(case, False, str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}")
            return None

    def path(self, *names):
        """A path in the temporary folder, its own folder made."""
        path = self.folder.joinpath(*names)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def refuses(self, case, *arguments):
        """The model is refused in one clean line; checked for every case that a list of exclusions names."""
        done = self.run(*arguments)
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        if done.returncode == 0:
            return self.check(case, False, "is excluded, but tonnx reads it: take it off the list")
        if done.returncode != UNSUPPORTED:
            return self.check(case, False, f"refused with exit {done.returncode}, not 3: {last_line(done.stderr)}")
        return self.check(case, lines and len(lines[-1]) < 600, "refused without a message")


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:400] if lines else "(no message)"


def excluded(name):
    """{case: reason} of a committed list: a case, blanks, the reason; # begins a comment."""
    found = {}
    for line in (HERE / name).read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            case, _, reason = line.partition(" ")
            assert reason.strip(), f"{name}: {case} has no reason"
            found[case] = reason.strip()
    return found


def cases(folder, needs):
    """Folders of tests/data/FOLDER that hold the file `needs`, sorted."""
    root = DATA / folder
    return [path for path in sorted(root.iterdir()) if (path / needs).is_file() and (path / "model.onnx").is_file()]


def load_json(path):
    return json.loads(Path(path).read_text())


def events(path, kind):
    """The log's lines of one kind."""
    lines = [json.loads(line) for line in Path(path).read_text().splitlines() if line.strip()]
    return [line for line in lines if line["event"] == kind]


def step_losses(path):
    """The loss of every step, by the log; the steps must be numbered 1, 2, 3 …"""
    steps = events(path, "step")
    if [s["step"] for s in steps] != list(range(1, len(steps) + 1)):
        raise Failed("the log's steps are not numbered from 1")
    return np.array([s["loss"] for s in steps], dtype=np.float64)


def tensor_of(model, name):
    """The constant a name stands for: an initializer, a Constant node, or either behind Identity nodes."""
    for tensor in model.graph.initializer:
        if tensor.name == name:
            return numpy_helper.to_array(tensor)
    for node in model.graph.node:
        if name in node.output and node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    return numpy_helper.to_array(attribute.t)
                if attribute.name in ("value_float", "value_floats"):
                    return np.array(onnx.helper.get_attribute_value(attribute), np.float32)
        if name in node.output and node.op_type == "Identity":
            return tensor_of(model, node.input[0])
    raise KeyError(f"no tensor {name}")


def ops_of(path):
    return {node.op_type for node in onnx.load(path).graph.node}


def worst(actual, wanted, absolute, relative):
    """max(|a − w| − relative·|w|) ≤ absolute is what a comparison asks; returns (good, greatest |a − w|)."""
    actual, wanted = np.asarray(actual, np.float64), np.asarray(wanted, np.float64)
    if actual.size != wanted.size:
        return False, float("inf")
    gap = np.abs(actual.reshape(-1) - wanted.reshape(-1))
    if gap.size == 0:
        return True, 0.0
    good = bool(np.all(np.isfinite(gap)) and np.all(gap <= absolute + relative * np.abs(wanted.reshape(-1))))
    return good, float(np.max(gap)) if np.all(np.isfinite(gap)) else float("inf")
