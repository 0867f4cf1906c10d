#!/usr/bin/env python3
"""An append-only directory goes from a real redis-server 7.0 to us and back, with and without an RDB preamble, also with an incremental file that both have
written to; DEBUG DIGEST tells whether anything changed.

    aof_interop.py RINGWOOD-SERVER
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from servers import Redis, Resp, Ringwood, Tap, equal, until  # noqa: E402

BINARY = sys.argv[1]
tap = Tap()


def write_some(c, seed, commands=3000):
    """All types, several databases, expiry, transactions, commands that are propagated as others."""
    r = random.Random(seed)
    batch = []
    for i in range(commands):
        k = f"k{r.randrange(200)}"
        n = r.randrange(1000)
        batch.append(r.choice([
            ("SET", "s" + k, f"value {n}"), ("SET", "s" + k, n, "EX", 100000), ("APPEND", "s" + k, "x"), ("INCRBYFLOAT", "f" + k, "0.25"),
            ("SETRANGE", "s" + k, 3, "abc"), ("GETEX", "s" + k, "PX", 99999999), ("GETDEL", "s" + k), ("EXPIRE", "l" + k, 77777),
            ("RPUSH", "l" + k, n, "element"), ("LPOP", "l" + k, 2), ("LMPOP", 1, "l" + k, "LEFT"), ("LINSERT", "l" + k, "BEFORE", "element", "new"),
            ("SADD", "t" + k, n, f"m{n}"), ("SPOP", "t" + k), ("SPOP", "t" + k, 3), ("SUNIONSTORE", "tu", "t" + k, "t" + k),
            ("ZADD", "z" + k, n / 7, f"m{n}"), ("ZPOPMIN", "z" + k), ("ZRANGESTORE", "zs", "z" + k, 0, 5), ("ZINCRBY", "z" + k, 1.5, "m1"),
            ("HSET", "h" + k, f"f{n % 20}", n), ("HINCRBYFLOAT", "h" + k, "x", "0.1"), ("HDEL", "h" + k, f"f{n % 20}"),
            ("XADD", "x" + k, "*", "field", n), ("XADD", "x" + k, "MAXLEN", "~", 10, "*", "field", n), ("XGROUP", "CREATE", "x" + k, "g", "0", "MKSTREAM"),
            ("XREADGROUP", "GROUP", "g", f"c{n % 3}", "COUNT", 2, "STREAMS", "x" + k, ">"), ("XTRIM", "x" + k, "MAXLEN", "~", 5),
            ("PFADD", "p" + k, n), ("SETBIT", "b" + k, n, 1), ("COPY", "s" + k, "copy" + k), ("RENAME", "l" + k, "ll" + k),
            ("DEL", "h" + k), ("UNLINK", "z" + k), ("MSET", "a" + k, n, "b" + k, n), ("SELECT", r.choice([0, 0, 3, 15]))]))
        if i % 50 == 0:
            batch += [("MULTI",), ("SET", "multi", i), ("INCR", "multi"), ("EXEC",)]
    c.pipeline(batch)
    c("SELECT", 0)


def rewritten(c):
    until(lambda: not isinstance(c("BGREWRITEAOF"), Resp.Error), "BGREWRITEAOF, when none is under way")
    until(lambda: b"aof_rewrite_in_progress:0" in c("INFO", "persistence") and b"aof_rewrite_scheduled:0" in c("INFO", "persistence"), "the rewrite ends")


def journey(preamble, first, second):
    """first writes and rewrites and writes; second loads, writes on; first loads that."""
    folder = tempfile.mkdtemp(prefix="ringwood-aof-")
    options = ["--appendonly", "yes", "--aof-use-rdb-preamble", preamble]
    try:
        digest = None
        for n, make in enumerate((first, second, first)):
            with make(*options, directory=folder) as server:
                c = server.client()
                until(lambda: not isinstance(c("GET", "nothing"), Resp.Error), "loaded")
                if digest:
                    equal(c("DEBUG", "DIGEST"), digest, f"digest after loading, round {n}")
                write_some(c, n)
                if n == 0:
                    rewritten(c)
                    write_some(c, 10 + n)
                digest = c("DEBUG", "DIGEST")
                equal(c("DEBUG", "LOADAOF"), "OK", "DEBUG LOADAOF")
                equal(c("DEBUG", "DIGEST"), digest, f"digest after LOADAOF, round {n}")
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


for SHARDS in (1, 2):
    for PREAMBLE in ("yes", "no"):
        def ours(*arguments, directory, shards=SHARDS):
            return Ringwood(BINARY, *arguments, shards=shards, directory=directory)

        def theirs(*arguments, directory):
            return Redis(*arguments, directory=directory)

        tap.case(f"Redis, Ringwood, Redis; preamble {PREAMBLE}, {SHARDS} shards")(lambda o=ours, p=PREAMBLE: journey(p, theirs, o))
        tap.case(f"Ringwood, Redis, Ringwood; preamble {PREAMBLE}, {SHARDS} shards")(lambda o=ours, p=PREAMBLE: journey(p, o, theirs))


@tap.case("a file written with appendfsync always is good for Redis wherever it was killed, and what Redis writes behind it for us")
def killed():
    for round_, shards in enumerate((1, 2, 1)):
        folder = tempfile.mkdtemp(prefix="ringwood-aof-")
        try:
            options = ["--appendonly", "yes", "--appendfsync", "always"]
            with Ringwood(BINARY, *options, shards=shards, directory=folder) as server:
                c = server.client()
                for i in range(40 + 7 * round_):  # by ones, so that the file ends in many places
                    c("SET", f"k{i}", "x" * (i * 37 % 600))
                write_some(c, round_, 300)
                digest = c("DEBUG", "DIGEST")
                server.stop(signal.SIGKILL)
            names = os.listdir(os.path.join(folder, "appendonlydir"))
            log = os.path.join(folder, "appendonlydir", next(n for n in names if n.endswith(".incr.aof")))
            with open(log, "rb") as f:
                ahead = f.read().endswith(b"#\n")
            print(f"# {os.path.getsize(log)} bytes{', some of them written ahead' if ahead else ''}", flush=True)
            checked = subprocess.run(["redis-check-aof", os.path.join(folder, "appendonlydir", "appendonly.aof.manifest")], capture_output=True, text=True)
            equal(checked.returncode, 0, checked.stdout)
            for n, make in enumerate((theirs, ours, theirs)):
                with make(*options, directory=folder) as server:
                    c = server.client()
                    until(lambda: not isinstance(c("GET", "nothing"), Resp.Error), "loaded")
                    equal(c("DEBUG", "DIGEST"), digest, f"digest after the kill, {n}")
                    write_some(c, 20 + n, 100)
                    digest = c("DEBUG", "DIGEST")
                    server.stop(signal.SIGKILL)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@tap.case("a single file of before Redis 7 is taken over")
def old_file():
    with Ringwood(BINARY, "--appendonly", "no") as source:
        with open(os.path.join(source.directory, "appendonly.aof"), "wb") as f:
            f.write(Resp.encode("SELECT", 3) + Resp.encode("SET", "a", "1") + Resp.encode("MULTI") + Resp.encode("RPUSH", "l", "x", "y") + Resp.encode("EXEC"))
        source.stop()
        with Ringwood(BINARY, "--appendonly", "yes", shards=2, directory=source.directory) as server:
            c = server.client()
            c("SELECT", 3)
            equal(c("GET", "a"), b"1")
            equal(c("LRANGE", "l", 0, -1), [b"x", b"y"])


@tap.case("the file of a replica, written from its master's stream")
def replica():
    folder = tempfile.mkdtemp(prefix="ringwood-aof-")
    try:
        with Redis() as master:
            m = master.client()
            m("SELECT", 3)
            write_some(m, 1, 300)
            with Ringwood(BINARY, "--appendonly", "yes", "--replicaof", f"127.0.0.1 {master.port}", shards=2, directory=folder) as server:
                c = server.client()
                until(lambda: not isinstance(c("INFO"), Resp.Error) and b"master_link_status:up" in c("INFO", "replication"), "the link is up")
                write_some(m, 2, 300)
                until(lambda: b"aof_rewrite_in_progress:0" in c("INFO", "persistence"), "the rewrite after the full sync")
                m("SELECT", 3)
                m("SET", "in database", 3)
                equal(m("WAIT", 1, 5000), 1)
                rewritten(c)  # its incremental file begins in database 3
                m("RPUSH", "behind the cut", 1, 2)
                m("PUBLISH", "for", "links")
                equal(m("WAIT", 1, 5000), 1)
                digest = m("DEBUG", "DIGEST")
                equal(c("DEBUG", "DIGEST"), digest, "digest of the replica")
                server.stop()
            with Ringwood(BINARY, "--appendonly", "yes", directory=folder) as server:
                equal(server.client()("DEBUG", "DIGEST"), digest, "digest after loading the replica's file")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


tap.run()
