"""`--scale` goes into the written model: ONNX Runtime on raw features equals `tonnx predict`."""
import csv

import numpy as np

from common import worst
from peers import infer

FEATURES = 6
CASES = {"standard": "standard", "minmax": "minmax"}


def run(suite):
    for name, scale in CASES.items():
        suite.guarded(name, readback, scale)


def table(suite):
    """A CSV with header and text classes; features of very different sizes, one of them constant."""
    random, path = np.random.default_rng(11), suite.path("table.csv")
    x = random.standard_normal((240, FEATURES)) * [1, 50, 1e-3, 2e4, 3, 0] + [0, 300, 0.5, -1e5, 7, 4]
    label = np.where(x[:, 0] + (x[:, 1] - 300) / 50 > 0, "yes", np.where(x[:, 4] > 7, "maybe", "no"))
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([f"f{i}" for i in range(FEATURES)] + ["class"])
        writer.writerows([*(f"{v:.9g}" for v in row), word] for row, word in zip(x, label))
    return path, np.array([[float(f"{v:.9g}") for v in row] for row in x], dtype=np.float32)


def readback(suite, case, scale):
    path, x = table(suite)
    model, trained, out = suite.path(case, "m.onnx"), suite.path(case, "t.onnx"), suite.path(case, "p.npy")
    suite.tonnx("new", f"{FEATURES}-16-3", "-o", model, "--act", "tanh")
    suite.tonnx("train", model, "--data", path, "--target", "class", "--scale", scale, "-o", trained,
                "--epochs", 40, "--lr", 0.01, "--val-split", 0.2)
    features = suite.path(case, "x.npy")
    np.save(features, x)
    for source, tag in ((features, "npy"), (path, "csv")):
        extra = ["--target", "class"] if tag == "csv" else []
        suite.tonnx("predict", trained, "--data", source, "-o", out, *extra)
        got, wanted = np.load(out), infer(trained, x)
        good, gap = worst(got, wanted, 1e-4, 1e-4)
        suite.check(f"{case} ({tag})", good, f"ONNX Runtime on raw features differs by {gap:.2e}")
    suite.check(case, float(np.std(wanted)) > 1e-3, "the outputs hardly vary: the scaling is lost")
    hits = np.argmax(wanted, axis=1)
    suite.check(case, len(set(hits.tolist())) > 1, "one class for every row: the scaling is wrong")
