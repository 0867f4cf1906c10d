#!/usr/bin/env python3
"""The Lua debugger over sockets: what a session does to others, and others to it. (What it says is compared with Redis's in tests/interop/debugger.py.)

    debugger.py SERVER
"""
import signal
import socket
import struct
import sys
import time

from servers import Resp, Ringwood, Tap, equal, until

BINARY = sys.argv[1]
tap = Tap()
BUSY = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
WRITE = "redis.call('SET', KEYS[1], 'new')\nlocal a = 1\nredis.call('RPUSH', 'list', 'x')\nreturn 'done'"
KEYS = [f"key:{i}" for i in range(16)]  # on every shard


def per_shards(title, *options):
    def add(test):
        def run(server):
            test(server)
            if server.process.poll() is None:
                equal(server.stop(), 0)  # a sanitizer that has found something says so by its status
        tap.per_shards(title, lambda shards: Ringwood(BINARY, *options, shards=shards))(run)
        return test
    return add


def debug(server, mode, script, *keys, resp=2):
    """A client whose script has stopped before it does anything."""
    c = server.client()
    c("HELLO", resp)
    equal(c("SCRIPT", "DEBUG", mode), "OK")
    equal(c("EVAL", script, len(keys), *keys)[0].startswith("* Stopped at "), True)
    return c


def ended(c):
    try:
        c.read()
    except (ConnectionError, OSError):
        return True
    return False


def finish(c, word="c"):
    """Goes on to the end; answers the script's reply."""
    equal(c(word)[-1], "<endsession>")
    reply = c.read()
    equal(ended(c), True, "the connection ends with the session")
    return reply


@per_shards("SYNC keeps what the script does, YES leaves no trace, for every key and in both protocols")
def modes(server):
    c = server.client()
    for resp in (2, 3):
        for key in KEYS:
            c("FLUSHALL")
            c("SET", key, "old")
            equal(finish(debug(server, "YES", WRITE, key, resp=resp)), b"done")
            equal((c("GET", key), c("EXISTS", "list")), (b"old", 0))
            equal(finish(debug(server, "SYNC", WRITE, key, resp=resp)), b"done")
            equal((c("GET", key), c("LLEN", "list")), (b"new", 1))
    # NO ends it for a connection that has not begun.
    equal((c("SCRIPT", "DEBUG", "YES"), c("SCRIPT", "DEBUG", "NO"), c("EVAL", "return 1", 0), c("PING")), ("OK", "OK", 1, "PONG"))


@per_shards("nobody is told of what is rolled back", "--appendonly", "yes", "--appendfsync", "no", "--notify-keyspace-events", "KEA")
def no_trace(server):
    c, listener, waiter, watcher, keeper = (server.client() for _ in range(5))
    c("MSET", *[w for k in KEYS for w in (k, "old")])
    c("PEXPIRE", KEYS[1], 10**9)
    c("XADD", "stream", "1-1", "f", "v")
    c("XGROUP", "CREATE", "stream", "g", "0")
    c("RPUSH", "big", *range(5000))
    listener("PSUBSCRIBE", "*")
    waiter.send(Resp.encode("BLPOP", "list", 0))
    watcher("WATCH", *KEYS)
    keeper("HELLO", 3)
    keeper("CLIENT", "TRACKING", "on")
    keeper("MGET", *KEYS)
    until(lambda: "blocked_clients:1" in c("INFO", "clients").decode(), "BLPOP waits")

    def figures():
        info = dict(line.split(":", 1) for line in c("INFO", "everything").decode().splitlines() if ":" in line)
        return info["rdb_changes_since_last_save"], info["master_repl_offset"], c("DEBUG", "DIGEST"), c("DBSIZE"), c("PTTL", KEYS[1]) > 0
    before = figures()
    script = """
    for i = 0, 15 do redis.call('SET', 'key:' .. i, 'new') end
    redis.call('DEL', 'key:0') redis.call('PERSIST', 'key:1') redis.call('RENAME', 'key:2', 'elsewhere')
    redis.call('RPUSH', 'list', 'x') redis.call('LTRIM', 'big', 0, 1) redis.call('XREADGROUP', 'GROUP', 'g', 'me', 'STREAMS', 'stream', '>')
    redis.call('XADD', 'stream', '2-1', 'f', 'v') redis.call('COPY', 'big', 'copy', 'DB', 3) redis.call('MOVE', 'big', 4)
    redis.call('SORT', 'list', 'ALPHA', 'STORE', 'sorted')
    redis.call('SELECT', 5) redis.call('HSET', 'h', 'f', 'v') redis.call('SELECT', 0)
    local told = redis.call('PUBLISH', 'news', 'x')
    local refused = {}
    for _, c in ipairs({{'FLUSHALL'}, {'FLUSHDB'}, {'SWAPDB', 0, 1}, {'SLOWLOG', 'RESET'}}) do
      local e = redis.pcall(unpack(c))
      refused[#refused + 1] = e.err and string.find(e.err, 'cannot be rolled back') and c[1]
    end
    return {told, redis.call('GET', 'key:5'), redis.call('LLEN', 'list'), unpack(refused)}"""
    equal(finish(debug(server, "YES", script)), [1, b"new", 1, b"FLUSHALL", b"FLUSHDB", b"SWAPDB", b"SLOWLOG"])
    equal(figures(), before)
    equal(watcher.pipeline([("MULTI",), ("GET", KEYS[5]), ("EXEC",)])[-1], [b"old"], "nothing that it watches has changed")
    # What is told next is the first that they hear.
    c("SET", "after", 1)
    equal([listener.read() for _ in range(2)], [[b"pmessage", b"*", b"__keyspace@0__:after", b"set"], [b"pmessage", b"*", b"__keyevent@0__:set", b"after"]])
    c("RPUSH", "list", "real")
    equal(waiter.read(), [b"list", b"real"])
    c("SET", KEYS[5], "x")
    equal(keeper.read(), [b"invalidate", [KEYS[5].encode()]])


@per_shards("others wait, are told BUSY after busy-reply-threshold, and may end the session", "--busy-reply-threshold", "300")
def busy(server):
    others = [server.client() for _ in range(4)]  # on every thread
    for mode, key in (("SYNC", "a"), ("YES", "b")):
        c = debug(server, mode, WRITE, key)
        for o in others:
            o.send(Resp.encode("SET", "other", "1"))
        equal([o.read() for o in others], [BUSY] * 4)
        equal(c("p"), ["No local variables in the current context."])
        equal(c("s")[-1], "-> 2   local a = 1")
        # What has written is not killed, unless that is rolled back.
        killed = others[0]("SCRIPT", "KILL")
        if mode == "SYNC":
            equal(killed.split()[0], "UNKILLABLE")
            equal(finish(c), b"done")
        else:
            equal(killed, "OK")
            equal(c.read(), ["<endsession>"])
            equal(c.read().startswith("ERR Script killed by user with SCRIPT KILL"), True)
        equal([o("SET", "other", "1") for o in others], ["OK"] * 4)
    equal((others[0]("GET", "a"), others[0]("EXISTS", "b")), (b"new", 0))
    # A loop stops by itself, and code of the debugger's can be ended as well.
    c = debug(server, "SYNC", "local i = 0\nwhile true do i = i + 1 end")
    equal("timeout reached, infinite loop?" in c("c")[0], True)
    c.send(Resp.encode("eval", "while true do end"))
    until(lambda: others[1]("SCRIPT", "KILL") == "OK", "the loop is killed")
    while True:
        if "<endsession>" in c.read():
            break
    equal(others[2]("PING"), "PONG")


@per_shards("a session ends with its client: SYNC runs on to the end, YES is given up", "--busy-reply-threshold", "300")
def gone(server):
    o = server.client()
    for reset in (False, True):
        o("FLUSHALL")
        for mode in ("SYNC", "YES"):
            c = debug(server, mode, WRITE, mode)
            if reset:
                c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            c.close()
        until(lambda: o("EXISTS", "SYNC", "YES") == 1, "both have ended")
        equal((o("GET", "SYNC"), o("LLEN", "list")), (b"new", 1))
    # An endless loop is not left to itself.
    c = debug(server, "SYNC", "local a\nwhile true do a = 1 end")
    c("s")
    c.send(Resp.encode("c"))
    c.close()
    until(lambda: o("PING") == "PONG", "the loop has ended")
    # A client that does not say anything for so long is gone as well.
    o("CONFIG", "SET", "timeout", "1", "busy-reply-threshold", "0")
    c = debug(server, "YES", WRITE, "x")
    equal(server.client()("EXISTS", "x"), 0)  # the other one may have been closed as well meanwhile
    equal(c.read(), ["<endsession>"])
    equal(c.read().startswith("ERR the debugger's client has gone"), True)


@per_shards("SIGTERM ends a session and the server")
def terminated(server):
    c = debug(server, "SYNC", WRITE, "k")
    equal(server.stop(signal.SIGTERM), 0)
    equal(c.read(), ["<endsession>"])


@per_shards("where no session may begin")
def refused(server):
    c = server.client()
    equal(c.pipeline([("PING",), ("SCRIPT", "DEBUG", "YES")])[1], "ERR SCRIPT DEBUG must be called outside a pipeline")
    equal(c.pipeline([("MULTI",), ("EVAL", "return 1", 0), ("EXEC",)])[-1], [1])
    equal(c("SCRIPT", "DEBUG", "maybe"), "ERR Use SCRIPT DEBUG YES/SYNC/NO")
    c("SCRIPT", "DEBUG", "SYNC")
    equal(c("EVALSHA", "0" * 40, 0), "ERR Please use EVAL instead of EVALSHA for debugging")
    equal(c.pipeline([("MULTI",), ("EVAL", "return 1", 0), ("EXEC",)])[-1], ["ERR A script cannot be debugged inside a transaction"])
    c("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
    equal(c("FCALL", "f", 0), 1, "functions have no debugger")
    # Without a session these do nothing.
    other = server.client()
    equal(other("EVAL", "redis.debug('x') return {tostring(redis.breakpoint())}", 0), [b"false"])


@per_shards("commands of the debugger may come in pieces, or several at once")
def pieces(server):
    c = debug(server, "SYNC", "local a = 1\nlocal b = 2\nreturn a + b")
    for byte in Resp.encode("print", "a"):
        c.send(bytes([byte]))
        time.sleep(0.001)
    equal(c.read(), ["No such variable."])
    c.send(Resp.encode("s") + Resp.encode("p", "a") + Resp.encode("s") + Resp.encode("p"))
    equal([c.read() for _ in range(4)], [["* Stopped at 2, stop reason = step over", "-> 2   local b = 2"], ["<value> 1"], ["* Stopped at 3, stop reason = step over", "-> 3   return a + b"],
                                         ["<value> a = 1", "<value> b = 2"]])
    equal(finish(c), 3)
    # More than the socket takes at once.
    c = debug(server, "SYNC", "local a = string.rep('x', 20000000)\nreturn #a")
    equal(c("s")[1], "-> 2   return #a")
    c("maxlen", "0")
    equal(len(c("p", "a")[0]), 20000000 + len('<value> ""'))
    equal(finish(c), 20000000)


tap.run()
