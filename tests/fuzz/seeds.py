#!/usr/bin/env python3
"""A seed corpus for each fuzz target, from the tests' own files and a few written here (standard library only).

usage: seeds.py --tonnx PATH --checkpoint PATH OUT      --checkpoint: the target, which writes seeds of its own
"""
import argparse
import gzip
import io
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent / "data"
LARGEST = {"onnx": 6000, "save": 6000, "npz": 6000, "csv": 4000}  # bytes; 4096 for the others
NAMES = {".onnx": ["onnx", "save"], ".npy": ["npy"], ".npz": ["npz"], ".safetensors": ["safetensors"], ".csv": ["csv"],
         ".tsv": ["csv"], ".svm": ["libsvm"], ".libsvm": ["libsvm"], ".idx": ["idx"], ".gz": ["idx"], ".ckpt": ["checkpoint"]}


def put(out, target, name, data):
    if len(data) <= LARGEST.get(target, 4096):
        (out / target / name).write_bytes(data)


def npy(dtype, shape, data, order="False"):
    """An array's bytes; `data` are its elements."""
    text = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (dtype, order, shape)
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + data


def archive(arrays, how=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as z:
        for name, data in arrays.items():
            z.writestr(name + ".npy", data)
    return out.getvalue()


def arrays(out):
    floats = struct.pack("<12f", *range(12))
    x, y = npy("<f4", "(3, 4)", floats), npy("<i8", "(3,)", struct.pack("<3q", 0, 2, 1))
    kinds = {"f4": x, "i8": y, "f8": npy("<f8", "(2, 2)", struct.pack("<4d", 1, 2, 3, 4)), "f2": npy("<f2", "(2, 1)", b"\0<\0@"),
             "u1": npy("|u1", "(2, 2, 2)", bytes(range(8))), "b1": npy("|b1", "(2, 2)", b"\0\1\1\0"),
             "big": npy(">f4", "(3, 4)", struct.pack(">12f", *range(12))), "order": npy("<f4", "(3, 4)", floats, "True"),
             "i4": npy("<i4", "(2, 2)", struct.pack("<4i", 1, -2, 3, 4)), "scalar": npy("<f4", "()", floats[:4])}
    for name, data in kinds.items():
        put(out, "npy", name, data)
    put(out, "npz", "stored", archive({"x": x, "y": y}))
    put(out, "npz", "packed", archive({"x": x, "y": y}, zipfile.ZIP_DEFLATED))
    put(out, "npz", "weights", archive({"fc1.weight": x, "fc1.bias": npy("<f4", "(3,)", floats[:12])}))
    head = b'{"x":{"dtype":"F32","shape":[3,4],"data_offsets":[0,48]},"y":{"dtype":"I64","shape":[3],"data_offsets":[48,72]}}'
    put(out, "safetensors", "both", struct.pack("<Q", len(head)) + head + floats + struct.pack("<3q", 0, 2, 1))
    head = b'{"__metadata__":{"a":"b"},"fc.weight":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}}'
    put(out, "safetensors", "weight", struct.pack("<Q", len(head)) + head + b"\x80\x3f" * 4)
    head = b'{"x":{"dtype":"BOOL","shape":[2,1],"data_offsets":[0,2]}}'
    put(out, "safetensors", "bool", struct.pack("<Q", len(head)) + head + b"\0\1")


def texts(out):
    for i, text in enumerate(["a,b,label\n1,2,cat\n3,4,dog\n", "1;2;3\n4;5;6\n", "a\tb\n1\t-2e3\n", '"a b","c"\r\n"1","2"\r\n',
                              "\ufeffx,y\n1,2\n", "1,2,0\n3,4,1\n5,6,2\n", 'name,v\n"a ""q""",1\n', "1 2 3\n4 5 6\n"]):
        put(out, "csv", "text%d" % i, text.encode())
    put(out, "csv", "wide", "a,b\n1,2\n".encode("utf-16"))
    for i, text in enumerate(["+1 1:0.5 3:1\n-1 2:2.5\n", "0 0:1 4:2 # note\n1 1:3\n", "2.5 1:1\n3.5 2:1\n", "1 qid:3 1:1 2:2\n"]):
        put(out, "libsvm", "text%d" % i, text.encode())
    for code, dtype in ((8, "B"), (9, "b"), (11, "h"), (12, "i"), (13, "f"), (14, "d")):
        data = bytes((0, 0, code, 2)) + struct.pack(">II4" + dtype, 2, 2, 1, 2, 3, 4)
        put(out, "idx", "kind%d" % code, data)
    labels = bytes((0, 0, 8, 1)) + struct.pack(">I3B", 3, 0, 2, 1)
    put(out, "idx", "labels", labels)
    put(out, "idx", "labels.gz", gzip.compress(labels))
    put(out, "idx", "images", bytes((0, 0, 8, 3)) + struct.pack(">III8B", 2, 2, 2, *range(8)))


def files(out):
    for path in sorted(p for p in DATA.rglob("*") if p.is_file()):
        for target in NAMES.get(path.suffix, []):
            put(out, target, "-".join(path.relative_to(DATA).parts[-3:]), path.read_bytes())


def external(out):
    """Models whose weights lie in "w.bin", the file that lies beside every input of the targets."""
    for path in sorted(DATA.glob("bad/ext-*/*.onnx")):
        data = path.read_bytes()
        for target in ("onnx", "save"):
            put(out, target, "external-" + path.parent.name, data)


def made(out, tonnx):
    """Small models of the command's own, and their weights."""
    with tempfile.TemporaryDirectory() as folder:
        for i, args in enumerate((["2-3-2"], ["2-3-1", "--norm", "batch", "--output-act", "sigmoid"], ["3-2", "--act", "none"],
                                  ["2-4-2", "--norm", "layer", "--dropout", "0.5", "--act", "gelu"])):
            model = os.path.join(folder, "m%d.onnx" % i)
            subprocess.run([tonnx, "new", *args, "-o", model], check=True, capture_output=True)
            for target in ("onnx", "save"):
                put(out, target, "made%d" % i, pathlib.Path(model).read_bytes())
            for kind in ("npz", "safetensors"):
                weights = os.path.join(folder, "w%d.%s" % (i, kind))
                subprocess.run([tonnx, "convert", model, weights], check=True, capture_output=True)
                put(out, kind, "made%d" % i, pathlib.Path(weights).read_bytes())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tonnx", required=True)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    for target in sorted({t for targets in NAMES.values() for t in targets}):
        shutil.rmtree(args.out / target, ignore_errors=True)
        (args.out / target).mkdir(parents=True)
    files(args.out)
    arrays(args.out)
    texts(args.out)
    external(args.out)
    made(args.out, args.tonnx)
    env = dict(os.environ, TONNX_FUZZ_SEEDS=str(args.out / "checkpoint"))
    subprocess.run([args.checkpoint, "-runs=1", "-seed=1"], check=True, capture_output=True, env=env)
    print(", ".join("%s %d" % (p.name, len(list(p.iterdir()))) for p in sorted(args.out.iterdir())))


main()
