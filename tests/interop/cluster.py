#!/usr/bin/env python3
"""Clusters of our nodes, and of ours beside redis-server's, made and looked at by Debian's redis-cli and redis-py.

    cluster.py RINGWOOD_SERVER [PART OF A CASE'S NAME ...]
"""
import os
import signal
import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
from cluster_nodes import BINARY, Routed, agree, cli, know_roles, meet, nodes, options, replicate, share_slots, three_and_three  # noqa: E402
from servers import Redis, Resp, Ringwood, Tap, equal, until  # noqa: E402

tap = Tap()


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


ONLY = sys.argv[2:]
tap.cases = [c for c in tap.cases if not ONLY or any(a in c[0] for a in ONLY)]
tap.run(side_by_side=4)
