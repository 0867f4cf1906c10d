"""Cases of MIGRATE that hold for any pair of servers, ours or Redis; and what makes keys of every kind."""
import signal
import threading
import time

from servers import Resp, equal, free_port

REFUSED = "IOERR error or timeout connecting to the client"
UNWRITTEN = "IOERR error or timeout writing to target instance"
UNREAD = "IOERR error or timeout reading to target instance"


def fill(c, prefix=""):
    """Keys of every type and of several sizes; answers their names."""
    commands = []
    for n in (3, 2000):
        commands += [
            ("SET", f"string{n}", "x" * n), ("SET", f"volatile{n}", "y" * n, "PX", 3_600_000 + n), ("SET", f"number{n}", n),
            ("RPUSH", f"list{n}", *range(n)), ("SADD", f"intset{n}", *range(n)), ("SADD", f"set{n}", *(f"m{i}" for i in range(n))),
            ("HSET", f"hash{n}", *(x for i in range(n) for x in (f"f{i}", f"v{i}"))),
            ("ZADD", f"zset{n}", *(x for i in range(n) for x in (i / 3, f"m{i}"))),
            *(("XADD", f"stream{n}", f"1-{i + 1}", "field", i) for i in range(n)),
            ("XGROUP", "CREATE", f"stream{n}", "g", 0), ("XREADGROUP", "GROUP", "g", "one", "COUNT", 2, "STREAMS", f"stream{n}", ">"),
            ("PFADD", f"hll{n}", *range(n)),
        ]
    place = {"XGROUP": 2, "XREADGROUP": 7}
    named = []
    for k in commands:
        at = place.get(k[0], 1)
        named.append((*k[:at], prefix + str(k[at]), *k[at + 1:]))
    for reply in c.pipeline(named):
        if isinstance(reply, Resp.Error):
            raise AssertionError(reply)
    return sorted({k[place.get(k[0], 1)] for k in named})


def digests(c, keys):
    return c.pipeline([("DEBUG", "DIGEST-VALUE", k) for k in keys])


class Held:
    """A server that answers nobody for a while: stopped as a process, so that its sockets still take bytes."""

    def __init__(self, server):
        self.process = server.process

    def __enter__(self):
        self.process.send_signal(signal.SIGSTOP)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)


def everything_moves(source, target):
    s, t = source.client(), target.client()
    keys = fill(s)
    before = digests(s, keys)
    for k in keys[::2]:
        equal(s("MIGRATE", "127.0.0.1", target.port, k, 0, 5000), "OK", k)
    equal(s("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys[1::2]), "OK")
    equal(s("DBSIZE"), 0)
    equal(digests(t, keys), before)
    left = t("PTTL", "volatile3")
    if not 3_500_000 < left <= 3_600_003:
        raise AssertionError(f"{left} ms are left")
    equal(t("PTTL", "string3"), -1)


def other_databases(source, target):
    s, t = source.client(), target.client()
    s("SELECT", 5)
    for n in range(4):  # by the same link: it must be told where to go each time that this changes
        s("SET", "k", n)
        equal(s("MIGRATE", "127.0.0.1", target.port, "k", 7 + n // 2, 5000, "REPLACE"), "OK")
    t("SELECT", 7)
    equal(t("GET", "k"), b"1")
    t("SELECT", 8)
    equal(t("GET", "k"), b"3")
    s("SET", "k", "x")
    equal(s("MIGRATE", "127.0.0.1", target.port, "k", 1000, 5000), "ERR Target instance replied with error: ERR DB index is out of range")
    equal(s("GET", "k"), b"x")
    equal(s("MIGRATE", "127.0.0.1", target.port, "k", 7, 5000, "REPLACE"), "OK")
    t("SELECT", 7)
    equal(t("GET", "k"), b"x")


def missing_and_busy(source, target):
    s, t = source.client(), target.client()
    equal(s("MIGRATE", "127.0.0.1", target.port, "nothing", 0, 5000), "NOKEY")
    equal(s("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", "n1", "n2"), "NOKEY")
    s.pipeline([("SET", k, "here") for k in "abc"])
    t("SET", "b", "there")
    busy = "ERR Target instance replied with error: BUSYKEY Target key name already exists."
    equal(s("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", "n1", "a", "b", "n2", "c"), busy)
    equal(s.pipeline([("EXISTS", k) for k in "abc"]), [0, 1, 0])
    equal(t.pipeline([("GET", k) for k in "abc"]), [b"here", b"there", b"here"])
    equal(s("MIGRATE", "127.0.0.1", target.port, "b", 0, 5000, "COPY"), busy)
    equal(s("MIGRATE", "127.0.0.1", target.port, "b", 0, 5000, "COPY", "REPLACE"), "OK")
    equal((s("GET", "b"), t("GET", "b")), (b"here", b"here"))
    equal(s("MIGRATE", "127.0.0.1", target.port, "b", 0, 5000, "REPLACE"), "OK")
    equal(s("EXISTS", "b"), 0)


def passwords(source, target):
    s, t = source.client(), target.client()
    equal(t("ACL", "SETUSER", "mover", "on", ">secret", "~*", "+@all"), "OK")
    equal(t("CONFIG", "SET", "requirepass", "word"), "OK")
    s.pipeline([("SET", k, k) for k in ("k1", "k2", "k3")])
    before = "ERR Target instance replied with error: "
    for options, error in (
            ((), "NOAUTH Authentication required."),
            (("AUTH", "wrong"), "WRONGPASS invalid username-password pair or user is disabled."),
            (("AUTH2", "mover", "word"), "WRONGPASS invalid username-password pair or user is disabled.")):
        equal(s("MIGRATE", "127.0.0.1", target.port, "k1", 0, 5000, *options), before + error, options)
        equal(s("GET", "k1"), b"k1")
    equal(s("MIGRATE", "127.0.0.1", target.port, "k1", 0, 5000, "AUTH", "word"), "OK")
    equal(s("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "AUTH2", "mover", "secret", "KEYS", "k2"), "OK")
    equal(s("MIGRATE", "127.0.0.1", target.port, "k3", 0, 5000, "AUTH", "word", "COPY"), "OK")
    t("AUTH", "word")
    equal(t("CONFIG", "SET", "requirepass", ""), "OK")
    equal([t("GET", k) for k in ("k1", "k2", "k3")], [b"k1", b"k2", b"k3"])
    equal([s("EXISTS", k) for k in ("k1", "k2", "k3")], [0, 0, 1])


def nobody_there(source, _target):
    s = source.client()
    s("SET", "k", "v")
    for host, port in (("127.0.0.1", free_port()), ("no.such.host.invalid", 1), ("127.0.0.1", "notaport")):
        reply = s("MIGRATE", host, port, "k", 0, 2000)
        # Redis itself says "writing" where a connection is refused later than it looks.
        equal(reply in (REFUSED, UNWRITTEN), True, reply)
    equal(s("GET", "k"), b"v")


def too_slow(source, target):
    s = source.client()
    s("SET", "k", "v")
    with Held(target):
        start = time.monotonic()
        equal(s("MIGRATE", "127.0.0.1", target.port, "k", 0, 400), UNREAD)
        took = time.monotonic() - start
    if not 0.35 < took < 3:
        raise AssertionError(f"a timeout of 400 ms took {took:.3f} s")
    equal(s("GET", "k"), b"v")
    equal(s("MIGRATE", "127.0.0.1", target.port, "k", 0, 5000, "REPLACE"), "OK")


def target_dies(source, target):
    """What has not been acknowledged stays."""
    s = source.client()
    keys = [f"k{i}" for i in range(100)]
    s.pipeline([("SET", k, "x" * 200_000) for k in keys])
    with Held(target):
        killer = threading.Timer(0.5, target.process.kill)
        killer.start()
        reply = s("MIGRATE", "127.0.0.1", target.port, "", 0, 20_000, "KEYS", *keys)
        killer.join()
        target.process.wait()
    if not isinstance(reply, Resp.Error) or not reply.startswith("IOERR error or timeout"):
        raise AssertionError(reply)
    equal(s("DBSIZE"), 100)


def large_values(source, target):
    s, t = source.client(), target.client()
    s("SET", "string", "0123456789abcdef" * (3 << 20))
    s.pipeline([("HSET", "hash", *(x for i in range(j, j + 1000) for x in (f"field{i}", "v" * 40))) for j in range(0, 100_000, 1000)])
    before = digests(s, ["string", "hash"])
    equal(s("MIGRATE", "127.0.0.1", target.port, "", 0, 20_000, "KEYS", "string", "hash"), "OK")
    equal(digests(t, ["string", "hash"]), before)
    equal(s("DBSIZE"), 0)


def mistakes(source, target):
    s = source.client()
    s("SET", "k", "v")
    whole = ("MIGRATE", "127.0.0.1", target.port, "k", 0, 1000)
    syntax, number = "ERR syntax error", "ERR value is not an integer or out of range"
    for words, error in (
            ((*whole, "NOSUCH"), syntax), ((*whole, "AUTH"), syntax), ((*whole, "AUTH2", "user"), syntax),
            ((*whole, "KEYS", "a"), "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"),
            ((*whole[:4], "zero", 1000), number), ((*whole[:5], "soon"), number),
            (whole[:5], "ERR wrong number of arguments for 'migrate' command")):
        equal(s(*words), error, words)
    equal(s("MIGRATE", "127.0.0.1", target.port, "", 0, 1000, "KEYS"), "NOKEY")


PAIR_CASES = {
    "keys of every type move, one and many at a time": everything_moves,
    "another database is selected where it must be": other_databases,
    "missing keys, keys that are there already, COPY and REPLACE": missing_and_busy,
    "AUTH and AUTH2, right and wrong": passwords,
    "a target that is not there": nobody_there,
    "a target that does not answer in time": too_slow,
    "a target that dies in the middle": target_dies,
    "large values": large_values,
    "wrong arguments": mistakes,
}
