#!/usr/bin/env python3
"""What moving slots costs, and what clients of both nodes notice: CLUSTER MIGRATESLOTS between two of our nodes, and beside it redis-cli's reshard, key by key,
between two redis-servers (REDIS_SERVER, REDIS_CLI; Debian's by default).

    slot_migration.py RINGWOOD_SERVER [--megabytes 64] [--fields 100000] [--shards 1] [--no-redis] [--realtime] [--warm]

The issue's figures: --megabytes 2048 --fields 3000000. Values have 16 KiB; the hash is one key. All of it lies in slots of one node and goes to the other.
--realtime, on a machine with other work: while slots move, the servers and this process come before everything else, for a minute at most.
--warm, on a virtual machine whose host takes free memory back, so that the first touch of a page costs some microseconds: as much as the target will need is
touched and given back just before.
"""
import argparse
import contextlib
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/tests/support")
from servers import Redis, Resp, equal, free_port, until  # noqa: E402
from slot_moves import Cluster  # noqa: E402

VALUE = 16 * 1024
STAYS = "stays40513"  # in slot 0


def fill(port, megabytes, fields):
    c = Resp(port)
    keys = megabytes * 1024 * 1024 // VALUE
    value = os.urandom(VALUE)
    for at in range(0, keys, 200):
        c.pipeline([("SET", f"key:{i}", value) for i in range(at, min(keys, at + 200))])
    for at in range(0, fields, 2000):
        c("HSET", "hash", *(x for i in range(at, min(fields, at + 2000)) for x in (f"field:{i}", f"value:{i}")))
    c.close()
    return keys + (fields > 0)


TOUCH = """
import mmap, sys
size = int(sys.argv[1])
memory = mmap.mmap(-1, size)
for page in range(0, size, 4096):
    memory[page] = 1
"""


def warm(args):
    if args.warm:
        subprocess.run([sys.executable, "-c", TOUCH, str((args.megabytes * 3 // 2 << 20) + args.fields * 150)], check=True)


@contextlib.contextmanager
def before_others(args, *servers):
    def schedule(policy, own, theirs):
        for pid, priority in ((os.getpid(), own), *((s.process.pid, theirs) for s in servers)):
            subprocess.run(["chrt", "-a", policy, "-p", str(priority), str(pid)], check=True)
    if not args.realtime:
        yield
        return
    schedule("-f", 11, 10)  # we first: nobody takes turns in this class, and two busy servers have both cores
    end = threading.Timer(60, schedule, ("-o", 0, 0))
    end.start()
    try:
        yield
    finally:
        end.cancel()
        schedule("-o", 0, 0)


class Prober(threading.Thread):
    """Writes and reads one key after the other, follows MOVED, and notes the longest wait and every other redirection."""

    def __init__(self, ports, key, target):
        super().__init__(daemon=True)
        self.links = {p: Resp(p) for p in ports}
        self.port, self.key, self.target, self.when, self.where = ports[0], key, target, 0.0, False
        self.over, self.longest, self.moved, self.asked, self.other, self.n = False, 0.0, 0, 0, [], 0

    def run(self):
        link = self.links[self.port]
        start = time.monotonic()
        while not self.over:
            reply = link("SET", self.key, self.n)
            if isinstance(reply, Resp.Error):
                self.moved += reply.startswith("MOVED")
                self.asked += reply.startswith(("ASK", "TRYAGAIN"))
                port = int(reply.rsplit(":", 1)[1]) if reply.startswith(("MOVED", "ASK")) else self.port
                if reply.startswith("ASK"):
                    self.links[port].pipeline([("ASKING",), ("SET", self.key, self.n)])
                elif reply.startswith("MOVED"):
                    self.port, link = port, self.links[port]
                    continue
            now = time.monotonic()
            if now - start > self.longest:
                self.longest, self.when, self.where = now - start, now, self.port == self.target
            self.n += 1
            time.sleep(0.0005)
            start = time.monotonic()


def start_probers(a, b):
    """Four whose keys move, and two whose key is the target's all along."""
    probers = [Prober([a.port, b.port], f"probe{i}", b.port) for i in range(4)] + [Prober([b.port], STAYS, b.port) for _ in range(2)]
    for p in probers:
        p.start()
    return probers


def begin(probers):
    time.sleep(0.5)
    for p in probers:
        p.longest = 0.0
    return time.monotonic()


def end(probers):
    time.sleep(0.5)
    for p in probers:
        p.over = True
        p.join()


def report(name, start, seconds, megabytes, keys, probers, extra=""):
    worst = max(probers, key=lambda p: p.longest)
    print(f"{name:24} {seconds:8.2f} s {megabytes / seconds:8.1f} MB/s {keys:8} keys  longest wait of a client {worst.longest * 1000:7.1f} ms, of the {('source', 'target')[worst.where]}, {worst.when - start:.2f} s after the start"
          f"  MOVED {sum(p.moved for p in probers)}  ASK and TRYAGAIN {sum(p.asked for p in probers)}{extra}", flush=True)


def ours(args):
    with Cluster(os.path.abspath(args.server), args.shards, shared=True) as c:
        a, b = c.masters
        keys = fill(a.port, args.megabytes, args.fields)
        probers = start_probers(a, b)
        warm(args)
        with before_others(args, a, b):
            start = begin(probers)
            equal(a.migrate([(1, 16383)], b), "OK")
            m = a.wait_move("success", 600)
            took = time.monotonic() - start
            end(probers)
        report("ringwood, as one", start, took, args.megabytes, keys, probers, f"  writes held {m['pause_us'] / 1000:.1f} ms")
        return took


def redis(args):
    cli = os.environ.get("REDIS_CLI", "redis-cli")
    options = ["--cluster-enabled", "yes", "--cluster-node-timeout", 5000]
    with Redis(*options, "--cluster-port", free_port()) as a, Redis(*options, "--cluster-port", free_port()) as b:
        one, two = a.client(), b.client()
        one("CLUSTER", "ADDSLOTSRANGE", 1, 16383)
        two("CLUSTER", "ADDSLOTS", 0)
        two("CLUSTER", "SET-CONFIG-EPOCH", 2)
        one("CLUSTER", "MEET", "127.0.0.1", b.port, b.arguments[b.arguments.index("--cluster-port") + 1])
        until(lambda: all(b"cluster_state:ok" in n("CLUSTER", "INFO") for n in (one, two)), "the nodes know each other", 60)
        keys = fill(a.port, args.megabytes, args.fields)
        probers = start_probers(a, b)
        warm(args)
        with before_others(args, a, b):
            start = begin(probers)
            subprocess.run([cli, "--cluster", "reshard", f"127.0.0.1:{a.port}", "--cluster-from", one("CLUSTER", "MYID").decode(), "--cluster-to",
                            two("CLUSTER", "MYID").decode(), "--cluster-slots", "16383", "--cluster-yes", "--cluster-pipeline", "10"], check=True,
                           stdout=subprocess.DEVNULL)
            took = time.monotonic() - start
            end(probers)
        report("redis, key by key", start, took, args.megabytes, keys, probers)
        return took


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--fields", type=int, default=100_000)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--no-redis", action="store_true")
    parser.add_argument("--realtime", action="store_true")
    parser.add_argument("--warm", action="store_true")
    args = parser.parse_args()
    mine = ours(args)
    if not args.no_redis:
        theirs = redis(args)
        print(f"{theirs / mine:.1f} times as fast")


if __name__ == "__main__":
    main()
