#!/usr/bin/env python3
"""kill -9 at random moments, with a log of each format: after the restart every acknowledged write is there (appendfsync always), or all but those of the last
1.2 seconds (the others: a reply does not wait for a write that the disk holds up, but never for longer than a second), also while the log is being compacted,
and when the start itself is killed. One round in three is long enough for the second of these.
The machine stays up. That `always` waits for the disk itself, only a power cut could tell.

    log_crash.py RINGWOOD-SERVER [ROUNDS [aof|wal] [always|everysec|no] [1|3]]     (RINGWOOD_SEED; RINGWOOD_LONG=1: 200 rounds)
"""
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from servers import Resp, Ringwood, Tap, equal  # noqa: E402

BINARY = sys.argv[1]
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 200 if os.environ.get("RINGWOOD_LONG") else 5
SEED = int(os.environ.get("RINGWOOD_SEED", "7"))


def chosen(*all_of_them):
    """Those that the arguments name, or all."""
    return [x for x in all_of_them if str(x) in sys.argv[3:]] or all_of_them


tap = Tap()


class Writer(threading.Thread):
    """Counters; remembers what was acknowledged last, and when."""

    def __init__(self, server, name, counters, grace):
        super().__init__()
        self.client, self.name_, self.counters, self.grace = server.client(), name, counters, grace
        self.sent = dict(counters)
        self.acknowledged = {k: [(0.0, v)] for k, v in counters.items()}

    def note(self, k):
        self.acknowledged.setdefault(k, []).append((time.monotonic(), self.sent[k]))

    def owed(self, killed):
        """What must be there after the end at that time."""
        for k, notes in self.acknowledged.items():
            self.counters[k] = max((v for at, v in notes if not self.grace or at <= killed - self.grace), default=0)

    def run(self):
        try:
            while True:
                for i in range(20):
                    k = f"{self.name_}:{i}"
                    self.sent[k] = self.sent.get(k, 0) + 1
                    equal(self.client("INCR", k), self.sent[k], k)
                    self.note(k)
                pair = f"{self.name_}:pair"
                n = self.sent.get(pair, 0) + 1
                self.sent[pair] = n
                equal(self.client("MSET", pair + "a", n, pair + "b", n), "OK", "MSET")
                self.note(pair)
        except (OSError, ValueError, ConnectionError):
            pass


def crashes(kind, policy, shards):
    folder = tempfile.mkdtemp(prefix="ringwood-crash-")
    r = random.Random(SEED)
    known = [{} for _ in range(4)]
    sent = [{} for _ in range(4)]
    grace = 0 if policy == "always" else 1.2
    try:
        for n in range(ROUNDS + 1):
            options = ("--persistence", kind, "--appendfsync", policy, "--auto-aof-rewrite-min-size", "1000", "--wal-segment-size", "65536")
            if n % 3 == 2:  # a start that is killed, before the one that must find everything
                starting = Ringwood(BINARY, *options, shards=shards, directory=folder)
                starting.begin()
                time.sleep(r.random() * 0.15)
                starting.stop(signal.SIGKILL)
            with Ringwood(BINARY, *options, shards=shards, directory=folder) as server:
                c = server.client()
                for w, counters in enumerate(known):
                    for k in list(sent[w]):
                        pair = k.endswith("pair")
                        values = {int(c("GET", k + end) or 0) for end in (("a", "b") if pair else ("",))}
                        equal(len(values), 1, f"round {n}: both halves of {k}")
                        value = values.pop()
                        if not counters.get(k, 0) <= value <= sent[w][k]:
                            raise AssertionError(f"round {n}: {k} is {value}, acknowledged was {counters.get(k, 0)}, sent {sent[w][k]}")
                        counters[k] = value
                if n == ROUNDS:
                    return
                writers = [Writer(server, f"w{w}", known[w], grace) for w in range(4)]
                for w in writers:
                    w.start()
                time.sleep((grace if n % 3 == 1 else 0) + 0.1 + r.random() * 0.4)
                if n % 2:
                    c("BGREWRITEAOF")
                    time.sleep(r.random() * 0.03)
                killed = time.monotonic()
                server.stop(signal.SIGKILL)
                for w, thread in enumerate(writers):
                    thread.join()
                    thread.owed(killed)
                    sent[w] = thread.sent
    finally:
        shutil.rmtree(folder, ignore_errors=True)


for FORMAT in chosen("aof", "wal"):
    for SHARDS in chosen(1, 3):
        for POLICY in chosen("always", "everysec", "no"):
            tap.case(f"{FORMAT}: appendfsync {POLICY}, {SHARDS} shards, {ROUNDS} kills")(lambda f=FORMAT, p=POLICY, s=SHARDS: crashes(f, p, s))

tap.run()
