#!/usr/bin/env python3
"""kill -9 at random moments of BGSAVE, while everything is being written: what is loaded afterwards is the last finished snapshot, or the one that just became it, whole.

    killed_while_saving.py SERVER     (RINGWOOD_LONG=1: many more rounds; RINGWOOD_SEED)
Every key, field and member says which generation wrote it. A save begins when all are of one generation, and the next generation is written while it is under way.
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
from servers import Ringwood, Tap  # noqa: E402

tap = Tap()
KEYS, FIELDS = 3000, 3000
ROUNDS = 60 if os.environ.get("RINGWOOD_LONG") else 8
SEED = int(os.environ.get("RINGWOOD_SEED", "1"))


def write_generation(client, g):
    client.pipeline([("SET", f"key:{i}", g) for i in range(KEYS)])
    for at in range(0, FIELDS, 500):
        pairs = [x for i in range(at, at + 500) for x in (f"field:{i}", g)]
        client("HSET", "hash", *pairs)
        client("ZADD", "zset", *[x for i in range(at, at + 500) for x in (g, f"member:{i}")])


def generations(client):
    found = {int(v) for v in client("MGET", *[f"key:{i}" for i in range(KEYS)])}
    found |= {int(v) for v in client("HVALS", "hash")}
    found |= {int(v) for v in client("ZRANGE", "zset", 0, -1, "WITHSCORES")[1::2]}
    assert client("HLEN", "hash") == FIELDS and client("ZCARD", "zset") == FIELDS
    return found


def run(binary, shards):
    rng = random.Random(SEED * 100 + shards)
    directory = tempfile.mkdtemp(prefix="ringwood-crash-")
    try:
        saved, generation = 0, 1
        with Ringwood(binary, shards=shards, directory=directory) as server:
            c = server.client()
            write_generation(c, generation)
            assert c("SAVE") == "OK"
            saved = generation
        for _ in range(ROUNDS):
            with Ringwood(binary, shards=shards, directory=directory) as server:
                c = server.client()
                generation += 1
                write_generation(c, generation)
                if rng.random() < 0.3:
                    c("CONFIG", "SET", "rdb-key-save-delay", 20)
                assert c("BGSAVE") == "Background saving started"
                killer = threading.Timer(rng.random() * 0.15, server.process.send_signal, [signal.SIGKILL])
                killer.start()
                try:
                    write_generation(c, generation + 1)
                    write_generation(c, generation + 2)
                    time.sleep(0.05)
                except (OSError, ConnectionError):
                    pass
                killer.join()
                server.process.wait()
            with Ringwood(binary, shards=shards, directory=directory) as server:
                found = generations(server.client())
                assert len(found) == 1 and found <= {saved, generation}, f"seed {SEED}: loaded {found}, saved {saved}, saving {generation}"
                saved = found.pop()
            generation += 2
    finally:
        shutil.rmtree(directory, ignore_errors=True)


for n in (1, 2):
    tap.case(f"{ROUNDS} kills during BGSAVE, {n} shards")(lambda n=n: run(sys.argv[1], n))

if __name__ == "__main__":
    tap.run()
