#!/usr/bin/env python3
"""SAVE and loading of the same data set for rdb, aof and wal, beside redis-server: seconds, CPU seconds, size of the files.

    persist_speed.py SERVER [--redis redis-server] [--shards 1] [--keys 2000000] [--big 20] [--elements 1000000] [--rounds 5] [--check]
KEYS strings of 64 bytes, and BIG hashes and sorted sets of ELEMENTS elements each (few of all in --check; with RINGWOOD_LONG=1 all, three
times, and the rates per core must be what is promised). For aof and wal BGREWRITEAOF makes the base; then a tenth of the strings is written again, so that the log behind it is read
too. The servers save, and load, by turns; of each figure the median of the rounds. "per core" is by CPU time of the server's threads (redis-server's child included), which does not
depend on how many cores there are, and compared round by round.
"""
import argparse
import contextlib
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


def data_set(server, o):
    """What it is, as far as that can be asked for in time."""
    c = server.client(600)
    found = c("DBSIZE"), c("DEBUG", "DIGEST") if o.keys <= 300000 else None
    c.close()
    return found


def load_files(server):
    """Killed and begun again, until it answers: (seconds, CPU seconds)."""
    server.stop(9)
    begun = time.monotonic()
    server.begin()
    while True:
        try:
            c = server.client(600)
            break
        except OSError:
            time.sleep(0.005)
    while c("PING") != "PONG":
        time.sleep(0.005)
    found = time.monotonic() - begun, cpu_with_children(server.process.pid)
    c.close()
    return found


def measure(servers, o):
    """servers: {(whose, kind): start}, of which all live until the end. Answers the figures of each; "save" and "load" are a list, round by round and all of them by turns, for
    machines become faster and slower by the minute."""
    with contextlib.ExitStack() as stack:
        running = {who: stack.enter_context(start()) for who, start in servers.items()}
        for server in running.values():
            fill(server, o.keys, o.big, o.elements, lambda i: "v" * 32 + f"{i:032d}")
        found = {who: {"save": [], "load": []} for who in running}
        for _ in range(o.rounds):
            for (whose, kind), server in running.items():
                found[whose, kind]["save"].append(write_files(server, o, kind))
        for (whose, kind), server in running.items():
            if kind != "rdb":  # for the log behind the base
                fill(server, o.keys // 10, 0, value=lambda i: "w" * 32 + f"{i:032d}")
                time.sleep(1.5)
            found[whose, kind]["size"] = bytes_under(server.directory, "dump.rdb", "appendonlydir", "waldir")
            found[whose, kind]["data"] = data_set(server, o)
        for _ in range(o.rounds):
            for (whose, kind), server in running.items():
                found[whose, kind]["load"].append(load_files(server))
                assert data_set(server, o) == found[whose, kind]["data"], f"{whose}, {kind}, does not load what it has saved"
    return found


def shown(pairs):
    return "{:.2f} ({:.2f})".format(*(statistics.median(p[i] for p in pairs) for i in (0, 1)))


def per_core(of_redis, ours):
    """How many times redis-server's rate, by CPU seconds: the median of the rounds."""
    return statistics.median(r[1] / f[1] for r, f in zip(of_redis, ours))


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
        o.rounds = 3 if LONG else 1
        if not LONG:
            o.keys, o.big, o.elements = 20000, 1, 5000
    wanted = Wanted(o.check)
    redis = {"rdb": ["--appendonly", "no"], "aof": ["--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0"]}
    ours = {kind: ["--persistence", kind, "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0"] for kind in ("rdb", "aof", "wal")}
    print(f"{o.keys} strings, {o.big} hashes and sorted sets of {o.elements} elements; seconds (CPU seconds)")
    chosen = o.kinds.split(",")
    for beside, kinds in ("rdb", ["rdb"]), ("aof", ["aof", "wal"]):  # redis-server's kind, and ours that are measured beside it
        kinds = [kind for kind in kinds if kind in chosen]
        if not kinds:
            continue
        servers = {("redis-server", beside): lambda: Server([o.redis], ["--save", "", "--enable-debug-command", "yes", *redis[beside]])}
        servers.update({(f"ringwood ({o.shards} shards)", kind): lambda kind=kind: Ringwood(o.server, *ours[kind], shards=o.shards) for kind in kinds})
        found = measure(servers, o)
        of_redis = found["redis-server", beside]
        for (whose, kind), f in found.items():
            line = f"  {whose}, {kind}: save {shown(f['save'])}, load {shown(f['load'])}, {f['size'] / 1e6:.1f} MB"
            if f is not of_redis:
                save, load = (per_core(of_redis[what], f[what]) for what in ("save", "load"))
                line += f"; per core {save:.2f} and {load:.2f} x redis-server's rate"
                wanted.at_least(f"{kind}, saving beside redis-server, per core", save, 2)
                if kind == "rdb":  # the files of the others hold a log as well
                    wanted.at_least(f"{kind}, loading beside redis-server, per core", load, 2)
            print(line, flush=True)
    wanted.end()


if __name__ == "__main__":
    main()
