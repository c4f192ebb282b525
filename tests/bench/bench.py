#!/usr/bin/env python3
"""tonnx train beside PyTorch: the same weights, the same batches in order, data resident, rounds interleaved.

usage: bench.py --tonnx PATH --floor PATH [--rounds N] [--only WORD] [--threads 1,2] [--json FILE]

run.sh builds what this needs and calls it; README.md says how to read the result. It judges nothing: exit 0 unless a contestant
fails or two disagree about the loss.
"""
import argparse
import ctypes
import ctypes.util
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from workloads import WORKLOADS

HERE = Path(__file__).resolve().parent
TONNX, PEERS = "tonnx", ["eager", "compile", "one-graph"]
# A kernel chosen by the environment would measure something that users do not get.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}


def call(*arguments):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


class Peer:
    """A PyTorch process that waits for its turn (its threads sleep meanwhile)."""

    def __init__(self, folder, work, kind, threads):
        self.name, self.threads, self.rates = kind, threads, []
        self.work = work
        self.process = subprocess.Popen([sys.executable, str(HERE / "peer.py"), folder, work.name, kind, str(threads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        ready = self.read()
        self.start, self.loss = ready["start"], ready["loss"]

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name}, {self.threads} threads: ended with {self.process.wait()}")
        return json.loads(line)

    def measure(self):
        print(self.work.epochs, file=self.process.stdin, flush=True)
        self.rates.append(self.work.samples * self.work.epochs / self.read()["seconds"])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Tonnx:
    """The command itself, started anew in each round; its first epoch warms the caches and is not counted."""

    def __init__(self, folder, work, path, threads):
        self.name, self.threads, self.rates, self.work = TONNX, threads, [], work
        self.log = Path(folder) / "log.jsonl"
        self.command = [path, "train", f"{folder}/model.onnx", "--data", f"{folder}/x.npy", "--target", f"{folder}/y.npy",
                        "-o", f"{folder}/trained.onnx", "--loss", work.loss, "--optimizer", work.optimizer, "--lr", work.rate,
                        "--batch", work.batch, "--no-shuffle", "--backend", "cpu", "--threads", threads, "--log", self.log]
        steps = work.samples // work.batch
        self.events("--epochs", -(-work.checked // steps), "--steps", work.checked, "--log-every", 1)
        story = self.read()
        self.loss = [e["loss"] for e in story if e["event"] == "step"][-1]
        self.start = None

    def events(self, *more):
        call(*self.command, *more)

    def read(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def measure(self):
        self.events("--epochs", 1 + self.work.epochs)
        epochs = [e for e in self.read() if e["event"] == "epoch"][1:]
        self.rates.append(self.work.samples * len(epochs) / sum(e["seconds"] for e in epochs))

    def close(self):
        pass


def data(folder, work):
    random = np.random.default_rng(1)
    x = random.standard_normal((work.samples, work.dims[0]), dtype=np.float32)
    teacher = random.standard_normal((work.dims[0], work.dims[-1]), dtype=np.float32)
    truth = x @ teacher / np.sqrt(work.dims[0], dtype=np.float32)
    np.save(f"{folder}/x.npy", x)
    np.save(f"{folder}/y.npy", np.argmax(truth, axis=1) if work.loss == "cross-entropy" else truth)


class Floor:
    """The machine's best, over all rounds: what it can do is the most it was seen to do."""

    def __init__(self, path, threads):
        self.path, self.threads, self.best = path, threads, {}

    def measure(self):
        seen = json.loads(call(self.path, self.threads))
        self.isa = seen["isa"]
        for run in seen["runs"]:
            flops, bandwidth = self.best.get(run["threads"], (0, 0))
            self.best[run["threads"]] = (max(flops, run["flops"]), max(bandwidth, run["bandwidth"]))

    def of(self, work, cache):
        return work.floor(*self.best[self.threads], cache)


def contest(work, options, floor):
    """All contestants of one workload, turn by turn, forwards and backwards."""
    folder = tempfile.mkdtemp(prefix="tonnx-bench-", dir=options.folder)
    try:
        data(folder, work)
        call(sys.executable, HERE / "peer.py", folder, work.name, "export")
        fields = [Tonnx(folder, work, options.tonnx, t) for t in options.threads]
        fields += [Peer(folder, work, kind, t) for kind in options.peers for t in options.threads]
        for turn in range(options.rounds):
            floor.measure()
            for field in fields if turn % 2 == 0 else reversed(fields):
                field.measure()
        for field in fields:
            field.close()
        return fields
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def plural(threads):
    return f"{threads} thread{'s' if threads > 1 else ''}"


def best(fields, name):
    return max((f for f in fields if f.name == name), key=lambda f: statistics.median(f.rates))


def report(work, fields, floor, cache):
    """Prints one workload; returns its numbers and whether the losses agree."""
    limit, kind = floor.of(work, cache)
    print(f"\n{work.name}   floor {limit:,.0f} samples/s ({kind}-bound)")
    for field in fields:
        middle = statistics.median(field.rates)
        start = f", first step after {field.start:.1f} s" if field.start is not None else ""
        print(f"  {field.name:<10}{plural(field.threads):<10}{middle:>12,.0f} samples/s"
              f"  ({min(field.rates):,.0f} to {max(field.rates):,.0f}), {100 * middle / limit:.0f} % of the floor{start}")
    ours = best(fields, TONNX)
    mine, result = statistics.median(ours.rates), {"floor": limit, "bound": kind, "tonnx": statistics.median(ours.rates)}
    for name in dict.fromkeys(f.name for f in fields if f.name != TONNX):
        result[name] = statistics.median(best(fields, name).rates)
        print(f"  tonnx / {name:<10} {mine / result[name]:6.2f} ×   (best number of threads each)")
    losses = [f.loss for f in fields]
    agree = max(losses) - min(losses) <= 0.01 * abs(losses[0])
    print(f"  loss after {work.checked} steps: {min(losses):.5g} to {max(losses):.5g}, {'agree' if agree else 'THEY DISAGREE'}")
    return result, agree


def processor():
    try:
        return next(line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def last_cache():
    """Bytes of the greatest cache that the system reports; 32 MiB where it does not."""
    sizes = [int(p.read_text().strip().rstrip("K")) << 10 for p in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
             if p.read_text().strip().endswith("K")]
    return max(sizes, default=32 << 20)


def blas_core():
    """The kernels that OpenBLAS chooses here, as the command gets them: asked in a process without the overrides."""
    name = ctypes.util.find_library("openblas") or "libopenblas.so.0"
    ask = f"import ctypes; f = ctypes.CDLL({name!r}).openblas_get_corename; f.restype = ctypes.c_char_p; print(f().decode())"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, env=ENVIRONMENT)
    return done.stdout.strip() or "unknown"


def parse():
    parser = argparse.ArgumentParser(description="tonnx train beside PyTorch")
    parser.add_argument("--tonnx", required=True)
    parser.add_argument("--floor", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="workloads whose name holds this")
    parser.add_argument("--threads", default="1,2", type=lambda text: [int(t) for t in text.split(",")])
    parser.add_argument("--peers", default=",".join(PEERS), type=lambda text: [p for p in text.split(",") if p])
    parser.add_argument("--folder", help="where the data of a run is kept meanwhile (600 MB)")
    parser.add_argument("--json", help="also write the numbers here")
    return parser.parse_args()


def main():
    options = parse()
    floor, cache, good, results = Floor(options.floor, max(options.threads)), last_cache(), True, {}
    floor.measure()
    print(f"{processor()}, {os.cpu_count()} processors, {floor.isa}, last cache {cache >> 20} MiB; OpenBLAS core {blas_core()}; "
          f"{call(options.tonnx, 'version').splitlines()[0]}; {options.rounds} rounds")
    if os.getloadavg()[0] > 0.5:
        print(f"load {os.getloadavg()[0]:.1f} before the start: other work runs here, and the numbers mean little")
    for work in WORKLOADS:
        if options.only in work.name:
            fields = contest(work, options, floor)
            results[work.name], agree = report(work, fields, floor, cache)
            good = good and agree
    print()
    for threads, (flops, bandwidth) in sorted(floor.best.items()):
        print(f"this machine, {plural(threads)}: {flops / 1e9:.0f} GFLOP/s, {bandwidth / 1e9:.1f} GB/s")
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
