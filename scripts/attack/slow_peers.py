"""Peers that take their time: unfinished bodies, readers that do not read, idle connections, a refused
body that goes on, half a body when the server is told to stop, and no descriptors left."""

import contextlib
import json
import socket
import time

from common import Home, Server, Watch, finish, head, row, together


def read_all(connection, seconds):
    """What comes until the end of the connection, and whether it came to that."""
    data, end = b"", time.monotonic() + seconds
    connection.settimeout(1)
    while time.monotonic() < end:
        try:
            part = connection.recv(65536)
        except TimeoutError:
            continue
        except OSError:
            return data, True
        if not part:
            return data, True
        data += part
    return data, False


def unfinished_bodies(home):
    keys = [home.tenant("one"), home.tenant("two")]
    home.run("create", "mine", "--task", "embed", "--base", "tiny-skip2", "--adapter", "none",
             "--tenant", "one")
    with Server(home) as server, Watch(server) as watch:
        peers = []
        length = 4 << 20

        def send(peer):
            # Of two tenants, since one has half of the memory only.
            peer.sendall(head("/embed", length, keys[peers.index(peer) % 2]))
            peer.sendall(b"x" * (length - 1))

        for _ in range(200):
            peers.append(server.connect(10))
        together([lambda p=p: send(p) for p in peers])
        small = server.post("/embed", {"inputs": "a cat", "model": "mine"}, key=keys[0])[0]
        begin = time.monotonic()
        ended = together([lambda p=p: read_all(p, 25)[1] for p in peers])
        took = time.monotonic() - begin
        for peer in peers:
            peer.close()
    for name in ["one", "two"]:
        home.run("tenant", "delete", name, "--with-vberts")
    home.run("tenant", "access", "open")
    row("200 bodies of 4 MB without their last byte: memory", "300 MB more",
        f"{watch.grown:.0f} MB", watch.grown <= 300)
    row("the same: /health meanwhile", "1 s", f"{watch.longest:.2f} s",
        watch.longest < 1 and not watch.failures)
    row("the same: a small request meanwhile", "200", str(small), small == 200)
    row("the same: all are closed", "25 s", f"{took:.1f} s, {sum(e is True for e in ended)} of 200",
        all(e is True for e in ended))


def readers_that_do_not_read(home):
    with Server(home) as server, Watch(server) as watch:
        body = json.dumps({"inputs": "a " * 130_000, "model": "embedder"}).encode()
        peers = []
        for _ in range(8):
            peer = socket.socket()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.connect(("127.0.0.1", server.port))
            peer.sendall(head("/tokenize", len(body)) + body)
            peers.append(peer)
        time.sleep(5)
        heads = [peer.recv(12, socket.MSG_PEEK) for peer in peers]
        time.sleep(25)
        page = server.get("/metrics")[2].decode()
        with open(f"/proc/{server.process.pid}/net/tcp") as file:
            local = f":{server.port:04X}"
            held = sum(local in line.split()[1] and line.split()[3] == "01" for line in file.readlines()[1:])
        for peer in peers:
            peer.close()
    row("8 clients that never read answers of 9 MB: memory", "300 MB more", f"{watch.grown:.0f} MB",
        watch.grown <= 300 and all(head == b"HTTP/1.1 200" for head in heads))
    row("the same: /health meanwhile", "1 s", f"{watch.longest:.2f} s",
        watch.longest < 1 and not watch.failures)
    row("the same: connections left after 30 s", "0", str(held), held == 0 and bool(page))


def full_house(home):
    with Server(home, "--connections", "100") as server:
        idle = [server.connect() for _ in range(160)]
        time.sleep(1.5)
        with Watch(server) as watch:
            time.sleep(1)
            status = server.post("/embed", {"inputs": "a cat", "model": "embedder"})[0]
        row("160 idle connections where 100 are allowed: /health", "1 s", f"{watch.longest:.2f} s",
            watch.longest < 1 and not watch.failures)
        row("the same: a request", "200", str(status), status == 200)
        for peer in idle:
            peer.close()
    with Server(home, "--connections", "40") as server:
        busy = [server.connect() for _ in range(40)]
        for peer in busy:
            peer.sendall(head("/embed", 1000) + b"{")
        time.sleep(0.3)
        with Watch(server) as watch:
            status, fields, _ = server.post("/embed", {"inputs": "a cat", "model": "embedder"})
            time.sleep(1)
        row("40 half requests where 40 are allowed: /health", "1 s", f"{watch.longest:.2f} s",
            watch.longest < 1 and not watch.failures)
        row("the same: a request", "503, Retry-After", f"{status}, {fields.get('Retry-After')}",
            status == 503 and "Retry-After" in fields)
        for peer in busy:
            peer.close()


def refused_body(home):
    home.tenant("guarded")
    with Server(home) as server:
        peer = server.connect()
        peer.sendall(head("/embed", 1 << 30, key="vb_wrong"))
        sent, begin = 0, time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - begin < 20:
                sent += peer.send(b"x" * 65536)
        took = time.monotonic() - begin
        row("a body of 1 GB behind a 401", "5 s, 48 MB", f"{took:.1f} s, {sent / 1e6:.1f} MB",
            took < 5 and sent < 48e6)
        peer = server.connect()
        peer.sendall(head("/embed", 3 << 20, key="vb_wrong") + b"x" * (3 << 20))
        answer = read_all(peer, 5)[0]
        row("a body of 3 MB behind a 401: the answer arrives", "401, Connection: close",
            answer[9:12].decode(), b" 401 " in answer and b"onnection: close" in answer)
    home.run("tenant", "delete", "guarded")
    home.run("tenant", "access", "open")


def stop_while_half_a_body_is_here(home):
    with Server(home, "--drain", "3") as server:
        peers = [server.connect() for _ in range(3)]
        peers[0].sendall(head("/embed", 1000) + b'{"inputs":')
        peers[1].sendall(b"POST /embed HT")
        time.sleep(0.5)
        status, took = server.terminate()
        row("SIGTERM with half a body, half a head, and an idle one (--drain 3)", "exit 0, 5 s",
            f"exit {status}, {took:.1f} s", status == 0 and took < 5)


def no_descriptors(home):
    with Server(home, files=80) as server:
        peers = []
        for _ in range(150):
            with contextlib.suppress(OSError):
                peers.append(server.connect(2))
        time.sleep(1.5)
        before = server.cpu()
        with Watch(server) as watch:
            time.sleep(2)
        status = server.post("/embed", {"inputs": "a cat", "model": "embedder"})[0]
        spent = server.cpu() - before
        row("ulimit -n 80 and 150 connections: /health", "1 s", f"{watch.longest:.2f} s",
            watch.longest < 1 and not watch.failures)
        row("the same: a request, processor time in 2 s", "200, 1 s", f"{status}, {spent:.2f} s",
            status == 200 and spent < 1)


with Home(train=()) as home:
    unfinished_bodies(home)
    readers_that_do_not_read(home)
    full_house(home)
    refused_body(home)
    stop_while_half_a_body_is_here(home)
    no_descriptors(home)
finish()
