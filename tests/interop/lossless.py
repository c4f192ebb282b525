"""Writing changes nothing but what was trained.

`train --lr 0 --steps 1` gives the file back byte for byte (without batch norm, whose running statistics move anyway).
After a real step all bytes outside the payloads of trained tensors and running statistics are the same, onnx's checker
accepts the file, and tensors did move. Which tensors may move is what the case lists as trainable, and also_trained.txt.
"""
import numpy as np
import onnx

from common import Failed, cases, excluded, load_json, ops_of, tensor_of
from wire import outside


def run(suite):
    out = excluded("excluded_train.txt")
    for folder in cases("train", "losses.npy"):
        if folder.name not in out:
            suite.guarded(folder.name, kept, folder, *train_data(suite, folder))


def train_data(suite, folder):
    """(x, y, options); bytes are scaled here, since a scaling would be written into the file."""
    x = np.load(folder / "x.npy")
    if x.dtype == np.uint8:
        np.save(suite.path(folder.name, "x.npy"), x.astype(np.float32) / np.float32(255))
        return suite.path(folder.name, "x.npy"), folder / "y.npy", ["--loss", load_json(folder / "case.json")["loss"]]
    return folder / "x.npy", folder / "y.npy", ["--loss", load_json(folder / "case.json")["loss"]]


def export_data(suite, folder):
    """The case's input with targets that suit its output: classes, 0/1 for a sigmoid, else numbers."""
    about, expected = load_json(folder / "case.json"), np.load(folder / "expected.npy")
    random, target = np.random.default_rng(1), suite.path(folder.name, "y.npy")
    producer = {name: node.op_type for node in onnx.load(folder / "model.onnx", load_external_data=False).graph.node
                for name in node.output}
    if producer.get(about["output"]) == "Sigmoid":
        np.save(target, (random.random(expected.shape) < 0.5).astype(np.float32))
        loss = "bce"
    elif expected.ndim == 2 and expected.shape[1] > 1:
        np.save(target, random.integers(0, expected.shape[1], expected.shape[0]))
        loss = "nll" if producer.get(about["output"]) == "LogSoftmax" else "cross-entropy"
    else:
        np.save(target, random.standard_normal(expected.shape).astype(np.float32))
        loss = "mse"
    return folder / "input.npy", target, ["--loss", loss, "--output", about["output"], "--batch", str(len(expected))]


def kept(suite, case, folder, x, y, options):
    source = folder / "model.onnx"
    common = ["--data", x, "--target", y, *options, "--no-shuffle", "--steps", 1]
    if not normalises(source, folder):
        still = suite.path(case, "still", source.name)
        suite.tonnx("train", source, "-o", still, "--lr", 0, *common)
        suite.check(case, all((still.parent / file.name).read_bytes() == file.read_bytes()
                              for file in [source, *data_files(source)]), "train --lr 0 --steps 1 wrote other bytes")
    moved = suite.path(case, "moved", source.name)
    suite.tonnx("train", source, "-o", moved, "--optimizer", "sgd", "--lr", 0.05, *common)
    checker(suite, case, source, moved)
    if not merged(onnx.load(source)):
        only_payloads(suite, case, source, moved, load_json(folder / "case.json")["trainable"])


def normalises(source, folder):
    """Whether running statistics move even at a rate of 0: a batch norm, also one that is spelled out."""
    spelled = "Sqrt" in ops_of(source) and '"batchnorm"' in (folder / "case.json").read_text()
    return spelled or "BatchNormalization" in ops_of(source)


def checker(suite, case, source, moved):
    try:
        onnx.checker.check_model(str(source), full_check=True)
        full = True
    except Exception:  # some exporters' own files do not pass the strictest check
        full = False
    try:
        onnx.checker.check_model(str(moved), full_check=full)
        suite.check(case, True)
    except Exception as error:
        suite.check(case, False, f"onnx.checker: {str(error).splitlines()[0]}")


def merged(model):
    """Whether parameters share an initializer (an exporter's merge is un-shared for training, so the structure changes)."""
    uses, source = {}, {}
    for node in model.graph.node:
        for name in node.input:
            root = source.get(name, name)
            if node.op_type == "Identity":
                source[node.output[0]] = root
            else:
                uses[root] = uses.get(root, 0) + 1
    return any(uses.get(tensor.name, 0) > 1 for tensor in model.graph.initializer)


def moves_besides(model):
    """Names of running means and variances, and of PReLU's slopes, which the cases do not always list."""
    takes = {"BatchNormalization": slice(3, 5), "PRelu": slice(1, 2)}
    return {name for node in model.graph.node if node.op_type in takes for name in node.input[takes[node.op_type]]}


def only_payloads(suite, case, source, moved, trainable):
    before, after = source.read_bytes(), moved.read_bytes()
    model, trained = onnx.load(source), onnx.load(moved)
    names = set(trainable) | moves_besides(model) | set(excluded("also_trained.txt").get(case, "").split())
    if not suite.check(case, outside(before, names) == outside(after, names),
                       f"bytes outside the payloads differ: {difference(before, after)}"):
        return
    for file in data_files(source):
        suite.check(case, outside_ranges(source, file, names) == outside_ranges(source, moved.parent / file.name, names),
                    f"{file.name}: bytes that belong to no trained tensor differ")
    moving = [name for name in trainable if not np.array_equal(value(model, name), value(trained, name))]
    suite.check(case, moving, "no trainable tensor moved")


def external(source):
    """{initializer: {"location": …, "offset": …, "length": …}} of those whose elements lie beside the model."""
    model = onnx.load(source, load_external_data=False)
    return {tensor.name: {entry.key: entry.value for entry in tensor.external_data}
            for tensor in model.graph.initializer if tensor.data_location == onnx.TensorProto.EXTERNAL}


def data_files(source):
    return sorted({source.parent / entry["location"] for entry in external(source).values()})


def outside_ranges(source, file, names):
    """The bytes of a data file with those of the named tensors zeroed."""
    data = bytearray(file.read_bytes())
    for name, entry in external(source).items():
        if name in names and entry["location"] == file.name:
            start, length = int(entry.get("offset", 0)), int(entry["length"])
            data[start:start + length] = bytes(length)
    return bytes(data)


def value(model, name):
    try:
        return tensor_of(model, name)
    except KeyError as error:
        raise Failed(str(error)) from error


def difference(before, after):
    at = next((i for i, (a, b) in enumerate(zip(before, after)) if a != b), min(len(before), len(after)))
    return f"{len(before)} and {len(after)} bytes, first at {at}"
