#!/usr/bin/env python3
"""What the server tells of its own work, over sockets: MONITOR among many clients, the slow log, service times, hot keys, on 1 and several shards.

    introspection.py RINGWOOD-SERVER
"""
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from servers import Resp, Ringwood, Tap, equal, until  # noqa: E402

BINARY = sys.argv[1]
tap = Tap()


def info(r, section):
    return dict(line.split(":", 1) for line in r("INFO", section).decode().split("\r\n") if ":" in line)


def percentiles(text):
    return {k: float(v) for k, v in (part.split("=") for part in text.split(","))}


def start(shards):
    return Ringwood(BINARY, shards=shards)


@tap.per_shards("MONITOR shows every connection's commands in its order, with their addresses", start, (1, 3))
def monitor(s):
    monitors = [Resp(s.port) for _ in range(3)]
    for m in monitors:
        equal(m("MONITOR"), "OK")
    clients = [Resp(s.port) for _ in range(6)]
    addresses = ["%s:%d" % c.socket.getsockname() for c in clients]
    per_client = 400

    def work(i):
        for n in range(0, per_client, 20):
            clients[i].pipeline([("SET", f"k{i}:{n + j}", n + j) for j in range(20)])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(clients))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for m in monitors:
        seen = {a: [] for a in addresses}
        last = 0.0
        for _ in range(per_client * len(clients)):
            line = m.read()
            found = re.fullmatch(r'(\d+\.\d{6}) \[0 (\S+)\] "SET" "k(\d+):(\d+)" "(\d+)"', line)
            equal(bool(found), True, line)
            seen[found[2]].append(int(found[4]))
            last = max(last, float(found[1]))
        for a in addresses:
            equal(seen[a], list(range(per_client)), a)
        equal(abs(last - time.time()) < 60, True, "its time is now")
    equal(monitors[0]("RESET"), "RESET")
    clients[0]("PING")
    equal(monitors[0]("ECHO", "quiet"), b"quiet")
    monitors[1].close()  # goes without a word
    for _ in range(50):
        equal(clients[1]("PING"), "PONG")


@tap.per_shards("MONITOR's lines reach a monitor in the order of cause and effect", start, (1, 3))
def causes(s):
    m = Resp(s.port)
    m("MONITOR")
    clients = [Resp(s.port) for _ in range(5)]
    for n in range(200):  # each command is sent when the one before it has been answered, on another connection
        clients[n % 5]("INCR", f"n{n % 7}")
    equal([re.search(r'"n(\d)"', m.read())[1] for _ in range(200)], [str(n % 7) for n in range(200)])


@tap.per_shards("CONFIG SET refuses a locale that is not there", start, (1, 3))
def locales(s):
    r = Resp(s.port)
    equal(r("CONFIG", "SET", "locale-collate", "C"), "OK")
    equal(r("CONFIG", "SET", "locale-collate", "no_SUCH"), "ERR CONFIG SET failed (possibly related to argument 'locale-collate') - Invalid locale name")
    equal(r("CONFIG", "GET", "locale-collate"), [b"locale-collate", b"C"])


@tap.per_shards("the slow log knows the client wherever the command ran", start, (1, 3))
def slow(s):
    r = Resp(s.port)
    r("CLIENT", "SETNAME", "tester")
    r("CONFIG", "SET", "slowlog-log-slower-than", "0")
    r("SLOWLOG", "RESET")
    for i in range(10):
        r("SET", f"k{i}", i)
    entries = r("SLOWLOG", "GET", "10")
    equal([e[3][1] for e in entries], [b"k%d" % i for i in range(9, -1, -1)])
    for e in entries:
        equal(e[4].decode(), "%s:%d" % r.socket.getsockname())
        equal(e[5], b"tester")
    equal([e[0] for e in entries], list(range(entries[0][0], entries[0][0] - 10, -1)))


@tap.per_shards("service time holds the waiting, execution time does not", start, (1, 3))
def service(s):
    r, other = Resp(s.port), Resp(s.port)
    other.send(other.encode("BLPOP", "list", "0"))
    time.sleep(0.4)
    r("RPUSH", "list", "x")
    other.read()
    r.send(r.encode("DEBUG", "SLEEP", "0.3") + r.encode("GET", "a"))  # the GET is there, and waits for the sleeper before it
    r.read(), r.read()
    executed, served = info(r, "latencystats"), info(r, "servicestats")
    equal(percentiles(executed["latency_percentiles_usec_blpop"])["p50"] < 50000, True, str(executed))
    equal(350000 < percentiles(served["service_percentiles_usec_blpop"])["p50"] < 5000000, True, str(served))
    equal(percentiles(executed["latency_percentiles_usec_get"])["p50"] < 50000, True, str(executed))
    equal(percentiles(served["service_percentiles_usec_get"])["p50"] > 250000, True, str(served))
    calls = r("LATENCY", "SERVICE", "debug")
    equal(calls[0:1], [b"debug"] if calls[0] == b"debug" else [b"debug|sleep"])


@tap.per_shards("HOTKEYS finds the hot ones", start, (1, 3))
def hot(s):
    r = Resp(s.port)
    equal(r("HOTKEYS", "GET"), None)
    equal(r("HOTKEYS", "START", "METRICS", "2", "CPU", "NET", "COUNT", "2"), "OK")
    equal(str(r("HOTKEYS", "START", "METRICS", "1", "CPU")), "ERR hotkeys tracking session already in progress")
    for i in range(300):
        r("SET", "big", "x" * 2000)
        r("SET", "middle", "x" * 500)
        r("SET", f"cold:{i}", "x")
    answer = r("HOTKEYS", "GET")
    fields = dict(zip([k.decode() for k in answer[::2]], answer[1::2]))
    equal(fields["tracking-active"], 1)
    equal(fields["by-net-bytes"][0::2], [b"big", b"middle"])
    equal(fields["by-net-bytes"][1] >= 300 * 2000, True)
    equal(len(fields["by-cpu-time-us"]), 4)
    equal(r("HOTKEYS", "STOP"), "OK")
    equal(r("HOTKEYS", "STOP"), None)
    r("SET", "late", "x" * 100000)
    again = r("HOTKEYS", "GET")
    equal(again[again.index(b"by-net-bytes") + 1], fields["by-net-bytes"])
    equal(r("HOTKEYS", "RESET"), "OK")
    equal(r("HOTKEYS", "GET"), None)


@tap.per_shards("INFO's figures of the loops move", start, (1, 3))
def figures(s):
    r = Resp(s.port)
    before = info(r, "stats")
    for _ in range(20):
        r.pipeline([("SET", f"k{i}", "x" * 1000) for i in range(100)])
        time.sleep(0.02)
    after = info(r, "stats")
    for name in ("eventloop_cycles", "eventloop_duration_sum", "total_reads_processed", "total_writes_processed"):
        equal(int(after[name]) > int(before[name]), True, name)
    equal(int(after["eventloop_duration_cmd_sum"]) > int(before["eventloop_duration_cmd_sum"]), True)
    equal(float(after["instantaneous_input_kbps"]) > 1, True, after["instantaneous_input_kbps"])
    equal(int(after["instantaneous_eventloop_cycles_per_sec"]) > 0, True)
    equal(r("CONFIG", "RESETSTAT"), "OK")
    equal(int(info(r, "stats")["eventloop_cycles"]) < int(after["eventloop_cycles"]), True)


@tap.per_shards("a slow disk and a long eviction are events of LATENCY", start, (1, 3))
def events(server):
    r = server.client()
    equal(r("CONFIG", "SET", "latency-monitor-threshold", "1", "appendfsync", "always"), "OK")
    equal(r("CONFIG", "SET", "appendonly", "yes"), "OK")
    until(lambda: info(r, "persistence")["aof_rewrite_in_progress"] == "0", "the file is there")
    equal(r("LATENCY", "RESET") >= 0, True)

    def names():
        return {event[0].decode() for event in r("LATENCY", "LATEST")}

    # Which writes are such events is LogConformance's to say: a quick machine may need less than a millisecond for most of them.
    def slow_write():
        r("SET", "big", b"x" * (16 << 20))
        return "aof-fsync-always" in names()
    until(slow_write, f"events of the file: {names()}")
    equal(r("CONFIG", "SET", "maxmemory-policy", "allkeys-random", "maxmemory-eviction-tenacity", "100"), "OK")
    r("DEL", "big")  # or its eviction alone might be enough, and quick
    r("DEBUG", "POPULATE", "60000", "key", "100")
    r("CONFIG", "SET", "maxmemory", "4mb")
    until(lambda: "eviction-cycle" in names(), f"an event of the eviction: {names()}")
    equal(b"eviction" in r("LATENCY", "DOCTOR").lower(), True)


@tap.per_shards("FLUSHALL with save points answers when nothing is what has been saved", lambda n: Ringwood(BINARY, "--save", "3600 1", shards=n), (1, 2))
def flushall_saves(s):
    r, file = Resp(s.port), os.path.join(s.directory, "dump.rdb")
    for round_ in range(3):
        equal(r("MSET", *[w for k in range(100) for w in (f"k{k}", "v")]), "OK")
        equal(r("SAVE"), "OK")
        full = os.path.getsize(file)
        r("SET", "more", round_)
        equal(r.pipeline([("FLUSHALL",), ("INFO", "persistence")])[1].decode().count("rdb_changes_since_last_save:0"), 1)
        equal(os.path.getsize(file) < full, True)
    # Where nobody can wait the answer comes at once.
    equal(r.pipeline([("MULTI",), ("SET", "k", 1), ("FLUSHALL",), ("DBSIZE",), ("EXEC",)])[-1], ["OK", "OK", 0])
    equal(r("EVAL", "redis.call('SET', 'k', 1) redis.call('FLUSHALL') return redis.call('DBSIZE')", 0), 0)


if __name__ == "__main__":
    tap.run()
