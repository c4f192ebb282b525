"""Random PyTorch modules of every kind that a lesson on MLPs has, for torch_random.py: one seed, one module."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Swish(nn.Module):
    def __init__(self, beta):
        super().__init__()
        self.beta = beta

    def forward(self, x):
        return x * torch.sigmoid(self.beta * x)


class Squared(nn.Module):
    def forward(self, x):
        return torch.relu(x) ** 2


class Mean(nn.Module):
    """RReLU as it is evaluated."""

    def __init__(self):
        super().__init__()
        self.act = nn.RReLU(0.1, 0.3)

    def forward(self, x):
        return self.act(x)


ACTIVATIONS = {
    "relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "elu": lambda: nn.ELU(0.8), "elu1": nn.ELU, "selu": nn.SELU,
    "celu": lambda: nn.CELU(1.3), "celu1": nn.CELU, "leaky": lambda: nn.LeakyReLU(0.15), "prelu": nn.PReLU, "gelu": nn.GELU,
    "gelu-tanh": lambda: nn.GELU("tanh"), "silu": nn.SiLU, "swish": lambda: Swish(1.6), "mish": nn.Mish, "relu2": Squared,
    "relu6": nn.ReLU6, "hard-tanh": nn.Hardtanh, "hard-tanh-2": lambda: nn.Hardtanh(-0.7, 0.9), "hard-sigmoid": nn.Hardsigmoid,
    "hard-swish": nn.Hardswish, "softplus": nn.Softplus, "softplus-2": lambda: nn.Softplus(2.5), "softsign": nn.Softsign,
    "log-sigmoid": nn.LogSigmoid, "threshold": lambda: nn.Threshold(0.1, 0.0), "rrelu": Mean,
}


class Gate(nn.Module):
    """GLU, or SwiGLU with its two halves in either order, of one wide layer or of two."""

    def __init__(self, width, hidden, kind, packed, swapped, bias):
        super().__init__()
        self.kind, self.packed, self.swapped = kind, packed, swapped
        if packed:
            self.gate_up = nn.Linear(width, 2 * hidden, bias=bias)
        else:
            self.gate, self.up = nn.Linear(width, hidden, bias=bias), nn.Linear(width, hidden, bias=bias)
        self.down = nn.Linear(hidden, width, bias=bias)

    def forward(self, x):
        a, b = self.gate_up(x).chunk(2, dim=-1) if self.packed else (self.gate(x), self.up(x))
        if self.swapped:
            a, b = b, a
        act = {"swiglu": F.silu, "glu": torch.sigmoid, "geglu": F.gelu, "reglu": F.relu}[self.kind]
        return self.down(act(a) * b)


class Residual(nn.Module):
    def __init__(self, width, hidden, act, how):
        super().__init__()
        self.up, self.act, self.down, self.how = nn.Linear(width, hidden), act, nn.Linear(hidden, width), how

    def forward(self, x):
        y = self.down(self.act(self.up(x)))
        return {"add": x + y, "sub": x - y, "scaled": x + 0.5 * y, "relu": F.relu(x + y)}[self.how]


class Dense(nn.Module):
    """(x, f(x)) side by side."""

    def __init__(self, width, extra, first):
        super().__init__()
        self.extra, self.first = nn.Linear(width, extra), first

    def forward(self, x):
        y = torch.tanh(self.extra(x))
        return torch.cat([x, y] if self.first else [y, x], dim=1)


class Twice(nn.Module):
    """One layer used twice: a tie."""

    def __init__(self, width):
        super().__init__()
        self.fc = nn.Linear(width, width)

    def forward(self, x):
        return torch.tanh(self.fc(torch.tanh(self.fc(x))))


class Turned(nn.Module):
    """There and back through one weight."""

    def __init__(self, width, hidden):
        super().__init__()
        self.w = nn.Parameter(torch.randn(hidden, width) / width**0.5)
        self.b1, self.b2 = nn.Parameter(torch.randn(hidden) * 0.1), nn.Parameter(torch.randn(width) * 0.1)

    def forward(self, x):
        return F.linear(torch.tanh(F.linear(x, self.w, self.b1)), self.w.t(), self.b2)


class Product(nn.Module):
    """x·W + b, W [in, out], spelled with matmul, mm or addmm."""

    def __init__(self, width, out, how):
        super().__init__()
        self.w, self.b, self.how = nn.Parameter(torch.randn(width, out) / width**0.5), nn.Parameter(torch.randn(out) * 0.1), how

    def forward(self, x):
        if self.how == "addmm":
            return torch.addmm(self.b, x, self.w)
        return self.b + x @ self.w if self.how == "matmul" else torch.mm(x, self.w) + self.b


class Scale(nn.Module):
    """A trained scale and shift per feature."""

    def __init__(self, width):
        super().__init__()
        self.scale, self.shift = nn.Parameter(1 + 0.2 * torch.randn(width)), nn.Parameter(0.2 * torch.randn(width))

    def forward(self, x):
        return x * self.scale + self.shift


class Head(nn.Module):
    """What stands in front: pictures flattened in one of the ways people write it, or a standardisation."""

    def __init__(self, dims, how, mean=None, std=None):
        super().__init__()
        self.features, self.how = int(np.prod(dims)), how
        if how == "standardise":
            self.register_buffer("mean", mean)
            self.register_buffer("std", std)
        self.flat = nn.Flatten()

    def forward(self, x):
        if self.how == "standardise":
            return (x - self.mean) / self.std
        if self.how == "view":
            return x.view(x.size(0), -1)
        if self.how == "reshape":
            return x.reshape(-1, self.features)
        return torch.flatten(x, 1) if self.how == "function" else self.flat(x)


class Tail(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def forward(self, x):
        if self.kind == "softmax":
            return F.softmax(x, dim=-1)
        if self.kind == "log-softmax":
            return F.log_softmax(x, dim=1)
        if self.kind == "sigmoid":
            return torch.sigmoid(x)
        if self.kind == "squeeze":
            return x.squeeze(-1)
        return x


class Net(nn.Module):
    """blocks, then the tail; with `second` also softmax of the output."""

    def __init__(self, blocks, tail, second):
        super().__init__()
        self.blocks, self.tail, self.second = nn.Sequential(*blocks), Tail(tail), second

    def forward(self, x):
        y = self.tail(self.blocks(x))
        return (y, F.softmax(y, dim=-1)) if self.second else y

    def logits(self, x):
        return self.blocks(x)


class Draw:
    def __init__(self, seed):
        self.random, self.words = np.random.default_rng(seed), []

    def chance(self, p):
        return bool(self.random.random() < p)

    def pick(self, *of):
        return of[int(self.random.integers(len(of)))]

    def width(self):
        return self.pick(1, 2, 3, 5, 7, 8, 13, 16, 17, 31, 33)

    def act(self):
        name = self.pick(*ACTIVATIONS)
        self.words.append(name)
        return ACTIVATIONS[name]()

    def norm(self, width):
        kind = self.pick("batch", "batch", "layer", "rms")
        affine = self.chance(0.75)
        if width == 1 and kind != "batch":  # a norm over one feature says nothing
            kind = "batch"
        self.words.append(f"{kind}-norm" + ("" if affine else " plain"))
        if kind == "batch":
            norm = nn.BatchNorm1d(width, affine=affine, eps=self.pick(1e-5, 1e-3), momentum=self.pick(0.1, 0.02))
            fresh = self.chance(0.2)
            if not fresh:
                norm.running_mean.copy_(torch.randn(width) * 0.3)
                norm.running_var.copy_(torch.rand(width) + 0.5)
        elif kind == "layer":
            norm, fresh = nn.LayerNorm(width, elementwise_affine=affine, bias=self.chance(0.8)), self.chance(0.2)
        else:
            norm, fresh = nn.RMSNorm(width, elementwise_affine=affine, eps=self.pick(None, 1e-5)), self.chance(0.2)
        for p in norm.parameters():
            if not fresh:
                nn.init.normal_(p, 0.8, 0.3)
        return norm

    def block(self, width, kinds):
        """(modules, the width behind them)."""
        kind = self.pick(*kinds)
        if kind == "gate":
            gate, packed, swapped = self.pick("swiglu", "glu", "geglu", "reglu"), self.chance(0.5), self.chance(0.5)
            self.words.append(f"{gate}{' packed' if packed else ''}{' swapped' if swapped else ''}")
            return [Gate(width, self.width(), gate, packed, swapped, self.chance(0.6))], width
        if kind == "glu":
            half = self.width()
            self.words.append("nn.GLU")
            return [nn.Linear(width, 2 * half), nn.GLU()], half
        if kind == "residual":
            how = self.pick("add", "sub", "scaled", "relu")
            self.words.append(f"residual {how}")
            return [Residual(width, self.width(), self.act(), how)], width
        if kind == "concat":
            extra = self.width()
            self.words.append("concat")
            return [Dense(width, extra, self.chance(0.5))], width + extra
        if kind == "tie":
            self.words.append("tie")
            return [Twice(width)] if self.chance(0.5) else [Turned(width, self.width())], width
        if kind == "scale":
            self.words.append("scale")
            return [Scale(width)], width
        out = self.width()
        if kind == "product":
            how = self.pick("matmul", "mm", "addmm")
            self.words.append(how)
            return [Product(width, out, how), self.act()], out
        layer = nn.Linear(width, out, bias=self.chance(0.8))
        if layer.bias is not None and self.chance(0.1):
            self.words.append("zero bias")
            nn.init.zeros_(layer.bias)
        between = [layer]
        if self.chance(0.35):
            between += [self.norm(out), self.act()] if self.chance(0.5) else [self.act(), self.norm(out)]
        else:
            between += [self.act()]
        if self.chance(0.15):
            between += [nn.Dropout(0.3)]
        if self.chance(0.05):
            between += [nn.Identity()]
        return between, out


KINDS = ["linear"] * 8 + ["gate", "glu", "residual", "concat", "tie", "scale", "product"]


def module(seed, kinds=KINDS):
    """(net, dims of the input without the batch, the draw that made it)."""
    draw = Draw(seed)
    torch.manual_seed(seed)
    dims = [draw.width()]
    how = draw.pick("none", "none", "none", "flatten", "view", "reshape", "function", "standardise")
    blocks = []
    if how == "standardise":
        blocks = [Head(dims, how, torch.randn(dims[0]), torch.rand(dims[0]) + 0.5)]
    elif how != "none":
        dims = list(draw.pick((3, 4), (1, 4, 3), (2, 2, 2)))
        blocks = [Head(dims, how)]
    draw.words.append(how)
    width = int(np.prod(dims))
    if draw.chance(0.1):
        blocks.append(draw.norm(width))
    for i in range(int(draw.random.integers(1, 4))):
        modules, width = draw.block(width, kinds if i else [k for k in kinds if k != "scale"])
        blocks += modules
    tail = draw.pick("none", "none", "none", "softmax", "log-softmax", "sigmoid", "squeeze")
    out = 1 if tail == "squeeze" else draw.pick(1, 2, 5) if tail in ("none", "sigmoid") else draw.pick(2, 5)
    blocks.append(nn.Linear(width, out, bias=draw.chance(0.85)))
    draw.words.append(tail)
    second = tail == "none" and draw.chance(0.1)
    net = Net(blocks, tail, second).eval()
    return net, dims, draw
