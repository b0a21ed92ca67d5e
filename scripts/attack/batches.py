"""kill -9 of a server at random moments while batches come and are answered: every request of every batch that was
acknowledged is answered once, in its place, and as it would be alone. And what somebody waits for whose server is full
of batches."""

import contextlib
import json
import os
import random
import statistics
import time
import urllib.error

from common import WORDS, Home, Server, finish, row

ROUNDS = int(os.environ.get("ROUNDS", 30))


def form(lines):
    text = "\n".join(map(json.dumps, lines)).encode()
    return (b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b\r\n'
            b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + text + b"\r\n--b--\r\n")


def begin(server, key, lines):
    """The id of the batch; nil where it was not acknowledged."""
    status, _, body = server.post("/v1/files", form(lines), key=key, kind="multipart/form-data; boundary=b")
    if status != 200:
        return None
    wish = {"input_file_id": json.loads(body)["id"], "endpoint": "/embed", "completion_window": "24h"}
    status, _, body = server.post("/v1/batches", wish, key=key)
    return json.loads(body)["id"] if status == 200 else None


def requests(draw, count):
    """Some of them ask a vBERT that is not there."""
    return [{"custom_id": f"r{i}", "method": "POST", "url": "/embed", "body": {
        "model": "embedder" if draw.random() < 0.9 else "nobody",
        "inputs": [" ".join(draw.choices(WORDS[:20], k=draw.randint(1, 30))) for _ in range(draw.randint(1, 9))]}}
        for i in range(count)]


def wait(server, key, batch, until):
    while True:
        found = json.loads(server.get(f"/v1/batches/{batch}", key=key)[2])
        if found["status"] in ("completed", "failed", "expired", "cancelled") or time.monotonic() > until:
            return found
        time.sleep(0.1)


def lines(server, key, file):
    return [json.loads(one) for one in server.get(f"/v1/files/{file}/content", key=key)[2].splitlines()] if file else []


def medians(server, key, seconds):
    """Of what a small request takes, in ms: the median, and the 99th of a hundred."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.monotonic()
        assert server.post("/embed", {"model": "embedder", "inputs": "a red cat"}, key=key)[0] == 200
        took.append(1e3 * (time.monotonic() - start))
        time.sleep(0.01)
    return statistics.median(took), sorted(took)[int(0.99 * len(took))]


draw = random.Random(5)
with Home(train=()) as home:
    said = home.run("tenant", "key", "add", "default", "all", "--scope", "predict,train")
    key = next(word for word in said.split() if word.startswith("vb_"))
    batches = {}
    for number in range(ROUNDS):
        with Server(home) as server:
            end = time.monotonic() + draw.uniform(0.05, 3)
            with contextlib.suppress(OSError, urllib.error.URLError, json.JSONDecodeError):
                while time.monotonic() < end:
                    made = requests(draw, draw.choice([1, 50, 1000]))
                    if len(batches) < 40 and (id := begin(server, key, made)):
                        batches[id] = made
                    time.sleep(draw.uniform(0, 0.4))
            server.process.kill()
    with Server(home) as server:
        until = time.monotonic() + 400
        once = right = total = 0
        for batch, made in batches.items():
            done = wait(server, key, batch, until)
            good, bad = (lines(server, key, done[name]) for name in ("output_file_id", "error_file_id"))
            asked = [one["custom_id"] for one in made if one["body"]["model"] == "embedder"]
            other = [one["custom_id"] for one in made if one["body"]["model"] == "nobody"]
            once += ([one["custom_id"] for one in good], [one["custom_id"] for one in bad]) == (asked, other)
            bodies = {one["custom_id"]: one["body"] for one in made}
            for answer in draw.sample(good, min(20, len(good))):
                total += 1
                alone = json.loads(server.post("/embed", bodies[answer["custom_id"]], key=key)[2])
                right += alone == answer["response"]["body"]
        row(f"{ROUNDS} kill -9 of the server: batches whose requests are all answered once, in their order",
            f"all {len(batches)}", f"{once}", once == len(batches))
        row("answers that are what they would be alone", f"all {total}", f"{right}", right == total)
        quiet = medians(server, key, 5)
        made = requests(draw, 20_000)
        batch = begin(server, key, made)
        time.sleep(0.5)
        busy = medians(server, key, 5)
        state = json.loads(server.get(f"/v1/batches/{batch}", key=key)[2])
        counts = state["request_counts"]
        server.post(f"/v1/batches/{batch}/cancel", b"", key=key)
        row("a small request beside a batch of 20,000, p50 and p99 in ms", "3 x alone, p99 + 60 ms; the batch goes on",
            f"{quiet[0]:.1f} and {quiet[1]:.1f} alone, {busy[0]:.1f} and {busy[1]:.1f} beside, "
            f"{counts['completed'] + counts['failed']} answered",
            busy[0] < 3 * quiet[0] + 2 and busy[1] < quiet[1] + 60 and counts["completed"] > 100)
finish()
