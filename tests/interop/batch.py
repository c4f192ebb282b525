"""--dynamic-batch: exports of a fixed batch become files that ONNX Runtime takes with any.

Every export with a fixed batch; nets whose nodes hold it, which are refused by the node's name; and such whose declarations within
the graph would hold it.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from common import cases, last_line, worst
from peers import infer

RANDOM = np.random.default_rng(7)
BATCH, IN, OUT = 4, 6, 3


def run(suite):
    for folder in cases("exports", "expected.npy"):
        if fixed_batch(onnx.load(str(folder / "model.onnx"), load_external_data=False)):
            suite.guarded(folder.name, opened, folder / "model.onnx")
    for name, (make, numbers, holder) in HELD.items():
        suite.guarded(name, held, make, numbers, holder)


def fixed_batch(model):
    own = {t.name for t in model.graph.initializer}
    dims = next(i for i in model.graph.input if i.name not in own).type.tensor_type.shape.dim
    return dims[0].dim_value if dims else 0


def train(suite, case, model, *options):
    shape = [d.dim_value for d in onnx.load(str(model), load_external_data=False).graph.input[0].type.tensor_type.shape.dim]
    outputs = infer(model, np.zeros((fixed_batch(onnx.load(str(model))), *shape[1:]), np.float32)).shape[1:]
    x, y, out = suite.path(case, "x.npy"), suite.path(case, "y.npy"), suite.path(case, "out.onnx")
    np.save(x, RANDOM.standard_normal((7, *shape[1:])).astype(np.float32))
    np.save(y, RANDOM.standard_normal((7, *outputs)).astype(np.float32))
    return x, out, suite.run("train", model, "--data", x, "--target", y, "--loss", "mse", "--steps", 2, "--batch", 5, "-o", out,
                             *options)


def opened(suite, case, model):
    x, out, done = train(suite, case, model)
    suite.check(case, done.returncode == 0 and fixed_batch(onnx.load(str(out))), "without the option the batch is no longer fixed")
    x, out, done = train(suite, case, model, "--dynamic-batch")
    if not suite.check(case, done.returncode == 0, last_line(done.stderr)):
        return
    suite.check(case, "output 'y' is declared for any batch too" not in done.stderr, "takes the net's output for another")
    trained = onnx.load(str(out))
    onnx.checker.check_model(trained, full_check=True)
    dims = [v.type.tensor_type.shape.dim[0] for v in [trained.graph.input[0], *trained.graph.output]]
    suite.check(case, dims[0].dim_param == dims[1].dim_param == "batch" and not any(d.dim_value for d in dims), f"declared for {dims}")
    suite.tonnx("predict", out, "--data", x, "-o", suite.path(case, "p.npy"))
    for rows in (7, 1):
        good, gap = worst(np.load(suite.path(case, "p.npy"))[:rows], infer(out, np.load(x)[:rows]), 1e-5, 1e-4)
        suite.check(case, good, f"{rows} rows: ONNX Runtime is off by {gap:.2e}")


def gemm(*more, source="x"):
    return [helper.make_node("Gemm", [source, "w"], ["y"]), *more]


def reshaped(rows):
    return [helper.make_node("Reshape", ["x", "shape"], ["r"], "flat"), *gemm(source="r")], [rows, IN]


def expanded(rows):
    """The mean of a row, as wide as the row: of the norm that some exporters spell out."""
    return [helper.make_node("ReduceMean", ["x"], ["m"], axes=[1]), helper.make_node("Expand", ["m", "shape"], ["e"], "wide"),
            helper.make_node("Sub", ["x", "e"], ["c"]), helper.make_node("Mul", ["c", "c"], ["s"]),
            helper.make_node("ReduceMean", ["s"], ["v"], axes=[1]), helper.make_node("Add", ["v", "tiny"], ["t"]),
            helper.make_node("Sqrt", ["t"], ["d"]), helper.make_node("Div", ["c", "d"], ["n"]), *gemm(source="n")], [rows, IN]


def second_output(shape):
    """Its shape is a Constant that the net does not need."""
    numbers = numpy_helper.from_array(np.array(shape, np.int64))
    return gemm(helper.make_node("Constant", [], ["own"], value=numbers), helper.make_node("Reshape", ["y", "own"], ["z"], "side")), [0]


def tail(shape):
    return gemm(helper.make_node("ArgMax", ["y"], ["label"], axis=1), helper.make_node("Reshape", ["label", "shape"], ["z"], "side")), shape


def turned(_):
    """A value [features, batch] whose declaration onnxruntime would take for the truth."""
    return [helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0]), helper.make_node("Gemm", ["t", "w"], ["g"], transA=1),
            helper.make_node("Shape", ["t"], ["s"]), helper.make_node("Gather", ["s", "one"], ["rows"]),
            helper.make_node("Concat", ["rows", "rest"], ["new"], axis=0), helper.make_node("Reshape", ["g", "new"], ["y"])], [0]


HELD = {  # the nodes and the numbers of `shape`; the node that holds the batch
    "reshape-held": (reshaped, BATCH, "flat"),
    "reshape-open": (reshaped, -1, None),
    "expand-held": (expanded, BATCH, "wide"),
    "expand-open": (expanded, 1, None),
    "second-output-held": (second_output, [BATCH, 1, OUT], "side"),
    "second-output-held-whole": (second_output, [2, BATCH * OUT // 2], "side"),
    "second-output-open": (second_output, [-1, 1, OUT], None),
    "tail-held": (tail, [1, BATCH], "side"),
    "tail-open": (tail, [-1], None),
    "turned": (turned, 0, None),
}


def held_model(nodes, shape):
    values = {"y": TensorProto.FLOAT, "z": TensorProto.INT64 if any(n.op_type == "ArgMax" for n in nodes) else TensorProto.FLOAT}
    names = [name for name in values if any(name in n.output for n in nodes)]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [BATCH, IN])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [BATCH, OUT]),
                               *(helper.make_tensor_value_info(name, values[name], None) for name in names[1:])],
                              [numpy_helper.from_array(RANDOM.standard_normal((IN, OUT)).astype(np.float32), "w"),
                               numpy_helper.from_array(np.array(shape, np.int64), "shape"),
                               numpy_helper.from_array(np.array(1e-5, np.float32), "tiny"),
                               numpy_helper.from_array(np.array([1], np.int64), "one"),
                               numpy_helper.from_array(np.array([-1], np.int64), "rest")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return onnx.shape_inference.infer_shapes(model)


def held(suite, case, make, numbers, holder):
    path = suite.path(case, "in", "net.onnx")
    onnx.save(held_model(*make(numbers)), str(path))
    if not holder:
        opened(suite, case, path)
        return
    _, _, done = train(suite, case, path)
    suite.check(case, done.returncode == 0, f"is not trained at all: {last_line(done.stderr)}")
    _, _, done = train(suite, case, path, "--dynamic-batch")
    suite.check(case, done.returncode == 3 and f"node '{holder}'" in done.stderr, f"exit {done.returncode}: {last_line(done.stderr)}")
