"""Few rows, the plain peer: scikit-learn's logistic regression on an embedder's answers.

python3 Benchmarks/few_rows_logistic.py --program vbert --embedder search --cache emb \\
    --data DATA --log few-rows-logistic.jsonl

`search` is a vBERT on the skip base that is compared: vbert create search --task embed --adapter none
--max-length 128. Embeddings, of unit length, are kept in --cache: TASK/test.npy has those of all test
rows, TASK/train.npy those of the training rows whose numbers TASK/train_rows.npy has. `seconds` are those of
the fit, and of the drawn rows' embeddings at the task's mean time a row.
"""

import json
import os
import subprocess
import tempfile
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from sklearn.linear_model import LogisticRegression

from few_rows import Log, arguments, drawn, tasks

METHOD = "logistic regression on embeddings"


class Embedder:
    def __init__(self, options):
        self.options = options

    def embed(self, rows):
        """[rows, hidden] of unit length, and the seconds a row."""
        start = time.perf_counter()
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
            for row in rows:
                texts = {name: row[name] for name in ("text", "text_pair") if name in row}
                file.write(json.dumps(texts) + "\n")
            file.flush()
            command = [self.options.program, "predict", self.options.embedder, "--data", file.name,
                       "--truncate", "--threads", str(self.options.threads), "--json"]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
                found = [json.loads(line)["embedding"] for line in process.stdout]
        if process.returncode or len(found) != len(rows):
            raise SystemExit(f"{' '.join(command)} failed")
        states = np.array(found, dtype=np.float32).reshape(len(rows), -1)
        states /= np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-12)
        return states, (time.perf_counter() - start) / max(1, len(rows))

    def of(self, task, numbers):
        """Embeddings by number of the training rows, of the test rows, and the seconds a row."""
        folder = os.path.join(self.options.cache, task.name)
        os.makedirs(folder, exist_ok=True)
        path = lambda name: os.path.join(folder, name)
        rows, states = np.zeros(0, np.int64), None
        if os.path.exists(path("train_rows.npy")):
            rows, states = np.load(path("train_rows.npy")), np.load(path("train.npy"))
        missing = sorted(set(numbers) - set(rows.tolist()))
        has_test = os.path.exists(path("test.npy"))
        if missing or not has_test:
            wanted = [task.train[i] for i in missing] + ([] if has_test else task.test)
            made, seconds = self.embed(wanted)
            if missing:
                rows = np.concatenate([rows, np.array(missing, np.int64)])
                new = made[: len(missing)]
                states = new if states is None else np.concatenate([states, new])
                # The numbers last: what they name is there.
                np.save(path("train.npy"), states)
                np.save(path("train_rows.npy"), rows)
            if not has_test:
                np.save(path("test.npy"), made[len(missing):])
            with open(path("seconds.json"), "w") as file:
                json.dump(seconds, file)
        with open(path("seconds.json")) as file:
            seconds = json.load(file)
        test = np.load(path("test.npy"))
        if len(test) != len(task.test):
            raise SystemExit(f"{path('test.npy')} has {len(test)} rows, not {len(task.test)}: it was made with "
                             "another --test; give another --cache")
        return dict(zip(rows.tolist(), states)), test, seconds


def main():
    parser = arguments(__doc__)
    parser.add_argument("--program", default="vbert")
    parser.add_argument("--embedder", required=True, help="an embedder's name, in VBERT_HOME")
    parser.add_argument("--cache", required=True, help="where embeddings are kept")
    parser.add_argument("--threads", type=int, default=1, help="of the embedder")
    options = parser.parse_args()
    log, embedder = Log(options.log), Embedder(options)
    for task in tasks(options):
        classes = task.classes()
        work = [(cell, draw, drawn(cell, draw, classes))
                for cell in task.cells(options) for draw in range(1, options.draws + 1)
                if not log.has(task, METHOD, cell, draw)]
        if not work:
            continue
        states, test, a_row = embedder.of(task, {row for _, _, rows in work for row in rows})
        gold = np.array([row["label"] for row in task.test])
        for cell, draw, rows in work:
            start = time.perf_counter()
            x, y = np.stack([states[row] for row in rows]), [classes[row] for row in rows]
            if len(set(y)) > 1:
                model = LogisticRegression(C=10, max_iter=2000).fit(x, y)
                found, epochs = model.predict(test), int(np.max(model.n_iter_))
            else:
                found, epochs = np.full(len(gold), y[0]), 0
            seconds = time.perf_counter() - start + a_row * len(rows)
            log.append(task, METHOD, cell, draw, "accuracy", np.mean(found == gold), len(rows),
                       epochs, seconds)


if __name__ == "__main__":
    main()
