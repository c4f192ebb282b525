#!/usr/bin/env python3
"""Runs transcripts: what a user types, and what tonnx must answer.

usage: transcripts.py --tonnx PATH --data FOLDER [--write] FILE...

A transcript is text. A line `$ command` is run by sh in a folder of the transcript's own, where $DATA is tests/data and
tonnx the command under test. The lines below it are its output, stdout and stderr together; `...` in a line stands for any
text, a line of `...` alone for any lines. `[N]` as the last line is the exit code where it is not 0. Lines that begin
with `#` are for the reader; but where the first one ends with `only where: COMMAND` and that fails, nothing is run: the exit
code is 77 then, in CI 1. --write puts the present output into the file, for a person to look through.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def blocks(text):
    """[(comment lines and blanks before, command, expected lines)]"""
    found, before = [], []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((before, line[2:], []))
            before = []
        elif line.startswith("#") or (not line and not found):
            before.append(line)
        elif found and not before:
            found[-1][2].append(line)
        elif line:
            raise ValueError(f"output line without a command: {line}")
    return found, before


def pattern_of(lines):
    parts = []
    for line in lines:
        if line == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*?".join(re.escape(piece) for piece in line.split("...")) + r"\n")
    return re.compile("".join(parts))


def run(command, folder, environment):
    """Output lines, with the exit code's line where it is not 0."""
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return lines + ([f"[{done.returncode}]"] if done.returncode else [])


def fits(file, text, environment):
    """Whether it can be run on this machine."""
    first = text.split("\n", 1)[0].partition("only where: ")[2]
    if not first or not run(first, ".", environment)[-1:] == ["[5]"]:
        return True
    print(f"{file.name}: skipped, `{first}` fails")
    return False


def strip(lines):
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines


def check(file, environment, write):
    failures = 0
    found, tail = blocks(file.read_text(encoding="utf-8"))
    fresh = []
    with tempfile.TemporaryDirectory() as folder:
        for before, command, expected in found:
            got = run(command, folder, environment)
            good = pattern_of(strip(expected)).fullmatch("".join(line + "\n" for line in strip(got)))
            fresh += [*before, f"$ {command}", *(expected if good else [*got, ""])]
            if not good:
                failures += 1
                print(f"FAIL {file.name}: $ {command}\n--- expected\n" + "\n".join(strip(expected)) + "\n--- got\n" + "\n".join(got))
    if write and failures:
        file.write_text("\n".join([*fresh, *tail]).rstrip() + "\n", encoding="utf-8")
    print(f"{file.name}: {len(found) - failures} passed, {failures} failed")
    return failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tonnx", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    environment = os.environ | {"DATA": str(pathlib.Path(options.data).resolve()), "LC_ALL": "C.UTF-8",
                                "PATH": f"{pathlib.Path(options.tonnx).resolve().parent}:{os.environ['PATH']}"}
    fitting = [file for file in options.files if fits(file, file.read_text(encoding="utf-8"), environment)]
    failures = sum(check(file, environment, options.write) for file in fitting)
    if not fitting:
        return 1 if os.environ.get("CI") == "true" else 77
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
