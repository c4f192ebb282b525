"""PyTorch's usual loop with what makes it fast: a fused optimizer, gradients set to None, no synchronisation."""
import json

import numpy as np
import torch
from torch import nn


def module(work):
    parts = []
    for i, (fan_in, fan_out) in enumerate(work.layers):
        if i:
            parts += [nn.BatchNorm1d(fan_in), nn.ReLU()] if work.norm else [nn.ReLU()]
        parts.append(nn.Linear(fan_in, fan_out))
    return nn.Sequential(*parts)


def export(folder, work):
    torch.manual_seed(1)
    net = module(work)
    torch.save(net.state_dict(), f"{folder}/state.pt")
    np.savez(f"{folder}/state.npz", **{name: value.numpy() for name, value in net.state_dict().items()})
    torch.onnx.export(net, torch.zeros(2, work.dims[0]), f"{folder}/model.onnx", dynamo=False, input_names=["input"],
                      output_names=["output"], dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
                      training=torch.onnx.TrainingMode.TRAINING if work.norm else torch.onnx.TrainingMode.EVAL,
                      do_constant_folding=not work.norm)


class Loop:
    """Walks the resident data in order, one step after another."""

    def __init__(self, folder, work, compiled, dtype=torch.float32):
        self.work, self.at = work, 0
        self.net = module(work)
        self.net.load_state_dict(torch.load(f"{folder}/state.pt"))
        self.net.to(dtype)
        self.x, self.y = (torch.from_numpy(np.load(f"{folder}/{name}.npy")) for name in "xy")
        self.x = self.x.to(dtype)
        self.y = self.y.to(dtype) if self.y.is_floating_point() else self.y
        measure = nn.CrossEntropyLoss() if work.loss == "cross-entropy" else nn.MSELoss()
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}[work.optimizer]
        self.optimizer = kind(self.net.parameters(), lr=work.rate, fused=True)

        def loss(x, y):
            return measure(self.net(x), y)

        self.loss = torch.compile(loss) if compiled else loss

    def step(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(x, y)
        loss.backward()
        self.optimizer.step()
        return loss

    def run(self, steps):
        for _ in range(steps):
            first = self.at * self.work.batch
            rows = slice(first, first + self.work.batch)
            self.at = (self.at + 1) % self.work.steps
            loss = self.step(self.x[rows], self.y[rows])
        return loss.item()

    def prepare(self, steps):
        """Nothing depends on how long a stretch is."""


def judge(folder, work):
    """The losses of `work.judged` steps in double."""
    loop = Loop(folder, work, False, torch.float64)
    print(json.dumps([loop.run(1) for _ in range(work.judged)]))


def make(folder, work, kind, threads):
    torch.set_num_threads(threads)
    return Loop(folder, work, kind == "compile")
