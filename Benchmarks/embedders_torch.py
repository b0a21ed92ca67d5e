"""Full fine-tuning of a BERT as an embedder in PyTorch: every weight of the dense base, the mean of the token
states. Scored pairs are learnt by CoSENT or by the squared error of the cosine, with the same rows, batches, passes
and choice of the best epoch as Benchmarks/embedders.py gives `vbert train`; it writes the files that this reads.

python3 Benchmarks/embedders_torch.py --work WORK --base HOME/bases/minilm --tasks sts_b,sick_relatedness \\
  --loss cosent --rate 5e-5 --seeds 2 --out torch.jsonl

Labelled texts (banking77, clinc150) are learnt by `neighbours`, vbert's own loss for them, four of a label together
in a step; measured is recall on intents that were never seen, after the last pass:

python3 Benchmarks/embedders_torch.py --work WORK --base HOME/bases/minilm --tasks banking77,clinc150 \\
  --loss neighbours --rate 2e-5 --batch 64 --epochs 4 --device cuda --out torch.jsonl
"""

import argparse
import json
import os
import time

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from embedders import recall

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
        ids, mask = ids.to(self.bert.device), mask.to(self.bert.device)
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
    return torch.logsumexp(torch.cat([ordered.new_zeros(1), ordered]), 0)


def neighbours(vectors, labels):
    """Of each text's softmax over all others of the step, -log of the share of its fellows."""
    similar = SCALE * vectors @ vectors.T
    similar.fill_diagonal_(-torch.inf)
    fellows = labels[:, None] == labels[None, :]
    fellows.fill_diagonal_(False)
    asked = fellows.any(1)
    near = similar.masked_fill(~fellows, -torch.inf)[asked]
    return (torch.logsumexp(similar[asked], 1) - torch.logsumexp(near, 1)).mean()


def fours(labels, random):
    """Rows in random order, four of a label together."""
    runs = []
    for label in np.unique(labels):
        rows = random.permutation(np.flatnonzero(labels == label))
        runs += [rows[i : i + 4] for i in range(0, len(rows), 4)]
    return np.concatenate([runs[i] for i in random.permutation(len(runs))])


@torch.no_grad()
def pearson(model, pairs, scores):
    # By length, so that little is padded.
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]) + len(pairs[i][1]))
    found = np.zeros(len(pairs))
    for start in range(0, len(order), 64):
        part = order[start : start + 64]
        found[part] = model.cosines([pairs[i] for i in part]).cpu().numpy()
    return float(np.corrcoef(found, scores)[0, 1])


@torch.no_grad()
def embedded(model, texts):
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    found = np.zeros((len(texts), model.bert.config.hidden_size), np.float32)
    for start in range(0, len(order), 64):
        part = order[start : start + 64]
        found[part] = model([texts[i] for i in part]).cpu().numpy()
    return found


def learn(model, count, ordered, loss, options, seed, ended=lambda epoch: None):
    """AdamW over `count` rows in the order of `ordered(random)`; `loss` of a step's rows."""
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": DECAY},
        {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=options.rate)
    per_epoch = -(-count // options.batch)
    total = per_epoch * options.epochs
    warm = max(1, int(total * WARMUP))
    random, step = np.random.default_rng(seed), 0
    for epoch in range(1, options.epochs + 1):
        rows = ordered(random)
        for start in range(0, count, options.batch):
            step += 1
            rate = step / warm if step <= warm else (total - step + 1) / max(1, total - warm)
            for group in optimizer.param_groups:
                group["lr"] = options.rate * rate
            optimizer.zero_grad(set_to_none=True)
            loss(rows[start : start + options.batch]).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
        ended(epoch)


def train(data, options, seed):
    torch.manual_seed(seed)
    model = Model(options.base).to(options.device)
    (pairs, scores), (dev, dev_scores), (test, test_scores) = data
    low, high = scores.min(), scores.max()
    wanted = torch.tensor((scores - low) / (high - low), dtype=torch.float32, device=options.device)
    best = [pearson(model, dev, dev_scores), None, 0]

    def loss(part):
        return loss_of(options.loss, model.cosines([pairs[i] for i in part]), wanted[part])

    def ended(epoch):
        value = pearson(model, dev, dev_scores)
        print(f"epoch {epoch}: dev {value:.4f}", flush=True)
        if value > best[0]:
            best[:] = (value, {k: v.clone() for k, v in model.state_dict().items()}, epoch)

    learn(model, len(pairs), lambda random: random.permutation(len(pairs)), loss, options, seed, ended)
    if best[1]:
        model.load_state_dict(best[1])
    return {"dev": best[0], "test": pearson(model, test, test_scores), "epoch": best[2]}


def train_labelled(data, options, seed):
    torch.manual_seed(seed)
    model = Model(options.base).to(options.device)
    (texts, labels), (test, test_labels), unseen = data
    numbers = np.unique(labels, return_inverse=True)[1]
    on_device = torch.tensor(numbers, device=options.device)

    def loss(part):
        return neighbours(model([texts[i] for i in part]), on_device[part])

    def measured(prefix):
        found = embedded(model, test)
        alone, among = recall(found[:unseen], test_labels[:unseen], unseen), recall(found, test_labels, unseen)
        return {f"{prefix}recall@1": alone[0], f"{prefix}recall@10": alone[1], f"{prefix}recall@10 among all": among[1]}

    before = measured("untrained ")
    learn(model, len(texts), lambda random: fours(numbers, random), loss, options, seed)
    return {**before, **measured("")}


def main():
    parser = argparse.ArgumentParser()
    for name in ("work", "base", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--tasks", default="sts_b,sick_relatedness")
    parser.add_argument("--loss", choices=["cosine", "cosent", "neighbours"], default="cosent")
    parser.add_argument("--rate", type=float, default=5e-5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tokenizer = Tokenizer.from_file(os.path.join(options.base, "tokenizer.json"))
    tokenizer.enable_truncation(LENGTH)
    tokenizer.no_padding()
    for task in options.tasks.split(","):
        def ids(rows, name):
            return [e.ids for e in tokenizer.encode_batch([r[name] for r in rows])]

        data = []
        is_labelled = options.loss == "neighbours"
        for part in ("train", "test") if is_labelled else ("train", "dev", "test"):
            rows = read(os.path.join(options.work, f"{task}.{part}.jsonl"))
            if is_labelled:
                data.append((ids(rows, "text"), np.array([r["label"] for r in rows])))
            else:
                pairs = list(zip(ids(rows, "text"), ids(rows, "text_pair")))
                data.append((pairs, np.array([r["score"] for r in rows])))
        if is_labelled:
            # Rows of labels that were not learnt stand first.
            data.append(int((~np.isin(data[1][1], data[0][1])).sum()))
        for seed in range(1, options.seeds + 1):
            start = time.time()
            row = {"task": task, "loss": options.loss, "rate": options.rate, "seed": seed,
                   **(train_labelled if is_labelled else train)(data, options, seed), "seconds": round(time.time() - start)}
            with open(options.out, "a") as out:
                out.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)


main()
