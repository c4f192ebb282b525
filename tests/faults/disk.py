#!/usr/bin/env python3
"""A disk that is full, and one that is read-only: a tmpfs of our own (standard library only; root, else skipped with 77).

usage: disk.py --tonnx PATH

Every command that writes must end with 7 and one line; the old file stays as it was, and nothing else is left.
"""
import argparse
import hashlib
import os
import pathlib
import struct
import subprocess
import sys
import tempfile


def npy(dtype, shape, data):
    text = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (dtype, shape)
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + data


TRAIN = "train m.onnx --data x.npy --target y.npy --threads 1 --batch 64 --steps 2 --backend cpu "
# OUT is a file that exists on the disk; 256 KiB and more are written to it
COMMANDS = (
    "new 256-256-2 -o OUT.onnx",
    "init m.onnx -o OUT.onnx",
    TRAIN + "-o OUT.onnx",
    TRAIN + "-o out.onnx --checkpoint OUT.ckpt",
    "predict m.onnx --data x.npy --threads 1 -o OUT.npy",
    "predict m.onnx --data x.npy --threads 1 -o OUT.npz",
    "predict m.onnx --data x.npy --threads 1 -o OUT.csv",
    "convert m.onnx OUT.npz",
    "convert m.onnx OUT.safetensors",
    "convert m.npz OUT.onnx",
    "inspect m.onnx --html OUT.html",
)


def snapshot(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def attempt(tonnx, folder, disk, command, state):
    words = command.split()
    target = next(w for w in words if w.startswith("OUT"))
    (disk / target).write_bytes(b"old")
    if state == "full":
        room = os.statvfs(disk)
        (disk / "filler").write_bytes(bytes(room.f_bavail * room.f_bsize))
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    before = snapshot(disk)
    p = subprocess.run([tonnx, *(str(disk / w) if w == target else w for w in words)], cwd=folder, capture_output=True, text=True, timeout=60)
    after = snapshot(disk)
    if state != "full":
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    for f in disk.iterdir():
        f.unlink()
    said = [line for line in p.stderr.splitlines() if line.startswith("tonnx: ")]
    if p.returncode != 7 or len(said) != 1 or after != before:
        return "FAIL %s disk: %s: exit %d, left %s, said: %s" % (state, command, p.returncode, sorted(after), p.stderr)
    return ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tonnx", required=True)
    tonnx, wrong = os.path.abspath(parser.parse_args().tonnx), []
    with tempfile.TemporaryDirectory() as top:
        folder, disk = pathlib.Path(top), pathlib.Path(top) / "disk"
        disk.mkdir()
        if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=192k", "tonnx-test", str(disk)], capture_output=True).returncode:
            print("skipped: only who may mount a tmpfs can fill one")
            return 77
        try:
            (folder / "x.npy").write_bytes(npy("<f4", (512, 256), bytes(4 * 512 * 256)))
            (folder / "y.npy").write_bytes(npy("<i8", (512,), struct.pack("<512q", *(i % 128 for i in range(512)))))
            for text in ("new 256-256-128 -o m.onnx", "convert m.onnx m.npz"):
                subprocess.run([tonnx, *text.split()], cwd=folder, check=True, capture_output=True)
            wrong = [w for state in ("full", "read-only") for c in COMMANDS if (w := attempt(tonnx, folder, disk, c, state))]
        finally:
            subprocess.run(["umount", str(disk)], check=True)
    print("\n".join(wrong + ["%d passed, %d failed" % (2 * len(COMMANDS) - len(wrong), len(wrong))]))
    return len(wrong) > 0


sys.exit(main())
