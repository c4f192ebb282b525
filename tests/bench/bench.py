#!/usr/bin/env python3
"""tonnx beside its peers: the same weights and batches, data resident, turns interleaved; one table at the end.

usage: bench.py --tonnx PATH --native PATH --floor PATH --jax PYTHON --keras PYTHON [--rows C1,C10] [--quick] [--json FILE]

run.sh builds what this needs and calls it; README.md says how to read the result. It judges nothing: exit 0 unless a contestant
fails or two disagree about the loss.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from contest import ENVIRONMENT, best, call
from machine import Floor, processor
from rows import rows
from workloads import GROUPS


class Tools:
    """The commands that rows use. A Python that lacks its framework is left out, which is said."""

    def __init__(self, options):
        self.tonnx, self.native, self.python = options.tonnx, options.native, {"torch": sys.executable}
        for name, path, module in (("jax", options.jax, "jax"), ("keras", options.keras, "keras, tensorflow")):
            if path and not subprocess.run([path, "-c", f"import {module}"], capture_output=True, env=ENVIRONMENT).returncode:
                self.python[name] = path
            else:
                print(f"{module}: not to be had here, so {name} takes no part")
        self.floor = Floor(options.floor, max(options.threads))

    def python_of(self, kind):
        return self.python.get({"PyTorch": "torch", "JAX": "jax", "Keras": "keras"}[GROUPS[kind]])


def amount(row, seconds):
    """A time in the row's unit."""
    if "/s" in row.unit:
        return f"{1 / seconds / (1e6 if 'MB' in row.unit else 1):,.0f}"
    scale = 1e3 if row.unit == "ms" else 1e6
    return f"{scale * seconds:,.1f}" if scale * seconds < 100 else f"{scale * seconds:,.0f}"


def span(row, field):
    return f"{amount(row, field.median)} ({amount(row, min(field.times))} to {amount(row, max(field.times))})"


def ratios(row):
    """[(against whom, how many times faster, how many are to be reached)]"""
    found, groups = [], list(dict.fromkeys(f.group for f in row.fields if not f.name.startswith("tonnx")))
    ours = best(row.fields, "tonnx").median if row.fields else 0
    for group in groups:
        found.append((group, best(row.fields, group).median / ours, row.reach.get(group)))
    if "any" in row.reach and groups:
        name, ratio, _ = min(found, key=lambda f: f[1])
        found.append((f"best: {name}", ratio, row.reach["any"]))
    return found


def report(row):
    print(f"\n{row.row}  {row.name}" + (f"   [{row.unit}]" if row.unit else ""))
    for field in row.fields:
        share = f", {100 * row.floor / field.median:.0f} % of the floor" if row.floor else ""
        print(f"  {field.title:<44}{span(row, field)}{share}")
    if row.floor:
        print(f"  {'floor, ' + row.bound + '-bound':<44}{amount(row, row.floor)}")
    for name, ratio, reach in ratios(row):
        print(f"  tonnx / {name:<36}{ratio:6.2f} ×" + (f"   (to reach: {reach})" if reach else ""))
    for note in row.notes:
        print(f"  {note}")
    sys.stdout.flush()


def record(row):
    fields = [{"name": f.name, "threads": f.threads, "group": f.group, "median": f.median, "least": min(f.times),
               "most": max(f.times)} for f in row.fields]
    return {"row": row.row, "name": row.name, "unit": row.unit, "fields": fields, "floor": row.floor, "bound": row.bound,
            "ratios": [{"against": n, "ratio": r, "reach": t} for n, r, t in ratios(row)], "notes": row.notes}


def print_table(done):
    """The whole, as Markdown."""
    print("\n| # | workload | tonnx | peers at their best | ratio | floor | share |\n|---|---|---|---|---|---|---|")
    for row in (r for r in done if r.fields):
        ours = best(row.fields, "tonnx")
        groups = list(dict.fromkeys(f.name for f in row.fields if not f.name.startswith("tonnx")))
        peers = " · ".join(f"{g} {amount(row, best(row.fields, g).median)}" for g in groups)
        ratio = " · ".join(f"{name} {value:.2f}×" + (f" (≥ {reach})" if reach else "") for name, value, reach in ratios(row))
        share = f"{100 * row.floor / ours.median:.0f} %" + (f" (≥ {100 * row.share:.0f})" if row.share else "") if row.floor else ""
        print(f"| {row.row} | {row.name} | **{span(row, ours)}** {row.unit} | {peers} | {ratio} "
              f"| {amount(row, row.floor) if row.floor else ''} | {share} |")
    for row in (r for r in done if not r.fields):
        print(f"\n{row.row}, {row.name}:")
        for note in row.notes:
            print(f"- {note}")


def numbers(text):
    return [int(t) for t in text.split(",")]


def parse():
    parser = argparse.ArgumentParser(description="tonnx beside its peers")
    for tool in ("tonnx", "native", "floor"):
        parser.add_argument(f"--{tool}", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--jax", help=argparse.SUPPRESS)
    parser.add_argument("--keras", help=argparse.SUPPRESS)
    parser.add_argument("--rows", default="", help="C1,C10: only these")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="two rounds, and of the peers only PyTorch's usual loop")
    parser.add_argument("--threads", default=f"1,{os.cpu_count()}" if os.cpu_count() > 1 else "1", type=numbers)
    parser.add_argument("--peers", default=",".join(GROUPS), type=lambda text: text.split(","))
    parser.add_argument("--folder", help="where the data of a run is kept meanwhile (600 MB)")
    parser.add_argument("--json", help="also write the numbers here")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.peers = 2, ["eager"]
    wanted = [w for w in options.rows.split(",") if w]
    options.wants = lambda row: not wanted or row in wanted
    return options


def main():
    options, done = parse(), []
    tools = Tools(options)
    print(f"{processor()}, {os.cpu_count()} processors, {tools.floor.isa}, last cache {tools.floor.cache >> 20} MiB; "
          f"{call(options.tonnx, 'version').splitlines()[0]}; {options.rounds} rounds")
    if os.getloadavg()[0] > 0.5:
        print(f"load {os.getloadavg()[0]:.1f} before the start: other work may run here, and then the numbers mean little")
    folder = tempfile.mkdtemp(prefix="tonnx-bench-", dir=options.folder)
    try:
        for row in rows(tools, options, folder):
            report(row)
            done.append(row)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print_table(done)
    print()
    for line in tools.floor.lines():
        print(f"this machine, {line}")
    if options.json:
        Path(options.json).write_text(json.dumps([record(row) for row in done], indent=1) + "\n")
    return 0 if all(row.agree for row in done) else 1


if __name__ == "__main__":
    sys.exit(main())
