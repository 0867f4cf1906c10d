#!/usr/bin/env python3
"""Nodes of a cluster, over real sockets: commands over several slots, CLUSTER SLOT-STATS, orders in a pipeline, and the bus while a script takes long.

    cluster_node.py SERVER
"""
import contextlib
import os
import sys
import threading
import time

from bus import bus_stands
from servers import Resp, Ringwood, Tap, equal, free_port, together, until

BINARY = sys.argv[1]
TIMEOUT_MS = 1000
CROSS_SLOT = "CROSSSLOT Keys in request don't hash to the same slot"
tap = Tap()


def node(*options, shards=1):
    bus = free_port()
    server = Ringwood(BINARY, "--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", TIMEOUT_MS, *options, shards=shards)
    server.bus = bus
    return server


def serves(client, *but):
    """This node has all slots but these."""
    equal(client("CLUSTER", "ADDSLOTSRANGE", 0, 16383), "OK")
    if but:
        equal(client("CLUSTER", "DELSLOTS", *but), "OK")
    until(lambda: b"cluster_state:ok" in client("CLUSTER", "INFO"), "the cluster serves", 10)


def alone(*options):
    return lambda shards: node("--cluster-require-full-coverage", "no", *options, shards=shards)


@contextlib.contextmanager
def pair(*options, shards=1):
    with node(*options, shards=shards) as one, node(*options, shards=shards) as other:
        a, b = one.client(), other.client()
        equal(a("CLUSTER", "MEET", "127.0.0.1", other.port, other.bus), "OK")
        bus_stands([a, b])
        yield one, other, a, b


# --- keys

@tap.per_shards("MIGRATE without a key is answered wherever slots are", lambda shards: node(shards=shards))
def migrate_without_keys(server):
    """As Redis 7.2.6: the empty word in front of KEYS is no key."""
    c = server.client()
    equal(c("MIGRATE", "127.0.0.1", 1, "", 0, 100, "KEYS"), "NOKEY")
    equal(c("MIGRATE", "127.0.0.1", 1, "x", 0, 100, "KEYS"), "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string")
    for words in (("x", 0, 100), ("", 0, 100), ("", 0, 100, "AUTH", "KEYS"), ("", 0, 100, "KEYS", "a")):
        equal(c("MIGRATE", "127.0.0.1", 1, *words), "CLUSTERDOWN Hash slot not served")


# --- several slots

@tap.per_shards("several slots of one node", alone("--cluster-cross-slot", "local"))
def several_slots(server):
    c = server.client()
    elsewhere = c("CLUSTER", "KEYSLOT", "elsewhere")
    serves(c, elsewhere)
    equal(c("MSET", *(word for i in range(100) for word in (f"key{i}", i))), "OK")
    equal(c("MGET", *(f"key{i}" for i in range(100))), [str(i).encode() for i in range(100)])
    equal(c("MSET", "key1", "x", "elsewhere", "x"), CROSS_SLOT)
    equal(c("EVAL", "local n = 0 for _, k in ipairs(KEYS) do n = n + redis.call('GET', k) end return n", 100, *(f"key{i}" for i in range(100))), 4950)
    equal(c.pipeline([("MULTI",), ("INCR", "key1"), ("INCR", "key2"), ("EXEC",)]), ["OK", "QUEUED", "QUEUED", [2, 3]])
    equal(c("CONFIG", "SET", "cluster-cross-slot", "no"), "OK")
    equal(c("MGET", "key1", "key2"), CROSS_SLOT)


@tap.per_shards("several slots at once are all or nothing", alone("--cluster-cross-slot", "local"))
def atomic(server):
    c = server.client()
    serves(c)
    keys = [f"account{i}" for i in range(8)]
    c("MSET", *(word for k in keys for word in (k, 100)))

    def move(seed):
        mine = server.client()
        for i in range(300):
            a, b = keys[(seed + i) % 8], keys[(seed * 3 + i * 5 + 1) % 8]
            if i % 2:
                equal(mine.pipeline([("MULTI",), ("DECR", a), ("INCR", b), ("EXEC",)])[0], "OK")
            else:
                mine("EVAL", "redis.call('DECR', KEYS[1]) redis.call('INCR', KEYS[2])", 2, a, b)

    def look():
        mine = server.client()
        for _ in range(500):
            equal(sum(int(v) for v in mine("MGET", *keys)), 800, "the sum of all accounts")
    together(*(lambda seed=seed: move(seed) for seed in range(4)), look)


@tap.per_shards("several slots, one of which is migrating", lambda shards: node(shards=shards), counts=(1, 2))
def migrating(server):
    with node() as other:
        a, b = server.client(), other.client()
        equal(a("CLUSTER", "MEET", "127.0.0.1", other.port, other.bus), "OK")
        serves(a)
        bus_stands([a, b])
        until(lambda: all(b"cluster_state:ok" in c("CLUSTER", "INFO") for c in (a, b)), "both say that the cluster serves")
        a("CONFIG", "SET", "cluster-cross-slot", "local")
        a("MSET", "a", 1, "b", 2, "{b}", 3)
        slot = a("CLUSTER", "KEYSLOT", "b")
        equal(a("CLUSTER", "SETSLOT", slot, "MIGRATING", b("CLUSTER", "MYID").decode()), "OK")
        equal(a("MGET", "a", "b"), [b"1", b"2"])
        equal(b("CLUSTER", "SETSLOT", slot, "IMPORTING", a("CLUSTER", "MYID").decode()), "OK")
        equal(a("MIGRATE", "127.0.0.1", other.port, "b", 0, 5000), "OK")
        equal(a("MGET", "a", "b"), "TRYAGAIN Multiple keys request during rehashing of slot")
        equal(a("EVAL", "return redis.call('GET', KEYS[1])", 2, "a", "b"), "TRYAGAIN Multiple keys request during rehashing of slot")
        for c in (b, a):
            equal(c("CLUSTER", "SETSLOT", slot, "NODE", b("CLUSTER", "MYID").decode()), "OK")
        equal(a("MGET", "a", "b"), CROSS_SLOT)


# --- CLUSTER SLOT-STATS

def rows(reply):
    return {slot: {values[i].decode(): values[i + 1] for i in range(0, len(values), 2)} for slot, values in reply}


@tap.per_shards("CLUSTER SLOT-STATS", alone())
def slot_stats(server):
    c = server.client()
    slots = {key: c("CLUSTER", "KEYSLOT", key) for key in ("a", "b", "c")}
    serves(c, slots["c"])
    for key in ("a", "{a}1", "b"):
        c("SET", key, "x" * 100)
    found = c("CLUSTER", "SLOT-STATS", "SLOTSRANGE", 0, 16383)
    equal(len(found), 16383, "slots that are served")
    equal([slot for slot, _ in found], sorted(set(range(16384)) - {slots["c"]}))
    equal(rows(found)[slots["a"]], {"key-count": 2})
    equal(c("CLUSTER", "SLOT-STATS", "ORDERBY", "key-count", "LIMIT", 3)[:2], [[slots["a"], [b"key-count", 2]], [slots["b"], [b"key-count", 1]]])
    equal(c("CLUSTER", "SLOT-STATS", "ORDERBY", "cpu-usec"), "ERR Unrecognized sort metric for ORDERBY.")
    equal(c("CONFIG", "SET", "cluster-slot-stats-enabled", "yes"), "OK")
    time.sleep(0.2)  # each thread takes an option over with its next turn
    for _ in range(200):
        c("GET", "b")
    c("GET", "a")
    by_bytes = c("CLUSTER", "SLOT-STATS", "ORDERBY", "network-bytes-out", "LIMIT", 2)
    equal([slot for slot, _ in by_bytes], [slots["b"], slots["a"]])
    equal(rows(by_bytes)[slots["b"]]["network-bytes-out"], 200 * 108)
    equal(rows(by_bytes)[slots["b"]]["network-bytes-in"], 200 * len(Resp.encode("GET", "b")))
    assert rows(by_bytes)[slots["b"]]["cpu-usec"] > 0
    least = c("CLUSTER", "SLOT-STATS", "ORDERBY", "network-bytes-in", "ASC", "LIMIT", 16384)
    equal([slot for slot, _ in least][-2:], [slots["a"], slots["b"]])
    for words, error in ((("SLOTSRANGE", 2, 1), "ERR Start slot number 2 is greater than end slot number 1"),
                         (("SLOTSRANGE", 0, 16384), "ERR Invalid or out of range slot"),
                         (("ORDERBY", "key-count", "LIMIT", 0), "ERR Limit has to lie in between 1 and 16384 (maximum number of slots)."),
                         (("ORDERBY", "key-count", "ASC", "DESC"), "ERR Multiple filters of the same type are disallowed."),
                         (("ORDERBY", "key-count", "UP"), "ERR syntax error")):
        equal(c("CLUSTER", "SLOT-STATS", *words), error)
    c("CONFIG", "RESETSTAT")
    equal(rows(c("CLUSTER", "SLOT-STATS", "SLOTSRANGE", slots["b"], slots["b"]))[slots["b"]]["network-bytes-out"], 0)


# --- nodes.conf

def writes_of(server):
    """Files that the server has put in nodes.conf's place, by the inode."""
    path = os.path.join(server.directory, "nodes.conf")
    seen, stop = set(), threading.Event()

    def watch():
        while not stop.is_set():
            with contextlib.suppress(OSError):
                status = os.stat(path)
                seen.add((status.st_ino, status.st_mtime_ns))
    thread = threading.Thread(target=watch, daemon=True)
    thread.start()

    def end():
        stop.set()
        thread.join()
        return len(seen) - 1
    return end


@tap.per_shards("orders in a pipeline share a write of nodes.conf", lambda shards: node(shards=shards), counts=(1, 2))
def pipeline_of_orders(server):
    with node() as other:
        a, b = server.client(), other.client()
        equal(a("CLUSTER", "MEET", "127.0.0.1", other.port, other.bus), "OK")
        serves(a)
        bus_stands([a, b])
        target = b("CLUSTER", "MYID").decode()
        time.sleep(0.5)
        count = writes_of(server)
        orders = [("CLUSTER", "SETSLOT", slot, "MIGRATING", target) for slot in range(64)]
        replies = a.pipeline([*orders, ("CLUSTER", "SETSLOT", 20000, "STABLE"), ("CLUSTER", "KEYSLOT", "a"), ("PING",)])
        writes = count()
        one_shard = a("CONFIG", "GET", "shards") == ["shards", "1"]
        equal(replies, ["OK"] * 64 + ["ERR Invalid or out of range slot", 15495, "PONG"])
        # With several shards every order waits for the others to be held, which can take as long as a write.
        assert writes < (32 if one_shard else 66), f"{writes} writes for 64 orders"
        with open(os.path.join(server.directory, "nodes.conf")) as f:
            text = f.read()
        for slot in range(64):
            assert f"[{slot}->-{target}]" in text, f"slot {slot} is not in nodes.conf"


@tap.per_shards("CONFIG SET leaves nodes.conf alone", lambda shards: node(shards=shards), counts=(1, 2))
def config_set(server):
    c = server.client()
    serves(c)
    time.sleep(0.5)
    path = os.path.join(server.directory, "nodes.conf")
    before = os.stat(path).st_ino
    for n in range(5):
        c("CONFIG", "SET", "slowlog-max-len", 100 + n)
        time.sleep(0.15)
    equal(os.stat(path).st_ino, before, "the file")
    c("CONFIG", "SET", "cluster-announce-hostname", "here.example")

    def told():
        with open(path) as f:
            return "here.example" in f.read()
    until(told, "a new name stands in nodes.conf")


# --- while a script takes long

@tap.case("a busy script does not stop the bus, 1 shard")
def busy():
    timeout_ms = 3000  # in which a busy machine lets the process run
    with pair("--busy-reply-threshold", 100, "--cluster-node-timeout", timeout_ms) as (one, other, a, b):
        equal(a("CLUSTER", "ADDSLOTSRANGE", 0, 8191), "OK")
        equal(b("CLUSTER", "ADDSLOTSRANGE", 8192, 16383), "OK")
        until(lambda: all(b"cluster_state:ok" in c("CLUSTER", "INFO") for c in (a, b)), "the cluster serves")
        runner, witness = one.client(), one.client()
        mine = next(f"key{i}" for i in range(1000) if a("CLUSTER", "KEYSLOT", f"key{i}") < 8192)
        theirs = next(f"key{i}" for i in range(1000) if a("CLUSTER", "KEYSLOT", f"key{i}") >= 8192)
        runner.send(Resp.encode("EVAL", "while true do end", 1, mine))
        until(lambda: str(witness("GET", mine)).startswith("BUSY"), "the script is busy")
        end = time.monotonic() + 2 * timeout_ms / 1000
        while time.monotonic() < end:
            assert b"fail" not in b("CLUSTER", "NODES"), "the other takes the busy node for dead"
            time.sleep(0.05)
        # Redirections go before BUSY, and orders that change nobody's slots are heard.
        assert str(witness("GET", theirs)).startswith("MOVED"), witness("GET", theirs)
        # What the others tell it is heard, and written down.
        b("CONFIG", "SET", "cluster-announce-hostname", "other.example")

        def heard():
            with open(os.path.join(one.directory, "nodes.conf")) as f:
                return "other.example" in f.read()
        until(heard, "the busy node writes down what it is told", 10)
        equal(witness("SCRIPT", "KILL"), "OK")
        assert "Script killed" in runner.read()
        equal(a("SET", mine, 1), "OK")
        assert b"fail" not in a("CLUSTER", "NODES")


tap.run(side_by_side=4)
