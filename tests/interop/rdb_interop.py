#!/usr/bin/env python3
"""A data set of a real redis-server 7.0 comes to us by its dump.rdb and goes back by ours; DEBUG DIGEST tells whether anything changed.

    rdb_interop.py RINGWOOD-SERVER [KEYS]
At least 1,000,000 keys: all five types in small and large encodings, integers, binary keys, expiry, three databases.
"""
import os
import select
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from servers import Redis, Ringwood, Tap, equal, until  # noqa: E402

BINARY = sys.argv[1]
KEYS = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
tap = Tap()

# Runs inside redis-server: makes the data much faster than a client could. ARGV: first number, last number.
FILL = r"""
math.randomseed(tonumber(ARGV[1]))
local function bytes(n) local t = {} for i = 1, n do t[i] = string.char(math.random(0, 255)) end return table.concat(t) end
local function word(n) return string.rep(string.char(97 + math.random(0, 25)), n) end
for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  local kind = i % 20
  local key = 'key:' .. i
  if kind < 6 then redis.call('SET', key, 'value-' .. i)
  elseif kind < 8 then redis.call('SET', key, i * 7919 - 50000000)
  elseif kind == 8 then key = bytes(12) .. i redis.call('SET', key, bytes(math.random(0, 80)))
  elseif kind == 9 then redis.call('SET', key, string.rep('abcdefgh', math.random(10, 60)))
  elseif kind < 12 then for j = 1, math.random(1, 6) do redis.call('RPUSH', key, j % 2 == 0 and j * i or word(j)) end
  elseif kind < 14 then for j = 1, math.random(1, 6) do redis.call('HSET', key, 'f' .. j, j % 2 == 0 and j * i or word(j * 5)) end
  elseif kind == 14 then for j = 1, math.random(1, 6) do redis.call('SADD', key, j * i) end
  elseif kind == 15 then for j = 1, math.random(1, 6) do redis.call('SADD', key, word(j) .. j) end
  elseif kind < 18 then for j = 1, math.random(1, 6) do redis.call('ZADD', key, j % 3 == 0 and j or math.random() * 1e6 - 5e5, 'm' .. j) end
  else redis.call('SET', key, word(math.random(1, 60))) end
  if i % 7 == 0 then redis.call('PEXPIREAT', key, 4000000000000 + i) end
end
"""
LARGE = r"""
local n = tonumber(ARGV[1])
for j = 1, n do
  redis.call('RPUSH', 'large:list', 'element-' .. j)
  redis.call('SADD', 'large:set', 'member-' .. j)
  redis.call('SADD', 'large:intset', j * 3)
  redis.call('HSET', 'large:hash', 'field-' .. j, 'value-' .. j)
  redis.call('ZADD', 'large:zset', j * 0.1, 'member-' .. j)
end
redis.call('SADD', 'medium:intset', 1, 70000, 5000000000)
redis.call('ZADD', 'special:zset', '-inf', 'low', '+inf', 'high', '1e300', 'big', '0.1', 'tenth', '-0.0', 'zero')
redis.call('SET', 'huge:string', string.rep('0123456789abcdef', 65536))
redis.call('RPUSH', 'huge:list', string.rep('x', 300000), 'small', string.rep('y', 9000))
redis.call('SET', '', 'the empty key')
redis.call('SET', 'empty:value', '')
"""


def fill(redis):
    c = redis.client()
    c("CONFIG", "SET", "lua-time-limit", "600000")
    for database, share in ((0, 0.8), (3, 0.15), (15, 0.05)):
        equal(c("SELECT", database), "OK")
        count, step = int(KEYS * share) + 1, 20000
        for first in range(1, count + 1, step):
            equal(c("EVAL", FILL, 0, first, min(first + step - 1, count)), None, "fill")
        equal(c("EVAL", LARGE, 0, 3000 if database else 100000), None, "large values")
    return c


def keyspace(c):
    return [c("DBSIZE") for d in (0, 3, 15) if c("SELECT", d) == "OK"]


def round_trip(shards):
    """Redis's file -> ours -> our file -> a Redis."""
    with Ringwood(BINARY, shards=shards, directory=make_directory(SOURCE)) as ours:
        c = ours.client()
        equal(keyspace(c), SIZES, "keys after loading Redis's file")
        equal(c("DEBUG", "DIGEST"), DIGEST, "digest after loading Redis's file")
        equal(c("SAVE"), "OK")
        saved = ours.directory
        with Redis(directory=make_directory(os.path.join(saved, "dump.rdb"))) as back:
            b = back.client()
            equal(keyspace(b), SIZES, "keys in Redis after loading our file")
            equal(b("DEBUG", "DIGEST"), DIGEST, "digest in Redis after loading our file")
            shutil.rmtree(back.directory, ignore_errors=True)
        equal(c("BGSAVE"), "Background saving started")
        equal(c("DEBUG", "DIGEST"), DIGEST, "digest after BGSAVE")
        if KEYS >= 1_000_000:
            until(lambda: b"rdb_bgsave_in_progress:0" in c("INFO", "persistence"), "the save is done", 60)
            told_meanwhile(ours, c)
    shutil.rmtree(saved, ignore_errors=True)


def told_meanwhile(ours, c):
    """While a data set is loaded and that takes more than half a second, other clients are told so."""
    equal(c("CONFIG", "SET", "key-load-delay", "-50"), "OK")
    c.send(c.encode("DEBUG", "RELOAD"))
    other, answers = ours.client(), set()
    while not select.select([c.socket], [], [], 0.005)[0]:
        answers.add(str(other("GET", "key:1")))
    equal(c.read(), "OK", "DEBUG RELOAD")
    equal("LOADING Redis is loading the dataset in memory" in answers, True, f"a client was told LOADING meanwhile ({answers})")
    equal(c("CONFIG", "SET", "key-load-delay", "0"), "OK")
    equal(c("DEBUG", "DIGEST"), DIGEST, "digest after DEBUG RELOAD")


def make_directory(rdb):
    import tempfile
    d = tempfile.mkdtemp(prefix="ringwood-test-")
    shutil.copy(rdb, os.path.join(d, "dump.rdb"))
    return d


@tap.case("1 shard: Redis's file loads, serves, and goes back")
def one_shard():
    round_trip(1)


@tap.case("2 shards: Redis's file loads, serves, and goes back")
def two_shards():
    round_trip(2)


@tap.case("a damaged file is refused with offset and reason, exit status 1, and left as it was")
def damaged():
    directory = make_directory(SOURCE)
    path = os.path.join(directory, "dump.rdb")
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) // 2)
        f.write(b"\xff" * 64)
    before = open(path, "rb").read()
    server = Ringwood(BINARY, directory=directory)
    try:
        server.start()
        raise AssertionError("the server came up on a damaged file")
    except RuntimeError as e:
        if "offset" not in str(e) or "exited with 1" not in str(e):
            raise
    finally:
        server.stop()
    equal(open(path, "rb").read() == before, True, "the file is unchanged")
    shutil.rmtree(directory, ignore_errors=True)


with Redis() as source:
    client = fill(source)
    SIZES = keyspace(client)
    assert sum(SIZES) >= KEYS, SIZES
    DIGEST = client("DEBUG", "DIGEST")
    equal(client("SAVE"), "OK")
    client.close()
    source.stop()
    SOURCE = os.path.join(source.directory, "dump.rdb")
    tap.run()
