"""PyTorch as a contestant, in a process of its own: prepares, says so, then trains a stretch for every line it reads.

usage: peer.py FOLDER WORKLOAD eager|compile|one-graph THREADS   (bench.py starts it)
       peer.py FOLDER WORKLOAD export                     writes the weights, as state and as ONNX
"""
import json
import sys
import time

import numpy as np
import torch
from torch import nn

from workloads import WORKLOADS


def module(work):
    parts = []
    for i, (fan_in, fan_out) in enumerate(work.layers):
        parts += [nn.ReLU()] if i else []
        parts.append(nn.Linear(fan_in, fan_out))
    return nn.Sequential(*parts)


def export(folder, work):
    torch.manual_seed(1)
    net = module(work)
    torch.save(net.state_dict(), f"{folder}/state.pt")
    torch.onnx.export(net, torch.zeros(2, work.dims[0]), f"{folder}/model.onnx", dynamo=False, input_names=["input"],
                      output_names=["output"], dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}})


class Trainer:
    """Walks the resident data in order, one step after another; what a step does is the kind's."""

    def __init__(self, folder, work):
        self.work, self.at, self.steps = work, 0, work.samples // work.batch
        self.net = module(work)
        self.net.load_state_dict(torch.load(f"{folder}/state.pt"))
        self.x = torch.from_numpy(np.load(f"{folder}/x.npy"))
        self.y = torch.from_numpy(np.load(f"{folder}/y.npy"))
        self.measure = nn.CrossEntropyLoss() if work.loss == "cross-entropy" else nn.MSELoss()

    def run(self, steps):
        for _ in range(steps):
            first = self.at * self.work.batch
            rows = slice(first, first + self.work.batch)
            self.at = (self.at + 1) % self.steps
            loss = self.step(self.x[rows], self.y[rows])
        return loss.item()


class Loop(Trainer):
    """The usual loop with what makes it fast: a fused optimizer, gradients set to None, no synchronisation."""

    def __init__(self, folder, work, compiled):
        super().__init__(folder, work)
        kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[work.optimizer]
        self.optimizer = kind(self.net.parameters(), lr=work.rate, fused=True)

        def loss(x, y):
            return self.measure(self.net(x), y)

        self.loss = torch.compile(loss) if compiled else loss

    def step(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(x, y)
        loss.backward()
        self.optimizer.step()
        return loss


class OneGraph(Trainer):
    """Forward, backward and update compiled as one function: the most that torch.compile can see."""

    def __init__(self, folder, work):
        super().__init__(folder, work)
        self.weights = {name: p.detach().clone() for name, p in self.net.named_parameters()}
        self.first = {name: torch.zeros_like(p) for name, p in self.weights.items()}
        self.second = {name: torch.zeros_like(p) for name, p in self.weights.items()}
        self.taken = torch.tensor(0.0, dtype=torch.float64)
        self.compiled = torch.compile(self.whole)

    def loss(self, weights, x, y):
        return self.measure(torch.func.functional_call(self.net, weights, (x,)), y)

    def whole(self, taken, x, y):
        gradients, loss = torch.func.grad_and_value(self.loss)(self.weights, x, y)
        for name, w in self.weights.items():
            if self.work.optimizer == "sgd":
                w.sub_(gradients[name], alpha=self.work.rate)
            else:
                self.adam(taken, w, gradients[name], self.first[name], self.second[name])
        return loss

    def adam(self, taken, w, gradient, first, second):
        first.lerp_(gradient, 0.1)
        second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        root = second.sqrt() / torch.sqrt(1 - 0.999**taken).float() + 1e-8
        w.sub_(first / root * (self.work.rate / (1 - 0.9**taken)).float())

    def step(self, x, y):
        self.taken += 1
        return self.compiled(self.taken, x, y)


KINDS = {"eager": lambda *a: Loop(*a, False), "compile": lambda *a: Loop(*a, True), "one-graph": OneGraph}


def serve(folder, work, kind, threads):
    torch.set_num_threads(threads)
    begin = time.perf_counter()
    trainer = KINDS[kind](folder, work)
    trainer.run(1)
    started = time.perf_counter() - begin
    print(json.dumps({"start": started, "loss": trainer.run(work.checked - 1)}), flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        trainer.run(int(line) * trainer.steps)
        print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)


if __name__ == "__main__":
    where, chosen = sys.argv[1], next(w for w in WORKLOADS if w.name == sys.argv[2])
    if sys.argv[3] == "export":
        export(where, chosen)
    else:
        serve(where, chosen, sys.argv[3], int(sys.argv[4]))
