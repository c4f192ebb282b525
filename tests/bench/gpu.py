"""Training on a GPU beside PyTorch on the same one, in turns: `tonnx bench --backend vulkan`, and `tonnx train` of three layers
of 4096, against the usual loop (eager) and, on CUDA, against a step that was captured as a graph and is replayed. Products
are of 32-bit floats on both sides (TF32 off). Where PyTorch sees no GPU, its CPU stands in, and that is said: then tonnx'
device should be a CPU too (Mesa's lavapipe), and the large net has batches of 64, as one of 4096 would take a minute a step.

usage: gpu.py TONNX [--backend vulkan:0] [--rounds 3] [--large-batch 4096; 0: without the large net]
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from typing import NamedTuple

import numpy
import torch

SECONDS = 0.5
LARGE = (4096, 4096, 4096, 4096)
BATCHES, EPOCHS = 2, 3  # of the large net: in an epoch; in a run, the first of which does not count


class Net(NamedTuple):
    """ReLU between its layers; ten classes and Adam, or as many numbers and SGD."""

    dims: tuple
    batch: int
    classes: bool

    def flops(self):
        """Of a step's products; none goes back into the data."""
        layers = [inputs * outputs for inputs, outputs in zip(self.dims, self.dims[1:])]
        return self.batch * (6 * sum(layers) - 2 * layers[0])


NETS = [Net((784, 128, 10), 32, True), Net((784, 128, 10), 1024, True), Net((784, 500, 10), 500, True)]  # as `tonnx bench` has them


def tonnx(command, backend):
    """[samples a second] by net."""
    done = subprocess.run([command, "bench", "--backend", backend], capture_output=True, text=True, check=True)
    return [float(line.split()[2].replace(",", "")) for line in done.stdout.splitlines()[1:]]


class Large:
    """The large net's model and data, in files for `tonnx train`."""

    def __init__(self, command, backend, net, folder):
        self.command, self.backend, self.net = command, backend, net
        self.path = lambda name: os.path.join(folder, name)
        rng = numpy.random.default_rng(0)
        for name in "x.npy", "y.npy":
            numpy.save(self.path(name), rng.standard_normal((BATCHES * net.batch, 4096), dtype=numpy.float32))
        subprocess.run([command, "new", "-".join(map(str, net.dims)), "-o", self.path("m.onnx")], capture_output=True, check=True)

    def rate(self):
        """Samples a second, of the median epoch."""
        words = [self.command, "train", self.path("m.onnx"), "--data", self.path("x.npy"), "--target", self.path("y.npy")]
        words += ["--loss", "mse", "--optimizer", "sgd", "--lr", "0.01", "--batch", str(self.net.batch), "--epochs", str(EPOCHS)]
        words += ["--backend", self.backend, "--log", self.path("log"), "-o", self.path("o.onnx")]
        subprocess.run(words, capture_output=True, check=True)
        with open(self.path("log")) as log:
            events = [json.loads(line) for line in log]
        return statistics.median([e["samples_per_second"] for e in events if e["event"] == "epoch"][1:])


class Peer:
    """A step of PyTorch's on data that lies on the device."""

    def __init__(self, net, device, graph):
        torch.manual_seed(0)
        self.batch, self.device = net.batch, device
        self.burst = 20 if net.classes else 1  # steps between looks at the clock
        layers = []
        for inputs, outputs in zip(net.dims, net.dims[1:]):
            layers += [torch.nn.ReLU(), torch.nn.Linear(inputs, outputs)]
        self.net = torch.nn.Sequential(*layers[1:]).to(device)
        self.x = torch.randn(net.batch, net.dims[0], device=device)
        self.t = torch.randint(0, net.dims[-1], (net.batch,), device=device)
        self.loss, kind = torch.nn.functional.cross_entropy, torch.optim.Adam
        if not net.classes:
            self.t = torch.randn(net.batch, net.dims[-1], device=device)
            self.loss, kind = torch.nn.functional.mse_loss, torch.optim.SGD
        capturable = {"capturable": True} if graph and net.classes else {}
        self.optimizer = kind(self.net.parameters(), lr=1e-3, fused=True, **capturable)
        self.step = self.eager
        if graph:
            self.capture()

    def eager(self):
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.net(self.x), self.t).backward()
        self.optimizer.step()

    def capture(self):
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.eager()
        torch.cuda.current_stream().wait_stream(side)
        recorded = torch.cuda.CUDAGraph()
        with torch.cuda.graph(recorded):
            self.eager()
        self.step = recorded.replay

    def wait(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def rate(self):
        """Samples a second."""
        self.step()
        self.wait()
        steps, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < SECONDS:
            for _ in range(self.burst):
                self.step()
            self.wait()
            steps += self.burst
        return self.batch * steps / (time.perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tonnx")
    parser.add_argument("--backend", default="vulkan")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large-batch", type=int)
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = False
    if options.large_batch is None:
        options.large_batch = 4096 if device == "cuda" else 64
    where = torch.cuda.get_device_name() if device == "cuda" else f"its CPU with {torch.get_num_threads()} threads: no GPU here"
    print(f"PyTorch {torch.__version__} on {where}")
    with tempfile.TemporaryDirectory() as folder:
        compare(options, device, folder)


def compare(options, device, folder):
    kinds = [False, True] if device == "cuda" else [False]
    nets = NETS + ([Net(LARGE, options.large_batch, False)] if options.large_batch else [])
    peers = [[Peer(net, device, graph) for graph in kinds] for net in nets]
    large = Large(options.tonnx, options.backend, nets[-1], folder) if options.large_batch else None
    ours, theirs = [], []
    for _ in range(options.rounds):
        ours.append(tonnx(options.tonnx, options.backend) + ([large.rate()] if large else []))
        theirs.append([[peer.rate() for peer in row] for row in peers])
    for n, net in enumerate(nets):
        own = statistics.median(turn[n] for turn in ours)
        line = f"{'-'.join(map(str, net.dims)):19} batch {net.batch:4}  tonnx {told(net, own)}"
        for k, graph in enumerate(kinds):
            rate = statistics.median(turn[n][k] for turn in theirs)
            line += f"   {'CUDA graph' if graph else 'eager'} {told(net, rate)} ({own / rate:.2f} x)"
        print(line)


def told(net, rate):
    return f"{rate:11,.0f} samples/s, {1e-12 * net.flops() * rate / net.batch:7.3f} TFLOP/s"


if __name__ == "__main__":
    main()
