#!/usr/bin/env python3
"""Replication beside redis-server, in both directions, on one and on two shards: the data sets are the same at the end (DEBUG DIGEST), whatever was written
meanwhile and however often the links were cut.

    replication.py RINGWOOD_SERVER [PART OF A CASE'S NAME ...]
"""
import os
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
from following import Throttle, Writer, follow, info, over_cut_links, same_data  # noqa: E402
import servers  # noqa: E402
from servers import Resp, Tap, equal, until  # noqa: E402

LONG = bool(os.environ.get("RINGWOOD_LONG"))
BINARY = sys.argv[1]
AT_ONCE = ("--repl-diskless-sync-delay", "0")  # by default a master waits five seconds for more replicas
tap = Tap()


def Redis(*options):
    return servers.Redis(*AT_ONCE, *options)


def Ringwood(binary, *options, shards=1):
    return servers.Ringwood(binary, *AT_ONCE, *options, shards=shards)


def ours_follows_redis(shards, diskless):
    options = ["--repl-diskless-sync", "yes"] if diskless else ["--repl-diskless-sync", "no"]
    with Redis("--repl-backlog-size", "4mb", *options) as master, Ringwood(BINARY, shards=shards) as ours:
        m = master.client()
        w = Writer(m, 1)
        w.burst(2000)
        r = follow(ours, master.port)
        w.burst(3000)
        same_data(m, r)
        i = info(r)
        equal((i["role"], i["master_replid"]), ("slave", info(m)["master_replid"]))
        equal(str(r("SET", "a", "b")), "READONLY You can't write against a read only replica.")


@tap.case("REPLICAOF is refused what it cannot be")
def _():
    with Ringwood(BINARY) as ours:
        c = ours.client()
        equal(str(c("REPLICAOF", "h", "x")), "ERR Invalid master port")
        equal(c("REPLICAOF", "NO", "ONE"), "OK")
        equal(c("ROLE"), [b"master", 0, []])


for shards in (1, 2):
    for diskless in (False, True):
        tap.case(f"ours follows Redis, {shards} shards, {'without' if diskless else 'with'} a file on the master")(
            lambda shards=shards, diskless=diskless: ours_follows_redis(shards, diskless))


def cut_links(shards, cuts):
    with Redis("--repl-backlog-size", "32mb") as master, Ringwood(BINARY, shards=shards) as ours:
        over_cut_links(master, ours, cuts, 2)


for shards in (1, 2):
    tap.case(f"ours follows Redis over a link that is cut, {shards} shards")(lambda shards=shards: cut_links(shards, 50 if LONG else 8))


@tap.case("a replica keeps its place: promoted, it goes on from there as a replica again")
def _():
    with Redis() as master, Ringwood(BINARY, shards=2) as ours:
        m = master.client()
        r = follow(ours, master.port)
        Writer(m, 3).burst(500)
        same_data(m, r)
        place = info(r)
        equal(r("REPLICAOF", "NO", "ONE"), "OK")
        after = info(r)
        equal((after["role"], after["master_replid2"]), ("master", place["master_replid"]))
        if not int(place["slave_repl_offset"]) < int(after["second_repl_offset"]) <= int(after["master_repl_offset"]) + 1:
            raise AssertionError(after)
        equal(r("SET", "own", "1"), "OK")
        # Redis does not know the new id, so that it sends everything.
        follow(ours, master.port)
        same_data(m, r)
        equal(r("GET", "own"), None)


@tap.case("expired keys of a replica are gone for its clients, and removed by the master alone")
def _():
    with Redis() as master, Ringwood(BINARY, shards=2) as ours:
        m = master.client()
        m("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        r = follow(ours, master.port)
        m("SET", "k", "v", "PX", "50")
        until(lambda: r("DBSIZE") == 1, "the key arrives")
        time.sleep(0.1)
        equal(r("GET", "k"), None)
        equal(r("DBSIZE"), 1)
        equal(m("GET", "k"), None)
        until(lambda: r("DBSIZE") == 0, "the deletion arrives")


@tap.case("a replica that may be written to removes by itself what its own clients gave a time to live, and nothing else")
def _():
    with Redis() as master, Ringwood(BINARY, "--replica-read-only", "no", shards=2) as ours:
        m = master.client()
        m("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        r = follow(ours, master.port)
        m("SET", "theirs", "v", "PX", "50")
        m("SET", "plain", "v")
        until(lambda: r("DBSIZE") == 2, "the keys arrive")
        r("SET", "own", "v", "PX", "3000")  # all of them are written and counted before the first one goes, on a slow machine too
        r("MULTI")
        r("HSET", "hash", "f", "v")
        r("PEXPIRE", "hash", "3010")
        r("EXEC")
        r("EVAL", "redis.call('set', KEYS[1], 'v', 'px', 3020)", "1", "from a script")
        r("SET", "later", "v", "EX", "1000")
        r("PEXPIRE", "plain", "3030")
        equal(info(r, "stats")["slave_expires_tracked_keys"], "5")
        until(lambda: r("DBSIZE") == 2, "own keys go without being asked for")
        equal(sorted(r("KEYS", "*")), [b"later"])  # theirs has expired and stands there unseen
        equal(info(r, "stats")["slave_expires_tracked_keys"], "1")
        equal(r("REPLICAOF", "NO", "ONE"), "OK")
        until(lambda: r("DBSIZE") == 1, "a master removes all that has expired")


def direct(shards, mode, of_redis):
    """The data set goes straight into the shards: the old one is served until the new one is whole, and kept when that never comes."""
    start = Redis if of_redis else lambda *options: Ringwood(BINARY, *options)
    with start("--repl-diskless-sync", "yes", "--repl-backlog-size", "16kb") as master, \
            Ringwood(BINARY, "--repl-diskless-load", mode, "--replica-read-only", "no", shards=shards) as ours:
        m = master.client()
        Writer(m, 11).burst(1000)
        m("FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() return 1 end)")
        r = follow(ours, master.port)
        same_data(m, r)
        equal(r("FCALL", "f", 0), 1)
        if "to parser" not in ours.log_text():
            raise AssertionError(ours.log_text()[-2000:])
        if mode != "swapdb":
            return
        # The same history once more, from the beginning, slowly: what is here is an earlier state of it.
        r("SET", "own", "1", "EX", "1000")
        m.pipeline([("SET", f"more{i}", "x" * 100) for i in range(2000)])
        m("CONFIG", "SET", "rdb-key-save-delay", "2000")
        r("CONFIG", "SET", "key-load-delay", "5000")
        m.pipeline([("CLIENT", "KILL", "TYPE", "replica"), *[("SET", f"big{i}", "y" * 16384) for i in range(4)]])
        until(lambda: info(r, "persistence")["async_loading"] == "1", "it loads beside", 30)
        begin = time.monotonic()
        equal((r("GET", "own"), r("FCALL", "f", 0), info(r, "persistence")["loading"]), (b"1", 1, "0"))
        if time.monotonic() - begin > 1:
            raise AssertionError("the delay of keys stops others")
        equal(str(r("REPLICAOF", "NO", "ONE")), "LOADING Redis is loading the dataset in memory")
        if not str(r("CONFIG", "SET", "appendonly", "no")).startswith("LOADING"):
            raise AssertionError("a directive that is refused while loading")
        m("CONFIG", "SET", "repl-diskless-sync-delay", "2")
        m("CLIENT", "KILL", "TYPE", "replica")
        until(lambda: info(r, "persistence")["async_loading"] == "0", "it is given up")
        equal(r("GET", "own"), b"1")
        for c in (m, r):
            c.pipeline([("CONFIG", "SET", "key-load-delay", "0"), ("CONFIG", "SET", "rdb-key-save-delay", "0")])
        until(lambda: info(r)["master_link_status"] == "up", "the link comes up", 60)
        same_data(m, r)
        equal((r("GET", "own"), r("FCALL", "f", 0)), (None, 1))


for shards in (1, 2):
    for of_redis in (True, False):
        for mode in ("swapdb", "on-empty-db"):
            tap.case(f"repl-diskless-load {mode}, from {'Redis' if of_redis else 'ours'}, {shards} shards")(
                lambda shards=shards, mode=mode, of_redis=of_redis: direct(shards, mode, of_redis))


@tap.case("stale data are served, or not")
def _():
    with Ringwood(BINARY, "--replicaof", "127.0.0.1 1") as ours:
        c = ours.client()
        equal(c("GET", "a"), None)
        equal(c("CONFIG", "SET", "replica-serve-stale-data", "no"), "OK")
        equal(str(c("GET", "a")), "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.")
        equal(info(c)["master_link_status"], "down")
        equal(c("REPLICAOF", "NO", "ONE"), "OK")
        equal([c("GET", "a") for _ in range(3)], [None] * 3)


def redis_follows_ours(shards, diskless):
    options = ["--repl-diskless-sync", "yes"] if diskless else ["--repl-diskless-sync", "no"]
    with Ringwood(BINARY, *options, shards=shards) as ours, Redis() as replica:
        m = ours.client()
        w = Writer(m, 4)
        w.burst(1000)
        r = follow(replica, ours.port)
        w.burst(3000)
        equal(m("WAIT", 1, 20000), 1)
        same_data(m, r)
        equal(m("ROLE")[2][0][1], str(replica.port).encode())
        equal((info(m)["connected_slaves"], info(m, "stats")["sync_full"]), ("1", "1"))


for shards in (1, 2):
    for diskless in (False, True):
        tap.case(f"Redis follows ours, {shards} shards, {'with' if diskless else 'without'} an end mark")(
            lambda shards=shards, diskless=diskless: redis_follows_ours(shards, diskless))


@tap.case("who comes while an image whose length is told is made gets it too")
def _():
    with Ringwood(BINARY, "--repl-diskless-sync", "no", shards=2) as master, Redis() as a, Ringwood(BINARY) as b:
        m, clients = master.client(), [a.client(), b.client()]
        m("DEBUG", "POPULATE", 200, "k", 10)
        m("CONFIG", "SET", "rdb-key-save-delay", 20000)
        for c in clients:
            equal(c("REPLICAOF", "127.0.0.1", master.port), "OK")
            until(lambda: info(m, "persistence")["rdb_bgsave_in_progress"] == "1", "the image begins")
            m.pipeline([("INCR", "n"), ("SELECT", 3), ("INCR", "n"), ("SELECT", 0)])
        until(lambda: all(info(c)["master_link_status"] == "up" for c in clients), "the links come up")
        same_data(m, *clients)
        equal((master.log_text().count("Starting BGSAVE for SYNC"), info(m, "stats")["sync_full"]), (1, "2"))


def redis_over_cut_links(shards, cuts):
    with Ringwood(BINARY, "--repl-backlog-size", "32mb", shards=shards) as ours, Redis() as replica:
        over_cut_links(ours, replica, cuts, 5)


for shards in (1, 2):
    tap.case(f"Redis follows ours over a link that is cut, {shards} shards")(lambda shards=shards: redis_over_cut_links(shards, 50 if LONG else 8))


def chain(shards):
    with Redis() as a, Ringwood(BINARY, shards=shards) as b, Redis() as c, Ringwood(BINARY, shards=shards) as d:
        first = a.client()
        w = Writer(first, 6)
        w.burst(500)
        clients = [first, follow(b, a.port), follow(c, b.port), follow(d, c.port)]
        w.burst(2000)
        same_data(*clients)
        ids = {info(x)["master_replid"] for x in clients}
        equal(len(ids), 1)
        # The middle is promoted; who is below goes on with it, without another full sync.
        equal(clients[1]("REPLICAOF", "NO", "ONE"), "OK")
        Writer(clients[1], 7).burst(500)
        until(lambda: info(clients[2])["master_link_status"] == "up" and info(clients[3])["master_link_status"] == "up", "the links come back")
        same_data(*clients[1:])
        equal(info(clients[1], "stats")["sync_full"], "1")


for shards in (1, 2):
    tap.case(f"a chain Redis -> ours -> Redis -> ours, {shards} shards")(lambda shards=shards: chain(shards))


LIMITS = ("--client-output-buffer-limit", "replica 4mb 2mb 5", "--rdbcompression", "no")  # the default ones, 64 times smaller


def slow_link(master, replica, seconds):
    """While the image goes through a link of 4 MB/s more is written than a replica may be behind: in sync in so many seconds? Answers the number of full syncs as well."""
    m, r = master.client(), replica.client()
    value = random.Random(12).randbytes(8192)
    m.pipeline([("SET", f"k{i}", value) for i in range(3000)])
    proxy = Throttle(master.port, 4_000_000)
    r("REPLICAOF", "127.0.0.1", proxy.port)
    up, end, written = False, time.monotonic() + seconds, 0
    begin = time.monotonic()
    while not up and time.monotonic() < end:
        # 1.5 MB a second, over and over the same keys
        while written < (time.monotonic() - begin) * 1_500_000:
            m.pipeline([("SET", f"k{random.randrange(3000)}", value) for _ in range(20)])
            written += 20 * 8192
        i = info(r)
        up = i["master_link_status"] == "up" and int(info(m)["master_repl_offset"]) - int(i["slave_repl_offset"]) < 1_000_000
        time.sleep(0.02)
    answer = up, int(info(m, "stats")["sync_full"])
    if up:
        # Until it acknowledges, which it does once a second, the master takes it to be where its image was.
        until(lambda: 0 <= int(info(m).get("replica_lag_ms_0", 0)) < 5000, "the lag is what is left", 10)
        same_data(m, r)
    proxy.close()
    return answer


@tap.case("a replica behind a slow link gets in sync with the first image, whatever is written meanwhile")
def _():
    with Ringwood(BINARY, *LIMITS, shards=2) as master, Ringwood(BINARY) as replica:
        equal(slow_link(master, replica, 60), (True, 1))
    if LONG:  # where Redis goes round and round
        with Redis(*LIMITS) as master, Ringwood(BINARY) as replica:
            up, syncs = slow_link(master, replica, 40)
            if up or syncs < 3:
                raise AssertionError((up, syncs))


def wait_is_quick(shards):
    with Ringwood(BINARY, shards=shards) as master, Ringwood(BINARY, shards=shards) as replica:
        m = master.client()
        follow(replica, master.port)
        until(lambda: m("WAIT", 1, 1000) == 1, "the replica acknowledges")
        begin = time.monotonic()
        for i in range(20):
            m("SET", "k", i)
            equal(m("WAIT", 1, 5000), 1)
        # Each would take a second if the replica told its place by its clock alone, or without what came together with the question.
        if time.monotonic() - begin > 10:
            raise AssertionError(f"20 WAITs took {time.monotonic() - begin:.1f} s")


for shards in (1, 2):
    tap.case(f"WAIT asks the replica and hears of the write that came just before, {shards} shards")(lambda shards=shards: wait_is_quick(shards))


@tap.case("values and transactions longer than what a link keeps waiting, and links that clients kill")
def _():
    with Redis() as a, Ringwood(BINARY, shards=2) as b, Redis() as c:
        m = a.client()
        m("SET", "before", b"x" * (20 << 20))
        clients = [m, follow(b, a.port), follow(c, b.port)]
        m("SET", "huge", b"y" * (40 << 20))
        m.pipeline([("MULTI",), *[("SET", f"part{i}", b"z" * (1 << 20)) for i in range(40)], ("EXEC",)])
        same_data(*clients)
        r = clients[1]
        lines = r("CLIENT", "LIST").decode().split("\n")
        equal(sorted(line.split("flags=")[1][0] for line in lines if "cmd=client" not in line and line), ["M", "S"])
        equal((r("CLIENT", "KILL", "TYPE", "master"), r("CLIENT", "KILL", "TYPE", "replica")), (1, 1))
        m("SET", "after", 1)
        until(lambda: clients[2]("GET", "after") == b"1", "the links come back")
        equal((info(m, "stats")["sync_full"], info(r, "stats")["sync_full"]), ("1", "1"))


@tap.case("a pause of writes holds the master's stream, which is taken all the same")
def _():
    with Redis("--repl-ping-replica-period", "3600") as a, Ringwood(BINARY, shards=2) as b:
        m = a.client()
        r = follow(b, a.port)
        m("SET", "a", 1)
        until(lambda: r("GET", "a") == b"1", "the stream arrives")
        equal(r("CLIENT", "PAUSE", 100000, "WRITE"), "OK")
        before = info(r)["slave_repl_offset"]
        m("SET", "a", 2)
        m.pipeline([("MULTI",), ("SET", "a", 3), ("SET", "b", 3), ("EXEC",)])
        until(lambda: info(r)["slave_read_repl_offset"] == info(m)["master_repl_offset"], "the stream is read")
        time.sleep(0.3)
        equal((info(r)["slave_repl_offset"], r("GET", "a")), (before, b"1"))
        equal(r("CLIENT", "UNPAUSE"), "OK")
        until(lambda: r("GET", "b") == b"3", "the stream goes on")
        same_data(m, r)


@tap.case("INFO tells what the two ends have moved, and what came that could not be run")
def _():
    with Redis("--enable-debug-command", "yes") as a, \
            Ringwood(BINARY, shards=2) as b, Redis() as c:
        m = a.client()
        m("SET", "value", b"x" * 100000)
        r = follow(b, a.port)
        follow(c, b.port)
        m("DEBUG", "REPLICATE", "all", "SET", "value")
        m("SET", "other", b"y" * 100000)
        until(lambda: c.client()("STRLEN", "other") == 100000, "the stream arrives")
        stats = {k: int(float(v)) for k, v in info(r, "stats").items()}
        for name in ("total_net_repl_input_bytes", "total_net_repl_output_bytes"):
            if not 100000 < stats[name] < 300000:
                raise AssertionError((name, stats[name]))
        equal(stats["total_net_input_bytes"] > stats["total_net_repl_input_bytes"], True)
        equal(stats["unexpected_error_replies"], 1)


@tap.case("min-replicas-to-write, and WAIT without replicas")
def _():
    with Ringwood(BINARY, "--min-replicas-to-write", "1", shards=2) as ours, Redis() as replica:
        m = ours.client()
        equal(str(m("SET", "a", "b")), "NOREPLICAS Not enough good replicas to write.")
        equal(m("WAIT", 1, 50), 0)
        follow(replica, ours.port)
        until(lambda: m("SET", "a", "b") == "OK", "writes are taken")


def failover(shards):
    """The part of the master goes to Redis and back while a client writes all the time: nothing that was acknowledged is lost, nothing is sent twice."""
    with Ringwood(BINARY, shards=shards) as ours, Redis() as redis:
        a, b = ours.client(), redis.client()
        equal(str(a("FAILOVER")), "ERR FAILOVER requires connected replicas.")
        equal(str(a("FAILOVER", "ABORT")), "ERR No failover in progress.")
        Writer(a, 9).burst(300)
        equal(b("REPLICAOF", "localhost", ours.port), "OK")
        until(lambda: info(b)["master_link_status"] == "up" and info(a).get("slave0", "").find("online") > 0, "the link comes up")
        equal(str(b("FAILOVER")), "ERR FAILOVER is not valid when server is a replica.")
        stop, counts = threading.Event(), {}

        def count(server):
            c = server.client()
            while not stop.is_set():
                reply = c("INCR", f"by{server.port}")
                if isinstance(reply, int):
                    counts[server.port] = reply
                elif not reply.startswith("READONLY"):
                    raise AssertionError(reply)
        writers = [threading.Thread(target=count, args=(s,)) for s in (ours, redis)]
        for w in writers:
            w.start()
        for master, replica in ((a, b), (b, a), (a, b)):
            time.sleep(0.3)
            equal(master("FAILOVER", "TIMEOUT", 20000), "OK")
            until(lambda: (info(master)["role"], info(replica)["role"], info(master)["master_failover_state"]) == ("slave", "master", "no-failover"), "the parts are exchanged")
            until(lambda: info(master)["master_link_status"] == "up", "the link comes up")
        stop.set()
        for w in writers:
            w.join()
        same_data(b, a)
        for port, n in counts.items():
            equal(int(b("GET", f"by{port}")), n)
        equal((info(a, "stats")["sync_full"], info(b, "stats")["sync_full"]), ("1", "0"))


for shards in (1, 2):
    tap.case(f"FAILOVER from ours to Redis and back under writes, {shards} shards")(lambda shards=shards: failover(shards))


@tap.case("a failover that waits is given up, and a replica is found by its name")
def _():
    with Ringwood(BINARY, shards=2) as master, Ringwood(BINARY, shards=2) as replica:
        m, r = master.client(), replica.client()
        equal(r("REPLICAOF", "no.such.host.invalid", master.port), "OK")
        begin = time.monotonic()
        equal(r("PING"), "PONG")
        if time.monotonic() - begin > 1:
            raise AssertionError("the name was looked up on the loop")
        equal(r("REPLICAOF", "localhost", master.port), "OK")
        until(lambda: info(r)["master_link_status"] == "up" and "state=online" in info(m).get("slave0", ""), "the link comes up at both ends")
        replica.process.send_signal(signal.SIGSTOP)
        m("SET", "a", "1")
        equal(m("FAILOVER", "TO", "127.0.0.1", replica.port), "OK")
        equal(info(m)["master_failover_state"], "waiting-for-sync")
        equal(m("GET", "a"), b"1")
        equal(str(m("REPLICAOF", "127.0.0.1", 1)), "ERR REPLICAOF not allowed while failing over.")
        equal(str(m("FAILOVER")), "ERR FAILOVER already in progress.")
        m.send(Resp.encode("SET", "a", "2"))  # waits for the end of it
        other = master.client()
        until(lambda: info(other, "clients")["blocked_clients"] == "1", "the write is held back")
        equal(other("FAILOVER", "ABORT"), "OK")
        equal(m.read(), "OK")
        replica.process.send_signal(signal.SIGCONT)
        same_data(m, r)
        equal((info(m)["role"], info(r)["role"]), ("master", "slave"))


@tap.case("SHUTDOWN waits until the replicas have everything")
def _():
    with Ringwood(BINARY, shards=2) as master, Ringwood(BINARY, shards=2) as replica:
        m = master.client()
        r = follow(replica, master.port)
        replica.process.send_signal(signal.SIGSTOP)
        m("SET", "a", "1")
        asker, other = master.client(), master.client()
        asker.send(Resp.encode("SHUTDOWN"))
        until(lambda: int(info(m, "server").get("shutdown_in_milliseconds", 0)) > 0, "it waits")
        other.send(Resp.encode("SHUTDOWN"))
        until(lambda: info(m, "clients")["blocked_clients"] == "2", "both wait")
        equal(m("SHUTDOWN", "ABORT"), "OK")
        equal([str(x.read()) for x in (asker, other)], ["ERR Errors trying to SHUTDOWN. Check logs."] * 2)
        equal(m("SET", "a", "2"), "OK")
        asker.send(Resp.encode("SHUTDOWN"))
        until(lambda: int(info(m, "server").get("shutdown_in_milliseconds", 0)) > 0, "it waits")
        replica.process.send_signal(signal.SIGCONT)
        equal(master.process.wait(20), 0)
        until(lambda: r("GET", "a") == b"2", "the last write is there")
        if "1 of 1 replicas are in sync" not in master.log_text():
            raise AssertionError(master.log_text()[-1000:])


@tap.case("redis-cli takes the functions alone, while a replica takes everything")
def _():
    with Ringwood(BINARY, shards=2) as ours, Redis() as replica:
        m = ours.client()
        m.pipeline([("SET", f"k{i}", "v") for i in range(100)])
        source = b"#!lua name=l\nredis.register_function('f', function() return 1 end)"
        m("FUNCTION", "LOAD", source)
        equal(str(m("REPLCONF", "rdb-filter-only", "keys")), "ERR Unsupported rdb-filter-only option: keys")
        r = replica.client()
        r("REPLICAOF", "127.0.0.1", ours.port)
        path = ours.directory + "/functions.rdb"
        run = subprocess.run(["redis-cli", "-p", str(ours.port), "--functions-rdb", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        equal(run.returncode, 0, run.stdout)
        with open(path, "rb") as f:
            image = f.read()
        equal((image[:5], source in image, b"k99" in image), (b"REDIS", True, False))
        until(lambda: info(r)["master_link_status"] == "up", "the link comes up")
        same_data(m, r)


@tap.case("who wants the image alone is let go with it")
def _():
    with Ringwood(BINARY, shards=2) as ours:
        ours.client()("SET", "k", "v")
        for capability in ("eof", "none"):
            c = ours.client(20)
            equal(c("REPLCONF", "capa", capability, "rdb-only", 1), "OK")
            c.send(Resp.encode("PSYNC", "?", "-1"))
            image = c.file.read()  # until the connection is closed
            equal((b"REDIS" in image, b"$EOF:" in image), (True, capability == "eof"))


@tap.case("SIGTERM ends a replica whatever is left to be loaded, and its master goes on without it")
def _():
    with Ringwood(BINARY, "--rdbcompression", "no", shards=2) as master, \
            Ringwood(BINARY, "--repl-diskless-load", "swapdb", "--key-load-delay", "1000", shards=2) as replica:
        m, r = master.client(), replica.client()
        m("DEBUG", "POPULATE", 20000, "k", 10000)
        r("REPLICAOF", "127.0.0.1", master.port)
        until(lambda: "Loading DB in memory" in replica.log_text(), "it loads")
        equal(replica.stop(seconds=10), 0)
        until(lambda: info(m, "persistence")["rdb_bgsave_in_progress"] == "0", "the image is given up", 10)


@tap.case("the place in the old history is kept until the new data set is here")
def _():
    with Redis("--repl-backlog-size", "4mb") as old, Ringwood(BINARY, shards=2) as new, Ringwood(BINARY, shards=2) as replica:
        o, n = old.client(), new.client()
        Writer(o, 41).burst(300)
        n("DEBUG", "POPULATE", 100, "k", 10)
        n("CONFIG", "SET", "rdb-key-save-delay", 1000000)
        r = follow(replica, old.port)
        r("REPLICAOF", "127.0.0.1", new.port)
        until(lambda: info(n, "persistence")["rdb_bgsave_in_progress"] == "1", "the image begins")
        time.sleep(0.3)
        follow(replica, old.port)
        same_data(o, r)
        equal((info(o, "stats")["sync_full"], info(o, "stats")["sync_partial_ok"]), ("1", "1"))


@tap.case("a replica's connection is no place for commands")
def _():
    with Ringwood(BINARY, shards=2) as master:
        for words, name in ((("GET", "foo"), "get"), (("SLOWLOG", "GET"), "slowlog|get"), (("PING",), "ping")):
            c = master.client(20)
            c.send(c.encode("PSYNC", "?", "-1"))
            until(lambda: c.file.readline() != b"\n", "it is let in")
            c.send(c.encode(*words))
            while c.socket.recv(65536):
                pass
            until(lambda name=name: f"Replica generated a reply to command '{name}', disconnecting it" in master.log_text(), "it is told", 10)
        equal(master.client()("PING"), "PONG")


@tap.case("a restart keeps the place: the replica goes on without a full sync")
def _():
    with Redis() as master, Ringwood(BINARY, shards=2) as ours:
        m = master.client()
        w = Writer(m, 8)
        r = follow(ours, master.port)
        w.burst(300)
        same_data(m, r)
        r("SAVE")
        ours.stop()
        w.burst(100)
        ours.arguments += ["--replicaof", f"127.0.0.1 {master.port}"]
        ours.start()
        r = ours.client()
        until(lambda: info(r)["master_link_status"] == "up", "the link comes up")
        same_data(m, r)
        equal(info(m, "stats")["sync_full"], "1")


@tap.case("a master with an append-only file follows one whose offset is smaller, and goes on answering")
def smaller_offset():
    for fsync in ("everysec", "always"):
        with Ringwood(BINARY, "--appendonly", "yes", "--appendfsync", fsync, shards=2) as a, Ringwood(BINARY, shards=2) as b, Ringwood(BINARY) as r:
            c = a.client(10)
            follow(r, a.port)  # so that there is a history
            for i in range(60):
                equal(c("SET", f"key:{i}", "x" * 20), "OK")
            equal(c("REPLICAOF", "127.0.0.1", b.port), "OK")
            until(lambda: info(c)["master_link_status"] == "up", "the link comes up", 20)
            equal(c("PING"), "PONG")
            equal(c("REPLICAOF", "NO", "ONE"), "OK")
            equal(c("SET", "key", "value"), "OK")
            equal(c("GET", "key"), b"value")


@tap.case("a replica whose data set was to be replaced, and was not, stands in no history that others know")
def broken_off():
    quiet = ("--repl-ping-replica-period", "3600")
    with Ringwood(BINARY, *quiet, "--repl-backlog-size", "16kb", shards=2) as master, Ringwood(BINARY, *quiet, "--repl-diskless-load", "on-empty-db", shards=2) as replica:
        m = master.client()
        r = follow(replica, master.port)
        history = info(m)["master_replid"]
        equal(info(r)["master_replid"], history)
        equal(r("REPLICAOF", "127.0.0.1", servers.free_port()), "OK")
        m.pipeline([("SET", f"k{i}", "x" * 100) for i in range(1000)])
        m("CONFIG", "SET", "rdb-key-save-delay", 3000)
        equal(r("REPLICAOF", "127.0.0.1", master.port), "OK")
        until(lambda: replica.log_text().count("Loading DB in memory") == 2, "the image comes")
        m("CONFIG", "SET", "requirepass", "so that it does not come again")
        equal(m("CLIENT", "KILL", "TYPE", "replica"), 1)
        until(lambda: "Failed trying to load" in replica.log_text(), "it breaks off")
        until(lambda: r("REPLICAOF", "NO", "ONE") == "OK", "the replica leads")
        equal((r("DBSIZE"), history in (info(r)["master_replid"], info(r)["master_replid2"])), (0, False))
        m("CONFIG", "SET", "requirepass", "")
        until(lambda: m("REPLICAOF", "127.0.0.1", replica.port) == "OK", "the master follows")
        until(lambda: info(m).get("master_link_status") == "up", "the link comes up")
        same_data(r, m)


ONLY = sys.argv[2:]
tap.cases = [c for c in tap.cases if not ONLY or any(a in c[0] for a in ONLY)]
tap.run(side_by_side=4)
