#!/usr/bin/env python3
"""Streams of a real redis-server 7.0, with consumer groups, come to us by its dump.rdb and go back by ours; DEBUG DIGEST tells whether an entry changed,
XINFO STREAM ... FULL whether anything else did.

    stream_interop.py RINGWOOD-SERVER [ENTRIES]
At least 1,000,000 entries and 100 groups with consumers and pending entries. Redis 7.0 writes streams without the consumers' active-time (which its XINFO does
not have either): 7.2, and we, take seen-time for it then.
"""
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from servers import Redis, Ringwood, Tap, equal  # noqa: E402

BINARY = sys.argv[1]
ENTRIES = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
STREAMS, SHOWN = 25, 50
tap = Tap()

# Runs inside redis-server. ARGV: number of the stream, number of its entries.
FILL = r"""
local number, count = tonumber(ARGV[1]), tonumber(ARGV[2])
math.randomseed(number)
local key, name = KEYS[1], string.rep('x', 20)
local function bytes(n) local t = {} for i = 1, n do t[i] = string.char(math.random(0, 255)) end return table.concat(t) end
local ms, seq = 1600000000000, 0
for i = 1, count do
  if math.random(3) == 1 then seq = seq + math.random(1000) else ms, seq = ms + math.random(0, 300 * number), seq + 1 end
  local id = ms .. '-' .. seq
  local kind = (number + 4) % 5
  if kind < 3 then redis.call('XADD', key, id, 'sensor', i % 97, 'value', math.random(-100000, 100000))
  elseif kind == 3 then redis.call('XADD', key, id, 'f' .. i % 3, bytes(math.random(0, 90)), name, i * 1e6)
  else redis.call('XADD', key, id, 'only', name) end
  if i % 1000 == 7 then redis.call('XDEL', key, id) end
end
local function first_after(id) return redis.call('XRANGE', key, '(' .. id, '+', 'COUNT', 1)[1] end
local start = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1][1]
for g = 1, 4 do
  local group = 'group:' .. g
  redis.call('XGROUP', 'CREATE', key, group, g == 1 and '0' or start, 'ENTRIESREAD', g == 3 and 17 or -1)
  for c = 1, 3 * g do
    local consumer = c == 5 and bytes(9) or 'consumer:' .. c
    if c % 4 == 0 then redis.call('XGROUP', 'CREATECONSUMER', key, group, consumer)
    else
      local got = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', math.random(1, 400), 'STREAMS', key, '>')[1][2]
      for i = 1, #got, 3 do redis.call('XACK', key, group, got[i][1]) end
      if c % 3 == 0 and #got > 1 then redis.call('XCLAIM', key, group, 'consumer:1', 0, got[2][1], 'RETRYCOUNT', 1000 * c, 'TIME', 1500000000000 + c) end
    end
  end
  redis.call('XREADGROUP', 'GROUP', group, 'careless', 'COUNT', 10, 'NOACK', 'STREAMS', key, '>')
end
redis.call('XGROUP', 'SETID', key, 'group:4', '$')
if number % 7 == 3 then redis.call('XTRIM', key, 'MAXLEN', math.floor(count / 2)) end
if number % 7 == 4 then redis.call('XTRIM', key, 'MAXLEN', '~', math.floor(count / 3)) end
if number % 7 == 5 then redis.call('XSETID', key, '1999999999999-7', 'ENTRIESADDED', count * 2, 'MAXDELETEDID', '1600000000005-1') end
"""
SPECIAL = [
    ("XGROUP", "CREATE", "s:empty", "g", "$", "MKSTREAM"),
    ("XGROUP", "CREATECONSUMER", "s:empty", "g", ""),
    ("XADD", "s:ids", "0-1", "", ""), ("XADD", "s:ids", "18446744073709551615-18446744073709551614", "a", "b"),
    ("XADD", "s:ids", "18446744073709551615-18446744073709551615", "a", "b", "a", "c"),
    ("XADD", "s:long", "5-5", "field", "z" * 100000, *["f"] * 300), ("XADD", "s:long", "5-6", "field", "12345678901234567890"),
    ("XADD", "s:gone", "1-1", "a", "b"), ("XGROUP", "CREATE", "s:gone", "g", "0"), ("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s:gone", ">"),
    ("XDEL", "s:gone", "1-1"),
]
NAMES = [f"s:{i}" for i in range(1, STREAMS + 1)] + sorted({word for c in SPECIAL for word in c if word.startswith("s:")})


def fill(redis):
    c = redis.client()
    c("CONFIG", "SET", "lua-time-limit", "600000")
    sizes = [ENTRIES // 100] * (STREAMS - 1)
    for i, size in enumerate(sizes + [ENTRIES - sum(sizes) + ENTRIES // 10], 1):
        equal(c("EVAL", FILL, 1, f"s:{i}", i, size), None, f"stream {i}")
    for command in SPECIAL:
        reply = c(*command)
        assert not isinstance(reply, c.Error), (command, reply)
    return c


def without_active_time(reply, seen=None):
    """What XINFO says in Redis 7.0's form; active-time must be what Redis 7.2 makes of a file of 7.0."""
    if isinstance(reply, dict):
        if b"active-time" in reply:
            equal(reply[b"active-time"], reply[b"seen-time"], "active-time of a consumer")
        return {k: without_active_time(v) for k, v in reply.items() if k != b"active-time"}
    return [without_active_time(v) for v in reply] if isinstance(reply, list) else reply


def describe(server, as_it_is=False):
    c = server.client()
    c("HELLO", 3)
    full = [c("XINFO", "STREAM", name, "FULL", "COUNT", SHOWN) for name in NAMES]
    groups = [(name, g[b"name"], c("XPENDING", name, g[b"name"])) for name, f in zip(NAMES, full) for g in f[b"groups"]]
    digest = c("DEBUG", "DIGEST-VALUE", *NAMES[1:10]) if as_it_is else c("DEBUG", "DIGEST")  # the whole takes seconds
    result = full if as_it_is else without_active_time(full), groups, digest
    c.close()
    return result


def same(got, wanted, where):
    for name, a, b in zip(NAMES, got[0], wanted[0]):
        equal(a, b, f"XINFO STREAM {name} FULL {where}")
    equal(got[1], wanted[1], f"XPENDING {where}")
    equal(got[2], wanted[2], f"DEBUG DIGEST {where}")


def make_directory(rdb):
    d = tempfile.mkdtemp(prefix="ringwood-test-")
    shutil.copy(rdb, os.path.join(d, "dump.rdb"))
    return d


@tap.case("the data set is what it is meant to be")
def data():
    full, groups, _ = WANTED
    length = sum(f[b"length"] for f in full)
    assert length >= ENTRIES, length
    assert len(groups) >= 100, len(groups)
    pending = [summary[0] for name, _, summary in groups if name[2:].isdigit()]
    assert min(pending) > 0 and sum(pending) > 40000, pending


@tap.case("1 shard: Redis's streams load, and go back")
def one_shard():
    round_trip(1)


@tap.case("2 shards: Redis's streams load, and go back")
def two_shards():
    round_trip(2)


def round_trip(shards):
    with Ringwood(BINARY, shards=shards, directory=make_directory(SOURCE)) as ours:
        same(describe(ours), WANTED, "after loading Redis's file")
        equal(ours.client()("SAVE"), "OK")
        with Redis(directory=make_directory(os.path.join(ours.directory, "dump.rdb"))) as back:
            same(describe(back), WANTED, "in Redis after loading our file")
            shutil.rmtree(back.directory, ignore_errors=True)
    shutil.rmtree(ours.directory, ignore_errors=True)


@tap.case("RDB version 11, as Redis 7.2 writes it, keeps active-time")
def version_11():
    with Ringwood(BINARY, "--rdb-version", "11", shards=2, directory=make_directory(SOURCE)) as ours:
        c = ours.client()
        read = c("XREADGROUP", "GROUP", "group:2", "active", "COUNT", 5, "STREAMS", "s:1", ">")
        equal(len(read[0][1]), 5, "entries read")
        c("XGROUP", "CREATECONSUMER", "s:1", "group:2", "never active")
        equal(c("SAVE"), "OK")
        before = describe(ours, as_it_is=True)
        with Ringwood(BINARY, directory=make_directory(os.path.join(ours.directory, "dump.rdb"))) as again:
            same(describe(again, as_it_is=True), before, "after loading version 11")
        shutil.rmtree(again.directory, ignore_errors=True)
    shutil.rmtree(ours.directory, ignore_errors=True)


with Redis() as source:
    client = fill(source)
    WANTED = describe(source)
    equal(client("SAVE"), "OK")
    client.close()
    source.stop()
    SOURCE = os.path.join(source.directory, "dump.rdb")
    tap.run()
