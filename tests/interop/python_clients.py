#!/usr/bin/env python3
"""redis-py against our server: every family of data, transactions, blocking, publish and subscribe, on 1 and 2 shards. Debian's redis-py speaks RESP2 alone.

    python_clients.py RINGWOOD-SERVER
"""
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from servers import Ringwood, Tap, equal, until  # noqa: E402

try:
    import redis
except ImportError:
    redis = None

BINARY = sys.argv[1]
tap = Tap()


def family(f):
    """The test f(client, another) on an empty server with 1 and with 2 shards."""
    for shards in (1, 2):
        def run(shards=shards):
            if not redis:
                return "python3-redis is not installed"
            with Ringwood(BINARY, shards=shards) as server:
                clients = [redis.Redis(port=server.port, decode_responses=True) for _ in range(2)]
                f(*clients)
                for c in clients:
                    c.close()
        tap.case(f"redis-py: {f.__name__.replace('_', ' ')}, {shards} shards")(run)
    return f


def refused(error, f, *args):
    try:
        f(*args)
    except redis.RedisError as e:
        equal(str(e), error)
    else:
        raise AssertionError(f"not refused: {error}")


def waits(r, command):
    until(lambda: any(c["cmd"] == command for c in r.client_list()), f"somebody waits in {command}")


@family
def strings_and_bits(r, _):
    equal(r.set("a", 1, px=100000, nx=True), True)
    equal(r.set("a", 2, nx=True), None)
    equal(r.set("a", 5, get=True, keepttl=True), "1")
    equal(r.incrbyfloat("a", 0.25), 5.25)
    equal(r.getex("a", persist=True), "5.25")
    equal(r.ttl("a"), -1)
    equal(r.msetnx({"a": 1, "b": 2}), False)
    equal(r.setrange("text", 6, "there"), 11)
    equal(r.substr("text", 6, -1), "there")
    equal(r.setbit("bits", 9, 1), 0)
    equal(r.bitcount("bits"), 1)
    equal(r.bitpos("bits", 1), 9)
    equal(r.bitfield("bits").set("u8", 0, 255).incrby("u8", 0, 1, overflow="SAT").execute(), [0, 255])
    equal(r.bitop("XOR", "twice", "bits", "bits"), 2)
    refused("WRONGTYPE Operation against a key holding the wrong kind of value", r.lpush, "a", 1)
    refused("value is not an integer or out of range", r.incr, "text")


@family
def lists(r, _):
    equal(r.rpush("l", *range(300)), 300)
    equal(r.lrange("l", 0, -1), [str(i) for i in range(300)])
    equal(r.lmove("l", "m", "LEFT", "RIGHT"), "0")
    equal(r.lpos("l", "7", rank=1, count=0), [6])
    equal(r.lmpop(2, "none", "l", direction="LEFT", count=2), ["l", ["1", "2"]])
    equal(r.linsert("l", "before", "5", "x"), 299 - 2 + 1)
    equal(r.lrem("l", 0, "x"), 1)
    equal(r.ltrim("l", 0, 9), True)
    equal(r.lpop("l", 3), ["3", "4", "5"])


@family
def hashes(r, _):
    equal(r.hset("h", mapping={"f": 1, "g": "two"}), 2)
    equal(r.hgetall("h"), {"f": "1", "g": "two"})
    equal(r.hincrby("h", "f", 41), 42)
    equal(r.hincrbyfloat("h", "f", 0.5), 42.5)
    equal(r.hmget("h", "f", "none"), ["42.5", None])
    equal(sorted(r.hrandfield("h", 5)), ["f", "g"])
    r.hset("big", mapping={f"f{i}": i for i in range(1000)})
    equal(dict(r.hscan_iter("big")), {f"f{i}": str(i) for i in range(1000)})
    equal(r.execute_command("HEXPIRE", "h", 100, "FIELDS", 1, "f"), [1])
    equal(r.execute_command("HTTL", "h", "FIELDS", 2, "f", "g"), [100, -1])


@family
def sets_and_sorted_sets(r, _):
    r.sadd("s", 1, 2, 3)
    r.sadd("t", 2, 3, 4)
    equal(r.sinter("s", "t"), {"2", "3"})
    equal(r.sunionstore("u", "s", "t"), 4)
    equal(r.smismember("s", [1, 9]), [True, False])
    equal(r.sintercard(2, ["s", "t"], limit=1), 1)
    equal(r.zadd("z", {"one": 1, "two": 2.5, "top": float("inf")}), 3)
    equal(r.zrange("z", 0, -1, withscores=True), [("one", 1.0), ("two", 2.5), ("top", float("inf"))])
    equal(r.zadd("z", {"one": 3}, gt=True, ch=True), 1)
    equal(r.zrange("z", "(2", "+inf", byscore=True, offset=0, num=2), ["two", "one"])
    equal(r.zmscore("z", ["one", "none"]), [3.0, None])
    equal(r.zrevrank("z", "two"), 2)
    equal(r.zpopmin("z"), [("two", 2.5)])
    equal(r.zunion(["z", "none"], withscores=True), [("one", 3.0), ("top", float("inf"))])
    equal(r.zmpop(2, ["none", "z"], max=True), ["z", [["top", "inf"]]])


@family
def streams(r, other):
    equal(r.xadd("x", {"f": "v"}, id="1-1"), "1-1")
    equal(r.xadd("x", {"f": "w"}, id="1-2"), "1-2")
    equal(r.xrange("x"), [("1-1", {"f": "v"}), ("1-2", {"f": "w"})])
    equal(r.xgroup_create("x", "g", id="0"), True)
    equal(r.xreadgroup("g", "c", {"x": ">"}), [["x", [("1-1", {"f": "v"}), ("1-2", {"f": "w"})]]])
    equal(r.xack("x", "g", "1-1"), 1)
    equal(r.xpending("x", "g")["pending"], 1)
    equal(r.xclaim("x", "g", "d", 0, ["1-2"]), [("1-2", {"f": "w"})])
    equal([e[0] for e in r.xautoclaim("x", "g", "e", 0)[1]], ["1-2"])
    equal(r.xinfo_stream("x")["length"], 2)
    equal(r.xinfo_groups("x")[0]["pending"], 1)
    got = []
    reader = threading.Thread(target=lambda: got.append(other.xread({"x": "$"}, block=20000)))
    reader.start()
    waits(r, "xread")
    r.xadd("x", {"f": "late"}, id="2-1")
    reader.join()
    equal(got, [[["x", [("2-1", {"f": "late"})]]]])


@family
def hyperloglog_geo_and_sort(r, _):
    equal(r.pfadd("p", *range(100)), 1)
    equal(abs(r.pfcount("p") - 100) < 5, True)
    r.geoadd("places", (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania"))
    equal(r.geodist("places", "Palermo", "Catania", "km"), 166.2742)
    equal(r.geosearch("places", longitude=15, latitude=37, radius=200, unit="km", sort="ASC", withdist=True), [["Catania", 56.4413], ["Palermo", 190.4424]])
    r.mset({f"k{i}": i * i for i in range(5)})
    r.rpush("ids", 3, 1, 2)
    equal(r.sort("ids", by="k*", get=["#", "k*"], desc=True, groups=True), [("3", "9"), ("2", "4"), ("1", "1")])
    equal(r.sort("ids", store="sorted"), 3)
    equal(r.restore("again", 0, redis.Redis(port=r.connection_pool.connection_kwargs["port"]).dump("sorted")), "OK")
    equal(r.lrange("again", 0, -1), ["1", "2", "3"])


@family
def transactions(r, other):
    with r.pipeline() as p:
        equal(p.set("a", 1).incr("a").get("b").execute(), [True, 2, None])
        p.watch("a", "b", "c")
        other.set("b", "touched")
        p.multi()
        p.set("a", "never")
        try:
            p.execute()
            raise AssertionError("no WatchError")
        except redis.WatchError:
            pass
    equal(r.transaction(lambda p: (p.multi(), p.incr("a")), "a"), [3])
    equal(r.pipeline().set("s", "x").lpush("s", 1).execute(raise_on_error=False)[1].args[0],
          "WRONGTYPE Operation against a key holding the wrong kind of value")


@family
def blocking(r, other):
    got = []
    for command, call, push in (("blpop", lambda: other.blpop(["q1", "q2"], 20), lambda: r.rpush("q2", "task")),
                                ("blmove", lambda: other.blmove("from", "to", 20), lambda: r.rpush("from", "x")),
                                ("bzpopmin", lambda: other.bzpopmin("z", 20), lambda: r.zadd("z", {"m": 1}))):
        waiter = threading.Thread(target=lambda call=call: got.append(call()))
        waiter.start()
        waits(r, command)
        push()
        waiter.join()
    equal(got, [("q2", "task"), "x", ("z", "m", 1.0)])
    equal(other.blpop("q1", 0.02), None)


@family
def publish_and_subscribe(r, other):
    p = other.pubsub()
    p.subscribe("news")
    p.psubscribe("n?ws")
    for _ in range(2):
        equal(p.get_message(timeout=20)["type"] in ("subscribe", "psubscribe"), True)
    equal(r.publish("news", "hello"), 2)
    equal([p.get_message(timeout=20)["data"] for _ in range(2)], ["hello", "hello"])
    equal(r.pubsub_numsub("news", "none"), [("news", 1), ("none", 0)])
    r.config_set("notify-keyspace-events", "KEA")
    p.psubscribe("__keyevent@0__:*")
    equal(p.get_message(timeout=20)["type"], "psubscribe")
    r.set("k", 1)
    messages = [p.get_message(timeout=20) for _ in range(1)]
    equal([(m["channel"], m["data"]) for m in messages], [("__keyevent@0__:set", "k")])
    p.close()


tap.run()
