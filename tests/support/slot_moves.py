"""Clusters of a few of our nodes whose slots move as one, and clients that write meanwhile and notice everything that they should not see."""
import random
import shutil
import signal
import tempfile
import threading
import time

from bus import bus_stands
from servers import Resp, Ringwood, equal, free_port, until


class Node:
    """A node with its folder, over restarts."""

    def __init__(self, binary, shards, *more, timeout_ms=3000):
        self.folder = tempfile.mkdtemp(prefix="ringwood-moves-")
        arguments = ["--cluster-enabled", "yes", "--cluster-node-timeout", timeout_ms, "--cluster-port", free_port(), "--repl-diskless-sync-delay", 0,
                     "--cluster-allow-replica-migration", "no", *more]
        self.server = Ringwood(binary, *arguments, shards=shards, directory=self.folder)
        self.server.start()
        self.id = self("CLUSTER", "MYID").decode()

    @property
    def port(self):
        return self.server.port

    @property
    def process(self):
        return self.server.process

    def client(self, timeout=60):
        return self.server.client(timeout)

    def __call__(self, *command):
        c = self.client()
        try:
            return c(*command)
        finally:
            c.close()

    def kill(self):
        self.server.stop(signal.SIGKILL)

    def restart(self):
        self.server.start(self.server.port)  # others know it by that

    def close(self):
        self.server.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- moves

    def migrate(self, ranges, to):
        words = [str(n) for r in ranges for n in r]
        return self("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", *words, "NODE", to.id)

    def moves(self):
        return [{k.decode(): v for k, v in zip(m[::2], m[1::2])} for m in self("CLUSTER", "GETSLOTMIGRATIONS")]

    def last_move(self):
        m = self.moves()[0]
        return m["state"].decode(), m["message"].decode(), m

    def wait_move(self, state, seconds=60):
        until(lambda: self.last_move()[0] in ("success", "failed", "cancelled"), "the migration is over", seconds)
        got, message, m = self.last_move()
        equal(got, state, message)
        return m

    def parts(self):
        """Who follows whom."""
        return frozenset((words[0], words[3]) for words in (line.split() for line in self("CLUSTER", "NODES").decode().splitlines()))

    def owner_of(self, slot):
        for line in self("CLUSTER", "NODES").decode().splitlines():
            words = line.split()
            for r in words[8:]:
                if r.startswith("["):
                    continue
                first, _, last = r.partition("-")
                if int(first) <= slot <= int(last or first):
                    return words[0]
        return None


class Cluster:
    """`masters` nodes, of which the first has all the slots, but for slot 0 with `shared`, which is the second's; each with `replicas`."""

    def __init__(self, binary, shards, *more, masters=2, replicas=0, timeout_ms=3000, options=(), shared=False):
        self.nodes = [Node(binary, shards, *more, *(options[i] if i < len(options) else ()), timeout_ms=timeout_ms) for i in range(masters * (1 + replicas))]
        self.masters = self.nodes[:masters]
        first = self.nodes[0]
        equal(first("CLUSTER", "ADDSLOTSRANGE", 1, 16383), "OK")
        equal(self.masters[1 if shared else 0]("CLUSTER", "ADDSLOTS", 0), "OK")
        for i, n in enumerate(self.nodes):
            n("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
        for n in self.nodes[1:]:
            equal(n("CLUSTER", "MEET", "127.0.0.1", first.port, first.server.arguments[first.server.arguments.index("--cluster-port") + 1]), "OK")
        bus_stands(self.nodes, 60)
        until(lambda: all(b"cluster_state:ok" in n("CLUSTER", "INFO") and n.owner_of(1) == first.id and n.owner_of(0) for n in self.nodes), "all agree", 60)
        self.replicas = {}
        for i, n in enumerate(self.nodes[masters:]):
            of = self.masters[i % masters]
            equal(n("CLUSTER", "REPLICATE", of.id), "OK")
            self.replicas.setdefault(of.id, []).append(n)
        for rs in self.replicas.values():
            for r in rs:
                until(lambda r=r: b"master_link_status:up" in r("INFO", "replication"), "the replica follows", 60)
        until(lambda: len({n.parts() for n in self.nodes}) == 1, "all know everybody's part", 60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for n in self.nodes:
            n.close()


class Traffic(threading.Thread):
    """One client that writes keys of its own, of all types, and gives the same commands to a server that stands alone, which is what the cluster must be in
    the end. It follows MOVED, and nothing else may happen to it."""

    def __init__(self, cluster, reference, number, tag=None, pause=0.0):
        super().__init__(daemon=True)
        self.links = {n.port: n.client() for n in cluster.masters}
        self.reference = reference.client()
        self.port = cluster.nodes[0].port
        self.random = random.Random(number)
        self.name = f"t{number}"
        self.tag = tag
        self.over = False
        self.fault = None
        self.moved = 0
        self.commands = 0
        self.longest = 0.0
        self.slots_seen = {}
        self.pause = pause
        self.count = 0

    def key(self, kind):
        n = self.random.randrange(20)
        tag = self.tag if self.tag is not None else n % 7
        return f"{self.name}:{kind}:{n}{{{self.name if self.tag is None else ''}{tag}}}"

    def some(self):
        r = self.random
        self.count += 1
        n = self.count
        choice = r.randrange(17)
        if choice == 0:
            return [("SET", self.key("s"), f"value{n}")]
        if choice == 1:
            return [("APPEND", self.key("s"), f"+{n}")]
        if choice == 2:
            return [("INCRBY", self.key("n"), n)]
        if choice == 3:
            return [("RPUSH", self.key("l"), *range(n % 5 + 1))]
        if choice == 4:
            return [("LPOP", self.key("l"))]
        if choice == 5:
            return [("HSET", self.key("h"), f"f{n % 700}", n)]
        if choice == 6:
            return [("HDEL", self.key("h"), f"f{n % 50}")]
        if choice == 7:
            return [("SADD", self.key("set"), n % 900)]
        if choice == 8:
            return [("SREM", self.key("set"), n % 90)]
        if choice == 9:
            return [("ZINCRBY", self.key("z"), n % 7, f"m{n % 600}")]
        if choice == 10:
            return [("XADD", self.key("x"), f"{n}-1", "f", n)]
        if choice == 11:
            return [("SETBIT", self.key("b"), n % 5000, 1)]
        if choice == 12:
            return [("PEXPIREAT", self.key("s"), 4_000_000_000_000 + n)]
        if choice == 13:
            k = self.key("m")
            return [("MULTI",), ("INCR", k), ("RPUSH", k + "l", n), ("EXEC",)]
        if choice == 14:
            return [("EVAL", "redis.call('set', KEYS[1], ARGV[1]) return redis.call('hincrby', KEYS[1] .. 'h', 'f', 1)", 1, self.key("e"), n)]
        if choice == 15:
            return [("DEL", self.key("l"))]
        return [("GET", self.key("s"))]

    def ask(self, commands):
        while True:
            link = self.links[self.port]
            start = time.monotonic()
            replies = link.pipeline(commands)
            self.longest = max(self.longest, time.monotonic() - start)
            errors = [x for x in replies if isinstance(x, Resp.Error)]
            if not errors:
                return replies
            moved = [e for e in errors if e.startswith("MOVED")]
            if not moved or any(not e.startswith(("MOVED", "EXECABORT")) for e in errors):
                raise AssertionError(f"{commands}: {errors}")
            self.moved += 1
            self.port = int(moved[0].rsplit(":", 1)[1])

    def run(self):
        try:
            while not self.over:
                commands = self.some()
                got = self.ask(commands)
                wanted = self.reference.pipeline(commands)
                if commands[0][0] != "EVAL":
                    equal(got, wanted, commands)
                self.commands += 1
                if self.pause:
                    time.sleep(self.pause)
        except BaseException as e:  # told by stop()
            self.fault = e

    def stop(self):
        self.over = True
        self.join(60)
        if self.fault:
            raise self.fault
        return self


def digests(client, keys):
    """Of each key, in their order. Many at once: each command holds every shard, and their threads may wait for each other's."""
    got = []
    for at in range(0, len(keys), 500):
        got += client("DEBUG", "DIGEST-VALUE", *keys[at:at + 500])
    return dict(zip(keys, got))


def same_data(reference, holders, what=""):
    """Every key of the reference stands in one of the holders, with the same value, and they have no others."""
    r = reference.client()
    keys = sorted(r("KEYS", "*"))
    wanted = digests(r, keys)
    ttls = dict(zip(keys, r.pipeline([("PEXPIRETIME", k) for k in keys])))
    got = {}
    for n in holders:
        c = n.client()
        own = sorted(c("KEYS", "*"))
        equal(c("DBSIZE"), len(own), "DBSIZE")
        values = digests(c, own)
        for k, t in zip(own, c.pipeline([("PEXPIRETIME", k) for k in own])):
            if k in got:
                raise AssertionError(f"{what}: {k} stands on two nodes")
            got[k] = values[k]
            equal(t, ttls.get(k), f"{what}: time of {k}")
        c.close()
    missing = [k for k in keys if k not in got]
    more = [k for k in got if k not in wanted]
    if missing or more:
        raise AssertionError(f"{what}: {len(missing)} keys are missing {missing[:5]}, {len(more)} too many {more[:5]}")
    for k in keys:
        equal(got[k], wanted[k], f"{what}: {k}")


def replica_agrees(replica, master, what):
    """DIGEST-VALUE of every key, once the replica has caught up."""
    def all_of(n):
        c = n.client()
        c("READONLY")
        out = digests(c, sorted(c("KEYS", "*")))
        c.close()
        return out
    until(lambda: all_of(replica) == all_of(master), what, 60)
