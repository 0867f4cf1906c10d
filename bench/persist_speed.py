#!/usr/bin/env python3
"""SAVE and loading of the same data set for rdb, aof and wal, beside redis-server: seconds, CPU seconds, size of the files.

    persist_speed.py SERVER [--redis redis-server] [--shards 1] [--keys 2000000] [--big 20] [--elements 1000000] [--rounds 5] [--check]
KEYS strings of 64 bytes, and BIG hashes and sorted sets of ELEMENTS elements each (few of all in --check; with RINGWOOD_LONG=1 all, once, and the rates per core must be what is
promised). For aof and wal BGREWRITEAOF makes the base; then a tenth of the strings is
written again, so that the log behind it is read too. Of each figure the median of the rounds. "per core" is by CPU time of the server's threads (redis-server's
child included), which does not depend on how many cores there are.
"""
import argparse
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "support"))
from servers import Ringwood, Server, cpu_seconds  # noqa: E402
from snapshot_pause import fill, under_way  # noqa: E402
from wanted import LONG, Wanted  # noqa: E402


def cpu_with_children(pid):
    """Of all threads, and of children that have ended."""
    f = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    of_children = (int(f[13]) + int(f[14])) / os.sysconf("SC_CLK_TCK")
    return of_children + cpu_seconds(pid)


def bytes_under(folder, *names):
    total = 0
    for name in names:
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            total += sum(os.path.getsize(os.path.join(path, f)) for f in os.listdir(path))
        elif os.path.exists(path):
            total += os.path.getsize(path)
    return total


def timed(server, work):
    start, before = time.monotonic(), cpu_with_children(server.process.pid)
    work()
    return time.monotonic() - start, cpu_with_children(server.process.pid) - before


def medians(pairs):
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def write_files(server, o, kind):
    """One way of saving everything; answers (seconds, CPU seconds)."""
    c = server.client(600)
    if kind == "rdb":
        found = timed(server, lambda: c("SAVE"))
    else:
        def rewrite():
            c("BGREWRITEAOF")
            while under_way(c):
                time.sleep(0.01)
        found = timed(server, rewrite)
    c.close()
    return found


def measure(name, kind, start, o):
    server = start()
    with server:
        fill(server, o.keys, o.big, o.elements, lambda i: "v" * 32 + f"{i:032d}")
        saves = [write_files(server, o, kind) for _ in range(o.rounds)]
        c = server.client(600)
        if kind != "rdb":
            value = "w" * 32 + "%032d"
            for at in range(0, o.keys // 10, 5000):
                c.pipeline([("SET", f"key:{i}", value % i) for i in range(at, min(at + 5000, o.keys // 10))])
            time.sleep(1.5)
        digest, keys = (c("DEBUG", "DIGEST") if o.keys <= 300000 else None), c("DBSIZE")
        size = bytes_under(server.directory, "dump.rdb", "appendonlydir", "waldir")
        c.close()
        loads = []
        for _ in range(o.rounds):
            server.stop(9)
            begun = time.monotonic()
            server.begin()
            while True:
                try:
                    c = server.client(600)
                    break
                except OSError:
                    time.sleep(0.005)
            while True:
                reply = c("PING")
                if reply == "PONG":
                    break
                time.sleep(0.005)
            loads.append((time.monotonic() - begun, cpu_with_children(server.process.pid)))
            assert c("DBSIZE") == keys and (not digest or c("DEBUG", "DIGEST") == digest), f"{name} does not load what it has saved"
            c.close()
    s, l = medians(saves), medians(loads)
    return {"save": s, "load": l, "size": size}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("--redis", default="redis-server")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--keys", type=int, default=2000000)
    parser.add_argument("--big", type=int, default=20)
    parser.add_argument("--elements", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kinds", default="rdb,aof,wal")
    parser.add_argument("--check", action="store_true")
    o = parser.parse_args()
    if o.check:
        o.rounds = 1
        if not LONG:
            o.keys, o.big, o.elements = 20000, 1, 5000
    wanted = Wanted(o.check)
    redis = {"rdb": ["--appendonly", "no"], "aof": ["--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0"]}
    ours = {kind: ["--persistence", kind, "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0"] for kind in ("rdb", "aof", "wal")}
    print(f"{o.keys} strings, {o.big} hashes and sorted sets of {o.elements} elements; seconds (CPU seconds)")
    of_redis = {}
    for kind in o.kinds.split(","):
        if kind in redis:
            f = of_redis[kind] = measure("redis-server", kind, lambda: Server([o.redis], ["--save", "", "--enable-debug-command", "yes", *redis[kind]]), o)
            print(f"  redis-server, {kind}: save {f['save'][0]:.2f} ({f['save'][1]:.2f}), load {f['load'][0]:.2f} ({f['load'][1]:.2f}), {f['size'] / 1e6:.1f} MB", flush=True)
        f = measure("ringwood", kind, lambda: Ringwood(o.server, *ours[kind], shards=o.shards), o)
        beside = of_redis.get(kind, of_redis.get("aof"))
        ratio = ""
        if beside:
            save, load = (beside[what][1] / f[what][1] for what in ("save", "load"))
            ratio = f"; per core {save:.2f} and {load:.2f} x redis-server's rate"
            wanted.at_least(f"{kind}, saving beside redis-server, per core", save, 2)
            if kind == "rdb":  # the files of the others hold a log as well
                wanted.at_least(f"{kind}, loading beside redis-server, per core", load, 2)
        print(f"  ringwood ({o.shards} shards), {kind}: save {f['save'][0]:.2f} ({f['save'][1]:.2f}), load {f['load'][0]:.2f} ({f['load'][1]:.2f}), {f['size'] / 1e6:.1f} MB{ratio}", flush=True)
    wanted.end()


if __name__ == "__main__":
    main()
