#!/usr/bin/env python3
"""redis-server as a sentinel watches three of our servers: when the master is killed, another one takes its place, and nothing that WAIT 1 acknowledged is lost.

    sentinel_failover.py RINGWOOD_SERVER [ROUNDS]        RINGWOOD_LONG=1: 20
"""
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
from servers import Resp, Ringwood, Tap, equal, free_port, until  # noqa: E402

BINARY = sys.argv[1]
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 20 if os.environ.get("RINGWOOD_LONG") else 3
tap = Tap()


def info(client):
    lines = client("INFO", "replication").decode().split("\r\n")
    return dict(line.split(":", 1) for line in lines if ":" in line)


class Sentinel:
    def __init__(self, master_port):
        self.folder = tempfile.TemporaryDirectory()
        self.port = free_port()
        path = os.path.join(self.folder.name, "sentinel.conf")
        with open(path, "w") as f:
            f.write(f"port {self.port}\nsentinel monitor m 127.0.0.1 {master_port} 1\nsentinel down-after-milliseconds m 1000\n"
                    "sentinel failover-timeout m 6000\nsentinel parallel-syncs m 2\n")
        self.process = subprocess.Popen(["redis-server", path, "--sentinel"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.reachable, "the sentinel answers")
        # It asks and tells several times a second, where seconds lie between by default. It waits for four of the last before it tells a master that came back its new part.
        equal(self.client("SENTINEL", "DEBUG", "PING-PERIOD", 200, "INFO-PERIOD", 200, "PUBLISH-PERIOD", 250), "OK")

    def reachable(self):
        try:
            self.client = Resp(self.port)
            return True
        except OSError:
            return False

    def master(self):
        return int(self.client("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "m")[1])

    def settled(self, servers):
        """The master that it names, once that has both others as replicas and they are known here. On a machine that stands still for a second the sentinel may have changed its mind."""
        found = []

        def look():
            found[:] = [s for s in servers if s.port == self.master()]
            try:
                seen = info(found[0].client())
            except OSError:  # whose part changes, loses its clients
                return False
            return seen["role"] == "master" and seen["connected_slaves"] == "2" and len(self.client("SENTINEL", "REPLICAS", "m")) == 2
        until(look, "two follow the master, and the sentinel knows both", 60)
        return found[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()


def failovers(shards, rounds):
    servers = [Ringwood(BINARY, "--repl-diskless-sync-delay", "0", shards=shards).start() for _ in range(3)]
    try:
        for s in servers[1:]:
            equal(s.client()("REPLICAOF", "127.0.0.1", servers[0].port), "OK")
        with Sentinel(servers[0].port) as sentinel:
            acknowledged = 0
            for number in range(rounds):
                master = sentinel.settled(servers)
                m = master.client()
                for i in range(50):
                    equal(m("SET", f"k{number}:{i}", i), "OK")
                    if m("WAIT", 1, 5000) >= 1:
                        acknowledged += 1
                master.stop(signal.SIGKILL)
                until(lambda: sentinel.master() != master.port, "another master", 60)
                now = next(s for s in servers if s.port == sentinel.master())
                n = now.client()
                until(lambda: info(n)["role"] == "master", "it is one", 60)
                there = n("DBSIZE")
                if there < acknowledged:
                    raise AssertionError(f"{acknowledged} acknowledged, {there} there")
                # It comes back as it was, and is told its new part by the sentinel.
                port = master.port
                master.process = subprocess.Popen([*master.command, "--port", str(port), "--dir", master.directory, *master.arguments], cwd=master.directory,
                                                  stdin=subprocess.DEVNULL, stdout=master.log, stderr=subprocess.STDOUT)
    finally:
        for s in servers:
            s.__exit__()


for shards in (1, 2):
    tap.case(f"{ROUNDS} masters killed, {shards} shards")(lambda shards=shards: failovers(shards, ROUNDS))
tap.run(side_by_side=2)
