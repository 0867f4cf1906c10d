#!/usr/bin/env python3
"""WAITAOF where the offsets are hard to tell: behind what is for replicas alone, and behind a full sync.

    waitaof.py RINGWOOD_SERVER
"""
import signal
import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
from servers import Ringwood, Tap, equal, until  # noqa: E402

BINARY = sys.argv[1]
tap = Tap()


def follow(replica, master_port):
    c = replica.client()
    equal(c("REPLICAOF", "127.0.0.1", master_port), "OK")
    until(lambda: b"master_link_status:up" in c("INFO", "replication"), "the link comes up", 30)
    return c


@tap.case("WAITAOF counts the own disk, also where nothing but questions to replicas came behind the last write")
def _():
    with Ringwood(BINARY, "--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0", shards=2) as a, \
            Ringwood(BINARY, "--appendonly", "yes", "--appendfsync", "always", shards=2) as b:
        m = a.client()
        follow(b, a.port)
        for _ in range(5):
            m("INCR", "n")
            equal(m("WAITAOF", 1, 1, 20000), [1, 1])
            b.process.send_signal(signal.SIGSTOP)
            m("INCR", "n")
            equal(m("WAITAOF", 0, 1, 50), [1, 0])
            b.process.send_signal(signal.SIGCONT)
            equal(m("WAITAOF", 0, 1, 20000), [1, 1])
        equal(m("CONFIG", "SET", "appendonly", "no"), "OK")
        m("INCR", "n")
        equal(m("WAITAOF", 0, 1, 20000), [0, 1])


@tap.case("WAITAOF is released by a full sync to a replica that never syncs its file by itself")
def _():
    log = ("--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0")
    with Ringwood(BINARY, *log) as one, Ringwood(BINARY, *log) as other, Ringwood(BINARY, "--appendonly", "yes", "--appendfsync", "no", shards=2) as replica:
        r = follow(replica, other.port)
        for _ in range(2):
            for master in (one, other):
                m = master.client(30)
                m("SET", "boo", 11)
                m.send(m.encode("WAITAOF", 1, 1, 0))
                equal(r("REPLICAOF", "127.0.0.1", master.port), "OK")
                equal(m.read(), [1, 1])
                equal(r("GET", "boo"), b"11")


tap.run()
