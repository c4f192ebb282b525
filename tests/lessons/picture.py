#!/usr/bin/env python3
"""Takes one figure out of a report as an SVG file of its own, which follows light and dark as the report does.

usage: picture.py PAGE.html TITLE [N] > FIGURE.svg        the N-th figure of that title [1]
"""
import re
import sys


def figure(page, title, which):
    figures = [f for f in re.findall(r"<figure>.*?</figure>", page, re.S) if f"<h3>{title}</h3>" in f]
    return re.findall(r'<svg class="(?:plot|rows|map)".*?</svg>', figures[which - 1], re.S)[0]


def style(page):
    """The rules that pictures use: the variables of light and dark, and what is said of SVG's own elements."""
    sheet = re.search(r"<style>(.*?)@media print", page, re.S)[1].strip()
    colours = re.match(r":root\{.*?\}\n@media.*?\}\}", sheet, re.S)[0]
    rules = [r for r in re.findall(r"[^{}]+\{[^{}]*\}", sheet[len(colours):])
             if re.match(r"\s*(svg |\.(grid|axis|zero|mark|c|c\d[^{]*|f\d|dash|thin|hill|want|band|map)\b)", r)]
    return colours + "".join(rules)


def main():
    page = open(sys.argv[1], encoding="utf-8").read()
    svg = figure(page, sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()
    ground = "var(--card)"
    if 'class="map"' in svg:  # cells are stretched
        width, height, ground = "400", "180", "#000"
        svg = re.sub(r' style="height:\d+px"', "", svg)
    font = "font:11px system-ui,'DejaVu Sans',sans-serif"
    svg = re.sub(r"(<svg [^>]*)>", rf'\1 xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
                 rf'style="background:{ground};{font}"><style>{style(page)}</style>', svg, count=1)
    sys.stdout.write(svg + "\n")


main()
