#!/usr/bin/env python3
"""What looks at a model looks at every export: inspect, inspect --json, plan and check.

usage: exports.py TONNX EXPORTS REFUSED

A model that REFUSED lists (a name a line, then the reason) is refused by all four, with exit code 3 and nothing on
stdout; any other one by none. Where `plan` can make a program, the names of inspect are names that train's --only takes.
"""
import json
import pathlib
import subprocess
import sys

COMMANDS = (["inspect"], ["inspect", "--json"], ["plan"], ["check"])


def names_of(refused):
    lines = pathlib.Path(refused).read_text().splitlines()
    return {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}


def run(tonnx, words):
    done = subprocess.run([tonnx, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def failures(tonnx, model, is_refused):
    for command in COMMANDS:
        code, out, err = run(tonnx, [*command, str(model)])
        said = f"{' '.join(command)} {model.parent.name}: exit {code}: {err.strip() or out.strip()[:200]}"
        if is_refused:
            if code != 3 or out:
                yield said + " (want exit 3 and nothing on stdout; if it is read, take it off the list)"
        elif code > (command == ["check"]) or not out:  # a verdict is an answer; alarms.py says which are right
            yield said
        elif command == ["inspect", "--json"]:
            weights = [layer["weight"] for layer in json.loads(out)["layers"] if layer["kind"] == "dense"]
            if weights:
                code, _, err = run(tonnx, ["plan", str(model), "--only", weights[0]])
                if code:
                    yield f"plan --only {weights[0]} {model.parent.name}: exit {code}: {err.strip()}"


def main():
    tonnx, exports, refused = sys.argv[1:]
    models, out = sorted(pathlib.Path(exports).glob("*/model.onnx")), names_of(refused)
    failed = [line for model in models for line in failures(tonnx, model, model.parent.name in out)]
    print(*failed, sep="\n")
    print(f"{len(models)} models, {len(failed)} failures")
    return 1 if failed or not models else 0


if __name__ == "__main__":
    sys.exit(main())
