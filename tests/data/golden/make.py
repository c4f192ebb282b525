"""Makes the golden values beside it with PyTorch 2.13 in double: the formulas of others, for ours to be held against.

    python make.py        (needs torch==2.13.0; Lion, which torch.optim lacks, is its paper's algorithm)
"""
import math
import os

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
torch.set_default_dtype(torch.float64)

ACTIVATIONS = [
    ("relu", [(0, 0)], lambda x, a, b: F.relu(x)),
    ("leaky_relu", [(0.01, 0), (0.2, 0), (-0.1, 0), (0, 0)], lambda x, a, b: F.leaky_relu(x, a)),
    ("rrelu", [(0.125, 1 / 3), (0.1, 0.3)], lambda x, a, b: F.rrelu(x, a, b, training=False)),
    ("prelu", [(0.25, 0), (-0.5, 0)], lambda x, a, b: F.prelu(x, torch.tensor([a]))),
    ("elu", [(1, 0), (0.7, 0), (2.5, 0)], lambda x, a, b: F.elu(x, a)),
    ("selu", [(1.67326319217681884765625, 1.05070102214813232421875)], lambda x, a, b: b * F.elu(x, a)),
    ("celu", [(1, 0), (0.5, 0), (3, 0)], lambda x, a, b: F.celu(x, a)),
    ("gelu", [(0, 0)], lambda x, a, b: F.gelu(x)),
    ("gelu_tanh", [(0, 0)], lambda x, a, b: F.gelu(x, approximate="tanh")),
    ("swish", [(1, 0), (1.7, 0), (-0.5, 0)], lambda x, a, b: x * torch.sigmoid(a * x)),
    ("silu", [(0, 0)], lambda x, a, b: F.silu(x)),
    ("mish", [(0, 0)], lambda x, a, b: F.mish(x)),
    ("relu2", [(0, 0)], lambda x, a, b: F.relu(x) ** 2),
    ("hard_tanh", [(-1, 1), (-0.3, 2), (0.5, 1.5)], lambda x, a, b: F.hardtanh(x, a, b)),
    ("relu6", [(0, 0)], lambda x, a, b: F.relu6(x)),
    ("sigmoid", [(0, 0)], lambda x, a, b: torch.sigmoid(x)),
    # F.hardsigmoid's derivative is 1/6 rounded to float, in double too
    ("hard_sigmoid", [(1 / 6, 0.5), (0.2, 0.5), (-0.3, 0.4)], lambda x, a, b: F.hardtanh(a * x + b, 0.0, 1.0)),
    ("hard_swish", [(0, 0)], lambda x, a, b: F.hardswish(x)),
    ("tanh", [(0, 0)], lambda x, a, b: torch.tanh(x)),
    ("softplus", [(1, 0), (2.5, 0), (0.3, 0)], lambda x, a, b: F.softplus(x, a, threshold=1e9)),
    ("softsign", [(0, 0)], lambda x, a, b: F.softsign(x)),
    ("log_sigmoid", [(0, 0)], lambda x, a, b: F.logsigmoid(x)),
    ("thresholded_relu", [(1, 0), (0.4, 0), (-0.4, 0)], lambda x, a, b: F.threshold(x, a, 0.0)),
]
POINTS = [-40, -12.5, -6.01, -6, -3.5, -3, -2.999, -1.5, -1, -0.75, -0.4, -0.3, -1e-3, -1e-9, 0, 1e-9, 1e-3, 0.1, 0.4, 0.5, 0.9,
          1, 1.5, 2, 2.5, 2.999, 3, 4.25, 6, 6.01, 12.5, 40]

LOSSES = [
    ("bce", 0, lambda z, t, a: F.binary_cross_entropy_with_logits(z, t)),
    ("mse", 0, lambda z, t, a: F.mse_loss(z, t)),
    ("mae", 0, lambda z, t, a: F.l1_loss(z, t)),
    ("huber", 1, lambda z, t, a: F.huber_loss(z, t, delta=a)),
    ("huber", 0.4, lambda z, t, a: F.huber_loss(z, t, delta=a)),
]


class Lion(torch.optim.Optimizer):
    """Chen et al., "Symbolic discovery of optimization algorithms", algorithm 2."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                update = torch.sign(b1 * m + (1 - b1) * p.grad)
                p -= group["lr"] * (update + group["weight_decay"] * p)
                m.copy_(b2 * m + (1 - b2) * p.grad)


O = torch.optim
# name, class, rate, momentum or beta1, rho or beta2, eps, decay, nesterov
OPTIMIZERS = [
    ("sgd", O.SGD, 0.1, 0, 0, 0, 0, 0), ("sgd", O.SGD, 0.1, 0.9, 0, 0, 0, 0), ("sgd", O.SGD, 0.1, 0.9, 0, 0, 0.05, 1),
    ("adam", O.Adam, 1e-3, 0.9, 0.999, 1e-8, 0, 0), ("adam", O.Adam, 0.05, 0.8, 0.95, 1e-4, 0.1, 0),
    ("adamw", O.AdamW, 1e-3, 0.9, 0.999, 1e-8, 1e-2, 0), ("adamw", O.AdamW, 0.05, 0.8, 0.95, 1e-4, 0.1, 0),
    ("rmsprop", O.RMSprop, 1e-2, 0, 0.99, 1e-8, 0, 0), ("rmsprop", O.RMSprop, 1e-2, 0.9, 0.95, 1e-6, 0.1, 0),
    ("adagrad", O.Adagrad, 1e-2, 0, 0, 1e-10, 0, 0), ("adagrad", O.Adagrad, 0.1, 0, 0, 1e-10, 0.1, 0),
    ("nadam", O.NAdam, 2e-3, 0.9, 0.999, 1e-8, 0, 0), ("nadam", O.NAdam, 0.05, 0.8, 0.95, 1e-4, 0.1, 0),
    ("lion", Lion, 1e-4, 0.9, 0.99, 0, 0, 0), ("lion", Lion, 0.01, 0.8, 0.95, 0, 0.1, 0),
]
STEPS = 60


def options(name, rate, beta1, beta2, eps, decay, nesterov):
    o = dict(lr=rate, weight_decay=decay)
    if name == "sgd":
        o.update(momentum=beta1, nesterov=bool(nesterov))
    elif name == "rmsprop":
        o.update(momentum=beta1, alpha=beta2, eps=eps)
    elif name == "adagrad":
        o.update(eps=eps)
    else:
        o.update(betas=(beta1, beta2))
        if name != "lion":
            o.update(eps=eps)
    return o


def gradient(i, t):
    """What test_optim.c computes too: element i's gradient at step t (from 1)."""
    return (1 + i) * math.sin(t + 0.7 * i)


def write(name, header, rows):
    with open(os.path.join(HERE, name), "w") as out:
        out.write("# " + header + "\n")
        for row in rows:
            out.write(",".join(v if isinstance(v, str) else repr(float(v)) for v in row) + "\n")


def activations():
    for name, attributes, f in ACTIVATIONS:
        for a, b in attributes:
            for point in POINTS:
                x = torch.tensor([float(point)], requires_grad=True)
                y = f(x, a, b)
                y.sum().backward()
                yield name, a, b, point, y.item(), x.grad.item()


def losses():
    for name, a, f in LOSSES:
        for z in (-800, -30, -3.5, -1, -0.4, 0, 0.2, 0.4, 1, 2, 25, 800):
            for t in (0, 0.3, 1) if name == "bce" else (-2, 0, 0.4, 1):
                x = torch.tensor(float(z), requires_grad=True)
                y = f(x, torch.tensor(float(t)), a)
                y.backward()
                yield name, a, z, t, y.item(), x.grad.item()


def cross_entropy():
    """Loss and the gradients of bias (5) and of the weight's diagonal (5) of one layer, W = 1 and b = 0 before it."""
    x = torch.tensor([[3 * math.sin(1 + 1.7 * n + 0.9 * c) for c in range(5)] for n in range(4)])
    weight = torch.tensor([0.25 + 0.5 * c for c in range(5)])
    classes = torch.tensor([(3 * n + 1) % 5 for n in range(4)])
    shares = torch.tensor([[1.0 + n * c % 4 for c in range(5)] for n in range(4)])
    shares = shares / shares.sum(1, keepdim=True)
    for name, w, t in (("classes", None, classes), ("weighted-classes", weight, classes),
                       ("shares", None, shares), ("weighted-shares", weight, shares)):
        for smoothing in (0, 0.1, 0.35, 1):
            layer = torch.nn.Linear(5, 5)
            with torch.no_grad():
                layer.weight.copy_(torch.eye(5))
                layer.bias.zero_()
            loss = torch.nn.CrossEntropyLoss(weight=w, label_smoothing=smoothing)(layer(x), t)
            loss.backward()
            yield name, smoothing, loss.item(), *layer.bias.grad.tolist(), *layer.weight.grad.diagonal().tolist()


def optimizers():
    for name, make, *numbers in OPTIMIZERS:
        p = torch.tensor([0.5, -1.25, 3.0], requires_grad=True)
        optimizer = make([p], **options(name, *numbers))
        for t in range(1, STEPS + 1):
            p.grad = torch.tensor([gradient(i, t) for i in range(3)])
            optimizer.step()
            if t in (1, 2, 3, 10, STEPS):
                yield (name, *numbers, t, *p.tolist())


def one_cycle():
    for total in (2, 3, 10, 37, 100):
        optimizer = O.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        schedule = O.lr_scheduler.OneCycleLR(optimizer, max_lr=0.2, total_steps=total, cycle_momentum=False)
        for t in range(total):
            yield total, t, schedule.get_last_lr()[0]
            optimizer.step()
            if t + 1 < total:
                schedule.step()


write("activations.csv", "name, a, b, x, f, df/dx", activations())
write("losses.csv", "name, a, z, t, loss, dloss/dz", losses())
write("cross_entropy.csv", "name, smoothing, loss, dloss/dbias (5), dloss/dweight on the diagonal (5)", cross_entropy())
write("optimizers.csv", "name, rate, beta1, beta2, eps, decay, nesterov, step, p0, p1, p2", optimizers())
write("one_cycle.csv", "steps, t, rate (largest 0.2)", one_cycle())
