#!/usr/bin/env python3
"""How late keys expire: 500 and more keys with random short times to live, watched through __keyevent@0__:expired, beside many others with long ones.

    expiry_lag.py SERVER SHARDS [--others 0 10000 100000 1000000] [--keys 500] [--at-most MS]
For each number of other keys: percentiles of the lag in milliseconds (from the end of the key's time to the message's arrival here), the server's CPU while the keys expired, and the memory that a time
to live costs a key. With --at-most it fails when the median of one of them is above
(the high percentiles belong to the scheduler on a busy machine).
"""
import argparse
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
from servers import Ringwood, cpu_seconds  # noqa: E402


def used_memory(client):
    return int(next(line for line in client("INFO", "memory").decode().splitlines() if line.startswith("used_memory:")).split(":")[1])


def fill(client, others):
    """Keys with times of a day and more. Answers the bytes that a time costs one of them."""
    for at in range(0, others, 5000):
        client.pipeline([("SET", f"other:{i}", "x" * 20) for i in range(at, min(at + 5000, others))])
    before = used_memory(client)
    for at in range(0, others, 5000):
        client.pipeline([("PEXPIRE", f"other:{i}", 86400000 + random.randrange(10**9)) for i in range(at, min(at + 5000, others))])
    return (used_memory(client) - before) / others if others else 0


def measure(server, keys, others):
    client, events = server.client(), server.client()
    client("FLUSHALL")
    bytes_each = fill(client, others)
    client("CONFIG", "SET", "notify-keyspace-events", "Ex")
    events("SUBSCRIBE", "__keyevent@0__:expired")
    due = {}
    cpu = cpu_seconds(server.process.pid)
    for i in range(keys):
        ms = random.randint(100, 2100)
        client("SET", f"volatile:{i}", "v", "PX", ms)
        due[f"volatile:{i}".encode()] = time.time() * 1000 + ms
    lags = []
    while len(lags) < keys:
        message = events.read()
        if message[0] == b"message":
            lags.append(time.time() * 1000 - due[message[2]])
    cpu = cpu_seconds(server.process.pid) - cpu
    client.close()
    events.close()
    lags.sort()
    return {"median": lags[keys // 2], "p99": lags[keys * 99 // 100], "max": lags[-1], "cpu_ms": cpu * 1000, "bytes_each": bytes_each}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("shards", type=int)
    parser.add_argument("--others", type=int, nargs="+", default=[0, 10000, 100000, 1000000])
    parser.add_argument("--keys", type=int, default=500)
    parser.add_argument("--at-most", type=float)
    options = parser.parse_args()
    random.seed(1)
    too_late = False
    print(f"1..{len(options.others)}")
    with Ringwood(options.server, shards=options.shards) as server:
        for number, others in enumerate(options.others, 1):
            f = measure(server, options.keys, others)
            late = options.at_most is not None and f["median"] > options.at_most
            too_late |= late
            print(f"{'not ok' if late else 'ok'} {number} - beside {others} keys: lag median {f['median']:.1f} ms, p99 {f['p99']:.1f} ms, max {f['max']:.1f} ms; "
                  f"CPU {f['cpu_ms']:.0f} ms; {f['bytes_each']:.1f} bytes a time to live", flush=True)
    return too_late


if __name__ == "__main__":
    sys.exit(main())
