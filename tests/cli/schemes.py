#!/usr/bin/env python3
"""inspect --json names where weights come from: exporters' fresh models as what their frameworks draw, every scheme of
`tonnx new`, and what was trained.

usage: schemes.py TONNX DATA
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

# what each dense layer's weight and bias were drawn by
FRESH = {
    "train/sgd-tanh-ce": ("torch-default", "torch-default"),
    "train/bn-after-linear-fresh": ("torch-default", "torch-default"),
    "exports/mnist-784-128-10-ts17": ("torch-default", "torch-default"),
    "exports/ktorch-fresh-zero-bias": ("glorot-uniform", "zeros"),
    "stats/relu-default-5": ("torch-default", "torch-default"),
    "stats/selu-lecun-12": ("lecun-normal", "zeros"),
    "stats/fashion-tanh-all-normal": ("normal:1", "normal:1"),
}
# the default of a framework's dense layers, and the share of all the exports' weights that must be named so: a few
# exporters fold a batch norm into the layer before it
DEFAULTS = [("glorot-uniform", 1.0, r"k(jax|tf|torch)-"), ("torch-default", 0.95, r".*-(ts|dynamo)\d+$")]
DRAWN = ["glorot-uniform", "glorot-normal", "he-uniform", "he-normal", "lecun-uniform", "lecun-normal", "torch-default",
         "orthogonal", "zeros", "ones", "constant:0.5", "normal:0.02", "uniform:0.05"]


def run(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout


def dense(tonnx, model):
    said = json.loads(run(tonnx, "inspect", model, "--json", "--quiet"))
    return [layer for layer in said["layers"] if layer["kind"] == "dense"]


def wrong_fresh(tonnx, data):
    for name, (weight, bias) in FRESH.items():
        for layer in dense(tonnx, data / name / "model.onnx"):
            if layer["scheme"] != weight or layer["bias"]["scheme"] != bias or abs(layer["scheme_z"]) > 4:
                yield f"{name} {layer['weight']}: {layer['scheme']}, bias {layer['bias']['scheme']}, z {layer['scheme_z']}"


def wrong_defaults(tonnx, data):
    for scheme, share, pattern in DEFAULTS:
        folders = [folder for folder in sorted(data.glob("exports/*")) if re.match(pattern, folder.name)]
        names = []
        for folder in folders:
            done = subprocess.run([tonnx, "inspect", folder / "model.onnx", "--json", "--quiet"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            names += [layer["scheme"] for layer in json.loads(done.stdout or '{"layers":[]}')["layers"]
                      if layer["kind"] == "dense"]
        named = names.count(scheme)
        print(f"{named} of {len(names)} weights of {len(folders)} exports are {scheme}")
        if not names or named < share * len(names):
            yield f"exports: {named} of {len(names)} are {scheme}"


def wrong_drawn(tonnx, folder):
    for scheme in DRAWN:
        run(tonnx, "new", "60-90-40", "--act", "tanh", "--init", scheme, "--seed", "5", "-o", folder / "m.onnx", "--quiet")
        names = {layer["scheme"] for layer in dense(tonnx, folder / "m.onnx")}
        if names != {scheme}:
            yield f"new --init {scheme}: {names}"


def wrong_trained(tonnx, data, folder):
    source = data / "train/fashion-784-64-10"
    run(tonnx, "train", source / "model.onnx", "--data", source / "x.npy", "--target", source / "y.npy", "--epochs", "20",
        "-o", folder / "t.onnx", "--quiet")
    for layer in dense(tonnx, folder / "t.onnx"):
        if layer["scheme"] != "trained" or layer["scheme_z"] is not None:
            yield f"trained {layer['weight']}: {layer['scheme']}"


def main():
    tonnx, data = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        wrong = [*wrong_fresh(tonnx, data), *wrong_defaults(tonnx, data), *wrong_drawn(tonnx, folder),
                 *wrong_trained(tonnx, data, folder)]
    print("\n".join(wrong) or "all named")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
