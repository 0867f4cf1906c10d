#!/usr/bin/env python3
"""What redis-py and redis-cli make of the server's own figures: slow log, latency, MONITOR, MEMORY, INFO; field names beside a redis-server's.

    introspection_clients.py RINGWOOD-SERVER
"""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from servers import Redis, Ringwood, Tap, equal  # noqa: E402

BINARY = sys.argv[1]
tap = Tap()

try:
    import redis
except ImportError:
    redis = None
# Of Redis 7.0's fields, those that say something of its build or of what is not here.
NOT_OURS = {"active_defrag_running", "slave_expires_tracked_keys", "evicted_clients"}  # the last comes with maxmemory-clients


def start(shards):
    return Ringwood(BINARY, shards=shards)


@tap.per_shards("redis-py: SLOWLOG and LATENCY", start, (1, 2))
def records(server):
    if not redis:
        return "python3-redis is not installed"
    r = redis.Redis(port=server.port, client_name="py", decode_responses=True)
    r.config_set("slowlog-log-slower-than", 10000)
    r.config_set("latency-monitor-threshold", 20)
    r.execute_command("DEBUG", "SLEEP", "0.05")
    slow = r.slowlog_get(1)[0]
    equal(slow["command"] if isinstance(slow["command"], str) else slow["command"].decode(), "DEBUG SLEEP 0.05")
    equal(50000 <= slow["duration"] < 5000000, True, slow["duration"])
    equal(r.slowlog_len() >= 1, True)
    equal(r.slowlog_reset(), True)
    latest = {e[0]: e for e in r.execute_command("LATENCY", "LATEST")}
    equal(latest["command"][2] >= 50, True, str(latest))
    equal(r.execute_command("LATENCY", "HISTORY", "command")[-1][1] >= 50, True)
    equal(r.execute_command("LATENCY", "RESET", "command"), 1)


@tap.per_shards("redis-py: MONITOR", start, (1, 2))
def monitor(server):
    if not redis:
        return "python3-redis is not installed"
    r = redis.Redis(port=server.port)
    with r.monitor() as m:
        for i in range(20):
            r.set(f"key {i}", 'quo"ted')
        seen = []
        while len(seen) < 20:
            line = m.next_command()
            if line["command"].startswith("SET"):
                seen.append(line)
        equal([x["command"].split(" ", 1)[1] for x in seen][3], 'key 3 quo"ted', str(seen[3]))
        equal({x["client_type"] for x in seen}, {"tcp"})
        equal(abs(seen[0]["time"] - time.time()) < 60, True)


@tap.case("INFO has every field of a redis-server of this machine")
def fields():
    if not redis or not shutil.which("redis-server"):
        return "redis-server or python3-redis is not installed"
    with Redis() as theirs, Ringwood(BINARY, shards=2) as ours:
        names = []
        for s in (theirs, ours):
            r = redis.Redis(port=s.port, decode_responses=True)
            r.set("a", "1")
            names.append({k for k in r.info("everything") if not k.startswith(("errorstat_", "db", "cmdstat_", "latency_percentiles"))})
        equal(names[0] - names[1] - NOT_OURS, set())


@tap.per_shards("redis-py: MEMORY and INFO", start, (1, 2))
def figures(server):
    if not redis:
        return "python3-redis is not installed"
    r = redis.Redis(port=server.port, decode_responses=True)
    r.mset({f"k{i}": "v" * 1000 for i in range(1000)})
    stats = r.memory_stats()
    equal(stats["keys.count"], 1000)
    equal(1000 <= stats["keys.bytes-per-key"] < 2000, True, str(stats["keys.bytes-per-key"]))
    equal(r.memory_usage("k1") > 1000, True)
    equal(r.memory_purge(), True)
    commands = r.info("commandstats")
    equal(commands["cmdstat_mset"]["calls"], 1)
    latency = r.info("latencystats")["latency_percentiles_usec_mset"]
    equal(0 < latency["p50"] <= latency["p99"], True, str(latency))


@tap.per_shards("redis-cli: --latency-dist, --stat, monitor", start, (1,))
def command_line(server):
    if not shutil.which("redis-cli"):
        return "redis-cli is not installed"
    run = subprocess.run(["redis-cli", "-p", str(server.port), "LATENCY", "DOCTOR"], capture_output=True, text=True, timeout=60)
    equal("latency-monitor-threshold" in run.stdout, True, run.stdout)
    watch = subprocess.Popen(["redis-cli", "-p", str(server.port), "MONITOR"], stdout=subprocess.PIPE, text=True)
    try:
        equal(watch.stdout.readline().strip(), "OK")
        subprocess.run(["redis-cli", "-p", str(server.port), "SET", "a", "b"], capture_output=True, timeout=60)
        for line in watch.stdout:
            if '"SET" "a" "b"' in line:
                break
    finally:
        watch.kill()
        watch.wait()


if __name__ == "__main__":
    tap.run()
