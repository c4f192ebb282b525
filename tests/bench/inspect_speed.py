#!/usr/bin/env python3
"""How fast inspect reads weights: a model of 100 million parameters, measured on one core.

usage: inspect_speed.py TONNX [ROUNDS]

Weights are swept twice, for their moments and for their histograms. The best round's times, and bytes of weights per
second: of computing (user time, which is both sweeps), and of computing and reading the file into memory.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

WIDTHS = "10000-5000-5000-5000"
PARAMETERS = 100_015_000


def times(words):
    """Wall and CPU seconds of a process: (wall, user, system)."""
    begin = os.times()
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    end = os.times()
    return end.elapsed - begin.elapsed, end.children_user - begin.children_user, end.children_system - begin.children_system


def main():
    tonnx, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "big.onnx"
        subprocess.run([tonnx, "new", WIDTHS, "-o", model, "--quiet"], check=True)
        found = [times([tonnx, "inspect", model, "--threads", "1", "--quiet"]) for _ in range(rounds + 1)][1:]
    gigabytes = 4e-9 * PARAMETERS
    wall, user, system = (min(column) for column in zip(*found))
    print(f"inspect of {PARAMETERS:,} parameters on one core: {wall:.2f} s, of which {user:.2f} s computing "
          f"({gigabytes / user:.1f} GB/s, two sweeps) and {system:.2f} s reading the file; together "
          f"{gigabytes / (user + system):.1f} GB/s")


if __name__ == "__main__":
    main()
