#!/usr/bin/env python3
"""ACL rules beside redis-server: the same random rules to both, and the same questions (ACL SETUSER's errors, GETUSER, DRYRUN) answered alike; then redis-py
with users, and its client-side caching.

    acl_interop.py RINGWOOD-SERVER [USERS]
The peer is Debian's redis-server 7.0, or what REDIS_SERVER names. 7.0 writes the command rules of a user anew, 7.2 (and we) keeps them as they were given: they
are compared where the peer is a 7.2, what they allow always.
"""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from servers import Redis, Ringwood, Tap, equal, until  # noqa: E402

BINARY = sys.argv[1]
USERS = int(sys.argv[2]) if len(sys.argv) > 2 else 400
SEED = int(os.environ.get("RINGWOOD_SEED", random.randrange(1 << 30)))
tap = Tap()

COMMANDS = ["get", "set", "mget", "mset", "del", "hset", "hget", "lpush", "blpop", "zadd", "sort", "copy", "config", "config|get", "config|set", "client|list",
            "client", "acl", "acl|whoami", "select", "ping", "publish", "subscribe", "psubscribe", "xread", "object|encoding", "flushall", "georadius", "bitfield"]
CATEGORIES = ["read", "write", "keyspace", "string", "hash", "list", "sortedset", "fast", "slow", "admin", "dangerous", "connection", "pubsub", "blocking", "all"]
PATTERNS = ["a*", "b", "*", "a", "[ab]c", "c?", "key:*", "\\*", ""]
QUESTIONS = [("GET", "a"), ("GET", "b"), ("SET", "a", "1"), ("SET", "b", "1", "GET"), ("MGET", "a", "b", "key:1"), ("MSET", "a", "1", "cx", "2"), ("DEL", "ac"),
             ("COPY", "a", "b"), ("SORT", "a", "STORE", "b"), ("BLPOP", "a", "b", "0"), ("CONFIG", "GET", "x"), ("CONFIG", "SET", "x", "1"), ("CLIENT", "LIST"),
             ("ACL", "WHOAMI"), ("SELECT", "0"), ("SELECT", "1"), ("PING",), ("PUBLISH", "a", "x"), ("PUBLISH", "news", "x"), ("SUBSCRIBE", "a", "b"),
             ("PSUBSCRIBE", "a*"), ("PSUBSCRIBE", "news"), ("XREAD", "STREAMS", "a", "b", "0", "0"), ("OBJECT", "ENCODING", "a"), ("FLUSHALL",), ("AUTH", "x"),
             ("GEORADIUS", "a", "0", "0", "1", "m", "STORE", "b"), ("BITFIELD", "a", "GET", "u8", "0"), ("BITFIELD", "a", "SET", "u8", "0", "1"), ("NOSUCH",),
             ("ZADD", "a", "1", "x"), ("HGET", "key:1", "f"), ("EXEC",), ("GET",), ("CONFIG", "NOSUCH")]


def rule(r):
    kind = r.random()
    if kind < 0.25:
        return r.choice("+-") + r.choice(COMMANDS)
    if kind < 0.4:
        return r.choice("+-") + "@" + r.choice(CATEGORIES)
    if kind < 0.6:
        return r.choice(["~", "%R~", "%W~", "%RW~", "%rw~", "%~", "%X~", "%RR~"][:5 if r.random() < 0.9 else 8]) + r.choice(PATTERNS)
    if kind < 0.7:
        return "&" + r.choice(PATTERNS + ["news"])
    if kind < 0.8:
        inside = [w for w in (rule(r) for _ in range(r.randrange(4))) if not w.startswith("(")]
        return "(" + " ".join(inside) + ")"
    if kind < 0.85:
        return r.choice(["+select|0", "+select|1", "+config|nosuch", "-select|0", "+config|get|x", "+nosuch", "-nosuch", "+@nosuch", "+", "nosuch"])
    return r.choice(["on", "off", "nopass", "resetpass", "allkeys", "resetkeys", "allchannels", "resetchannels", "allcommands", "nocommands", "reset",
                     "clearselectors", "sanitize-payload", "skip-sanitize-payload", ">secret", ">other", "<secret", "#" + "0" * 64, "!" + "0" * 64, "#xyz"])


def fields(reply):
    return dict(zip(reply[::2], reply[1::2])) if reply else None


@tap.case(f"{USERS} users of random rules (seed {SEED})")
def rules():
    r = random.Random(SEED)
    with Redis() as redis, Ringwood(BINARY, shards=2) as ours:
        theirs, mine = redis.client(), ours.client()
        verbatim = b"redis_version:7.2" in theirs("INFO", "server")
        shown = b"flags", b"passwords", b"keys", b"channels"
        for n in range(USERS):
            name = f"user{n}"
            for _ in range(r.randrange(1, 5)):
                rules = [rule(r) for _ in range(r.randrange(1, 6))]
                equal(mine("ACL", "SETUSER", name, *rules), theirs("ACL", "SETUSER", name, *rules), f"SETUSER {rules}")
                a, b = fields(mine("ACL", "GETUSER", name)), fields(theirs("ACL", "GETUSER", name))
                if a is None or b is None:
                    equal(a, b, f"GETUSER after {rules}")
                    continue
                if not verbatim:  # 7.0 does not show it
                    a[b"flags"] = [flag for flag in a[b"flags"] if flag != b"sanitize-payload"]
                    b[b"flags"] = [flag for flag in b[b"flags"] if flag != b"sanitize-payload"]
                for field in shown + ((b"commands", b"selectors") if verbatim else ()):
                    equal(a[field], b[field], f"{field} after {rules}")
            if not a:
                continue
            for q in QUESTIONS:
                answer = mine("ACL", "DRYRUN", name, *q)
                if not verbatim and isinstance(answer, bytes):
                    answer = answer.replace(b"User " + name.encode(), b"This user")
                equal(answer, theirs("ACL", "DRYRUN", name, *q), f"DRYRUN {q} of {a}")
        if verbatim:
            equal(mine("ACL", "LIST"), theirs("ACL", "LIST"))


@tap.case("the same ACL file is read by both, and what ours saves")
def file():
    lines = "user default on nopass ~* &* +@all\nuser bob on >p ~a* %R~b resetchannels &c -@all +@read -hget (~x +set)\nuser eve off\n"
    with Redis() as probe:
        text = os.path.join(probe.directory, "users.acl")
        with open(text, "w") as f:
            f.write(lines)
        with Redis("--aclfile", text) as redis, Ringwood(BINARY, "--aclfile", text, shards=2) as ours:
            theirs, mine = redis.client(), ours.client()
            equal(mine("ACL", "USERS"), theirs("ACL", "USERS"))
            equal(mine("AUTH", "bob", "p"), "OK")
            equal(mine("GET", "b"), None)
            equal(str(mine("SET", "b", "1")), "NOPERM No permissions to access a key")
            mine = ours.client()
            equal(mine("ACL", "SETUSER", "carl", "on", ">q", "+get", "~k"), "OK")
            equal(mine("ACL", "SAVE"), "OK")
            equal(theirs("ACL", "LOAD"), "OK")
            equal(theirs("ACL", "DRYRUN", "carl", "GET", "k"), "OK")
            with open(text, "a") as f:
                f.write("user broken +nosuch\n")
            equal(str(mine("ACL", "LOAD")), str(theirs("ACL", "LOAD")))
            equal(mine("ACL", "USERS"), [b"bob", b"carl", b"default", b"eve"])


@tap.case("redis-py: users, their connections when they are removed, and who may do what")
def redis_py():
    import redis as py
    with Ringwood(BINARY, shards=2) as ours:
        admin = py.Redis(port=ours.port, decode_responses=True)
        admin.acl_setuser("app", enabled=True, passwords=["+secret"], keys=["app:*"], commands=["+@all", "-@dangerous"])
        assert admin.acl_getuser("app")["enabled"]
        apps = [py.Redis(port=ours.port, username="app", password="secret", decode_responses=True, single_connection_client=True) for _ in range(4)]
        for n, app in enumerate(apps):
            app.set(f"app:{n}", "x")
            equal(app.acl_whoami(), "app")
            for forbidden in (lambda: app.get("other"), lambda: app.flushall()):
                try:
                    forbidden()
                except py.exceptions.NoPermissionError:
                    continue
                raise AssertionError("it was allowed")
        equal(len([c for c in admin.client_list() if c["user"] == "app"]), 4)
        assert admin.acl_log()[0]["username"] == "app"
        equal(admin.acl_deluser("app"), 1)
        until(lambda: not [c for c in admin.client_list() if c["user"] == "app"], "their connections are closed")
        try:
            py.Redis(port=ours.port, username="app", password="secret").ping()
        except py.exceptions.ResponseError as e:
            return equal(str(e), "WRONGPASS invalid username-password pair or user is disabled.")
        raise AssertionError("a removed user was let in")


@tap.case("redis-py: client-side caching by redirection to a subscriber")
def caching():
    import redis as py
    with Ringwood(BINARY, shards=2) as ours:
        listener = py.Redis(port=ours.port, decode_responses=True)
        channel = py.client.PubSub(connection_pool=listener.connection_pool)
        channel.subscribe("__redis__:invalidate")
        reader = py.Redis(port=ours.port, decode_responses=True, single_connection_client=True)
        writer = py.Redis(port=ours.port)
        until(lambda: channel.get_message(timeout=1) is not None, "it has subscribed")
        number = [c["id"] for c in reader.client_list() if c["sub"] == "1"][0]
        reader.client_tracking_on(clientid=int(number))
        for n in range(8):
            reader.get(f"k{n}")
            writer.set(f"k{n}", "1")
            equal(channel.get_message(timeout=5)["data"], [f"k{n}"])


if __name__ == "__main__":
    tap.run()
