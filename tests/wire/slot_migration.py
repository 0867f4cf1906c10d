"""Slots that move as one (CLUSTER MIGRATESLOTS): under writes of every kind, with replicas, cancelled, and with either node or the link lost. For one and two
shards."""
import os
import signal
import sys
import threading
import time

from bus import bus_stands
from servers import Resp, Ringwood, Tap, equal, until
from slot_moves import Cluster, Traffic, digests, replica_agrees, same_data

tap = Tap()
BINARY = sys.argv[1]


def fill(node, n, size=100, prefix="k"):
    c = node.client()
    for at in range(0, n, 1000):
        for reply in c.pipeline([("SET", f"{prefix}{i}{{u{i % 300}}}", "x" * size) for i in range(at, min(n, at + 1000))]):
            equal(reply, "OK")
    c.close()


def digest_all(nodes):
    got = {}
    for n in nodes:
        c = n.client()
        got.update(digests(c, sorted(c("KEYS", "*"))))
        c.close()
    return got


def per_shards(name, counts=(1, 2)):
    def add(f):
        for shards in counts:
            if len(sys.argv) > 2 and sys.argv[2] not in name:
                continue
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


@per_shards("replicas of both ends, a large hash, expiry, and what nobody sees before the end")
def with_replicas(shards):
    with Cluster(BINARY, shards, replicas=1, options=[["--rdb-key-save-delay", 300 * shards]], timeout_ms=20_000) as c:
        a, b = c.masters
        fill(a, 5000)
        k = a.client()
        for at in range(0, 60_000, 1000):
            k("HSET", "big{7}", *(x for i in range(at, at + 1000) for x in (f"field{i}", f"value{i}")))
        k("ZADD", "zset{7}", *(x for i in range(3000) for x in (i, f"m{i}")))
        k("SET", "volatile{7}", 1, "PX", 3_600_000)
        k("HSET", "timed{7}", "f", 1, "g", 2)
        k("HPEXPIRE", "timed{7}", 3_600_000, "FIELDS", 1, "f")
        k.pipeline([("SET", f"short{i}" + "{7}", 1, "PX", 300 + i) for i in range(300)])
        time_of = k("PEXPIRETIME", "volatile{7}")
        before = digest_all([a])
        equal(a.migrate([(1, 16383)], b), "OK")
        until(lambda: a.last_move()[2]["keys"] > 500, "some keys are there", 60)
        a.process.send_signal(signal.SIGSTOP)  # so that this is not over before we have looked
        equal(b.last_move()[0], "receiving-snapshot")
        r = c.replicas[b.id][0]
        for n in (b, r):
            seen = n.client()
            equal([seen("DBSIZE"), seen("KEYS", "*"), seen("SCAN", 0)[1], seen("RANDOMKEY"), b"db1" in seen("INFO", "keyspace")], [0, [], [], None, False])
        changes = [("HSET", "big{7}", "field5", "changed", "new", 1), ("HDEL", "big{7}", "field7")]
        k.send(b"".join(k.encode(*change) for change in changes))
        a.process.send_signal(signal.SIGCONT)
        equal([k.read() for _ in changes], [1, 1])
        before[b"big{7}"] = k("DEBUG", "DIGEST-VALUE", "big{7}")[0]
        m = a.wait_move("success", 120)
        equal(b.last_move()[0], "success")
        until(lambda: a("DBSIZE") == 0, "the source has dropped what was moved")
        until(lambda: b("EXISTS", "short299{7}") == 0, "what is short-lived is gone")
        before = {key: d for key, d in before.items() if not key.startswith(b"short")}
        got = digest_all([b])
        equal(before == got, True, "digests")
        equal(b("PEXPIRETIME", "volatile{7}"), time_of)
        equal(b("HPTTL", "timed{7}", "FIELDS", 2, "f", "g")[1], -1)
        replica_agrees(r, b, "the target's replica")
        replica_agrees(c.replicas[a.id][0], a, "the source's replica")
        # And back, from where they are now.
        equal(b.migrate([(1, 16383)], a), "OK")
        b.wait_move("success", 120)
        until(lambda: b("DBSIZE") == 0, "the other one has dropped it")
        equal(digest_all([a]) == got, True, "digests")
        replica_agrees(c.replicas[a.id][0], a, "the new target's replica")
        return None if m["pause_us"] < 500_000 else f"a pause of {m['pause_us']} us"


def slow_pair(shards, *more, **options):
    """A source whose image takes some seconds."""
    return Cluster(BINARY, shards, *more, options=[["--rdb-key-save-delay", 1500 * shards]], **options)


def half_way(a, b, keys=6000):
    """Answers what there was before."""
    fill(a, keys)
    before = digest_all([a])
    equal(a.migrate([(1, 16383)], b), "OK")
    until(lambda: a.last_move()[2]["keys"] > keys // 20, "some keys are there", 60)
    return before


def as_before(a, b, before, what):
    equal(a.owner_of(7), a.id, what)
    equal(b.owner_of(7), a.id, what)
    equal(digest_all([a]) == before, True, what)
    equal(b("DBSIZE"), 0, what)
    until(lambda: b("CLUSTER", "COUNTKEYSINSLOT", 7) == 0, what)
    equal(b("DEBUG", "DIGEST"), "0" * 40, f"{what}: nothing is left at the target")


def again(a, b, before):
    """What failed leaves nothing in the way of another attempt."""
    a("CONFIG", "SET", "rdb-key-save-delay", 0)
    equal(a.migrate([(1, 16383)], b), "OK")
    a.wait_move("success", 60)
    until(lambda: a("DBSIZE") == 0, "the source has dropped what was moved")
    equal(digest_all([b]) == before, True, "all is at the target")


@per_shards("cancelled half way")
def cancelled(shards):
    with slow_pair(shards) as c:
        a, b = c.masters
        before = half_way(a, b)
        equal(a.migrate([(5, 6)], b), "ERR I am already migrating slot 5.")
        equal(a("CLUSTER", "CANCELSLOTMIGRATIONS"), "OK")
        a.wait_move("cancelled")
        until(lambda: b.last_move()[0] == "failed", "the target has heard of it")
        as_before(a, b, before, "cancelled")
        again(a, b, before)


@per_shards("a flush at either end")
def flushed(shards):
    with slow_pair(shards) as c:
        a, b = c.masters
        before = half_way(a, b)
        equal(b("FLUSHALL"), "OK")
        a.wait_move("failed")
        as_before(a, b, before, "flushed at the target")
        half_way(a, b)
        equal(a("FLUSHALL"), "OK")
        a.wait_move("failed")
        equal(a.last_move()[1], "Data was flushed")
        until(lambda: b.last_move()[0] == "failed", "the target has heard of it")
        as_before(a, b, {}, "flushed at the source")
        # One that came before a move is nothing to it.
        fill(a, 300)
        before = digest_all([a])
        equal(b("FLUSHALL"), "OK")
        again(a, b, before)
        equal(a("FLUSHALL"), "OK")
        equal(b.migrate([(1, 16383)], a), "OK")
        b.wait_move("success")
        equal(digest_all([a]) == before, True)


@per_shards("a target that is full")
def full(shards):
    with Cluster(BINARY, shards) as c:
        a, b = c.masters
        used = int(dict(x.split(":", 1) for x in b("INFO", "memory").decode().split("\r\n") if ":" in x)["used_memory"])
        b("CONFIG", "SET", "maxmemory", used + 3_000_000)
        fill(a, 10_000, 1000)
        before = digest_all([a])
        equal(a.migrate([(1, 16383)], b), "OK")
        a.wait_move("failed")
        equal("OOM" in a.last_move()[1], True, a.last_move()[1])
        as_before(a, b, before, "full")
        b("CONFIG", "SET", "maxmemory", 0)
        again(a, b, before)


@per_shards("a link that is cut, either end silent")
def silent(shards):
    with slow_pair(shards, "--repl-timeout", 2, timeout_ms=20_000) as c:
        a, b = c.masters
        before = half_way(a, b)
        b.process.send_signal(19)
        a.wait_move("failed", 30)
        b.process.send_signal(18)
        until(lambda: b.last_move()[0] == "failed", "the target has heard of it", 30)
        as_before(a, b, before, "a silent target")
        half_way(a, b)
        a.process.send_signal(19)
        until(lambda: b.last_move()[0] == "failed", "the target does not wait for ever", 30)
        equal(b("DBSIZE"), 0)
        a.process.send_signal(18)
        a.wait_move("failed", 30)
        as_before(a, b, before, "a silent source")


@per_shards("a target that takes nothing for a while, in which much is written")
def slow_target(shards):
    with Cluster(BINARY, shards, options=[["--rdb-key-save-delay", 3000 * shards]], timeout_ms=20_000) as c:
        a, b = c.masters
        fill(a, 300)
        equal(a.migrate([(1, 16383)], b), "OK")
        until(lambda: a.last_move()[2]["keys"] > 20, "some keys are there", 60)
        b.process.send_signal(signal.SIGSTOP)
        k = a.client()
        # More than all buffers between the two take, cut anywhere.
        for n in range(100):
            equal(k("SET", f"large{n}" + "{7}", bytes([n]) * 99_991), "OK")
        until(lambda: a.last_move()[0] == "replicating", "the image is on its way", 30)
        # Signs of life are due once a second. They must not stand within a command of the log.
        time.sleep(1.5)
        b.process.send_signal(signal.SIGCONT)
        before = digest_all([a])
        a.wait_move("success", 60)
        equal(digest_all([b]) == before, True, "all is at the target")


@per_shards("kill -9 of either end, half way")
def killed(shards):
    with slow_pair(shards, "--appendonly", "yes", "--appendfsync", "always") as c:
        a, b = c.masters
        before = half_way(a, b)
        b.kill()
        a.wait_move("failed")
        b.restart()
        until(lambda: b("DEBUG", "DIGEST") == "0" * 40, "what had come is dropped when the target has been started anew")
        as_before(a, b, before, "a dead target")
        until(lambda: b"cluster_state:ok" in b("CLUSTER", "INFO"), "the target is in the cluster again")
        bus_stands([a, b])
        half_way(a, b)
        a.kill()
        until(lambda: b.last_move()[0] == "failed", "the target has noticed")
        a.restart()
        until(lambda: all(b"cluster_state:ok" in n("CLUSTER", "INFO") for n in (a, b)), "the source is in the cluster again")
        bus_stands([a, b])
        as_before(a, b, before, "a dead source")
        again(a, b, before)
        # The file holds all of it.
        b.kill()
        b.restart()
        equal(digest_all([b]) == before, True, "after a restart of the target")


@per_shards("a rewrite of the target's file and a replica's full sync that are asked for within a large value")
def within_a_value(shards):
    # The source stands still for as long as the test takes: nobody is to take it for dead.
    with Cluster(BINARY, shards, "--appendonly", "yes", "--repl-backlog-size", 16384, replicas=1, timeout_ms=20_000) as c:
        a, b = c.masters
        rb = c.replicas[b.id][0]
        client = a.client()
        for reply in client.pipeline([("HSET", "{7}h", *(x for j in range(i, i + 500) for x in (f"field{j}", "v" * 60))) for i in range(0, 200_000, 500)]):
            equal(reply, 500)
        before = digest_all([a])

        def a_part():
            # The source runs for moments, so that it does not get to the end between two looks.
            a.process.send_signal(signal.SIGCONT)
            time.sleep(0.001)
            a.process.send_signal(signal.SIGSTOP)
            moves = b.moves()
            return moves and moves[0]["operation"] == b"IMPORT" and moves[0]["bytes"] > 600_000

        # Where others have the processor between two looks it comes to the end all the same: back, and once more.
        for _ in range(8):
            equal(a.migrate([(1, 16383)], b), "OK")
            until(a_part, "a part has come", 30)
            if b.last_move()[0] == "receiving-snapshot":
                break
            a.process.send_signal(signal.SIGCONT)
            a.wait_move("success")
            bus_stands([a, b])
            equal(b.migrate([(1, 16383)], a), "OK")
            b.wait_move("success")
            bus_stands([a, b])
        equal(b.last_move()[0], "receiving-snapshot")
        rb.kill()
        equal(b("BGREWRITEAOF"), "Background append only file rewriting started")
        rb.restart()
        time.sleep(0.5)
        a.process.send_signal(signal.SIGCONT)
        a.wait_move("success")
        until(lambda: b"aof_rewrite_in_progress:0" in b("INFO", "persistence") and b"aof_rewrite_scheduled:0" in b("INFO", "persistence"), "the file is written anew", 60)
        until(lambda: b"master_link_status:up" in rb("INFO", "replication"), "the replica is back", 60)
        replica_agrees(rb, b, "its replica has the value")
        equal(digest_all([b]) == before, True)
        b.kill()
        b.restart()
        equal(digest_all([b]) == before, True, "after a restart of the target")


# Minutes: on request.
@per_shards("kill -9 at any moment", (1, 2) if os.environ.get("RINGWOOD_LONG") == "1" else ())
def killed_at_any_moment(shards):
    """Many short migrations, and one end dies at a random moment of each. Whoever owns the slots in the end has every write that was acknowledged."""
    import random
    dice = random.Random(shards)
    with Cluster(BINARY, shards, "--appendonly", "yes", "--appendfsync", "always", timeout_ms=1000) as c:
        a, b = c.masters
        fill(a, 3000)
        number = 1
        a("SET", "counter{7}", number)
        for _ in range(4):
            source, target = (a, b) if a.owner_of(7) == a.id else (b, a)
            until(lambda: all(b"cluster_state:ok" in n("CLUSTER", "INFO") for n in (a, b)), "both are there", 30)
            until(lambda: target("DBSIZE") == 0 or target.owner_of(0) == target.id, "the target is clean", 30)
            source.migrate([(1, 16383)], target)
            victim = dice.choice((source, target))
            threading.Timer(dice.random() * 0.25, victim.kill).start()
            other = source if victim is target else target
            w = source.client(3)
            try:
                while True:
                    reply = w("SET", "counter{7}", number + 1)
                    if isinstance(reply, Resp.Error):
                        break
                    number += 1
                    if victim.process.poll() is not None and source.last_move()[0] in ("failed", "success"):
                        break  # the move was over before: the other one goes on to serve
            except OSError:
                pass
            victim.process.wait()
            victim.restart()
            until(lambda: a.owner_of(7) == b.owner_of(7) and all(b"cluster_state:ok" in n("CLUSTER", "INFO") for n in (a, b)), "both are of one mind", 40)
            owner = a if a.owner_of(7) == a.id else b
            until(lambda: not isinstance(owner("GET", "counter{7}"), Resp.Error), "the slot is served", 30)
            value = int(owner("GET", "counter{7}") or -1)
            equal(number <= value <= number + 1, True, f"{value} after {number}, {other.moves()[:1]}")
            number = value
            until(lambda: owner("DBSIZE") == 3001, f"{owner('DBSIZE')} keys", 20)
            rest = b if owner is a else a
            if rest is victim and rest is source:
                rest("FLUSHALL")  # it may have died while it dropped the keys: what was left then stays (docs/compatibility.md)
            until(lambda: rest("DBSIZE") == 0, "the other one has none", 30)


@per_shards("a failover of either end, half way")
def failed_over(shards):
    with slow_pair(shards, replicas=1, shared=True) as c:
        a, b = c.masters
        rb, ra = c.replicas[b.id][0], c.replicas[a.id][0]
        before = half_way(a, b)
        equal(rb("CLUSTER", "FAILOVER", "TAKEOVER"), "OK")
        a.wait_move("failed", 60)
        until(lambda: b"role:slave" in b("INFO", "replication") and b"master_link_status:up" in b("INFO", "replication"), "it follows its replica", 30)
        for n in (b, rb):
            until(lambda n=n: n("DEBUG", "DIGEST") == "0" * 40, "nothing is left at the target", 30)
        equal(digest_all([a]) == before, True)
        half_way(a, rb)
        until(lambda: ra("DBSIZE") == a("DBSIZE"), "the source's replica has everything")
        equal(ra("CLUSTER", "FAILOVER", "TAKEOVER"), "OK")
        until(lambda: rb.last_move()[0] == "failed", "the target has heard of it", 60)
        until(lambda: rb("DEBUG", "DIGEST") == "0" * 40, "nothing is left at the target", 30)
        equal(digest_all([ra]) == before, True)
        until(lambda: rb.owner_of(7) == ra.id and rb.parts() == ra.parts(), "both know the new owner, and each other", 30)
        equal(ra.migrate([(1, 16383)], rb), "OK")
        ra.wait_move("success", 60)
        equal(digest_all([rb]) == before, True)


tap.run(side_by_side=4)
