#!/usr/bin/env python3
"""Draws what encoder.py --json wrote as horizontal bars: batches (tokens/s) and one text (ms).

    python3 Benchmarks/bars.py Benchmarks/results/encoder.json

Writes encoder-batches.svg and encoder-text.svg beside it. Bars are medians; the mark is the best run.
"""

import json
import sys
from html import escape
from pathlib import Path

ROW, LABELS, BARS, FIGURES = 26, 330, 400, 110
COLOURS = {"vbert": {"fp32": "#2f6fb0", "int8": "#174a7c"}, "peer": {"fp32": "#b5b5b5", "int8": "#8a8a8a"}}


def bars(title, note, lines, unit):
    longest = max(max(line["median"], line["best"]) for line in lines)
    width, height = LABELS + BARS + FIGURES, ROW * len(lines) + 64
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           'font-family="sans-serif" font-size="13">',
           f'<rect width="{width}" height="{height}" fill="white"/>',
           f'<text x="10" y="22" font-size="15" font-weight="bold">{escape(title)}</text>']
    for i, line in enumerate(lines):
        y = 36 + i * ROW
        length = BARS * line["median"] / longest
        best = LABELS + BARS * line["best"] / longest
        side = "vbert" if line["engine"] == "vbert" else "peer"
        figure = (f'{line["median"]:,.0f}' if unit == "tokens/s" else f'{line["median"]:.2f}')
        out += [
            f'<text x="{LABELS - 8}" y="{y + 16}" text-anchor="end">{escape(line["name"])}</text>',
            f'<rect x="{LABELS}" y="{y + 3}" width="{length:.1f}" height="{ROW - 8}" '
            f'fill="{COLOURS[side][line["precision"]]}"/>',
            f'<line x1="{best:.1f}" x2="{best:.1f}" y1="{y + 1}" y2="{y + ROW - 3}" stroke="black"/>',
            f'<text x="{max(LABELS + length, best) + 6:.1f}" y="{y + 16}">{figure} {unit}</text>']
    out += [f'<text x="10" y="{height - 10}" fill="#555" font-size="11">{escape(note)}</text>', "</svg>"]
    return "\n".join(out) + "\n"


def main():
    path = Path(sys.argv[1])
    run = json.loads(path.read_text())
    note = (f'{run["processor"]}, {run["threads"]} threads; {run["sentences"]} sentences of '
            f'{run["tokens"] / run["sentences"]:.0f} tokens, batches of {run["batch"]}; median of '
            f'{run["rounds"]} rounds, mark: best')
    for what, title, unit in [("batches", "MiniLM-L6, tokens a second", "tokens/s"),
                              ("single", "MiniLM-L6, one text of 16 tokens", "ms")]:
        lines = sorted((line for line in run["lines"] if line["what"] == what),
                       key=lambda line: line["median"], reverse=unit == "tokens/s")
        name = "batches" if what == "batches" else "text"
        path.with_name(f"{path.stem}-{name}.svg").write_text(bars(title, note, lines, unit))


if __name__ == "__main__":
    main()
