"""What the attacks share: a home with a tiny model, a server on a free port of 127.0.0.1, raw
connections, and the rows of the table. Only Python's standard library.

An attack is a program of its own, `python3 scripts/attack/NAME.py`, that calls `row` for every bound
it checks and ends with `finish()`. Everything is bounded: connections, bytes, and seconds.
"""

import contextlib
import json
import os
import random
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORDS = ("red blue green warm cold one two three cat dog bird runs sleeps sings the in paris oslo rome "
         "fast slow ? .").split()
LETTERS = list("abcdefghijklmnopqrstuvwxyz")
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS + LETTERS + ["##" + x for x in LETTERS]


def binary():
    """VBERT, else the release build, else the debug build."""
    for path in [os.environ.get("VBERT"), f"{ROOT}/.build/release/vbert", f"{ROOT}/.build/debug/vbert"]:
        if path and os.access(path, os.X_OK):
            return path
    sys.exit("vbert is not built: make build")


def write_checkpoint(folder, hidden=32, layers=4, positions=512):
    """A small BERT with random weights in Hugging Face's layout."""
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/vocab.txt", "w") as file:
        file.write("\n".join(VOCABULARY) + "\n")
    with open(f"{folder}/config.json", "w") as file:
        json.dump({
            "model_type": "bert", "vocab_size": len(VOCABULARY), "hidden_size": hidden,
            "num_hidden_layers": layers, "num_attention_heads": 4, "intermediate_size": 2 * hidden,
            "max_position_embeddings": positions, "type_vocab_size": 2, "hidden_act": "gelu",
            "layer_norm_eps": 1e-12}, file)
    draw, header, data = random.Random(7), {}, bytearray()

    def add(name, shape, scale, mean=0.0):
        count = 1
        for side in shape:
            count *= side
        begin = len(data)
        data.extend(struct.pack(f"<{count}f", *(mean + draw.uniform(-scale, scale) for _ in range(count))))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}

    def linear(name, outputs, inputs):
        add(f"{name}.weight", [outputs, inputs], 0.3)
        add(f"{name}.bias", [outputs], 0.05)

    def norm(name):
        add(f"{name}.weight", [hidden], 0, 1.0)
        add(f"{name}.bias", [hidden], 0)

    add("bert.embeddings.word_embeddings.weight", [len(VOCABULARY), hidden], 1)
    add("bert.embeddings.position_embeddings.weight", [positions, hidden], 0.1)
    add("bert.embeddings.token_type_embeddings.weight", [2, hidden], 0.1)
    norm("bert.embeddings.LayerNorm")
    for layer in range(layers):
        name = f"bert.encoder.layer.{layer}"
        for part in ["query", "key", "value"]:
            linear(f"{name}.attention.self.{part}", hidden, hidden)
        linear(f"{name}.attention.output.dense", hidden, hidden)
        norm(f"{name}.attention.output.LayerNorm")
        linear(f"{name}.intermediate.dense", 2 * hidden, hidden)
        linear(f"{name}.output.dense", hidden, 2 * hidden)
        norm(f"{name}.output.LayerNorm")
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(f"{folder}/model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


class Home:
    """A data directory: base tiny-skip2 and the vBERTs embedder, topic, scorer and tagger of the tenant
    default, each with its few rows of training. Removed at the end of the `with`."""

    def __init__(self, layers=4, hidden=32, train=("topic", "scorer", "tagger")):
        self.path = tempfile.mkdtemp(prefix="vbert-attack-")
        self.run("base", "import", self.checkpoint(layers, hidden), "--name", "tiny")
        self.run("base", "skip", "--base", "tiny", "--skip", "2", "--name", "tiny-skip2")
        with open(f"{self.path}/corpus.txt", "w") as file:
            file.write("the red cat runs\na cold dog sleeps in oslo .\n")
        self.run("plot", "build", "--base", "tiny-skip2", "--corpus", f"{self.path}/corpus.txt")
        self.run("create", "embedder", "--task", "embed", "--base", "tiny-skip2", "--adapter", "none")
        for name in train:
            self.train(name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def checkpoint(self, layers, hidden):
        write_checkpoint(f"{self.path}/checkpoint", hidden, layers)
        return f"{self.path}/checkpoint"

    def run(self, *arguments):
        done = subprocess.run(
            [binary(), *arguments, "--home", self.path], capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"vbert {' '.join(arguments)}: {done.returncode} {done.stderr[-2000:]}")
        return done.stdout

    def train(self, name, tenant=None):
        task = {"topic": "classify", "scorer": "score", "tagger": "tag"}.get(name.split("-")[0], "classify")
        draw, rows = random.Random(1), []
        for i in range(24):
            words = draw.choices(WORDS[:20], k=5)
            rows.append({
                "classify": {"text": " ".join(words), "label": "ab"[i % 2]},
                "score": {"text": " ".join(words), "text_pair": " ".join(words[2:]), "score": i % 2},
                "tag": {"tokens": words, "tags": ["B-LOC" if w in WORDS[16:19] else "O" for w in words]},
            }[task])
        with open(f"{self.path}/{name}.jsonl", "w") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        owner = ["--tenant", tenant] if tenant else []
        self.run("create", name, "--task", task, "--base", "tiny-skip2", *owner)
        full = f"{tenant}/{name}" if tenant else name
        self.run("train", full, "--data", f"{self.path}/{name}.jsonl", "--epochs", "1")

    def tenant(self, name):
        """Makes the tenant and returns its key."""
        return next(word for word in self.run("tenant", "create", name).split() if word.startswith("vb_"))


class Server:
    """`vbert serve` on this home; killed at the end of the `with` if it is still there. `files` is its
    hard limit of open files."""

    def __init__(self, home, *arguments, files=None):
        self.port = free_port()
        limit = ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh"] if files else []
        self.log = open(f"{home.path}/server-{self.port}.log", "w+")
        self.process = subprocess.Popen(
            [*limit, binary(), "serve", "--port", str(self.port), "--home", home.path, *arguments],
            stdout=self.log, stderr=self.log)
        for _ in range(600):
            with contextlib.suppress(OSError):
                if self.get("/health", timeout=2)[0] == 200:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"the server did not become healthy: {self.said()[-2000:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def said(self):
        self.log.flush()
        with open(self.log.name) as file:
            return file.read()

    def send(self, method, path, body=None, key=None, timeout=60, port=None, coding=None, kind="application/json"):
        """Status, headers, bytes. `coding`: how the body is packed; `kind`: what it is."""
        headers = {"content-type": kind, "connection": "close"}
        if coding:
            headers["content-encoding"] = coding
        if key:
            headers["authorization"] = f"Bearer {key}"
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port or self.port}{path}", data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as reply:
                return reply.status, dict(reply.headers), reply.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def get(self, path, **options):
        return self.send("GET", path, **options)

    def post(self, path, body, **options):
        return self.send("POST", path, body, **options)

    def connect(self, timeout=30):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def memory(self):
        """Resident megabytes."""
        with open(f"/proc/{self.process.pid}/status") as file:
            for line in file:
                if line.startswith("VmRSS"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def cpu(self):
        """Seconds of processor time so far."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def terminate(self, timeout=90):
        """SIGTERM; exit status (None: still running) and seconds."""
        begin = time.monotonic()
        self.process.terminate()
        try:
            return self.process.wait(timeout), time.monotonic() - begin
        except subprocess.TimeoutExpired:
            return None, time.monotonic() - begin


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Watch:
    """Asks /health every 50 ms in a process of its own while the `with` runs (beside an attack's threads it
    would time these): the longest answer in seconds (a failed one counts with what it took, 5 s at
    least), and the most resident megabytes above those at the beginning."""

    def __init__(self, server, port=None):
        self.longest, self.failures, self.grown = 0.0, 0, 0.0
        self.arguments = [str(port or server.port), str(server.process.pid)]

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, __file__, *self.arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()
        return self

    def __exit__(self, *_):
        out = self.process.communicate(timeout=40)[0]
        self.longest, self.failures, self.grown = json.loads(out)


def watch(port, pid):
    """What a `Watch` runs, until its standard input ends."""
    def memory():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as file:
            return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))
        return 0.0

    quiet = most = memory()
    longest, failures = 0.0, 0
    print("watching", flush=True)
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        begin, ok = time.monotonic(), False
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=30) as reply:
                ok = reply.status == 200
        took = time.monotonic() - begin
        failures += not ok
        longest = max(longest, took if ok else max(5, took))
        most = max(most, memory())
    print(json.dumps([longest, failures, most - quiet]))


def head(path, length, key=None, more=""):
    """The head of a POST whose body has `length` bytes."""
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    return (f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            f"{authorization}{more}Content-Length: {length}\r\n\r\n").encode()


def together(functions):
    """Runs all of them at once, each in a thread; their results, exceptions among them, in order."""
    results = [None] * len(functions)

    def run(i):
        try:
            results[i] = functions[i]()
        except Exception as error:
            results[i] = error

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    return results


_failed = []


def row(what, bound, measured, ok):
    """One row of the table in docs/operations.md."""
    print(f"| {what} | {bound} | {measured} | {'yes' if ok else 'NO'} |", flush=True)
    if not ok:
        _failed.append(what)


def finish():
    sys.exit(1 if _failed else 0)


if __name__ == "__main__":
    watch(*sys.argv[1:])
