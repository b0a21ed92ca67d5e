"""kill -9 of a server and of the trainer beside it, at random moments, while files come and vBERTs are trained
over HTTP: nothing that was acknowledged is lost, and no version is there twice or by half."""

import contextlib
import json
import os
import random
import signal
import time
import urllib.error

from common import Home, Server, finish, row

ROUNDS = int(os.environ.get("ROUNDS", 30))


def form(rows):
    return (b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n--b\r\n'
            b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + rows + b"\r\n--b--\r\n")


def rows(draw):
    words = "red blue green warm cold one two three cat dog bird".split()
    lines = [{"text": " ".join(draw.choices(words, k=5)), "label": "ab"[i % 2]} for i in range(24)]
    return "\n".join(map(json.dumps, lines)).encode()


def children(pid):
    with contextlib.suppress(OSError):
        return [int(n) for n in open(f"/proc/{pid}/task/{pid}/children").read().split()]
    return []


draw = random.Random(5)
with Home(train=()) as home:
    key = home.tenant("acme")
    files, jobs, kills = {}, {}, 0
    for number in range(ROUNDS):
        with Server(home) as server:
            end = time.monotonic() + draw.uniform(0.05, 1.5)
            with contextlib.suppress(OSError, urllib.error.URLError, json.JSONDecodeError):
                while time.monotonic() < end:
                    text = rows(draw)
                    status, _, body = server.post("/v1/files", form(text), key=key,
                                                  kind="multipart/form-data; boundary=b")
                    if status != 200:
                        continue
                    file = json.loads(body)["id"]
                    files[file] = text
                    name = f"made-{len(jobs)}"
                    wish = {"model": "tiny-skip2", "training_file": file, "suffix": name}
                    if draw.random() < 0.5:
                        wish["hyperparameters"] = {"n_epochs": draw.choice([1, 3, 30])}
                    status, _, body = server.post("/v1/fine_tuning/jobs", wish, key=key)
                    if status == 200:
                        jobs[json.loads(body)["id"]] = name
                    time.sleep(draw.uniform(0, 0.4))
            # Either of the two, or both.
            victims = [[server.process.pid], children(server.process.pid)][draw.randrange(2)]
            for victim in victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                    kills += 1
            if server.process.poll() is None:
                time.sleep(draw.uniform(0, 0.5))
            server.process.kill()
    with Server(home) as server:
        states, versions, lost = {}, 0, 0
        until = time.monotonic() + 300
        for job in jobs:
            while time.monotonic() < until:
                status, _, body = server.get(f"/v1/fine_tuning/jobs/{job}", key=key)
                found = json.loads(body)
                if status != 200 or found["status"] in ("succeeded", "failed", "cancelled"):
                    break
                time.sleep(0.1)
            states[job] = found.get("status")
        for job, name in jobs.items():
            _, _, body = server.get(f"/v1/vberts/{name}", key=key)
            numbers = [one["version"] for one in json.loads(body).get("versions") or []]
            versions += numbers == ([1] if states[job] == "succeeded" else [])
            asked = server.post("/predict", {"model": name, "inputs": "a cat"}, key=key)[0]
            lost += states[job] == "succeeded" and asked != 200
        same = sum(server.get(f"/v1/files/{file}/content", key=key)[2] == text for file, text in files.items())
        done = sum(state == "succeeded" for state in states.values())
        # One that was interrupted five times has failed, and says so.
        told = sum(state == "failed" for state in states.values())
        row(f"{ROUNDS} kill -9 of server or trainer: files that were acknowledged", f"all {len(files)} as they came",
            f"{same}", same == len(files))
        row("fine-tunings that were acknowledged", f"all {len(jobs)} at an end",
            f"{done} succeeded, {told} failed", done + told == len(jobs) and told <= len(jobs) // 10)
        row("versions", "one of each that succeeded, none of others", f"{versions} of {len(jobs)} right, {lost} mute",
            versions == len(jobs) and lost == 0)
finish()
