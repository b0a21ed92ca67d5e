#!/usr/bin/env python3
"""Token lengths of real texts, for `vbert bench gpu --lengths FILE`.

    python3 Benchmarks/lengths.py --out lengths.txt [--base minilm] [--home DIR]

Samples the same number of test texts from every task in ../shared/data/cls, tokenises them with
`vbert tokenize` (cut at 128 tokens) and writes one length a line, shuffled with a fixed seed.
"""

import argparse
import gzip
import json
import random
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def texts(shared, each):
    rng = random.Random(1)
    for path in sorted(shared.glob("data/cls/*/test.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [row for row in (json.loads(line).get("text") for line in file) if row]
        yield from rng.sample(rows, min(each, len(rows)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/vbert")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--base", default="minilm")
    parser.add_argument("--home")
    parser.add_argument("--each", type=int, default=200, help="texts a task")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for text in texts(options.shared, options.each):
            file.write(json.dumps({"text": text}) + "\n")
        file.flush()
        command = [options.program, "tokenize", "--base", options.base, "--data", file.name]
        command += ["--max-length", "128"] + (["--home", options.home] if options.home else [])
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    lengths = [len(json.loads(line)["ids"]) for line in out.splitlines()]
    random.Random(2).shuffle(lengths)
    options.out.write_text("".join(f"{length}\n" for length in lengths))
    print(f"{len(lengths)} texts: mean {statistics.mean(lengths):.1f} tokens, "
          f"median {statistics.median(lengths)}, longest {max(lengths)}")


if __name__ == "__main__":
    main()
