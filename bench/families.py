#!/usr/bin/env python3
"""The main commands of each family beside redis-server: server CPU per request, as a ratio, by redis-benchmark on loopback.

    families.py SERVER [--redis redis-server] [--only WORD] [--requests N] [--rounds N] [--pipelines 16 1]
Both servers are pinned to the first CPU and redis-benchmark to the second; rounds are interleaved and each figure is the median of the rounds' ratios. CPU is the run time of the server's threads, the
kernel's work for them included, from /proc/PID/task/*/schedstat.
"""
import argparse
import os
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
from servers import Resp, free_port  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402

MEMBERS = 100000
CASES = {
    "lpush": "LPUSH list:__rand_int__ value:000000000001",
    "lpop": "LPOP long",
    "sadd": "SADD set:1 member:__rand_int__",
    "sismember": "SISMEMBER members member:__rand_int__",
    "hset": "HSET hash:__rand_int__ field value:000000000001",
    "hget": "HGET fields field:__rand_int__",
    "zadd": "ZADD zset:1 __rand_int__ member:__rand_int__",
    "zrank": "ZRANK scores member:__rand_int__",
    "zrange": "ZRANGE scores 50000 50010",
    "zrangebyscore": "ZRANGEBYSCORE scores 50000 50010",
    "incr": "INCR counter:__rand_int__",
    "mget-10": "MGET " + " ".join(["string:__rand_int__"] * 10),
    "mset-10": "MSET " + " ".join(["string:__rand_int__ value:000000000001"] * 10),
    "xadd": "XADD stream * field value:000000000001",
    "xread": "XREAD COUNT 10 STREAMS entries 0",
    "pfadd": "PFADD hll:__rand_int__ member:__rand_int__",
    "geosearch": "GEOSEARCH places FROMLONLAT 15 37 BYRADIUS 50 km COUNT 10",
    "publish-0": "PUBLISH nobody message",
}


def cpu(pid):
    return sum(int(open(f"/proc/{pid}/task/{t}/schedstat").read().split()[0]) for t in os.listdir(f"/proc/{pid}/task"))


def start(command, folder):
    port = free_port()
    process = subprocess.Popen(["taskset", "-c", "0"] + command + ["--port", str(port), "--save", "", "--dir", folder],
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
    client.pipeline([["RPUSH", "long"] + ["v"] * 1000 for _ in range(2000)])
    client.pipeline(list(pieces(lambda r: ["SADD", "members"] + [f"member:{i:012d}" for i in r])))
    client.pipeline(list(pieces(lambda r: ["HSET", "fields"] + [w for i in r for w in (f"field:{i:012d}", "value")])))
    client.pipeline(list(pieces(lambda r: ["ZADD", "scores"] + [w for i in r for w in (i, f"member:{i:012d}")])))
    client.pipeline(list(pieces(lambda r: ["MSET"] + [w for i in r for w in (f"string:{i:012d}", "value:000000000001")])))
    client.pipeline([["XADD", "entries", f"{i + 1}-0", "field", "value"] for i in range(1000)])
    client.pipeline([["GEOADD", "places", 10 + i % 100 / 10, 35 + i // 100 % 100 / 20, f"place:{i}"] for i in range(10000)])


def run(pid, port, command, pipeline, requests):
    before = cpu(pid)
    subprocess.run(["taskset", "-c", "1", "redis-benchmark", "-p", str(port), "-q", "-c", "50", "-P", str(pipeline), "-n", str(requests), "-r", str(MEMBERS)] +
                   command.split(), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (cpu(pid) - before) / requests


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("--redis", default="redis-server")
    parser.add_argument("--only", default="")
    parser.add_argument("--requests", type=int, default=200000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pipelines", type=int, nargs="+", default=[16, 1])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ringwood-families-") as folder:
        servers = [start([options.redis], folder), start([options.server, "--shards", "1"], folder)]
        try:
            for _, _, client in servers:
                fill(client)
            print(f"{'case':16s}" + "".join(f"  P{p:<3d} redis us  ratio" for p in options.pipelines))
            for name, command in CASES.items():
                if options.only not in name:
                    continue
                line = f"{name:16s}"
                for pipeline in options.pipelines:
                    requests = options.requests if pipeline > 1 else options.requests // 4
                    rounds = [[run(p.pid, port, command, pipeline, requests) for p, port, _ in servers] for _ in range(options.rounds)]
                    ratio = statistics.median(ours / theirs for theirs, ours in rounds)
                    line += f"  {statistics.median(r[0] for r in rounds) / 1000:13.2f}  {ratio:5.2f}"
                print(line, flush=True)
        finally:
            for process, _, _ in servers:
                process.terminate()
                process.wait()


if __name__ == "__main__":
    main()
