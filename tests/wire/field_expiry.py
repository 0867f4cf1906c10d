"""Fields of hashes that expire, on a real server: they go by themselves and in time, and their times last over a restart. For one, two and four shards."""
import shutil
import sys
import tempfile
import time

from servers import Resp, Ringwood, Tap, equal

tap = Tap()
SHARDS = (1, 2, 4)
binary = sys.argv[1]


def info(c, section, field):
    for line in c("INFO", section).decode().splitlines():
        if line.startswith(field + ":"):
            return line[len(field) + 1:]
    return None


def until(what, seconds=20):
    """What it takes, in seconds, until the condition holds."""
    start = time.monotonic()
    while not what():
        if time.monotonic() - start > seconds:
            raise AssertionError("it did not happen")
        time.sleep(0.001)
    return time.monotonic() - start


def fields_go(shards):
    with Ringwood(binary, shards=shards) as server:
        c = server.client()
        names = [f"f{i}" for i in range(3000)]
        for h in range(8):  # small and large ones, on all shards
            some = names if h % 2 else names[:20]
            c("HSET", f"h{h}", "stays", "v", *(x for n in some for x in (n, "v")))
            equal(c("HPEXPIRE", f"h{h}", 300, "FIELDS", len(some), *some), [1] * len(some))
        equal(c("OBJECT", "ENCODING", "h0"), b"listpackex")
        equal(c("OBJECT", "ENCODING", "h1"), b"hashtable")
        equal(info(c, "keyspace", "db0").split(",")[-1], "subexpiry=8")
        time.sleep(0.3)
        took = until(lambda: all(n == 1 for n in c.pipeline([("HLEN", f"h{h}") for h in range(8)])))
        if took > 2:  # 12,080 fields; a busy machine is forgiven much
            raise AssertionError(f"{took} seconds late")
        equal(info(c, "stats", "expired_subkeys"), str(4 * 3020))
        equal(info(c, "keyspace", "db0").split(",")[-1], "subexpiry=0")
        equal(c("HGETALL", "h1"), [b"stays", b"v"])
        c("HPEXPIRE", "h1", 1, "FIELDS", 1, "stays")
        until(lambda: c("EXISTS", "h1") == 0)


def times_last(shards, version):
    folder = tempfile.mkdtemp(prefix="ringwood-test-")
    try:
        with Ringwood(binary, "--rdb-version", version, shards=shards, directory=folder) as server:
            c = server.client()
            c("HSET", "small", "a", 1, "b", 2)
            c("HPEXPIREAT", "small", 4102444800123, "FIELDS", 1, "a")
            for i in range(1000):
                c("HSETEX", "large", "PXAT", 4102444800000 + i, "FIELDS", 1, f"f{i}", "v" * 30)
            c("HSET", "plain", "a", 1)
            equal(c("SAVE"), "OK")
            with open(f"{folder}/dump.rdb", "rb") as f:
                equal(f.read(9), b"REDIS0012")
            digest = c("DEBUG", "DIGEST")
            equal(c("DEBUG", "RELOAD"), "OK")
            equal(c("DEBUG", "DIGEST"), digest)
            payload = c("DUMP", "large")
            equal(c("RESTORE", "again", 0, payload), "OK")
            equal(c("HPEXPIRETIME", "again", "FIELDS", 2, "f0", "f999"), [4102444800000, 4102444800999])
        with Ringwood(binary, shards=shards, directory=folder) as server:
            c = server.client()
            equal(c("DEBUG", "DIGEST"), digest)
            equal(c("HPEXPIRETIME", "small", "FIELDS", 2, "a", "b"), [4102444800123, -1])
            equal(c("HPEXPIRETIME", "large", "FIELDS", 2, "f0", "f999"), [4102444800000, 4102444800999])
            equal(c("OBJECT", "ENCODING", "plain"), b"listpack")
            c("DEL", "small", "large")
            equal(c("SAVE"), "OK")
            with open(f"{folder}/dump.rdb", "rb") as f:
                equal(f.read(9), b"REDIS0010")  # nothing needs more
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def strings_compared(shards):
    with Ringwood(binary, shards=shards) as server:
        c = server.client()
        equal(c("HELLO", 3)[b"proto"], 3)
        equal(c("MSETEX", 3, "a", 1, "b", 2, "c", 3, "EX", 100, "NX"), 1)
        equal(c.pipeline([("TTL", k) for k in "abc"]), [100] * 3)
        equal(c("SET", "a", 2, "IFEQ", 2), None)
        equal(c("SET", "a", 2, "IFEQ", 1), "OK")
        equal(c("DELIFEQ", "a", 2), 1)
        equal(c("DELEX", "b", "IFDEQ", c("DIGEST", "b")), 1)
        equal(isinstance(c("DELEX", "b", "IFDEQ", "x"), Resp.Error), True)


for n in SHARDS:
    tap.case(f"fields go in time, {n} shards")(lambda n=n: fields_go(n))
    for v in (10, 12):
        tap.case(f"times last over a restart, version {v}, {n} shards")(lambda n=n, v=v: times_last(n, v))
    tap.case(f"strings are set and deleted by what they hold, {n} shards")(lambda n=n: strings_compared(n))

if __name__ == "__main__":
    tap.run()
