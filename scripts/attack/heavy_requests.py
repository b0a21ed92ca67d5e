"""Requests that cost processor time before anything is computed, and a base that cannot be loaded."""

import gzip
import json
import os
import statistics
import time

from common import Home, Server, Watch, finish, row, together

MEGABYTE = 1 << 20


def attack(server, what, path, body, times, statuses, coding=None):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with Watch(server) as watch:
        begin = time.monotonic()
        replies = together([lambda: server.post(path, data, timeout=120, coding=coding)] * times)
        took = time.monotonic() - begin
    codes = sorted({str(r[0]) if isinstance(r, tuple) else repr(r)[:60] for r in replies})
    largest = max((len(r[2]) for r in replies if isinstance(r, tuple)), default=0)
    row(f"{what}: /health meanwhile", "1 s", f"{watch.longest:.2f} s",
        watch.longest < 1 and not watch.failures)
    row(f"{what}: answer", f"{'/'.join(statuses)}, 32 MB, 300 MB more memory",
        f"{', '.join(codes)}, {largest / 1e6:.1f} MB, {watch.grown:.0f} MB, {took:.1f} s",
        set(codes) <= set(statuses) and largest < 32e6 and watch.grown <= 300)


def blocked_base(home):
    """A vBERT on a base that is gone, asked by four clients all the time: others do not wait."""
    home.run("base", "import", f"{home.path}/checkpoint", "--name", "broken")
    home.run("create", "lost", "--task", "embed", "--base", "broken", "--adapter", "none")
    folder = f"{home.path}/bases/broken"
    for root, _, files in os.walk(folder):
        for name in files:
            if name.endswith(".safetensors"):
                os.truncate(os.path.join(root, name), 100)
    with Server(home) as server, Watch(server) as watch:
        end, times = time.monotonic() + 3, []

        def ask_lost():
            seen = set()
            while time.monotonic() < end:
                seen.add(server.post("/embed", {"inputs": "a cat", "model": "lost"})[0])
            return seen

        def ask_well():
            while time.monotonic() < end:
                begin = time.monotonic()
                server.post("/embed", {"inputs": "a cat", "model": "embedder"})
                times.append(time.monotonic() - begin)

        seen = set().union(*together([ask_lost] * 4 + [lambda: ask_well() or set()]))
    row("a base that fails, asked all the time: /health", "1 s", f"{watch.longest:.2f} s",
        watch.longest < 1 and not watch.failures)
    row("the same: its vBERT; another vBERT's median", "424; 0.2 s",
        f"{sorted(seen)}; {statistics.median(times):.3f} s",
        seen == {424} and statistics.median(times) < 0.2)


with Home() as home:
    with Server(home) as server:
        query = "the red cat runs " * (4 * MEGABYTE // 17 - 400)
        attack(server, "2 x /rerank, 4 MB query, 256 texts", "/rerank",
               {"query": query, "texts": ["a dog"] * 256, "model": "scorer", "truncate": True}, 2, ["200"])
        attack(server, "2 x /rerank, the same without truncate", "/rerank",
               {"query": query, "texts": ["a dog"] * 256, "model": "scorer"}, 2, ["413"])
        attack(server, "2 x /rerank, the same cut on the left", "/rerank",
               {"query": query, "texts": ["a dog"] * 256, "model": "scorer", "truncate": True,
                "truncation_direction": "Left"}, 2, ["200"])
        attack(server, "/tokenize, 4 MB of marks", "/tokenize",
               {"inputs": "." * (4 * MEGABYTE - 100)}, 1, ["413"])
        attack(server, "2 x /tokenize, 1 MB", "/tokenize",
               {"inputs": "sleeps " * (MEGABYTE // 7)}, 2, ["200"])
        attack(server, "/tag, 4 MB of words", "/tag",
               {"inputs": "a " * (2 * MEGABYTE - 100), "model": "tagger"}, 1, ["413"])
        attack(server, "/tag, 4 MB of marks, cut", "/tag",
               {"inputs": "." * (4 * MEGABYTE - 200), "model": "tagger", "truncate": True}, 1, ["200"])
        for what, text in [("words", "a " * (2 * MEGABYTE - 200)), ("marks", "." * (4 * MEGABYTE - 300))]:
            attack(server, f"/tag, 4 MB of {what}, cut on the left", "/tag",
                   {"inputs": text, "model": "tagger", "truncate": True, "truncation_direction": "Left"},
                   1, ["200"])
        attack(server, "/embed, 4 MB of words, cut on the left", "/embed",
               {"inputs": "a " * (2 * MEGABYTE - 200), "model": "embedder", "truncate": True,
                "truncation_direction": "Left"}, 2, ["200"])
        attack(server, "/embed, one word of 4 MB, cut on the left", "/embed",
               {"inputs": "a" * (4 * MEGABYTE - 300), "model": "embedder", "truncate": True,
                "truncation_direction": "Left"}, 2, ["200"])
        attack(server, "/embed, 4 MB that hold no token", "/embed",
               {"inputs": " " * (4 * MEGABYTE - 200), "model": "embedder"}, 2, ["200"])
        attack(server, "/embed, one word of 4 MB", "/embed",
               {"inputs": "a" * (4 * MEGABYTE - 200), "model": "embedder"}, 2, ["200"])
        attack(server, "/embed, 200,000 unknown members", "/embed",
               {f"{i}": None for i in range(200_000)}, 2, ["422"])
        attack(server, "2 x /embed, 1,000,000 lists in a member", "/embed",
               {"inputs": "a", "model": "embedder", "metadata": [[]] * 1_000_000}, 2, ["200"])
        # At the bounds of one request: 2,048 texts, 32 MB.
        attack(server, "2 x /rerank, 100 KB query, 2,048 texts", "/rerank",
               {"query": "the red cat runs " * 6000, "texts": ["a dog"] * 2048, "model": "scorer",
                "truncate": True}, 2, ["200"])
        attack(server, "2 x /embed, 31 MB in 2,048 texts, cut", "/embed",
               {"inputs": ["the red cat runs " * 900] * 2048, "model": "embedder", "truncate": True}, 2,
               ["200"])
        bomb = gzip.compress(b" " * MEGABYTE) * 4000
        attack(server, "4 x /embed, 4 MB of gzip that hold 4 GB", "/embed", bomb, 4, ["413", "429"], "gzip")
    blocked_base(home)
finish()
