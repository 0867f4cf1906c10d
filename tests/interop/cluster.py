#!/usr/bin/env python3
"""Clusters of our nodes, and of ours beside redis-server's, made and looked at by Debian's redis-cli and redis-py.

    cluster.py RINGWOOD_SERVER [PART OF A CASE'S NAME ...]
"""
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
from bus import bus_stands  # noqa: E402
from servers import Redis, Resp, Ringwood, Tap, equal, free_port, until  # noqa: E402

BINARY = sys.argv[1]
TIMEOUT_MS = 2000  # cluster-node-timeout
tap = Tap()


def options():
    return ["--cluster-enabled", "yes", "--cluster-node-timeout", TIMEOUT_MS, "--cluster-port", free_port(), "--repl-diskless-sync-delay", 0,
            "--appendonly", "no"]


class Node:
    """A server with its cluster bus; the same folder over restarts."""

    def __init__(self, kind, shards=2):
        self.kind, self.folder = kind, tempfile.mkdtemp(prefix="ringwood-cluster-")
        self.arguments = options()
        self.bus = self.arguments[self.arguments.index("--cluster-port") + 1]
        self.server = Redis(*self.arguments, directory=self.folder) if kind == "redis" else \
            Ringwood(BINARY, *self.arguments, shards=shards, directory=self.folder)
        self.server.start()

    @property
    def port(self):
        return self.server.port

    def __call__(self, *command):
        client = self.server.client(20)
        try:
            return client(*command)
        finally:
            client.close()

    def id(self):
        return self("CLUSTER", "MYID").decode()

    def nodes(self):
        """By name: (flags, master, slots)."""
        lines = [line.split() for line in self("CLUSTER", "NODES").decode().splitlines()]
        return {w[0]: (set(w[2].split(",")), w[3], w[8:]) for w in lines}

    def info(self, section="CLUSTER"):
        text = self("CLUSTER", "INFO") if section == "CLUSTER" else self("INFO", section)
        return dict(line.split(":", 1) for line in text.decode().split("\r\n") if ":" in line)

    def is_master(self):
        return self("ROLE")[0] == b"master"

    def kill(self):
        self.server.stop(signal.SIGKILL)

    def restart(self):
        """With the port that it had: the others know it by that."""
        self.server.start(self.server.port)

    def close(self):
        with contextlib.suppress(Exception):
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def nodes(*kinds):
    made = []
    try:
        for kind in kinds:
            made.append(Node(kind))
        yield made
    except BaseException:
        for n in made:
            with contextlib.suppress(Exception):
                print("# " + n.server.log_text()[-1500:].replace("\n", "\n# "), file=sys.stderr)
        raise
    finally:
        for n in made:
            n.close()


def meet(all_nodes):
    for n in all_nodes[1:]:
        equal(all_nodes[0]("CLUSTER", "MEET", "127.0.0.1", n.port, n.bus), "OK")
    until(lambda: all(sum("handshake" not in f for f, _, _ in n.nodes().values()) == len(all_nodes) for n in all_nodes), "all know all", 30)


def share_slots(masters):
    for i, n in enumerate(masters):
        equal(n("CLUSTER", "ADDSLOTSRANGE", i * 16384 // len(masters), (i + 1) * 16384 // len(masters) - 1), "OK")


def agree(all_nodes, seconds=40):
    """All say that the cluster serves, and name the same owners; every node has its links to every other."""
    def settled():
        views = []
        for n in all_nodes:
            if n.info()["cluster_state"] != "ok":
                return False
            views.append({name: slots for name, (_, _, slots) in n.nodes().items() if slots and not slots[0].startswith("[")})
        return all(v == views[0] for v in views)
    until(settled, "all agree", seconds)
    bus_stands(all_nodes, seconds)


def know_roles(all_nodes):
    """All name the same master for every node: a master does not vote for a replica whose master it does not know."""
    until(lambda: len({frozenset((name, master) for name, (_, master, _) in n.nodes().items()) for n in all_nodes}) == 1, "all know everybody's part", 30)


def replicate(replica, master):
    until(lambda: replica("CLUSTER", "REPLICATE", master.id()) == "OK", "REPLICATE", 10)
    until(lambda: replica.info("replication").get("master_link_status") == "up", "the link to the master", 30)


def cli(*arguments, seconds=60):
    done = subprocess.run(["redis-cli", *map(str, arguments)], capture_output=True, text=True, timeout=seconds)
    return done.returncode, done.stdout + done.stderr


class Routed:
    """A client that follows MOVED and ASK."""

    def __init__(self, some):
        self.start, self.clients, self.redirections = some.port, {}, 0

    def at(self, port):
        if port not in self.clients:
            self.clients[port] = Resp(port, 20)
        return self.clients[port]

    def __call__(self, *command):
        port, asking = self.start, False
        for _ in range(8):
            try:
                c = self.at(port)
                if asking:
                    equal(c("ASKING"), "OK")
                reply = c(*command)
            except OSError:
                self.clients.pop(port, None)
                raise
            if not isinstance(reply, Resp.Error) or reply.split()[0] not in ("MOVED", "ASK"):
                return reply
            self.redirections += 1
            asking = reply.startswith("ASK ")
            port = int(reply.rsplit(":", 1)[1])
        raise AssertionError(f"sent round and round: {command}")


@tap.case("redis-cli makes a cluster of three masters and three replicas, and finds nothing wrong with it")
def created():
    with nodes(*["ringwood"] * 6) as all_nodes:
        # redis-cli derives the bus's port where it can: it is told by MEET's answer only from Redis 7.0 on, so ports are given.
        addresses = [f"127.0.0.1:{n.port}@{n.bus}" for n in all_nodes]
        status, text = cli("--cluster", "create", *addresses, "--cluster-replicas", 1, "--cluster-yes", seconds=90)
        assert status == 0 and "[OK] All 16384 slots covered" in text, text[-2000:]
        agree(all_nodes)
        status, text = cli("--cluster", "check", f"127.0.0.1:{all_nodes[0].port}")
        assert status == 0 and "All nodes agree about slots configuration" in text, text[-2000:]
        equal(sum(n.is_master() for n in all_nodes), 3)
        c = Routed(all_nodes[0])
        for i in range(300):
            equal(c("SET", f"key:{i}", i), "OK")
        for i in range(300):
            equal(c("GET", f"key:{i}"), b"%d" % i)
        assert c.redirections > 100
        until(lambda: sum(n("DBSIZE") for n in all_nodes) == 600, "each key is at a master and its replica", 20)


@contextlib.contextmanager
def three_and_three():
    """Three masters that have all slots, and a replica of each: (masters, replicas)."""
    with nodes(*["ringwood"] * 6) as all_nodes:
        masters, replicas = all_nodes[:3], all_nodes[3:]
        share_slots(masters)
        meet(all_nodes)
        agree(all_nodes)
        for r, m in zip(replicas, masters):
            replicate(r, m)
        know_roles(all_nodes)
        agree(all_nodes)
        yield masters, replicas


@tap.case("a master is killed: its replica takes over, and the master comes back as a replica")
def failover():
    with three_and_three() as (masters, replicas):
        all_nodes = masters + replicas
        c = Routed(masters[0])
        for i in range(100):
            equal(c("SET", f"key:{i}", i), "OK")
        until(lambda: replicas[0]("DBSIZE") == masters[0]("DBSIZE"), "the replica has it all", 10)
        masters[0].kill()
        until(replicas[0].is_master, "the replica takes over", 30)
        living = all_nodes[1:]
        agree(living)
        c = Routed(masters[1])
        for i in range(100):
            equal(c("GET", f"key:{i}"), b"%d" % i)
        masters[0].restart()
        until(lambda: not masters[0].is_master(), "it comes back as a replica", 30)
        agree(all_nodes)
        # And the way back by hand, without a loss: the replica says so itself.
        until(lambda: masters[0].info("replication").get("master_link_status") == "up", "the link", 30)
        # One that has not come about within five seconds is given up: masters do not vote twice for the same part within two node timeouts.
        for attempt in range(4):
            equal(masters[0]("CLUSTER", "FAILOVER"), "OK")
            try:
                until(masters[0].is_master, f"the manual failover, attempt {attempt}", 8)
                break
            except AssertionError:
                if attempt == 3:
                    raise
        until(lambda: not replicas[0].is_master(), "roles are exchanged", 15)
        agree(all_nodes)


@tap.case("a replica that never had its master's data set is no heir: it would lead with nothing")
def no_heir():
    with nodes(*["ringwood"] * 4) as all_nodes:
        masters, replica = all_nodes[:3], all_nodes[3]
        share_slots(masters)
        meet(all_nodes)
        agree(all_nodes)
        master = masters[0].id()
        equal(masters[0]("CONFIG", "SET", "requirepass", "which the replica does not know"), "OK")
        until(lambda: replica("CLUSTER", "REPLICATE", master) == "OK", "REPLICATE", 10)
        until(lambda: all(n.nodes()[replica.id()][1] == master for n in masters[1:]), "all know whose replica it is", 30)
        masters[0].kill()
        until(lambda: replica.is_master() or "Disconnected from master for longer than allowed" in replica.server.log_text(), "it sees that it must not", 30)
        equal(replica.is_master(), False)
        equal(replica.info("replication")["master_link_down_since_seconds"], "-1")


@tap.case("ours and redis-server's stand in one cluster: both see the same, and each takes over from the other")
def mixed():
    with nodes("redis", "redis", "ringwood", "ringwood", "redis", "redis") as all_nodes:
        masters, replicas = all_nodes[:3], all_nodes[3:]
        share_slots(masters)
        meet(all_nodes)
        agree(all_nodes)
        # Ours follows a Redis, a Redis follows ours.
        for r, m in zip(replicas, (masters[0], masters[2], masters[1])):
            replicate(r, m)
        c = Routed(masters[2])
        for i in range(100):
            equal(c("SET", f"key:{i}", i), "OK")
        agree(all_nodes)
        know_roles(all_nodes)
        for dead, heir in ((masters[0], replicas[0]), (masters[2], replicas[1])):
            until(lambda: heir("DBSIZE") == dead("DBSIZE"), "the replica has it all", 10)
            dead.kill()
            until(heir.is_master, f"a replica ({heir.kind}) of a dead master ({dead.kind}) takes over", 30)
            agree([n for n in all_nodes if n.server.process.poll() is None])
            dead.restart()
            until(lambda: not dead.is_master(), "it comes back as a replica", 30)
            agree(all_nodes)
            know_roles(all_nodes)
        c = Routed(masters[1])
        for i in range(100):
            equal(c("GET", f"key:{i}"), b"%d" % i)
        for n in all_nodes:
            equal(len(n.nodes()), 6)


@tap.case("a slot moves between ours and redis-server, key by key, and back")
def moved():
    with nodes("redis", "ringwood") as all_nodes:
        share_slots(all_nodes)
        meet(all_nodes)
        agree(all_nodes)
        tag = next(t for t in (f"{{t{i}}}" for i in range(1000)) if all_nodes[0]("CLUSTER", "KEYSLOT", t) < 8000)
        slot = all_nodes[0]("CLUSTER", "KEYSLOT", tag)
        c = Routed(all_nodes[1])
        for i in range(20):
            equal(c("SET", f"{tag}{i}", i), "OK")
        for source, target in (all_nodes, all_nodes[::-1]):
            equal(target("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id()), "OK")
            equal(source("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id()), "OK")
            equal(source("CLUSTER", "COUNTKEYSINSLOT", slot), 20)
            keys = source("CLUSTER", "GETKEYSINSLOT", slot, 10)
            equal(source("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys), "OK")
            # Half of them are here, half there: each is found, a new one goes to the target, two together must wait.
            for i in range(20):
                equal(c("GET", f"{tag}{i}"), b"%d" % i)
            asked = source("GET", f"{tag}new")
            assert asked.startswith(f"ASK {slot} 127.0.0.1:{target.port}"), asked
            left = source("CLUSTER", "GETKEYSINSLOT", slot, 10)
            again = source("MGET", keys[0], left[0])
            assert again.startswith("TRYAGAIN"), again
            away = source("GET", keys[0])
            assert away.startswith("ASK "), away
            refused = target("GET", keys[0])
            assert refused.startswith("MOVED "), refused
            equal(source("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *left), "OK")
            equal(target("CLUSTER", "SETSLOT", slot, "NODE", target.id()), "OK")
            equal(source("CLUSTER", "SETSLOT", slot, "NODE", target.id()), "OK")
            agree(all_nodes)
            for i in range(20):
                equal(c("GET", f"{tag}{i}"), b"%d" % i)


@tap.case("a node remembers its cluster over a restart, in a file that redis-server reads, and the other way round")
def remembered():
    with nodes("ringwood", "redis") as (ours, theirs):
        share_slots([ours, theirs])
        meet([ours, theirs])
        agree([ours, theirs])
        names = ours.id(), theirs.id()
        a, b = (os.path.join(n.folder, "nodes.conf") for n in (ours, theirs))

        def written(path):
            with open(path) as f:
                text = f.read()
            return all(words in text for words in (*names, " 0-8191", " 8192-16383"))
        until(lambda: written(a) and written(b), "both have written down what they know", 20)
        for n in (ours, theirs):
            n.kill()
        # Each starts from the other's file.
        swap = a + ".swap"
        os.rename(a, swap), os.rename(b, a), os.rename(swap, b)
        ports = ours.port, theirs.port
        ours.server.port, theirs.server.port = ports[1], ports[0]
        ours.arguments[5], theirs.arguments[5] = theirs.arguments[5], ours.arguments[5]
        for n in (ours, theirs):
            n.server.arguments[n.server.arguments.index("--cluster-port") + 1] = str(n.arguments[5])
            n.restart()
        equal((theirs.id(), ours.id()), names)
        agree([ours, theirs])


@tap.case("two nodes do not share one nodes.conf")
def locked():
    with nodes("ringwood") as (first,):
        second = Ringwood(BINARY, *options(), directory=first.folder)
        try:
            second.start()
        except RuntimeError as fault:
            assert "already used by a different Redis Cluster node" in first.server.log_text(), fault
        else:
            second.stop(signal.SIGKILL)
            raise AssertionError("the second node came up")


@tap.case("what is published reaches subscribers of other nodes, of both kinds")
def published():
    with nodes("redis", "ringwood", "ringwood") as all_nodes:
        share_slots(all_nodes)
        meet(all_nodes)
        agree(all_nodes)
        listeners = [n.server.client() for n in all_nodes]
        for c in listeners:
            c("SUBSCRIBE", "news")
        for i, n in enumerate(all_nodes):
            n("PUBLISH", "news", f"from {i}")
            for c in listeners:
                equal(c.read(), [b"message", b"news", b"from %d" % i])


@tap.case("redis-py's cluster client works through it, transactions and scripts too")
def python_client():
    try:
        from redis.cluster import ClusterNode, RedisCluster
    except ImportError:
        return "no redis.cluster"
    with nodes(*["ringwood"] * 3) as all_nodes:
        share_slots(all_nodes)
        meet(all_nodes)
        agree(all_nodes)
        r = RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", n.port) for n in all_nodes])
        values = {f"key:{i}": str(i) for i in range(200)}
        for k, v in values.items():
            r.set(k, v)
        equal({k: r.get(k).decode() for k in values}, values)
        equal(r.mset({"{a}1": "x", "{a}2": "y"}), True)
        equal(r.mget("{a}1", "{a}2"), [b"x", b"y"])
        p = r.pipeline()
        for k in values:
            p.get(k)
        equal([v.decode() for v in p.execute()], list(values.values()))
        equal(r.eval("return redis.call('incrby', KEYS[1], ARGV[1])", 1, "{n}", 5), 5)
        equal(sum(n("DBSIZE") for n in all_nodes), 203)
        r.flushall(target_nodes=RedisCluster.PRIMARIES)
        equal(sum(n("DBSIZE") for n in all_nodes), 0)
        r.close()


@tap.case("errors of slots, word for word as redis-server's")
def errors():
    with nodes("redis", "ringwood") as pair:
        for n in pair:
            equal(n("CLUSTER", "ADDSLOTSRANGE", 0, 8000), "OK")
            equal(n("CONFIG", "SET", "cluster-require-full-coverage", "no"), "OK")
        for n in pair:
            until(lambda: n.info()["cluster_state"] == "ok", "it serves", 10)
        here, away = "{b}", "{a}"  # slots 3300 and 15495
        asked = [
            ("GET", away), ("GET", here), ("MGET", here, away), ("MSET", here, 1, here + "2", 2), ("MGET", here, here + "2"),
            ("SELECT", 1), ("SELECT", 0), ("SWAPDB", 0, 1), ("MOVE", here, 1), ("REPLICAOF", "h", 1),
            ("CLUSTER", "ADDSLOTS", 5), ("CLUSTER", "ADDSLOTS", 9000, 9000), ("CLUSTER", "ADDSLOTS", 16384), ("CLUSTER", "ADDSLOTS", "x"),
            ("CLUSTER", "DELSLOTS", 9001), ("CLUSTER", "ADDSLOTSRANGE", 9, 8), ("CLUSTER", "ADDSLOTSRANGE", 9, 10, 11),
            ("CLUSTER", "SETSLOT", 5, "MIGRATING", "nobody"), ("CLUSTER", "SETSLOT", 9000, "MIGRATING", "nobody"),
            ("CLUSTER", "SETSLOT", 5, "IMPORTING", "nobody"), ("CLUSTER", "SETSLOT", 9000, "IMPORTING", "nobody"),
            ("CLUSTER", "SETSLOT", 5, "NODE", "nobody"), ("CLUSTER", "SETSLOT", 5, "WHAT"), ("CLUSTER", "SETSLOT", 5, "STABLE"),
            ("CLUSTER", "REPLICATE", "nobody"), ("CLUSTER", "FORGET", "nobody"), ("CLUSTER", "REPLICAS", "nobody"),
            ("CLUSTER", "COUNT-FAILURE-REPORTS", "nobody"), ("CLUSTER", "FAILOVER"), ("CLUSTER", "FAILOVER", "WHAT"),
            ("CLUSTER", "RESET"), ("CLUSTER", "FLUSHSLOTS"), ("CLUSTER", "SET-CONFIG-EPOCH", "x"), ("CLUSTER", "SET-CONFIG-EPOCH", -1),
            ("CLUSTER", "MEET", "nowhere", 1), # Not MEET with a bad port: Redis 7.0 has other words there than 7.2.
            ("CLUSTER", "NODES", "x"), ("CLUSTER", "WHAT"), ("CLUSTER", "KEYSLOT", "a{b}c"), ("CLUSTER", "COUNTKEYSINSLOT", 3300),
            ("CLUSTER", "COUNTKEYSINSLOT", 99999), ("CLUSTER", "GETKEYSINSLOT", 3300, -1), ("CLUSTER", "BUMPEPOCH"), ("CLUSTER", "SAVECONFIG"),
            ("CLUSTER", "SET-CONFIG-EPOCH", 3), ("ASKING",), ("READONLY",), ("READWRITE",),
            ("EVAL", "return redis.call('get', KEYS[1])", 1, away), ("EVAL", "return redis.call('get', '" + away + "')", 0),
            ("EVAL", "#!lua\nredis.call('get', '{b}'); return redis.call('get', '{bar}')", 1, "{b}"),
            ("EVAL", "#!lua flags=no-cluster\nreturn 1", 0), ("SSUBSCRIBE", here, away), ("SPUBLISH", away, 1),
        ]
        for command in asked:
            theirs, ours = (n(*command) for n in pair)
            if command[:2] == ("CLUSTER", "GETKEYSINSLOT") and not isinstance(theirs, Resp.Error):
                theirs, ours = sorted(theirs), sorted(ours)
            equal(ours, theirs, " ".join(map(str, command)))
        transactions = [[("SET", here, 1), ("GET", here)], [("SET", here, 1), ("GET", away)], [("GET", away)], [("GET", here), ("GET", "{bar}x")]]
        for queue in transactions:
            replies = []
            for n in pair:
                c = n.server.client()
                replies.append([c("MULTI"), *(c(*q) for q in queue), c("EXEC")])
                c.close()
            equal(replies[1], replies[0], str(queue))


@tap.case("without a cluster the commands say so")
def disabled():
    with Redis() as theirs, Ringwood(BINARY) as ours:
        a, b = theirs.client(), ours.client()
        for command in (("CLUSTER", "INFO"), ("CLUSTER", "NODES"), ("CLUSTER", "KEYSLOT", "x"), ("CLUSTER", "COUNTKEYSINSLOT", 1), ("READONLY",),
                        ("READWRITE",), ("ASKING",), ("CLUSTER", "MEET", "127.0.0.1", 1), ("CLUSTER", "ADDSLOTS", 1)):
            equal(b(*command), a(*command), str(command))


if __name__ == "__main__":
    random.seed(1)
    ONLY = sys.argv[2:]
tap.cases = [c for c in tap.cases if not ONLY or any(a in c[0] for a in ONLY)]
tap.run(side_by_side=4)
