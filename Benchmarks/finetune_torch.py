"""Full fine-tuning of a BERT in PyTorch, by the recipe of `vbert report accuracy`: same rows, same
budget. What docs/accuracy.md checks our own full fine-tuning with.

python3 Benchmarks/finetune_torch.py --data DATA --base DIR --tasks sst2,mrpc --seeds 3 --out torch.jsonl
"""

import argparse
import glob
import json
import os
import time

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from few_rows import SplitMix, read

BATCH, EPOCHS, STEPS, PATIENCE, LENGTH = 32, 6, 300, 4, 128
RATE, DECAY, WARMUP, CLIP, DROPOUT = 1e-4, 0.01, 0.06, 1.0, 0.1
TRAIN, DEV = 4000, 1000


def some(rows, draw, count):
    if len(rows) <= count:
        return rows
    return [rows[i] for i in sorted(SplitMix(draw).permutation(len(rows))[:count])]


class Task:
    def __init__(self, folder, tokenizer):
        train, dev, test = (read(folder, part) for part in ("train", "dev", "test"))
        first = train[0]
        self.kind = "tag" if "tokens" in first else "score" if "score" in first else "classify"
        labels = {t for row in train for t in self.gold(row)} if self.kind != "score" else set()
        # "O" first where there are tags: what a word without tokens gets.
        self.labels = sorted(labels, key=lambda label: (label != "O", label))
        self.number = {label: i for i, label in enumerate(self.labels)}
        known = lambda row: self.kind == "score" or all(t in labels for t in self.gold(row))
        dev, test = [r for r in dev if known(r)], [r for r in test if known(r)]
        self.train = self.encode(some(train, 1, TRAIN), tokenizer)
        self.dev = self.encode(some(dev, 2, DEV), tokenizer)
        self.test = self.encode(test, tokenizer)

    def gold(self, row):
        return row["tags"] if self.kind == "tag" else [row["label"]]

    def encode(self, rows, tokenizer):
        if self.kind == "tag":
            found = tokenizer.encode_batch([r["tokens"] for r in rows], is_pretokenized=True)
        else:
            found = tokenizer.encode_batch(
                [(r["text"], r["text_pair"]) if "text_pair" in r else r["text"] for r in rows])
        examples = []
        for row, e in zip(rows, found):
            if self.kind == "score":
                target, first = float(row["score"]), None
            elif self.kind == "classify":
                target, first = self.number[row["label"]], None
            else:
                target = [self.number[t] for t in row["tags"]]
                first = [-1] * len(target)
                for place, word in enumerate(e.word_ids):
                    if word is not None and first[word] < 0:
                        first[word] = place
            examples.append((e.ids, e.type_ids, target, first))
        return examples


def spans(tags):
    """(type, start, end) of BIO tags; an I- that continues nothing begins a span."""
    found, start, kind = [], None, None
    for i, tag in enumerate(list(tags) + ["O"]):
        part, _, name = tag.partition("-")
        if part != "I" or name != kind:
            if kind is not None:
                found.append((kind, start, i))
            start, kind = (i, name) if part in ("B", "I") else (None, None)
    return set(found)


class Model(torch.nn.Module):
    def __init__(self, base, outputs, is_tag):
        super().__init__()
        config = BertConfig.from_pretrained(base)
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
        self.bert = BertModel.from_pretrained(
            base, config=config, add_pooling_layer=False, dtype=torch.float32)
        self.head = torch.nn.Linear(config.hidden_size, outputs)
        bound = config.hidden_size**-0.5
        torch.nn.init.uniform_(self.head.weight, -bound, bound)
        torch.nn.init.zeros_(self.head.bias)
        self.is_tag = is_tag

    def forward(self, ids, types, mask):
        states = self.bert(ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        states = states.float()
        if not self.is_tag:
            weight = mask[..., None].float()
            states = (states * weight).sum(1) / weight.sum(1)
        return self.head(torch.nn.functional.dropout(states, DROPOUT, self.training).float())


def batch(examples, device):
    longest = max(len(e[0]) for e in examples)
    table = np.zeros((3, len(examples), longest), dtype=np.int64)
    for row, (ids, types, _, _) in enumerate(examples):
        table[0, row, : len(ids)], table[1, row, : len(ids)] = ids, types
        table[2, row, : len(ids)] = 1
    return torch.from_numpy(table).to(device)


def loss_of(task, logits, examples, device):
    if task.kind == "score":
        wanted = torch.tensor([e[2] for e in examples], device=device)
        return torch.nn.functional.mse_loss(logits[:, 0], wanted)
    if task.kind == "classify":
        wanted = torch.tensor([e[2] for e in examples], device=device)
        return torch.nn.functional.cross_entropy(logits, wanted)
    wanted = torch.full(logits.shape[:2], -100, dtype=torch.long)
    for row, (_, _, tags, first) in enumerate(examples):
        for place, tag in zip(first, tags):
            if place >= 0:
                wanted[row, place] = tag
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten().to(device))


@torch.no_grad()
def measure(task, model, examples, device):
    model.eval()
    right = gold_count = found_count = 0
    gold, found = [], []
    for start in range(0, len(examples), 128):
        part = examples[start : start + 128]
        with torch.autocast(device, torch.bfloat16):
            logits = model(*batch(part, device)).float().cpu()
        if task.kind == "score":
            gold += [e[2] for e in part]
            found += logits[:, 0].tolist()
        elif task.kind == "classify":
            right += sum(int(a == e[2]) for a, e in zip(logits.argmax(-1).tolist(), part))
        else:
            for row, (_, _, tags, first) in zip(logits.argmax(-1).tolist(), part):
                a = spans(task.labels[t] for t in tags)
                b = spans(task.labels[row[f]] if f >= 0 else "O" for f in first)
                right, gold_count, found_count = (
                    right + len(a & b), gold_count + len(a), found_count + len(b))
    if task.kind == "score":
        return float(np.corrcoef(gold, found)[0, 1])
    if task.kind == "classify":
        return right / len(examples)
    return 2 * right / max(1, gold_count + found_count)


def train(task, base, seed, device):
    torch.manual_seed(seed)
    model = Model(base, max(1, len(task.labels)), task.kind == "tag").to(device)
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": DECAY},
        {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=RATE)
    count = len(task.train)
    per_epoch = (count + BATCH - 1) // BATCH
    epochs = max(EPOCHS, min(100, STEPS * BATCH // count))
    total = per_epoch * epochs
    warm = max(1, int(total * WARMUP))
    order = np.random.default_rng(seed)
    best, since, step = (-1.0, None), 0, 0
    for epoch in range(epochs):
        model.train()
        rows = order.permutation(count)
        for start in range(0, count, BATCH):
            step += 1
            rate = step / warm if step <= warm else (total - step + 1) / max(1, total - warm)
            for group in optimizer.param_groups:
                group["lr"] = RATE * rate
            part = [task.train[i] for i in rows[start : start + BATCH]]
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device, torch.bfloat16):
                logits = model(*batch(part, device))
            loss_of(task, logits.float(), part, device).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
        value = measure(task, model, task.dev, device)
        if value > best[0]:
            best, since = (value, {k: v.clone() for k, v in model.state_dict().items()}), 0
        else:
            since += 1
            if since >= PATIENCE:
                break
    model.load_state_dict(best[1])
    return measure(task, model, task.test, device)


def main():
    parser = argparse.ArgumentParser()
    for name in ("data", "base", "tasks", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = Tokenizer.from_file(os.path.join(options.base, "tokenizer.json"))
    tokenizer.enable_truncation(LENGTH)
    tokenizer.no_padding()
    for name in options.tasks.split(","):
        (folder,) = glob.glob(f"{options.data}/*/{name}")
        task = Task(folder, tokenizer)
        for seed in range(1, options.seeds + 1):
            start = time.time()
            value = train(task, options.base, seed, device)
            row = {"task": name, "seed": seed, "value": value, "seconds": time.time() - start}
            with open(options.out, "a") as out:
                out.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
