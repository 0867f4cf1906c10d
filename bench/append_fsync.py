#!/usr/bin/env python3
"""What the log on disk costs beside redis-server's append-only file, on the same disk, the servers by turns.

    append_fsync.py SERVER [--redis redis-server] [--shards 2] [--seconds 3] [--rounds 3] [--kinds aof,wal] [--policies always,everysec] [--connections 50] [--keys 100000] [--client PROGRAM] [--unix] [--check]
appendfsync always: 50 connections that write, and 50 of whose requests 90 % are reads. appendfsync everysec: 50 that write, beside the same without a log. Of each figure the median
of the rounds. The client is bench/closed_loop.cc, built with c++ -O2; where its core is busy all the time, the requests a second are its own limit. It stays on the last
processor, where there is one more than shards, for both servers alike: else the kernel puts it beside the loop or not, by chance, which is half of what one measures. --unix: by a Unix
socket, which leaves more of both processors to the servers than TCP does. --check: a short run that fails only where something does not work; with RINGWOOD_LONG=1 a whole one with
one shard must find what is promised: of always, and without --unix of everysec (by TCP a request costs the kernel twice as much, as it does in use).
"""
import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "support"))
from apart import apart  # noqa: E402
from servers import Ringwood, Server, cpu_seconds  # noqa: E402
from wanted import LONG, Wanted  # noqa: E402

SOCKET = "socket"  # in the server's folder, which is where it runs
NAMES = ("requests", "writes", "seconds", "read p50", "read p99", "write p50", "write p99", "client cpu")


def build_load(folder):
    exe = os.path.join(folder, "closed_loop")
    subprocess.run(["c++", "-O2", "-std=c++20", "-o", exe, os.path.join(HERE, "closed_loop.cc"), "-luring"], check=True)
    return exe


def run(exe, server, o, read_percent):
    before = cpu_seconds(server.process.pid)
    where = os.path.join(server.directory, SOCKET) if o.unix else str(server.port)
    command = [exe, where, str(o.seconds), str(o.connections), str(read_percent), str(o.keys)]
    with apart() if len(os.sched_getaffinity(0)) > o.shards else contextlib.nullcontext():
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    f = dict(zip(NAMES, map(float, out.split())))
    f["rate"], f["write rate"] = f["requests"] / f["seconds"], f["writes"] / f["seconds"]
    f["client busy"] = f["client cpu"] / f["seconds"]
    f["cpu"] = (cpu_seconds(server.process.pid) - before) / f["requests"] * 1e6
    return f


def by_unix(o):
    return ["--unixsocket", SOCKET] if o.unix else []


def redis(o, *arguments):
    return Server([o.redis], ["--save", "", *by_unix(o), *arguments])


def ringwood(o, *arguments):
    return Ringwood(o.server, *by_unix(o), *arguments, shards=o.shards)


def medians(runs):
    return {k: statistics.median(r[k] for r in runs) for k in runs[0]}


def ratio(runs, name, to, figure):
    """The median of what it was in each round, in which both ran within seconds: machines become faster and slower by the minute."""
    return statistics.median(a[figure] / b[figure] for a, b in zip(runs[name], runs[to]))


def compare(exe, o, title, read_percent, servers):
    """servers: [(name, start)]; answers name -> runs. By turns, so that what else happens on the machine meets all alike."""
    runs = {name: [] for name, _ in servers}
    for _ in range(o.rounds):
        for name, start in servers:
            with start() as server:
                run_seconds, o.seconds = o.seconds, min(o.seconds, 0.5)
                run(exe, server, o, 0)  # the keys are there, the files are warm
                o.seconds = run_seconds
                runs[name].append(run(exe, server, o, read_percent))
    print(title)
    first = servers[0][0]
    for name in runs:
        f = medians(runs[name])
        print(f"  {name}: {f['rate']:.0f} requests/s ({ratio(runs, name, first, 'rate'):.2f}), {f['write rate']:.0f} writes/s; read p50 {f['read p50']:.0f} p99 {f['read p99']:.0f} us"
              f"{' (' + format(ratio(runs, name, first, 'read p50'), '.2f') + ')' if f['read p50'] else ''}, write p50 {f['write p50']:.0f} p99 {f['write p99']:.0f} us;"
              f" CPU {f['cpu']:.2f} us a request; the client is busy for {100 * f['client busy']:.0f} %", flush=True)
    return runs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("--redis", default="redis-server")
    parser.add_argument("--shards", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", default="aof,wal")
    parser.add_argument("--policies", default="always,everysec")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--keys", type=int, default=100000)
    parser.add_argument("--client", help="bench-closed-loop, where it has been built")
    parser.add_argument("--unix", action="store_true")
    parser.add_argument("--check", action="store_true")
    o = parser.parse_args()
    if o.check:
        o.seconds, o.rounds, o.shards = (1, 11, 1) if LONG else (0.3, 1, o.shards)
    wanted = Wanted(o.check)
    kinds, policies = o.kinds.split(","), o.policies.split(",")

    def logs(policy):
        of_redis = ("redis-server, aof", lambda: redis(o, "--appendonly", "yes", "--appendfsync", policy))
        return [of_redis] + [(f"ringwood, {kind}", lambda kind=kind: ringwood(o, "--persistence", kind, "--appendfsync", policy)) for kind in kinds]
    with tempfile.TemporaryDirectory() as folder:
        exe = o.client or build_load(folder)
        if "always" in policies:
            always = compare(exe, o, f"appendfsync always, {o.connections} connections that write", 0, logs("always"))
            reading = compare(exe, o, f"appendfsync always, {o.connections} connections, 90 % reads", 90, logs("always"))
        without = [("redis-server, no log", lambda: redis(o, "--appendonly", "no")), ("ringwood, no log", lambda: ringwood(o, "--persistence", "none"))]
        if "everysec" in policies:
            every = compare(exe, o, f"appendfsync everysec beside no log, {o.connections} connections that write", 0, without + logs("everysec"))
    for name in [f"ringwood, {kind}" for kind in kinds]:
        if "always" in policies:
            times = {"writes": ratio(always, name, "redis-server, aof", "write rate"),
                     "requests": ratio(reading, name, "redis-server, aof", "rate"),
                     "median read": ratio(reading, name, "redis-server, aof", "read p50")}
            print(f"{name}: always {times['writes']:.2f} x redis-server's writes; 90 % reads: {times['requests']:.2f} x its requests, {times['median read']:.2f} x its median read")
            wanted.at_least(f"{name}, always, writes beside redis-server's", times["writes"], 1.8)
            wanted.at_least(f"{name}, always, 90 % reads, requests beside redis-server's", times["requests"], 2.5)
            wanted.at_most(f"{name}, always, 90 % reads, the median read beside redis-server's", times["median read"], 0.3)
        if "everysec" in policies:
            cost = {of: 100 - 100 * ratio(every, log, f"{of}, no log", "rate") for of, log in (("ringwood", name), ("redis-server", "redis-server, aof"))}
            print(f"{name}: everysec costs {cost['ringwood']:.1f} % of the requests (redis-server: {cost['redis-server']:.1f} %)")
            if not o.unix:
                wanted.at_most(f"{name}, everysec, percent of the requests", cost["ringwood"], 10)
    wanted.end()


if __name__ == "__main__":
    main()
