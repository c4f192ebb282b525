#!/usr/bin/env python3
"""New bad files of every kind that is read, made from good ones: each must be refused in one line (standard library only).

usage: bad_inputs.py --tonnx PATH [--seed N] [--only TEXT] [--rss MIB] [-v]     --rss 0: no limit (a sanitizer's build)

Fine is: the exit code of its kind, one line on stderr that names the file and the field at fault, within 5 s and the limit
of memory, and every file in the folder as before. The good files that they were made from must be read. The last lines name
the slowest and the hungriest.
"""
import argparse
import concurrent.futures
import hashlib
import io
import os
import pathlib
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
import zlib
import gzip

SECONDS = 5
warnings.simplefilter("ignore")  # an archive with one name twice is meant


def number(value):
    value &= (1 << 64) - 1
    out = b""
    while value > 0x7F:
        out, value = out + bytes((value & 0x7F | 0x80,)), value >> 7
    return out + bytes((value,))


def part(field, data):
    if isinstance(data, str):
        data = data.encode()
    return number(field << 3 | 2) + number(len(data)) + data if isinstance(data, bytes) else number(field << 3) + number(data)


def tensor(name, dims, payload, dtype=1, more=b""):
    return b"".join(part(1, d) for d in dims) + part(2, dtype) + part(8, name) + (part(9, payload) if payload is not None else b"") + more


def value_info(name, width, dtype=1):
    dims = part(1, part(2, "N")) + part(1, part(1, width))
    return part(1, name) + part(2, part(1, part(1, dtype) + part(2, dims)))


def node(op, inputs, output, attributes=b"", domain=None):
    return (b"".join(part(1, i) for i in inputs) + part(2, output) + part(3, "n_" + output) + part(4, op) + attributes
            + (part(7, domain) if domain else b""))


def integer(name, value):
    return part(5, part(1, name) + part(3, value) + part(20, 2))


def floats(count):
    return struct.pack("<%df" % count, *(((i * 5 + 3) % 7) / 7 - 0.4 for i in range(count)))


W1, B1, W2 = ("w1", [3, 4], floats(12)), ("b1", [4], floats(4)), ("w2", [4, 2], floats(8))
NODES = [node("MatMul", ["x", "w1"], "h"), node("Add", ["h", "b1"], "a"), node("Relu", ["a"], "r"), node("MatMul", ["r", "w2"], "y")]


def model(nodes=None, tensors=None, inputs=None, outputs=None, opset=17, extra=b"", more_graph=b"", tail=b""):
    nodes = NODES if nodes is None else nodes
    tensors = [tensor(*t) for t in (W1, B1, W2)] if tensors is None else tensors
    inputs = [value_info("x", 3)] if inputs is None else inputs
    outputs = [value_info("y", 2)] if outputs is None else outputs
    graph = (b"".join(part(1, n) for n in nodes) + part(2, "g") + b"".join(part(5, t) for t in tensors)
             + b"".join(part(11, i) for i in inputs) + b"".join(part(12, o) for o in outputs) + more_graph)
    return part(1, 8) + extra + part(7, graph) + (part(8, part(2, opset)) if opset else b"") + tail


def weights(**changed):
    """The three tensors, with some in another form."""
    given = {"w1": tensor(*W1), "b1": tensor(*B1), "w2": tensor(*W2)}
    given.update(changed)
    return list(given.values())


def external(**entries):
    pairs = b"".join(part(13, part(1, k) + part(2, v)) for k, v in entries.items())
    return model(tensors=weights(w1=tensor("w1", [3, 4], None, more=pairs + part(14, 1))))


def npy(dtype="<f4", shape="(20, 3)", data=None, order="False", version=b"\1\0", magic=b"\x93NUMPY", text=None, length=None):
    text = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (dtype, order, shape) if text is None else text
    text += " " * (-(len(text) + 11) % 64) + "\n"
    data = floats(60) if data is None else data
    return magic + version + struct.pack("<H", len(text) if length is None else length) + text.encode("latin-1") + data


def safetensors(header, data=floats(60), length=None):
    header = header.encode() if isinstance(header, str) else header
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def st(name="x", dtype='"F32"', shape="[20,3]", offsets="[0,240]", more=""):
    return '{"%s":{"dtype":%s,"shape":%s,"data_offsets":%s}%s}' % (name, dtype, shape, offsets, more)


def archive(entries, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in entries:
            z.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def idx(kind=8, rank=2, dims=(20, 3), data=bytes(60), zero=0):
    return bytes((zero, 0, kind, rank)) + b"".join(struct.pack(">I", d) for d in dims) + data


ROWS = [[((i * 7 + j * 3) % 11) / 5 - 1 for j in range(3)] for i in range(20)]
GOOD_CSV = ["a,b,c,label"] + ["%g,%g,%g,%s" % (*r, "no yes".split()[i % 2]) for i, r in enumerate(ROWS)]


def csv(line, text):
    lines = list(GOOD_CSV)
    lines[line - 1] = text
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def svm(line, text):
    lines = ["%d 1:%g 3:%g" % (i % 2, r[0], r[2]) for i, r in enumerate(ROWS)]
    lines[line - 1] = text
    return ("\n".join(lines) + "\n").encode()


def model_cases():
    """(name, bytes, words of which one must be in the message; None: the field's)"""
    def dims(*d):
        return model(tensors=weights(w1=tensor("w1", d, floats(12))))
    yield from ((name, dims(*d), ["w1"]) for name, d in {
        "dims-minus": (-3, 4), "dims-both-minus": (-3, -4), "dims-2^63": (1 << 63, 4), "dims-wrap-0": (1 << 32, 1 << 32), "dims-wrap-12": ((1 << 62) + 3, 4),
        "dims-2^40": (1 << 40, 4), "dims-less": (3, 3), "dims-more": (3, 5), "dims-swapped": (4, 3), "dims-zero": (0, 4), "dims-rank-3": (3, 2, 2), "dims-flat": (12,),
        "dims-none": (), "dims-rank-300": [1] * 298 + [3, 4]}.items())
    for name, t in {
            "raw-3-bytes": tensor("w1", [3, 4], floats(12)[:3]), "raw-long": tensor("w1", [3, 4], floats(13)), "raw-none": tensor("w1", [3, 4], None),
            "raw-and-floats": tensor("w1", [3, 4], floats(12), more=part(4, floats(12))), "floats-short": tensor("w1", [3, 4], None, more=part(4, floats(11))),
            "floats-long": tensor("w1", [3, 4], None, more=part(4, floats(13))), "type-0": tensor("w1", [3, 4], floats(12), 0),
            "type-99": tensor("w1", [3, 4], floats(12), 99), "type-minus": tensor("w1", [3, 4], floats(12), -1), "type-string": tensor("w1", [3, 4], floats(12), 8),
            "type-complex": tensor("w1", [3, 4], floats(24), 14), "type-int8": tensor("w1", [3, 4], bytes(12), 3), "type-bool": tensor("w1", [3, 4], bytes(12), 9),
            "type-double-raw-float": tensor("w1", [3, 4], floats(12), 11), "segment": tensor("w1", [3, 4], floats(12), more=part(3, part(1, 0) + part(2, 6))),
            "int32-data-for-float": tensor("w1", [3, 4], None, more=b"".join(part(5, i) for i in range(12)))}.items():
        yield "tensor-" + name, model(tensors=weights(w1=t)), ["w1"]
    yield "tensor-twice", model(tensors=weights() + [tensor(*W1)]), ["w1"]
    yield "tensor-no-name", model(tensors=weights(w1=tensor("", [3, 4], floats(12)))), ["w1", "name"]
    yield "tensor-missing", model(tensors=[tensor(*B1), tensor(*W2)]), ["w1"]
    for name, nodes in {
            "undefined": [node("MatMul", ["nowhere", "w1"], "h")] + NODES[1:], "self": [node("Add", ["y", "b1"], "y")], "cycle": [node("Relu", ["b"], "a"), node("Relu", ["a"], "b"), node("Add", ["b", "x"], "y")],
            "twice-output": NODES + [node("Relu", ["a"], "r")], "no-inputs": [node("MatMul", [], "h")] + NODES[1:], "one-input": [node("MatMul", ["x"], "h")] + NODES[1:],
            "three-inputs": [node("Relu", ["x", "w1", "b1"], "h")] + NODES[1:], "unknown-op": NODES[:2] + [node("Reluu", ["a"], "r")] + NODES[3:], "domain": NODES[:2] + [node("Relu", ["a"], "r", domain="com.nobody")] + NODES[3:],
            "conv": [node("Conv", ["x", "w1"], "h")] + NODES[1:], "empty-op": NODES[:2] + [node("", ["a"], "r")] + NODES[3:], "mismatch": NODES[:3] + [node("MatMul", ["r", "w1"], "y")],
            "bias-mismatch": [NODES[0], node("Add", ["h", "w2"], "a")] + NODES[2:], "none": [], "graph-output-lost": NODES[:3],
            "attribute-type": [node("Gemm", ["x", "w1", "b1"], "a", part(5, part(1, "transB") + part(4, "yes") + part(20, 3)))] + NODES[2:],
            "gemm-trans-7": [node("Gemm", ["x", "w1", "b1"], "a", integer("transA", 1))] + NODES[2:], "softmax-axis": NODES[:3] + [node("MatMul", ["r", "w2"], "z"), node("Softmax", ["z"], "y", integer("axis", 7))],
            "batchnorm-short": [node("BatchNormalization", ["x", "b1"], "a")] + NODES[2:], "loop": [node("Loop", ["x"], "h")] + NODES[1:], "if": [node("If", ["x"], "h")] + NODES[1:],
            "reuse-input-name": [node("Relu", ["x"], "x")] + NODES, "reuse-weight-name": NODES[:2] + [node("Relu", ["a"], "w1")] + NODES[3:],
            "attribute-twice": [node("Gemm", ["x", "w1", "b1"], "a", integer("transB", 0) + integer("transB", 1))] + NODES[2:],
            "reshape-nothing": [node("Reshape", ["x", "lost"], "s")] + NODES, "lstm": [node("LSTM", ["x", "w1", "b1"], "a")] + NODES[2:]}.items():
        yield "node-" + name, model(nodes=nodes), None
    yield "opset-none", model(opset=0), ["opset"]
    yield "opset-minus", model(opset=-4), ["opset"]
    yield "opset-1000", model(opset=1000), ["opset"]
    yield "opset-twice", model(tail=part(8, part(2, 13))), ["opset"]
    yield "graph-lost", part(1, 8) + part(8, part(2, 17)), ["graph"]
    yield "graph-twice", model(tail=part(7, part(2, "g"))), ["graph"]
    yield "no-inputs", model(inputs=[]), ["input", "x"]
    yield "no-outputs", model(outputs=[]), ["output"]
    yield "output-unknown", model(outputs=[value_info("z", 2)]), ["z"]
    yield "input-int64", model(inputs=[value_info("x", 3, 7)]), ["x"]
    yield "input-string", model(inputs=[value_info("x", 3, 8)]), ["x"]
    yield "input-width", model(inputs=[value_info("x", 5)]), ["5", "3", "x"]
    yield "input-minus", model(inputs=[value_info("x", -3)]), ["x"]
    yield "input-huge", model(inputs=[value_info("x", 1 << 62)]), ["x"]
    for name, entries in {
            "up": {"location": "../w"}, "up-inside": {"location": "a/../../w"}, "absolute": {"location": "/etc/passwd"}, "empty": {"location": ""}, "dot": {"location": "."}, "nul": {"location": "w\0x"},
            "missing": {"location": "gone.bin"}, "no-location": {"offset": "0"}, "offset-minus": {"location": "w.bin", "offset": "-1"}, "offset-hex": {"location": "w.bin", "offset": "0x10"},
            "offset-2^64": {"location": "w.bin", "offset": "18446744073709551616"}, "offset-wrap": {"location": "w.bin", "offset": "18446744073709551600", "length": "48"}, "offset-blank": {"location": "w.bin", "offset": " 4"},
            "offset-behind": {"location": "w.bin", "offset": "44"}, "length-minus": {"location": "w.bin", "length": "-48"}, "length-long": {"location": "w.bin", "length": "4800"}, "length-short": {"location": "w.bin", "length": "44"},
            "length-text": {"location": "w.bin", "length": "all"}, "folder": {"location": "folder"}, "self": {"location": "folder/../in.onnx"}, "control": {"location": "a\nb"}}.items():
        yield "external-" + name, external(**entries), ["w1"] if name != "nul" else ["external_data"]
    good = model()
    for name, data in {
            "wire-tag-0": b"\0" + good, "wire-type-7": b"\x0f" + good, "wire-group": b"\x0b" + good, "wire-length-long": good + b"\x3a\xff\xff\xff\x0f", "wire-varint-11": b"\x08" + b"\xff" * 11 + good,
            "wire-length-2^63": b"\x3a" + number(1 << 63) + good, "wire-field-2^29": number(1 << 32 | 7) + good, "wire-cut-tag": good + b"\xff", "wire-bad-utf8": model(tensors=weights(w1=tensor(b"w\xff\xfe".decode("latin-1").encode("latin-1"), [3, 4], floats(12)))),
            "wire-name-nul": model(tensors=weights(w1=tensor("w\0", [3, 4], floats(12)))), "wire-type-of-graph": part(1, 8) + part(7, 5) + part(8, part(2, 17)), "zeros": bytes(700), "ones": b"\xff" * 700, "text": b"a model, honestly\n" * 30,
            "html": b"<!DOCTYPE html><html>404</html>", "gzip": gzip.compress(good, mtime=0), "zip": archive([("model.onnx", good)]), "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"}.items():
        yield name, data, None
    deep = b""
    for _ in range(400):
        deep = part(1, part(5, part(1, "body") + part(6, deep)) + part(4, "If"))
    yield "nest-400", part(1, 8) + part(7, deep) + part(8, part(2, 17)), ["deep", "nest", "level"]
    yield "nodes-300000", part(1, 8) + part(7, b"\x0a\0" * 300000) + part(8, part(2, 17)), ["graph.node"]
    yield "dims-100000", model(tensors=weights(w1=tensor("w1", [1] * 100000, floats(12)))), ["w1"]


def data_cases():
    """(name, file name, bytes, words)"""
    for name, shape in {"shape-minus": "(-20, 3)", "shape-float": "(20.0, 3)", "shape-2^64": "(18446744073709551616, 3)", "shape-wrap": "(4611686018427387904, 4)", "shape-2^40": "(1099511627776, 3)", "shape-none": "None",
                        "shape-text": "'20'", "shape-open": "(20, 3", "shape-nested": "((20, 3),)", "shape-1000": "(" + "1," * 1000 + ")", "shape-empty": "()", "shape-zero": "(0, 3)", "shape-no-columns": "(20, 0)", "shape-list": "[20, 3]"}.items():
        yield name, "in.npy", npy(shape=shape), None
    for name, dtype in {"object": "|O", "unicode": "<U8", "bytes": "|S4", "void": "|V4", "complex": "<c8", "f16": "<f16", "date": "<M8[s]", "none": "", "i3": "<i3", "order": "?f4", "long": "<f4" * 50, "record": "[('a', '<f4')]"}.items():
        yield "dtype-" + name, "in.npy", npy(dtype), None
    for name, data in {
            "npy-magic": npy(magic=b"\x93NUMPX"), "npy-version-9": npy(version=b"\x09\0"), "npy-version-0": npy(version=b"\0\0"), "npy-header-long": npy(length=65535), "npy-header-0": npy(length=0), "npy-text": npy(text="not a dict"),
            "npy-key-lost": npy(text="{'descr': '<f4', 'shape': (20, 3), }"), "npy-key-more": npy(text="{'descr': '<f4', 'fortran_order': False, 'shape': (20, 3), 'more': 1, }"), "npy-key-twice": npy(text="{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (20, 3), }"),
            "npy-order-2": npy(order="2"), "npy-short": npy()[:-1], "npy-long": npy() + b"\0", "npy-header-only": npy(data=b""), "npy-magic-only": b"\x93NUMPY", "npy-nul": npy(text="{'descr': '<f4\0', 'fortran_order': False, 'shape': (20, 3), }"),
            "npy-nan": npy(data=struct.pack("<f", float("nan")) + floats(59)), "npy-inf": npy(data=floats(59) + struct.pack("<f", float("-inf"))), "npy-double-beyond-float": npy("<f8", data=struct.pack("<60d", *([1e300] * 60))),
            "npy-width": npy(shape="(15, 4)"), "npy-empty": b""}.items():
        yield name, "in.npy", data, None
    good = st()
    for name, header in {
            "dtype-number": st(dtype="7"), "dtype-unknown": st(dtype='"F33"'), "dtype-lost": '{"x":{"shape":[20,3],"data_offsets":[0,240]}}', "shape-lost": '{"x":{"dtype":"F32","data_offsets":[0,240]}}', "offsets-lost": '{"x":{"dtype":"F32","shape":[20,3]}}',
            "shape-minus": st(shape="[-20,-3]"), "shape-float": st(shape="[20.0,3]"), "shape-text": st(shape='"20,3"'), "shape-2^64": st(shape="[18446744073709551616,3]"), "shape-wrap": st(shape="[4194305,4194305,211106198978564]"), "shape-null": st(shape="[20,null]"),
            "offsets-one": st(offsets="[240]"), "offsets-three": st(offsets="[0,240,240]"), "offsets-back": st(offsets="[240,0]"), "offsets-minus": st(offsets="[-1,239]"), "offsets-behind": st(offsets="[1,241]"), "offsets-short": st(offsets="[0,236]"), "offsets-object": st(offsets='{"begin":0}'),
            "array": "[1,2]", "text": '"x"', "open": good[:-1], "open-string": '{"x', "comma": good[:-1] + ",}", "colon": '{"x" {}}', "two": good + "{}", "twice": st(more=',"x":{"dtype":"F32","shape":[0],"data_offsets":[240,240]}'), "escape": '{"\\q":{}}', "surrogate": '{"\\ud800":{}}', "nul": '{"a\\u0000":{}}', "deep": '{"__metadata__":' + "[" * 50 + "]" * 50 + "}",
            "empty": "{}", "blank": "", "comment": "/* */" + good, "single-quotes": good.replace('"', "'"), "overlap": st(more=',"v":{"dtype":"F32","shape":[1],"data_offsets":[236,240]}'), "nan": st(shape="[NaN,3]")}.items():
        yield "st-" + name, "in.safetensors", safetensors(header), None
    yield "st-length-2^63", "in.safetensors", safetensors(good, length=1 << 63), None
    yield "st-length-more", "in.safetensors", safetensors(good, length=10**8), None
    yield "st-utf8", "in.safetensors", safetensors(good.encode() + b"\xff"), None
    yield "st-tail", "in.safetensors", safetensors(good, floats(61)), None
    yield "st-cut", "in.safetensors", safetensors(good, floats(59)), None
    pair = [("x.npy", npy()), ("y.npy", npy("<i8", "(20,)", struct.pack("<20q", *(i % 2 for i in range(20)))))]
    whole, packed = archive(pair), archive(pair, zipfile.ZIP_DEFLATED)
    flip = bytearray(whole)
    flip[200] ^= 1
    locals_differ = whole.replace(b"x.npy", b"z.npy", 1)
    for name, data in {
            "flip": bytes(flip), "cut": whole[:-30], "head-cut": whole[10:], "end-only": whole[-22:], "empty": archive([]), "no-arrays": archive([("read.me", b"hello")]), "twice": archive(pair + pair), "local-name": locals_differ, "text": archive([("x.npy", b"hello")]),
            "inner-cut": archive([("x.npy", npy()[:-4])]), "inner-long": archive([("x.npy", npy() + b"abcd")]), "encrypted": whole.replace(b"PK\3\4\x14\0\0\0", b"PK\3\4\x14\0\1\0").replace(b"PK\1\2\x14\3\x14\0\0\0", b"PK\1\2\x14\3\x14\0\1\0"), "method": whole.replace(b"PK\1\2\x14\3\x14\0\0\0\0\0", b"PK\1\2\x14\3\x14\0\0\0\x63\0"),
            "deflate-cut": packed[:60] + packed[90:], "inner-object": archive([("x.npy", npy("|O"))]), "key": archive([("data.npy", npy()), ("more.npy", npy())]), "bomb": archive([("x.npy", npy(shape="(20, 3)", data=bytes(40 << 20)))], zipfile.ZIP_DEFLATED)}.items():
        yield "npz-" + name, "in.npz", data, None
    for name, data in {
            "kind": idx(7), "kind-0": idx(0), "rank-0": idx(rank=0, dims=()), "rank-255": idx(rank=255), "short": idx(data=bytes(59)), "long": idx(data=bytes(61)), "huge": idx(dims=(0xFFFFFFFF, 0xFFFFFFFF)), "large": idx(dims=(1 << 30, 3)), "zero-rows": idx(dims=(0, 3), data=b""),
            "zero-columns": idx(dims=(20, 0), data=b""), "head-cut": idx()[:7], "width": idx(dims=(12, 5))}.items():
        yield "idx-" + name, "in.idx", data, None
        yield "idx-gz-" + name, "in.idx.gz", gzip.compress(data, mtime=0), None
    z = gzip.compress(idx(), mtime=0)
    yield "gz-cut", "in.idx.gz", z[:-9], None
    yield "gz-crc", "in.idx.gz", z[:-8] + bytes(4) + z[-4:], None
    yield "gz-head", "in.idx.gz", z[:5], None
    for name, line, text in (("ragged-short", 4, "1,2,no"), ("ragged-long", 5, "1,2,3,4,no"), ("text-cell", 6, "1,two,3,no"), ("empty-cell", 7, "1,,3,no"), ("blank-cell", 8, "1, ,3,no"), ("na", 9, "1,NA,3,no"), ("question", 9, "1,?,3,no"), ("nan", 10, "nan,2,3,no"), ("inf", 11, "1,inf,3,no"),
                             ("minus-inf", 11, "1,-Infinity,3,no"), ("1e999", 12, "1,1e999,3,no"), ("comma-number", 13, '"1,5",2,3,no'), ("hex", 14, "0x1p3z,2,3,no"), ("nul", 15, "1,2\0,3,no"), ("open-quote", 16, '1,"2,3,no'), ("quote-tail", 17, '1,"2"x,3,no'), ("two-dots", 18, "1.2.3,2,3,no"),
                             ("latin-1", 19, "1,\udce9,3,no"), ("plus-minus", 20, "+-1,2,3,no"), ("underscore", 20, "1_000,2,3,no"), ("no-label", 3, "1,2,3,")):
        yield "csv-" + name, "in.csv", csv(line, text), [":%d: %s" % (line, "" if name in WHOLE_LINE else "column ")]
    for name, data in {"empty": b"", "blank": b"\n\n\n", "header-only": b"a,b,c,label\n", "names-twice": csv(1, "a,b,label,label"), "utf-16": "\n".join(GOOD_CSV).encode("utf-16"), "binary": bytes(range(256)) * 4, "one-column": b"label\n" + b"no\nyes\n" * 10, "no-label-column": csv(1, "a,b,c,d")}.items():
        yield "csv-" + name, "in.csv", data, None
    for name, line, text in (("no-colon", 3, "1 1:2 3"), ("no-value", 4, "1 1: 3:1"), ("no-index", 5, "1 :2"), ("index-0", 6, "1 0:2"), ("index-minus", 7, "1 -1:2"), ("order", 8, "1 3:1 1:2"), ("same", 9, "1 1:1 1:2"), ("text", 10, "1 1:one"), ("nan", 11, "1 1:nan"), ("inf", 12, "1 1:1e999"),
                             ("label", 13, "yes 1:2"), ("label-nan", 14, "nan 1:2"), ("index-2^64", 15, "1 18446744073709551617:2"), ("index-wide", 16, "1 4:2"), ("index-10^12", 17, "1 1000000000000:2"), ("hex-index", 18, "1 0x1:2"), ("tail", 19, "1 1:2x")):
        yield "svm-" + name, "in.svm", svm(line, text), [":%d: '" % line]


def checkpoint_cases(good, random_):
    """Damage of every kind: all of it must be seen."""
    for at in (0, 1, 7, 8, 9, 12, 16, 20, 24):
        yield "byte-%d" % at, good[:at] + bytes((good[at] ^ 0x41,)) + good[at + 1:]
    for i in range(12):
        at = random_.randrange(len(good))
        yield "bit-%d" % at, good[:at] + bytes((good[at] ^ 1 << random_.randrange(8),)) + good[at + 1:]
    for size in (0, 1, 7, 8, 9, 24, len(good) // 3, len(good) // 2, len(good) - 4, len(good) - 1):
        yield "cut-%d" % size, good[:size]
    at = random_.randrange(64, len(good) - 64)
    yield "tail", good + b"\0"
    yield "twice", good + good
    yield "hole", good[:at] + good[at + 8:]
    yield "more", good[:at] + bytes(8) + good[at:]
    yield "zeros", good[:64] + bytes(len(good) - 64)
    yield "all-zeros", bytes(len(good))
    for at in range(16, min(len(good) - 8, 160), 12):
        yield "huge-%d" % at, good[:at] + b"\xff" * 8 + good[at + 8:]


WHOLE_LINE = ("ragged-short", "ragged-long", "nul", "open-quote", "quote-tail")  # what is wrong with a line, not with a cell of it
# The field that the message must name, by how the case's name begins: the longest that fits. Where a case says none.
FIELDS = {
    "node-": ["node 'n_"], "node-undefined": ["'nowhere'"], "node-twice-output": ["'r'"], "node-none": ["'y'"], "node-graph-output-lost": ["'y'"],
    "node-reuse-input-name": ["'x'"], "node-reuse-weight-name": ["'w1'"], "node-attribute-": ["'transB'"], "node-softmax-axis": ["axis 7"], "node-domain": ["'com.nobody'"],
    "node-reshape-nothing": ["'lost'"], "node-empty-op": ["op_type"], "node-batchnorm-short": ["'b1'"],
    "wire-": ["at byte "], "wire-bad-utf8": ["initializer.name"], "wire-name-nul": ["initializer.name"], "wire-type-of-graph": ["graph:"],
    "zeros": ["at byte 0"], "ones": ["at byte "], "text": ["at byte "], "html": ["at byte 0"], "gzip": ["at byte 0"], "zip": ["at byte "], "lfs": ["at byte 0"],
    "shape-": ["shape"], "dtype-": ["dtype", "'descr'"], "npy-magic": ["npy", "format"], "npy-version-": ["npy version"], "npy-header-": ["npy header", "bytes are missing"],
    "npy-header-only": ["shape (20, 3)"], "npy-text": ["npy header"], "npy-key-lost": ["'fortran_order'"], "npy-key-more": ["'more'"], "npy-key-twice": ["'descr'"],
    "npy-order-2": ["'fortran_order'"], "npy-short": ["shape (20, 3)"], "npy-long": ["shape (20, 3)"], "npy-nul": ["npy header"], "npy-nan": ["sample 1, feature 1"],
    "npy-inf": ["sample 20, feature 3"], "npy-double-beyond-float": ["sample 1, feature 1"], "npy-width": ["15 samples"], "npy-empty": ["no samples"],
    "st-": ["header"], "st-dtype-": ["'x': its dtype", "'x': elements of its dtype", "no dtype"], "st-shape-": ["'x': its shape", "no shape"], "st-offsets-": ["data_offsets"],
    "st-array": ["format"], "st-text": ["format"], "st-blank": ["magic"], "st-comment": ["format"], "st-twice": ["'x'"], "st-overlap": ["'x' and 'v'"], "st-length-": ["header of "],
    "st-empty": ["belong to no tensor"], "st-tail": ["belong to no tensor"], "st-cut": ["'x': its data_offsets"],
    "npz-": ["'x.npy'", "'x'"], "npz-cut": ["end record"], "npz-head-cut": ["magic", "zip"], "npz-end-only": ["directory"], "npz-deflate-cut": ["directory"],
    "idx-": ["shape ("], "idx-kind": ["IDX magic"], "idx-rank-": ["IDX magic"], "idx-head-cut": ["bytes are missing"], "idx-width": ["12 samples"],
    "idx-gz-kind": ["IDX magic"], "idx-gz-rank-": ["IDX magic"], "idx-gz-head-cut": ["bytes are missing"], "idx-gz-width": ["12 samples"], "idx-gz-short": ["bytes are missing"],
    "idx-gz-long": ["header says"], "gz-": ["gzip stream"],
    "csv-empty": ["no samples"], "csv-blank": ["no samples"], "csv-header-only": ["no samples"], "csv-names-twice": ["'label'"], "csv-utf-16": ["UTF-16"], "csv-binary": ["format"],
    "csv-one-column": ["only column"], "csv-no-label-column": ["column 'label'"],
}


def field(name):
    return FIELDS[max((begin for begin in FIELDS if name.startswith(begin)), key=len)]


def snapshot(folder):
    return {str(p.relative_to(folder)): p.is_file() and hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*")}


class Case:
    def __init__(self, name, files, command, codes, words, subject):
        self.name, self.files, self.command, self.codes, self.words, self.subject = name, files, command, codes, words, subject

    def run(self, tonnx, limit):
        """("" or what is wrong, seconds, MiB, the message)"""
        with tempfile.TemporaryDirectory() as top:
            folder = pathlib.Path(top)
            (folder / "folder").mkdir()
            for name, data in self.files.items():
                (folder / name).write_bytes(data)
            before, begin = snapshot(folder), time.monotonic()
            with open(folder.parent / (folder.name + ".err"), "w+b") as err:
                p = subprocess.Popen([tonnx, *self.command.split()], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err,
                                     env=dict(os.environ, LC_ALL="C.UTF-8", TMPDIR=top),
                                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (4 * SECONDS, 4 * SECONDS)))
                _, status, usage = os.wait4(p.pid, 0)
                p.returncode = 0
                err.seek(0)
                text = err.read().decode(errors="replace")
            os.unlink(err.name)
            took, mib, code = time.monotonic() - begin, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)
            return self.judge(code, text, took, mib, limit, before == snapshot(folder)), took, mib, text.strip()

    def judge(self, code, text, took, mib, limit, same):
        lines = [line for line in text.splitlines() if line.startswith("tonnx: ") and not line.startswith("tonnx: warning")]
        if "Sanitizer" in text or "runtime error" in text:
            return "sanitizer: " + text[-900:]
        if code not in self.codes:
            return "exit %d" % code
        if code and len(lines) != 1:
            return "%d lines" % len(lines)
        if code and self.subject not in lines[0]:
            return "does not name %s" % self.subject
        if code and not any(w in lines[0] for w in self.words):
            return "names none of %s" % self.words
        if any(ord(c) < 32 for c in (lines or [""])[0]):
            return "a control character in the message"
        if limit and mib > limit + 3 * sum(map(len, self.files.values())) / (1 << 20):
            return "%d MiB" % mib
        if took > SECONDS and limit:
            return "%.1f s" % took
        return "" if same or not code else "the folder changed"


TRAIN = "train m.onnx --data %s%s -o out.onnx --epochs 1 --threads 1 --backend cpu"
COMMANDS = ("inspect in.onnx", "init in.onnx --scheme he-normal -o out.onnx", "predict in.onnx --data x.npy -o out.npy", "plan in.onnx",
            "train in.onnx --data x.npy --target y.npy -o out.onnx --steps 1 --backend cpu", "convert in.onnx out.npz")


def all_cases(tonnx, seed):
    random_ = random.Random(seed)
    common = {"x.npy": npy(), "y.npy": npy("<i8", "(20,)", struct.pack("<20q", *(i % 2 for i in range(20)))), "w.bin": floats(12), "m.onnx": model()}
    yield Case("twin model", dict(common, **{"in.onnx": model()}), COMMANDS[0], (0,), [], "")
    yield Case("twin external", dict(common, **{"in.onnx": external(location="w.bin", offset="0", length="48")}), COMMANDS[0], (0,), [], "")
    for i, (name, data, words) in enumerate(model_cases()):
        commands = COMMANDS[:5] if name.startswith("node-") or "input-" in name or "output" in name or name in ("dims-flat", "tensor-type-string") else COMMANDS
        yield Case("model " + name, dict(common, **{"in.onnx": data}), commands[i % len(commands)], (3,), words or field(name), "in.onnx")
    targets = {"in.csv": " --target label", "in.npy": " --target y.npy", "in.idx": " --target y.npy", "in.idx.gz": " --target y.npy", "in.safetensors": " --target y.npy"}
    twins = {"in.npy": npy(), "in.safetensors": safetensors(st()), "in.npz": archive([("x.npy", npy()), ("y.npy", common["y.npy"])]), "in.idx": idx(), "in.csv": csv(1, GOOD_CSV[0]), "in.svm": svm(1, "0 1:1 3:1")}
    for file, data in twins.items():
        yield Case("twin " + file, dict(common, **{file: data}), TRAIN % (file, targets.get(file, "")), (0,), [], "")
    for name, file, data, words in data_cases():
        yield Case("data " + name, dict(common, **{file: data}), TRAIN % (file, targets.get(file, "")), (4,), words or field(name), file)
    with tempfile.TemporaryDirectory() as top:
        for name, data in common.items():
            (pathlib.Path(top) / name).write_bytes(data)
        base = "train m.onnx --data x.npy --target y.npy -o out.onnx --threads 1 --backend cpu --batch 8 "
        subprocess.run([tonnx, *(base + "--steps 3 --checkpoint good.ckpt").split()], cwd=top, check=True, capture_output=True)
        good = (pathlib.Path(top) / "good.ckpt").read_bytes()
    for name, data in checkpoint_cases(good, random_):
        yield Case("checkpoint " + name, dict(common, **{"in.ckpt": data}), base + "--epochs 2 --resume in.ckpt", (3,), ["TONNXCKP", "checkpoint: "], "in.ckpt")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tonnx", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--rss", type=float, default=96)
    parser.add_argument("-v", action="store_true")
    args = parser.parse_args()
    tonnx = os.path.abspath(args.tonnx)
    cases = [c for c in all_cases(tonnx, args.seed) if args.only in c.name]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda c: c.run(tonnx, args.rss), cases))
    failed = 0
    for case, (why, took, mib, text) in zip(cases, results):
        failed += bool(why)
        if why or args.v:
            print("%s %s: %s: %s" % ("FAIL" if why else "ok  ", case.name, why, text[:400]))
    for what, at in (("slowest", 1), ("hungriest", 2)):
        worst = max(range(len(cases)), key=lambda i: results[i][at])
        print("%s: %s, %.2f %s" % (what, cases[worst].name, results[worst][at], "s" if at == 1 else "MiB"))
    print("%d passed, %d failed" % (len(cases) - failed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
