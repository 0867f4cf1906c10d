#!/usr/bin/env python3
"""DEBUG RELOAD: while another image is under way it does not fail, and it changes what is watched, as in Redis.

    reload.py RINGWOOD-SERVER
"""
import sys
import time

from servers import Ringwood, Tap, equal, together, until

BINARY = sys.argv[1]
tap = Tap()


def start(shards):
    return Ringwood(BINARY, "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0", shards=shards)


def info(c, field):
    return next(line.split(":", 1)[1] for line in c("INFO", "everything").decode().splitlines() if line.startswith(field + ":"))


def fill(c, n):
    for i in range(n):
        c("SET", f"key:{i}", i)


@tap.per_shards("during BGSAVE", start)
def during_bgsave(server):
    c = server.client()
    fill(c, 300)
    c("CONFIG", "SET", "rdb-key-save-delay", 100000)
    equal(c("BGSAVE"), "Background saving started")
    c("SET", "late", "x")
    c("CONFIG", "SET", "rdb-key-save-delay", 0)
    equal(c("DEBUG", "RELOAD"), "OK")
    equal(c("DBSIZE"), 301)
    equal(c("GET", "late"), "x".encode())
    equal(info(c, "rdb_bgsave_in_progress"), "0")
    equal(info(c, "rdb_last_bgsave_status"), "ok")


@tap.per_shards("during a rewrite of the append-only file, which ends first", start)
def during_rewrite(server):
    c, other = server.client(), server.client()
    fill(c, 300)
    c("CONFIG", "SET", "rdb-key-save-delay", 2000)
    c("BGREWRITEAOF")
    until(lambda: info(c, "aof_rewrite_in_progress") == "1", "the rewrite has begun")
    time.sleep(0.1)
    c("CONFIG", "SET", "rdb-key-save-delay", 0)
    c.send(c.encode("DEBUG", "RELOAD"))
    equal(c.read(), "OK")
    equal(c("DBSIZE"), 300)
    equal(info(other, "aof_last_bgrewrite_status"), "ok")


@tap.per_shards("what is watched and there has changed; who waits for a group goes on waiting", start)
def watched(server):
    c, other, reader = server.client(), server.client(), server.client(20)
    fill(c, 20)
    c("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    reader.send(reader.encode("XREADGROUP", "GROUP", "g", "me", "BLOCK", 0, "STREAMS", "s", ">"))
    until(lambda: info(c, "blocked_clients") == "1", "it waits")
    for command in (("DEBUG", "RELOAD"), ("DEBUG", "LOADAOF")):
        c("WATCH", "key:7")
        equal(other.pipeline([("WATCH", "none"), ("MULTI",), ("PING",)])[2], "QUEUED")
        equal(c(*command), "OK")
        equal(c.pipeline([("MULTI",), ("PING",), ("EXEC",)])[2], None)
        equal(other("EXEC"), ["PONG"])
    equal(info(c, "blocked_clients"), "1")
    c("XADD", "s", "1-1", "f", "v")
    equal(reader.read(), [[b"s", [[b"1-1", [b"f", b"v"]]]]])


@tap.per_shards("two at a time", start)
def two(server):
    c = server.client()
    fill(c, 1000)

    def again_and_again(client):
        for _ in range(5):
            reply = client("DEBUG", "RELOAD")
            assert reply == "OK" or reply.startswith(("LOADING ", "ERR Error trying to load")), reply
            time.sleep(0.01)
    together(lambda: again_and_again(server.client()), lambda: again_and_again(server.client()))
    until(lambda: c("DBSIZE") == 1000, "all keys are back")


tap.run()
