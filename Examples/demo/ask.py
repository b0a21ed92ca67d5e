#!/usr/bin/env python3
"""Sends every row of a JSONL file to a running vbert server at once, each row to its own vBERT, and
prints the answers beside the texts. Only Python's standard library: a client needs no more.

    python3 ask.py http://127.0.0.1:8080 requests.jsonl
"""

import json
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

server, path = sys.argv[1].rstrip("/"), sys.argv[2]
rows = [json.loads(line) for line in open(path)]


def ask(row):
    pair = "text_pair" in row
    inputs = [[row["text"], row["text_pair"]]] if pair else row["text"]
    route = "/embed" if row["model"] == "search" else "/predict"
    body = json.dumps({"adapter_id": row["model"], "inputs": inputs}).encode()
    request = urllib.request.Request(
        server + route, data=body, headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as reply:
            return json.load(reply), dict(reply.headers)
    except urllib.error.HTTPError as error:
        return {"error": error.read().decode()}, dict(error.headers)


def flat(answer):
    while isinstance(answer, list) and len(answer) == 1 and isinstance(answer[0], list):
        answer = answer[0]
    return answer


def show(answer):
    """One line for people."""
    if isinstance(answer, dict):
        return answer["error"]
    if answer and isinstance(answer[0], float):
        return f"{len(answer)} numbers: {', '.join(f'{x:.3f}' for x in answer[:4])}, ..."
    if answer and "entity_group" in answer[0]:
        return ", ".join(f"{e['word']} = {e['entity_group']}" for e in answer)
    best = sorted(answer, key=lambda a: -a["score"])
    likely = [a for a in best if a["score"] >= 0.5] or best[:1]
    return ", ".join(f"{a.get('label', 'score')} {a['score']:.2f}" for a in likely)


start = time.time()
with ThreadPoolExecutor(len(rows)) as pool:
    replies = list(pool.map(ask, rows))
elapsed = time.time() - start

failed = 0
vectors = []
for row, (answer, _) in zip(rows, replies):
    answer = flat(answer)
    failed += isinstance(answer, dict)
    text = row["text"] + (" | " + row["text_pair"] if "text_pair" in row else "")
    print(f"  {row['model']:8} {text[:72]:72}  {show(answer)}")
    if row["model"] == "search" and not isinstance(answer, dict):
        vectors.append((row["text"], answer))

for text, vector in vectors[1:]:
    cosine = sum(a * b for a, b in zip(vectors[0][1], vector))
    print(f"  search   \"{vectors[0][0]}\" ~ \"{text}\": {cosine:.2f}")


def total(name):
    return sum(float(headers.get(name, 0)) for _, headers in replies)


print(f"\n{len(rows)} requests to {len({r['model'] for r in rows})} vBERTs at once: "
      f"{elapsed * 1000:.0f} ms, {failed} failed. On average a request spent")
for name, what in [("x-tokenization-time", "in the tokeniser"), ("x-queue-time", "in the queue"),
                   ("x-inference-time", "in the pipeline"), ("x-total-time", "in all")]:
    print(f"  {total(name) / len(rows):7.1f} ms {what}")
sys.exit(1 if failed else 0)
