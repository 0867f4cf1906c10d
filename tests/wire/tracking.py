"""Client-side caching over sockets: what is told to whom and when, with readers, writers and redirections on every thread."""
import sys
import threading

from servers import Resp, Ringwood, Tap, equal, until

tap = Tap()
BINARY = sys.argv[1]
KEYS = [f"key:{n}" for n in range(16)]  # on every shard


def per_shards(name, *options):
    return tap.per_shards(name, lambda shards: Ringwood(BINARY, *options, shards=shards))


def tracker(server, *options, resp=3):
    c = server.client()
    if resp == 3:
        c("HELLO", "3")
    equal(c("CLIENT", "TRACKING", "ON", *options), "OK")
    return c


def clients(server, n=4):
    """On all threads: connections are dealt out in turn."""
    return [server.client() for _ in range(n)]


def info(c, field):
    for line in c("INFO").decode().splitlines():
        if line.startswith(field + ":"):
            return int(line.split(":")[1])
    raise AssertionError(f"no {field}")


def invalid(*keys):
    return [b"invalidate", [k.encode() for k in keys]]


def nothing_more(c):
    equal(c("PING", "end"), b"end")


@per_shards("a reader is told once of each key that changes, whoever changes it")
def reader(server):
    c = tracker(server)
    for k in KEYS:
        c("GET", k)
    for w in clients(server):
        for k in KEYS:
            w("SET", k, "1")
    equal(sorted(c.read()[1][0] for _ in KEYS), sorted(k.encode() for k in KEYS))
    nothing_more(c)
    equal(info(c, "tracking_total_keys"), 0)
    c("MGET", *KEYS)
    equal(info(c, "tracking_total_keys"), len(KEYS))
    equal(info(c, "tracking_clients"), 1)
    server.client()("DEL", *KEYS)
    equal(sorted(c.read()[1][0] for _ in KEYS), sorted(k.encode() for k in KEYS))
    nothing_more(c)


@per_shards("a client's own changes come behind its reply, and not at all with NOLOOP")
def own(server):
    for k in KEYS[:4]:
        c = tracker(server)
        c("SET", k, "1")
        c("GET", k)
        equal(c("INCR", k), 2)
        equal(c.read(), invalid(k))
        c("GET", k)
        c("MULTI")
        c("INCR", k)
        c("GET", k)
        equal(c("EXEC"), [3, b"3"])
        equal(c.read(), invalid(k))
        nothing_more(c)
        equal(c("CLIENT", "TRACKING", "ON", "NOLOOP"), "OK")
        c("GET", k)
        c("INCR", k)
        nothing_more(c)
        c.close()


@per_shards("what EXEC and several keys' commands read is remembered")
def several(server):
    c = tracker(server)
    w = server.client()
    c("MULTI")
    for k in KEYS:
        c("GET", k)
    c("EXEC")
    w("MSET", *[x for k in KEYS for x in (k, "1")])
    equal(sorted(c.read()[1][0] for _ in KEYS), sorted(k.encode() for k in KEYS))
    nothing_more(c)


@per_shards("of a script what its commands read is remembered, and what they write is told behind its reply")
def scripts(server):
    c = tracker(server)
    w = server.client()
    for k in KEYS[:4]:
        equal(c("EVAL", "return redis.call('set', KEYS[1], '1')", "1", k), "OK")
        w("SET", k, "2")
        nothing_more(c)
        equal(c("EVAL", "return redis.call('get', KEYS[1])", "1", k), b"2")
        w("SET", k, "3")
        equal(c.read(), invalid(k))
        c("GET", k)
        equal(c("EVAL", "redis.call('incr', KEYS[1]) return redis.call('get', KEYS[1])", "1", k), b"4")
        equal(c.read(), invalid(k))
        nothing_more(c)


@per_shards("prefixes: all changes of a round in one message for each prefix")
def prefixes(server):
    for w in clients(server):
        c = tracker(server, "BCAST", "PREFIX", "key:", "PREFIX", "other:")
        w("MSET", *[x for k in KEYS for x in (k, "1")])
        equal(c.read(), invalid(*sorted(KEYS)))
        w("SET", "third:1", "x")
        w("SET", "other:1", "x")
        equal(c.read(), invalid("other:1"))
        nothing_more(c)
        equal(str(c("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "key")),
              "ERR Prefix 'key' overlaps with an existing prefix 'key:'. Prefixes for a single client must not overlap.")
        c.close()


@per_shards("redirection to a subscriber that speaks RESP2, and what becomes of it when that one goes")
def redirection(server):
    readers = []
    for _ in range(4):
        target = server.client()
        number = target("CLIENT", "ID")
        target("SUBSCRIBE", "__redis__:invalidate")
        readers.append((tracker(server, "REDIRECT", str(number)), target, number))
    w = server.client()
    for c, target, number in readers:
        equal(c("CLIENT", "GETREDIR"), number)
        for k in KEYS:
            c("GET", k)
            w("SET", k, "1")
            equal(target.read(), [b"message", b"__redis__:invalidate", [k.encode()]])
    for c, target, number in readers:
        c("GET", KEYS[0])
        target.close()
    until(lambda: info(w, "pubsub_clients") == 0, "the targets have gone")
    w("SET", KEYS[0], "2")
    for c, target, number in readers:
        equal(c.read(), [b"tracking-redir-broken", number])
        assert b"broken_redirect" in c("CLIENT", "TRACKINGINFO")[b"flags"]
        nothing_more(c)
    equal(str(w("CLIENT", "TRACKING", "ON", "REDIRECT", "999999")), "ERR The client ID you want redirect to does not exist")


@per_shards("FLUSHALL tells everybody once, OPTIN and OPTOUT obey CLIENT CACHING for one command")
def flush_and_options(server):
    all_kinds = [tracker(server), tracker(server, "BCAST"), tracker(server, "NOLOOP"), tracker(server)]
    w = server.client()
    all_kinds[0]("GET", KEYS[0])
    w("FLUSHALL")
    for c in all_kinds:
        equal(c.read(), [b"invalidate", None])
        nothing_more(c)
        equal(c("CLIENT", "TRACKING", "OFF"), "OK")
    opt_in = tracker(server, "OPTIN")
    opt_out = tracker(server, "OPTOUT")
    for k in KEYS[:4]:
        opt_in("GET", k)
        equal(opt_in("CLIENT", "CACHING", "YES"), "OK")
        opt_in("GET", k + "x")
        opt_in("GET", k + "y")
        opt_out("CLIENT", "CACHING", "NO")
        opt_out("GET", k)
        opt_out("GET", k + "x")
        for key in (k, k + "x", k + "y"):
            w("SET", key, "1")
        equal(opt_in.read(), invalid(k + "x"))
        equal(opt_out.read(), invalid(k + "x"))
        nothing_more(opt_in)
        nothing_more(opt_out)


@per_shards("keys that expire are told of, and the table stays within its limit")
def expiry_and_limit(server):
    c = tracker(server)
    w = server.client()
    for k in KEYS[:4]:
        w("SET", k, "1", "PX", "50")
        c("GET", k)
        equal(c.read(), invalid(k))
    w("CONFIG", "SET", "tracking-table-max-keys", "5")
    for k in KEYS:
        c.send(Resp.encode("GET", k))
    told = 0
    for _ in range(2 * len(KEYS) - 5):
        reply = c.read()
        told += isinstance(reply, list)
    equal(told, len(KEYS) - 5)
    until(lambda: info(w, "tracking_total_keys") == 5, "the limit is kept")


@per_shards("a limit that is lowered: as many keys are forgotten as there are too many, not one more, whichever threads do it at once")
def lowered_limit(server):
    c, w = tracker(server), server.client()
    for _ in range(60):
        w("CONFIG", "SET", "tracking-table-max-keys", "1000000")
        c.pipeline([("GET", f"key:{n}") for n in range(400)])
        w("CONFIG", "SET", "tracking-table-max-keys", "7")
        until(lambda: info(w, "tracking_total_keys") <= 7, "the limit is kept")
        equal(info(w, "tracking_total_keys"), 7)
        w("FLUSHALL")
        told = 0
        while (push := c.read())[1] is not None:
            told += len(push[1])
        equal(told, 393)


@per_shards("readers, writers and those who leave all at once: no copy stays that is out of date")
def storm(server):
    rounds, stop = 150, threading.Event()

    def write():
        w = server.client()
        n = 0
        while not stop.is_set():
            n += 1
            for k in KEYS:
                w("SET", k, str(n))
        w.close()

    def read(seed):
        for _ in range(5):
            c = tracker(server)
            copies = {}
            for i in range(rounds):
                k = KEYS[(i * seed) % len(KEYS)]
                c.send(Resp.encode("GET", k))
                while True:
                    r = c.read()
                    if not isinstance(r, list):
                        break
                    copies.pop(r[1][0].decode(), None)
                copies[k] = r
            c.close()

    def watch(c, final):
        copies = {}
        for _ in range(40):
            for k in KEYS:
                c.send(Resp.encode("GET", k))
                while isinstance(r := c.read(), list):
                    copies.pop(r[1][0].decode(), None)
                copies[k] = r
        final.append((c, copies))
    final = []
    threads = [threading.Thread(target=write) for _ in range(2)]
    readers = [threading.Thread(target=read, args=(s,)) for s in (1, 3, 5)] + [threading.Thread(target=watch, args=(tracker(server), final)) for _ in range(3)]
    for t in threads + readers:
        t.start()
    for t in readers:
        t.join(120)
    stop.set()
    for t in threads:
        t.join(60)
    w = server.client()
    for c, copies in final:
        c.send(Resp.encode("PING"))
        while isinstance(r := c.read(), list):
            copies.pop(r[1][0].decode(), None)
        for k, v in copies.items():
            equal(v, w("GET", k), f"the copy of {k}")
    equal(len(final), 3)


if __name__ == "__main__":
    tap.run()
