"""Embedders that learn, on one thread of a CPU: Pearson's correlation on scored pairs beside full fine-tuning
(Benchmarks/embedders_torch.py, which reads the files that this writes), and recall on intents that were never seen.

python3 Benchmarks/embedders.py --vbert .build/release/vbert --home HOME --data DATA --work WORK \\
  --bases minilm,minilm-skip2 --out embedders.jsonl

Scored pairs: `--rows` training rows, 300 dev rows, at most 1,500 test rows of a task, drawn by fixed seeds. Intents:
half of them, drawn by a seed, with their training rows; searched are the test rows of the others. recall@10 is the
share of a row's fellows among its nearest ten, of at most ten; "among all" searches the test rows of the seen
intents too. Computed here from what `vbert predict` says, not by vbert.
"""

import argparse
import gzip
import json
import os
import random
import subprocess
import time

import numpy as np

PAIRS, INTENTS = ["sts_b", "sick_relatedness"], ["banking77", "clinc150"]


def read(path):
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def write(path, rows):
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def some(rows, count, seed):
    return rows if len(rows) <= count else random.Random(seed).sample(rows, count)


def prepare(options):
    def part(kind, task, name):
        return read(os.path.join(options.data, kind, task, f"{name}.jsonl.gz"))

    def path(task, name):
        return os.path.join(options.work, f"{task}.{name}.jsonl")

    os.makedirs(options.work, exist_ok=True)
    for task in PAIRS:
        for seed, (name, count) in enumerate([("train", options.rows), ("dev", 300), ("test", 1500)], 1):
            write(path(task, name), some(part("pair", task, name), count, seed))
    for task in INTENTS:
        train = part("cls", task, "train") + part("cls", task, "dev")
        test = [r for r in part("cls", task, "test") if r["label"] != "oos"]
        intents = sorted({r["label"] for r in train} - {"oos"})
        random.Random(1).shuffle(intents)
        seen = set(intents[: len(intents) // 2])
        write(path(task, "train"), some([r for r in train if r["label"] in seen], options.intent_rows, 4))
        # Those that are searched for stand first.
        write(path(task, "test"), sorted(test, key=lambda r: r["label"] in seen))
        options.unseen[task] = sum(r["label"] not in seen for r in test)


def run(options, *arguments):
    command = [options.vbert, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def vectors(options, name, texts):
    path = os.path.join(options.work, f"texts-{os.getpid()}.jsonl")
    write(path, [{"text": text} for text in texts])
    out = run(options, "predict", name, "--data", path, "--json", "--truncate", "--threads", "1",
              "--home", options.home)
    return np.array([json.loads(line)["embedding"] for line in out.splitlines()])


def recall(found, labels, count):
    """Of the first `count` rows as queries: recall@1, recall@10."""
    cosines = found[:count] @ found.T
    cosines[np.arange(count), np.arange(count)] = -2
    near = np.argsort(-cosines, axis=1)[:, :10]
    hits = labels[near] == labels[:count, None]
    fellows = np.array([(labels == label).sum() - 1 for label in labels[:count]])
    asked = fellows > 0
    return (float(hits[asked, 0].mean()),
            float((hits.sum(1)[asked] / np.minimum(10, fellows[asked])).mean()))


def measure(options, name, task):
    rows = read(os.path.join(options.work, f"{task}.test.jsonl"))
    if task in PAIRS:
        found = vectors(options, name, [r["text"] for r in rows] + [r["text_pair"] for r in rows])
        cosines = (found[: len(rows)] * found[len(rows) :]).sum(1)
        return {"pearson": float(np.corrcoef(cosines, [r["score"] for r in rows])[0, 1])}
    found, labels = vectors(options, name, [r["text"] for r in rows]), np.array([r["label"] for r in rows])
    count = options.unseen[task]
    alone, among = recall(found[:count], labels[:count], count), recall(found, labels, count)
    return {"recall@1": alone[0], "recall@10": alone[1], "recall@10 among all": among[1]}


def train(options, name, task, seed):
    arguments = ["train", name, "--data", os.path.join(options.work, f"{task}.train.jsonl"),
                 "--seed", str(seed), "--threads", "1", "--home", options.home]
    if task in PAIRS:
        arguments += ["--dev", os.path.join(options.work, f"{task}.dev.jsonl")]
    run(options, *arguments, *options.train.split())


def main():
    parser = argparse.ArgumentParser()
    for name in ("vbert", "home", "data", "work", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--bases", default="minilm-skip2")
    parser.add_argument("--tasks", default=",".join(PAIRS + INTENTS))
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--intent-rows", type=int, default=3000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--adapter", default="lora:32@all")
    parser.add_argument("--train", default="", help="more options of vbert train")
    options = parser.parse_args()
    options.unseen = {}
    prepare(options)
    for base in options.bases.split(","):
        for task in options.tasks.split(","):
            for seed in range(options.seeds + 1):
                name = f"bench-{base}-{task}-{seed}-{int(time.time())}"
                start = time.time()
                adapter = options.adapter if seed else "none"
                run(options, "create", name, "--task", "embed", "--base", base, "--adapter", adapter,
                    "--home", options.home)
                if seed:
                    train(options, name, task, seed)
                seconds = round(time.time() - start) if seed else 0
                row = {"base": base, "task": task, "seed": seed, "adapter": adapter, "train": options.train,
                       "seconds": seconds, **measure(options, name, task)}
                line = json.dumps(row)
                with open(options.out, "a", encoding="utf-8") as out:
                    out.write(line + "\n")
                print(line, flush=True)


if __name__ == "__main__":
    main()
