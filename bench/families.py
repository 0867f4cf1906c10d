#!/usr/bin/env python3
"""The main commands of each family beside redis-server: server CPU per request, as a ratio, by bench/load-generator on loopback.

    families.py SERVER --generator BUILD/bench/load-generator [--redis redis-server] [--only WORD[,WORD]] [--seconds S] [--rounds N] [--pipelines 16 1] [--shards 1] [--realtime]
    families.py SERVER --generator ... --check        every case for a moment against our server alone: a reply that is an error fails

Both servers are pinned to the first CPU and the generator to the second; rounds are interleaved, and each figure is the median of the rounds' ratios. CPU is the run time of the server's threads, the
kernel's work for them included, from /proc/PID/task/*/schedstat. --realtime runs all of them above everything else on the machine (chrt, as root), for figures of a quiet
machine on a busy one.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
from servers import Resp, cpu_seconds, free_port  # noqa: E402

MEMBERS = 100000
VALUE = "value:000000000001"
CASES = {
    "get": "GET string:{n}",
    "set": f"SET string:{{n}} {VALUE}",
    "incr": "INCR counter:{n}",
    "mget-10": "MGET" + " string:{n}" * 10,
    "mset-10": "MSET" + f" string:{{n}} {VALUE}" * 10,
    "lpush": f"LPUSH list:{{n}} {VALUE}",
    "lpop": "LPOP long",
    "rpush-lpop": f"RPUSH queue:{{n}} {VALUE} ; LPOP queue:{{n}}",
    "sadd": "SADD set:1 member:{n}",
    "sismember": "SISMEMBER members member:{n}",
    "hset": f"HSET hash:{{n}} field {VALUE}",
    "hget": "HGET fields field:{n}",
    "zadd": "ZADD zset:1 {n} member:{n}",
    "zrank": "ZRANK scores member:{n}",
    "zrange": "ZRANGE scores 50000 50010",
    "zrangebyscore": "ZRANGEBYSCORE scores 50000 50010",
    "xadd": f"XADD stream * field {VALUE}",
    "xread": "XREAD COUNT 10 STREAMS entries 0",
    "pfadd": "PFADD hll:{n} member:{n}",
    "geosearch": "GEOSEARCH places FROMLONLAT 15 37 BYRADIUS 50 km COUNT 10",
    "publish-0": "PUBLISH nobody message",
    "publish-50": "PUBLISH news message:00000000001",
    "blpop": None,
    "eval": ["EVAL", "local v = redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], v) return v", "1", "string:{n}"],
}
OPTIONS = {"publish-50": ["--subscribers", "50:news"], "blpop": ["--hand-over"]}
# What a run has used up or made large, before each.
BEFORE = {"lpop": [["DEL", "long"]] + [["RPUSH", "long"] + ["v"] * 1000 for _ in range(2000)], "xadd": [["DEL", "stream"]]}


def pinned(cpu, options):
    return (["chrt", "-r", "5"] if options.realtime else []) + ["taskset", "-c", str(cpu)]


def start(command, folder, options):
    port = free_port()
    process = subprocess.Popen(pinned(0, options) + command + ["--port", str(port), "--save", "", "--dir", folder],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            return process, port, Resp(port)
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{command[0]} does not answer")


def fill(client):
    def pieces(make):
        for at in range(0, MEMBERS, 1000):
            yield make(range(at, at + 1000))
    client.pipeline(list(pieces(lambda r: ["SADD", "members"] + [f"member:{i:012d}" for i in r])))
    client.pipeline(list(pieces(lambda r: ["HSET", "fields"] + [w for i in r for w in (f"field:{i:012d}", "value")])))
    client.pipeline(list(pieces(lambda r: ["ZADD", "scores"] + [w for i in r for w in (i, f"member:{i:012d}")])))
    client.pipeline(list(pieces(lambda r: ["MSET"] + [w for i in r for w in (f"string:{i:012d}", VALUE)])))
    client.pipeline([["XADD", "entries", f"{i + 1}-0", "field", "value"] for i in range(1000)])
    client.pipeline([["GEOADD", "places", 10 + i % 100 / 10, 35 + i // 100 % 100 / 20, f"place:{i}"] for i in range(10000)])


def run(server, name, pipeline, options):
    """Nanoseconds of the server's CPU for one request."""
    process, port, client = server
    client.pipeline(BEFORE.get(name, []))
    words = CASES[name] or []
    if isinstance(words, str):
        words = words.split()
    before = cpu_seconds(process.pid)
    done = subprocess.run([*pinned(1, options), options.generator, "--port", str(port), "--connections", str(options.connections), "--pipeline", str(pipeline),
                           "--seconds", str(options.seconds), "--range", str(MEMBERS), *OPTIONS.get(name, []), *words], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{name}: load-generator exited with {done.returncode}")
    return (cpu_seconds(process.pid) - before) * 1e9 / json.loads(done.stdout)["requests"]


def compare(servers, name, options):
    line = f"{name:16s}"
    for pipeline in options.pipelines:
        rounds = [[run(s, name, pipeline, options) for s in servers] for _ in range(options.rounds)]
        ratio = statistics.median(ours / theirs for theirs, ours in rounds)
        line += f"  {statistics.median(r[0] for r in rounds) / 1000:13.2f}  {ratio:5.2f}"
    print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("--generator", required=True)
    parser.add_argument("--redis", default="redis-server")
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=0.7)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--pipelines", type=int, nargs="+", default=[16, 1])
    parser.add_argument("--shards", default="1")
    parser.add_argument("--realtime", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    names = [n for n in CASES if not options.only or n in options.only.split(",")]
    with tempfile.TemporaryDirectory(prefix="ringwood-families-") as folder:
        servers = [start([options.server, "--shards", options.shards], folder, options)]
        try:
            if options.check:
                options.seconds = 0.05
            else:
                servers.insert(0, start([options.redis], folder, options))
                print(f"{'case':16s}" + "".join(f"  P{p:<3d} redis us  ratio" for p in options.pipelines))
            for server in servers:
                fill(server[2])
            for name in names:
                if options.check:
                    for pipeline in options.pipelines:
                        run(servers[0], name, pipeline, options)
                else:
                    compare(servers, name, options)
        finally:
            for process, _, _ in servers:
                process.terminate()
                process.wait()


if __name__ == "__main__":
    main()
