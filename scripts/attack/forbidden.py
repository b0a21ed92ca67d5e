"""Whether the time of a 404 says that a name exists for somebody else: 2,000 of each, in turns, on one
connection. The difference of the medians is compared with what two halves of one kind differ by."""

import http.client
import json
import random
import statistics
import time

from common import Home, Server, finish, row

ROUNDS = 2000


def compare(server, what, kinds, words="same"):
    """`kinds`: name -> (path, body, key), a key beginning with no: sent under another header's name, so
    that both requests are as long. Medians in microseconds."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    times = {name: [] for name in kinds}
    answers = {name: set() for name in kinds}
    draw = random.Random(1)
    for _ in range(ROUNDS):
        for name in draw.sample(list(kinds), len(kinds)):
            path, body, key = kinds[name]
            begin = time.perf_counter()
            field = "x-no-such-key" if key.startswith("no") else "authorization"
            headers = {field: f"Bearer {key}", "content-type": "application/json"}
            connection.request("POST" if body else "GET", path, body, headers)
            reply = connection.getresponse()
            text = reply.read()
            times[name].append(time.perf_counter() - begin)
            answers[name].add((reply.status, text.replace(b"nothing", b"NAME").replace(b"secrets", b"NAME")
                               .replace(b"nobody", b"TENANT").replace(b"theirs", b"TENANT")
                               .replace(name.encode(), b"NAME")))
            if reply.will_close:
                connection.close()
    one, two = ({n: 1e6 * statistics.median(t[i::2]) for n, t in times.items()} for i in range(2))
    medians = {n: 1e6 * statistics.median(t) for n, t in times.items()}
    names = list(kinds)
    apart = abs(medians[names[0]] - medians[names[1]])
    noise = max(abs(one[n] - two[n]) for n in names)
    found = "same" if answers[names[0]] == answers[names[1]] else "other"
    row(what, f"{words} words, 8 us apart (or twice the noise)",
        f"{found} words, {medians[names[0]]:.1f} and {medians[names[1]]:.1f} us, "
        f"noise {noise:.1f} us", found == words and apart <= max(8, 2 * noise))


with Home(train=()) as home:
    ours, theirs = home.tenant("ours"), home.tenant("theirs")
    gone = home.tenant("gone")
    home.run("create", "secrets", "--task", "embed", "--base", "tiny-skip2", "--adapter", "none",
             "--tenant", "theirs")
    with Server(home) as server:
        body = {name: json.dumps({"inputs": "a cat", "model": name}) for name in ["nothing", "secrets"]}
        # Their vBERT is in use, so remembered.
        assert server.post("/embed", body["secrets"].encode(), key=theirs)[0] == 200
        assert server.post("/embed", {"inputs": "a cat", "model": "nobody"}, key=gone)[0] == 404
        home.run("tenant", "delete", "gone")
        compare(server, "/embed of an unknown name and of another tenant's",
                {name: ("/embed", body[name], ours) for name in body})
        compare(server, "GET /v1/models of an unknown name and of another tenant's",
                {name: (f"/v1/models/{name}", None, ours) for name in body})
        # By its full name, with the routes that change things, and the tenant itself.
        full = {f"theirs/{name}": json.dumps({"inputs": "a cat", "model": f"theirs/{name}"})
                for name in ["nothing", "secrets"]}
        compare(server, "/embed of another tenant's by its full name, and of none there",
                {name: ("/embed", body, ours) for name, body in full.items()})
        compare(server, "GET /v1/vberts of an unknown name and of another tenant's",
                {name: (f"/v1/vberts/theirs%2F{name}", None, ours) for name in ["nothing", "secrets"]})
        # What they have brought, and what learns from it.
        form = (b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n--b\r\n'
                b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
                b'{"text": "a cat", "label": "a"}\n{"text": "a dog", "label": "b"}\n\r\n--b--\r\n')
        file = json.loads(server.post("/v1/files", form, key=theirs, kind="multipart/form-data; boundary=b")[2])["id"]
        job = json.loads(server.post("/v1/fine_tuning/jobs", {
            "model": "tiny-skip2", "training_file": file, "suffix": "made"}, key=theirs)[2])["id"]
        never = "x" * 24
        for path, prefix, id in [("/v1/files/", "file-", file), ("/v1/fine_tuning/jobs/", "ftjob-", job)]:
            compare(server, f"GET {path} of an unknown id and of another tenant's",
                    {name: (path + name, None, ours) for name in [prefix + never, id]})
        compare(server, "events of an unknown fine-tuning and of another tenant's",
                {name: (f"/v1/fine_tuning/jobs/{name}/events", None, ours) for name in ["ftjob-" + never, job]})
        compare(server, "another tenant's keys, and those of no tenant",
                {name: (f"/v1/keys?tenant={name}", None, ours) for name in ["nobody", "theirs"]})
        compare(server, "another tenant, and no tenant",
                {name: (f"/v1/tenants/{name}", None, ours) for name in ["nobody", "theirs"]})
        compare(server, "a key that never was and one that was revoked",
                {"key-never": ("/v1/models", None, "vb_" + gone[3:][::-1]), "key-gone": ("/v1/models", None, gone)})
        compare(server, "no key and a wrong one",
                {"none": ("/v1/models", None, "no" + gone[2:]), "wrong": ("/v1/models", None, "vb_" + gone[3:][::-1])},
                words="other")
finish()
