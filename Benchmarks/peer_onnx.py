#!/usr/bin/env python3
"""ONNX Runtime fp32 on given token ids: the peer that the encoder is measured against.

    pip install torch transformers onnx onnxscript onnxruntime
    python3 Benchmarks/peer_onnx.py --model DIR --ids ids.json [--threads 2] [--cache DIR]

DIR is a Hugging Face BERT directory. ids.json: {"batches": [[[id, ...], ...], ...], "single": [id,
...]}: batches as they are run (a batch is padded to its longest row), and one text for latency.
The graph is a torch.onnx export with dynamo=False and eager attention, optimised by
onnxruntime.transformers (one fused Attention node a layer; other exports do not fuse).

Reads commands from stdin, one a line, and answers each with one line of JSON:
    batches     every batch once: {"seconds", "tokens"} (tokens without padding)
    single N    the one text N times: {"milliseconds": [..]}
    first       the first row's mean-pooled, normalised embedding: {"embedding": [..]}
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime


def export(model_dir, path):
    import torch
    from onnxruntime.transformers import optimizer
    from transformers import AutoModel

    model = AutoModel.from_pretrained(model_dir, attn_implementation="eager")
    model.train(False)
    config = model.config

    class Hidden(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = model

        def forward(self, ids, mask, types):
            return self.bert(
                input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state

    ids = torch.ones(2, 8, dtype=torch.int64)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {name: {0: "batch", 1: "length"} for name in names + ["hidden"]}
    raw = path.with_suffix(".raw.onnx")
    torch.onnx.export(
        Hidden(), (ids, ids, torch.zeros_like(ids)), str(raw), input_names=names,
        output_names=["hidden"], dynamic_axes=axes, opset_version=17, dynamo=False)
    fused = optimizer.optimize_model(
        str(raw), model_type="bert", num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size)
    counts = fused.get_fused_operator_statistics()
    if counts["Attention"] != config.num_hidden_layers:
        sys.exit(f"the graph did not fuse: {counts}")
    fused.save_model_to_file(str(path))
    print(f"fused: {counts}", file=sys.stderr)


def feed(rows):
    longest = max(map(len, rows))
    ids = np.zeros((len(rows), longest), np.int64)
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--ids", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/vbert-benchmarks")
    args = parser.parse_args()

    args.cache.mkdir(parents=True, exist_ok=True)
    path = args.cache / f"{args.model.resolve().name}.onnx"
    if not path.exists():
        export(args.model, path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    work = json.loads(args.ids.read_text())
    batches = [feed(rows) for rows in work["batches"]]
    single = feed([work["single"]])
    tokens = sum(len(row) for rows in work["batches"] for row in rows)
    session.run(["hidden"], single)
    print(json.dumps({"ready": f"onnxruntime {onnxruntime.__version__}"}), flush=True)

    for line in sys.stdin:
        command, *rest = line.split()
        if command == "batches":
            start = time.perf_counter()
            for batch in batches:
                session.run(["hidden"], batch)
            answer = {"seconds": time.perf_counter() - start, "tokens": tokens}
        elif command == "single":
            times = []
            for _ in range(int(rest[0])):
                start = time.perf_counter()
                session.run(["hidden"], single)
                times.append((time.perf_counter() - start) * 1e3)
            answer = {"milliseconds": times}
        elif command == "first":
            rows = [work["batches"][0][0]]
            mean = session.run(["hidden"], feed(rows))[0][0].mean(axis=0)
            answer = {"embedding": (mean / np.linalg.norm(mean)).tolist()}
        else:
            answer = {"error": f"unknown command {command}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
