"""--dynamic-batch: exports of a fixed batch become files that ONNX Runtime takes with any.

Every export with a fixed batch, and nets whose nodes hold it: a Reshape and an Expand, which are refused.
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
    for name, (make, good) in HELD.items():
        suite.guarded(name, held, make, good)


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
    trained = onnx.load(str(out))
    onnx.checker.check_model(trained, full_check=True)
    dims = [v.type.tensor_type.shape.dim[0].dim_param for v in [trained.graph.input[0], *trained.graph.output]]
    suite.check(case, set(dims) == {"batch"}, f"declared for {dims}")
    suite.tonnx("predict", out, "--data", x, "-o", suite.path(case, "p.npy"))
    for rows in (7, 1):
        good, gap = worst(np.load(suite.path(case, "p.npy"))[:rows], infer(out, np.load(x)[:rows]), 1e-5, 1e-4)
        suite.check(case, good, f"{rows} rows: ONNX Runtime is off by {gap:.2e}")


def reshaped(rows):
    return [helper.make_node("Reshape", ["x", "shape"], ["r"], "flat"), helper.make_node("Gemm", ["r", "w"], ["y"])], [rows, IN]


def expanded(rows):
    """The mean of a row, as wide as the row: of the norm that some exporters spell out."""
    return [helper.make_node("ReduceMean", ["x"], ["m"], axes=[1]), helper.make_node("Expand", ["m", "shape"], ["e"], "wide"),
            helper.make_node("Sub", ["x", "e"], ["c"]), helper.make_node("Mul", ["c", "c"], ["s"]),
            helper.make_node("ReduceMean", ["s"], ["v"], axes=[1]), helper.make_node("Add", ["v", "tiny"], ["t"]),
            helper.make_node("Sqrt", ["t"], ["d"]), helper.make_node("Div", ["c", "d"], ["n"]),
            helper.make_node("Gemm", ["n", "w"], ["y"])], [rows, IN]


HELD = {
    "reshape-held": (lambda: reshaped(BATCH), False),
    "reshape-open": (lambda: reshaped(-1), True),
    "expand-held": (lambda: expanded(BATCH), False),
    "expand-open": (lambda: expanded(1), True),
}


def held(suite, case, make, good):
    nodes, shape = make()
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [BATCH, IN])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [BATCH, OUT])],
                              [numpy_helper.from_array(RANDOM.standard_normal((IN, OUT)).astype(np.float32), "w"),
                               numpy_helper.from_array(np.array(shape, np.int64), "shape"),
                               numpy_helper.from_array(np.array(1e-5, np.float32), "tiny")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    path = suite.path(case, "in", "net.onnx")
    onnx.save(model, str(path))
    if good:
        opened(suite, case, path)
        return
    _, _, done = train(suite, case, path)
    suite.check(case, done.returncode == 0, f"is not trained at all: {last_line(done.stderr)}")
    _, _, done = train(suite, case, path, "--dynamic-batch")
    suite.check(case, done.returncode == 3 and f"node '{nodes[0 if case[0] == 'r' else 1].name}'" in done.stderr,
                f"exit {done.returncode}: {last_line(done.stderr)}")
