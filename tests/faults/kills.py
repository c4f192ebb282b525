#!/usr/bin/env python3
"""SIGKILL at random moments of a run that writes a checkpoint after every step; and signals that ask for an end
(standard library only).

usage: kills.py --tonnx PATH [--times N] [--seed N] [--signals]

After each kill the checkpoint must load, and the run that goes on from it must come to the bytes of the run without a
break. With --signals, SIGINT and SIGTERM must end a run within 2 s, with 130 and 143, though a step takes longer; the step is
abandoned, and who goes on from the checkpoint comes to the same bytes. A second signal ends at once.
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


def worked(pid):
    """Seconds of the processor that a process has had: how far it is, whatever else the machine does."""
    return sum(int(ticks) for ticks in pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()[11:13]) / os.sysconf("SC_CLK_TCK")


def seconds(run, folder):
    """Seconds of the processor that a run takes."""
    _, status, usage = os.wait4(subprocess.Popen(run, cwd=folder).pid, 0)
    if status:
        sys.exit("a run without a signal ends with status %d" % status)
    return usage.ru_utime + usage.ru_stime


def signals(tonnx, folder, random_):
    """Steps of seconds, by a batch that suits the build; the signals come within the first and the second, which are run anew
    by who goes on."""
    arrays(folder, 128, 64, random_)
    subprocess.run([tonnx, *"new 64-2048-2048-4 -o big.onnx --quiet".split()], cwd=folder, check=True)
    train = [tonnx, *"train big.onnx --data x.npy --target y.npy --threads 1 --backend cpu --quiet".split()]
    few = [*train, *"--epochs 9 --batch 128 -o few.onnx --steps".split()]
    seconds([*few, "1"], folder)  # what is first read and loaded counts to no step
    one, nine = (seconds([*few, steps], folder) for steps in "19")
    batch = int(128 * min(max(8 * 2.5 / max(nine - one, 1e-3), 1), 128))
    arrays(folder, batch, 64, random_)
    run = [*train, "--steps", "2", "--batch", str(batch)]
    lasts, wrong = seconds([*run, "-o", "whole.onnx"], folder), []
    print("a run of two steps takes %.1f s of the processor" % lasts)
    for which, part, twice in ((signal.SIGINT, 0.2, False), (signal.SIGTERM, 0.6, False), (signal.SIGINT, 0.5, True), (signal.SIGTERM, 0.5, True)):
        p = subprocess.Popen([*run, "-o", "never.onnx", "--checkpoint", "s.ckpt"], cwd=folder)
        while p.poll() is None and worked(p.pid) < part * lasts:
            time.sleep(0.01)
        begin = time.monotonic()
        p.send_signal(which)
        if twice:
            time.sleep(0.02)
            p.send_signal(which)
        code, took = p.wait(), time.monotonic() - begin
        said = "%s%s after %.1f s: exit %d %.2f s later" % (which.name, " twice" if twice else "", part * lasts, code, took)
        good = code == 128 + which and took < 2 and not (folder / "never.onnx").exists()
        if good and not twice:
            rest = subprocess.run([*run, "-o", "rest.onnx", "--resume", "s.ckpt"], cwd=folder)
            good = rest.returncode == 0 and (folder / "rest.onnx").read_bytes() == (folder / "whole.onnx").read_bytes()
            said += ", and its checkpoint came to %s bytes" % ("the same" if good else "OTHER")
        print(said, flush=True)
        (folder / "s.ckpt").unlink(missing_ok=True)
        (folder / "never.onnx").unlink(missing_ok=True)
        if not good:
            wrong.append(said)
    return wrong


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
        if args.times:
            wrong.append(kills(tonnx, folder, args.times, random_))
        if args.signals:
            wrong += signals(tonnx, folder, random_)
        left = [p.name for p in folder.iterdir() if p.name.endswith(".tmp")]
    print("%d temporary files of killed runs are left" % len(left))
    wrong = [w for w in wrong if w]
    print("\n".join("FAIL " + w for w in wrong) or "all fine")
    return len(wrong) > 0


sys.exit(main())
