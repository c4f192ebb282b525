#!/usr/bin/env python3
"""No name of the Vulkan API stands outside vulkan/: neither in the sources nor among the symbols of what is built, which
opens the loader at run time and links nothing of it.

usage: names.py SOURCE BINARY...      prints where one does; exit 1 then
"""
import pathlib
import re
import subprocess
import sys

NAME = re.compile(r"\b(Vk[A-Z]\w*|vk[A-Z]\w*|VK_\w+|PFN_vk\w*)\b|[<\"]vulkan/vulkan\.h|libvulkan")
FOLDERS = ("format", "runtime", "converters", "cli")


def in_sources(root):
    """[file:line: name], and how many files were read."""
    files = [file for folder in FOLDERS for file in sorted((root / folder).rglob("*"))
             if file.suffix in (".c", ".h", ".def", ".cmake", ".proto")]
    found = [f"{file.relative_to(root)}:{number}: {match.group()}"
             for file in files
             for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
             for match in NAME.finditer(line)]
    return found, len(files)


def in_symbols(binary):
    listed = subprocess.run(["nm", "--dynamic", binary], capture_output=True, text=True, check=True).stdout
    names = [line.split()[-1].split("@")[0] for line in listed.splitlines()]
    needed = subprocess.run(["readelf", "--dynamic", binary], capture_output=True, text=True, check=True).stdout
    return [f"{binary}: {name}" for name in names if re.match(r"_?vk[A-Z]", name)] + \
        [f"{binary}: {line.strip()}" for line in needed.splitlines() if "NEEDED" in line and "vulkan" in line], len(names)


def main():
    found, files = in_sources(pathlib.Path(sys.argv[1]))
    symbols = 0
    for binary in sys.argv[2:]:
        more, count = in_symbols(binary)
        found += more
        symbols += count
    print("\n".join(found + [f"{files} files and {symbols} symbols, {len(found)} names of Vulkan"]))
    return 1 if found or files < 100 or symbols < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
