"""Slots that move as one (CLUSTER MIGRATESLOTS): under writes of every kind, with replicas, cancelled, and with either node or the link lost. For one and two
shards."""
import sys
import threading
import time

from servers import Resp, Ringwood, Tap, equal, until
from slot_moves import Cluster, Traffic, replica_agrees, same_data

tap = Tap()
BINARY = sys.argv[1]


def fill(node, n, size=100, prefix="k"):
    c = node.client()
    for at in range(0, n, 1000):
        for reply in c.pipeline([("SET", f"{prefix}{i}", "x" * size) for i in range(at, min(n, at + 1000))]):
            equal(reply, "OK")
    c.close()


def digest_all(nodes):
    got = {}
    for n in nodes:
        c = n.client()
        keys = sorted(c("KEYS", "*"))
        got.update(zip(keys, c.pipeline([("DEBUG", "DIGEST-VALUE", k) for k in keys])))
        c.close()
    return got


def per_shards(name, counts=(1, 2)):
    def add(f):
        for shards in counts:
            tap.case(f"{name}, {shards} shards")(lambda shards=shards: f(shards))
        return f
    return add


@per_shards("words and errors")
def words(shards):
    with Cluster(BINARY, shards) as c:
        a, b = c.masters

        def m(*w, node=a):
            return node("CLUSTER", "MIGRATESLOTS", *w)
        for got, wanted in (
                (m("SLOTSRANGE", 0, 5, "NODE", "short"), "ERR Invalid node name: short"),
                (m("SLOTSRANGE", 0, 5, "NODE", "0" * 40), "ERR Unknown node name: " + "0" * 40),
                (m("SLOTSRANGE", 0, 5, "NODE", a.id), "ERR Target node can not be this node."),
                (m("SLOTSRANGE", 0, 5, "NODE", a.id, node=b), "ERR Slots are not served by this node."),
                (m("SLOTSRANGE", 5, 0, "NODE", b.id), "ERR Start slot number 5 is greater than end slot number 0."),
                (m("SLOTSRANGE", 0, 5, 3, 9, "NODE", b.id), "ERR Slot range 3-9 overlaps with previous range 0-5."),
                (m("SLOTSRANGE", 0, 16384, "NODE", b.id), "ERR Invalid or out of range slot"),
                (m("SLOTS", 0, 5, "NODE", b.id), "ERR syntax error"),
                (m("SLOTSRANGE", 0, 5, "NODE", b.id, "SLOTSRANGE", 5, 6, "NODE", b.id), "ERR Slot ranges in migrations overlap"),
                (m("SLOTSRANGE", "NODE", b.id, 1, 2), "ERR No slot ranges specified"),
                (a("CLUSTER", "CANCELSLOTMIGRATIONS"), "ERR No migrations ongoing"),
                (a("CLUSTER", "SYNCSLOTS", "PAUSED"), "ERR CLUSTER SYNCSLOTS PAUSED should only be used by slot migration clients"),
        ):
            equal(got, wanted)
        equal(a.moves(), [])


@per_shards("slots move under writes of every kind, and clients see MOVED alone")
def under_writes(shards):
    with Cluster(BINARY, shards) as c, Ringwood(BINARY, shards=1) as reference:
        a, b = c.masters
        traffic = [Traffic(c, reference, i, tag=i) for i in range(4)]
        for t in traffic:
            t.start()
        time.sleep(1)
        equal(a.migrate([(1, 9000), (9001, 16383)], b), "OK")
        m = a.wait_move("success")
        time.sleep(0.5)
        for t in traffic:
            t.stop()
            equal(t.moved, 1, "each client is sent on once")
        until(lambda: a("DBSIZE") == 0, "the source has dropped what was moved")
        same_data(reference, [a, b])
        for n in (a, b):
            equal(n.owner_of(9), b.id)
        equal(b.last_move()[0], "success")
        equal(m["keys"], m["keys_total"])


tap.run()
