"""Random small MLPs of every supported form, beside ONNX Runtime.

Each net is drawn from its own seed: depth, widths, how a layer is written (Gemm in its forms, MatMul+Add either way round,
Constant nodes, Identity or Cast on the way to a weight), what stands between (activations and norms as ops or spelled out,
gates, residuals, Concat, calls of functions), opset 7 to 28, IR 3 with initializers among the inputs to 14, raw or typed storage,
doubles, halves and bfloat16, sparse initializers, external data in one file or in shards. What ONNX Runtime does not
know yet is judged by ONNX's own reference evaluator.
Outputs lie within 1e-5 + 1e-4·|reference| on the CPU, and of every tenth on the reference backend; of every sixteenth, steps
of training on each backend lead to the same tensors and to a file that ONNX Runtime runs as tonnx does; of every eighth, a
step of rate 0 gives the file back byte for byte. A net that ONNX
Runtime refuses is counted and left out.
"""
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from common import Failed, tensor_of, worst
from peers import infer
from random_spellings import affine, concat, gate, residual, row_norm, spelled, stored

COUNT = int(os.environ.get("TONNX_RANDOM_MLPS", "1000"))
REFERENCE_EVERY, TRAIN_EVERY, KEPT_EVERY = 10, 16, 8
OPSETS = range(7, 29)
RELEASED = 24  # the first opset of which ONNX Runtime may not know every op
LEAST_OUTSIDE = 50  # as onnx counts bytes; ONNX Runtime wants shapes and axes inside the model
IR = {7: 3, 8: 3, 9: 4, 10: 5, 11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11,
      24: 11, 25: 12, 26: 13, 27: 13, 28: 14}

# op: (first opset, attributes, one draw each)
ACTIVATIONS = {
    "Relu": (7, {}), "Tanh": (7, {}), "Sigmoid": (7, {}), "Softsign": (7, {}), "Softplus": (7, {}),
    "LeakyRelu": (7, {"alpha": (0.0, 0.4)}), "Elu": (7, {"alpha": (0.3, 1.5)}),
    "Selu": (7, {"alpha": (1.2, 1.9), "gamma": (0.8, 1.3)}), "HardSigmoid": (7, {"alpha": (0.1, 0.4), "beta": (0.3, 0.6)}),
    "ThresholdedRelu": (10, {"alpha": (0.1, 1.0)}), "Celu": (12, {"alpha": (0.3, 1.5)}), "HardSwish": (14, {}),
    "Mish": (18, {}), "Gelu": (20, {"approximate": ("none", "tanh")}), "PRelu": (7, {}), "Clip": (7, {}),
    "Swish": (24, {"alpha": (0.5, 2.0)}),
}


class Builder:
    """A graph in the making; every random choice comes from one generator."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.opset = int(self.random.choice(list(OPSETS)))
        self.ir = IR[self.opset]
        self.nodes, self.initializers, self.sparse, self.functions, self.trained, self.count = [], [], [], [], [], 0
        self.words = [f"opset {self.opset}"]

    def chance(self, p):
        return bool(self.random.random() < p)

    def pick(self, *of):
        return of[int(self.random.integers(len(of)))]

    def name(self, stem):
        self.count += 1
        return f"{stem}_{self.count}"

    def node(self, op, inputs, outputs=None, **attributes):
        out = outputs or [self.name(op.lower())]
        label = self.name("node") if self.chance(0.7) else ""  # a node's name is optional
        self.nodes.append(helper.make_node(op, inputs, out, name=label, **attributes))
        return out[0]

    def constant(self, array, stem, trained=True):
        """An initializer, raw or typed, or a Constant node; now and then behind an Identity. Returns the name to use."""
        name, array = self.name(stem), np.asarray(array)
        array = array.astype(np.float32) if array.dtype.kind == "f" else array
        if trained and self.opset >= 9:
            kept = []
            cast = stored(self, array, name, kept)
            if cast:
                self.initializers += [numpy_helper.from_array(*k) for k in kept]
                self.trained += [k[1] for k in kept]
                return cast
        if trained and self.opset >= 11 and array.ndim == 2 and array.size > 1 and self.chance(0.04):
            return self.mostly_zero(array, name)
        tensor = numpy_helper.from_array(array, name)
        if array.dtype == np.float32 and self.chance(0.3):
            tensor = helper.make_tensor(name, TensorProto.FLOAT, array.shape, array.reshape(-1).tolist())
        if self.chance(0.15):
            self.words.append("Constant")
            tensor.name = "" if self.chance(0.5) else name
            self.node("Constant", [], [name], value=tensor)
        else:
            self.initializers.append(tensor)
        if trained:
            self.trained.append(name)
        return self.node("Identity", [name]) if trained and self.chance(0.1) else name

    def mostly_zero(self, array, name):
        """A sparse initializer, its indices flat or a row each."""
        array = np.where(self.random.random(array.shape) < 0.6, 0, array).astype(np.float32)
        array.flat[0] = 0.5
        where = np.argwhere(array) if self.chance(0.5) else np.flatnonzero(array)
        self.sparse.append(helper.make_sparse_tensor(numpy_helper.from_array(array[array != 0], name),
                                                     numpy_helper.from_array(where.astype(np.int64)), array.shape))
        self.words.append("sparse")
        return name

    def weights(self, fan_in, fan_out):
        return self.random.standard_normal((fan_in, fan_out)) * np.sqrt(1.5 / fan_in)

    def vector(self, n, mean=0.0, spread=0.3):
        return mean + spread * self.random.standard_normal(n)


def gemm(b, x, fan_in, fan_out):
    """Gemm: transB, alpha and beta given or not, C in any broadcast form or missing."""
    weight, attributes = b.weights(fan_in, fan_out), {}
    if b.chance(0.6):
        weight, attributes = weight.T, {"transB": 1}
    if b.chance(0.3):
        attributes["alpha"] = float(b.random.uniform(0.5, 2))
    if b.chance(0.3):
        attributes["beta"] = float(b.pick(0.0, 0.5, 1.5))
    if b.chance(0.2):
        attributes["transA"] = 0
    forms = ["n", "1n", "one", "scalar"] + (["missing", "empty"] if b.opset >= 11 else [])
    form = "n" if b.chance(0.5) else b.pick(*forms)
    b.words.append(f"Gemm({form},{','.join(attributes)})")
    inputs = [x, b.constant(np.ascontiguousarray(weight), "weight")]
    shape = {"n": (fan_out,), "1n": (1, fan_out), "one": (1,), "scalar": ()}.get(form)
    if shape is not None:
        inputs.append(b.constant(b.vector(shape), "bias", trained=attributes.get("beta") != 0.0))
    elif form == "empty":
        inputs.append("")
    return b.node("Gemm", inputs, **attributes)


def matmul(b, x, fan_in, fan_out):
    """MatMul, and Add either way round with a bias of any shape that broadcasts; or no bias."""
    form = b.pick("right", "left", "left 1n", "one", "none")
    b.words.append(f"MatMul({form})")
    y = b.node("MatMul", [x, b.constant(b.weights(fan_in, fan_out), "kernel")])
    if form == "none":
        return y
    shape = {"left 1n": (1, fan_out), "one": (1,)}.get(form, (fan_out,))
    bias = b.constant(b.vector(shape), "bias")
    return b.node("Add", [bias, y] if form.startswith("left") else [y, bias])


def norm(b, x, features):
    attributes = {} if b.chance(0.3) else {"epsilon": float(b.pick(1e-5, 1e-3)), "momentum": float(b.pick(0.9, 0.99))}
    if b.opset == 7 and b.chance(0.5):
        attributes["spatial"] = 1
    b.words.append("BatchNormalization")
    scale, shift = b.constant(b.vector(features, 1), "scale"), b.constant(b.vector(features), "shift")
    mean = b.constant(b.vector(features), "mean", trained=False)
    variance = b.constant(0.5 + b.random.random(features), "variance", trained=False)
    return b.node("BatchNormalization", [x, scale, shift, mean, variance], **attributes)


def clip(b, x):
    """Attributes up to opset 10, inputs after, either bound absent."""
    low, high = b.pick((-1.0, 1.0), (0.0, 6.0), (-0.3, 0.7), (0.0, None), (None, 0.5))
    if b.opset < 11:
        bounds = {k: v for k, v in (("min", low), ("max", high)) if v is not None}
        return b.node("Clip", [x], **bounds)
    names = [b.constant(np.array(v, np.float32), "bound", trained=False) if v is not None else "" for v in (low, high)]
    return b.node("Clip", [x, *names] if names[1] else [x, names[0]])


def activation(b, x, features):
    op = b.pick(*[name for name, (since, _) in ACTIVATIONS.items() if since <= b.opset])
    b.words.append(op)
    if op == "Clip":
        return clip(b, x)
    if op == "PRelu":
        shape = b.pick((1,), (features,), (1, features), ())
        return b.node("PRelu", [x, b.constant(b.vector(shape, 0.25, 0.1), "slope")])
    attributes = {}
    for name, draw in ACTIVATIONS[op][1].items():
        if b.chance(0.6):
            attributes[name] = b.pick(*draw) if isinstance(draw[0], str) else float(b.random.uniform(*draw))
    if b.ir >= 8 and b.chance(0.15):
        return called(b, op, x, attributes)
    return b.node(op, [x], **attributes)


def called(b, op, x, attributes):
    """The op as the body of a function of the model, of the same opset."""
    b.words.append("function")
    name, opsets = b.name("Act"), [helper.make_opsetid("", b.opset)]
    body = [helper.make_node("Identity", ["X"], ["Z"]), helper.make_node(op, ["Z"], ["Y"], **attributes)]
    b.functions.append(helper.make_function("local", name, ["X"], ["Y"], body, opsets))
    return b.node(name, [x], domain="local")


def dropout(b, x):
    b.words.append("Dropout")
    if b.opset < 12:
        return b.node("Dropout", [x], **({"ratio": 0.3} if b.chance(0.7) else {}))
    ratio = b.constant(np.array(0.3, np.float32), "ratio", trained=False)
    if b.chance(0.5):
        return b.node("Dropout", [x, ratio])
    return b.node("Dropout", [x, ratio, b.constant(np.array(False), "training", trained=False)])


def head(b, x, features):
    """What turns a batch of any shape into rows; (value, the input's dims after the batch)."""
    form = b.pick("none", "none", "none", "flatten", "reshape")
    if form == "none":
        return x, [features]
    dims = b.pick([features], [1, features], [features, 1, 1]) if form == "reshape" or b.chance(0.7) else [features]
    b.words.append(form)
    if form == "flatten":
        return b.node("Flatten", [x], **({"axis": 1} if b.chance(0.5) else {})), dims
    shape = b.pick([0, features], [-1, features], [0, -1]) if len(dims) == 1 else [-1, features]
    return b.node("Reshape", [x, b.constant(np.array(shape, np.int64), "shape", trained=False)]), dims


def tail(b, x, classes):
    """The output: as it is, or probabilities; axis given, or left to its default where that means the features."""
    op = b.pick("", "", "Softmax", "LogSoftmax", "Sigmoid")
    b.words.append(op or "logits")
    if op in ("", "Sigmoid"):
        return b.node(op, [x]) if op else x
    attributes = {} if b.chance(0.4) else {"axis": b.pick(1, -1) if b.opset >= 11 else 1}
    return b.node(op, [x], **attributes)


def dense(b, x, fan_in, fan_out):
    return (gemm if b.chance(0.6) else matmul)(b, x, fan_in, fan_out)


# What may stand behind a dense layer, in any order: the odds, and what makes it.
PARTS = {
    "norm": (0.2, norm),
    "row norm": (0.12, row_norm),
    "affine": (0.08, affine),
    "activation": (0.5, activation),
    "spelled": (0.4, spelled),
    "gate": (0.06, lambda b, x, features: gate(b, x, features, dense)),
    "residual": (0.1, lambda b, x, features: residual(b, x, features, dense)),
    "concat": (0.08, lambda b, x, features: concat(b, x, features, dense)),
    "dropout": (0.1, lambda b, x, features: dropout(b, x)),
    "identity": (0.08, lambda b, x, features: b.node("Identity", [x])),
}


def build(seed):
    """(model, input's dims, what it is, trained tensors' names)"""
    b = Builder(seed)
    features, classes = int(b.random.integers(1, 24)), int(b.random.integers(1, 8))
    widths = [features, *(int(n) for n in b.random.integers(1, 40, b.random.integers(0, 5))), classes]
    x, dims = head(b, "input", features)
    if b.chance(0.15):
        x = norm(b, x, features)
    for i, (fan_in, fan_out) in enumerate(zip(widths, widths[1:])):
        x = dense(b, x, fan_in, fan_out)
        if i + 2 == len(widths):
            break
        for part in b.random.permutation([part for part in PARTS if b.chance(PARTS[part][0])]):
            x = PARTS[part][1](b, x, fan_out)
    x = tail(b, x, classes)
    return model_of(b, x, dims, classes), dims, " ".join(b.words), b.trained


def model_of(b, x, dims, classes):
    b.nodes[-1].output[0] = "output"
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", *dims])]
    if b.ir == 3:
        inputs += [helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in b.initializers]
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["N", classes])]
    graph = helper.make_graph(b.nodes, "mlp", inputs, outputs, b.initializers, sparse_initializer=b.sparse)
    opsets = [helper.make_opsetid("", b.opset)] + ([helper.make_opsetid("local", 1)] if b.functions else [])
    model = helper.make_model(graph, opset_imports=opsets, producer_name="random_mlps", functions=b.functions)
    model.ir_version = b.ir
    onnx.checker.check_model(model)
    return model


def run(suite):
    wanted = [seed for seed in range(COUNT) if suite.wants(f"seed-{seed}")]
    refused = 0
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:  # the command and ONNX Runtime work outside Python
        for seed, outcome in zip(wanted, pool.map(lambda seed: one(suite, seed), wanted)):
            refused += outcome is None
            for case, good, why in outcome or []:
                suite.check(case, good, why)
    suite.note(f"{len(wanted)} MLPs drawn, {refused} of them refused by ONNX Runtime and left out")
    if wanted:
        suite.check("refused", refused <= len(wanted) // 20, f"ONNX Runtime refuses {refused} of {len(wanted)}")
    for seed in wanted[::TRAIN_EVERY]:
        suite.guarded(f"seed-{seed}", learned, seed)
    suite.guarded("ops", complete)


def written(suite, case, seed):
    """(the model's file, the input's dims, what it is, trained tensors' names)"""
    model, dims, words, trained = build(seed)
    source = suite.path(case, "m.onnx")
    if seed % 7 == 3 and model.ir_version > 3 and not model.graph.sparse_initializer:
        words += " external" if seed % 2 else " shards"
        onnx.save_model(model, source, save_as_external_data=True, all_tensors_to_one_file=bool(seed % 2),
                        location="m.data" if seed % 2 else None, size_threshold=LEAST_OUTSIDE)
    else:
        source.write_bytes(model.SerializeToString())
    return source, dims, words, trained


def judged(source, x):
    """What ONNX Runtime gives, or ONNX's own evaluator where the opset is too new for it."""
    try:
        return infer(source, x)
    except Exception:  # onnxruntime has its own classes, none of them public
        model = onnx.load(source)
        if model.opset_import[0].version < RELEASED:
            raise
        return ReferenceEvaluator(model).run(None, {"input": x.astype(np.float32)})[0]


def one(suite, seed):
    """[(case, whether it is right, why not)], or None where ONNX Runtime does not take the net."""
    case = f"seed-{seed}"
    source, dims, words, _ = written(suite, case, seed)
    x = np.random.default_rng(1000 + seed).standard_normal((int(seed % 13) + 1, *dims)).astype(np.float32)
    np.save(source.with_name("x.npy"), x)
    try:
        wanted = judged(source, x)
    except Exception:
        return None
    found = [predicted(suite, f"{case} [{words}]", source, wanted, backend)
             for backend in ("cpu", "reference") if backend == "cpu" or seed % REFERENCE_EVERY == 0]
    if seed % KEPT_EVERY == 1 and "BatchNormalization" not in words:
        found.append(kept(suite, f"{case} [{words}]", source, wanted))
    return found


def kept(suite, case, source, wanted):
    """A step of rate 0: every byte of the model and of its data files."""
    y, out = source.with_name("t.npy"), source.parent / "kept" / "m.onnx"
    out.parent.mkdir()
    np.save(y, np.full(wanted.shape, 0.5, np.float32))
    try:
        suite.tonnx("train", source, "--data", source.with_name("x.npy"), "--target", y, "--loss", "mse", "-o", out,
                    "--steps", 1, "--optimizer", "sgd", "--lr", 0)
    except Failed as error:
        return case, False, str(error)
    files = {source.parent / entry.value for tensor in onnx.load(source, load_external_data=False).graph.initializer
             for entry in tensor.external_data if entry.key == "location"} | {source}
    changed = [f.name for f in files if f.read_bytes() != out.with_name(f.name).read_bytes()]
    return case, not changed, f"a step of rate 0 changes {' '.join(changed)}"


def predicted(suite, case, source, wanted, backend):
    out = source.with_name(f"{backend}.npy")
    try:
        suite.tonnx("predict", source, "--data", source.with_name("x.npy"), "-o", out, "--backend", backend)
    except Failed as error:
        return case, False, str(error)
    good, gap = worst(np.load(out), wanted, 1e-5, 1e-4)
    return f"{case} ({backend})", good, f"off by {gap:.2e} from ONNX Runtime"


def learned(suite, case, seed):
    source, dims, words, trained = written(suite, case, seed)
    learns(suite, f"{case} [{words}]", source, dims, trained)


def learns(suite, case, source, dims, trained):
    """Three steps on each backend: the same tensors, and a file that ONNX Runtime runs as tonnx does."""
    random, x, y = np.random.default_rng(5), source.with_name("train-x.npy"), source.with_name("train-y.npy")
    points, classes = random.standard_normal((24, *dims)).astype(np.float32), judged(source, np.zeros((2, *dims))).shape[1]
    np.save(x, points)
    np.save(y, random.random((24, classes)).astype(np.float32))
    results = {}
    for backend in ("cpu", "reference"):
        results[backend] = source.with_name(f"{backend}.onnx")
        suite.tonnx("train", source, "--data", x, "--target", y, "-o", results[backend], "--backend", backend, "--loss",
                    "mse", "--optimizer", "sgd", "--lr", 0.001, "--batch", 8, "--steps", 3, "--dropout", "off", "--no-shuffle")
    one, other = onnx.load(results["cpu"]), onnx.load(results["reference"])
    for name in trained:
        good, gap = worst(tensor_of(one, name), tensor_of(other, name), 1e-5, 1e-4)
        suite.check(case, good, f"after training, {name} differs by {gap:.2e} between cpu and reference")
    out = source.with_name("trained.npy")
    suite.tonnx("predict", results["cpu"], "--data", x, "-o", out)
    good, gap = worst(np.load(out), judged(results["cpu"], points), 1e-4, 1e-4)
    suite.check(case, good, f"the trained file differs by {gap:.2e} between tonnx and ONNX Runtime")


def complete(suite, case):
    """Every ONNX op that the op book lists is drawn above."""
    words = {word.strip("|,;()") for word in suite.tonnx("ops").stdout.split()}
    known = set(ACTIVATIONS)
    ops = {schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == ""}
    shapes = {"Gemm", "MatMul", "Add", "BatchNormalization", "Softmax", "LogSoftmax", "Flatten", "Reshape", "Dropout",
              "Identity", "Constant"}
    missing = sorted(word for word in words & ops - known - shapes)
    suite.check(case, not missing, f"tonnx ops lists {', '.join(missing)}; random_mlps.py does not draw it")
    suite.check(case, known - {"Clip"} <= words | {"Clip"}, f"tonnx ops lacks {', '.join(sorted(known - words))}")
