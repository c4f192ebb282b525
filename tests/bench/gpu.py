"""Training on a GPU beside PyTorch on the same one, in turns: `tonnx bench --backend vulkan` against the usual loop (eager)
and, on CUDA, against a step that was captured as a graph and is replayed. Where PyTorch sees no GPU, its CPU stands in, and
that is said: then tonnx' device should be a CPU too (Mesa's lavapipe).

usage: gpu.py TONNX [--backend vulkan:0] [--rounds 3]
"""
import argparse
import statistics
import subprocess
import time

import torch

NETS = [((784, 128, 10), 32), ((784, 128, 10), 1024), ((784, 500, 10), 500)]  # as `tonnx bench` has them
SECONDS = 0.5


def tonnx(command, backend):
    """[samples a second] by net."""
    done = subprocess.run([command, "bench", "--backend", backend], capture_output=True, text=True, check=True)
    return [float(line.split()[2].replace(",", "")) for line in done.stdout.splitlines()[1:]]


class Peer:
    """A step of PyTorch's on data that lies on the device."""

    def __init__(self, dims, batch, device, graph):
        torch.manual_seed(0)
        self.batch, self.device = batch, device
        layers = [torch.nn.Linear(dims[0], dims[1]), torch.nn.ReLU(), torch.nn.Linear(dims[1], dims[2])]
        self.net = torch.nn.Sequential(*layers).to(device)
        self.x = torch.randn(batch, dims[0], device=device)
        self.t = torch.randint(0, dims[2], (batch,), device=device)
        self.optimizer = torch.optim.Adam(self.net.parameters(), fused=True, **({"capturable": True} if graph else {}))
        self.step = self.eager
        if graph:
            self.capture()

    def eager(self):
        self.optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(self.net(self.x), self.t).backward()
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
            for _ in range(20):
                self.step()
            self.wait()
            steps += 20
        return self.batch * steps / (time.perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tonnx")
    parser.add_argument("--backend", default="vulkan")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    where = torch.cuda.get_device_name() if device == "cuda" else f"its CPU with {torch.get_num_threads()} threads: no GPU here"
    print(f"PyTorch {torch.__version__} on {where}")
    kinds = [False, True] if device == "cuda" else [False]
    peers = [[Peer(dims, batch, device, graph) for graph in kinds] for dims, batch in NETS]
    ours, theirs = [], []
    for _ in range(options.rounds):
        ours.append(tonnx(options.tonnx, options.backend))
        theirs.append([[peer.rate() for peer in row] for row in peers])
    for n, (dims, batch) in enumerate(NETS):
        own = statistics.median(turn[n] for turn in ours)
        line = f"{'-'.join(map(str, dims)):12} batch {batch:4}  tonnx {own:12,.0f} samples/s"
        for k, graph in enumerate(kinds):
            rate = statistics.median(turn[n][k] for turn in theirs)
            line += f"   {'CUDA graph' if graph else 'eager'} {rate:12,.0f} ({own / rate:.2f} x)"
        print(line)


if __name__ == "__main__":
    main()
