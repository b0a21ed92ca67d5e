"""The draws, tasks and logs that all peers of the table of few rows share (docs/accuracy.md).

A cell is how many rows a customer brings: "8/class" (8 of every class) or "100" (100 in all). Draw n
of a cell is the same rows here and in `vbert report accuracy --rows`; tests hold both to the same
numbers. A peer gets the drawn rows alone, no dev rows, and is measured on all test rows.
"""

import argparse
import glob
import gzip
import json
import multiprocessing
import os
import sys

MASK = (1 << 64) - 1


class SplitMix:
    """The generator that rows are drawn with."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def permutation(self, count):
        order = list(range(count))
        for i in range(count - 1, 0, -1):
            j = (self.next() * (i + 1)) >> 64
            order[i], order[j] = order[j], order[i]
        return order


def drawn(cell, draw, classes):
    """Numbers of the rows that a draw takes, in its order. `classes`: a class for every training row."""
    order = SplitMix(draw).permutation(len(classes))
    count, _, of_class = cell.partition("/")
    if not of_class:
        return order[: int(count)]
    left, found = {c: int(count) for c in set(classes)}, []
    for row in order:
        if left[classes[row]] > 0:
            left[classes[row]] -= 1
            found.append(row)
    return found


def read(folder, part):
    for path in glob.glob(f"{folder}/{part}.jsonl*"):
        opened = gzip.open if path.endswith(".gz") else open
        with opened(path, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.strip()]
    raise SystemExit(f"{folder} has no {part}.jsonl")


class Task:
    """FOLDER/cls|pair|ner/NAME; `kind` is that of the folder."""

    def __init__(self, folder, most_test=0):
        self.folder, self.name = folder, os.path.basename(folder)
        self.kind = os.path.basename(os.path.dirname(folder))
        self.train, test = read(folder, "train"), read(folder, "test")
        self.is_score = "score" in self.train[0]
        known = {label for row in self.train for label in self.gold(row)}
        # As everybody who is compared: test rows with labels that all of train lacks are left out.
        self.test = [r for r in test if self.is_score or known.issuperset(self.gold(r))]
        if 0 < most_test < len(self.test):
            kept = SplitMix(3).permutation(len(self.test))[:most_test]
            self.test = [self.test[i] for i in sorted(kept)]

    def gold(self, row):
        return row["tags"] if self.kind == "ner" else [] if self.is_score else [row["label"]]

    def classes(self):
        """Of every training row, for `drawn`; None where rows have none."""
        return [row["label"] if "label" in row else None for row in self.train]

    def cells(self, options):
        per_class = [] if self.kind == "ner" or self.is_score else options.rows
        return [f"{k}/class" for k in per_class] + [str(n) for n in options.in_all]


class Log:
    """A result a line, in the format of `vbert report accuracy --log`. What it has is not run again."""

    def __init__(self, path, mends=True):
        """A last line that was cut short is taken out where `mends`: while nobody else writes."""
        self.path, self.known = path, set()
        if not os.path.exists(path):
            return
        with open(path, "rb") as file:
            lines = file.read().splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):
            half = lines.pop()
            if mends:
                os.truncate(path, os.path.getsize(path) - len(half))
        for line in lines:
            self.known.add(self.key(**json.loads(line)))

    @staticmethod
    def key(task, kind, method, cell, draw, **_):
        return (task, kind, method, cell, draw)

    def has(self, task, method, cell, draw):
        return self.key(task.name, task.kind, method, cell, draw) in self.known

    def append(self, task, method, cell, draw, metric, value, train_rows, epochs, seconds):
        row = {"task": task.name, "kind": task.kind, "method": method, "cell": cell, "draw": draw,
               "seed": draw, "metric": metric, "value": float(value), "trainRows": train_rows,
               "testRows": len(task.test), "epochs": epochs, "seconds": round(seconds, 3)}
        with open(self.path, "a", encoding="utf-8") as out:
            out.write(json.dumps(row, sort_keys=True) + "\n")
        self.known.add(self.key(**row))
        print(f"{task.name:20} {cell:>9} draw {draw}  {metric} {100 * value:5.1f}  {seconds:7.2f} s",
              flush=True)


def numbers(text):
    return [int(part) for part in text.split(",") if part]


def arguments(description, kinds="cls", rows="8,16,32", in_all="100,300"):
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("--data", required=True, help="the folder of tasks")
    parser.add_argument("--log", required=True, help="where results are kept as they come")
    parser.add_argument("--kinds", default=kinds, help="cls, pair, ner, with commas between")
    parser.add_argument("--tasks", default="", help="only these, with commas between")
    parser.add_argument("--rows", type=numbers, default=numbers(rows),
                        help="cells of so many rows of every class")
    parser.add_argument("--in-all", type=numbers, default=numbers(in_all),
                        help="cells of so many rows in all")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--test", type=int, default=0, help="most test rows; 0: all")
    parser.add_argument("--least-test", type=int, default=1000,
                        help="leave out tasks with fewer test rows, where --tasks names none")
    parser.add_argument("--processes", type=int, default=1, help="draws at the same time")
    return parser


def run(options, work):
    """Calls `work(task, draw, cells, log, options)` for every task and draw with the cells that the log
    lacks; in so many processes at once, the tasks with most classes first."""
    log = Log(options.log)
    units = []
    for task in tasks(options):
        for draw in range(1, options.draws + 1):
            if any(not log.has(task, options.method, cell, draw) for cell in task.cells(options)):
                units.append((task.folder, draw, len(set(task.classes()))))
    units.sort(key=lambda unit: -unit[2])
    arguments = [(folder, draw, options, work) for folder, draw, _ in units]
    if options.processes == 1:
        for each in arguments:
            _one(*each)
        return
    # Spawned: what a process knows of a GPU does not outlive a fork.
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        pool.starmap(_one, arguments, chunksize=1)


def _one(folder, draw, options, work):
    task, log = Task(folder, options.test), Log(options.log, mends=False)
    cells = [c for c in task.cells(options) if not log.has(task, options.method, c, draw)]
    work(task, draw, cells, log, options)


def tasks(options):
    """One after another; those that --tasks names, else all with enough test rows."""
    names = [name for name in options.tasks.split(",") if name]
    folders = [f for kind in options.kinds.split(",") for f in sorted(glob.glob(f"{options.data}/{kind}/*"))]
    missing = set(names) - {os.path.basename(f) for f in folders}
    if missing:
        sys.exit(f"there is no task {', '.join(sorted(missing))} in {options.data}")
    for folder in folders:
        if names and os.path.basename(folder) not in names:
            continue
        task = Task(folder, options.test)
        least = min(options.least_test, options.test or options.least_test)
        if names or len(task.test) >= least:
            yield task
