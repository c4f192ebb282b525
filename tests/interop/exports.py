"""Every exporter's file under tests/data/exports: what a person would say the net is, what it predicts, what it trains.

- predict gives what ONNX Runtime gave (1e-5 + 1e-4·|expected|, or the case's own tolerance), on both CPU backends;
- inspect names the layers and activations of case.json, in order;
- one SGD step on random targets changes exactly the tensors that case.json lists as trainable, and running statistics;
- a step of rate 0 gives the file back byte for byte, and a real one changes payloads alone (lossless.py).
"""
import json

import numpy as np
import onnx
from onnx import numpy_helper

import inference
import lossless
from common import cases, excluded, load_json, tensor_of

EXCLUDED = "excluded_exports.txt"


def run(suite):
    out = excluded(EXCLUDED)
    for folder in cases("exports", "expected.npy"):
        if folder.name in out:
            suite.guarded(folder.name, refused, folder)
            continue
        suite.guarded(folder.name, inference.export, folder)
        suite.guarded(folder.name, described, folder)
        suite.guarded(folder.name, trained, folder)
        suite.guarded(folder.name, lossless.kept, folder, *lossless.export_data(suite, folder))


def refused(suite, case, folder):
    suite.refuses(f"{case} (excluded)", "predict", folder / "model.onnx", "--data", folder / "input.npy", "-o",
                  suite.path(case, "out.npy"))


# ---- what the net is

# Keras' and PyTorch's words for the op book's; a word that is not here is the same but for - and _
WORDS = {"gelu_erf": "gelu", "hard_silu": "hard_swish", "softmax_v2": "softmax", "relu_layer": "relu"}
# what case.json gives as a layer's class, without saying which function it is
CLASSES = {"activation": None, "relu": ("relu", "relu6", "leaky_relu", "thresholded_relu"), "leakyrelu": ("leaky_relu",)}
# layers that move data, or are no part of the net that is trained
MOVES = {"flatten", "squeeze", "tail", "dropout"}
GATES = ("glu", "swiglu")


def word(text):
    """(name, numbers) of an activation: "leaky-relu:0.2" is ("leaky_relu", [0.2])."""
    name, *numbers = text.lower().replace("-", "_", text.split(":")[0].count("-")).split(":")
    return WORDS.get(name, name), [float(n) for n in numbers]


def same_word(wanted, got):
    name, numbers = word(wanted)
    got_name, got_numbers = word(got)
    if name in CLASSES and (name != "relu" or wanted == "ReLU"):
        return CLASSES[name] is None or got_name in CLASSES[name]
    if name == "rrelu":  # ONNX holds the mean slope
        return got_name == "leaky_relu" and abs(got_numbers[0] - sum(numbers) / 2) < 1e-6
    if {name, got_name} == {"swish", "silu"} and not numbers:
        return True
    shared = min(len(numbers), len(got_numbers))
    return name == got_name and np.allclose(numbers[:shared], got_numbers[:shared], rtol=1e-3)


def wanted_layers(about):
    """case.json's layers as a list of (kind, detail)."""
    folded = "BatchNormalization" not in about["ops"] and "Sqrt" not in about["ops"]
    found = []
    for layer in about["layers"]:
        kind = layer["kind"]
        if kind == "dense":
            found.append(("dense", (layer["in"], layer["out"])))
        elif kind == "swiglu" and layer["packed"]:
            found += [("dense", (layer["in"], 2 * layer["hidden"])), ("act", "swiglu"), ("dense", (layer["hidden"], layer["out"]))]
        elif kind == "swiglu":
            one = ("dense", (layer["in"], layer["hidden"]))
            found += [one, ("act", "silu"), one, ("act", "swiglu"), ("dense", (layer["hidden"], layer["out"]))]
        elif kind not in MOVES and kind != "activation" and not (kind == "batchnorm" and folded) and \
                layer.get("note") != "second output":
            found.append(("concat" if kind == "concatenate" else kind, None))
        act = layer.get("activation", "none")
        if act not in ("none", "linear"):
            found.append(("act", act))
    return found


def found_layers(inspected):
    found = []
    for layer in inspected["layers"]:
        kind, act = layer["kind"], layer["activation"]
        if kind == "dense":
            found.append(("dense", (layer["fan_in"], layer["fan_out"])))
        elif kind not in MOVES and kind not in ("activation", "softmax", *GATES):
            found.append((kind, None))
        twice = kind in ("activation", *GATES) and found[-1:] == [("act", act)]  # the dense layer in front names it too
        if act != "none" and not twice:
            found.append(("act", act))
    return found


def described(suite, case, folder):
    about = load_json(folder / "case.json")
    inspected = json.loads(suite.tonnx("inspect", "--json", folder / "model.onnx", "--output", about["output"]).stdout)
    wanted, found = wanted_layers(about), found_layers(inspected)
    kinds = {kind for kind, _ in wanted}
    found = [layer for layer in found if layer[0] in kinds | {"dense", "act"}]
    for names in (wanted, found):  # a run of affine layers is one
        names[:] = [layer for i, layer in enumerate(names) if layer[0] != "affine" or names[i - 1:i] != [layer]]
    good = len(wanted) == len(found) and all(
        w[0] == f[0] and (same_word(w[1], f[1]) if w[0] == "act" else w[1] == f[1]) for w, f in zip(wanted, found))
    suite.check(f"{case} (inspect)", good, f"names {spelled(found)}, not {spelled(wanted)}")


def spelled(layers):
    return " ".join(f"{kind}:{detail}" if detail else kind for kind, detail in layers)


# ---- what is trained

def constants(model):
    """Every constant by the name that case.json may give it: initializers, Constant nodes, Identities of either."""
    found = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in ("Constant", "Identity"):
            try:
                found[node.output[0]] = tensor_of(model, node.output[0])
            except KeyError:
                pass
    return found


def trained(suite, case, folder):
    about, source = load_json(folder / "case.json"), folder / "model.onnx"
    before = onnx.load(source)
    x, y, options = lossless.export_data(suite, folder)
    moved = suite.path(case, "step", "moved.onnx")
    suite.tonnx("train", source, "-o", moved, "--data", x, "--target", y, *options, "--no-shuffle", "--steps", 1,
                "--optimizer", "sgd", "--lr", 0.05)
    old, new = constants(before), constants(onnx.load(moved))
    changed = {name for name in old if name in new and old[name].dtype != object and
               old[name].tobytes() != new[name].tobytes()}
    wanted = set(about["trainable"])
    beside = set(excluded("also_trained.txt").get(case, "").split())
    free = lossless.moves_besides(before) | beside
    free |= renamed(before, wanted)
    extra, missing = changed - wanted - free, {n for n in (wanted | beside) - changed if not dead(n, before, about)}
    suite.check(f"{case} (trained)", not extra and not missing,
                f"changed beyond the trainable: {sorted(extra)}; not changed: {sorted(missing)}")


def renamed(model, trainable):
    """Other names of what is trainable: an Identity's output where its input is, and the other way round."""
    found, pairs = set(trainable), [{n.input[0], n.output[0]} for n in model.graph.node if n.op_type == "Identity"]
    for _ in pairs:
        found = found.union(*(pair for pair in pairs if pair & found))
    return found


def dead(name, model, about):
    """What has no gradient: a bias in front of a batch norm, and all that stands before a threshold that no unit passes."""
    if "ThresholdedRelu" in about["ops"]:
        return True
    makers = {node.output[0]: node for node in model.graph.node}
    normed = [makers.get(node.input[0]) for node in model.graph.node if node.op_type == "BatchNormalization"]
    if not normed and any(layer["kind"] == "batchnorm" for layer in about["layers"]):
        normed = [node for node in model.graph.node if node.op_type == "Add"]
    return any(node is not None and name in node.input[1:] for node in normed)
