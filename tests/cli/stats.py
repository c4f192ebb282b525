#!/usr/bin/env python3
"""inspect --json on data against PyTorch in double: every layer's mean, std, saturation and dead units, every weight's
gradient, the loss and its baselines.

usage: stats.py TONNX DATA

DATA holds NAME.json beside NAME/{model.onnx,x.npy,y.npy}. Everything agrees within 0.1 %, for any number of threads and
any batch, which change no bit and next to nothing.
"""
import json
import math
import pathlib
import subprocess
import sys

TOLERANCE = 1e-3


def inspect(tonnx, folder, *options):
    words = [tonnx, "inspect", folder / "model.onnx", "--data", folder / "x.npy", "--target", folder / "y.npy", "--json"]
    return json.loads(subprocess.run([*words, *options, "--quiet"], stdout=subprocess.PIPE, check=True).stdout)


def pairs(said, torch):
    """(what, ours, PyTorch's) for all that both say."""
    data = said["data"]
    yield "loss", data["loss"], torch["loss"]
    yield "baseline", data["baseline_loss"], torch["baseline_ln_k"]
    yield "class entropy", data["share_loss"], torch["baseline_class_entropy"]
    yield "gradient norm", data["grad_norm"], torch["grad_norm_all"]
    layers = iter(data["activations"])
    for module in torch["layers"]:
        name = module["module"]
        if module["type"] == "Linear":
            here = next(layers)
            yield name + " mean", here["before_mean"], module["mean"]
            yield name + " std", here["before_std"], module["std"]
            continue
        for key in "mean", "std", "min", "max":
            yield f"{name} {key}", here[key], module[key]
        for key, theirs in (("saturated", "saturated"), ("zero", "zeros"), ("dead_units", "dead_units"),
                            ("saturated_units", "units_always_saturated")):
            if theirs in module:
                yield f"{name} {key}", here[key], module[theirs]
        yield name + " histogram", sum(here["histogram"]), here["units"] * torch["samples"]
    yield "layers left", len(list(layers)), 0
    gradients = {gradient["weight"]: gradient for gradient in data["gradients"]}
    for theirs in torch["gradients"]:
        ours = gradients[theirs["weight"]]
        yield theirs["weight"] + " gradient", ours["rms"], theirs["grad_rms"]
        yield theirs["weight"] + " rms", ours["weight_rms"], theirs["weight_rms"]
        yield theirs["weight"] + " largest", max(-ours["min"], ours["max"]), theirs["grad_max_abs"]


def failures(tonnx, path):
    torch, folder = json.loads(path.read_text()), path.with_suffix("")
    said = inspect(tonnx, folder)
    for what, ours, theirs in pairs(said, torch):
        if not math.isclose(ours, theirs, rel_tol=TOLERANCE, abs_tol=1e-12):
            yield f"{folder.name}: {what} {ours}, PyTorch {theirs}"
    if inspect(tonnx, folder, "--threads", "3") != said:
        yield f"{folder.name}: threads change the numbers"
    for what, ours, theirs in pairs(inspect(tonnx, folder, "--batch", "31", "--backend", "reference"), torch):
        if not math.isclose(ours, theirs, rel_tol=1e-4, abs_tol=1e-12):
            yield f"{folder.name}: reference, batches of 31: {what} {ours}, PyTorch {theirs}"


def main():
    tonnx, data = sys.argv[1], pathlib.Path(sys.argv[2])
    paths = sorted(data.glob("*.json"))
    found = [line for path in paths for line in failures(tonnx, path)]
    print("\n".join(found) or f"{len(paths)} nets as PyTorch has them")
    return 1 if found or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
