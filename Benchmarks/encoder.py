#!/usr/bin/env python3
"""Runs the same token ids through vbert's encoder and through ONNX Runtime fp32, in turns.

    pip install torch transformers tokenizers onnx onnxscript onnxruntime
    python3 Benchmarks/encoder.py --model DIR [--rounds N] [--threads 2] [--batch 32] [--no-peer]

DIR is a Hugging Face BERT directory. Sentences: test texts of ../shared/data/cls, sampled with a
fixed seed, cut at 128 tokens, in batches sorted by length; the single text has 16 tokens. Skip lines:
k = 2, rows through a warm PLOT, bottlenecks of width 64 in every upper layer, another vBERT for every
sequence of a batch, as many in rotation as said. Every line is a process of its own that waits while
the others run. Prints median and best of the rounds, and ratios to ONNX Runtime within the run;
--json writes all times.
"""

import argparse
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parent.parent


def sentences(shared, tokenizer, count):
    rng = random.Random(1)
    texts = []
    for path in sorted(shared.glob("data/cls/*/test.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line).get("text") for line in file]
        texts += rng.sample([row for row in rows if row], min(60, len(rows)))
    rng.shuffle(texts)
    ids = [tokenizer.encode(text).ids for text in texts]
    single = next(row for row in ids if len(row) == 16)
    return sorted(ids[:count], key=len), single


class Side:
    def __init__(self, command):
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        self.name = json.loads(self.process.stdout.readline())["ready"]

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/vbert")
    parser.add_argument("--shared", type=Path,
                        default=os.environ.get("VBERT_SHARED", ROOT.parent / "shared"))
    parser.add_argument("--sentences", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    tokenizer = Tokenizer.from_file(str(args.model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(128)
    ids, single = sentences(args.shared, tokenizer, args.sentences)
    batches = [ids[i : i + args.batch] for i in range(0, len(ids), args.batch)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ids.json"
        file.write_text(json.dumps({"batches": batches, "single": single}))

        def vbert(*words):
            subprocess.run([args.program, *words, "--home", folder], check=True,
                           stdout=subprocess.DEVNULL)

        vbert("base", "import", args.model, "--name", "dense")
        vbert("base", "skip", "--base", "dense", "--skip", "2", "--name", "skip2")

        def ours(base, vberts=0):
            return Side([args.program, "bench", "encoder", "--base", base, "--ids", file,
                         "--vberts", vberts, "--threads", args.threads, "--home", folder])

        dense, one = ours("dense"), ours("skip2", 1)
        many, thousand = ours("skip2", args.batch), ours("skip2", 1000)
        peer = None if args.no_peer else Side(
            [sys.executable, ROOT / "Benchmarks/peer_onnx.py", "--model", args.model, "--ids",
             file, "--threads", args.threads])

    lines = {
        "dense": (dense, "batches"),
        "skip 2, 1 vBERT": (one, "batches"),
        f"skip 2, {args.batch} vBERTs a batch": (many, "batches"),
        f"skip 2, {args.batch} a batch of 1000": (thousand, "batches"),
        "one text": (dense, "single 50"),
        "one text, skip 2": (one, "single 50"),
    }
    if peer:
        lines["ONNX Runtime, dense"] = (peer, "batches")
        lines["ONNX Runtime, one text"] = (peer, "single 50")
        a, b = dense.ask("first")["embedding"], peer.ask("first")["embedding"]
        print(f"cosine of one embedding: {sum(x * y for x, y in zip(a, b)):.7f}")
    for side, command in lines.values():
        side.ask(command)
    times = {name: [] for name in lines}
    for i in range(args.rounds):
        for name, (side, command) in lines.items():
            answer = side.ask(command)
            times[name] += answer.get("milliseconds", [answer.get("seconds")])
        if sys.stderr.isatty():
            print(f"\rround {i + 1} of {args.rounds}", end="", file=sys.stderr)

    tokens = sum(map(len, ids))
    print(f"{len(ids)} sentences of {tokens / len(ids):.1f} tokens, batches of {args.batch}, "
          f"{args.threads} threads, {args.rounds} rounds; {dense.name}"
          + (f", {peer.name}" if peer else ""))
    for name, all_times in times.items():
        median, best = statistics.median(all_times), min(all_times)
        text = "one text" in name
        figures = (f"{median:9.2f} {best:9.2f} ms" if text else
                   f"{tokens / median:9,.0f} {tokens / best:9,.0f} tokens/s")
        ratio = ""
        if peer and not name.startswith("ONNX"):
            other = times["ONNX Runtime, one text" if text else "ONNX Runtime, dense"]
            m, b = statistics.median(other), min(other)
            ratio = (f"   {median / m:.2f} / {best / b:.2f} of its time" if text else
                     f"   {m / median:.2f} / {b / best:.2f} x")
        print(f"{name:34} median, best: {figures}{ratio}")
    if args.json:
        args.json.write_text(json.dumps({"tokens": tokens, "times": times}))


if __name__ == "__main__":
    main()
