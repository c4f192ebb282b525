#!/usr/bin/env python3
"""README's op table is what `tonnx ops --markdown` prints.      usage: readme.py TONNX README"""
import pathlib
import subprocess
import sys

table = subprocess.run([sys.argv[1], "ops", "--markdown"], check=True, capture_output=True, encoding="utf-8").stdout
if table.strip() not in pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"):
    print("README's table is not the op book's; put this in its place:\n" + table)
    sys.exit(1)
