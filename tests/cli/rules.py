#!/usr/bin/env python3
"""Every rule of tonnx check, on a case of its own: it fires, its fix is pasted into a shell, and then it is silent.

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


def numbers(path, mean, rows=240, features=8):
    """A number to be learnt that lies around `mean`."""
    rng = random.Random(1)
    lines = [",".join([*(f"f{i}" for i in range(features)), "y"])]
    for _ in range(rows):
        x = [rng.gauss(0, 1) for _ in range(features)]
        lines.append(",".join([*(f"{v:.6g}" for v in x), f"{mean + x[0]:.6g}"]))
    pathlib.Path(path).write_text("\n".join(lines) + "\n")


def spoil(name, value):
    """The first number of a weight of the model m.onnx becomes `value`."""
    data = bytearray(pathlib.Path("m.onnx").read_bytes())
    at = data.index(b"\x4a", data.index(name) + len(name)) + 1
    while data[at] & 0x80:
        at += 1
    data[at + 1:at + 5] = struct.pack("<f", value)
    pathlib.Path("m.onnx").write_bytes(data)


def branches_of_selus(source):
    """A residual net of ReLUs with SELUs in their place: both names have four letters."""
    pathlib.Path("m.onnx").write_bytes(source.read_bytes().replace(b"Relu", b"Selu"))


def cases(data):
    """(rule, how the model m.onnx is made: commands or a file or a call, options of check, words of the fix)"""
    normal, dead = data / "stats/fashion-tanh-all-normal", data / "stats/relu-dead-units"
    on_normal = ["--data", str(normal / "x.npy"), "--target", str(normal / "y.npy")]
    on_dead = ["--data", str(dead / "x.npy"), "--target", str(dead / "y.npy")]
    wide, large = ["--data", "wide.csv", "--target", "class"], ["--data", "large.csv", "--target", "class"]
    yield "zero-weights", "new 8-16-3 --init zeros", [], "init"
    yield "constant-output", "new 8-16-3 --init zeros", XY, "init"
    yield "not-finite", "new 8-16-3", [], "--layer fc1.weight"
    yield "input-not-scaled", "new 8-16-3", large, "--scale standard"
    yield "input-not-scaled", "new 9-16-3", ["--data", "large.csv"], "--scheme lsuv"
    yield "init-activation-mismatch", normal / "model.onnx", [], "init"
    yield "saturation", normal / "model.onnx", on_normal, "init"
    yield "deep-without-norm", f"new {DEEP} --act sigmoid", [], "--norm batch"
    yield "signal-vanishes", f"new {DEEP} --init torch-default", XY, "init"
    yield "signal-explodes", f"new {DEEP} --init normal:1", XY, "init"
    yield "gradient-vanishes", f"new {DEEP} --act sigmoid", XY, "--norm batch"
    yield "gradient-explodes", f"new {DEEP} --init normal:1", XY, "init"
    yield "selu-input", "new 8-16-3 --act selu", wide, "--scale standard"
    yield "selu-input", "new 9-16-3 --act selu", ["--data", "wide.csv"], "--scheme lsuv"
    yield "selu-init", "new 8-64-64-3 --act selu --init torch-default", [], "init"
    yield "selu-sequential", lambda: branches_of_selus(data / "train/residual-relu/model.onnx"), [], "new"
    yield "selu-dropout", "new 8-16-3 --act selu --dropout 0.2", [], "new"
    yield "selu-norm", "new 8-16-3 --act selu --norm batch", [], "new"
    yield "dead-units", dead / "model.onnx", on_dead, "init"
    yield "dead-units", "new 8-16-3; init m.onnx --layer fc1 --bias constant:-100", XY, "init"
    yield "logits-too-large", normal / "model.onnx", on_normal, "init"
    yield "logits-too-large", "new 8-64-3", wide, "--gain 0.1"
    yield "initial-loss", normal / "model.onnx", on_normal, "init"
    yield "initial-loss", "new 8-16-1", ["--data", "numbers.csv", "--target", "y"], "--bias constant:50"
    yield ("running-statistics", "new 8-16-3 --norm batch; train m.onnx --data x.csv --target class --lr 0 --optimizer sgd",
           large, "--lr 0")
    yield "learning-rate-high", "new 8-16-3", [*XY, "--optimizer", "sgd", "--lr", "1000"], "--lr"
    yield "learning-rate-low", "new 8-16-3", [*XY, "--optimizer", "sgd", "--lr", "1e-9"], "--lr"
    yield "bias-before-norm", data / "train/bn-after-linear-fresh/model.onnx", [], "init"


def make(tonnx, made):
    """m.onnx: each command takes the one before's."""
    if callable(made):
        made()
    elif isinstance(made, pathlib.Path):
        shutil.copy(made, "m.onnx")
    else:
        for command in made.split("; "):
            run([tonnx, *command.split(), "-o", "n.onnx", "--quiet"])
            os.replace("n.onnx", "m.onnx")


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


def try_case(tonnx, rule, made, options, wanted):
    make(tonnx, made)
    if rule == "not-finite":
        spoil(b"fc1.weight", math.nan)
    fix = fix_of(tonnx, "m.onnx", rule, options)
    if not fix:
        return f"{rule}: silent on its case"
    if fix.split()[0] != "tonnx":
        return f"{rule}: '{fix}' is no command"
    if wanted not in fix:
        return f"{rule}: '{fix}' lacks '{wanted}'"
    words = shlex.split(fix)
    run([tonnx, *words[1:], "--quiet"])
    if "--lr" in options:
        options = [*options[:-1], words[words.index("--lr") + 1]]
    again = fix_of(tonnx, words[-1], rule, options)
    return f"{rule}: still there after {fix}" if again else None


def names(tonnx):
    """All rules, as check --rules lists them."""
    return {line.split()[0] for line in run([tonnx, "check", "--rules"]).splitlines() if line and line[0] != " "}


def main():
    tonnx, data = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    tried = list(cases(data))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        table("x.csv")
        table("large.csv", scale=300, shift=100)
        table("wide.csv", scale=5)
        numbers("numbers.csv", 50)
        wrong = [line for line in (try_case(tonnx, *case) for case in tried) if line]
        untried = names(tonnx) - {case[0] for case in tried}
        os.chdir("/")
    wrong += [f"{rule}: no case" for rule in sorted(untried)]
    rules = len({case[0] for case in tried})
    print("\n".join(wrong) or f"{rules} of {rules + len(untried)} rules fire on {len(tried)} cases, and are silent once mended")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
