"""Publish and subscribe over sockets: subscribers on every thread, floods, disconnects in the middle of them, both protocols."""
import random
import socket
import sys
import threading
import time

from servers import Resp, Ringwood, Tap, equal, together, until

tap = Tap()
BINARY = sys.argv[1]


def per_shards(name, *options):
    return tap.per_shards(name, lambda shards: Ringwood(BINARY, *options, shards=shards))


def subscriber(server, *channels, resp=2, command="SUBSCRIBE"):
    c = server.client()
    if resp == 3:
        c("HELLO", "3")
    equal(c(command, *channels)[0], command.lower().encode())
    for _ in channels[1:]:
        c.read()
    return c


def fields(c):
    return dict(part.split("=", 1) for part in c("CLIENT", "INFO").decode().strip().split(" "))


def in_threads(*jobs):
    together(*jobs, seconds=300)


@per_shards("each subscriber gets every message of each publisher in its order")
def order(server):
    messages, publishers = 3000, 3
    listeners = [subscriber(server, "flood", resp=2 + n % 2) for n in range(8)] + [subscriber(server, "fl*", resp=2 + n % 2, command="PSUBSCRIBE") for n in range(4)]

    def publish(who):
        c = server.client()
        for base in range(0, messages, 50):
            equal(c.pipeline([("PUBLISH", "flood", f"{who}:{base + i}") for i in range(50)]), [len(listeners)] * 50)
        c.close()

    def listen(c):
        seen = [0] * publishers
        for _ in range(messages * publishers):
            who, n = map(int, c.read()[-1].split(b":"))
            equal(n, seen[who], f"of publisher {who}")
            seen[who] += 1
    in_threads(*[lambda w=w: publish(w) for w in range(publishers)], *[lambda c=c: listen(c) for c in listeners])


@per_shards("subscribers come, leave and break off while messages flood in, and nothing of them is left")
def churn(server):
    stop = threading.Event()
    seed = random.randrange(1 << 30)
    print(f"# seed {seed}", flush=True)

    def publish():
        c = server.client()
        while not stop.is_set():
            for n in c.pipeline([(random.choice(("PUBLISH", "SPUBLISH")), f"c{i % 5}", "x" * 200) for i in range(64)]):
                if not isinstance(n, int):
                    raise AssertionError(n)
        c.close()

    def come_and_go(number):
        rng = random.Random(seed + number)
        for _ in range(60):
            c = subscriber(server, *rng.sample(["c0", "c1", "c2", "c3", "c4"], 3), resp=rng.choice((2, 3)), command=rng.choice(("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE")))
            for _ in range(rng.randrange(30)):
                c.read()
            how = rng.randrange(5)
            if how == 0:  # with a command under way
                c.send(Resp.encode("UNSUBSCRIBE") + Resp.encode("SUBSCRIBE", "c1"))
            elif how == 1:
                c.send(Resp.encode("QUIT"))
            elif how == 2:
                c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, with messages unread
            elif how == 3:
                c.send(Resp.encode("RESET"))
                while c.read() != "RESET":
                    pass
                equal(c("PING"), "PONG")
            c.close()

    def all_then_stop():
        try:
            in_threads(*[lambda n=n: come_and_go(n) for n in range(6)])
        finally:
            stop.set()
    in_threads(publish, publish, all_then_stop)
    c = server.client()
    until(lambda: b"pubsub_channels:0\r\npubsub_patterns:0\r\npubsubshard_channels:0" in c("INFO", "stats"), "nobody is subscribed", 60)
    equal(b"pubsub_clients:0" in c("INFO", "clients"), True)
    until(lambda: len(c("CLIENT", "LIST").splitlines()) == 1, "all are gone", 60)


@per_shards("after UNSUBSCRIBE has been answered nothing comes any more")
def nothing_after(server):
    stop = threading.Event()

    def publish():
        c = server.client()
        while not stop.is_set():
            c.pipeline([("PUBLISH", "c", "m")] * 100)
        c.close()

    def toggle():
        try:
            clients = [server.client() for _ in range(5)]
            for _ in range(40):
                for c in clients:
                    equal(c("SUBSCRIBE", "c"), [b"subscribe", b"c", 1])
                for c in clients:
                    equal(c.read(), [b"message", b"c", b"m"])
                    c.send(Resp.encode("UNSUBSCRIBE", "c"))
                    while (m := c.read())[0] == b"message":
                        pass
                    equal(m, [b"unsubscribe", b"c", 0])
                    equal(c("PING"), "PONG")
        finally:
            stop.set()
    in_threads(publish, toggle)


@per_shards("a message that follows from another comes behind it, whoever sends the two")
def causes(server):
    listeners = [subscriber(server, "c", resp=2 + n % 2) for n in range(8)]
    rounds, crew = 400, [server.client() for _ in range(6)]

    def relay():  # each publishes when the one before it has been answered
        for n in range(rounds):
            crew[n % len(crew)]("PUBLISH", "c", n)

    def listen(c):
        for n in range(rounds):
            equal(c.read()[-1], b"%d" % n)

    def noise():  # keeps the threads busy
        c = server.client()
        for _ in range(60):
            c.pipeline([("SET", f"k{i}", "v") for i in range(300)])
    in_threads(relay, noise, noise, *[lambda c=c: listen(c) for c in listeners])


@per_shards("the events of a key come in the order of its changes, of commands for one shard and for several", "--notify-keyspace-events", "K$g")
def key_events(server):
    listeners = [subscriber(server, "__keyspace@0__:k", resp=2 + n % 2) for n in range(6)]
    rng, c = random.Random(7), server.client()
    expected, done = [], threading.Event()

    def write():
        commands = [(b"set", ("SET", "k", "1")), (b"append", ("APPEND", "k", "1")), (b"expire", ("EXPIRE", "k", 1000)),
                    (b"set", ("MSET", "k", "1", *[x for i in range(8) for x in (f"other{i}", "1")]))]
        for event, command in [commands[0], *rng.choices(commands, k=1500), (b"del", ("DEL", *[f"other{i}" for i in range(8)], "k"))]:
            c(*command)
            expected.append(event)
        done.set()

    def listen(s):
        got = []
        while not got or got[-1] != b"del":
            got.append(s.read()[2])
        done.wait(60)
        equal(got, expected)
    in_threads(write, *[lambda s=s: listen(s) for s in listeners])


@per_shards("an event of a key that expires is told soon after its time", "--notify-keyspace-events", "Ex")
def expired(server):
    s, c = subscriber(server, "__keyevent@0__:expired"), server.client()
    names = {b"e%d" % i for i in range(20)}
    for name in names:
        c("SET", name, "v", "PX", 50)
    begun = time.monotonic()
    equal({s.read()[2] for _ in names}, names)
    if time.monotonic() - begun > 5:
        raise AssertionError("late")


@per_shards("CLIENT LIST and INFO know subscribers, and KILL TYPE pubsub ends them")
def client_commands(server):
    a = subscriber(server, "a", "b", resp=3)
    a("PSUBSCRIBE", "p*")
    a("SSUBSCRIBE", "s")
    got = fields(a)
    equal((got["sub"], got["psub"], got["ssub"], got["flags"]), ("2", "1", "1", "P"))
    others = [subscriber(server, "a") for _ in range(4)]
    c = server.client()
    got = fields(c)
    equal((got["sub"], got["psub"], got["ssub"], got["flags"]), ("0", "0", "0", "N"))
    until(lambda: len(c("CLIENT", "LIST", "TYPE", "normal").splitlines()) == 1, "one normal client", 60)
    equal(len(c("CLIENT", "LIST", "TYPE", "pubsub").splitlines()), 5)
    equal(c("CLIENT", "KILL", "TYPE", "pubsub"), 5)
    for s in others:
        equal(s.socket.recv(10), b"")
    until(lambda: c("PUBSUB", "NUMSUB", "a") == [b"a", 0], "the channel is empty", 60)
    equal(c("PUBLISH", "a", "m"), 0)


@tap.case("a subscriber that does not read is closed above the limit of its class, and an idle one is never closed for that")
def limits():
    with Ringwood(BINARY, "--client-output-buffer-limit", "pubsub 2mb 0 0", "--client-output-buffer-limit", "normal 1kb 0 0", "--timeout", 1, shards=2) as server:
        slow, idle, c = subscriber(server, "c"), subscriber(server, "quiet"), server.client()
        idle.socket.settimeout(20)
        for _ in range(200):
            c("PUBLISH", "c", b"x" * 100000)
        until(lambda: "client-output-buffer-limit" in server.log_text(), "the slow one is closed", 60)
        until(lambda: c("PUBSUB", "NUMSUB", "c") == [b"c", 0], "it is no subscriber any more", 60)
        for _ in range(30):
            equal(c("PING"), "PONG")
            time.sleep(0.1)
        equal(c("PUBLISH", "quiet", "still there?"), 1)
        equal(idle.read(), [b"message", b"quiet", b"still there?"])
        slow.close()


@per_shards("who watched keys or was subscribed and breaks off leaves nothing that a change or message could reach")
def watchers(server):
    c = server.client()
    for n in range(40):
        s = server.client()
        s("HELLO", "3")
        s("WATCH", *[f"k{i}" for i in range(6)])
        if n % 2:
            s("SUBSCRIBE", "c")
        s.close()
        c.pipeline([("SET", f"k{i}", n) for i in range(6)] + [("PUBLISH", "c", "m")])
    until(lambda: len(c("CLIENT", "LIST").splitlines()) == 1, "all are gone", 60)
    equal(c.pipeline([("SET", f"k{i}", "v") for i in range(6)]), ["OK"] * 6)


if __name__ == "__main__":
    tap.run()
