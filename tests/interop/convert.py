"""Weights in other people's files: NumPy reads what tonnx writes and writes what tonnx reads, bit for bit.

Every case's model goes out as .npz and .safetensors, whose arrays are the initializers' bits, and back into itself, which
gives the file again. A safetensors header is taken apart here, by its specification. Weights that NumPy saved, in any of
its orders, make a new model that ONNX Runtime computes as the formula says.
"""
import json

import numpy as np
import onnx
from onnx import numpy_helper

from common import cases, excluded
from peers import infer


def run(suite):
    out = excluded("excluded_exports.txt")
    for folder in cases("exports", "expected.npy"):
        if folder.name not in out:
            suite.guarded(folder.name, there_and_back, folder)
    for kind in ("C", "F"):
        suite.guarded(f"new-{kind}", new_model, kind)
    suite.guarded("predictions", predictions)


def initializers(path):
    tensors = onnx.load(path).graph.initializer
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in tensors
            if tensor.data_type != onnx.TensorProto.STRING}


def read_safetensors(path):
    bytes_of = path.read_bytes()
    end = 8 + int.from_bytes(bytes_of[:8], "little")
    entries = json.loads(bytes_of[8:end])
    return {name: (entry["dtype"], entry["shape"], bytes_of[end + entry["data_offsets"][0]:end + entry["data_offsets"][1]])
            for name, entry in entries.items()}


def there_and_back(suite, case, folder):
    model = folder / "model.onnx"
    wanted = initializers(model)
    if not wanted:
        return
    npz, tensors, back = (suite.path(case, name) for name in ("w.npz", "w.safetensors", "back.onnx"))
    suite.tonnx("convert", model, npz)
    suite.tonnx("convert", npz, tensors)
    arrays, entries = np.load(npz), read_safetensors(tensors)
    suite.check(case, sorted(arrays) == sorted(wanted) == sorted(entries), "other names")
    for name, array in wanted.items():
        suite.check(case, arrays[name].shape == array.shape and arrays[name].tobytes() == array.tobytes(), f"npz: {name}")
        dtype, shape, bits = entries[name]
        suite.check(case, shape == list(array.shape) and bits == array.tobytes(), f"safetensors: {name} ({dtype})")
    if not (folder / "model.onnx.data").exists():
        suite.tonnx("convert", tensors, "--model", model, back)
        suite.check(case, back.read_bytes() == model.read_bytes(), "back into the model: other bytes")


def new_model(suite, case, order):
    random = np.random.default_rng(7)
    weights = [random.standard_normal(shape).astype(np.float32) for shape in ((5, 8), (8, 3))]
    biases = [random.standard_normal(width).astype(np.float32) for width in (8, 3)]
    x = random.standard_normal((4, 5)).astype(np.float32)
    arrays = {f"dense_{i}/kernel:0": np.asarray(w.astype(">f4"), order=order) for i, w in enumerate(weights)}
    arrays |= {f"dense_{i}/bias:0": b for i, b in enumerate(biases)}
    saved, model = suite.path(case, "keras.npz"), suite.path(case, "new.onnx")
    np.savez_compressed(saved, **{name: array.astype(np.float32) if name.endswith("bias:0") else array
                                  for name, array in arrays.items()})
    suite.tonnx("convert", saved, "--act", "tanh", model)
    onnx.checker.check_model(str(model), full_check=True)
    wanted = np.tanh(x.astype(np.float64) @ weights[0] + biases[0]) @ weights[1] + biases[1]
    suite.check(case, np.allclose(infer(model, x), wanted, rtol=1e-5, atol=1e-5), "other outputs than the formula's")


def predictions(suite, case):
    random = np.random.default_rng(8)
    model, data, out = suite.path(case, "m.onnx"), suite.path(case, "data.npz"), suite.path(case, "p.npz")
    x = random.standard_normal((30, 6)).astype(np.float32)
    np.savez(data, features=x, target=random.integers(0, 3, 30))
    suite.tonnx("new", "6-9-3", "-o", model)
    suite.tonnx("predict", model, "--data", data, "--x-key", "features", "-o", out)
    suite.check(case, np.allclose(np.load(out)["y"], infer(model, x), rtol=1e-5, atol=1e-6), "other outputs")
    done = suite.tonnx("eval", model, "--data", data, "--x-key", "features", "--y-key", "target", "--json")
    suite.check(case, json.loads(done.stdout)["samples"] == 30, done.stdout)
