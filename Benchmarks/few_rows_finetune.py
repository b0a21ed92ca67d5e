"""Few rows, full fine-tuning of the dense base in PyTorch: of texts, pairs, scores and tags.

python3 Benchmarks/few_rows_finetune.py --base DIR_OR_WHEEL --data DATA --log few-rows-finetune.jsonl \\
    --kinds cls,pair,ner --in-all 50,100,300 --device cuda --processes 12

Model, losses and measures are those of finetune_torch.py. The recipe is one for all, since there are no dev
rows to choose by: batches of 16, ten passes and at least 300 steps, AdamW at 1e-4 (--rate) rising over a
tenth of the steps and falling to 0, the last step's parameters.
"""

import tempfile
import time

import numpy as np
import torch
from tokenizers import Tokenizer

import finetune_torch as whole
from few_rows import arguments, drawn, run
from few_rows_torch import LENGTH, unpacked

BATCH, EPOCHS, STEPS, WARMUP = 16, 10, 300, 0.1


class Rows:
    """A task as finetune_torch reads it, with the labels of all training rows."""

    encode = whole.Task.encode
    gold = whole.Task.gold

    def __init__(self, task):
        first = task.train[0]
        self.kind = "tag" if "tokens" in first else "score" if "score" in first else "classify"
        labels = {t for row in task.train for t in task.gold(row)}
        self.labels = sorted(labels, key=lambda label: (label != "O", label))
        self.number = {label: i for i, label in enumerate(self.labels)}


def train(rows, folder, examples, options, seed):
    """The model after the last step, and the passes made."""
    torch.manual_seed(seed)
    device = options.device.split(":")[0]
    model = whole.Model(folder, max(1, len(rows.labels)), rows.kind == "tag").to(device)
    groups = [{"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": whole.DECAY},
              {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=options.rate)
    per_epoch = (len(examples) + BATCH - 1) // BATCH
    epochs = max(EPOCHS, (STEPS + per_epoch - 1) // per_epoch)
    total, step = per_epoch * epochs, 0
    warm = max(1, int(total * WARMUP))
    order = np.random.default_rng(seed)
    model.train()
    for _ in range(epochs):
        mixed = order.permutation(len(examples))
        for start in range(0, len(examples), BATCH):
            step += 1
            share = step / warm if step <= warm else (total - step + 1) / max(1, total - warm)
            for group in optimizer.param_groups:
                group["lr"] = options.rate * share
            part = [examples[i] for i in mixed[start : start + BATCH]]
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                logits = model(*whole.batch(part, device))
            whole.loss_of(rows, logits.float(), part, device).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), whole.CLIP)
            optimizer.step()
    return model, epochs


def work(task, draw, cells, log, options):
    torch.set_num_threads(options.threads)
    rows = Rows(task)
    metric = {"tag": "span_f1", "score": "pearson", "classify": "accuracy"}[rows.kind]
    device = options.device.split(":")[0]
    with tempfile.TemporaryDirectory() as folder:
        model_folder = unpacked(options.base, folder)
        tokenizer = Tokenizer.from_file(f"{model_folder}/tokenizer.json")
        tokenizer.enable_truncation(LENGTH)
        tokenizer.no_padding()
        test = rows.encode(task.test, tokenizer)
        for cell in cells:
            numbers = drawn(cell, draw, task.classes())
            start = time.perf_counter()
            examples = rows.encode([task.train[i] for i in numbers], tokenizer)
            model, epochs = train(rows, model_folder, examples, options, draw)
            seconds = time.perf_counter() - start
            value = whole.measure(rows, model, test, device)
            # A score for every row alike has no correlation.
            log.append(task, options.method, cell, draw, metric, np.nan_to_num(value), len(numbers),
                       epochs, seconds)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--base", required=True, help="a folder of the dense base, or a wheel with it")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--rate", type=float, default=1e-4, help="peak rate")
    options = parser.parse_args()
    options.method = f"full fine-tuning (PyTorch, {options.rate:g})"
    run(options, work)


if __name__ == "__main__":
    main()
