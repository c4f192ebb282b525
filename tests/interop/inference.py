"""Outputs: `tonnx predict` beside ONNX Runtime.

The files that tonnx trained itself are run by ONNX Runtime here (1e-4). `export` is for exports.py: an exporter's file
with an input and the output that ONNX Runtime gave (1e-5 + 1e-4·|expected|).
"""
import numpy as np

from common import cases, excluded, load_json, worst
from peers import infer

TRAIN = "excluded_train.txt"


def run(suite):
    out = excluded(TRAIN)
    for folder in cases("train", "losses.npy"):
        if folder.name not in out:
            suite.guarded(folder.name, trained, folder)


def export(suite, case, folder):
    about, wanted = load_json(folder / "case.json"), np.load(folder / "expected.npy")
    if "tolerance" in about:
        absolute, relative = about["tolerance"], about["tolerance"]
    else:
        absolute, relative = 1e-5, 1e-4
    for backend in ("cpu", "reference"):
        out = suite.path(case, f"{backend}.npy")
        suite.tonnx("predict", folder / "model.onnx", "--data", folder / "input.npy", "--output", about["output"], "-o", out,
                    "--backend", backend)
        got = np.load(out)
        good, gap = worst(got, wanted, absolute, relative)
        good = good and got.shape == wanted.shape
        suite.check(f"{case} ({backend})", good, f"{got.shape} against {wanted.shape}: off by {gap:.2e}")


def trained(suite, case, folder):
    model, out = suite.path(case, "trained.onnx"), suite.path(case, "pred.npy")
    suite.tonnx("train", folder / "model.onnx", "--data", folder / "x.npy", "--target", folder / "y.npy", "-o", model,
                "--backend", "cpu", *load_json(folder / "args.json"))
    suite.tonnx("predict", model, "--data", folder / "x_test.npy", "-o", out)
    x = np.load(folder / "x_test.npy")
    x = x.astype(np.float32) / np.float32(255) if x.dtype == np.uint8 else x
    good, gap = worst(np.load(out), infer(model, x, load_json(folder / "case.json")["output"]), 1e-4, 1e-4)
    suite.check(case, good, f"the trained file: tonnx and ONNX Runtime differ by {gap:.2e}")
