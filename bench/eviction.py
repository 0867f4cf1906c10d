#!/usr/bin/env python3
"""Hit rates under maxmemory beside redis-server: the same trace of keys to both, each key that is missed is set, as a cache's users do.

    eviction.py SERVER [--requests N] [--seconds S] [--samples 10] [--seeds 7] [--traces zipf scan] [--policies allkeys-lru allkeys-lfu] [--shards 1]
Traces: `zipf`: 200,000 keys by Zipf's law (0.9). `scan`: the same, and every fourth request is for the next key of an endless walk through keys that
never come again. Room for some 20,000 values of 400 bytes. Pauses stretch the trace over about --seconds, so that the LRU clocks have something to count:
redis-server's counts seconds. Both servers get the trace at the same time. In brackets: the keys held at the end.
"""
import argparse
import bisect
import concurrent.futures
import itertools
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
from servers import Redis, Ringwood  # noqa: E402

KEYS, ROOM, VALUE, BATCH = 200_000, 20_000, "v" * 400, 100


def trace(kind, requests, seed):
    rng = random.Random(seed)
    sums = list(itertools.accumulate(1 / (i + 1) ** 0.9 for i in range(KEYS)))
    order = list(range(KEYS))
    rng.shuffle(order)
    keys = []
    for i in range(requests):
        if kind == "scan" and i % 4 == 3:
            keys.append(f"scan:{i}")
        else:
            keys.append(f"key:{order[bisect.bisect(sums, rng.random() * sums[-1])]}")
    return keys


def number(c, name):
    return int(next(line.split(":")[1] for line in c("INFO", "everything").decode().split("\r\n") if line.startswith(name + ":")))


def hit_rate(server, policy, samples, keys, seconds):
    c = server.client()
    c("FLUSHALL")
    c("CONFIG", "SET", "maxmemory", 0, "maxmemory-policy", policy, "maxmemory-samples", samples)
    base = number(c, "used_memory")
    c.pipeline([("SET", f"fill:{i}", VALUE) for i in range(ROOM)])
    room = number(c, "used_memory")
    c("FLUSHALL")
    time.sleep(0.5)
    c("CONFIG", "SET", "maxmemory", max(room, base))
    hits, counted, pause = 0, 0, seconds / (len(keys) / BATCH)
    for at in range(0, len(keys), BATCH):
        begin = time.monotonic()
        part = keys[at:at + BATCH]
        replies = c.pipeline([("GET", k) for k in part])
        missed = list(dict.fromkeys(k for k, r in zip(part, replies) if r is None))
        if missed:
            c.pipeline([("SET", k, VALUE) for k in missed])
        if at >= len(keys) // 2:  # the first half warms up
            own = [r for k, r in zip(part, replies) if k.startswith("key")]
            hits += sum(r is not None for r in own)
            counted += len(own)
        time.sleep(max(0, pause - (time.monotonic() - begin)))
    held = c("DBSIZE")
    c.close()
    return hits / counted, held


def both(options, policy, samples, keys):
    def measure(make):
        with make() as server:
            return hit_rate(server, policy, samples, keys, options.seconds)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(measure, (Redis, lambda: Ringwood(options.server, shards=options.shards))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7])
    parser.add_argument("--traces", nargs="+", default=["zipf", "scan"])
    parser.add_argument("--policies", nargs="+", default=["allkeys-lru", "allkeys-lfu"])
    parser.add_argument("--samples", type=int, nargs="+", default=[10])
    parser.add_argument("--shards", type=int, default=1)
    options = parser.parse_args()
    print("trace  policy        samples  seed  redis-server        ringwood")
    for kind in options.traces:
        for seed in options.seeds:
            keys = trace(kind, options.requests, seed)
            for policy in options.policies:
                for samples in options.samples:
                    (rate, held), (own_rate, own_held) = both(options, policy, samples, keys)
                    print(f"{kind:6s} {policy:13s} {samples:7d} {seed:5d}  {rate * 100:5.2f} % ({held})    {own_rate * 100:5.2f} % ({own_held})", flush=True)


if __name__ == "__main__":
    main()
