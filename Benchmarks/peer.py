#!/usr/bin/env python3
"""One other engine on given token ids: a peer that the encoder is measured against.

    pip install torch transformers onnx onnxscript onnxruntime openvino
    python3 Benchmarks/peer.py --engine onnx --model DIR --ids ids.json [--threads 2] [--cache DIR]

Engines: onnx and onnx-int8 (ONNX Runtime), openvino, torch (PyTorch, eager with its fused attention).
DIR is a Hugging Face BERT directory. ids.json: {"batches": [[[id, ...], ...], ...], "single": [id,
...]}: batches as they are run (a batch is padded to its longest row), and one text for latency.
ONNX Runtime's graph is a torch.onnx export with dynamo=False and eager attention, optimised by
onnxruntime.transformers (one fused Attention node a layer; other exports do not fuse); int8 is that
graph after onnxruntime.quantization.quantize_dynamic, per channel (without it the least cosine is 0.906
instead of 0.981). OpenVINO reads the export before it is fused, with fp32 asked for.

Reads commands from stdin, one a line, and answers each with one line of JSON:
    batches       every batch once: {"seconds", "tokens"} (tokens without padding)
    single N      the one text N times: {"milliseconds": [..]}
    embeddings    every row's mean-pooled, normalised embedding, batch after batch: {"embeddings"}
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np


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


def onnx_path(args):
    args.cache.mkdir(parents=True, exist_ok=True)
    path = args.cache / f"{args.model.resolve().name}.onnx"
    if not path.exists():
        export(args.model, path)
    if args.engine == "openvino":
        return path.with_suffix(".raw.onnx")
    if args.engine == "onnx":
        return path
    quantised = path.with_suffix(".int8-channels.onnx")
    if not quantised.exists():
        import onnx
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(str(path), str(quantised), per_channel=True, weight_type=QuantType.QInt8,
                         extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})
    return quantised


def onnx_engine(args):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(
        str(onnx_path(args)), options, providers=["CPUExecutionProvider"])
    return (f"onnxruntime {onnxruntime.__version__}",
            lambda batch: session.run(["hidden"], batch)[0])


def openvino_engine(args):
    import openvino

    model = openvino.Core().compile_model(
        openvino.convert_model(str(onnx_path(args))), "CPU",
        {"INFERENCE_NUM_THREADS": args.threads, "INFERENCE_PRECISION_HINT": "f32",
         "PERFORMANCE_HINT": "LATENCY"})
    request = model.create_infer_request()
    return (f"openvino {openvino.__version__.split('-')[0]}",
            lambda batch: next(iter(request.infer(batch).values())))


def torch_engine(args):
    import torch
    from transformers import AutoModel

    torch.set_num_threads(args.threads)
    model = AutoModel.from_pretrained(args.model)
    model.train(False)

    def run(batch):
        with torch.inference_mode():
            return model(**{name: torch.from_numpy(value) for name, value in batch.items()}
                         ).last_hidden_state.numpy()

    return f"torch {torch.__version__}", run


ENGINES = {"onnx": onnx_engine, "onnx-int8": onnx_engine, "openvino": openvino_engine,
           "torch": torch_engine}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--engine", choices=ENGINES, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--ids", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/vbert-benchmarks")
    args = parser.parse_args()

    work = json.loads(args.ids.read_text())
    batches = [feed(rows) for rows in work["batches"]]
    single = feed([work["single"]])
    tokens = sum(len(row) for rows in work["batches"] for row in rows)
    name, run = ENGINES[args.engine](args)
    run(single)
    print(json.dumps({"ready": name}), flush=True)

    for line in sys.stdin:
        command, *rest = line.split()
        if command == "batches":
            start = time.perf_counter()
            for batch in batches:
                run(batch)
            answer = {"seconds": time.perf_counter() - start, "tokens": tokens}
        elif command == "single":
            times = []
            for _ in range(int(rest[0])):
                start = time.perf_counter()
                run(single)
                times.append((time.perf_counter() - start) * 1e3)
            answer = {"milliseconds": times}
        elif command == "embeddings":
            found = []
            for batch in batches:
                for states, mask in zip(run(batch), batch["attention_mask"]):
                    mean = states[mask == 1].mean(axis=0)
                    found.append((mean / np.linalg.norm(mean)).tolist())
            answer = {"embeddings": found}
        else:
            answer = {"error": f"unknown command {command}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
