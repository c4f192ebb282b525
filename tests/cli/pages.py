#!/usr/bin/env python3
"""Writes every report and checks that it is one whole, self-contained page: tags that close, no script, nothing fetched,
each picture named, every coordinate a number within its picture, and a size within bounds.

usage: pages.py TONNX DATA
"""
import html.parser
import pathlib
import re
import subprocess
import sys
import tempfile

VOID = {"meta", "br", "hr", "link", "img", "input"}
LIMIT = 2 << 20  # bytes
DIVERGED = 6


class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.problems, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing, line {self.getpos()[0]}")


def outside(d, width, height):
    """Coordinates of a path of absolute moves and lines that lie outside its picture."""
    for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", d):
        if not (-1 <= float(x) <= width + 1 and -30 <= float(y) <= height + 1):
            return (x, y)
    return None


def problems_of(text):
    reader = Reader()
    reader.feed(text)
    found = list(reader.problems)
    if reader.open:
        found.append(f"left open: {reader.open}")
    box = (0, 0)
    for tag, attrs in reader.tags:
        if tag in ("script", "link", "img", "iframe") or any(a in attrs for a in ("src", "href", "onclick")):
            found.append(f"<{tag}> is not self-contained")
        if tag == "svg":
            box = [float(n) for n in attrs["viewbox"].split()[2:]]
            if attrs.get("aria-hidden") != "true" and not (attrs.get("role") == "img" and attrs.get("aria-label")):
                found.append("a picture without a name")
        for name in ("d", "x", "y", "width", "height", "cx", "cy"):
            if re.search(r"nan|inf", attrs.get(name, "")):
                found.append(f"<{tag} {name}={attrs[name][:60]}> is not a number")
        if tag == "path" and (where := outside(attrs["d"], *box)):
            found.append(f"a path leaves its picture at {where}")
    for wanted in ("<!DOCTYPE html>", 'lang="en"', "prefers-color-scheme:dark", "@media print", 'name="viewport"'):
        if wanted not in text:
            found.append(f"lacks {wanted}")
    if re.search(r"https?://", text):
        found.append("names another site")
    if len(text) > LIMIT:
        found.append(f"{len(text)} bytes")
    return found


def main():
    tonnx, data = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    case = data / "train/sgd-tanh-ce"
    here = [str(case / "model.onnx"), "--data", str(case / "x.npy"), "--target", str(case / "y.npy"), "-q"]
    pages = {
        "ops": ["ops"],
        "lr-find": ["lr-find", *here],
        "lr-find-torn": ["lr-find", *here, "--optimizer", "sgd", "--last", "1e30", "--stop", "0"],
    }
    pages["train-flow"] = ["train", "wide.onnx", *here[1:], "--optimizer", "sgd", "--lr", "3", "--stats-every", "2"]
    for name in "fashion-tanh-all-normal", "relu-dead-units", "selu-lecun-12":
        probe = data / "stats" / name
        pages["inspect-" + name] = ["inspect", str(probe / "model.onnx"), "--data", str(probe / "x.npy"), "--target",
                                    str(probe / "y.npy"), "-q"]
    pages["inspect-no-data"] = ["inspect", here[0], "--spectral"]
    pages["train"] = ["train", *here, "--val-split", "0.2", "--epochs", "30", "--schedule", "cosine"]
    pages["train-interval"] = ["train", *here, "--epochs", "1000", "--log", "log.jsonl", "--log-every", "20"]
    pages["train-torn"] = ["train", *here, "--optimizer", "sgd", "--lr", "1e38"]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        deep = pathlib.Path(folder, "deep <b>&\"x\".onnx")  # 80 layers that fade: rows are left out, and 26 orders are one axis
        widths = "-".join(["12"] * 81)
        subprocess.run([tonnx, "new", widths, "--act", "sigmoid", "-o", deep, "-q"], check=True)
        widths = "10-" + "9-" * 9 + "4"  # more layers than a chart has colours, some units dead
        subprocess.run([tonnx, "new", widths, "-o", pathlib.Path(folder, "wide.onnx"), "-q"], check=True)
        pages["inspect-deep"] = ["inspect", deep, "--data", "gaussian:200", "-q"]
        for name, words in pages.items():
            path = pathlib.Path(folder, name + ".html")
            words = [*words, "-o", "out.onnx"] if words[0] == "train" else words
            done = subprocess.run([tonnx, *words, "--html", path], capture_output=True, text=True, timeout=60,
                                  cwd=folder)
            wanted = DIVERGED if name == "train-torn" else 0
            found = [f"exit {done.returncode}: {done.stderr}"] if done.returncode != wanted else problems_of(path.read_text("utf-8"))
            failed += bool(found)
            for line in found[:8]:
                print(f"{name}: {line}")
            if not found:
                print(f"{name}: {path.stat().st_size:,} bytes, good")
    sys.exit(failed > 0)


main()
