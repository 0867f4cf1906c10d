"""What tests of replication have in common: following and comparing, a writer of everything, and proxies that throttle or cut a link.

    from following import Cuttable, Throttle, Writer, follow, info, over_cut_links, same_data
"""
import random
import socket
import threading
import time

from servers import Resp, equal, until


def info(client, section="replication"):
    lines = client("INFO", section).decode().split("\r\n")
    return dict(line.split(":", 1) for line in lines if ":" in line)


def follow(replica, master_port, seconds=60):
    c = replica.client()
    equal(c("REPLICAOF", "127.0.0.1", master_port), "OK")
    until(lambda: info(c)["master_link_status"] == "up", "the link comes up", seconds)
    return c


def same_data(*clients, seconds=60):
    """All of them have what the first one has."""
    # Keys go on expiring, each at the master's moment: that they agree is asked again until it is so, and they stand still in the end.
    def settled():
        offsets = {info(c).get("slave_repl_offset", info(c)["master_repl_offset"]) for c in clients}
        return len(offsets) == 1 and len({c("DEBUG", "DIGEST") for c in clients}) == 1
    until(settled, "the same offset and the same digest everywhere", seconds)


def shut(*sockets):
    for s in sockets:
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def carry(x, y, rate=0, change=bytes):
    """What x says to y, changed as it is told, until one of them ends; at so many bytes a second, or (0) as it comes."""
    due = time.monotonic()
    try:
        while data := x.recv(16384 if rate else 65536):
            if rate:
                due = max(due, time.monotonic() - 0.05) + len(data) / rate
                time.sleep(max(0, due - time.monotonic()))
            y.sendall(change(data))
    except OSError:
        pass
    shut(x, y)


class Proxy:
    """A TCP proxy to the port, on `at` or a port of its own. What the server says goes through changed(), and so many bytes of it a second (0: as it comes)."""
    rate = 0

    def __init__(self, port, at=0):
        self.target, self.pairs = port, []
        self.listener = socket.create_server(("127.0.0.1", at))
        self.port = self.listener.getsockname()[1]
        self.accepting = threading.Thread(target=self.accept, daemon=True)
        self.accepting.start()

    def accept(self):
        while True:
            try:
                a, _ = self.listener.accept()
                b = self.connect()
            except OSError:
                return
            self.pairs.append((a, b))
            threading.Thread(target=carry, args=(a, b), daemon=True).start()
            threading.Thread(target=carry, args=(b, a, self.rate, self.changed), daemon=True).start()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.target))

    def changed(self, data):
        return data

    def close(self):
        # A socket on which a thread waits in accept() goes on listening when it is closed, and takes one more connection.
        shut(self.listener)
        self.accepting.join()
        self.listener.close()


class Throttle(Proxy):
    """Lets so many bytes a second through from the server to who has connected."""

    def __init__(self, port, rate):
        self.rate = rate
        super().__init__(port)

    def connect(self):
        b = socket.socket()
        b.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        b.connect(("127.0.0.1", self.target))
        return b


class Writer:
    """Writes of all types in several databases, with transactions and expiry; a seed makes it the same each time. Without `soon` nothing expires while a test runs: for
    those who follow and let keys expire by a clock of their own."""

    def __init__(self, client, seed, soon=True):
        self.client, self.random = client, random.Random(seed)
        self.px, self.ex = ((30, 100, 100000), (0, 1, 100)) if soon else ((100000, 200000, 300000), (0, 100, 200))
        self.number = 0

    def value(self):
        r = self.random
        return bytes(r.randrange(256) for _ in range(r.choice((1, 8, 40, 300))))

    def key(self, kind):
        return f"{kind}:{self.random.randrange(60)}"

    def command(self):
        r = self.random
        k = self.key
        return r.choice((
            lambda: ("SET", k("s"), self.value()), lambda: ("SET", k("s"), self.value(), "PX", r.choice(self.px)),
            lambda: ("APPEND", k("s"), "x"), lambda: ("INCRBY", k("n"), r.randrange(-9, 9)), lambda: ("INCRBYFLOAT", k("f"), "0.1"),
            lambda: ("SETRANGE", k("s"), r.randrange(50), "abc"), lambda: ("SETBIT", k("b"), r.randrange(500), 1),
            lambda: ("DEL", k(r.choice("snlhz"))), lambda: ("EXPIRE", k(r.choice("slhz")), r.choice(self.ex)), lambda: ("PERSIST", k("s")),
            lambda: ("LPUSH", k("l"), self.value(), "b"), lambda: ("RPOP", k("l")), lambda: ("LTRIM", k("l"), 0, 20),
            lambda: ("LMOVE", k("l"), k("l"), "LEFT", "RIGHT"),
            lambda: ("SADD", k("t"), r.randrange(40), self.value()), lambda: ("SPOP", k("t"), r.choice((1, 2))), lambda: ("SUNIONSTORE", k("t"), k("t"), k("t")),
            lambda: ("HSET", k("h"), r.randrange(30), self.value()), lambda: ("HDEL", k("h"), r.randrange(30)), lambda: ("HINCRBY", k("h"), "n", 1),
            lambda: ("ZADD", k("z"), r.random(), r.randrange(50)), lambda: ("ZINCRBY", k("z"), 1, r.randrange(50)), lambda: ("ZPOPMIN", k("z")),
            lambda: ("XADD", k("x"), "*", "f", self.value()), lambda: ("XTRIM", k("x"), "MAXLEN", 20), lambda: ("PFADD", k("p"), r.randrange(10000)),
            lambda: ("MSET", k("s"), 1, k("s"), 2), lambda: ("RENAME", "s:1", "s:2"), lambda: ("COPY", k("s"), k("s"), "REPLACE"),
        ))()

    def burst(self, n):
        commands = []
        while len(commands) < n:
            if self.random.randrange(20) == 0:
                commands.append(("SELECT", self.random.randrange(4)))
            if self.random.randrange(15) == 0:
                commands += [("MULTI",), self.command(), self.command(), ("EXEC",)]
            commands.append(self.command())
        for reply in self.client.pipeline(commands):
            if isinstance(reply, Resp.Error) and not reply.startswith(("WRONGTYPE", "ERR no such key", "ERR value is not", "ERR hash value", "ERR source and")):
                raise AssertionError(reply)
        self.number += n


class Cuttable(Proxy):
    """Its connections can be cut."""

    def cut(self):
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            shut(*pair)

    def close(self):
        super().close()
        self.cut()


def over_cut_links(master, replica, cuts, seed):
    """The replica follows over a link that is cut while the master is written to: it comes back by a partial resync each time."""
    proxy = Cuttable(master.port)
    m = master.client()
    w = Writer(m, seed)
    r = follow(replica, proxy.port)
    for number in range(cuts):
        w.burst(300)
        proxy.cut()
        w.burst(100)
        until(lambda: int(info(m, "stats")["sync_partial_ok"]) > number and info(r)["master_link_status"] == "up", "the link comes back")
    same_data(m, r)
    stats = info(m, "stats")
    equal((stats["sync_full"], stats["sync_partial_ok"]), ("1", str(cuts)))
    proxy.close()
