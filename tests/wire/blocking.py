#!/usr/bin/env python3
"""Transactions and waiting commands over sockets, with many clients on several threads at once: nothing is lost, nothing is served twice, whoever waits is served, times out, is
unblocked or goes. Run under ThreadSanitizer as well.

    blocking.py SERVER
"""
import random
import select
import sys
import threading
import time

from servers import Resp, Ringwood, Tap, equal, together, until

BINARY = sys.argv[1]
tap = Tap()


def per_shards(title):
    def add(test):
        def run(server):
            test(server, random.Random(int(server.arguments[1])))
            equal(server.stop(), 0)  # a sanitizer that has found something says so by its status
        tap.per_shards(title, lambda shards: Ringwood(BINARY, shards=shards))(run)
        return test
    return add


@per_shards("elements pass through waiting clients, each once")
def queue(server, rng):
    lists, items, consumers = [f"queue:{i}" for i in range(5)], 300, 6
    taken, lock = [], threading.Lock()

    def consume():
        c = server.client()
        own = []
        while True:
            anywhere = rng.sample(lists, len(lists))
            reply = c("BLPOP", *anywhere, "0") if rng.random() < 0.5 else c("BLMPOP", "0", "5", *anywhere, "LEFT")
            value = reply[1] if isinstance(reply[1], bytes) else reply[1][0]
            if value == b"end":
                break
            own.append(value)
        with lock:
            taken.extend(own)

    def move():
        c = server.client()
        while True:
            value = c("BLMOVE", "inbox", rng.choice(lists), "LEFT", "RIGHT", "0")
            if value == b"last":
                break

    def produce(number):
        c = server.client()
        for i in range(items):
            if i % 3:
                c("RPUSH", rng.choice(lists), f"{number}:{i}")
            else:
                c.pipeline([("MULTI",), ("RPUSH", "inbox", f"{number}:{i}"), ("INCR", "made"), ("EXEC",)])
    producers = [lambda n=n: produce(n) for n in range(3)]
    waiting = [threading.Thread(target=f, daemon=True) for f in [consume] * consumers + [move] * 2]
    for t in waiting:
        t.start()
    together(*producers, seconds=120)
    c = server.client()
    c.pipeline([("RPUSH", "inbox", "last")] * 2)
    deadline = time.time() + 60
    while c("LLEN", "inbox") and time.time() < deadline:
        time.sleep(0.02)
    while any(c("LLEN", name) for name in lists) and time.time() < deadline:
        time.sleep(0.02)
    for _ in range(consumers):  # as many ends as clients, wherever they wait
        for name in lists:
            c("RPUSH", name, "end")
    for t in waiting:
        t.join(30)
        equal(t.is_alive(), False)
    expected = sorted(f"{n}:{i}".encode() for n in range(3) for i in range(items))
    got = sorted(v for v in taken if v != b"last")
    equal([v for v in got if v not in expected or got.count(v) > 1], [], "unknown or twice")
    equal([v for v in expected if v not in got], [], "lost")
    equal(int(c("GET", "made")), 3 * len(range(0, items, 3)))


@per_shards("EXEC is one step for all others: a sum never changes")
def transfers(server, rng):
    accounts = [f"account:{i}" for i in range(8)]
    server.client()("MSET", *[w for a in accounts for w in (a, "100")])
    stop = threading.Event()

    def transfer():
        c = server.client()
        for _ in range(150):
            a, b = rng.sample(accounts, 2)
            while True:
                c("WATCH", a, b)
                have = int(c("GET", a)), int(c("GET", b))
                replies = c.pipeline([("MULTI",), ("SET", a, have[0] - 1), ("SET", b, have[1] + 1), ("EXEC",)])
                if replies[-1] is not None:
                    break

    def check():
        c = server.client()
        while not stop.is_set():
            equal(sum(int(v) for v in c("MGET", *accounts)), 800)
            replies = c.pipeline([("MULTI",)] + [("GET", a) for a in accounts] + [("EXEC",)])
            equal(sum(int(v) for v in replies[-1]), 800)

    checker = threading.Thread(target=check, daemon=True)
    checker.start()
    together(*[transfer] * 4, seconds=120)
    stop.set()
    checker.join(30)
    equal(checker.is_alive(), False)
    equal(sum(int(v) for v in server.client()("MGET", *accounts)), 800)


@per_shards("who waits may go, be unblocked or time out while others write")
def leave(server, rng):
    def come_and_go():
        for _ in range(40):
            c = server.client()
            me = c("CLIENT", "ID")
            kind = rng.randrange(4)
            c("WATCH", "a", "b", "c")
            c.send(Resp.encode("BLPOP", "a", "b", "c", "d", "0" if kind < 2 else "0.02"))
            if kind == 0:
                c.close()
            elif kind == 1:
                other = server.client()
                while other("CLIENT", "UNBLOCK", me, "ERROR") == 0 and not has_reply(c):
                    pass
                other.close()
                c.read()
                c.close()
            else:
                c.read()
                c.close()

    def write():
        c = server.client()
        for _ in range(400):
            c("RPUSH", rng.choice("abcd"), "v")
            c("DEL", rng.choice("abcd"))
    together(*[come_and_go] * 4, write, write, seconds=120)
    c = server.client()
    c("DEL", "a", "b", "c", "d")
    deadline = time.time() + 10
    while time.time() < deadline:
        info = c("INFO", "clients").decode()
        if "blocked_clients:0\r\n" in info and "total_blocking_keys:0\r\n" in info:
            break
        time.sleep(0.05)
    equal("blocked_clients:0\r\n" in info and "total_blocking_keys:0\r\n" in info, True, info)


@per_shards("who has been served waits no more for whoever served it, on whichever threads they are")
def counted_out(server, _rng):
    waiters, writers = [server.client() for _ in range(4)], [server.client() for _ in range(4)]

    def blocked(c):
        return int(c("INFO", "clients").split(b"blocked_clients:")[1].split(b"\r")[0])
    for waiter, writer, key in [(a, b, f"key{n}") for a in waiters for b in writers for n in range(10)]:
        waiter.send(waiter.encode("BLPOP", key, 0))
        until(lambda c=writer: blocked(c) == 1, "it waits")
        equal(writer("RPUSH", key, "v"), 1)
        equal(blocked(writer), 0)
        equal(waiter.read(), [key.encode(), b"v"])


@per_shards("what stands behind a waiting command in a pipeline is answered behind it, once, however it is cut")
def pipelines(server, rng):
    def consume(number, dice):
        c, pusher = server.client(), server.client()
        for turn in range(25):
            key, requests, expected, elements = f"list:{number}", [], [], 0
            for i in range(dice.randrange(1, 60)):
                kind = dice.random()
                if kind < 0.6:
                    requests.append(c.encode("BLPOP", key, 0))
                    expected.append([key.encode(), f"{turn}:{elements}".encode()])
                    elements += 1
                elif kind < 0.75:
                    requests.append(f"PING {turn}-{i}\r\n".encode())
                    expected.append(f"{turn}-{i}".encode())
                elif kind < 0.78:
                    text = f"{i}" * 60_000
                    requests.append(c.encode("ECHO", text))
                    expected.append(text.encode())
                else:
                    requests.append(c.encode("INCR", f"count:{number}:{turn}"))
                    expected.append(sum(isinstance(e, int) for e in expected) + 1)
            stream = b"".join(requests)
            cuts = sorted(dice.sample(range(len(stream)), min(len(stream), dice.randrange(8))))
            pieces = [stream[a:b] for a, b in zip([0] + cuts, cuts + [len(stream)])]
            pushed = 0
            while pieces or pushed < elements:
                if pieces and (pushed == elements or dice.random() < 0.5):
                    c.socket.sendall(pieces.pop(0))
                else:
                    n = min(dice.choice([1, 1, 2, 20]), elements - pushed)
                    pusher.pipeline([("RPUSH", key, f"{turn}:{j}") for j in range(pushed, pushed + n)])
                    pushed += n
            for e in expected:
                equal(c.read(), e)
        equal(c("PING"), "PONG")
    together(*[lambda n=n, dice=random.Random(rng.random()): consume(n, dice) for n in range(8)], seconds=120)


def has_reply(c):
    return bool(select.select([c.socket], [], [], 0.001)[0])


if __name__ == "__main__":
    tap.run()
