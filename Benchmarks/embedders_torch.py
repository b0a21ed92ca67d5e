"""Full fine-tuning of a BERT as an embedder in PyTorch: every weight of the dense base, the mean of the token
states, scored pairs learnt by CoSENT or by the squared error of the cosine. The same rows, batches, passes and
choice of the best epoch as Benchmarks/embedders.py gives `vbert train`; it writes the files that this reads.

python3 Benchmarks/embedders_torch.py --work WORK --base HOME/bases/minilm --tasks sts_b,sick_relatedness \\
  --loss cosent --rate 5e-5 --seeds 2 --out torch.jsonl
"""

import argparse
import json
import os
import time

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

LENGTH, DECAY, WARMUP, CLIP, SCALE = 128, 0.01, 0.06, 1.0, 20.0


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class Model(torch.nn.Module):
    def __init__(self, base):
        super().__init__()
        config = BertConfig.from_pretrained(base)
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
        self.bert = BertModel.from_pretrained(
            base, config=config, add_pooling_layer=False, dtype=torch.float32)

    def forward(self, texts):
        longest = max(len(ids) for ids in texts)
        ids = torch.zeros(len(texts), longest, dtype=torch.long)
        mask = torch.zeros(len(texts), longest)
        for row, text in enumerate(texts):
            ids[row, : len(text)] = torch.tensor(text)
            mask[row, : len(text)] = 1
        states = self.bert(ids, attention_mask=mask).last_hidden_state * mask[..., None]
        return torch.nn.functional.normalize(states.sum(1) / mask.sum(1, keepdim=True), dim=1)

    def cosines(self, pairs):
        vectors = self([a for a, _ in pairs] + [b for _, b in pairs])
        return (vectors[: len(pairs)] * vectors[len(pairs) :]).sum(1)


def loss_of(kind, cosines, wanted):
    if kind == "cosine":
        return torch.nn.functional.mse_loss(cosines, wanted)
    # Of two pairs the one with the higher score should have the higher cosine.
    differences = SCALE * (cosines[None, :] - cosines[:, None])
    ordered = differences[wanted[:, None] > wanted[None, :]]
    return torch.logsumexp(torch.cat([torch.zeros(1), ordered]), 0)


@torch.no_grad()
def pearson(model, pairs, scores):
    # By length, so that little is padded.
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]) + len(pairs[i][1]))
    found = np.zeros(len(pairs))
    for start in range(0, len(order), 64):
        part = order[start : start + 64]
        found[part] = model.cosines([pairs[i] for i in part]).numpy()
    return float(np.corrcoef(found, scores)[0, 1])


def train(data, options, seed):
    torch.manual_seed(seed)
    model = Model(options.base)
    (pairs, scores), (dev, dev_scores), (test, test_scores) = data
    low, high = scores.min(), scores.max()
    wanted = torch.tensor((scores - low) / (high - low), dtype=torch.float32)
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": DECAY},
        {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=options.rate)
    per_epoch = -(-len(pairs) // options.batch)
    total = per_epoch * options.epochs
    warm = max(1, int(total * WARMUP))
    order = np.random.default_rng(seed)
    best, step = (pearson(model, dev, dev_scores), None, 0), 0
    for epoch in range(1, options.epochs + 1):
        rows = order.permutation(len(pairs))
        for start in range(0, len(pairs), options.batch):
            step += 1
            rate = step / warm if step <= warm else (total - step + 1) / max(1, total - warm)
            for group in optimizer.param_groups:
                group["lr"] = options.rate * rate
            part = rows[start : start + options.batch]
            optimizer.zero_grad(set_to_none=True)
            loss_of(options.loss, model.cosines([pairs[i] for i in part]), wanted[part]).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
        value = pearson(model, dev, dev_scores)
        print(f"epoch {epoch}: dev {value:.4f}", flush=True)
        if value > best[0]:
            best = (value, {k: v.clone() for k, v in model.state_dict().items()}, epoch)
    if best[1]:
        model.load_state_dict(best[1])
    return {"dev": best[0], "test": pearson(model, test, test_scores), "epoch": best[2]}


def main():
    parser = argparse.ArgumentParser()
    for name in ("work", "base", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--tasks", default="sts_b,sick_relatedness")
    parser.add_argument("--loss", choices=["cosine", "cosent"], default="cosent")
    parser.add_argument("--rate", type=float, default=5e-5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tokenizer = Tokenizer.from_file(os.path.join(options.base, "tokenizer.json"))
    tokenizer.enable_truncation(LENGTH)
    tokenizer.no_padding()
    for task in options.tasks.split(","):
        data = []
        for part in ("train", "dev", "test"):
            rows = read(os.path.join(options.work, f"{task}.{part}.jsonl"))
            ids = lambda name: [e.ids for e in tokenizer.encode_batch([r[name] for r in rows])]
            data.append((list(zip(ids("text"), ids("text_pair"))), np.array([r["score"] for r in rows])))
        for seed in range(1, options.seeds + 1):
            start = time.time()
            row = {"task": task, "loss": options.loss, "rate": options.rate, "seed": seed,
                   **train(data, options, seed), "seconds": round(time.time() - start)}
            with open(options.out, "a") as out:
                out.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)


main()
