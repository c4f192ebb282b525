#!/usr/bin/env python3
"""README's table of producers is what tests/data/exports holds, less what the reader refuses.

usage: producers.py EXPORTS REFUSED README      checks
       producers.py EXPORTS REFUSED             prints the table

That the other files are predicted, described, trained and written as they should be is what tests/interop/exports.py
checks, file by file.
"""
import json
import pathlib
import sys

# what case.json calls a producer → what its users do
CALLS = {
    "torch-torchscript": ("PyTorch", "`torch.onnx.export(…, dynamo=False)`"),
    "torch-dynamo": ("PyTorch", "`torch.onnx.export(…, dynamo=True)`"),
    "keras-torch": ("Keras on PyTorch", "`model.export(…, format=\"onnx\")`"),
    "keras-jax": ("Keras on JAX", "`model.export(…, format=\"onnx\")`"),
    "keras-tf": ("Keras on TensorFlow", "`model.export(…, format=\"onnx\")`"),
    "tf2onnx": ("TensorFlow", "`tf2onnx.convert`"),
    "jax2onnx": ("JAX, Flax", "`jax2onnx.to_onnx`"),
    "skl2onnx": ("scikit-learn", "`skl2onnx.to_onnx` of MLPs and pipelines"),
    "hand": ("by hand", "`onnx.helper`, forms that exporters have written at some time"),
}
# kinds of layers in the table's words, in its order; the rest go without saying
KINDS = {"batchnorm": "batch norm", "layernorm": "layer norm", "rmsnorm": "RMS norm", "swiglu": "SwiGLU", "dropout": "dropout",
         "add": "residuals", "concat": "concat", "concatenate": "concat", "flatten": "flatten", "affine": "affine"}
# activations that case.json calls by another name, "" where it does not say which one
NAMES = {"gelu_erf": "gelu", "softmax_v2": "softmax", "hard_silu": "hard_swish", "leakyrelu": "leaky_relu", "activation": "",
         "none": "", "linear": ""}


def refused(path):
    return {line.split()[0] for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and line[0] != "#"}


def row(producer, cases, out):
    name, call = CALLS[producer]
    opsets = sorted({about["opset"] for about in cases.values()})
    layers = [layer for about in cases.values() for layer in about["layers"]]
    acts = {layer.get("activation", "none").split(":")[0].lower().replace("-", "_") for layer in layers}
    acts = {NAMES.get(act, act) for act in acts} - {""}
    found = {word for kind, word in KINDS.items() if any(layer["kind"] == kind for layer in layers)}
    words = [f"{len(acts)} activations", *[w for w in dict.fromkeys(KINDS.values()) if w in found]]
    span = f"{opsets[0]}–{opsets[-1]}" if len(opsets) > 1 else str(opsets[0])
    return f"| {name} | {call} | {span} | {', '.join(words)} | {len(cases.keys() - out)} of {len(cases)} |"


def table(exports, out):
    cases = {}
    for path in sorted(exports.glob("*/case.json")):
        about = json.loads(path.read_text(encoding="utf-8"))
        cases.setdefault(about["producer"], {})[path.parent.name] = about
    lines = ["| producer | by | opsets | dense layers, and | files read |", "|---|---|---|---|---|"]
    return lines + [row(producer, cases[producer], out) for producer in CALLS]


def main():
    exports, out = pathlib.Path(sys.argv[1]), refused(pathlib.Path(sys.argv[2]))
    lines = table(exports, out)
    if len(sys.argv) < 4:
        print("\n".join(lines))
        return 0
    text = pathlib.Path(sys.argv[3]).read_text(encoding="utf-8")
    missing = [line for line in lines if line not in text.splitlines()]
    for line in missing:
        print(f"README lacks: {line}")
    print(f"{len(lines) - 2} producers, {len(missing)} lines differ")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
