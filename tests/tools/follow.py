#!/usr/bin/env python3
"""ringwood-import redis://...: a running server is followed into another one while it is written to, over links that are cut, with filters, and the target takes its place.

    follow.py ringwood-import ringwood-server [PART OF A CASE'S NAME ...]
"""
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

from following import Cuttable, Proxy, Writer, info
from servers import Redis, Resp, Ringwood, Tap, equal, until

tap = Tap()
IMPORT, SERVER = (os.path.abspath(p) for p in sys.argv[1:3])
FOLDER = tempfile.TemporaryDirectory(prefix="ringwood-follow-")


class Follow:
    """The program, running."""

    def __init__(self, source_port, target, *arguments, user=""):
        self.path = os.path.join(FOLDER.name, f"out{time.monotonic_ns()}")
        with open(self.path, "w") as out:
            self.process = subprocess.Popen([IMPORT, f"redis://{user}127.0.0.1:{source_port}", "--to", f"127.0.0.1:{target.port}", *map(str, arguments)],
                                            stdout=out, stderr=subprocess.STDOUT, cwd=FOLDER.name)

    def text(self):
        with open(self.path) as f:
            return f.read()

    def says(self, what, seconds=60):
        until(lambda: what in self.text() or self.process.poll() is not None, what, seconds)
        if what not in self.text():
            raise AssertionError(self.text())

    def ends(self, status=0, seconds=90):
        equal(self.process.wait(seconds), status, self.text())
        return self.text()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Load:
    """Writes of all kinds until the source refuses them, and a counter of which every step is noted."""

    def __init__(self, server, seed, soon=True):
        self.server, self.seed, self.soon, self.stop, self.fault, self.counted, self.refused = server, seed, soon, threading.Event(), None, 0, 0
        self.threads = [threading.Thread(target=self.guard, args=(f,), daemon=True) for f in (self.write, self.count)]
        for t in self.threads:
            t.start()

    def guard(self, f):
        try:
            f()
        except Exception as fault:
            self.fault = fault

    def write(self):
        w = Writer(self.server.client(), self.seed, self.soon)
        while not self.stop.is_set():
            try:
                w.burst(50)
                time.sleep(0.05)  # a machine under load must let the target keep up
            except AssertionError as refused:
                if not str(refused).startswith(("NOREPLICAS", "EXECABORT")):
                    raise
                self.refused += 1
                return

    def count(self):
        c = self.server.client()
        while not self.stop.is_set():
            reply = c("INCR", "acknowledged")
            if not isinstance(reply, int):
                if not reply.startswith("NOREPLICAS"):
                    raise AssertionError(reply)
                self.refused += 1
                return
            self.counted = reply
            time.sleep(0.002)

    def join(self):
        for t in self.threads:
            t.join(60)
        if self.fault:
            raise self.fault


def fill(c, n=3000, soon=True):
    Writer(c, 31, soon).burst(n)
    c("FUNCTION", "LOAD", "REPLACE", "#!lua name=l\nredis.register_function('f', function() return 1 end)")
    c("RPUSH", "long", *[f"item{i}" * 10 for i in range(5000)])


def same(source, target):
    """Once what expires has expired everywhere."""
    until(lambda: source("DEBUG", "DIGEST") == target("DEBUG", "DIGEST"), "the same digest", 30)


def redis(*options):
    return Redis("--repl-diskless-sync-delay", "0", *options)


def ours(shards):
    return lambda *options: Ringwood(SERVER, "--repl-diskless-sync-delay", "0", *options, shards=shards)


def takes_its_place(source_kind, target_kind, *options):
    soon = target_kind is not redis  # which lets keys expire by its own clock
    with source_kind("--repl-backlog-size", "32mb", *options) as source, target_kind() as target:
        s, t = source.client(), target.client()
        fill(s, soon=soon)
        proxy = Cuttable(source.port)
        load = Load(source, 32, soon)
        with Follow(proxy.port, target) as program:
            program.says("has caught up")
            for _ in range(3):
                time.sleep(0.3)
                proxy.cut()
            time.sleep(0.5)
            equal(load.refused, 0)
            program.process.send_signal(signal.SIGUSR1)
            text = program.ends()
        load.join()
        assert "has everything that" in text and "going on behind offset" in text, text
        equal(load.refused, 2)
        # What was acknowledged is there, and nothing else was.
        equal(int(t("GET", "acknowledged")), load.counted)
        same(s, t)
        equal(t("FCALL", "f", 0), 1)
        assert str(s("SET", "a", "b")).startswith("NOREPLICAS"), text
        equal(info(s, "stats")["sync_full"], "1")
        equal(t("SET", "a", "b"), "OK")


for name, kinds in {"redis-server into ours, 1 shard": (redis, ours(1)), "redis-server into ours, 2 shards": (redis, ours(2)),
                    "redis-server with a file into ours": (redis, ours(2), "--repl-diskless-sync", "no"), "ours into redis-server": (ours(2), redis)}.items():
    tap.case(f"a source under writes is followed over a link that is cut, and its place taken: {name}")(lambda kinds=kinds: takes_its_place(*kinds))


class Far(Proxy):
    """Every answer of the server takes its time."""

    def changed(self, data):
        time.sleep(0.03)
        return data


@tap.case("a source whose writes never cease hands over all the same: to a target so far away that some have come meanwhile at any time")
def never_still():
    with ours(1)() as source, ours(1)() as target:
        far = Far(target.port)
        s, ended = source.client(), threading.Event()
        s("SET", "k", 0)

        def write():
            c = source.client()
            while not ended.is_set() and not any(isinstance(r, Resp.Error) for r in c.pipeline([("INCR", "k")] * 20)):
                time.sleep(0.001)
        threads = [threading.Thread(target=write, daemon=True) for _ in range(3)]
        try:
            with Follow(source.port, far) as program:
                for t in threads:
                    t.start()
                program.says("following")
                time.sleep(0.5)
                program.process.send_signal(signal.SIGUSR1)
                program.ends(seconds=20)
        finally:
            ended.set()
            for t in threads:
                t.join(30)
            far.close()
        equal(target.client()("GET", "k"), s("GET", "k"))


@tap.case("--promote --verify: as soon as it has caught up, and compared while nothing is written")
def _():
    with redis() as source, ours(2)() as target:
        s, t = source.client(), target.client()
        fill(s)
        load = Load(source, 33)
        with Follow(source.port, target, "--promote", "--verify") as program:
            text = program.ends()
        load.join()
        assert "compared by their digests: all the same" in text, text
        equal(int(t("GET", "acknowledged")), load.counted)
        same(s, t)


@tap.case("--verify finds what differs, and the source takes writes as before")
def _():
    with redis() as source, ours(1)() as target:
        s, t = source.client(), target.client()
        s.pipeline([("SET", f"k{i}", i) for i in range(1000)])
        with Follow(source.port, target, "--promote", "--verify") as program:
            program.says("following")
            t("SET", "k7", "another")
            text = program.process.wait(60) and program.text()
            if text:
                assert "1 DIFFERENT" in text and "not promoted" in text, text
                equal(s("SET", "a", "b"), "OK")
        # It may have been compared before: then it is promoted, and nothing was different yet.


@tap.case("a filter takes the keys that it names, whatever commands make of them")
def _():
    with redis() as source, ours(2)() as target:
        s, t = source.client(), target.client()
        t("SET", "mine:1", "stays")
        s.pipeline([("SET", f"user:{i}", i) for i in range(500)] + [("SET", f"other:{i}", i) for i in range(500)])
        s("RPUSH", "user:list", 1, 2, 3)
        s("SELECT", 3)
        s("SET", "user:three", 3)
        s("SELECT", 0)
        with Follow(source.port, target, "--match", "user:*", "--match", "mine:*", "--type", "string", "--db", "0,2") as program:
            program.says("has caught up")
            s("RENAME", "other:1", "user:renamed")
            s("RENAME", "user:2", "other:gone")
            s("MSET", "user:a", 1, "other:b", 2, "user:c", 3)
            s.pipeline([("MULTI",), ("DEL", "user:a"), ("SET", "user:5", "in a transaction"), ("SADD", "user:set", 1), ("EXEC",)])
            s("DEL", "user:6")
            s("SADD", "user:7x", 1)
            s("SET", "user:7", "x", "EX", 1000)
            s("DEL", "user:8")
            s("LPUSH", "user:8", "a list now")
            s("MOVE", "user:9", 2)
            s("COPY", "user:10", "user:copied", "DB", 2)
            s("EVAL", "redis.call('APPEND', KEYS[1], 'y')", 1, "user:11")
            s("SWAPDB", 3, 4)
            s("SELECT", 5)
            s("SET", "user:five", 5)
            s("SWAPDB", 2, 5)
            s("SELECT", 0)
            program.process.send_signal(signal.SIGUSR1)
            program.ends()
        wanted = {k for k in s("KEYS", "user:*") if s("TYPE", k) == "string"}
        equal(set(t("KEYS", "*")), wanted | {b"mine:1"})
        for k in wanted:
            equal((t("GET", k), t("TTL", k) > 0), (s("GET", k), s("TTL", k) > 0), k)
        for c in (s, t):
            c("SELECT", 2)
        equal(t("KEYS", "*"), [b"user:five"])
        equal(info(t, "keyspace").keys(), {"db0", "db2"})


@tap.case("it is ended without being promoted, and what it cannot do is told")
def _():
    with redis("--requirepass", "secret") as source, ours(1)() as target, redis() as replica:
        s = source.client()
        s("AUTH", "secret")
        s.pipeline([("SET", f"k{i}", i) for i in range(100)])
        with Follow(source.port, target) as program:
            assert "NOAUTH" in program.ends(1), program.text()
        with Follow(source.port, target, user=":wrong@") as program:
            assert "WRONGPASS" in program.ends(1), program.text()
        with Follow(source.port, target, user=":secret@") as program:
            program.says("has caught up")
            s("SET", "k0", "changed")
            until(lambda: target.client()("GET", "k0") == b"changed", "the write arrives")
            until(lambda: "state=online" in info(s)["slave0"] and info(s)["slave0"].split("offset=")[1].split(",")[0] == info(s)["master_repl_offset"], "it acknowledges")
            program.process.send_signal(signal.SIGINT)
            assert "was not promoted" in program.ends(), program.text()
        equal(s("SET", "k1", "still written"), "OK")
        r = replica.client()
        r("CONFIG", "SET", "masterauth", "secret")
        r("REPLICAOF", "127.0.0.1", source.port)
        until(lambda: info(r)["master_link_status"] == "up", "the replica follows")
        with Follow(replica.port, target, "--promote") as program:
            assert "needs the master as the source" in program.ends(1), program.text()


@tap.case("a source that cannot go on from our place is not followed blindly")
def _():
    with redis("--repl-backlog-size", "16kb") as source, ours(1)() as target:
        s = source.client()
        s("SET", "a", "b")
        proxy = Cuttable(source.port)
        with Follow(proxy.port, target) as program:
            program.says("has caught up")
            proxy.close()
            s.pipeline([("SET", f"k{i}", "x" * 1000) for i in range(2000)])
            s("CLIENT", "KILL", "TYPE", "replica")
            again = Cuttable(source.port, at=proxy.port)
            assert "cannot go on from there" in program.ends(1), program.text()
            again.close()


ONLY = sys.argv[3:]
tap.cases = [c for c in tap.cases if not ONLY or any(a in c[0] for a in ONLY)]
tap.run()
