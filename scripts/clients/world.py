"""What the cells share: a server with a few tiny vBERTs, the truth to hold answers against, and the list of cells.

A file NAME_cells.py holds the cells of one family of clients: functions marked with `cell` that ask with a client and
return nothing, or a few words; what they raise is a failure. Each is given the `World`.
"""

import json
import math
import os
import sys
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "attack"))

from common import Home, Server  # noqa: E402

CELLS = []
TEXTS = ["the red cat runs", "a cold dog sleeps in oslo .", "one two three birds"]


def cell(package, call, setup):
    """A row of the matrix: the package on PyPI, what is called, and what the client is told."""
    def mark(function):
        CELLS.append((package, call, setup, function))
        return function
    return mark


class World:
    """A closed server: `embedder`, `topic` (classify), `scorer` (score, of pairs) and `tagger` (tag); `key` may ask,
    those of `bound` also ask the vBERT of their name where nobody is named, `trainer` may train on `base`."""

    def __enter__(self):
        self.home = Home()
        self.key = self.make_key("web")
        self.trainer = self.make_key("trainer", scope="predict,train")
        self.base = "tiny-skip2"
        self.bound = {name: self.make_key(f"for-{name}", "--vbert", name) for name in ["embedder", "scorer"]}
        self.server = Server(self.home, "--queue", "16384")
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.vectors = self.post("/embed", {"model": "embedder", "inputs": TEXTS})
        return self

    def __exit__(self, *_):
        self.server.__exit__()
        self.home.__exit__()

    def make_key(self, label, *more, scope="predict"):
        said = self.home.run("tenant", "key", "add", "default", label, "--scope", scope, *more)
        return next(word for word in said.split() if word.startswith("vb_"))

    def at(self, name, path=""):
        """A vBERT's own address."""
        return f"{self.url}/m/{name}{path}"

    def post(self, path, body):
        request = urllib.request.Request(
            f"{self.url}{path}", json.dumps(body).encode(), {"authorization": f"Bearer {self.key}"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.loads(reply.read())

    def labels(self, text):
        return {item["label"]: item["score"] for item in self.post("/predict", {"model": "topic", "inputs": text})}

    def ranks(self, query, texts):
        """The order of texts, and each one's score."""
        found = self.post("/rerank", {"model": "scorer", "query": query, "texts": texts})
        return [(item["index"], item["score"]) for item in found]


def near(found, expected, what="numbers"):
    """Lists of numbers, however deep, that are the same to float32."""
    if isinstance(expected, (int, float)):
        assert math.isclose(found, expected, rel_tol=1e-4, abs_tol=1e-5), f"{what}: {found} is not {expected}"
        return
    found = list(found)
    assert len(found) == len(expected), f"{what}: {len(found)} where {len(expected)} were expected"
    for one, other in zip(found, expected):
        near(one, other, what)


def refused(ask, *words):
    """What `ask` raises must say these."""
    try:
        answer = ask()
    except Exception as error:  # noqa: BLE001
        said = f"{error} {getattr(getattr(error, 'response', None), 'text', '')}"
        for word in words:
            assert word in said, f"{word} is not in: {said[:500]}"
        return "refused: " + words[0]
    raise AssertionError(f"answered: {str(answer)[:200]}")
