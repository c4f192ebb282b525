#!/usr/bin/env python3
"""Statistics during training (--stats-every) with --backend vulkan: as many events as on the CPU, with the same names and, but
for rounding, the same numbers.

usage: stats.py TONNX FIXTURES      exit 77 where there is no device, in CI 1
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

CASES = ("sgd-tanh-ce", "bn-after-linear-sgd", "adagrad-prelu", "layernorm-gelu-adamw-cosine", "bce-logits")
NEAR = 2e-4  # of the larger; and of 1e-3, where numbers are nearly 0


def events(tonnx, case, backend, folder):
    log = folder / f"{backend}.jsonl"
    done = subprocess.run([tonnx, "train", case / "model.onnx", "--data", case / "x.npy", "--target", case / "y.npy", "--steps", "12",
                           "--optimizer", "sgd", "--lr", "0.01", "--stats-every", "4", "--log", log, "--backend", backend,
                           "-o", folder / "out.onnx", "--quiet"], capture_output=True, text=True, check=False)
    if done.returncode == 5:
        print(done.stderr.strip())
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    if done.returncode:
        sys.exit(f"{case.name} on {backend}: exit {done.returncode}: {done.stderr}")
    return [event for event in map(json.loads, log.read_text().splitlines()) if event["event"] == "stats"]


def apart(a, b, where):
    """[what differs]"""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return [d for key in a for d in apart(a[key], b[key], f"{where}.{key}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [d for i, (x, y) in enumerate(zip(a, b)) for d in apart(x, y, f"{where}[{i}]")]
    numbers = all(isinstance(v, (int, float)) for v in (a, b))
    good = abs(a - b) <= NEAR * max(abs(a), abs(b), 1e-3) if numbers else a == b
    return [] if good else [f"{where}: cpu {a}, vulkan {b}"]


def main():
    tonnx, fixtures = sys.argv[1], pathlib.Path(sys.argv[2])
    found, numbers = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for name in CASES:
            cpu, vulkan = (events(tonnx, fixtures / name, backend, pathlib.Path(folder)) for backend in ("cpu", "vulkan"))
            found += [f"{name}: {len(cpu)} events"] if len(cpu) != 3 else []
            found += apart(cpu, vulkan, name)
            numbers += json.dumps(cpu).count(":")
    print("\n".join(found + [f"{len(CASES)} runs, {numbers} numbers and names, {len(found)} apart"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
