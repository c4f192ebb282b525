#!/usr/bin/env python3
"""Rules of tonnx check, each on a case of its own: it fires, its fix is pasted into a shell, and then it is silent.

usage: rules.py TONNX DATA
"""
import math
import os
import pathlib
import random
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile

DEEP = "8-" + "24-" * 12 + "3"
XY = ["--data", "x.csv", "--target", "class"]


def table(path, scale=1.0, shift=0.0, seed=0, features=8, rows=240):
    """Classes that the signs of the first two features decide."""
    rng = random.Random(seed)
    lines = [",".join([*(f"f{i}" for i in range(features)), "class"])]
    for _ in range(rows):
        x = [rng.gauss(0, 1) for _ in range(features)]
        lines.append(",".join([*(f"{shift + scale * v:.6g}" for v in x), str((x[0] > 0) + (x[0] > 0 and x[1] > 0))]))
    pathlib.Path(path).write_text("\n".join(lines) + "\n")


def spoil(name, value):
    """The first number of a weight of the model m.onnx becomes `value`."""
    data = bytearray(pathlib.Path("m.onnx").read_bytes())
    at = data.index(b"\x4a", data.index(name) + len(name)) + 1
    while data[at] & 0x80:
        at += 1
    data[at + 1:at + 5] = struct.pack("<f", value)
    pathlib.Path("m.onnx").write_bytes(data)


def cases(data):
    """(rule, how the model m.onnx is made: a command or a file, options of check)"""
    normal = data / "stats/fashion-tanh-all-normal"
    on_normal = ["--data", str(normal / "x.npy"), "--target", str(normal / "y.npy")]
    yield "zero-weights", "new 8-16-3 --init zeros", []
    yield "constant-output", "new 8-16-3 --init zeros", XY
    yield "not-finite", "new 8-16-3", []
    yield "input-not-scaled", "new 8-16-3", ["--data", "large.csv", "--target", "class"]
    yield "init-activation-mismatch", normal / "model.onnx", []
    yield "saturation", normal / "model.onnx", on_normal
    yield "deep-without-norm", f"new {DEEP} --act sigmoid", []
    yield "signal-vanishes", f"new {DEEP} --init torch-default", XY
    yield "gradient-vanishes", f"new {DEEP} --act sigmoid", XY
    yield "selu-input", "new 8-16-3 --act selu", ["--data", "wide.csv", "--target", "class"]
    yield "selu-init", "new 8-64-64-3 --act selu --init torch-default", []
    yield "selu-dropout", "new 8-16-3 --act selu --dropout 0.2", []
    yield "selu-norm", "new 8-16-3 --act selu --norm batch", []
    yield "logits-too-large", normal / "model.onnx", on_normal
    yield "initial-loss", normal / "model.onnx", on_normal
    yield "learning-rate-high", "new 8-16-3", [*XY, "--optimizer", "sgd", "--lr", "1000"]
    yield "learning-rate-low", "new 8-16-3", [*XY, "--optimizer", "sgd", "--lr", "1e-9"]
    yield "bias-before-norm", data / "train/bn-after-linear-fresh/model.onnx", []


def run(words, allowed=(0,)):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode not in allowed:
        raise RuntimeError(f"{shlex.join(map(str, words))}: {done.returncode} {done.stderr.decode()}")
    return done.stdout.decode()


def fix_of(tonnx, model, rule, options):
    """The command under the rule's name in the output of check; None where the rule is silent."""
    lines = run([tonnx, "check", model, *options, "--quiet"], (0, 1)).splitlines()
    at = next((i for i, line in enumerate(lines) if line.split()[1:] == [rule]), None)
    if at is None:
        return None
    return next(line for line in lines[at:] if "mend it: " in line).split("mend it: ")[1]


def try_case(tonnx, rule, made, options):
    if isinstance(made, str):
        run([tonnx, *made.split(), "-o", "m.onnx", "--quiet"])
    else:
        shutil.copy(made, "m.onnx")
    if rule == "not-finite":
        spoil(b"fc1.weight", math.nan)
    fix = fix_of(tonnx, "m.onnx", rule, options)
    if not fix:
        return f"{rule}: silent on its case"
    if fix.split()[0] != "tonnx":
        return f"{rule}: '{fix}' is no command"
    words = shlex.split(fix)
    run([tonnx, *words[1:], "--quiet"])
    if "--lr" in options:
        options = [*options[:-1], words[words.index("--lr") + 1]]
    again = fix_of(tonnx, words[-1], rule, options)
    return f"{rule}: still there after {fix}" if again else None


def main():
    tonnx, data = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        table("x.csv")
        table("large.csv", scale=300, shift=100)
        table("wide.csv", scale=5)
        found = [try_case(tonnx, *case) for case in cases(data)]
        os.chdir("/")
    wrong = [line for line in found if line]
    print("\n".join(wrong) or f"{len(found)} rules fire, and are silent once mended")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
