#!/usr/bin/env python3
"""Frames between our own nodes (cluster/stream_frame.h): they change nothing of what arrives, and nobody else sees them.

    frames.py RINGWOOD_SERVER [PART OF A CASE'S NAME ...]
"""
import os
import sys
import threading

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
from following import Proxy, Throttle, Writer, follow, info, over_cut_links, same_data  # noqa: E402
from servers import Redis, Resp, Ringwood, Tap, equal, until  # noqa: E402

LONG = bool(os.environ.get("RINGWOOD_LONG"))
BINARY = sys.argv[1]
WORD = "ringwood-frames1"
AT_ONCE = ("--repl-diskless-sync-delay", "0")
tap = Tap()


def handshake(port, *more):
    """What a master answers to PSYNC, and the line in front of its image."""
    c = Resp(port)
    words = [w for x in ("eof", "psync2", *more) for w in ("capa", x)]
    equal(c("REPLCONF", *words), "OK")
    c.send(Resp.encode("PSYNC", "?", "-1"))
    lines = []
    while len(lines) < 2:
        line = c.file.readline()
        if line != b"\n":  # which keeps the link alive
            lines.append(line)
    c.close()
    return lines[0].decode().strip("+\r\n").split(" "), lines[1]


@tap.case("frames are for who has asked for them")
def _():
    with Ringwood(BINARY, *AT_ONCE, shards=2) as master:
        m = master.client()
        m("SET", "a", "b")
        words, line = handshake(master.port)
        equal((words[0], len(words), line[:5]), ("FULLRESYNC", 3, b"$EOF:"))
        until(lambda: info(m)["connected_slaves"] == "0", "the first one has gone")
        words, line = handshake(master.port, WORD)
        equal((words[0], words[3:], line), ("FULLRESYNC", [WORD], b"$FRAMES\r\n"))


def arrives(master_shards, replica_shards, load):
    """Two replicas of ours, and one of Redis's that joins them for the second image."""
    with Ringwood(BINARY, *AT_ONCE, shards=master_shards) as master, Ringwood(BINARY, "--repl-diskless-load", load, shards=replica_shards) as one, \
            Ringwood(BINARY, "--repl-diskless-load", load, shards=replica_shards) as two, Redis() as theirs:
        m = master.client()
        w = Writer(m, 21)
        w.burst(2000)
        m("FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() return 1 end)")
        m("RPUSH", "long", *[f"item{i}" * 20 for i in range(8000)])  # of several chunks
        for i in range(3):
            m("HSET", f"big{i}", *[x for j in range(2000) for x in (f"f{j}", f"v{j}" * 5)])
        r = follow(one, master.port)
        w.burst(2000)
        same_data(m, r)
        equal(r("FUNCTION", "LIST")[0][1], b"l")
        equal(info(m, "stats")["sync_full"], "1")
        m("CONFIG", "SET", "repl-diskless-sync-delay", "1")
        m("CONFIG", "SET", "repl-diskless-sync-max-replicas", "2")
        a, b = two.client(), theirs.client()
        for c in (a, b):
            equal(c("REPLICAOF", "127.0.0.1", master.port), "OK")
        w.burst(500)
        for c in (a, b):
            until(lambda c=c: info(c)["master_link_status"] == "up", "the link comes up", 60)
        w.burst(500)
        same_data(m, r, a, b)


for master_shards, replica_shards in ((1, 2), (2, 1), (2, 2), (2, 3), (3, 2)):
    for load in ("disabled", "swapdb", "on-empty-db"):
        tap.case(f"image and stream arrive, {master_shards} shards to {replica_shards}, repl-diskless-load {load}")(
            lambda a=master_shards, b=replica_shards, load=load: arrives(a, b, load))


def cut_links(shards, cuts):
    with Ringwood(BINARY, *AT_ONCE, "--repl-backlog-size", "32mb", shards=shards) as master, Ringwood(BINARY, shards=3 - shards) as replica:
        over_cut_links(master, replica, cuts, 22)


for shards in (1, 2):
    tap.case(f"ours follows ours over a link that is cut, {shards} shards to {3 - shards}")(lambda shards=shards: cut_links(shards, 50 if LONG else 8))


@tap.case("a chain ours -> ours -> Redis -> ours")
def _():
    with Ringwood(BINARY, *AT_ONCE, shards=2) as a, Ringwood(BINARY, *AT_ONCE) as b, Redis(*AT_ONCE) as c, Ringwood(BINARY, shards=2) as d:
        first = a.client()
        w = Writer(first, 23)
        w.burst(500)
        clients = [first, follow(b, a.port), follow(c, b.port), follow(d, c.port)]
        w.burst(2000)
        same_data(*clients)
        equal(clients[1]("REPLICAOF", "NO", "ONE"), "OK")
        Writer(clients[1], 24).burst(500)
        for x in clients[2:]:
            until(lambda x=x: info(x)["master_link_status"] == "up", "the links come back")
        same_data(*clients[1:])
        equal(info(clients[1], "stats")["sync_full"], "1")
        # And the first one follows the second: what was its replica goes on from the same history.
        equal(first("REPLICAOF", "127.0.0.1", b.port), "OK")
        until(lambda: info(first)["master_link_status"] == "up", "the link comes up")
        same_data(*clients)


class Halting(Throttle):
    """Takes nothing from the server while it is told to halt."""

    def __init__(self, port):
        self.goes_on = threading.Event()
        self.goes_on.set()
        super().__init__(port, 0)

    def changed(self, data):
        self.goes_on.wait()
        return data


@tap.case("a link that is slower than the writers carries less than what they write")
def _():
    with Ringwood(BINARY, *AT_ONCE, "--client-output-buffer-limit", "replica 0 0 0", shards=2) as master, Ringwood(BINARY, shards=2) as replica:
        m = master.client()
        proxy = Halting(master.port)  # slower than any writer, on any machine
        r = follow(replica, proxy.port)
        before, sent = int(info(m)["master_repl_offset"]), int(info(m, "stats")["total_net_repl_output_bytes"])
        proxy.goes_on.clear()
        for part in range(10):
            m.pipeline([("SET", f"key:{part * 500 + i}", f"a value that says hardly anything new {i} " * 100) for i in range(500)])
        proxy.goes_on.set()
        same_data(m, r)
        written, carried = int(info(m)["master_repl_offset"]) - before, int(info(m, "stats")["total_net_repl_output_bytes"]) - sent
        proxy.close()
        if carried * 2 > written:
            raise AssertionError(f"{written} bytes were written, {carried} carried")


class Damaging(Proxy):
    """Changes one byte of what the server says, once it is told to."""
    damage, damaged = False, 0

    def changed(self, data):
        if not self.damage or len(data) <= 200:
            return data
        self.damage, self.damaged = False, self.damaged + 1
        return data[:100] + bytes([data[100] ^ 1]) + data[101:]


@tap.case("a byte that changes on its way is noticed, and what it was part of is asked for again")
def _():
    with Ringwood(BINARY, *AT_ONCE, shards=2) as master, Ringwood(BINARY, shards=2) as replica:
        m = master.client()
        proxy = Damaging(master.port)
        r = follow(replica, proxy.port)
        w = Writer(m, 25)
        for number in range(5):
            proxy.damage = True
            w.burst(300)
            until(lambda: proxy.damaged > number, "a byte is changed")
            until(lambda: int(info(m, "stats")["sync_partial_ok"]) > number and info(r)["master_link_status"] == "up", "the link comes back")
        same_data(m, r)
        equal((info(m, "stats")["sync_full"], info(r, "stats")["unexpected_error_replies"]), ("1", "0"))
        # The same within an image.
        m.pipeline([("SET", f"more{i}", "x" * 1000) for i in range(5000)])
        m("CONFIG", "SET", "repl-backlog-size", "16kb")
        proxy.damage = True
        m("DEBUG", "CHANGE-REPL-ID")
        m("CLIENT", "KILL", "TYPE", "replica")
        until(lambda: proxy.damaged == 6, "a byte of the image is changed")
        until(lambda: info(r)["master_link_status"] == "up", "the link comes up", 60)
        same_data(m, r)
        if "damaged on its way" not in replica.log_text():
            raise AssertionError(replica.log_text()[-2000:])


ONLY = sys.argv[2:]
tap.cases = [c for c in tap.cases if not ONLY or any(a in c[0] for a in ONLY)]
tap.run(side_by_side=4)
