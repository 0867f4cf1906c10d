#!/usr/bin/env python3
"""The Lua debugger beside Redis's own: the same sessions, byte for byte, with several numbers of shards; and redis-cli --ldb against ours.

    debugger.py RINGWOOD-SERVER
Sessions are SCRIPT DEBUG SYNC and YES; what they leave behind must be the same as well.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from servers import Redis, Resp, Ringwood, Tap, equal  # noqa: E402

BINARY = sys.argv[1]
tap = Tap()

WALK = """local t = {1, 'two', {a = 3}}
redis.call('SET', KEYS[1], ARGV[1])
local v = redis.call('GET', KEYS[1])
redis.debug('v is', v, t, nil, true)
for i = 1, 3 do
  redis.call('RPUSH', 'list', i)
end
return v
"""
LOOP = """local function add(a, b)
  local c = a + b
  return c
end
local sum = 0
for i = 1, 10 do
  sum = add(sum, i)
end
redis.breakpoint()
sum = sum * 2
return sum"""
ERRORS = """redis.call('SET', 's', 'text')
local ok = redis.pcall('INCR', 's')
local no = redis.pcall('NOSUCH', 'x')
local one = redis.pcall('GET')
local none = redis.pcall()
local e = redis.error_reply('MY own')
redis.call('INCR', 's')
return 1"""
TYPES = """redis.setresp(3)
redis.call('HSET', 'h', 'f', 'v')
redis.call('SADD', 'set', 'm')
redis.call('ZADD', 'z', 1.5, 'm')
local h = redis.call('HGETALL', 'h')
local s = redis.call('SMEMBERS', 'set')
local z = redis.call('ZSCORE', 'z', 'm')
local zz = redis.call('ZRANGE', 'z', 0, -1, 'WITHSCORES')
local n = redis.call('GET', 'missing')
local i = redis.call('LRANGE', 'missing', 0, -1)
return {h, s, z, n}"""
DEEP = """local t = {}
local d = t
for i = 1, 15 do d.n = {} d = d.n end
local list = {1, {2, {3}}, {}, {x = {}}}
local holes = {1, nil, 3}
local odd = {[true] = 1}
local bytes = 'a\\0b\\r\\n"\\\\\\200'
local big = string.rep('x', 1000)
local n, f = 1 / 3, 1e300
return 0"""

# Name, script, keys, arguments, what the client says. After the last word the session is left to itself, or ended by closing.
SESSIONS = [
    ("one line", "return 'hello'", [], [], ["help", "s"]),
    ("steps with commands and replies", WALK, ["k"], ["value"], ["s"] * 12),
    ("nothing is shown without steps", WALK, ["k"], ["value"], ["c"]),
    ("lists", WALK, ["k"], ["v"], ["list", "l 3", "list 3 1", "list 0 2", "list -1", "list x", "l 3 -1", "l 100", "w", "whole", "s", "l", "c"]),
    ("breakpoints", LOOP, [], [], ["break", "b 7", "b 7 2", "b 99", "b -99", "b x", "b", "c", "p", "p sum", "c", "b -2", "b -2", "c", "w", "b 0", "b", "c", "p sum", "print nothing", "c"]),
    ("too many breakpoints", "\n" * 70 + "return 1", [], [], ["b " + " ".join(str(i) for i in range(1, 68)), "c"]),
    ("a trace", LOOP, [], [], ["b 2", "c", "trace", "t", "p", "p a", "p sum", "p i", "s", "s", "b 0", "c", "trace", "c"]),
    ("abort", WALK, ["k"], ["v"], ["s", "s", "s", "abort"]),
    ("errors", ERRORS, [], [], ["s"] * 9),
    ("an error of Lua's", "local a = 1\nlocal b = a + nil\nreturn b", [], [], ["s", "s", "s"]),
    ("what cannot be compiled", "return (", [], [], []),
    ("types of RESP3", TYPES, [], [], ["s"] * 11 + ["p"]),
    ("deep and odd values", DEEP, [], [], ["b 10", "c", "p t", "p list", "p holes", "p odd", "p bytes", "p big", "p big", "maxlen", "maxlen 10", "p big", "maxlen 0", "maxlen -5", "p big", "m x", "p n", "p f", "p",
                                           "maxlen 1 2", "c"]),
    ("KEYS and ARGV", "local x = 1\nreturn x", ["a", "b"], ["c\r\nd"], ["p KEYS", "p ARGV", "print x", "p", "p print", "s", "p x", "p", "s"]),
    ("eval", LOOP, [], [], ["e 1+1", "eval return 2", "e {1,2,3}", "e local z = 3 return z * 2", "e error('no')", "e )", "e KEYS", "e redis.call('SET','e','1')", "e redis.call('GET','e')", "e nosuch",
                            "eval", "e redis.sha1hex('')", "e x = 1", "c", "c"]),
    ("redis", LOOP, [], [], ["redis SET r 1", "r GET r", "r INCR r", "r LPUSH r x", "r NOSUCH", "redis", "r GET", "r RPUSH many 1 2 3 4 5 6 7 8 9 10", "r LRANGE many 0 -1", "r GET missing", "r PING", "r EVAL x 0",
                             "r DBSIZE", "r HGETALL nothing", "r RPUSH many 1 2 3 4 5 6 7", "r RPUSH many 1 2 3 4 5 6 7 8", "c", "c"]),
    ("unknown commands", "return 1", [], [], ["nosuch", "hello\0world", "\0", "S", "x"]),
    ("words in any case", "local a = 1\nreturn a", [], [], ["PRINT", "LIST", "Step", "P a", "CONTINUE"]),
    ("an array that is none", "return 1", [], [], [b"*0\r\n"]),
    ("an empty word", "return 1", [], [], [b"*2\r\n$5\r\nprint\r\n$0\r\n\r\n"]),
    ("a word too long", "return 1", [], [], [b"*1\r\n$1025\r\n" + b"x" * 1025 + b"\r\n"]),
    ("a line that is no array", "return 1", [], [], [b"hello\r\n"]),
    ("protected calls", "local ok, e = pcall(function()\n  return redis.call('NOSUCH')\nend)\nreturn {tostring(ok)}", [], [], ["s"] * 5),
    ("coroutines", "local co = coroutine.wrap(function()\n  coroutine.yield(1)\n  return 2\nend)\nlocal a = co()\nlocal b = co()\nreturn a + b", [], [], ["s"] * 8),
    ("empty script", "", [], [], ["w"]),
    ("an error in the number of keys", "return 1", None, [], []),
    ("blank lines at both ends", "\n\nreturn 1\n\n\r\n", [], [], ["w", "s"]),
    ("a script with flags", "#!lua flags=no-writes\nlocal a = redis.call('GET', 'a')\nreturn redis.call('SET', 'a', 1)", [], [], ["w", "s", "s", "s"]),
]


def words_of(said):
    return said if isinstance(said, bytes) else Resp.encode(*said.split(" "))


def reply_bytes(client):
    """The next reply as it stands on the wire; nothing where the connection has been closed."""
    try:
        line = client.file.readline()
    except ConnectionResetError:  # with bytes that it had not read
        line = b""
    whole = line
    if line[:1] in b"*~%>" and line:
        for _ in range(int(line[1:-2]) * (2 if line[:1] == b"%" else 1)):
            whole += reply_bytes(client)
    elif line[:1] == b"$" and int(line[1:-2]) >= 0:
        whole += client.file.read(int(line[1:-2]) + 2)
    return whole


def same_form(reply):
    """Addresses differ, and with them nothing else."""
    return re.sub(rb"@0x[0-9a-f]+", b"@address", reply)


def session(server, protocol, mode, script, keys, arguments, said):
    """All that the client reads, with what it has said in between, and the keys that are there afterwards."""
    server.client()("FLUSHALL")
    c = server.client(20)
    c("HELLO", protocol)
    equal(c("SCRIPT", "DEBUG", mode), "OK")
    c.send(Resp.encode("EVAL", script, "x" if keys is None else len(keys), *(keys or []), *arguments))
    read = [reply_bytes(c)]
    for words in said:
        if b"<endsession>" in read[-1] or not read[-1]:
            break
        c.send(words_of(words))
        read.append(words)
        read.append(reply_bytes(c))
    if b"<endsession>" in read[-1]:
        read.append(reply_bytes(c))
        read.append(reply_bytes(c))  # the connection ends
    c.close()
    left = server.client()
    keys_left = sorted(left("KEYS", "*"))
    return [same_form(r) if isinstance(r, bytes) else r for r in read], [(k, left("TYPE", k)) for k in keys_left]


for protocol in (2, 3):
    for shards in (1, 2, 4):
        @tap.case(f"sessions are those of Redis, RESP{protocol}, {shards} shards")
        def sessions(protocol=protocol, shards=shards):
            with Redis() as redis, Ringwood(BINARY, shards=shards) as ours:
                for name, *what in SESSIONS:
                    for mode in ("SYNC", "YES"):
                        wanted, got = (session(s, protocol, mode, *what) for s in (redis, ours))
                        for w, g in zip(wanted[0], got[0]):
                            equal(g, w, f"{name} {mode}")
                        equal(got, wanted, f"{name} {mode}")
                equal(ours.stop(), 0)


def ldb(server, option, script, arguments, said):
    folder = tempfile.mkdtemp()
    try:
        path = os.path.join(folder, "script.lua")
        with open(path, "w") as f:
            f.write(script)
        done = subprocess.run(["redis-cli", "-p", str(server.port), option, "--eval", path, *arguments], input=said, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr
    finally:
        shutil.rmtree(folder)


@tap.case("redis-cli --ldb shows what it shows of Redis")
def cli():
    if not shutil.which("redis-cli"):
        return "no redis-cli"
    with Redis() as redis, Ringwood(BINARY, shards=2) as ours:
        for option in ("--ldb", "--ldb-sync-mode"):
            for script, arguments, said in ((WALK, ["k", ",", "v"], "s\np t\nb 8\nc\nredis get k\nc\nget k\n"), ("return (", [], ""), (LOOP, [], "c\np sum\nabort\n")):
                shown = [ldb(s, option, script, arguments, said) for s in (redis, ours)]
                equal(*[(code, out.replace(str(s.port), "PORT"), err) for s, (code, out, err) in zip((ours, redis), reversed(shown))])
                equal("Lua debugging session" in shown[1][1], True, shown[1])
        equal(ours.stop(), 0)


tap.run()
