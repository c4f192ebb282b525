#!/usr/bin/env python3
"""SIGKILL at random moments of a run that writes a checkpoint after every step; and signals that ask for an end
(standard library only).

usage: kills.py --tonnx PATH [--times N] [--seed N] [--signals]

After each kill the checkpoint must load, and the run that goes on from it must come to the bytes of the run without a
break. With --signals (it needs a quiet machine), SIGINT and SIGTERM must end a run of long steps within 2 s, with 130 and 143 and a checkpoint; a second one at once.
"""
import argparse
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time


def npy(dtype, shape, data):
    text = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (dtype, shape)
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + data


def arrays(folder, samples, features, random_):
    (folder / "x.npy").write_bytes(npy("<f4", (samples, features), struct.pack("<%df" % (samples * features), *(random_.gauss(0, 1) for _ in range(samples * features)))))
    (folder / "y.npy").write_bytes(npy("<i8", (samples,), struct.pack("<%dq" % samples, *(random_.randrange(4) for _ in range(samples)))))


def kills(tonnx, folder, times, random_):
    run = [tonnx, *"train m.onnx --data x.npy --target y.npy --epochs 8 --batch 8 --threads 1 --seed 3 --backend cpu --quiet".split()]
    keep = ["--checkpoint", "a.ckpt", "--checkpoint-every", "1"]
    begin = time.monotonic()
    subprocess.run([*run, "-o", "whole.onnx"], cwd=folder, check=True)
    subprocess.run([*run, *keep, "-o", "timed.onnx"], cwd=folder, check=True)
    lasts, killed, loaded, whole = time.monotonic() - begin, 0, 0, (folder / "whole.onnx").read_bytes()
    (folder / "a.ckpt").unlink()
    while killed < times:
        going_on = ["--resume", "a.ckpt"] if (folder / "a.ckpt").exists() else []
        p = subprocess.Popen([*run, *keep, *going_on, "-o", "part.onnx"], cwd=folder, stderr=subprocess.PIPE)
        time.sleep(random_.uniform(0, lasts))
        p.kill()
        said = p.communicate()[1].decode()
        killed += p.returncode == -signal.SIGKILL
        if p.returncode > 0:
            return "after %d kills: exit %d: %s" % (killed, p.returncode, said)
        if not (folder / "a.ckpt").exists():
            continue
        rest = subprocess.run([*run, "--resume", "a.ckpt", "-o", "rest.onnx"], cwd=folder, capture_output=True, text=True)
        if rest.returncode or (folder / "rest.onnx").read_bytes() != whole:
            return "after %d kills: exit %d, or other bytes: %s" % (killed, rest.returncode, rest.stderr)
        loaded += 1
        if p.returncode == 0 or killed % 7 == 0:
            (folder / "a.ckpt").unlink()
    print("%d kills; the checkpoint loaded %d times and came to the same bytes each time" % (killed, loaded))
    return ""


def ask(tonnx, folder, which, twice):
    """Steps of a second or so; the signal comes in the middle of one."""
    args = "train big.onnx --data x.npy --target y.npy -o never.onnx --epochs 1000 --batch 4096 --threads 1 --backend cpu --checkpoint s.ckpt --quiet"
    p = subprocess.Popen([tonnx, *args.split()], cwd=folder, stderr=subprocess.DEVNULL)
    time.sleep(2.5)
    begin = time.monotonic()
    p.send_signal(which)
    if twice:
        time.sleep(0.02)
        p.send_signal(which)
    code, took = p.wait(), time.monotonic() - begin
    there = (folder / "s.ckpt").exists()
    print("%s%s: exit %d after %.2f s%s" % (which.name, " twice" if twice else "", code, took, ", checkpoint" if there else ""))
    good = code in (128 + which, -which) and took < (0.5 if twice else 2) and (twice or there) and not (folder / "never.onnx").exists()
    if there:
        (folder / "s.ckpt").unlink()
    return "" if good else which.name


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tonnx", required=True)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--signals", action="store_true")
    args = parser.parse_args()
    tonnx, random_, wrong = os.path.abspath(args.tonnx), random.Random(args.seed), []
    with tempfile.TemporaryDirectory() as top:
        folder = pathlib.Path(top)
        arrays(folder, 160, 6, random_)
        subprocess.run([tonnx, *"new 6-32-4 --norm batch --dropout 0.2 -o m.onnx --quiet".split()], cwd=folder, check=True)
        wrong.append(kills(tonnx, folder, args.times, random_))
        if args.signals:
            arrays(folder, 4096, 64, random_)
            subprocess.run([tonnx, *"new 64-2048-2048-4 -o big.onnx --quiet".split()], cwd=folder, check=True)
            wrong += [ask(tonnx, folder, which, twice) for which in (signal.SIGINT, signal.SIGTERM) for twice in (False, True)]
        left = [p.name for p in folder.iterdir() if p.name.endswith(".tmp")]
    print("%d temporary files of killed runs are left" % len(left))
    wrong = [w for w in wrong if w]
    print("\n".join("FAIL " + w for w in wrong) or "all fine")
    return len(wrong) > 0


sys.exit(main())
