#!/usr/bin/env python3
"""Good files of every kind that is read, damaged at random: bits turned, bytes lost, doubled, moved (standard library only).

usage: damage.py --tonnx PATH [--count N] [--seed N] [--rss MIB] [-v]     --rss 0: no limit (a sanitizer's build)

A damaged file may still be a good one (a weight has changed). Else fine is as in bad_inputs.py: an exit code of bad files, one
line that names the file, within 5 s and the limit of memory, every file as before, nothing written. A divergence is fine too:
damaged weights may be as large as floats are.
"""
import argparse
import concurrent.futures
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import bad_inputs

MODELS = pathlib.Path(__file__).resolve().parents[1] / "data" / "exports"
ALARMING = (b"\xff\xff\xff\xff\xff\xff\xff\x7f", b"\xff" * 8, bytes(8), b"\x00\x00\x00\x80", b"\xff\xff\xff\x0f", b"-1", b"1e999", b"nan", b"\n", b"\"", b":")


def damaged(data, random_):
    """A copy with one to four faults, each where it may: most within the first kilobyte, where headers are."""
    data = bytearray(data)
    for _ in range(random_.randint(1, 4)):
        at = random_.randrange(min(len(data), random_.choice((64, 1024, len(data)))) or 1) if data else 0
        size = random_.choice((1, 1, 2, 4, 8, random_.randint(1, 64)))
        other = random_.randrange(len(data) or 1)
        kind = random_.randrange(8)
        if kind == 0 and data:
            data[at] ^= 1 << random_.randrange(8)
        elif kind == 1 and data:
            data[at] = random_.randrange(256)
        elif kind == 2:
            del data[at:at + size]
        elif kind == 3:
            data[at:at] = bytes(random_.randrange(256) for _ in range(size))
        elif kind == 4:
            data[at:at] = data[other:other + size]
        elif kind == 5:
            data[at:at + size] = data[other:other + size]
        elif kind == 6:
            word = random_.choice(ALARMING)
            data[at:at + len(word)] = word
        elif random_.random() < 0.3:
            del data[at:]
    return bytes(data)


class Damaged(bad_inputs.Case):
    def judge(self, code, text, took, mib, limit, same):
        if code == 6:
            return super().judge(0, text, took, mib, limit, same)
        return super().judge(code, text, took, mib, limit, same)


def model_cases(random_):
    while True:
        folder = random_.choice(sorted(MODELS.iterdir()))
        model = (folder / "model.onnx").read_bytes()
        if len(model) > 1 << 17:
            continue
        files = {f.name: f.read_bytes() for f in folder.iterdir() if f.name not in ("case.json", "model.onnx")}
        files["in.onnx"] = damaged(model, random_)
        command = random_.choice(("inspect in.onnx", "plan in.onnx", "predict in.onnx --data input.npy -o out.npy", "convert in.onnx out.npz",
                                  "init in.onnx --scheme he-normal -o out.onnx", "diff in.onnx in.onnx"))
        yield Damaged("model %s: %s" % (folder.name, command.split()[0]), files, command, (0, 3, 4, 6), [""], "in.onnx")


def good_data(tonnx):
    """A file of each kind of data, and a checkpoint, with the options that train on it."""
    good = {"in.npy": bad_inputs.npy(), "in.safetensors": bad_inputs.safetensors(bad_inputs.st()),
            "in.npz": bad_inputs.archive([("x.npy", bad_inputs.npy()), ("y.npy", bad_inputs.npy("<i8", "(20,)", struct.pack("<20q", *(i % 2 for i in range(20)))))]),
            "in.idx": bad_inputs.idx(), "in.csv": bad_inputs.csv(1, bad_inputs.GOOD_CSV[0]), "in.svm": bad_inputs.svm(1, "0 1:1 3:1")}
    good["in.idx.gz"] = bad_inputs.gzip.compress(good["in.idx"], mtime=0)
    good["deflated.npz"] = bad_inputs.archive([("x.npy", bad_inputs.npy()), ("y.npy", bad_inputs.npy("<i8", "(20,)", bytes(160)))], bad_inputs.zipfile.ZIP_DEFLATED)
    common = {"m.onnx": bad_inputs.model(), "y.npy": bad_inputs.npy("<i8", "(20,)", struct.pack("<20q", *(i % 2 for i in range(20)))), "x.npy": bad_inputs.npy()}
    with tempfile.TemporaryDirectory() as top:
        for name, data in common.items():
            (pathlib.Path(top) / name).write_bytes(data)
        subprocess.run([tonnx, *"train m.onnx --data x.npy --target y.npy -o out.onnx --threads 1 --backend cpu --batch 8 --steps 3 --checkpoint good.ckpt".split()],
                       cwd=top, check=True, capture_output=True)
        good["in.ckpt"] = (pathlib.Path(top) / "good.ckpt").read_bytes()
    return good, common


def data_cases(tonnx, random_):
    good, common = good_data(tonnx)
    while True:
        file = random_.choice(sorted(good))
        if file.endswith("npz") or file == "in.svm":
            options = "--data %s" % file
        elif file == "in.csv":
            options = "--data in.csv --target label"
        elif file == "in.ckpt":
            options = "--data x.npy --target y.npy --batch 8 --resume in.ckpt"
        else:
            options = "--data %s --target y.npy" % file
        command = "train m.onnx -o out.onnx --epochs 2 --threads 1 --backend cpu --batch 8 " + options
        yield Damaged("data " + file, dict(common, **{file: damaged(good[file], random_)}), command, (0, 3, 4, 6), [""], file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tonnx", required=True)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rss", type=float, default=96)
    parser.add_argument("-v", action="store_true")
    args = parser.parse_args()
    tonnx, random_ = os.path.abspath(args.tonnx), random.Random(args.seed)
    models, data = model_cases(random_), data_cases(tonnx, random_)
    cases = [next(random_.choice((models, data))) for _ in range(args.count)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda c: c.run(tonnx, args.rss), cases))
    failed = 0
    for i, (case, (why, took, mib, text)) in enumerate(zip(cases, results)):
        failed += bool(why)
        if why or args.v:
            print("%s %d %s: %s: %s" % ("FAIL" if why else "ok  ", i, case.name, why, text[:400]))
        if why:
            kept = pathlib.Path("damaged-%d-%d" % (args.seed, i))
            kept.mkdir(exist_ok=True)
            for name, content in case.files.items():
                (kept / name).write_bytes(content)
            (kept / "command").write_text(case.command + "\n")
    print("%d refused; slowest %.2f s, hungriest %.0f MiB" % (sum("tonnx: " in r[3].replace("tonnx: warning", "") for r in results), max(r[1] for r in results), max(r[2] for r in results)))
    print("%d passed, %d failed" % (len(cases) - failed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
