"""Where and how weights may lie: each form predicts what ONNX Runtime predicts, trains, and what is written loads there.

Data files and shards, sparse initializers, halves and doubles in every field, chains of views, merges and ties, added biases.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from common import worst
from peers import infer

RANDOM = np.random.default_rng(5)
IN, HIDDEN, OUT = 6, 5, 4


def run(suite):
    for name, (make, options) in CASES.items():
        suite.guarded(name, check, make, options)


def check(suite, case, make, options):
    source, out = suite.path(case, "in", "net.onnx"), suite.path(case, "out", "net.onnx")
    x, y = suite.path(case, "x.npy"), suite.path(case, "y.npy")
    np.save(x, random(8, IN))
    np.save(y, random(8, OUT))
    onnx.save(make(source.parent), source)
    suite.tonnx("train", source, "--data", x, "--target", y, "--loss", "mse", "--optimizer", "sgd", "--lr", 0.1, "--steps", 2,
                "-o", out, *options)
    onnx.checker.check_model(str(out), full_check=True)
    answers = [infer(model, np.load(x)) for model in (source, out)]
    for model, wanted in zip((source, out), answers):
        suite.tonnx("predict", model, "--data", x, "-o", suite.path(case, "p.npy"))
        good, gap = worst(np.load(suite.path(case, "p.npy")), wanted, 1e-5, 1e-4)
        suite.check(case, good, f"{model.parent.name}: ONNX Runtime is off by {gap:.2e}")
    suite.check(case, not np.allclose(*answers), "training moved nothing")


def random(*shape):
    return RANDOM.standard_normal(shape).astype(np.float32)


def plain(name, *shape):
    return numpy_helper.from_array(random(*shape), name)


def model(nodes, tensors, sparse=()):
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", IN])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", OUT])], tensors,
                              sparse_initializer=sparse)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    return made


def two_layers(before=(), w1=None, tensors=(), sparse=()):
    """x·w1 + b1, tanh, ·w2 + b2; `before` and `tensors` make what is not given as a tensor."""
    nodes = [helper.make_node("Gemm", ["x", "w1", "b1"], ["h"]), helper.make_node("Tanh", ["h"], ["t"]),
             helper.make_node("Gemm", ["t", "w2", "b2"], ["y"])]
    rest = [plain("b1", HIDDEN), plain("w2", HIDDEN, OUT), plain("b2", OUT)]
    return model([*before, *nodes], [*([w1] if w1 else []), *tensors, *rest], sparse)


def outside(folder, tensor, location, offset=0, length=True):
    """The tensor's elements moved to folder/location."""
    raw = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": offset, "length": len(raw)}.items():
        if length or key == "location":
            entry = tensor.external_data.add()
            entry.key, entry.value = key, str(value)
    file = folder / location
    file.parent.mkdir(exist_ok=True)
    before = file.read_bytes() if file.exists() else b""
    file.write_bytes(before[:offset].ljust(offset, b"\7") + raw + before[offset + len(raw):])
    return tensor


def shards(folder):
    made = two_layers(w1=outside(folder, plain("w1", IN, HIDDEN), "net-1.data", 16))
    outside(folder, made.graph.initializer[2], "net-2.data", length=False)
    outside(folder, made.graph.initializer[3], "more/net-2.data", 64)
    return made


def constant_outside(folder):
    value = outside(folder, plain("c", IN, HIDDEN), "c.data")
    return two_layers([helper.make_node("Constant", [], ["w1"], value=value)])


def sparse(_, pairs=False):
    w = random(IN, HIDDEN)
    w[RANDOM.random(w.shape) < 0.6] = 0
    where = np.argwhere(w) if pairs else np.flatnonzero(w)
    values = numpy_helper.from_array(w[w != 0], "w1")
    return two_layers(sparse=[helper.make_sparse_tensor(values, numpy_helper.from_array(where.astype(np.int64)), w.shape)])


def cast(kind, raw):
    """w1 stored in another type, raw or in that type's own field, behind a Cast."""
    def make(_):
        w = random(IN, HIDDEN)
        tensor = TensorProto(name="stored", data_type=kind, dims=w.shape)
        bits = {TensorProto.BFLOAT16: (w.view(np.uint32) >> 16).astype(np.uint16), TensorProto.DOUBLE: w.astype(np.float64),
                TensorProto.FLOAT16: w.astype(np.float16).view(np.uint16)}[kind]
        if raw:
            tensor.raw_data = bits.tobytes()
        else:
            (tensor.double_data if kind == TensorProto.DOUBLE else tensor.int32_data).extend(bits.reshape(-1).tolist())
        return two_layers([helper.make_node("Cast", ["stored"], ["w1"], to=TensorProto.FLOAT)], tensors=[tensor])
    return make


def views(_):
    chain = [helper.make_node("Reshape", ["s", "shape"], ["s1"]), helper.make_node("Transpose", ["s1"], ["s2"]),
             helper.make_node("Mul", ["s2", "half"], ["s3"]), helper.make_node("Identity", ["s3"], ["w1"])]
    return two_layers(chain, tensors=[plain("s", IN * HIDDEN), numpy_helper.from_array(np.array([HIDDEN, IN]), "shape"),
                                      numpy_helper.from_array(np.float32(0.5), "half")])


def merged_views(_):
    """One tensor of equal numbers behind two Transposes: an exporter's merge."""
    nodes = [helper.make_node("Transpose", ["o"], ["o1"]), helper.make_node("Transpose", ["o"], ["o2"]),
             helper.make_node("MatMul", ["x", "a"], ["h"]), helper.make_node("MatMul", ["h", "o1"], ["k"]),
             helper.make_node("Tanh", ["k"], ["t"]), helper.make_node("MatMul", ["t", "o2"], ["y"])]
    return model(nodes, [plain("a", IN, OUT), numpy_helper.from_array(np.full((OUT, OUT), 0.1, np.float32), "o")])


def autoencoder(_):
    nodes = [helper.make_node("Gemm", ["x", "a"], ["h"]), helper.make_node("Gemm", ["h", "w"], ["k"], transB=1),
             helper.make_node("Tanh", ["k"], ["t"]), helper.make_node("Gemm", ["t", "w"], ["y"])]
    return model(nodes, [plain("a", IN, OUT), plain("w", HIDDEN, OUT)])


CASES = {
    "shards": (shards, []),
    "constant-outside": (constant_outside, []),
    "sparse": (sparse, []),
    "sparse-pairs": (lambda folder: sparse(folder, True), []),
    **{f"{name}-{'raw' if raw else 'typed'}": (cast(kind, raw), [])
       for name, kind in {"half": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16, "double": TensorProto.DOUBLE}.items()
       for raw in (False, True)},
    "views": (views, []),
    "merged-views": (merged_views, []),
    "tied": (autoencoder, []),
    "untied": (autoencoder, ["--untie"]),
    "added-bias": (merged_views, ["--add-bias"]),
    "added-bias-gemm": (autoencoder, ["--add-bias"]),
}
