#!/usr/bin/env python3
"""Runs a lesson as a student would and checks the numbers that theory predicts, in what it said and what it left.

usage: lessons.py TONNX SCRIPT

Bands of losses are those of PyTorch 2.13 in the same run: 784-128-10, tanh, SGD 0.1, 1000 batches of 32 of Fashion-MNIST;
mean and standard deviation of the tenth hundred over 20 seeds, four deviations to either side.
"""
import json
import math
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

SKIPPED = 77
VECTORS = pathlib.Path(__file__).resolve().parents[1] / "data/init/torch.f32"
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
TORCH = {"normal": (0.991, 0.048), "near": (0.586, 0.020), "glorot": (0.485, 0.015)}


class Lesson:
    def __init__(self, tonnx, script, folder):
        self.folder, self.wrong = pathlib.Path(folder), []
        environment = dict(os.environ, TONNX_BIN=str(pathlib.Path(tonnx).resolve().parent), LESSONS=folder)
        done = subprocess.run(["sh", script], env=environment, capture_output=True, text=True, timeout=300)
        self.said = done.stdout
        self.expect("exit code", done.returncode, 0, 0)
        if done.returncode:
            self.wrong.append(done.stderr[-2000:])

    def expect(self, what, value, wanted, margin):
        if not abs(value - wanted) <= margin:
            self.wrong.append(f"{what}: {value:g}, theory says {wanted:g} ± {margin:g}")

    def within(self, what, value, low, high):
        if not low <= value <= high:
            self.wrong.append(f"{what}: {value:g}, theory says {low:g} to {high:g}")

    def numbers(self, key):
        """All numbers that were said under a key of JSON, in order."""
        return [float(n) for n in re.findall(rf'"{key}": ?([-+.e\d]+)', self.said)]

    def json(self, name):
        return json.loads((self.folder / name).read_text())

    def epochs(self, name):
        return [line["train_loss"] for line in map(json.loads, (self.folder / name).open()) if line["event"] == "epoch"]

    def band(self, what, loss, run):
        mean, deviation = TORCH[run]
        self.expect(what, loss, mean, 4 * deviation)


def variance(l):
    one, two, *scaled = l.numbers("std")[0], l.numbers("std")[2], *l.numbers("std")[3:]
    l.expect("deviation behind 10 products", one, math.sqrt(10), 0.2)  # 2000 weights: 4 deviations of 1.6 %
    l.expect("behind 200 more", two, math.sqrt(10 * 200), 3)
    for deviation in scaled:
        l.expect("behind weights of variance 1/fan_in", deviation, 1, 0.06)


def bad_start(l):
    before, after = l.numbers("loss")
    l.within("a bad start's loss", before, 3 * math.log(10), 25)
    l.expect("Glorot's loss", after, math.log(10), 0.4)
    for rule in ("init-activation-mismatch", "saturation", "logits-too-large", "initial-loss"):
        l.expect(f"{rule} fails", l.said.count(f"FAIL  {rule}"), 1, 0)
    l.expect("rules that hold after the cure", len(re.findall(r"(\d+) of \1 rules hold", l.said)), 1, 0)
    l.band("a bad start after 10 epochs", l.epochs("bad.jsonl")[-1], "normal")
    l.band("Glorot after 10 epochs", l.epochs("good.jsonl")[-1], "glorot")


def near_zero(l):
    l.expect("loss of logits near zero", l.numbers("loss")[0], math.log(10), 1e-5)
    l.band("after 10 epochs", l.epochs("near.jsonl")[-1], "near")
    l.within("the first epoch", l.epochs("near.jsonl")[0], 0, 1.3)


def saturation(l):
    hidden = l.numbers("saturated")[::2]  # every other one is the head's, which has no activation
    enters = math.atanh(0.99) / math.sqrt(785)
    l.expect("saturated on N(0,1)", hidden[0], 1 - math.erf(enters / math.sqrt(2)), 0.01)
    l.within("saturated on images", hidden[1], 0.7, 0.95)
    l.within("saturated after Glorot", hidden[2], 0, 0.01)


def tanh_level(gain):
    """Where a deep tanh net's signal settles: the deviation √q of the fixed point q = E[tanh²(gain √q z)], z ~ N(0,1)."""
    grid, level = [(i + 0.5) / 200 - 6 for i in range(2400)], 1.0
    for _ in range(200):
        level = sum(math.tanh(gain * math.sqrt(level) * z) ** 2 * math.exp(-z * z / 2) for z in grid) / 200 / math.sqrt(2 * math.pi)
    return math.sqrt(level)


def gain(l):
    deviations, largest = l.numbers("std"), l.numbers("max")
    gains = [1, 1, 5 / 3, math.sqrt(2), math.sqrt(2 / 1.04), 0.75]  # PyTorch's calculate_gain
    for i, wanted in enumerate(gains):
        l.expect(f"gain {i + 1}", 10 * deviations[i], wanted, 0.008 * wanted)  # 200,000 weights: within 5 deviations
    for i, fan in enumerate((100, 400, 250)):
        l.expect(f"deviation by a fan of {fan}", deviations[6 + i] * math.sqrt(fan), 1, 0.015)
    uniform, truncated, normal = (largest[9 + i] / deviations[9 + i] for i in range(3))
    l.expect("a uniform one's end", uniform, math.sqrt(3), 0.015)
    l.expect("a truncated one's end", truncated, 2 / 0.87962566, 0.015)
    l.within("a normal one's end", normal, 3.5, 6)
    l.within("tanh with gain 1, 20 layers", deviations[12], 0.1, 0.25)  # it fades as 1/√(2 · 20)
    l.expect("tanh with gain 5/3, 20 layers", deviations[13], tanh_level(5 / 3), 0.03)


def torch_bits(skip, count):
    """Numbers of PyTorch's file of vectors: for seed 0, a Linear(2, 4) by default (weight, bias), then its weight drawn afresh,
    drawn after the default (weight, bias), and drawn for a leaky ReLU."""
    with open(VECTORS, "rb") as file:
        return struct.unpack(f"<{skip + count}f", file.read(4 * (skip + count)))[skip:]


def frameworks(l):
    spread = [line.split() for line in l.said.splitlines() if re.match(r"fc\d\.\w+ +(weight|bias) ", line)]
    ends = [float(row[6]) for row in spread]
    glorot, scaled = math.sqrt(6 / 912), math.sqrt(6 / 456)
    cut = 2 / 0.87962566
    bounds = [1 / 28, 1 / 28, 128 ** -0.5, 128 ** -0.5, glorot, 0, math.sqrt(6 / 138), 0, scaled, cut * math.sqrt(2) / 28, cut / 28]
    l.expect("spreads", len(ends), len(bounds), 0)
    for i, (end, bound) in enumerate(zip(ends, bounds)):
        l.within(f"end of spread {i + 1}", end, 0.985 * bound if len(spread[i][2]) > 5 else 0, bound * 1.006)  # three digits
    names = re.findall(r"^fc1\.weight +(?!weight)([a-z][-a-z:\d]+) +-?\d", l.said, re.M)
    if names != ["torch-default", "glorot-uniform", "variance-scaling:2:fan-avg:uniform", "he-normal", "lecun-normal"]:
        l.wrong.append(f"recognised as {names}")
    rows = [line.split(",") for line in l.said.splitlines() if re.match(r"-?\d[-\d.e]*(,-?\d[-\d.e]*){3}$", line)]
    for i, (what, at) in enumerate((("default", 0), ("fresh", 12), ("after default", 20), ("leaky", 32))):
        columns = [struct.unpack("<4f", struct.pack("<4f", *map(float, row))) for row in rows[2 * i:2 * i + 2]]
        drawn = [columns[k % 2][k // 2] for k in range(8)]
        l.expect(f"numbers of {what} that are PyTorch's", sum(map(float.__eq__, drawn, torch_bits(at, 8))), 8, 0)


def selu_conditions(l):
    for rule in ("init", "dropout", "norm", "sequential", "input"):
        l.expect(f"selu-{rule} is broken", l.said.count(f"WARN  selu-{rule}\n"), 1, 0)
    l.expect("exit code where a rule fails", l.said.count("exit code 1\n"), 1, 0)
    broken = [len(re.findall("FAIL|WARN", said)) for said in re.split(r"^ok .*rules hold", l.said, flags=re.M)[:-1]]
    l.expect("nets judged", len(broken), 6, 0)
    l.expect("what a net that fulfils all breaks", broken[0], 0, 0)
    l.expect("what standardised images break", broken[-1], 0, 0)


def depth(l):
    found = {name: l.json(name + ".json") for name in ("tanh", "sigmoid", "he", "lecun", "selu")}
    signal = {name: [layer["std"] for layer in it["data"]["activations"]] for name, it in found.items()}
    flow = {name: [g["rms"] for g in it["data"]["gradients"] if g["weight"].endswith("weight")] for name, it in found.items()}
    l.within("tanh's deviation in layer 50", signal["tanh"][49], 0.05, 0.5)
    l.within("tanh's gradient, first layer over last", flow["tanh"][0] / flow["tanh"][50], 1e-3, 10)
    l.within("sigmoid's gradient, first layer over last", flow["sigmoid"][0] / flow["sigmoid"][50], 0, 4.0 ** -40)
    l.within("He's growth over 50 layers", signal["he"][49] / signal["he"][0], 0.2, 5)
    l.expect("LeCun's halvings under ReLU", math.log2(signal["lecun"][49] / signal["lecun"][0]), -49 / 2, 3)
    for i, layer in enumerate(found["selu"]["data"]["activations"][:50]):
        l.expect(f"SELU's mean in layer {i + 1}", layer["mean"], 0, 0.25)
        l.expect(f"SELU's deviation in layer {i + 1}", layer["std"], 1, 0.25)


def dying(l):
    dead = l.numbers("dead_units")
    nets = [sum(dead[i:i + 3]) for i in range(0, len(dead), 3)]  # alive, rate 0.1, rate 2, leaky, ELU; 128 hidden units
    l.expect("nets looked at", len(nets), 5, 0)
    l.within("dead at the start", nets[0], 0, 12)
    l.within("dead after a sensible rate", nets[1], 0, 12)
    l.within("dead after a large rate", nets[2], 64, 128)
    l.expect("dead leaky ReLUs", nets[3], 0, 0)
    counted = [sum(layer["dead_units"] for layer in line["activations"])
               for line in map(json.loads, (l.folder / "relu-2.jsonl").open()) if line["event"] == "stats"]
    l.expect("epochs counted in the log", len(counted), 5, 0)
    l.within("dead after the first epoch", counted[0], 64, 128)
    l.within("dead who come back", counted[0] - min(counted), 0, 2)
    l.expect("dead ELUs", nets[4], 0, 0)


def activations(l):
    losses = l.numbers("loss")
    l.expect("activations trained", len(losses), 22, 0)
    for i, loss in enumerate(losses):
        l.within(f"loss of activation {i + 1}", loss, 0.3, 1.2)
    gates = re.findall(r"loss +([.\d]+) .*-> loss +([.\d]+)", l.said)
    l.expect("gates and rows trained", len(gates), 4, 0)
    for fresh, trained in gates:
        l.expect("a fresh net's loss", float(fresh), math.log(4), 0.15)
        l.within("a trained net's loss", float(trained), 0.2, 0.9)
    page = (l.folder / "ops.html").read_text()
    l.within("curves drawn", page.count("<figure>"), 24, 60)


def batch_norm(l):
    plain, before, after = l.numbers("train_loss")
    l.expect("sigmoids alone stay at ln 10", plain, math.log(10), 0.02)
    l.within("normalised before", before, 0.3, 0.8)
    l.within("normalised after", after, 0.3, 0.8)
    one, first = l.said.splitlines()[-3], l.said.splitlines()[-2]
    for a, b in zip(one.split(","), first.split(",")):
        l.expect("a sample alone and among others", float(a), float(b), 1e-4)


def small_net(l):
    losses = [float(n) for n in re.findall(r"loss +([.\d]+) \(bce\)", l.said)]
    l.expect("evaluations", len(losses), 4, 0)
    for fresh, trained in (losses[:2], losses[2:]):
        l.within("a fresh net's loss", fresh, 0.5 * math.log(2), 2 * math.log(2))
        l.within("a trained net's loss", trained, 0, 0.2)


def gradient_flow(l):
    for weight in l.json("flow.json")["data"]["gradients"]:
        if weight["weight"].endswith("weight"):
            l.expect("update:weight · weight", weight["update_ratio"] * weight["weight_rms"], 1e-3, 5e-5)
    rates = re.search(r"--lr ([.e\d-]+)[^$]*lowest +([.e\d-]+)", l.said)
    l.within("suggested rate", float(rates[1]), 1e-4, 0.5)
    l.within("suggestion over the brink", float(rates[1]) / float(rates[2]), 0, 0.5)


CHECKS = {"01": variance, "02": bad_start, "03": near_zero, "04": saturation, "05": gain, "06": frameworks, "07": depth,
          "08": selu_conditions, "09": dying, "10": activations, "11": batch_norm, "12": small_net, "13": gradient_flow}


def main():
    tonnx, script = sys.argv[1], pathlib.Path(sys.argv[2])
    if not FASHION.is_dir():
        print(f"{FASHION} is missing: apt-get install dataset-fashion-mnist")
        sys.exit(SKIPPED)
    text = script.read_text().splitlines()
    with tempfile.TemporaryDirectory() as folder:
        lesson = Lesson(tonnx, script, folder)
        if len(text) > 30:
            lesson.wrong.append(f"{len(text)} lines; a lesson has 30 at most")
        if not lesson.wrong:
            CHECKS[script.name[:2]](lesson)
    print("\n".join(lesson.wrong) or f"{script.name}: as theory says")
    sys.exit(bool(lesson.wrong))


main()
