#!/usr/bin/env python3
"""The include star: who may include whom, and each third-party library's one home.

usage: star.py [SOURCE]      prints what breaks the rule; exit 1 where something does
"""
import pathlib
import re
import sys

# folder → what its files may include from the root; the longest folder counts. Backends stand beside each other.
MAY = {
    "runtime": {"runtime"},
    "runtime/cpu": {"runtime", "runtime/cpu"},
    "runtime/ref": {"runtime", "runtime/ref"},
    "format": {"runtime", "format"},
    "vulkan": {"runtime", "vulkan"},
    "converters": {"runtime", "format", "converters"},
    "cli": {"runtime", "format", "converters", "cli"},
}
BACKENDS = ("runtime/cpu", "runtime/ref", "vulkan")
HOMES = [
    (r"protobuf-c/|zlib\.h|zip\.h|jansson\.h|.*\.pb-c\.h", "format"),
    (r"vulkan/vulkan.*\.h", "vulkan"),
    (r"Random123/.*|check\.h|cblas\.h", "tests"),
]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def room(path):
    """The entry of MAY that a path from the root belongs to; "" for none."""
    inside = [folder for folder in {*MAY, *BACKENDS} if path.startswith(folder + "/")]
    return max(inside, key=len, default="")


def broken_by(path, bracket, included):
    if bracket == '"' and included.startswith("."):
        included = str(pathlib.PurePosixPath(path).parent / included)
        while "/../" in included:
            included = re.sub(r"[^/]+/\.\./", "", included, count=1)
    for pattern, home in HOMES:
        if re.fullmatch(pattern, included) and not path.startswith((home + "/", "tests/")):
            return f"{path}: {included} belongs to {home}/ alone"
    here, there = room(path), room(included)
    if bracket == '"' and here and there and there not in MAY[here]:
        return f"{path}: {here}/ may not include {included}"
    if here == "cli" and included.endswith("_impl.h"):
        return f"{path}: the command includes public headers only, not {included}"
    if path.endswith(".h") and not path.endswith("_impl.h") and here != "cli" and included.endswith("_impl.h") and not \
            path.startswith("runtime/ops/"):
        return f"{path}: a public header may not include {included}"
    return None


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found, files = [], 0
    for top in sorted({folder.split("/")[0] for folder in MAY}):
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in (".c", ".h", ".def", ".glsl", ".comp"):
                continue
            path = file.relative_to(root).as_posix()
            files += 1
            for bracket, included in INCLUDE.findall(file.read_text(encoding="utf-8")):
                message = broken_by(path, bracket, included)
                if message:
                    found.append(message)
    for message in found:
        print(message)
    print(f"{files} files, {len(found)} rules broken")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
