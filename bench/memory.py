#!/usr/bin/env python3
"""Memory beside redis-server: what the same data takes in both, by used_memory and by resident memory.

    memory.py SERVER [--only WORD] [--scale 1.0] [--check]
Strings (1,000,000 keys of 16 bytes with 64-byte values), 100,000 small collections of each type (10 elements), and one of a million elements each.
REDIS_SERVER names another redis-server than that in PATH. --check: a quarter of the data, and a failure where ours takes more (sorted sets: more than three quarters).
"""
import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
from servers import Redis, Ringwood  # noqa: E402

SMALL, BIG, STEP = 100_000, 1_000_000, 1000
CHECK_SCALE, CHECK_MOST, CHECK_MOST_ZSET = 0.25, 1.05, 0.75  # what each slot has of its own weighs more with less data: of small hashes 0.04


def small(command, words):
    def commands(scale):
        return ([command, f"key:{i:08d}", *[w for j in range(10) for w in words(j)]] for i in range(int(SMALL * scale)))
    return commands


def big(command, words):
    def commands(scale):
        return ([command, "big", *[w for j in range(at, at + STEP) for w in words(j)]] for at in range(0, int(BIG * scale), STEP))
    return commands


TYPES = {
    "hash": ("HSET", lambda j: (f"field:{j:010d}", f"value:{j:010d}")),
    "set": ("SADD", lambda j: (f"member:{j:09d}",)),
    "zset": ("ZADD", lambda j: (j * 7919 % 1000003, f"member:{j:09d}")),
    "list": ("RPUSH", lambda j: (f"element:{j:08d}",)),
}
CASES = {"strings": lambda scale: (["SET", f"key:{i:012d}", "v" * 64] for i in range(int(BIG * scale)))}
CASES.update({f"small {name}": small(*t) for name, t in TYPES.items()})
CASES.update({f"big {name}": big(*t) for name, t in TYPES.items()})


def used(c):
    return int(next(line.split(":")[1] for line in c("INFO", "memory").decode().split("\r\n") if line.startswith("used_memory:")))


def resident(server):
    with open(f"/proc/{server.process.pid}/status") as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1]) * 1024


def measure(make, commands):
    with make() as server:
        c = server.client()
        before, resident_before = used(c), resident(server)
        batch = []
        for command in commands:
            batch.append(command)
            if len(batch) * len(command) >= 2000:
                c.pipeline(batch)
                batch = []
        c.pipeline(batch)
        c.close()
        c = server.client()
        time.sleep(0.3)  # whatever follows a load in the background
        return used(c) - before, resident(server) - resident_before


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("--only", default="")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    scale, above = CHECK_SCALE if options.check else options.scale, []
    print("              used_memory                      resident\ncase         redis-server      ringwood  ratio  redis-server      ringwood  ratio  (bytes)")
    for name, commands in CASES.items():
        if options.only not in name:
            continue
        theirs, ours = measure(Redis, commands(scale)), measure(lambda: Ringwood(options.server), commands(scale))
        figures = "  ".join(f"{a:12d}  {b:12d}  {b / a:5.2f}" for a, b in zip(theirs, ours))
        print(f"{name:12s} {figures}", flush=True)
        if ours[0] > theirs[0] * (CHECK_MOST_ZSET if "zset" in name else CHECK_MOST):
            above.append(name)
    if options.check and above:
        sys.exit("more than it may be: " + ", ".join(above))


if __name__ == "__main__":
    main()
