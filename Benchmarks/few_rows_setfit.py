"""Few rows, SetFit's way (Tunstall et al., 2022, "Efficient few-shot learning without prompts"): the dense
base learns from pairs of texts of one class (cosine 1) and of two classes (cosine 0), and logistic
regression is fitted on its embeddings.

python3 Benchmarks/few_rows_setfit.py --base DIR_OR_WHEEL --data DATA --log few-rows-setfit.jsonl \\
    --tasks trec6,sst2 --device cuda --processes 12

The numbers are the paper's and the setfit package's (1.2.0): R = 20 pairs of either sort a row, one epoch,
batches of 16 pairs, AdamW at 2e-5 with decay 0.01, rising over a tenth of the steps and falling linearly
to 0, gradients cut to 1, the base's own dropout; mean squared error of the cosine; LogisticRegression()
as it comes. Pairs of one class are all there are, a row with itself among them, in random order, again
and again; a pair of two classes is drawn at random. `--package` runs the setfit package itself instead,
where it is installed: to hold the two against each other.
"""

import random
import time

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from few_rows import arguments, drawn, run
from few_rows_torch import Base, embedded, embeddings, packed, unpacked

ITERATIONS, BATCH, RATE, DECAY, WARMUP, CLIP = 20, 16, 2e-5, 0.01, 0.1, 1.0

BASES = {}


def base_of(options):
    """Loaded once a process."""
    if options.base not in BASES:
        BASES[options.base] = Base(options.base, options.device)
    return BASES[options.base]


def pairs(classes, seed):
    """(first, second, wanted cosine): as many of one class as of two, mixed."""
    order, count = random.Random(seed), ITERATIONS * len(classes)
    by_class = {}
    for row, label in enumerate(classes):
        by_class.setdefault(label, []).append(row)
    alike = [(rows[a], rows[b]) for rows in by_class.values()
             for a in range(len(rows)) for b in range(a, len(rows))]
    order.shuffle(alike)
    found = [(*alike[i % len(alike)], 1.0) for i in range(count)]
    while len(by_class) > 1 and len(found) < 2 * count:
        a, b = order.randrange(len(classes)), order.randrange(len(classes))
        if classes[a] != classes[b]:
            found.append((a, b, 0.0))
    order.shuffle(found)
    return found


def tuned(base, examples, classes, seed):
    """The base after one epoch of pairs."""
    torch.manual_seed(seed)
    bert = base.model()
    bert.train()
    groups = [{"params": [p for p in bert.parameters() if p.ndim > 1], "weight_decay": DECAY},
              {"params": [p for p in bert.parameters() if p.ndim == 1], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, fused=base.device.startswith("cuda"))
    found = pairs(classes, seed)
    steps = (len(found) + BATCH - 1) // BATCH
    warm = max(1, int(np.ceil(steps * WARMUP)))
    for step in range(steps):
        part = found[step * BATCH : (step + 1) * BATCH]
        rate = RATE * (step / warm if step < warm else (steps - step) / max(1, steps - warm))
        for group in optimizer.param_groups:
            group["lr"] = rate
        table = packed([examples[a] for a, _, _ in part] + [examples[b] for _, b, _ in part], base.device)
        states = embedded(bert, table)
        cosine = (states[: len(part)] * states[len(part) :]).sum(1)
        wanted = torch.tensor([w for _, _, w in part], device=base.device)
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.mse_loss(cosine, wanted).backward()
        torch.nn.utils.clip_grad_norm_(bert.parameters(), CLIP)
        optimizer.step()
    return bert, steps


def ours(base, task, rows, seed):
    """Predictions for all test rows, and the steps."""
    classes = [task.train[i]["label"] for i in rows]
    examples = base.encode([task.train[i] for i in rows])
    bert, steps = tuned(base, examples, classes, seed)
    head = LogisticRegression(max_iter=1000)
    head.fit(embeddings(bert, examples, base.device), classes)
    seconds = time.perf_counter()
    return head.predict(embeddings(bert, base.encode(task.test), base.device)), steps, seconds


def package(base, options, task, rows, seed):
    """The same by the setfit package."""
    import tempfile

    import datasets
    from setfit import SetFitModel, Trainer, TrainingArguments

    with tempfile.TemporaryDirectory() as folder:
        model = SetFitModel.from_pretrained(unpacked(options.base, folder), device=options.device)
        model.model_body.max_seq_length = 128
        data = datasets.Dataset.from_dict({"text": [task.train[i]["text"] for i in rows],
                                           "label": [task.train[i]["label"] for i in rows]})
        trainer = Trainer(
            model=model, train_dataset=data,
            args=TrainingArguments(num_iterations=ITERATIONS, seed=seed, report_to="none", output_dir=folder,
                                   save_strategy="no", show_progress_bar=False))
        trainer.train()
        seconds = time.perf_counter()
        return model.predict([r["text"] for r in task.test]), trainer.st_trainer.state.global_step, seconds


def work(task, draw, cells, log, options):
    torch.set_num_threads(options.threads)
    base = base_of(options)
    for cell in cells:
        rows = drawn(cell, draw, task.classes())
        start = time.perf_counter()
        if len({task.train[i]["label"] for i in rows}) < 2:
            found, steps, end = [task.train[rows[0]]["label"]] * len(task.test), 0, start
        elif options.package:
            found, steps, end = package(base, options, task, rows, draw)
        else:
            found, steps, end = ours(base, task, rows, draw)
        gold = [row["label"] for row in task.test]
        log.append(task, options.method, cell, draw, "accuracy",
                   np.mean([a == b for a, b in zip(found, gold)]), len(rows), 1, end - start)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--base", required=True, help="a folder of the dense base, or a wheel with it")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--package", action="store_true", help="by the setfit package")
    options = parser.parse_args()
    options.method = "SetFit" + (" (package)" if options.package else "")
    run(options, work)


if __name__ == "__main__":
    main()
