#!/usr/bin/env python3
"""The N-th allocation fails, then the N-th call on a file, N = 1 … end: every command ends cleanly (standard library only).

usage: faults.py --tonnx PATH --preload fault.so [--every K] [--only NAME] [-v]
  --every K   tries each K-th allocation only, and the last (the tests' way; 1: all of them); of the calls on files, all

Fine is: the exit code is 7, or the fault did not matter and all is as without it; one line on stderr says so; what was
there before is whole, what is written is whole or not there, and nothing else is left in the folder.
"""
import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

MUST_FAIL = {"open", "read", "write", "fsync", "rename", "fopen"}


def npy(dtype, shape, data):
    text = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (dtype, shape)
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + data


TRAIN = "train m.onnx --data x.npy --target y.npy --threads 1 --batch 8 --seed 1 --backend cpu "
# name → command; OUT is what it writes over an older file of that name
COMMANDS = {
    "inspect": "inspect m.onnx",
    "inspect-json": "inspect m.onnx --json",
    "check": "check m.onnx",
    "plan": "plan m.onnx",
    "new": "new 3-4-2 --norm batch -o OUT.onnx",
    "init": "init m.onnx --scheme he-normal -o OUT.onnx",
    "train": TRAIN + "--steps 2 -o OUT.onnx",
    "train-checkpoint": TRAIN + "--steps 2 --checkpoint OUT.ckpt --checkpoint-every 1 -o OUT.onnx",
    "train-resume": TRAIN + "--steps 4 --checkpoint keep.ckpt --resume keep.ckpt -o OUT.onnx",
    "train-log": TRAIN + "--steps 2 --log OUT.jsonl -o OUT.onnx",
    "train-csv": "train m.onnx --data t.csv --target label --threads 1 --val-split 0.25 --steps 2 --backend cpu -o OUT.onnx",
    "train-external": "train e.onnx --data x.npy --target y.npy --threads 1 --steps 2 --backend cpu -o OUT.onnx",
    "eval": "eval m.onnx --data x.npz --target y --threads 1 --json",
    "eval-safetensors": "eval m.onnx --data x.safetensors --target y --threads 1",
    "eval-libsvm": "eval m.onnx --data t.svm --threads 1",
    "eval-idx": "eval m.onnx --data x.idx.gz --target y.idx --threads 1",
    "predict-npy": "predict m.onnx --data x.npy --threads 1 -o OUT.npy",
    "predict-npz": "predict m.onnx --data x.npy --threads 1 -o OUT.npz",
    "predict-csv": "predict m.onnx --data x.npy --threads 1 -o OUT.csv",
    "convert-npz": "convert m.onnx OUT.npz",
    "convert-safetensors": "convert m.onnx OUT.safetensors",
    "convert-back": "convert plain.npz OUT.onnx",
    "convert-into": "convert w.safetensors OUT.onnx --model m.onnx",
    "convert-copy": "convert w.npz OUT.safetensors",
    "diff": "diff m.onnx e.onnx",
}


def number(value):
    out = b""
    while value > 0x7F:
        out, value = out + bytes((value & 0x7F | 0x80,)), value >> 7
    return out + bytes((value,))


def part(field, data):
    return number(field << 3 | 2) + number(len(data)) + data if isinstance(data, bytes) else number(field << 3) + number(data)


def external_model():
    """y = x·w, w [3, 2] in e.data."""
    def pair(key, value):
        return part(13, part(1, key) + part(2, value))

    def value(name, width):
        dims = part(1, part(2, b"N")) + part(1, part(1, width))
        return part(1, name) + part(2, part(1, part(1, 1) + part(2, dims)))
    tensor = part(1, 3) + part(1, 2) + part(2, 1) + part(8, b"w") + pair(b"location", b"e.data") + pair(b"length", b"24") + part(14, 1)
    node = part(1, b"x") + part(1, b"w") + part(2, b"y") + part(3, b"mm") + part(4, b"MatMul")
    graph = part(1, node) + part(2, b"g") + part(5, tensor) + part(11, value(b"x", 3)) + part(12, value(b"y", 2))
    return part(1, 8) + part(7, graph) + part(8, part(2, 17))


def prepare(folder, tonnx):
    def run(text):
        subprocess.run([tonnx, *text.split()], cwd=folder, check=True, capture_output=True)
    import gzip
    x, y = struct.pack("<60f", *((i * 7 % 11) / 5 - 1 for i in range(60))), [i % 2 for i in range(20)]
    (folder / "x.npy").write_bytes(npy("<f4", "(20, 3)", x))
    (folder / "y.npy").write_bytes(npy("<i8", "(20,)", struct.pack("<20q", *y)))
    import zipfile
    with zipfile.ZipFile(folder / "x.npz", "w", zipfile.ZIP_DEFLATED) as z:
        z.write(folder / "x.npy", "x.npy")
        z.write(folder / "y.npy", "y.npy")
    head = b'{"x":{"dtype":"F32","shape":[20,3],"data_offsets":[0,240]},"y":{"dtype":"I64","shape":[20],"data_offsets":[240,400]}}'
    (folder / "x.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + x + struct.pack("<20q", *y))
    rows = struct.unpack("<60f", x)
    (folder / "t.csv").write_text("a,b,c,label\n" + "".join("%g,%g,%g,%s\n" % (*rows[3 * i:3 * i + 3], "no yes".split()[y[i]]) for i in range(20)))
    (folder / "t.svm").write_text("".join("%d 1:%g 3:%g\n" % (y[i], rows[3 * i], rows[3 * i + 2]) for i in range(20)))
    (folder / "x.idx.gz").write_bytes(gzip.compress(bytes((0, 0, 8, 2)) + struct.pack(">II", 20, 3) + bytes(i % 256 for i in range(60))))
    (folder / "y.idx").write_bytes(bytes((0, 0, 8, 1)) + struct.pack(">I", 20) + bytes(y))
    (folder / "e.onnx").write_bytes(external_model())
    (folder / "e.data").write_bytes(struct.pack("<6f", 1, -1, 0.5, 0.25, 0, 2))
    run("new 3-4-2 --norm batch --dropout 0.25 -o m.onnx")
    run("new 3-4-2 -o plain.onnx")
    run("convert plain.onnx plain.npz")
    run("convert m.onnx w.npz")
    run("convert m.onnx w.safetensors")
    run(TRAIN + "--steps 2 --checkpoint keep.ckpt -o unused.onnx")
    (folder / "unused.onnx").unlink()


def snapshot(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


SUPPRESSED = pathlib.Path(__file__).resolve().parent / "leaks.txt"


class Loop:
    def __init__(self, args, base, name):
        self.args, self.base, self.name = args, base, name
        self.command = COMMANDS[name].split()
        self.outputs = sorted({w for w in self.command if w.startswith("OUT") or w == "keep.ckpt" and "--resume" in self.command})

    def run(self, kind, at, forever):
        """Runs once in a folder of its own: exit code, stdout, stderr, what is there, (count, first to fail)."""
        with tempfile.TemporaryDirectory() as top:
            folder = pathlib.Path(top) / "f"
            shutil.copytree(self.base, folder)
            for out in self.outputs:
                if out.startswith("OUT"):
                    (folder / out).write_bytes(b"old")
            report = pathlib.Path(top) / "report"
            env = {k: v for k, v in os.environ.items() if not k.startswith("FAULT")}
            env.update(LD_PRELOAD=self.args.preload, FAULT_KIND=kind, FAULT_AT=str(at), FAULT_REPORT=str(report),
                       LC_ALL="C.UTF-8")
            if self.args.asan:
                # libzip 1.7.3 forgets its context where a layered source cannot be made (crc, window).
                env.update(ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=1:allocator_may_return_null=1",
                           LSAN_OPTIONS="print_suppressions=0:suppressions=" + str(SUPPRESSED))
            if forever:
                env["FAULT_FOREVER"] = "1"
            try:
                p = subprocess.run([self.args.tonnx, *self.command], cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                                   timeout=60)
                code, out, err = p.returncode, p.stdout, p.stderr
            except subprocess.TimeoutExpired:
                code, out, err = "time-out", b"", b""
            text = report.read_text().split() if report.exists() else ["0", "?"]
            return code, out, err.decode(errors="replace"), snapshot(folder), int(text[0]), text[1]

    def judge(self, clean, got, kind):
        """"" where it is fine, else what is wrong."""
        code, out, err, files, _, failed = got
        if "((pthread_getattr_np(" in err:  # the fault met the sanitizer's own start of a thread, which knows no way out
            return ""
        if code not in (0, 1, 3, 7):
            return "exit %s" % code
        if "Sanitizer" in err or "runtime error" in err:
            return "sanitizer: " + err[-2000:]
        started = snapshot(self.base)
        for name in files:
            if name not in started and name not in self.outputs and not (name in clean[3]):
                return "left behind: " + name
        for name, old in started.items():
            if name not in self.outputs and files.get(name) != old:
                return "changed: " + name
        old = hashlib.sha256(b"old").hexdigest()
        for name in self.outputs:
            fine = {old, started.get(name), clean[3].get(name)}
            partial = name.endswith((".jsonl", ".ckpt"))  # a log is a stream; a checkpoint may be an earlier step's
            if files.get(name) not in fine and not partial:
                return "torn: " + name
        if code == clean[0]:
            if kind == "io" and failed in MUST_FAIL:
                return "a failed %s was not noticed" % failed
            if files != clean[3] and not any(n.endswith(".jsonl") for n in self.outputs):
                return "exit %d, but files differ" % code
            return "" if self.same(out, clean[1]) else "exit %d, but the output differs" % code
        if code != 7:
            return "exit %d: %s" % (code, err)
        lines = [l for l in err.splitlines() if l.startswith("tonnx: ")]
        if len(lines) != 1:
            return "%d messages: %s" % (len(lines), err)
        fine = kind == "io" or "out of memory" in lines[0].lower() or "cannot allocate memory" in lines[0].lower()
        return "" if fine else "says: " + lines[0]

    @staticmethod
    def same(a, b):
        times = re.compile(rb"[0-9.,]+ (m?s|samples/s)|seconds.*")
        return times.sub(b"", a) == times.sub(b"", b)

    def loop(self, kind):
        clean = self.run(kind, 0, False)
        if clean[0] not in (0, 1):
            return 0, ["%s: without a fault: exit %s: %s" % (self.name, clean[0], clean[2])]
        wrong, total, end = [], 0, clean[4]
        if not end:
            return 1, ["%s: nothing was counted: is %s preloaded?" % (self.name, self.args.preload)]
        every = self.args.every if kind == "memory" else 1  # calls on files are few
        which = sorted({*range(1, end + 1, every), end} - {0})
        for forever in (False, True):
            for at in which:
                got = self.run(kind, at, forever)
                why = self.judge(clean, got, kind)
                total += 1
                if why:
                    wrong.append("%s: %s %d of %d (%s%s): %s" % (self.name, kind, at, end, got[5], ", and all later" if forever else "", why))
        return total, wrong, end


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tonnx", required=True)
    parser.add_argument("--preload", required=True)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--asan", action="store_true")
    parser.add_argument("-v", action="store_true")
    args = parser.parse_args()
    args.tonnx, args.preload = os.path.abspath(args.tonnx), os.path.abspath(args.preload)
    tried = bad = 0
    with tempfile.TemporaryDirectory() as top:
        base = pathlib.Path(top) / "base"
        base.mkdir()
        prepare(base, args.tonnx)
        jobs = [(name, kind) for name in COMMANDS for kind in ("memory", "io") if args.only in (None, name)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = pool.map(lambda job: Loop(args, base, job[0]).loop(job[1]), jobs)
            for (name, kind), result in zip(jobs, results):
                tried, bad = tried + result[0], bad + len(result[1])
                if args.v:
                    print("%-22s %-6s N = 1 … %d, %d wrong" % (name, kind, result[2] if len(result) > 2 else 0, len(result[1])), flush=True)
                for line in result[1][:12]:
                    print("  " + line)
    print("%d passed, %d failed" % (tried - bad, bad))
    return bad > 0


sys.exit(main())
