"""MIGRATE between two of our servers: what every pair of servers can do (tests/support/migration.py), and what only a server does that goes on working
meanwhile. For one, two and four shards."""
import sys
import threading
import time

from migration import PAIR_CASES, UNREAD, Held
from servers import Resp, Ringwood, Tap, equal, together, until

tap = Tap()
binary = sys.argv[1]


def info(c, field):
    for line in c("INFO", "everything").decode().splitlines():
        if line.startswith(field + ":"):
            return line[len(field) + 1:]
    return None


def links(server):
    return int(info(server.client(), "migrate_cached_sockets"))


def later(c, *command):
    """Sends a command and answers a function that waits for its reply."""
    c.send(Resp.encode(*command))
    return c.read


def links_are_kept(source, target):
    s = source.client()
    for i in range(20):
        s("SET", f"k{i}", i)
        equal(s("MIGRATE", "127.0.0.1", target.port, f"k{i}", 3, 5000), "OK")
    equal(links(source), 1)
    equal(int(info(target.client(), "total_connections_received")) < 12, True)
    until(lambda: links(source) == 0, "the link is closed", 14)
    s("SET", "k", 1)
    equal(s("MIGRATE", "localhost", target.port, "k", 3, 5000), "OK")  # a name
    equal(links(source), 1)
    target.stop()
    s("SET", "k", 1)
    equal(s("MIGRATE", "localhost", target.port, "k", 3, 5000), "IOERR error or timeout connecting to the client")
    equal(links(source), 0)


def others_go_on(source, target):
    """While one client waits for a target that does not answer, all others are served, on every thread."""
    a = source.client()
    a.pipeline([("SET", f"k{i}", i) for i in range(64)])
    others = [source.client() for _ in range(8)]
    with Held(target):
        answer = later(a, "MIGRATE", "127.0.0.1", target.port, "", 0, 1500, "KEYS", *(f"k{i}" for i in range(64)))
        end = time.monotonic() + 1
        slowest = 0
        while time.monotonic() < end:
            for c in others:
                start = time.monotonic()
                equal(c("GET", "k7"), b"7")
                slowest = max(slowest, time.monotonic() - start)
        if slowest > 0.7:
            raise AssertionError(f"somebody waited {slowest:.3f} s")
    equal(answer(), "OK")


def what_changes_meanwhile(source, target):
    """A key that is written while it is on its way arrives as it was last; one that is deleted does not."""
    s, o, t = source.client(), source.client(), target.client()
    names = ["set", "del", "expire", "incr", "recreate", "renamed", "still"]
    s.pipeline([("SET", n, 1) for n in names])
    with Held(target):
        answer = later(s, "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *names)
        time.sleep(0.3)
        o.pipeline([("SET", "set", "new"), ("DEL", "del"), ("EXPIRE", "expire", 100), ("INCRBY", "incr", 41), ("DEL", "recreate"),
                    ("RPUSH", "recreate", "a", "b"), ("RENAME", "renamed", "elsewhere")])
    equal(answer(), "OK")
    equal(o("KEYS", "*"), [b"elsewhere"])
    equal(t.pipeline([("GET", "set"), ("EXISTS", "del"), ("GET", "incr"), ("LRANGE", "recreate", 0, -1), ("EXISTS", "renamed"), ("GET", "still")]),
          [b"new", 0, b"42", [b"a", b"b"], 0, b"1"])
    if not 90 < t("TTL", "expire") <= 100:
        raise AssertionError("the time to live has not been sent")


def a_copy_is_of_its_moment(source, target):
    s, o, t = source.client(), source.client(), target.client()
    s("SET", "k", "old")
    with Held(target):
        answer = later(s, "MIGRATE", "127.0.0.1", target.port, "k", 0, 5000, "COPY")
        time.sleep(0.2)
        o("SET", "k", "new")
    equal(answer(), "OK")
    equal((s("GET", "k"), t("GET", "k")), (b"new", b"old"))


def no_write_is_lost(source, target):
    """Counters that several clients increase without a pause, while they are moved: every increment is here or there."""
    s, t = source.client(), target.client()
    for n in range(5):
        key, done, acknowledged = f"counter{n}", threading.Event(), []

        def increase(key=key, done=done, acknowledged=acknowledged):
            c = source.client()
            while not done.is_set():
                for reply in c.pipeline([("INCR", key)] * 20):
                    equal(isinstance(reply, int), True, reply)
                acknowledged.append(20)

        def move(key=key, done=done):
            try:
                until(lambda: s("EXISTS", key), "the counter")
                time.sleep(0.1)
                equal(s("MIGRATE", "127.0.0.1", target.port, key, 0, 10_000), "OK")
            finally:
                done.set()

        together(increase, increase, increase, move)
        equal(int(t("GET", key)) + int(s("GET", key) or 0), sum(acknowledged), key)


def streams_that_are_read(source, target):
    """Reading by a group changes a stream, and is not known by WATCH."""
    s, t = source.client(), target.client()
    entries = 60_000  # more than are read until it has moved
    for at in range(0, entries, 5000):
        s.pipeline([("XADD", "stream", f"1-{i + 1}", "f", i) for i in range(at, at + 5000)])
    s("XGROUP", "CREATE", "stream", "g", 0)
    delivered, done = [], threading.Event()

    def read():
        c = source.client()
        while not done.is_set():
            reply = c("XREADGROUP", "GROUP", "g", "me", "COUNT", 1, "STREAMS", "stream", ">")
            if isinstance(reply, list):
                delivered.append(reply)

    def move():
        until(lambda: len(delivered) > 100, "the reader is at work")
        equal(s("MIGRATE", "127.0.0.1", target.port, "stream", 0, 10_000), "OK")
        done.set()

    together(read, move)
    equal(t("XPENDING", "stream", "g")[0], len(delivered))
    if not 0 < len(delivered) < entries:
        raise AssertionError("the test has seen nothing")


def one_at_a_time(source, target):
    a, b = source.client(), source.client()
    a("SET", "k", "v")
    with Held(target):
        answer = later(a, "MIGRATE", "127.0.0.1", target.port, "k", 0, 5000)
        time.sleep(0.2)
        equal(b("MIGRATE", "127.0.0.1", target.port, "k", 0, 5000), "TRYAGAIN Another MIGRATE of the same key is under way")
        equal(b("MIGRATE", "127.0.0.1", target.port, "other", 0, 5000), "NOKEY")
    equal(answer(), "OK")
    equal(b("MIGRATE", "127.0.0.1", target.port, "k", 0, 5000), "NOKEY")
    equal(target.client()("GET", "k"), b"v")


def after_a_failure(source, target):
    """A key that could not be sent is an ordinary key again."""
    s = source.client()
    s("SET", "k", "v")
    for _ in range(3):
        with Held(target):
            equal(s("MIGRATE", "127.0.0.1", target.port, "k", 0, 150), UNREAD)
        equal(s("APPEND", "k", "+") > 1, True)
    equal(s("MIGRATE", "127.0.0.1", target.port, "k", 0, 5000, "REPLACE"), "OK")
    equal(target.client()("GET", "k"), b"v+++")


def many_at_once(source, target):
    """More clients than links are kept for one target."""
    clients = [source.client() for _ in range(100)]
    c = source.client()
    c.pipeline([("SET", f"k{i}", i) for i in range(1000)])
    for j in range(0, 1000, 100):
        answers = [later(clients[i], "MIGRATE", "127.0.0.1", target.port, f"k{j + i}", 0, 10_000) for i in range(100)]
        equal({a() for a in answers}, {"OK"})
    equal((c("DBSIZE"), target.client()("DBSIZE")), (0, 1000))
    equal(links(source) <= 64 * 4, True)


def transactions_and_scripts(source, target):
    s, t = source.client(), target.client()
    s.pipeline([("SET", "a", 1), ("SET", "b", 2), ("WATCH", "a"), ("MULTI",)])
    for words in (("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", "a", "b"), ("INCR", "c"), ("MIGRATE", "127.0.0.1", target.port, "x", 0, 5000)):
        equal(s(*words), "QUEUED")
    equal(s("EXEC"), ["OK", 1, "NOKEY"])
    equal((s("EXISTS", "a", "b"), t("GET", "a"), t("GET", "b")), (0, b"1", b"2"))
    s("SET", "d", 1)
    s("WATCH", "d")
    equal(source.client()("MIGRATE", "127.0.0.1", target.port, "d", 0, 5000), "OK")
    s("MULTI")
    s("PING")
    equal(s("EXEC"), None)  # a key that is moved has changed
    s("SET", "e", 1)
    reply = s("EVAL", f"return redis.call('migrate', '127.0.0.1', '{target.port}', KEYS[1], 0, 1000)", 1, "e")
    equal(str(reply).startswith("ERR This Redis command is not allowed from script"), True, reply)
    equal(s("GET", "e"), b"1")


def what_others_see(source, target):
    """Replicas, keyspace events and the log of secrets."""
    s, e = source.client(), source.client()
    s("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    with Ringwood(binary, "--replicaof", "127.0.0.1", source.port) as replica:
        r = replica.client()
        s("SET", "a{x}", 1)
        s("SET", "b{x}", 1)
        s("SET", "stays", 1)
        until(lambda: r("DBSIZE") == 3, "the replica has the keys")
        s("CONFIG", "SET", "notify-keyspace-events", "Eg")
        e("SUBSCRIBE", "__keyevent@0__:del")
        s("CONFIG", "SET", "slowlog-log-slower-than", 0)
        equal(s("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "AUTH2", "default", "hidden", "KEYS", "a{x}", "b{x}"), "OK")
        equal([e.read()[2], e.read()[2]], [b"a{x}", b"b{x}"])
        until(lambda: r("DBSIZE") == 1, "the replica has been told")
        equal(r("MIGRATE", "127.0.0.1", target.port, "stays", 0, 5000), "READONLY You can't write against a read only replica.")
        logged = [entry[3] for entry in s("SLOWLOG", "GET", 20) if entry[3][0] == b"MIGRATE"]
        equal(logged[0][6:9], [b"AUTH2", b"(redacted)", b"(redacted)"])


def clients_that_leave(source, target):
    for i in range(20):
        c = source.client()
        c("SET", f"k{i}", i)
        c.send(Resp.encode("MIGRATE", "127.0.0.1", target.port, f"k{i}", 0, 5000))
        c.close()
    until(lambda: target.client()("DBSIZE") == 20, "all have been moved")
    until(lambda: source.client()("DBSIZE") == 0, "none is left")


def asking(source, _target):
    c = source.client()
    c("SET", "k", "value")
    payload = c("DUMP", "k")
    equal(c("RESTORE-ASKING", "k", 0, payload), "BUSYKEY Target key name already exists.")
    equal(c("RESTORE-ASKING", "k2", 0, payload), "OK")
    equal(c("GET", "k2"), b"value")


OWN_CASES = {
    "links are kept for a while": links_are_kept,
    "others are served meanwhile": others_go_on,
    "what changes meanwhile arrives": what_changes_meanwhile,
    "a copy is of its moment": a_copy_is_of_its_moment,
    "no write is lost": no_write_is_lost,
    "streams that are read meanwhile": streams_that_are_read,
    "a key is moved by one at a time": one_at_a_time,
    "a key is itself again after a failure": after_a_failure,
    "many at once": many_at_once,
    "transactions and scripts": transactions_and_scripts,
    "what others see": what_others_see,
    "clients that leave": clients_that_leave,
    "RESTORE-ASKING": asking,
}


def run(case, shards):
    with Ringwood(binary, shards=shards) as source, Ringwood(binary, shards=3 - shards % 2) as target:
        return case(source, target)


for name, case in {**PAIR_CASES, **OWN_CASES}.items():
    for n in (1, 2, 4):
        tap.case(f"{name}, {n} shards")(lambda c=case, n=n: run(c, n))
tap.run(side_by_side=4)
