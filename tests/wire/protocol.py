"""How requests are read and replies written: whole, in pieces, pipelined, wrong, large. For one, two and four shards."""
import random
import socket
import sys
import time

from servers import Resp, Ringwood, Tap, equal

tap = Tap()
SHARDS = (1, 2, 4)
running = {}


def per_shards(name):
    def add(f):
        for shards in SHARDS:
            tap.case(f"{name}, {shards} shards")(lambda shards=shards: f(running[shards]))
        return f
    return add


def raw(server):
    s = socket.create_connection(("127.0.0.1", server.port), 20)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_exactly(s, n):
    data = b""
    while len(data) < n:
        piece = s.recv(n - len(data))
        if not piece:
            raise ConnectionError(f"closed after {data!r}")
        data += piece
    return data


def read_to_end(s):
    data = b""
    while True:
        piece = s.recv(65536)
        if not piece:
            return data
        data += piece


@per_shards("a request split at every byte is one request")
def split(server):
    stream = Resp.encode("SET", "split", b"a\x00\r\nb") + b"GET split\r\n" + Resp.encode("DEL", "split")
    wanted = b"+OK\r\n$5\r\na\x00\r\nb\r\n:1\r\n"
    with raw(server) as s:
        for at in range(1, len(stream)):
            s.sendall(stream[:at])
            time.sleep(0.002)
            s.sendall(stream[at:])
            equal(read_exactly(s, len(wanted)), wanted, f"split at {at}")


@per_shards("WAIT without replicas answers at once, and checks what it is given")
def wait_alone(server):
    c = server.client()
    c("SET", "waited", "v")
    equal(c("WAIT", 0, 0), 0)
    begin = time.monotonic()
    equal(c("WAIT", 1, 100), 0)
    equal(0.09 < time.monotonic() - begin < 10, True)
    for arguments, error in ((("x", 100), "ERR value is not an integer or out of range"), ((1, -1), "ERR timeout is negative")):
        equal(c("WAIT", *arguments), error)


@per_shards("a stream of single bytes is understood")
def single_bytes(server):
    with raw(server) as s:
        for byte in Resp.encode("SET", "slow", "value") + Resp.encode("GET", "slow"):
            s.sendall(bytes([byte]))
            time.sleep(0.0005)
        equal(read_exactly(s, 16), b"+OK\r\n$5\r\nvalue\r\n")


@per_shards("replies of a deep pipeline stand in order")
def deep(server):
    c = server.client()
    n = 20000
    replies = c.pipeline([x for i in range(n) for x in (("SET", f"deep:{i}", i), ("GET", f"deep:{i}"), ("PING", i))])
    for i in range(n):
        equal(replies[3 * i:3 * i + 3], ["OK", str(i).encode(), str(i).encode()], f"request {i}")


@per_shards("several connections with pipelines do not mix")
def several(server):
    clients = [server.client() for _ in range(20)]
    for round_number in range(20):
        for number, c in enumerate(clients):
            c.send(b"".join(Resp.encode("SET", f"c{number}:{i}", f"{number}.{round_number}.{i}") + Resp.encode("GET", f"c{number}:{i}") for i in range(50)))
        for number, c in enumerate(clients):
            for i in range(50):
                equal(c.read(), "OK")
                equal(c.read(), f"{number}.{round_number}.{i}".encode())


@per_shards("commands over all shards keep their place in a pipeline")
def across(server):
    c = server.client()
    commands, wanted = [], []
    for i in range(300):
        commands += [("SET", f"a{i}", i), ("MSET", f"a{i}", i + 1, f"b{i}", i + 2, f"c{i}", i + 3), ("GET", f"a{i}"), ("MGET", f"a{i}", f"b{i}", f"c{i}"), ("DEL", f"a{i}", f"b{i}"), ("GET", f"a{i}")]
        wanted += ["OK", "OK", str(i + 1).encode(), [str(i + k).encode() for k in (1, 2, 3)], 2, None]
    equal(c.pipeline(commands), wanted)


@per_shards("large values come and go whole, in any pieces")
def large(server):
    seed = 20240607
    rng = random.Random(seed)
    c = server.client()
    for size in (16383, 16384, 65535, 65536, 300000, 1 << 20, 9 << 20):
        value = rng.randbytes(size)
        stream = Resp.encode("SET", "large", value) + Resp.encode("STRLEN", "large")
        at = 0
        while at < len(stream):
            n = rng.choice((1, 100, 5000, 70000, 1 << 20, 1 << 24))
            c.send(stream[at:at + n])
            at += n
            if rng.random() < 0.3:
                time.sleep(0.001)
        equal(c.read(), "OK", f"seed {seed}, size {size}")
        equal(c.read(), size)
        equal(c("GET", "large") == value, True, f"seed {seed}, size {size}")


@per_shards("two large arguments and what follows them are kept apart")
def two_large(server):
    c = server.client()
    a, b = b"a" * 200000, b"b" * 300000
    stream = Resp.encode("MSET", "la", a, "lb", b) + Resp.encode("PING") * 3
    for at in range(0, len(stream), 40000):
        c.send(stream[at:at + 40000])
        time.sleep(0.002)
    equal([c.read() for _ in range(4)], ["OK", "PONG", "PONG", "PONG"])
    equal(c("MGET", "la", "lb") == [a, b], True)


@per_shards("protocol errors are told in Redis's words, behind earlier replies, and the connection closes")
def errors(server):
    for wrong, text in ((b"*x\r\n", "invalid multibulk length"), (b"*1\r\nfoo\r\n", "expected '$', got 'f'"), (b"*1\r\n$-5\r\n", "invalid bulk length"),
                        (b"*1\r\n$600000000\r\n", "invalid bulk length"), (b'get "x\r\n', "unbalanced quotes in request"),
                        (b"*3000000000\r\n", "invalid multibulk length"), (b"x" * 70000, "too big inline request"),
                        (b"*" + b"1" * 70000, "too big mbulk count string"), (b"*1\r\n$" + b"1" * 70000, "too big bulk count string")):
        with raw(server) as s:
            s.sendall(Resp.encode("SET", "before", "1") + b"PING\r\n" + wrong)
            equal(read_to_end(s), f"+OK\r\n+PONG\r\n-ERR Protocol error: {text}\r\n".encode())


@per_shards("inline commands, empty requests and unknown commands")
def inline(server):
    with raw(server) as s:
        s.sendall(b"\r\n*0\r\nset 'in line' \"\\x41\"\r\n  get  'in line'\nnosuch a b\r\n")
        wanted = b"+OK\r\n$1\r\nA\r\n-ERR unknown command 'nosuch', with args beginning with: 'a' 'b' \r\n"
        equal(read_exactly(s, len(wanted)), wanted)


@per_shards("what came before the end of the stream is answered")
def half_closed(server):
    with raw(server) as s:
        s.sendall(b"MSET e1 1 e2 2 e3 3\r\nMGET e1 e2 e3\r\nPING\r\n")
        s.shutdown(socket.SHUT_WR)
        equal(read_to_end(s), b"+OK\r\n*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n+PONG\r\n")


@per_shards("RESP3 is spoken after HELLO 3, and RESP2 again after RESET")
def hello(server):
    c = server.client()
    reply = c("HELLO", "3", "SETNAME", "three")
    equal((reply[b"proto"], reply[b"role"], reply[b"modules"]), (3, b"master", []))
    c.send(Resp.encode("GET", "absent:key"))
    equal(c.file.readline(), b"_\r\n")
    equal(c("CLIENT", "GETNAME"), b"three")
    equal(c("RESET"), "RESET")
    c.send(Resp.encode("GET", "absent:key"))
    equal(c.file.readline(), b"$-1\r\n")
    equal(str(c("HELLO", "4")), "NOPROTO unsupported protocol version")
    equal(str(c("HELLO", "x")), "ERR Protocol version is not an integer or out of range")
    equal(str(c("HELLO", "2", "NONSENSE")), "ERR Syntax error in HELLO option 'NONSENSE'")


@per_shards("nothing behind QUIT is executed")
def quit_stops(server):
    with raw(server) as s:
        s.sendall(b"SET q 1\r\nQUIT\r\nSET q 2\r\n")
        equal(read_to_end(s), b"+OK\r\n+OK\r\n")
    equal(server.client()("GET", "q"), b"1")


@per_shards("a database is chosen for what follows in the same pipeline")
def select(server):
    c = server.client()
    equal(c.pipeline([("SELECT", 1), ("SET", "sel", "one"), ("SELECT", 0), ("GET", "sel"), ("SELECT", 1), ("GET", "sel"), ("DEL", "sel"), ("SELECT", 0)]),
          ["OK", "OK", "OK", None, "OK", b"one", 1, "OK"])
    equal(str(c("SELECT", 99)), "ERR DB index is out of range")
    equal(str(c("SELECT", "x")), "ERR value is not an integer or out of range")


if __name__ == "__main__":
    servers = [Ringwood(sys.argv[1], shards=n) for n in SHARDS]
    try:
        for n, s in zip(SHARDS, servers):
            running[n] = s.start()
        tap.run()
    finally:
        for s in servers:
            s.__exit__()
