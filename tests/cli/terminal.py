#!/usr/bin/env python3
"""inspect and check on a terminal of 80 columns: no line of a table is wider, a FAIL is red; off it, plain text.

usage: terminal.py TONNX DATA
"""
import os
import pathlib
import pty
import re
import subprocess
import sys

COLUMNS = 80


def on_terminal(*words):
    """What a terminal gets."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": ""}
    child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=slave, stderr=subprocess.DEVNULL, env=environment)
    os.close(slave)
    parts = []
    while True:
        try:
            parts.append(os.read(master, 65536))
        except OSError:  # the other end is closed
            break
        if not parts[-1]:
            break
    os.close(master)
    child.wait()
    return b"".join(parts).decode().replace("\r\n", "\n")


def piped(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()


def too_wide(text):
    """Lines but for the head, which names files, and for commands to paste."""
    lines = [re.sub(r"\x1b\[[0-9;]*[mK]", "", line) for line in text.split("\n")]
    lines = lines[lines.index("") if "" in lines else 0:]
    return [line for line in lines if len(line) > COLUMNS and "mend it: " not in line]


def failures(tonnx, data):
    models = [*sorted(data.glob("train/*/model.onnx")), *sorted(data.glob("exports/k*-act-*/model.onnx"))]
    for model in models:
        options = ["--data", "gaussian:64"]
        wide = too_wide(on_terminal(tonnx, "inspect", model, *options))
        if wide:
            yield f"{model.parent.name}: {len(wide)} lines are wider than {COLUMNS}: {wide[0]}"
    sick = data / "stats/fashion-tanh-all-normal/model.onnx"
    for command in "inspect", "check":
        if "\x1b[31mFAIL" not in on_terminal(tonnx, command, sick):
            yield f"{command}: no red FAIL on a terminal"
        if "\x1b" in piped(tonnx, command, sick):
            yield f"{command}: colour in a pipe"
    print(f"{len(models)} models fit {COLUMNS} columns")


def main():
    wrong = list(failures(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])))
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
