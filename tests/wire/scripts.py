#!/usr/bin/env python3
"""Scripts and functions over sockets, with clients on every thread: atomic whatever keys they touch, undone without a trace when they start over, killed when they are busy.

    scripts.py SERVER
"""
import glob
import os
import random
import signal
import sys
import tempfile
import threading
import time

from servers import Resp, Ringwood, Tap, equal, together, until

BINARY = sys.argv[1]
tap = Tap()
A_SECOND = "for i = 1, 1e8 do end"  # about; time stands still in scripts
ACCOUNTS = [f"account:{i}" for i in range(16)]  # on every shard
BUSY = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
BUSY_FUNCTION = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
UNKILLABLE = ("UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way "
              "using the SHUTDOWN NOSAVE command.")


def per_shards(title, *options, counts=(1, 2, 4)):
    def add(test):
        def run(server):
            test(server, random.Random(title))
            equal(server.stop(), 0)  # a sanitizer that has found something says so by its status
        tap.per_shards(title, lambda shards: Ringwood(BINARY, *options, shards=shards), counts)(run)
        return test
    return add


# Called with none of its accounts declared, one, or both; its lists are never declared.
MOVE = """
local from, to, n = ARGV[1], ARGV[2], ARGV[3]
redis.call('DECRBY', from, n)
redis.call('RPUSH', 'log:' .. from, to)
redis.call('INCRBY', to, n)
return tonumber(redis.call('GET', from)) + tonumber(redis.call('GET', to))
"""
SUM = """
local sum = 0
for i = 0, 15 do sum = sum + tonumber(redis.call('GET', 'account:' .. i)) end
return sum
"""


@per_shards("a sum never changes while scripts, transactions and plain commands move it about")
def sums(server, rng):
    server.client()("MSET", *[w for a in ACCOUNTS for w in (a, 1000)])
    done, moved = threading.Event(), []

    def script(seed, declared):
        mine, c = random.Random(seed), server.client()
        for i in range(120):
            a, b = mine.sample(ACCOUNTS, 2)
            # Another text every few calls: what is known to need all shards does not start over any more.
            text = f"{MOVE}-- {seed} {i // 3}"
            reply = c("EVAL", text, declared, *(a, b)[:declared], a, b, 1 + i % 3)
            equal(isinstance(reply, int), True, reply)
        moved.append(120)

    def transaction():
        mine, c = random.Random(7), server.client()
        for i in range(120):
            a, b = mine.sample(ACCOUNTS, 2)
            replies = c.pipeline([("MULTI",), ("DECR", a), ("EVAL", "return redis.call('INCR', ARGV[1])", 0, b), ("EXEC",)])
            equal(isinstance(replies[-1][1], int), True, replies)

    def rename():
        c = server.client()
        for i in range(120):
            c("EVAL", f"redis.call('RENAME', ARGV[1], ARGV[2]) redis.call('RENAME', ARGV[2], ARGV[1]) -- {i // 3}", 1, "account:3", "account:3", "elsewhere:" + str(i % 9))

    def look(kind):
        c = server.client()
        while not done.is_set():
            if kind == "script":
                equal(c("EVAL", f"{SUM} -- {rng.random()}", 0), 16000)
            elif kind == "declared":
                equal(c("EVAL_RO", f"{SUM} -- {rng.random()}", 1, ACCOUNTS[0]), 16000)
            elif kind == "mget":
                equal(sum(int(v) for v in c("MGET", *ACCOUNTS)), 16000)
            else:
                equal(sum(int(v) for v in c.pipeline([("MULTI",)] + [("GET", a) for a in ACCOUNTS] + [("EXEC",)])[-1]), 16000)

    def write():
        try:
            together(*[lambda n=n: script(n, n % 3) for n in range(4)], transaction, rename)
        finally:
            done.set()
    together(write, *[lambda k=k: look(k) for k in ("script", "declared", "mget", "exec")])
    c = server.client()
    equal(sum(int(v) for v in c("MGET", *ACCOUNTS)), 16000)
    equal(sum(c("LLEN", "log:" + a) for a in ACCOUNTS), 4 * 120, "each move once")


@per_shards("a script that starts over leaves no half state, for others and for itself")
def undone(server, _):
    c, stop = server.client(), threading.Event()
    kinds = {"string": ("SET", "5"), "list": ("RPUSH", "a", "b"), "hash": ("HSET", "f", "1"), "set": ("SADD", "1", "2"), "zset": ("ZADD", "1", "m"), "none": None}
    others = [f"other:{i}" for i in range(8)]

    def prepare():
        c("FLUSHALL")
        for name, what in kinds.items():
            if what:
                c(what[0], "x:" + name, *what[1:])
                c("PEXPIRE", "x:" + name, 10000000)
    writes = {"string": "'INCR', k", "list": "'LPUSH', k, 'new'", "hash": "'HINCRBY', k, 'f', 1", "set": "'SADD', k, '3'", "zset": "'ZINCRBY', k, 1, 'm'", "none": "'SET', k, 'made', 'NX'"}
    results = {"string": ("GET", b"6"), "list": ("LRANGE", [b"new", b"a", b"b"]), "hash": ("HGET", b"2"), "set": ("SCARD", 3), "zset": ("ZSCORE", b"2"), "none": ("GET", b"made")}
    more = {"LRANGE": (0, -1), "HGET": ("f",), "ZSCORE": ("m",)}
    number = 0
    for other in others:
        prepare()
        for name, write in writes.items():
            number += 1
            key = "x:" + name
            text = f"local k = KEYS[1] redis.call({write}) redis.call('PUBLISH', 'news', k) redis.call('SET', ARGV[1], 'y') return redis.call('TTL', k) -- {number}"
            ttl = c("EVAL", text, 1, key, other)
            equal(ttl if name == "none" else ttl > 9000, -1 if name == "none" else True, f"{name} {ttl}")
            command, value = results[name]
            equal(c(command, key, *more.get(command, ())), value, name)
    # What fails after it has started over keeps what it wrote until then, as everywhere; but once.
    c("SET", "n", 0)
    for i in range(8):
        reply = c("EVAL", f"redis.call('INCR', KEYS[1]) redis.call('INCR', ARGV[1]) error('stop {i}')", 1, "n", f"m:{i}")
        equal(isinstance(reply, Resp.Error), True)
        equal((c("GET", "n"), c("GET", f"m:{i}")), (str(i + 1).encode(), b"1"))
    # pcall does not keep a script that is given up.
    for i in range(8):
        equal(c("EVAL", f"redis.call('INCR', KEYS[1]) local ok = pcall(redis.call, 'INCR', ARGV[1]) return ok and {i}", 1, "p", f"q:{i}"), i)
    equal(c("GET", "p"), b"8")

    # Messages go once, and what others see in between is all or nothing.
    listener = server.client()
    listener("SUBSCRIBE", "told")

    def look():
        reader = server.client()
        while not stop.is_set():
            both = reader("MGET", "one", "two")
            equal(both[0], both[1])

    def write():
        try:
            for i in range(150):
                c("EVAL", f"redis.call('SET', KEYS[1], ARGV[1]) redis.call('PUBLISH', 'told', ARGV[1]) redis.call('SET', ARGV[2], ARGV[1]) -- {i}", 1, "one", i, "two")
        finally:
            stop.set()
    together(write, look, look)
    equal([int(listener.read()[2]) for _ in range(150)], list(range(150)))


@per_shards("a key that has expired is announced and propagated once, also when its script starts over",
            "--appendonly", "yes", "--appendfsync", "always", "--notify-keyspace-events", "Ex")
def expired(server, _):
    c, listener = server.client(), server.client(timeout=20)
    c("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    listener("SUBSCRIBE", "__keyevent@0__:expired")
    names = [f"gone:{i}" for i in range(4)]
    for i, name in enumerate(names):
        c("SADD", name, *range(500)) if i % 2 else c("SET", name, "x")
        c("PEXPIRE", name, 1)
    time.sleep(0.02)
    touches = "".join(f"redis.call('SET', 'far:{i}', KEYS[1]) " for i in range(4))
    for name in names:
        equal(c("EVAL", f"local n = redis.call('EXISTS', KEYS[1]) {touches} return n -- {name}", 1, name), 0)
    equal([listener.read()[2] for _ in names], [n.encode() for n in names])
    listener.send(Resp.encode("PING"))
    equal(listener.read(), [b"pong", b""], "no second event")
    with open(*glob.glob(server.directory + "/appendonlydir/*.incr.aof"), "rb") as f:
        text = f.read()
    for name in names:
        equal(text.count(Resp.encode("DEL", name)), 1, f"DEL {name} in {text[-600:]!r}")
        at = text.index(Resp.encode("DEL", name))
        equal(text.rindex(b"MULTI", 0, at) < at < text.index(b"EXEC", at), True)
    equal(c("DBSIZE"), 4)


def busy(server, *command):
    """A client whose script is busy, with another that sees it."""
    c, other = server.client(), server.client()
    c.send(Resp.encode(*command))
    until(lambda: str(other("PING")).startswith("BUSY"), "the script is busy")
    return c, other


@per_shards("a busy script: BUSY on every thread, SCRIPT KILL, UNKILLABLE", "--busy-reply-threshold", 30)
def script_kill(server, _):
    waiting = [server.client() for _ in range(8)]
    for i, w in enumerate(waiting):
        w("SET", f"key:{i}", i)
    watcher = server.client()
    equal(watcher.pipeline([("WATCH", *(f"key:{i}" for i in range(8))), ("MULTI",), ("GET", "key:0")]), ["OK", "OK", "QUEUED"])
    runner, other = busy(server, "EVAL", "while true do redis.call('GET', 'key:1') end", 1, "key:1")
    equal(watcher("EXEC"), "EXECABORT Transaction discarded because of: " + BUSY)
    for i, w in enumerate(waiting):
        equal(w("GET", f"key:{i}"), BUSY)
        equal(w.pipeline([("SET", f"key:{i}", 9), ("EVAL", "return 1", 0), ("FUNCTION", "KILL"), ("MULTI",), ("GET", "key:0"), ("EXEC",)])[:3],
              [BUSY, BUSY, BUSY])
    equal(other("FUNCTION", "KILL"), BUSY)
    equal(waiting[3]("SCRIPT", "KILL"), "OK")
    reply = runner.read()
    equal(isinstance(reply, Resp.Error) and "Script killed by user with SCRIPT KILL" in reply, True, reply)
    for i, w in enumerate(waiting):
        equal(w("GET", f"key:{i}"), str(i).encode())
    equal(other("SCRIPT", "KILL"), "NOTBUSY No scripts in execution right now.")
    equal(runner("GET", "key:1"), b"1")
    equal(watcher.pipeline([("PING",), ("EXEC",)]), ["PONG", "ERR EXEC without MULTI"])

    # What has written is not killed: it must end by itself.
    runner, other = busy(server, "EVAL", f"redis.call('SET', 'done', 0) {A_SECOND} return redis.call('INCR', 'done')", 1, "done")
    equal(other("SCRIPT", "KILL"), UNKILLABLE)
    equal([w("PING") for w in waiting], [BUSY] * 8)
    equal(runner.read(), 1)
    equal([w("PING") for w in waiting], ["PONG"] * 8)


def at_once(server, sends):
    """Sends while the server stands still, so that all of it is there when it goes on: in one turn of each thread."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        for client, raw in sends:
            client.send(raw)
        time.sleep(0.002)  # the kernel has it
    finally:
        server.process.send_signal(signal.SIGCONT)


# Requests, the number of their replies, and what these are where the script did not come first.
def crowd(rng, i):
    key, pair = f"key:{rng.randrange(64)}", [w for k in rng.sample(range(64), 2) for w in (f"key:{k}", 1)]
    deep = rng.randrange(200, 700)
    return rng.choice([
        lambda: [("GET", key)],
        lambda: [("SET", key, 1)] * rng.randrange(1, 4),
        lambda: [("GET", f"key:{k}") for k in range(8)],
        lambda: [("MSET", *pair)],
        lambda: [("MSET", *pair), ("GET", key), ("MGET", *pair[::2]), ("GET", key)],
        lambda: [("MULTI",), ("SET", key, 1), ("GET", key), ("EXEC",)],
        lambda: [("MULTI",), ("MSET", *pair), ("EXEC",), ("GET", key)],
        lambda: [("WATCH", key), ("GET", key), ("UNWATCH",)],
        lambda: [("GET", f"key:{k % 64}") for k in range(deep)],
        lambda: [("SET", f"big:{i}", "x" * 100_000), ("GET", key)],
        lambda: [("EVAL", "return redis.call('GET', KEYS[1])", 1, key)],
        lambda: [("EVAL", "return redis.call('GET', ARGV[1])", 0, key), ("GET", key)],
        lambda: [("BLPOP", f"list:{i}", 0), ("GET", key)],
        lambda: [("BLMOVE", f"list:{i}", f"list:{i + 100}", "LEFT", "RIGHT", 0), ("PING",)],
        lambda: [("CLIENT", "LIST"), ("CONFIG", "SET", "maxmemory", 0), ("GET", key)],
        lambda: [("DBSIZE",), ("KEYS", "nothing*"), ("GET", key)],
    ])()


ENDLESS = {
    "plain": [("EVAL", "while true do end", 0)],
    "a key": [("EVAL", "while true do redis.call('GET', KEYS[1]) end", 1, "key:7")],
    "two keys": [("EVAL", "while true do end", 2, "key:7", "key:8")],
    "undeclared": [("EVAL", "for i = 0, 63 do redis.call('GET', 'key:' .. i) end while true do end", 0)],
    "in a transaction": [("MULTI",), ("GET", "key:7"), ("EVAL", "while true do end", 0), ("EXEC",)],
    "a pipeline": [("GET", "key:7"), ("EVAL", "while true do end", 0), ("GET", "key:7"), ("EVAL", "return 5", 0)],
}


@per_shards("whoever has sent something in the same moment as an endless script is answered", "--busy-reply-threshold", 20)
def same_moment(server, rng):
    c = server.client()
    for round_ in range(36):
        c("MSET", *[w for k in range(64) for w in (f"key:{k}", 1)])
        for i in range(10):
            c("RPUSH", f"list:{i}", "e")
        name, script = rng.choice(list(ENDLESS.items()))
        others = [(server.client(timeout=10), crowd(rng, i)) for i in range(10)]
        sends = [(o, b"".join(Resp.encode(*r) for r in requests)) for o, requests in others]
        runner = server.client(timeout=10)
        sends.insert(rng.randrange(len(sends) + 1), (runner, b"".join(Resp.encode(*r) for r in script)))
        at_once(server, sends)
        story = f"round {round_}, {name}: "
        for o, requests in others:
            for request in requests:
                try:
                    reply = o.read()
                except TimeoutError:
                    raise AssertionError(f"{story}nothing is answered to {request!r:.100} of {requests!r:.200}") from None
                if isinstance(reply, Resp.Error) and not reply.startswith("BUSY") and not reply.startswith("EXECABORT"):
                    raise AssertionError(f"{story}{request!r:.100} got {reply}")
        # Soon there is nothing but BUSY, and all of them may end it.
        for o, _ in others:
            until(lambda o=o: o("GET", "key:1") == BUSY, story + "BUSY")
        o = rng.choice(others)[0]
        equal(o("SCRIPT", "KILL"), "OK", story)
        replies = [runner.read() for _ in script]
        equal("Script killed by user" in str(replies), True, f"{story}{replies!r:.300}")
        for o, _ in others:
            until(lambda o=o: not str(o("GET", "key:1")).startswith("BUSY"), "the script has ended")
            o("DISCARD")
            equal(o("GET", "key:1"), b"1", story)
            o.close()
        runner.close()


@per_shards("a busy function: FUNCTION KILL, FUNCTION STATS", "--busy-reply-threshold", 30)
def function_kill(server, _):
    c = server.client()
    equal(c("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('forever', function(keys, args) while true do end end)\n"
            "redis.register_function{function_name='read', callback=function() while true do end end, flags={'no-writes'}}"), b"lib")
    for call in (("FCALL", "forever", 0), ("FCALL", "forever", 2, "a", "b"), ("FCALL_RO", "read", 0)):
        runner, other = busy(server, *call)
        equal(other("GET", "a"), BUSY_FUNCTION)
        equal(other("SCRIPT", "KILL"), BUSY_FUNCTION)
        stats = other("FUNCTION", "STATS")
        equal((stats[1][1], stats[1][3]), (call[1].encode(), [str(a).encode() for a in call]))
        equal(other("FUNCTION", "KILL"), "OK")
        reply = runner.read()
        equal(isinstance(reply, Resp.Error) and "Script killed by user with SCRIPT KILL" in reply, True, reply)
        equal(other("FUNCTION", "STATS")[1], None)
        equal(other("FUNCTION", "KILL"), "NOTBUSY No scripts in execution right now.")
        equal(runner("PING"), "PONG")


@per_shards("clients that go while a script is busy, their own or another's", "--busy-reply-threshold", 30)
def leave(server, _):
    for round_ in range(4):
        others = [server.client() for _ in range(8)]
        runner, other = busy(server, "EVAL", f"while true do end -- {round_}", round_ % 3, *("a", "b")[:round_ % 3])
        for i, o in enumerate(others):
            o.send(Resp.encode("SET", f"k{i}", "v") * 5)
            if i % 2:
                o.close()
        runner.close()
        time.sleep(0.05)
        equal(other("PING"), BUSY, "who has gone leaves the script")
        equal(other("SCRIPT", "KILL"), "OK")
        until(lambda: other("PING") == "PONG", "the script has ended")
        for i, o in enumerate(others):
            if not i % 2:
                equal([o.read() for _ in range(5)], [BUSY] * 5)
        equal(other("DBSIZE"), 0)
    until(lambda: len(other("CLIENT", "LIST").splitlines()) < 20, "those that went have gone")
    # One that has written ends, and its effects stay.
    runner, other = busy(server, "EVAL", f"redis.call('SET', 'mark', 1) {A_SECOND} redis.call('SET', 'far', 1)", 0)
    runner.close()
    until(lambda: other("PING") == "PONG", "the script has ended")
    equal(other("MGET", "mark", "far"), [b"1", b"1"])


@per_shards("a busy script on each thread at once: each is killed", "--busy-reply-threshold", 30)
def several(server, _):
    runners = [server.client() for _ in range(8)]
    for i, r in enumerate(runners):
        r.send(Resp.encode("EVAL", "while true do end", 1, f"key:{i}"))
    other, replies = server.client(), []

    def replies_of(r):
        replies.append(r.read())
    threads = [threading.Thread(target=replies_of, args=(r,), daemon=True) for r in runners]
    for t in threads:
        t.start()
    end = time.monotonic() + 30
    while len(replies) < 8 and time.monotonic() < end:
        other("SCRIPT", "KILL")
        time.sleep(0.01)
    equal(len(replies), 8)
    equal([r for r in replies if not (r == BUSY or "Script killed by user" in r)], [])
    equal(sum("Script killed" in r for r in replies) >= 1, True)
    equal(other("PING"), "PONG")


@per_shards("CLIENT PAUSE WRITE holds a script that may write, and no other")
def pause(server, _):
    c, reader, writer = server.client(), server.client(timeout=10), server.client()
    c("SET", "k", "v")
    c("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function{function_name='look', callback=function() return redis.call('GET', 'k') end, flags={'no-writes'}}\n"
      "redis.register_function('touch', function() return redis.call('SET', 'k', 'w') end)")
    sha = c("SCRIPT", "LOAD", "#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])")
    equal(c("CLIENT", "PAUSE", 60000, "WRITE"), "OK")
    for request in (("EVALSHA", sha, 1, "k"), ("EVALSHA", sha.upper(), 1, "k"), ("EVAL_RO", "return redis.call('GET', KEYS[1])", 1, "k"), ("FCALL", "look", 0), ("FCALL_RO", "LOOK", 0),
                    ("EVAL", "#!lua flags=no-writes\nreturn redis.call('GET', 'k') -- new", 0)):
        equal(reader(*request), b"v", request)
        equal(reader.pipeline([("MULTI",), request, ("EXEC",)])[-1], [b"v"], request)
    for request in (("EVAL", "return 1", 0), ("EVAL", "#!lua\nreturn 1", 0), ("EVALSHA", "0" * 40, 0), ("FCALL", "touch", 0), ("FCALL", "nothing", 0)):
        writer.send(Resp.encode(*request))
        until(lambda: "blocked_clients:1" in c("INFO", "clients").decode(), f"{request} is held")
        equal(c("CLIENT", "UNPAUSE"), "OK")
        writer.read()
        equal(c("CLIENT", "PAUSE", 60000, "WRITE"), "OK")


@per_shards("replies in RESP3, from scripts that hold some shards and all")
def resp3(server, _):
    three, two = server.client(), server.client()
    three("HELLO", 3)
    for c in (three, two):
        c("DEL", "h", "z", "s")
        c("HSET", "h", "f", "v")
        c("ZADD", "z", "1.5", "m")
        c("SADD", "s", "x")
    wide = "redis.call('EXISTS', 'other:1', 'other:2', 'other:3', 'other:4') "
    for n, start in enumerate(("", wide)):
        for name, body, in_three, in_two in (
                ("map", "redis.setresp(3) return redis.call('HGETALL', 'h')", {b"f": b"v"}, [b"f", b"v"]),
                ("flat", "return redis.call('HGETALL', 'h')", [b"f", b"v"], [b"f", b"v"]),
                ("double", "redis.setresp(3) return redis.call('ZSCORE', 'z', 'm')", 1.5, b"1.5"),
                ("score", "return redis.call('ZSCORE', 'z', 'm')", b"1.5", b"1.5"),
                ("set", "redis.setresp(3) return redis.call('SMEMBERS', 's')", [b"x"], [b"x"]),
                ("null", "redis.setresp(3) return redis.call('GET', 'h2')", None, None),
                ("true", "redis.setresp(3) return true", True, 1),
                ("false", "redis.setresp(3) return false", False, 0),
                ("number", "return {double = 3.25}", 3.25, b"3.25"),
                ("big", "return {big_number = '12345678901234567890'}", 12345678901234567890, b"12345678901234567890"),
                ("mapped", "return {map = {a = 1}}", {b"a": 1}, [b"a", 1]),
                ("integer", "return 3.99", 3, 3),
                ("error", "return redis.error_reply('MY own')", "MY own", "MY own"),
                ("status", "return redis.status_reply('FINE')", "FINE", "FINE")):
            text = f"{start}{body} -- {name}{n}"
            equal(three("EVAL", text, 1, "h"), in_three, f"{name} in RESP3, start {n}")
            equal(two("EVAL", text, 1, "h"), in_two, f"{name} in RESP2, start {n}")


@per_shards("a replica that goes while a script is busy is gone for the script, whichever threads they are on", "--busy-reply-threshold", "10", "--repl-diskless-sync-delay", "0",
            counts=(1, 2))
def replica_goes(server, _):
    c, runners = server.client(), [server.client() for _ in range(2)]
    for runner in runners:
        with Ringwood(BINARY) as replica:
            replica.client()("REPLICAOF", "127.0.0.1", server.port)
            until(lambda: b"state=online" in c("INFO", "replication"), "the replica is online")
            runner.send(Resp.encode("EVAL", """redis.call('SET', KEYS[1], 1)
                while not string.match(redis.call('INFO', 'replication'), 'connected_slaves:0') do end
                return redis.call('INCR', KEYS[1])""", 1, "x"))
            until(lambda: c("PING") == BUSY, "the script is busy")
            equal(replica.client()("REPLICAOF", "NO", "ONE"), "OK")
            equal(runner.read(), 2)


@tap.case("scripts in an append-only file write, on a replica that refuses the writes of clients as well")
def _():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/appendonlydir")
        with open(f"{folder}/appendonlydir/appendonly.aof.manifest", "w") as f:
            f.write("file appendonly.aof.1.incr.aof seq 1 type i\n")
        plain, declared = "redis.call('INCR', KEYS[1]) redis.call('INCR', 'other')", "#!lua\nredis.call('INCR', KEYS[1])"
        with open(f"{folder}/appendonlydir/appendonly.aof.1.incr.aof", "wb") as f:
            f.write(Resp.encode("SELECT", 0) + Resp.encode("EVAL", plain, 1, "n") + Resp.encode("EVAL", declared, 1, "n"))
        with Ringwood(BINARY, "--appendonly", "yes", "--replicaof", "127.0.0.1 1", shards=2, directory=folder) as s:
            c = s.client()
            equal([c("GET", "n"), c("GET", "other")], [b"2", b"1"])
            equal(str(c("EVAL", plain, 1, "n"))[:8], "READONLY")


@per_shards("a script that lists the clients, where DEBUG lets it, sees those of other threads as they are by then", "--busy-reply-threshold", 20,
            "--enable-debug-command", "yes")
def lists_clients(server, _):
    others = [server.client() for _ in range(5)]
    others[0]("DEBUG", "SET-DISABLE-DENY-SCRIPTS", 1)
    script = """redis.call('SET', KEYS[1], 1) local n = 0
        repeat n = n + 1 until string.find(redis.call('CLIENT', 'LIST'), 'name=enough')
        redis.call('SET', KEYS[2], 2) return n"""
    runner, other = busy(server, "EVAL", script, 2, "a", "b")
    equal([str(o("GET", "a"))[:4] for o in others], ["BUSY"] * 5)
    equal(others[3]("HELLO", 2, "SETNAME", "enough")[1], b"redis")
    assert runner.read() > 1
    equal(other("MGET", "a", "b"), [b"1", b"2"])


@tap.case("redis.set_repl: replicas and the append-only file each have what is theirs")
def _():
    script = """
        redis.call('SET', KEYS[1], 1)
        redis.set_repl(redis.REPL_NONE) redis.call('SET', KEYS[2], 2)
        redis.set_repl(redis.REPL_AOF) redis.call('SET', KEYS[3], 3)
        redis.set_repl(redis.REPL_REPLICA) redis.call('SETEX', KEYS[4], 1000, 4)
        redis.set_repl(redis.REPL_ALL) redis.call('SET', KEYS[5], 5)"""
    for shards, log_format in ((1, "aof"), (2, "aof"), (2, "wal")):
        with Ringwood(BINARY, "--appendonly", "yes", "--persistence", log_format, shards=shards) as s, Ringwood(BINARY, shards=2) as r:
            c, replica = s.client(), r.client()
            replica("REPLICAOF", "127.0.0.1", s.port)
            until(lambda: b"master_link_status:up" in replica("INFO", "replication"), "the link", 30)
            c("EVAL", script, 5, *"abcde")
            c("EVAL", "redis.set_repl(redis.REPL_AOF) redis.call('SET', KEYS[1], 6)", 1, "f")
            equal(c("WAIT", 1, 20000), 1)
            equal(c("MGET", *"abcdef"), [b"1", b"2", b"3", b"4", b"5", b"6"])
            equal(replica("MGET", *"abcdef"), [b"1", None, None, b"4", b"5", None])
            equal(c("DEBUG", "LOADAOF"), "OK")
            equal(c("MGET", *"abcdef"), [b"1", None, b"3", None, b"5", b"6"])


if __name__ == "__main__":
    tap.run()
