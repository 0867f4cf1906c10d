#!/usr/bin/env python3
"""ringwood-import: into our server and into redis-server, with filters, broken off and gone on with, compared; and into an RDB file.

    import.py ringwood-import ringwood-server
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from servers import Redis, Resp, Ringwood, Tap, equal, free_port, until

tap = Tap()
IMPORT, SERVER = (os.path.abspath(p) for p in sys.argv[1:3])
FOLDER = tempfile.mkdtemp(prefix="ringwood-import-")
DATA = os.path.join(FOLDER, "data")


def run(*arguments, status=0, env=None):
    done = subprocess.run([IMPORT, *map(str, arguments)], capture_output=True, text=True, errors="replace", timeout=300, cwd=FOLDER, env={**os.environ, **(env or {})})
    text = done.stdout + done.stderr
    equal(done.returncode, status, f"{arguments}: {text}")
    return text


def to(server):
    return f"127.0.0.1:{server.port}"


def fill(c):
    for n in range(2000):
        c("SET", f"user:{n}", f"name {n}", *(("EX", 100000 + n) if n % 10 == 0 else ()))
    c("RPUSH", "list", *range(500))
    c("SADD", "set", *[f"m{i}" for i in range(600)])
    c("SADD", "intset", *range(50))
    c("HSET", "hash", *[x for i in range(300) for x in (f"f{i}", i)])
    c("HSET", "small", "a", "b")
    c("ZADD", "zset", *[x for i in range(300) for x in (i / 3, f"m{i}")])
    c("XADD", "stream", "1-1", "f", "v")
    c("XGROUP", "CREATE", "stream", "g", "0")
    c("XREADGROUP", "GROUP", "g", "c", "STREAMS", "stream", ">")
    c("SET", "binary\r\n\0", "\x00\xff")
    c("FUNCTION", "LOAD", "#!lua name=mylib\nredis.register_function('f', function() return 1 end)")
    c("SELECT", 3)
    c("SET", "other:1", "database")
    c("SET", "user:x", "database")
    c("SELECT", 0)


def make():
    """Debian's redis-server makes dump.rdb, and an append-only directory that goes on behind it. DIGEST is the data set's after all of it."""
    os.mkdir(DATA)
    with Redis("--appendonly", "yes", "--appendfsync", "always", directory=DATA) as server:
        c = server.client()
        fill(c)
        equal(c("SAVE"), "OK")
        shutil.move(os.path.join(DATA, "dump.rdb"), os.path.join(FOLDER, "dump.rdb"))
        make.image = c("DEBUG", "DIGEST")
        equal(c("BGREWRITEAOF"), "Background append only file rewriting started")
        until(lambda: "aof_rewrite_in_progress:0" in c("INFO", "persistence").decode(), "the rewrite")
        for n in range(1500):
            c("INCR", "counter")
        c("DEL", "user:1", "small")
        c("MULTI")
        c("LPOP", "list")
        c("SELECT", 3)
        c("APPEND", "other:1", "!")
        c("SELECT", 0)
        c("RPUSH", "list", "end")
        c("EXEC")
        c("SPOP", "set", 10)
        make.end = c("DEBUG", "DIGEST")
        server.stop()


RDB, AOF = os.path.join(FOLDER, "dump.rdb"), os.path.join(DATA, "appendonlydir")
SERVERS = (("ours", lambda *a: Ringwood(SERVER, *a, shards=2)), ("redis-server", Redis))


@tap.case("an image arrives whole, and is the same by its digests")
def image():
    make()
    for name, start in SERVERS:
        with start() as server:
            c = server.client()
            c("SET", "user:5", "to be replaced")
            c("SET", "mine", "stays")
            text = run(RDB, "--to", to(server), "--verify")
            assert "2,010 keys, 1 library of functions" in text and "2,010 keys compared by their digests: all the same" in text, text
            equal(c("GET", "mine"), b"stays", name)
            c("DEL", "mine")
            equal(c("DEBUG", "DIGEST"), make.image, name)
            equal(c("FCALL", "f", 0), 1, name)
            assert 99000 < c("TTL", "user:10") <= 100010
            assert not os.path.exists(RDB + ".import")


@tap.case("an append-only directory arrives: its image, then its commands")
def append_only():
    for name, start in SERVERS:
        with start() as server:
            text = run(AOF, "--to", to(server))
            assert "2,010 keys" in text and "commands" in text, text
            equal(server.client()("DEBUG", "DIGEST"), make.end, name)
            equal(server.client()("GET", "counter"), b"1500", name)


@tap.case("what commands leave is compared, filtered, and made a file of, once they have been run")
def replayed():
    with Ringwood(SERVER, shards=2) as server:
        c = server.client()
        text = run(AOF, "--to", to(server), "--verify")
        assert "2,009 keys compared by their digests: all the same" in text, text
        equal(c("DEBUG", "DIGEST"), make.end)
        c("FLUSHALL")
        run(AOF, "--to", to(server), "--type", "string", "--match", "c*", "--match", "other:*")
        equal(sorted(c("KEYS", "*")), [b"counter"])
        equal(c("GET", "counter"), b"1500")
        c("SELECT", 3)
        equal(c("GET", "other:1"), b"database!")
    folder = os.path.join(FOLDER, "made")
    os.mkdir(folder)
    run(AOF, "--to", folder)
    equal(sorted(os.listdir(folder)), ["dump.rdb"])
    assert "is there already" in run(AOF, "--to", folder, status=1)
    for name, start in (("ours", lambda: Ringwood(SERVER, directory=folder)), ("redis-server", lambda: Redis(directory=folder))):
        with start() as server:
            equal(server.client()("DEBUG", "DIGEST"), make.end, name)
            equal(server.client()("FCALL", "f", 0), 1, name)


@tap.case("a write-ahead log arrives")
def write_ahead_log():
    folder = tempfile.mkdtemp(dir=FOLDER)
    with Ringwood(SERVER, "--persistence", "wal", "--appendfsync", "always", shards=2, directory=folder) as server:
        c = server.client()
        fill(c)
        c("MULTI")
        c("INCR", "a")
        c("INCR", "a")
        c("EXEC")
        digest = c("DEBUG", "DIGEST")
        server.stop()
    with Redis() as server:
        text = run(folder, "--to", to(server), "--verify")
        assert "all the same" in text, text
        equal(server.client()("DEBUG", "DIGEST"), digest)


@tap.case("filters by database, pattern and type")
def filters():
    with Ringwood(SERVER) as server:
        c = server.client()

        def taken(*filters):
            c("FLUSHALL")
            text = run(RDB, "--to", to(server), *filters)
            found = []
            for db in (0, 3):
                c("SELECT", db)
                found += [(db, k) for k in c("KEYS", "*")]
            assert "not asked for" in text, text
            return sorted(found)
        equal(taken("--db", "3"), [(3, b"other:1"), (3, b"user:x")])
        equal(taken("--db", "0", "--type", "list,zset"), [(0, b"list"), (0, b"zset")])
        equal(taken("--match", "user:199[0-3]", "--match", "s*t", "--match", "o*"),
              [(0, b"set"), *[(0, b"user:199%d" % i) for i in range(4)], (3, b"other:1")])
        equal(len(taken("--type", "string", "--match", "user:*", "--db", "0,3")), 2001)


def big_file(keys):
    folder = tempfile.mkdtemp(dir=FOLDER)
    with Redis(directory=folder) as server:
        server.client()("DEBUG", "POPULATE", keys, "key", 200)
        equal(server.client()("SAVE"), "OK")
        digest = server.client()("DEBUG", "DIGEST")
    return os.path.join(folder, "dump.rdb"), digest


@tap.case("an import that is broken off goes on where it stopped")
def resumed():
    source, digest = big_file(100_000)
    for sig in (signal.SIGINT, signal.SIGKILL):
        with Ringwood(SERVER) as server:
            c = server.client()
            process = subprocess.Popen([IMPORT, source, "--to", to(server)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            until(lambda: c("DBSIZE") > 20_000, "keys in the server")
            process.send_signal(sig)
            text = process.communicate(timeout=60)[0]
            equal(process.returncode, 1 if sig == signal.SIGINT else -sig, text)
            before = c("DBSIZE")
            assert before < 100_000, "it was quicker than the signal"
            c("CONFIG", "RESETSTAT")
            if sig == signal.SIGINT:
                assert "started again, it goes on where it stopped" in text, text
                text = run(source, "--to", to(server))
                assert "going on behind" in text, text
                restored = int(next(line for line in c("INFO", "commandstats").decode().split("\r\n") if line.startswith("cmdstat_restore:")).split("calls=")[1].split(",")[0])
                equal(restored, 100_000 - before, "keys sent again")
            else:
                text = run(source, "--to", to(server))
            equal(c("DBSIZE"), 100_000, text)
            equal(c("DEBUG", "DIGEST"), digest)
            assert not os.path.exists(source + ".import")


@tap.case("broken off by a full server it goes on when there is room; another source's state is not used")
def full():
    source, digest = big_file(30_000)
    with Ringwood(SERVER, "--maxmemory", "6mb") as server:
        c = server.client()
        text = run(source, "--to", to(server), status=1)
        assert "OOM command not allowed" in text and "raise its maxmemory" in text, text
        assert os.path.exists(source + ".import")
        assert "tells of an import of something else" in run(RDB, "--to", to(server), "--state", source + ".import", status=1)
        equal(c("CONFIG", "SET", "maxmemory", 0), "OK")
        assert "going on behind" in run(source, "--to", to(server))
        equal(c("DEBUG", "DIGEST"), digest)


@tap.case("differences are found and counted")
def different():
    with Ringwood(SERVER) as server:
        c = server.client()
        run(RDB, "--to", to(server))
        assert "all the same" in run(RDB, "--to", to(server), "--verify-only")
        c("SET", "user:7", "something else")
        c("DEL", "list")
        c("PERSIST", "user:10")
        text = run(RDB, "--to", to(server), "--verify-only", status=1)
        for line in ("user:7 differs at", "list is not there at", "user:10 differs at", "2,010 keys compared by their digests: 3 DIFFERENT"):
            assert line in text, text
        equal(c("GET", "user:7"), b"something else")
        c("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@all", "-restore")
        text = run(RDB, "--to", to(server), "--user", "reader", "--pass", "pw", "--verify", status=1)
        assert "NOPERM" in text and "this user may not do that" in text, text
    with Ringwood(SERVER, "--rename-command", "RESTORE", "R") as server:
        text = run(RDB, "--to", to(server), status=1)
        assert "unknown command" in text, text


@tap.case("clear errors: no server, no password, wrong password, no file, damage, a version that the server does not know")
def errors():
    port = free_port()
    assert f"127.0.0.1:{port} cannot be reached: Connection refused" in run(RDB, "--to", f"127.0.0.1:{port}", status=1)
    with Ringwood(SERVER, "--requirepass", "secret") as server:
        assert "--pass" in run(RDB, "--to", to(server), status=1)
        assert "WRONGPASS" in run(RDB, "--to", to(server), "--pass", "wrong", status=1)
        run(RDB, "--to", to(server), "--pass", "secret")
        run(RDB, "--to", to(server), "--match", "none", env={"REDISCLI_AUTH": "secret"})
    with Redis() as server:
        assert "No such file" in run("nothing.rdb", "--to", to(server), status=1)
        with open(RDB, "rb") as f:
            whole = f.read()
        cut = os.path.join(FOLDER, "cut.rdb")
        with open(cut, "wb") as f:
            f.write(whole[:len(whole) // 2])
        assert f"cut.rdb: offset {len(whole) // 2}: the file ends here" in run(cut, "--to", to(server), status=1)
        equal(run(RDB, "--to", "nowhere", status=2).count("nowhere"), 1)
        assert "--type: bitmap not in {hash,list,set,stream,string,zset}" in run(RDB, "--to", to(server), "--type", "list,bitmap", status=2)
        assert "{hash,list,set,stream,string,zset}" in run("--help")
        folder = tempfile.mkdtemp(dir=FOLDER)
        with Ringwood(SERVER, directory=folder) as ours:
            ours.client()("HSET", "timed", "a", "1")
            ours.client()("HPEXPIRE", "timed", 10_000_000, "FIELDS", 1, "a")
            equal(ours.client()("SAVE"), "OK")
        text = run(os.path.join(folder, "dump.rdb"), "--to", to(server), status=1)
        assert "key timed: ERR DUMP payload version or checksum are wrong" in text and "need Redis 7.4" in text, text
        with Ringwood(SERVER) as ours:
            run(os.path.join(folder, "dump.rdb"), "--to", to(ours), "--verify")


@tap.case("a torn tail is passed over and told; commands that a server refuses are told")
def torn():
    torn_file = os.path.join(FOLDER, "torn.aof")
    with open(torn_file, "wb") as f:
        f.write(Resp.encode("SELECT", 1) + Resp.encode("SET", "a", "1") + Resp.encode("LPUSH", "a", "x") + Resp.encode("INCR", "a") + b"*2\r\n$3\r\nDEL")
    with Ringwood(SERVER) as server:
        text = run(torn_file, "--to", to(server), status=1)
        assert "the torn tail from offset" in text and "LPUSH was refused" in text and "WRONGTYPE" in text, text
        c = server.client()
        c("SELECT", 1)
        equal(c("GET", "a"), b"2")


try:
    tap.run()
finally:
    shutil.rmtree(FOLDER, ignore_errors=True)
