#!/usr/bin/env python3
"""Runs the same token ids through vbert's encoder and through other engines, in turns.

    pip install torch transformers tokenizers onnx onnxscript onnxruntime openvino
    python3 Benchmarks/encoder.py --model DIR [--rounds N] [--threads 2] [--batch 64] [--peers NAMES]

DIR is a Hugging Face BERT directory. Sentences: test texts of ../shared/data/cls, sampled with a
fixed seed, cut at 128 tokens, in batches sorted by length; the single text has 16 tokens. Skip lines:
k = 2, rows through a warm PLOT, bottlenecks of width 64 in every upper layer, another vBERT for every
sequence of a batch, as many in rotation as said. Every line is a process of its own that waits while
the others run. Prints median and best of the rounds, ratios to ONNX Runtime of the same precision
within the run, and the cosine of every sentence's embedding to ours in fp32; --json writes all that.
"""

import argparse
import gzip
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parent.parent
PEERS = {"onnx": "ONNX Runtime fp32", "onnx-int8": "ONNX Runtime int8",
         "openvino": "OpenVINO fp32", "torch": "PyTorch fp32"}


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
    """A process that works when asked."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{command[0]} did not start")
        self.name = json.loads(line)["ready"]

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def cosines(side, expected):
    found = side.ask("embeddings")["embeddings"]
    return [sum(x * y for x, y in zip(a, b)) for a, b in zip(found, expected)]


def summary(line, times, tokens):
    """Figures of one line: tokens/s for batches, milliseconds for a text."""
    median, best = statistics.median(times), min(times)
    if line["what"] == "batches":
        median, best = tokens / median, tokens / best
    return {**line, "median": median, "best": best}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/vbert")
    parser.add_argument("--shared", type=Path,
                        default=os.environ.get("VBERT_SHARED", ROOT.parent / "shared"))
    parser.add_argument("--sentences", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rotation", type=int, default=1000,
                        help="vBERTs of the line with many; 0 leaves it out")
    parser.add_argument("--peers", default=",".join(PEERS), help="of " + ", ".join(PEERS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--adapter", default="bottleneck:64", help="of our vBERTs")
    args = parser.parse_args()
    peers = [name for name in args.peers.split(",") if name]

    tokenizer = Tokenizer.from_file(str(args.model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(128)
    ids, single = sentences(args.shared, tokenizer, args.sentences)
    batches = [ids[i : i + args.batch] for i in range(0, len(ids), args.batch)]
    lines, sides = [], {}

    def add(side, name, engine, precision, what, base="dense"):
        lines.append({"name": name, "engine": engine, "precision": precision, "what": what,
                      "base": base})
        sides[name] = side

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ids.json"
        file.write_text(json.dumps({"batches": batches, "single": single}))

        def vbert(*words):
            subprocess.run([args.program, *words, "--home", folder], check=True,
                           stdout=subprocess.DEVNULL)

        vbert("base", "import", args.model, "--name", "dense")
        vbert("base", "skip", "--base", "dense", "--skip", "2", "--name", "skip2")

        def ours(base, precision, vberts=0):
            return Side([args.program, "bench", "encoder", "--base", base, "--ids", file,
                         "--vberts", vberts, "--adapter", args.adapter, "--threads", args.threads,
                         "--precision", precision,
                         "--home", folder])

        for precision in ["fp32", "int8"]:
            dense = ours("dense", precision)
            skip = ours("skip2", precision, args.batch)
            add(dense, f"vbert {precision}, dense", "vbert", precision, "batches")
            add(skip, f"vbert {precision}, skip 2, {args.batch} vBERTs a batch", "vbert",
                precision, "batches", "skip 2")
            if args.rotation:
                add(ours("skip2", precision, args.rotation),
                    f"vbert {precision}, skip 2, {args.batch} a batch of {args.rotation}", "vbert",
                    precision, "batches", "skip 2")
            add(dense, f"vbert {precision}, one text, dense", "vbert", precision, "single")
            add(skip, f"vbert {precision}, one text, skip 2", "vbert", precision, "single",
                "skip 2")
        for peer in peers:
            side = Side([sys.executable, ROOT / "Benchmarks/peer.py", "--engine", peer, "--model",
                         args.model, "--ids", file, "--threads", args.threads])
            precision = "int8" if peer.endswith("int8") else "fp32"
            add(side, f"{PEERS[peer]}, dense", peer, precision, "batches")
            add(side, f"{PEERS[peer]}, one text", peer, precision, "single")

    expected = sides["vbert fp32, dense"].ask("embeddings")["embeddings"]
    exactness = {line["name"]: cosines(sides[line["name"]], expected) for line in lines
                 if line["what"] == "batches" and line["base"] == "dense"}
    commands = {"batches": "batches", "single": "single 50"}
    for line in lines:
        sides[line["name"]].ask(commands[line["what"]])
    times = {line["name"]: [] for line in lines}
    for i in range(args.rounds):
        for line in lines:
            answer = sides[line["name"]].ask(commands[line["what"]])
            times[line["name"]] += answer.get("milliseconds", [answer.get("seconds")])
        if sys.stderr.isatty():
            print(f"\rround {i + 1} of {args.rounds}", end="", file=sys.stderr)

    tokens = sum(map(len, ids))
    found = [summary(line, times[line["name"]], tokens) for line in lines]
    print(f"{len(ids)} sentences of {tokens / len(ids):.1f} tokens, batches of {args.batch}, "
          f"{args.threads} threads, {args.rounds} rounds on {processor()}; "
          + ", ".join(sorted({sides[line["name"]].name for line in lines})))
    peer_of = {(line["what"], line["precision"]): line for line in found
               if line["engine"].startswith("onnx")}
    for line in found:
        text = line["what"] == "single"
        figures = (f"{line['median']:9.2f} {line['best']:9.2f} ms      " if text else
                   f"{line['median']:9,.0f} {line['best']:9,.0f} tokens/s")
        other = peer_of.get((line["what"], line["precision"]))
        if other and line is not other:
            line["ratio"] = {kind: line[kind] / other[kind] for kind in ["median", "best"]}
            figures += (f"  {line['ratio']['median']:.2f} / {line['ratio']['best']:.2f} "
                        + ("of its time" if text else "x"))
        if line["name"] in exactness:
            all_cosines = exactness[line["name"]]
            line["cosine"] = {"least": min(all_cosines), "mean": statistics.mean(all_cosines)}
            figures += (f"  cosine {line['cosine']['least']:.4f} at worst, "
                        f"{line['cosine']['mean']:.5f} on average")
        print(f"{line['name']:42} {figures}")
    if args.json:
        args.json.write_text(json.dumps(
            {"processor": processor(), "threads": args.threads, "batch": args.batch,
             "sentences": len(ids), "tokens": tokens, "rounds": args.rounds,
             "engines": sorted({side.name for side in sides.values()}), "lines": found},
            indent=1))


if __name__ == "__main__":
    main()
