"""Back into PyTorch: the trained file's initializers, loaded by name into the module that the file was exported from.

The names are the state_dict's; `load_state_dict` is strict. The module's outputs equal those of `tonnx predict`.
"""
import re

import numpy as np
import onnx
import torch
from torch import nn

from common import cases, excluded, load_json, tensor_of, worst

ACTIVATIONS = {
    "relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "elu": nn.ELU, "selu": nn.SELU, "celu": nn.CELU,
    "leaky-relu": nn.LeakyReLU, "gelu-erf": nn.GELU, "silu": nn.SiLU, "mish": nn.Mish, "softplus": nn.Softplus,
    "softsign": nn.Softsign, "hard-sigmoid": nn.Hardsigmoid, "hard-swish": nn.Hardswish, "relu6": nn.ReLU6,
    "gelu-tanh": lambda: nn.GELU("tanh"), "softmax": lambda: nn.Softmax(-1),
    "glu": nn.GLU, "hard-tanh": nn.Hardtanh, "log-softmax": lambda: nn.LogSoftmax(-1), "none": nn.Identity,
}

KINDS = {"dense", "batchnorm", "layernorm", "activation", "dropout"}  # one after the other; other nets branch


def run(suite):
    torch.set_num_threads(1)
    out = excluded("excluded_train.txt")
    for folder in cases("train", "losses.npy"):
        about = load_json(folder / "case.json")
        kinds = {layer["kind"] for layer in about["layers"]}
        if folder.name in out or not about["producer"].startswith("torch") or about["renamed"] or not kinds <= KINDS:
            continue
        suite.guarded(folder.name, back, folder, about)
    if suite.only == "*":
        suite.check("cases", suite.passed + len(suite.failures) >= 30, "hardly any case was loaded into PyTorch")


class Net(nn.Module):
    """The module a case describes: fc1, bn1, ln1, act1 … in the order its layers are listed."""

    def __init__(self, layers):
        super().__init__()
        self.order, counts = [], {"fc": 0, "bn": 0, "ln": 0}
        for layer in layers:
            if layer["kind"] == "dense":
                counts["fc"] += 1
                self.append(f"fc{counts['fc']}", nn.Linear(layer["in"], layer["out"], bias=layer["bias"]))
            elif layer["kind"] == "batchnorm":
                counts["bn"] += 1
                self.append(f"bn{counts['bn']}", nn.BatchNorm1d(layer["features"]))
            elif layer["kind"] == "layernorm":
                counts["ln"] += 1
                self.append(f"ln{counts['ln']}", nn.LayerNorm(layer["features"]))
            if layer.get("activation", "none") != "none":
                self.append(f"act{counts['fc']}", activation(layer["activation"]))

    def append(self, name, module):
        self.add_module(name, module)
        self.order.append(module)

    def forward(self, x):
        for module in self.order:
            x = module(x)
        return x


class Swish(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = beta

    def forward(self, x):
        return x * torch.sigmoid(self.beta * x)


def activation(word):
    name, *numbers = word.split(":")
    if name == "prelu":
        return nn.PReLU()
    if name == "swish":
        return Swish(*map(float, numbers))
    return ACTIVATIONS[name](*map(float, numbers))


def state(net, model):
    """The trained tensors under the module's own names; PyTorch's step counters are not in the file."""
    return {name: torch.zeros_like(held) if name.endswith("num_batches_tracked")
            else torch.from_numpy(np.array(tensor_of(model, name), dtype=np.float32).reshape(held.shape))
            for name, held in net.state_dict().items()}


def back(suite, case, folder, about):
    trained, out = suite.path(case, "trained.onnx"), suite.path(case, "pred.npy")
    suite.tonnx("train", folder / "model.onnx", "--data", folder / "x.npy", "--target", folder / "y.npy", "-o", trained,
                *load_json(folder / "args.json"))
    suite.tonnx("predict", trained, "--data", folder / "x_test.npy", "-o", out)
    net = Net(about["layers"]).eval()
    net.load_state_dict(state(net, onnx.load(trained)), strict=True)
    x = np.load(folder / "x_test.npy")
    x = x.astype(np.float32) / np.float32(255) if x.dtype == np.uint8 else x
    with torch.no_grad():
        wanted = net(torch.from_numpy(x)).numpy()
    good, gap = worst(np.load(out), wanted, 1e-4, 1e-4)
    suite.check(case, good, f"PyTorch and tonnx predict differ by {gap:.2e}")
    known = {re.sub(r"\.\w+$", "", name) for name in about["trainable"]}
    suite.check(case, known <= {name for name, _ in net.named_modules()}, f"the file has other modules: {sorted(known)}")
