#!/usr/bin/env python3
"""Latency under an open-loop load with and without BGSAVE and BGREWRITEAOF, on keys and on collections of a million elements, Ringwood and redis-server one after the other.

    snapshot_pause.py SERVER SHARDS [--keys 2000000] [--big 2] [--rate 20000] [--seconds 10] [--connections 16] [--rounds 1] [--elements 1000000]
                      [--redis redis-server] [--of save,rewrite] [--kinds aof,wal] [--rest 0] [--client PROGRAM] [--check]
The load generator is built from bench/open_loop.cc with c++ -O2. For each server: the load alone, then the same while BGSAVE runs again and again, ROUNDS times by turns; the resident memory before and its peak during
such saves (Pss of the process and its child, sampled ten times a second in a run of its own: to sample it stops the process for milliseconds), how long a save took beside the load and with none (SAVE), and the time that
the file takes to load. Then (`rewrite`) the same with a log on disk, appendfsync everysec: the load alone, and while BGREWRITEAOF runs again and again; for Ringwood with each of the kinds.
--rest: seconds between two saves. Under real-time priority (chrt), which keeps others away, it must be some: whoever works without a break for a second stands still for 50 ms then.
--check: a short run of ours alone that fails only where something does not work; with RINGWOOD_LONG=1 one of the whole data set, in which the medians of the rounds must be what is promised: one
pause of many milliseconds in a minute is the machine's own (docs/performance.md).
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "support"))
from servers import Ringwood, Server, cpu_seconds  # noqa: E402
from wanted import LONG, Wanted  # noqa: E402


def build(folder, name):
    exe = os.path.join(folder, name)
    subprocess.run(["c++", "-O2", "-std=c++20", "-o", exe, os.path.join(HERE, f"{name}.cc")], check=True)
    return exe


def build_load(folder):
    return build(folder, "open_loop")


def fill(server, keys, big, elements=1000000, value=lambda i: "v" * 64):
    c = server.client(600)
    for at in range(0, keys, 10000):
        c.pipeline([("SET", f"key:{i}", value(i)) for i in range(at, min(at + 10000, keys))])
    for b in range(big):
        for at in range(0, elements, 500):
            pairs = [x for i in range(at, at + 500) for x in (f"field:{i}", f"value {i}")]
            scores = [x for i in range(at, at + 500) for x in (i % 1000, f"member:{i}")]
            c.pipeline([("HSET", f"big:hash:{b}", *pairs), ("ZADD", f"big:zset:{b}", *scores)])
    c.close()


def info(client, field):
    text = client("INFO").decode()
    return next(line.split(":", 1)[1] for line in text.splitlines() if line.startswith(field + ":"))


def processes(pid):
    children = open(f"/proc/{pid}/task/{pid}/children").read().split()
    return [pid, *map(int, children)]


def resident(pid):
    """Bytes of the process and its children, each shared page once (Pss)."""
    total = 0
    for p in processes(pid):
        try:
            with open(f"/proc/{p}/smaps_rollup") as f:
                total += next(int(line.split()[1]) * 1024 for line in f if line.startswith("Pss:"))
        except OSError:
            pass
    return total


class Watcher(threading.Thread):
    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak, self.stopped = pid, 0, False

    def run(self):
        while not self.stopped:
            self.peak = max(self.peak, resident(self.pid))
            time.sleep(0.1)


def load(exe, server, options):
    out = subprocess.run([exe, str(server.port), str(options.rate), str(options.seconds), str(options.connections), str(options.keys),
                          str(options.big)], check=True, capture_output=True, text=True).stdout.split()
    names = ("requests", "p50", "p99", "p999", "max", "over 1 ms", "over 5 ms", "over 10 ms", "over 50 ms")
    return dict(zip(names, map(int, out)))


def line(what, f):
    print(f"  {what}: p50 {f['p50']} us, p99 {f['p99']} us, p99.9 {f['p999']} us, max {f['max']} us; over 5 ms {f['over 5 ms']}, over 10 ms {f['over 10 ms']}, over 50 ms {f['over 50 ms']}"
          f" of {f['requests']}", flush=True)


def alone_and_beside(exe, server, options, beside):
    """The load by turns alone and as beside() runs it: the medians of both."""
    runs = [], []
    for _ in range(options.rounds):
        runs[0].append(load(exe, server, options))
        line("load alone", runs[0][-1])
        runs[1].append(beside())
    return [{k: statistics.median(f[k] for f in part) for k in part[0]} for part in runs]


def compare(name, server, exe, options, command):
    took = []

    def beside():
        f, times = load_while_saving(exe, server, options, command)
        took.extend(times)
        line(f"with {command}", f)
        return f
    alone, meanwhile = alone_and_beside(exe, server, options, beside)
    times = meanwhile["p999"] / alone["p999"]
    print(f"  {len(took)} {command}s of {max(took, default=0):.1f} s; medians: p99.9 {meanwhile['p999']:.0f} us, {times:.2f} times that alone, longest {meanwhile['max']:.0f} us", flush=True)
    options.wanted.at_most(f"{name}, p99.9 beside {command}, times that alone", times, 2)
    options.wanted.at_most(f"{name}, longest wait beside {command}, ms", meanwhile["max"] / 1000, 10)


def measure(name, server, exe, options):
    print(name, flush=True)
    fill(server, options.keys, options.big, options.elements)
    c = server.client(600)
    compare(name, server, exe, options, "BGSAVE")
    rss = resident(server.process.pid)
    watcher = Watcher(server.process.pid)
    watcher.start()
    _, saves = load_while_saving(exe, server, options, "BGSAVE")
    watcher.stopped = True
    watcher.join()
    more = 100.0 * watcher.peak / rss - 100
    print(f"  {len(saves)} saves of {max(saves, default=0):.1f} s; resident {rss >> 20} MB, peak {watcher.peak >> 20} MB ({more:+.1f} %)", flush=True)
    options.wanted.at_most(f"{name}, memory during a save, percent more", more, 10)
    start, before = time.monotonic(), cpu_seconds(server.process.pid)
    c("SAVE")
    print(f"  SAVE alone: {time.monotonic() - start:.2f} s, CPU {cpu_seconds(server.process.pid) - before:.2f} s; file {os.path.getsize(os.path.join(server.directory, 'dump.rdb')) >> 20} MB", flush=True)
    c.close()
    directory = server.directory
    server.stop(9)
    start = time.monotonic()
    server.start()
    d = server.client(600)
    while info(d, "loading") == "1":
        time.sleep(0.05)
    print(f"  load: {time.monotonic() - start:.2f} s, CPU {cpu_seconds(server.process.pid):.2f} s ({directory})", flush=True)
    d.close()


def under_way(client):
    text = client("INFO", "persistence").decode()
    return any(f"{field}:1\r" in text for field in ("rdb_bgsave_in_progress", "aof_rewrite_in_progress", "aof_rewrite_scheduled"))


def measure_rewrite(name, server, exe, options):
    print(name, flush=True)
    fill(server, options.keys, options.big, options.elements)
    c = server.client(600)
    c("BGREWRITEAOF")
    while under_way(c):
        time.sleep(0.05)
    c.close()
    compare(name, server, exe, options, "BGREWRITEAOF")


def load_while_saving(exe, server, options, command):
    """The load beside one save after the other: its figures, and how long each save took. None is under way at the end."""
    saves, stop = [], False

    def save_again_and_again():
        s = server.client(600)
        while not stop:
            start = time.monotonic()
            s(command)
            while not stop and under_way(s):
                time.sleep(0.02)
            if not stop:
                saves.append(time.monotonic() - start)
                time.sleep(options.rest)
        s.close()

    saver = threading.Thread(target=save_again_and_again)
    saver.start()
    f = load(exe, server, options)
    stop = True
    saver.join()
    with_info = server.client(600)
    while under_way(with_info):
        time.sleep(0.1)
    for status in ("rdb_last_bgsave_status", "aof_last_bgrewrite_status"):
        assert info(with_info, status) == "ok", f"{command}: {status}"
    with_info.close()
    return f, saves


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("shards", type=int)
    parser.add_argument("--keys", type=int, default=2000000)
    parser.add_argument("--big", type=int, default=2)
    parser.add_argument("--rate", type=int, default=20000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--redis", default="redis-server")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--elements", type=int, default=1000000)
    parser.add_argument("--rest", type=float, default=0)
    parser.add_argument("--of", default="save,rewrite")
    parser.add_argument("--kinds", default="aof,wal")
    parser.add_argument("--client", help="bench-open-loop, where it has been built")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    options.wanted = Wanted(options.check)
    if options.check:
        options.redis = None
        options.keys, options.big, options.elements, options.rate, options.seconds, options.rounds = (2000000, 20, 1000000, 40000, 8, 5) if LONG else (20000, 1, 10000, 2000, 1, 1)
    with tempfile.TemporaryDirectory() as folder:
        exe = options.client or build_load(folder)
        if "save" in options.of:
            with Ringwood(options.server, shards=options.shards) as server:
                measure(f"ringwood, {options.shards} shards", server, exe, options)
            if options.redis:
                with Server([options.redis], ["--save", "", "--enable-debug-command", "yes"]) as server:
                    measure(options.redis, server, exe, options)
        if "rewrite" in options.of:
            quiet = ("--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0")
            for kind in options.kinds.split(","):
                with Ringwood(options.server, "--persistence", kind, *quiet, shards=options.shards) as server:
                    measure_rewrite(f"ringwood, {kind}, {options.shards} shards", server, exe, options)
            if options.redis:
                with Server([options.redis], ["--save", "", "--appendonly", "yes", *quiet]) as server:
                    measure_rewrite(f"{options.redis}, aof", server, exe, options)
    options.wanted.end()


if __name__ == "__main__":
    main()
