#!/usr/bin/env python3
"""Training an adapter beside PyTorch: `vbert train` in fp32 and in bf16, peer_torch.py in fp32 and under
bf16 autocast, in turns, the same rows.

    .home/peers/bin/python Benchmarks/training.py --data train.jsonl.gz --test test.jsonl.gz

A round is a whole job of each. Our time counts the dev rows' evaluation after every epoch (64 rows
here); PyTorch's only its epochs. Both read the lower part's states, computed once, from memory.
"""

import argparse
import gzip
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def head(source, rows, target):
    opener = gzip.open if str(source).endswith(".gz") else open
    with opener(source, "rt", encoding="utf-8") as file:
        target.write_text("".join(itertools.islice(file, rows)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/vbert")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--test-rows", type=int, default=1 << 30)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    wheel = next((ROOT / ".home/wheel").glob("*.whl"))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = folder / "home"

        def vbert(*words):
            return subprocess.run(
                [args.program, *map(str, words), "--home", home], check=True, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

        rows, test, dev = folder / "train.jsonl", folder / "test.jsonl", folder / "dev.jsonl"
        head(args.data, args.rows, rows)
        head(args.test, args.test_rows, test)
        head(args.test, 64, dev)
        vbert("base", "import", wheel, "--name", "minilm")
        vbert("base", "skip", "--base", "minilm", "--skip", 2, "--name", "skip2")
        for source in (rows, test):
            ids = vbert("tokenize", "--base", "skip2", "--data", source, "--max-length", 128, "--json")
            source.with_suffix(".ids").write_text(ids)

        def ours(precision, number):
            job = f"{precision}{number}"
            vbert("create", job, "--task", "classify", "--base", "skip2",
                  "--adapter", f"bottleneck:{args.width}@attention", "--max-length", 128)
            done = json.loads(vbert(
                "train", job, "--data", rows, "--dev", dev, "--epochs", args.epochs, "--patience", 0,
                "--lr", 5e-4, "--precision", precision, "--threads", args.threads,
                "--seed", number + 1, "--json"))
            score = json.loads(vbert("eval", job, "--data", test, "--json"))
            return {"rows_per_s": done["rows_per_second"], "prepare_s": done["prepared_seconds"],
                    "whole_s": done["seconds"], "accuracy": score["metrics"]["accuracy"]}

        def peer(autocast, number):
            done = json.loads(subprocess.run(
                [sys.executable, ROOT / "Benchmarks/peer_torch.py", "--base", home / "bases/skip2",
                 "--ids", rows.with_suffix(".ids"), "--data", rows,
                 "--test-ids", test.with_suffix(".ids"), "--test", test,
                 "--rows", str(args.rows), "--epochs", str(args.epochs), "--width", str(args.width),
                 "--threads", str(args.threads), "--seed", str(number + 1),
                 *(["--autocast"] if autocast else [])],
                check=True, text=True, stdout=subprocess.PIPE).stdout)
            return {"rows_per_s": done["rows_per_s"], "prepare_s": done["prepare_s"],
                    "whole_s": done["prepare_s"] + done["train_s"], "accuracy": done["test_accuracy"],
                    "engine": done["engine"]}

        sides = {
            "vbert fp32": lambda n: ours("fp32", n), "vbert bf16": lambda n: ours("bf16", n),
            "PyTorch fp32": lambda n: peer(False, n),
            "PyTorch bf16 autocast": lambda n: peer(True, n),
        }
        result = {name: [] for name in sides}
        for number in range(args.rounds):
            for name, run in sides.items():
                result[name].append(run(number))
                one = result[name][-1]
                print(f"round {number + 1}: {name:22} {one['rows_per_s']:6.1f} rows/s, "
                      f"{one['prepare_s']:.1f} s before, {one['whole_s']:.1f} s in all, "
                      f"accuracy {one['accuracy']:.4f}", flush=True)

        def speeds(name, what="rows_per_s"):
            return [r[what] for r in result[name]]

        base = speeds("PyTorch fp32")
        for name in sides:
            mine = speeds(name)
            whole = statistics.median(
                p / m for p, m in zip(speeds("PyTorch fp32", "whole_s"), speeds(name, "whole_s")))
            print(f"{name:22} {statistics.median(mine):6.1f} {max(mine):6.1f} rows/s  "
                  f"{statistics.median(mine) / statistics.median(base):.2f} / "
                  f"{max(mine) / max(base):.2f} x PyTorch fp32, whole job {whole:.2f} x, accuracy "
                  + " ".join(f"{100 * a:.2f}" for a in speeds(name, "accuracy")))
        if args.json:
            args.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
