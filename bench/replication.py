#!/usr/bin/env python3
"""Replication's figures, Ringwood and redis-server one after the other, master and replica of the same kind.

    replication.py SERVER SHARDS [--keys 2000000] [--writes 3000000] [--rate 20000] [--seconds 10] [--rounds 5] [--slow 30] [--load-mode disabled] [--only full,steady,latency,memory]
    replication.py SERVER SHARDS --check       a short form: that all of it works, and that both sides hold the same at the end

full     a full sync of the keys (16 bytes, values of 64): seconds, and MB of keys and values per CPU second of master and replica together (children counted); for Ringwood also how
         much of it its first thread has spent, which carries the one connection
steady   a replica in sync while redis-benchmark writes as fast as it can: writes per CPU second of the replica
latency  of a load in an open loop (bench/open_loop.cc), alone and while one full sync follows the other, so many rounds, medians of p99.9. The replica (bench/sink_replica.cc) keeps nothing, since its
         work is as a rule another machine's; it and the load share one processor, the others are the master's (and its child's)
memory   of the master (Pss, children too), before, and its peak during a full sync to a replica behind a link of so many MB a second (--slow) under the same load
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
sys.path[:0] = [HERE, os.path.join(HERE, "..", "tests", "support")]
from apart import apart  # noqa: E402
from following import Throttle, follow, info, same_data  # noqa: E402
from servers import Ringwood, Server, equal, until  # noqa: E402
from snapshot_pause import Watcher, alone_and_beside, build, build_load, line, load, resident  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
PAYLOAD = 16 + 64


def cpu(server):
    """CPU seconds of the process, of its children too once they have ended."""
    with open(f"/proc/{server.process.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / TICKS


def first_thread(server):
    """CPU seconds of the thread that has the replication links: the process's first."""
    with open(f"/proc/{server.process.pid}/task/{server.process.pid}/schedstat") as f:
        return int(f.read().split()[0]) / 1e9


def fill(server, keys):
    c = server.client(600)
    value = "v" * 64
    for at in range(0, keys, 10000):
        c.pipeline([("SET", f"key:{i:012}", value) for i in range(at, min(at + 10000, keys))])
    c.close()


def full_sync(start, options):
    with start() as master, start() as replica:
        fill(master, options.keys)
        servers = (master, replica)
        before, first = [cpu(s) for s in servers], [first_thread(s) for s in servers]
        begin = time.monotonic()
        r = follow(replica, master.port, 600)
        seconds = time.monotonic() - begin
        time.sleep(0.5)  # for a child to be waited for
        spent, firsts = [cpu(s) - b for s, b in zip(servers, before)], [first_thread(s) - b for s, b in zip(servers, first)]
        equal(r("DBSIZE"), options.keys)
        mb = options.keys * PAYLOAD / 1e6
        print(f"  full sync: {seconds:.2f} s; CPU {spent[0]:.2f} s of the master (its first thread {firsts[0]:.2f}), {spent[1]:.2f} s of the replica ({firsts[1]:.2f}); "
              f"{mb / max(sum(spent), 1e-3):.0f} MB per CPU second", flush=True)
        return mb / max(sum(spent), 1e-3)


def steady(start, options):
    with start() as master, start() as replica:
        m, r = master.client(600), None
        r = follow(replica, master.port)
        before, master_before, begin = cpu(replica), cpu(master), time.monotonic()
        subprocess.run(["redis-benchmark", "-p", str(master.port), "-t", "set", "-n", str(options.writes), "-r", str(options.keys), "-d", "64", "-P", "64", "-c", "16", "-q"],
                       check=True, stdout=subprocess.DEVNULL)
        until(lambda: info(r)["slave_repl_offset"] == info(m)["master_repl_offset"], "all has arrived", 300)
        spent, by_master = cpu(replica) - before, cpu(master) - master_before
        print(f"  steady stream: {options.writes} writes in {time.monotonic() - begin:.1f} s; CPU {spent:.2f} s of the replica, {by_master:.2f} s of the master; "
              f"{options.writes / max(spent, 0.01):.0f} writes per CPU second of the replica", flush=True)
        same_data(m, r)
        return options.writes / max(spent, 0.01)


def full_syncs_beside(sink, port, run):
    """What run() returns while one full sync follows the other, and the milliseconds that each took until the image was there."""
    # The replica's share of the processor is what the load leaves, at once: a low priority alone would keep it for a slice of 3 or 4 ms.
    process = subprocess.Popen([sink, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               preexec_fn=lambda: os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0)))
    result = run()
    syncs = [int(words.split()[1]) for words in process.communicate()[0].splitlines()]
    if process.returncode or not syncs:
        raise AssertionError(f"the replica ended with {process.returncode} after {len(syncs)} full syncs")
    return result, syncs


def latency(start, options, exe, sink):
    with start() as master, apart():
        fill(master, options.keys)

        def beside():
            figures, syncs = full_syncs_beside(sink, master.port, lambda: load(exe, master, options))
            line(f"with full syncs ({len(syncs)}, an image in {statistics.median(syncs):.0f} ms)", figures)
            return figures
        typical, meanwhile = (part["p999"] for part in alone_and_beside(exe, master, options, beside))
    print(f"  medians of p99.9: {typical:.0f} us alone, {meanwhile:.0f} us with full syncs")
    return meanwhile / max(typical, 1)


def memory(start, options, exe):
    with start("--client-output-buffer-limit", "replica 0 0 0") as master, start() as replica:
        fill(master, options.keys)
        load(exe, master, options)  # so that what it takes by itself is there before
        before = resident(master.process.pid)
        watcher = Watcher(master.process.pid)
        watcher.start()
        proxy = Throttle(master.port, int(options.slow * 1e6))
        stop = threading.Event()

        def write():
            while not stop.is_set():
                load(exe, master, options)
        t = threading.Thread(target=write, daemon=True)
        t.start()
        begin = time.monotonic()
        follow(replica, proxy.port, 600)
        seconds = time.monotonic() - begin
        stop.set()
        t.join(600)
        watcher.stopped = True
        watcher.join()
        proxy.close()
        print(f"  memory of the master: {before >> 20} MB before, peak {watcher.peak >> 20} MB ({100.0 * watcher.peak / before - 100:+.1f} %) in a full sync of {seconds:.1f} s at "
              f"{options.slow:g} MB/s", flush=True)
        return watcher.peak / before


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("shards", type=int)
    parser.add_argument("--keys", type=int, default=2000000)
    parser.add_argument("--writes", type=int, default=3000000)
    parser.add_argument("--rate", type=int, default=20000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--slow", type=float, default=30)
    parser.add_argument("--load-mode", default="disabled", help="repl-diskless-load of both kinds")
    parser.add_argument("--only", default="full,steady,latency,memory")
    parser.add_argument("--redis", default="redis-server")
    parser.add_argument("--check", action="store_true")
    o = parser.parse_args()
    if o.check:
        o.keys, o.writes, o.rate, o.seconds, o.rounds, o.connections, o.slow = 20000, 20000, 1000, 2, 1, 4, 2
    o.big = 0  # of open_loop
    common = ["--repl-diskless-sync-delay", "0", "--repl-diskless-load", o.load_mode, "--repl-backlog-size", "64mb"]

    def redis(*more):
        return Server([o.redis], ["--save", "", "--enable-debug-command", "yes", *common, *more])

    def ours(*more):
        return Ringwood(o.server, *common, *more, shards=o.shards)
    with tempfile.TemporaryDirectory() as folder:
        exe, sink = build_load(folder), build(folder, "sink_replica")
        results = {}
        for name, start in (("redis-server", redis), (f"Ringwood, {o.shards} shards", ours)):
            print(name, flush=True)
            parts = {"full": full_sync, "steady": steady, "latency": lambda s, x: latency(s, x, exe, sink), "memory": lambda s, x: memory(s, x, exe)}
            results[name] = {part: parts[part](start, o) for part in o.only.split(",")}
    theirs, mine = results.values()
    for part in mine:
        what = {"full": "MB per CPU second of a full sync", "steady": "writes per CPU second of the replica", "latency": "p99.9 with full syncs to that without",
                "memory": "peak memory to that before"}[part]
        print(f"{what}: redis-server {theirs[part]:.2f}, Ringwood {mine[part]:.2f}" + (f", {mine[part] / theirs[part]:.2f} times as many" if part in ("full", "steady") else ""))


if __name__ == "__main__":
    main()
