#!/usr/bin/env python3
"""The interop tests: tonnx beside the frameworks that its files come from.

usage: run.py --tonnx PATH [--torch] [--only PART[/CASE]]

Runs every part, as many at once as there are cores, prints a line for each and one for each failure, and ends with
`N passed, N failed`. --torch adds the parts that need PyTorch. CASE may hold * and ?. Exit 1 where something failed.
"""
import argparse
import concurrent.futures
import importlib
import os
import sys
import time

from common import Suite

# in this order: what the later ones rely on comes first
PARTS = ["exports", "inference", "random_mlps", "train_fixtures", "lossless", "storage", "batch", "convert", "seeds", "scaling",
         "new_activation", "torch_back", "torch_random"]
NEEDS_TORCH = {"torch_back", "torch_random"}
LONG = {"train_fixtures", "new_activation", "torch_random"}  # begun first


def run_part(name, tonnx, case):
    """(passed, failed, lines to print)"""
    suite = Suite(tonnx, case)
    start = time.time()
    try:
        importlib.import_module(name).run(suite)
    finally:
        suite.close()
    lines = [f"{name}: {suite.passed} passed, {len(suite.failures)} failed ({time.time() - start:.1f} s)"]
    lines += [f"  {line}" for line in suite.notes] + [f"  FAIL {name}/{line}" for line in suite.failures]
    return suite.passed, len(suite.failures), lines


def run_parts(names, tonnx, case):
    """(passed, failed) of all; each is told of in its turn, though others may be done before."""
    passed = failed = 0
    with concurrent.futures.ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        order = sorted(names, key=lambda name: name not in LONG)
        begun = {name: pool.submit(run_part, name, tonnx, case) for name in order}
        for name in names:
            good, bad, lines = begun[name].result()
            print("\n".join(lines), flush=True)
            passed, failed = passed + good, failed + bad
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description="tonnx beside onnx, onnxruntime and PyTorch")
    parser.add_argument("--tonnx", required=True, help="the command to test")
    parser.add_argument("--torch", action="store_true", help="also the parts that need PyTorch")
    parser.add_argument("--only", default="", metavar="PART[/CASE]", help="one part, or one case of it")
    options = parser.parse_args()
    if not os.access(options.tonnx, os.X_OK):
        parser.error(f"{options.tonnx} is no command")
    part, _, case = options.only.partition("/")
    if part and part not in PARTS:
        parser.error(f"no part {part}; there are {', '.join(PARTS)}")
    wanted = [name for name in PARTS if name == part or (not part and (options.torch or name not in NEEDS_TORCH))]
    passed, failed = run_parts(wanted, options.tonnx, case or "*")
    if passed + failed == 0:
        print(f"--only {options.only} matches no case")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
