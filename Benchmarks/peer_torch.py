"""Training an adapter with PyTorch on the CPU: the peer of `vbert train`.

The same skip base, the same rows, the same adapter (bottleneck, after attention) and head, AdamW,
batches of 32. The lower part is as favourable to PyTorch as it can be: the states that enter the
first upper layer are computed once and kept, the base is frozen so that no gradient goes into or
below what needs none, and batches hold rows of similar length so that little is padding.

`training.py` runs it beside ours; alone:

  vbert tokenize --base SKIP --data train.jsonl --max-length 128 --json > ids.jsonl
  python Benchmarks/peer_torch.py --base HOME/bases/SKIP --ids ids.jsonl --data train.jsonl \
    --rows 4000 --epochs 6 [--test-ids ids.jsonl --test test.jsonl] [--autocast]

--autocast trains under torch.autocast in bfloat16, with the frozen matrices rounded once, not at every
step as autocast itself would.

Needs torch, numpy, safetensors. Prints one JSON object.
"""

import argparse
import gzip
import json
import random
import time

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F


def lines(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


class Layer(nn.Module):
    def __init__(self, w, i, heads, width):
        super().__init__()
        name = f"encoder.layer.{i}."
        get = lambda part: w[name + part]
        parts = ["query", "key", "value"]
        self.heads = heads
        self.qkv_w = torch.cat([get(f"attention.self.{p}.weight") for p in parts])
        self.qkv_b = torch.cat([get(f"attention.self.{p}.bias") for p in parts])
        self.base = {
            k: (get(f"{p}.weight"), get(f"{p}.bias"))
            for k, p in dict(
                out="attention.output.dense", norm1="attention.output.LayerNorm",
                up="intermediate.dense", down="output.dense", norm2="output.LayerNorm").items()
        }
        hidden = self.qkv_w.shape[1]
        self.down = nn.Linear(hidden, width) if width else None
        self.up = nn.Linear(width, hidden) if width else None
        if width:
            nn.init.zeros_(self.down.bias), nn.init.zeros_(self.up.weight)
            nn.init.zeros_(self.up.bias)

    def halve(self):
        """The frozen matrices in bfloat16."""
        self.qkv_w, self.qkv_b = self.qkv_w.bfloat16(), self.qkv_b.bfloat16()
        for key in ("out", "up", "down"):
            self.base[key] = tuple(t.bfloat16() for t in self.base[key])

    def norm(self, x, key):
        weight, bias = self.base[key]
        return F.layer_norm(x, (x.shape[-1],), weight, bias, 1e-12)

    def forward(self, x, mask):
        rows, length, hidden = x.shape
        qkv = F.linear(x, self.qkv_w, self.qkv_b)
        q, k, v = (
            t.view(rows, length, self.heads, -1).transpose(1, 2) for t in qkv.chunk(3, dim=-1))
        context = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        context = context.transpose(1, 2).reshape(rows, length, hidden)
        y = self.norm(F.linear(context, *self.base["out"]) + x, "norm1")
        if self.down is not None:
            y = y + self.up(F.gelu(self.down(y)))
        z = F.linear(F.gelu(F.linear(y, *self.base["up"])), *self.base["down"])
        return self.norm(z + y, "norm2")


class Base:
    """The frozen way into the upper layers of a skip base, or of a dense one."""

    def __init__(self, w, config):
        self.w, self.config = w, config
        self.k = config["num_hidden_layers"] - config.get(
            "num_full_hidden_layers", config["num_hidden_layers"])
        self.local = [Layer(w, i, config["num_attention_heads"], 0) for i in range(self.k)]

    def norm(self, x, name):
        return F.layer_norm(
            x, (x.shape[-1],), self.w[name + ".weight"], self.w[name + ".bias"], 1e-12)

    @torch.no_grad()
    def states(self, sequences):
        w = self.w
        position = w["embeddings.position_embeddings.weight"]
        types = w["embeddings.token_type_embeddings.weight"]
        words = w["embeddings.word_embeddings.weight"]
        if self.k == 0:
            return [
                self.norm(words[torch.tensor(s)] + position[: len(s)] + types[0],
                          "embeddings.LayerNorm") for s in sequences]
        grams = [list(zip([0] + s[:-1], s, s[1:] + [0])) for s in sequences]
        distinct = sorted(set(g for s in grams for g in s))
        number = {g: i for i, g in enumerate(distinct)}
        table = []
        for first in range(0, len(distinct), 2048):
            ids = torch.tensor(distinct[first:first + 2048])
            known = ids > 0
            x = self.norm(words[ids] + position[:3] + types[0], "embeddings.LayerNorm")
            for layer in self.local:
                x = layer(x, known[:, None, None, :])
            x = x * torch.sigmoid(F.linear(x, w["attn.weight"], w["attn.bias"]))
            table.append(x * known[..., None])
        table = torch.cat(table)
        result = []
        for s in grams:
            rows = table[torch.tensor([number[g] for g in s])]
            x = rows[:, 1].clone()
            x[:-1] += rows[1:, 0]
            x[1:] += rows[:-1, 2]
            x += w["embeddings.position_embeddings2.weight"][: len(s)]
            x += w["embeddings.token_type_embeddings2.weight"][0]
            result.append(self.norm(x, "norm"))
        return result


class Model(nn.Module):
    def __init__(self, w, config, k, width, labels):
        super().__init__()
        self.layers = nn.ModuleList(
            Layer(w, i, config["num_attention_heads"], width)
            for i in range(k, config["num_hidden_layers"]))
        self.head = nn.Linear(config["hidden_size"], labels)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x, lengths):
        valid = torch.arange(x.shape[1])[None] < lengths[:, None]
        for layer in self.layers:
            x = layer(x, valid[:, None, None, :])
        pooled = (x * valid[..., None]).sum(1) / lengths[:, None]
        return self.head(self.dropout(pooled))


def batches(lengths, size, rng):
    """Shuffled batches of rows of similar length."""
    order = list(range(len(lengths)))
    rng.shuffle(order)
    result = []
    for first in range(0, len(order), size * 32):
        part = sorted(order[first:first + size * 32], key=lambda i: lengths[i])
        result += [part[i:i + size] for i in range(0, len(part), size)]
    rng.shuffle(result)
    return result


def pad(states, rows):
    lengths = torch.tensor([len(states[i]) for i in rows])
    return nn.utils.rnn.pad_sequence([states[i] for i in rows], batch_first=True), lengths


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", required=True)
    parser.add_argument("--ids", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--test-ids")
    parser.add_argument("--test")
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--autocast", action="store_true")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    rng = random.Random(a.seed)
    config = json.load(open(f"{a.base}/config.json"))
    weights = {k: v.float() for k, v in load_file(f"{a.base}/model.safetensors").items()}
    ids = [row["ids"] for row in lines(a.ids)][: a.rows]
    labels = [row["label"] for row in lines(a.data)][: a.rows]
    names = sorted(set(labels))
    gold = torch.tensor([names.index(l) for l in labels])
    base = Base(weights, config)
    start = time.time()
    states = base.states(ids)
    prepared = time.time() - start
    model = Model(weights, config, base.k, a.width, len(names))
    if a.autocast:
        for layer in model.layers:
            layer.halve()
    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0}], lr=a.lr)
    total = a.epochs * ((len(ids) + a.batch - 1) // a.batch)
    warm = max(1, int(0.06 * total))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / warm, (total - s) / max(1, total - warm)))
    lengths = [len(s) for s in ids]
    epochs = []
    spent = time.process_time()
    for _ in range(a.epochs):
        model.train()
        start = time.time()
        for rows in batches(lengths, a.batch, rng):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=a.autocast):
                logits = model(*pad(states, rows))
            loss = F.cross_entropy(logits.float(), gold[rows])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        epochs.append(time.time() - start)
    spent = time.process_time() - spent
    accuracy = None
    if a.test:
        model.eval()
        test = base.states([row["ids"] for row in lines(a.test_ids)])
        wanted = [row["label"] for row in lines(a.test)]
        right = 0
        with torch.no_grad():
            order = sorted(range(len(test)), key=lambda i: len(test[i]))
            for first in range(0, len(order), 64):
                rows = order[first:first + 64]
                with torch.autocast("cpu", torch.bfloat16, enabled=a.autocast):
                    best = model(*pad(test, rows)).argmax(-1)
                right += sum(names[b] == wanted[i] for b, i in zip(best.tolist(), rows))
        accuracy = right / len(test)
    print(json.dumps({
        "engine": f"torch {torch.__version__}" + (" bf16 autocast" if a.autocast else ""),
        "threads": a.threads, "prepare_s": prepared,
        "train_s": sum(epochs),
        "train_cpu_s": spent, "epoch_s": epochs, "rows_per_s": len(ids) * a.epochs / sum(epochs),
        "tokens_per_s": sum(lengths) * a.epochs / sum(epochs), "test_accuracy": accuracy}))


if __name__ == "__main__":
    main()
