#!/usr/bin/env python3
"""Programs that nobody here wrote, against our server: redis-benchmark's whole default set, redis-cli, redis-py in RESP2, on 1 and 2 shards.

    clients.py RINGWOOD-SERVER
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from servers import Ringwood, Tap, equal  # noqa: E402

BINARY = sys.argv[1]
tap = Tap()
BENCHMARK = "ping_inline,ping_mbulk,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange_100,lrange_300,lrange_500,lrange_600,mset"


def need(program):
    return None if shutil.which(program) else f"{program} is not installed"


def cli(server, *words, text=None):
    run = subprocess.run(["redis-cli", "-p", str(server.port), *words], input=text, capture_output=True, text=True, timeout=60)
    return run.stdout.strip()


for shards in (1, 2):
    @tap.case(f"redis-benchmark, the default set, {shards} shards")
    def benchmark(shards=shards):
        if reason := need("redis-benchmark"):
            return reason
        with Ringwood(BINARY, shards=shards) as s:
            for pipeline in ("1", "16"):
                run = subprocess.run(["redis-benchmark", "-p", str(s.port), "-n", "4000", "-r", "1000", "-P", pipeline, "-q", "-t", BENCHMARK],
                                     capture_output=True, text=True, timeout=300)
                equal(run.returncode, 0, run.stdout + run.stderr)
                equal("rror" in run.stdout + run.stderr, False, run.stdout + run.stderr)
                equal(run.stdout.count("requests per second"), len(BENCHMARK.split(",")) + 1, run.stdout)  # and the LPUSH that fills for LRANGE

    @tap.case(f"redis-cli: commands, --pipe, --scan, --bigkeys, {shards} shards")
    def command_line(shards=shards):
        if reason := need("redis-cli"):
            return reason
        with Ringwood(BINARY, shards=shards) as s:
            equal(cli(s, "set", "greeting", "hello"), "OK")
            equal(cli(s, "get", "greeting"), "hello")
            equal(cli(s, "-3", "hello", "3").splitlines()[0].split()[0], "server")
            piped = "".join(f"SET key:{i} {i}\r\n" for i in range(1000))
            equal("errors: 0, replies: 1000" in cli(s, "--pipe", text=piped), True, "--pipe")
            equal(len(cli(s, "--scan", "--pattern", "key:*").splitlines()), 1000, "--scan")
            equal("Biggest string found" in cli(s, "--bigkeys"), True, "--bigkeys")
            equal(cli(s, "dbsize"), "1001")

    @tap.case(f"redis-py, {shards} shards")
    def python(shards=shards):
        try:
            import redis
        except ImportError:
            return "python3-redis is not installed"
        with Ringwood(BINARY, shards=shards) as s:
            r = redis.Redis(port=s.port, decode_responses=True)
            equal(r.set("a", 1, ex=100), True)
            equal(r.ttl("a") in (99, 100), True)
            equal(r.mset({f"m{i}": i for i in range(50)}), True)
            equal(r.mget([f"m{i}" for i in range(50)]), [str(i) for i in range(50)])
            equal(r.hset("h", mapping={"x": 1, "y": 2}), 2)
            equal(r.hgetall("h"), {"x": "1", "y": "2"})
            equal(r.zadd("z", {"one": 1, "two": 2}), 2)
            equal(r.zrange("z", 0, -1, withscores=True), [("one", 1.0), ("two", 2.0)])
            equal(r.rpush("l", *range(200)), 200)
            equal(r.lrange("l", 0, -1), [str(i) for i in range(200)])
            equal(r.sadd("s", *range(600)), 600)
            equal(sorted(map(int, r.sscan_iter("s"))), list(range(600)))
            equal(len(list(r.scan_iter())), 55)
            p = r.pipeline(transaction=False)
            for i in range(500):
                p.incr(f"counter{i % 7}")
            equal(sum(1 for _ in p.execute()), 500)
            equal(r.info("server")["redis_mode"], "standalone")
            equal(r.config_get("maxmemory"), {"maxmemory": "0"})
            equal(r.client_setname("tester"), True)
            equal(r.client_list()[0]["name"], "tester")
            try:
                r.lpush("a", 1)
                raise AssertionError("no WRONGTYPE")
            except redis.ResponseError as e:
                equal(str(e), "WRONGTYPE Operation against a key holding the wrong kind of value")

tap.run()
