#!/usr/bin/env python3
"""Client libraries at work while the cluster is rearranged under them: ioredis's Cluster and redis-py's RedisCluster, through slots that move key by key, manual failovers, and a master that is killed.
Nothing that they have written may be missing where all is done by hand. A master that dies may take its last writes with it: these are counted.

    cluster_clients.py RINGWOOD_SERVER
"""
import json
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import node as node_libraries  # noqa: E402
from cluster_nodes import agree, cli, three_and_three  # noqa: E402
from servers import Tap, equal, until  # noqa: E402

tap = Tap()


class Ioredis:
    def __init__(self, ports, may_lose=False):
        environment = dict(os.environ, NODE_PATH=str(node_libraries.FOLDER / "node_modules"), MAY_LOSE="1" if may_lose else "")
        self.process = subprocess.Popen(["node", str(node_libraries.SCRIPTS / "ioredis_cluster.js"), *map(str, ports)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        equal(self.process.stdout.readline(), "ready\n")

    def end(self):
        out, error = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, error[-3000:]
        return json.loads(out)

    def kill(self):
        self.process.kill()


class RedisPy:
    def __init__(self, ports, may_lose=False):
        from redis.cluster import ClusterNode, RedisCluster
        self.cluster = RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", p) for p in ports], socket_timeout=2, socket_connect_timeout=2)
        self.may_lose, self.stopped, self.fault, self.figures = may_lose, False, None, {"calls": 0, "failed": 0, "lost": 0, "rounds": 0, "errors": {}}
        self.threads = [threading.Thread(target=self.work, args=(f"redis-py:{i}",), daemon=True) for i in range(4)]
        for t in self.threads:
            t.start()
        time.sleep(0.5)

    def surely(self, f, *args):
        from redis.exceptions import RedisError
        while True:
            try:
                self.figures["calls"] += 1
                return f(*args)
            except (RedisError, OSError) as e:
                self.figures["failed"] += 1
                kind = type(e).__name__
                self.figures["errors"][kind] = self.figures["errors"].get(kind, 0) + 1
                time.sleep(0.05)

    def same(self, got, wanted):
        if self.may_lose and got != wanted:
            self.figures["lost"] += 1
        else:
            equal(got, wanted)

    def work(self, tag):
        try:
            r, n = self.cluster, 0

            def key(name):
                return f"{{{tag}}}{name}"

            def pipeline():
                with r.pipeline() as p:
                    return p.set(key("p"), n).get(key("p")).execute()
            while not self.stopped:
                n += 1
                value = str(n).encode()
                self.surely(r.set, key("plain"), n)
                self.same(self.surely(r.get, key("plain")), value)
                self.surely(r.mset, {key("x"): n, key("y"): n})
                self.same(self.surely(r.mget, key("x"), key("y")), [value] * 2)
                self.surely(r.hset, key("hash"), "field", n)
                self.same(self.surely(r.hget, key("hash"), "field"), value)
                self.surely(r.eval, "return redis.call('SET', KEYS[1], ARGV[1])", 1, key("script"), n)
                self.same(self.surely(pipeline)[1], value)
                time.sleep(0.005)
            equal(self.surely(r.mget, *map(key, ("plain", "x", "y", "script", "p"))), [str(n).encode()] * 5)
            self.figures["rounds"] += n
        except BaseException as fault:
            self.fault = fault

    def end(self):
        self.stopped = True
        for t in self.threads:
            t.join(60)
            assert not t.is_alive(), "a client waits for ever"
        if self.fault:
            raise self.fault
        self.cluster.close()
        return self.figures

    def kill(self):
        self.stopped = True


def reshard(source, target, slots):
    status, text = cli("--cluster", "reshard", f"127.0.0.1:{source.port}", "--cluster-from", source.id(), "--cluster-to", target.id(), "--cluster-slots", slots, "--cluster-yes", seconds=120)
    assert status == 0, text[-2000:]


def fail_over(replica, master):
    """By hand, without a loss; asked for again where it has not come about (masters do not vote twice for one part within two timeouts)."""
    for attempt in range(4):
        equal(replica("CLUSTER", "FAILOVER"), "OK")
        try:
            return until(lambda: replica.is_master() and not master.is_master(), f"the manual failover, attempt {attempt}", 8)
        except AssertionError:
            if attempt == 3:
                raise
    return None


def in_step(all_nodes):
    """Every replica has what its master has."""
    masters = [n for n in all_nodes if n.is_master()]
    return all(n.info("replication").get("slave0", "state=online,offset=0").split("offset=")[1].split(",")[0] == n.info("replication")["master_repl_offset"] for n in masters)


def rearranged(client):
    with three_and_three() as (masters, replicas):
        all_nodes = masters + replicas
        agree(all_nodes)
        load = client([n.port for n in all_nodes])
        try:
            # redis-cli refuses where a node has not heard yet of what was done before.
            reshard(masters[0], masters[1], 200)
            agree(all_nodes)
            reshard(masters[1], masters[2], 300)
            agree(all_nodes)
            fail_over(replicas[2], masters[2])
            agree(all_nodes)
            reshard(replicas[2], masters[0], 200)
            agree(all_nodes)
            figures = load.end()
        except BaseException:
            load.kill()
            raise
        print(f"# rearranged by hand: {figures}", flush=True)
        assert figures["rounds"] > 50, figures
        # A master dies, and comes back as a replica. What was acknowledged in its last moments may be gone with it; the client is to find its way.
        until(lambda: in_step(all_nodes), "the replicas have it all", 30)
        load = client([n.port for n in all_nodes], may_lose=True)
        try:
            time.sleep(1)
            masters[1].kill()
            until(replicas[1].is_master, "the replica takes over", 30)
            agree([n for n in all_nodes if n is not masters[1]])
            masters[1].restart()
            agree(all_nodes)
            until(lambda: not masters[1].is_master(), "it comes back as a replica", 30)
            time.sleep(1)
        except BaseException:
            load.kill()
            raise
        figures = load.end()
        print(f"# a master was killed: {figures}", flush=True)
        assert figures["rounds"] > 20, figures


@tap.case("ioredis's Cluster, while slots move and masters change")
def ioredis():
    if reason := node_libraries.missing():
        return reason
    return rearranged(Ioredis)


@tap.case("redis-py's RedisCluster, while slots move and masters change")
def redis_py():
    try:
        import redis.cluster  # noqa: F401
    except ImportError:
        return "no redis.cluster"
    return rearranged(RedisPy)


tap.run()
