#!/usr/bin/env python3
"""Makes redis7_payloads.h anew: starts a redis-server 7.0 (argument 1: its path), fills it, and keeps what DUMP, DEBUG DIGEST and SAVE give."""
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import time

port = random.randint(20000, 60000)
folder = tempfile.mkdtemp()
server = subprocess.Popen([sys.argv[1], "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--enable-debug-command", "yes"],
                          stdout=subprocess.DEVNULL)
try:
    for _ in range(100):
        try:
            link = socket.create_connection(("127.0.0.1", port))
            break
        except OSError:
            time.sleep(0.05)
    stream = link.makefile("rb")

    def reply():
        line = stream.readline()
        if line[:1] in b"+-:":
            return line[1:-2]
        n = int(line[1:])
        if line[:1] == b"$":
            return None if n < 0 else stream.read(n + 2)[:-2]
        return [reply() for _ in range(n)]

    def run(*words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        link.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return reply()

    strings = {"int8": -7, "int16": 12345, "int32": -1234567, "int64": 1234567890123, "embstr": "hello", "raw": "x" * 10 + "0123456789" * 8, "empty": "",
               "binary": b"\x00\xff\r\n\x80", "lzf": "abc" * 30}
    for name, value in strings.items():
        run("set", name, value)
    run("rpush", "list-listpack", "a", 1, -5000, "hello world", 2**40, "")
    for i in range(300):
        run("rpush", "list-quicklist", "element-%d-%s" % (i, "y" * 30))
    run("config", "set", "list-max-listpack-size", 3)
    run("rpush", "list-nodes", *range(10))
    run("sadd", "set-intset", 1, 2, 3, -70000, 5000000000)
    run("sadd", "set-small", "a", "b", "c", 17)
    run("zadd", "zset-listpack", 1, "one", 2.5, "two", "-inf", "low", "+inf", "high", 3, "33", 1e100, "big")
    run("config", "set", "zset-max-listpack-entries", 2)
    run("zadd", "zset-skiplist", 1, "one", 2.5, "two", "-inf", "low", "+inf", "high", 0.1, "tenth")
    run("hset", "hash-listpack", "f", "v", "n", 100, "long", "z" * 40)
    run("config", "set", "hash-max-listpack-entries", 2)
    run("hset", "hash-table", "f", "v", "n", 100, "long", "z" * 70, "binary", b"\x00\x01")
    run("xadd", "stream", "5-1", "f", "v", "n", 1)
    run("xadd", "stream", "5-2", "f", "w", "n", 2)
    run("xadd", "stream", "7-0", "other", b"\x00", "binary", 2**40)
    run("xadd", "stream", "8-0", "f", "x", "n", 300)
    run("xdel", "stream", "5-2")
    run("xadd", "stream-empty", "7-7", "f", "v")
    run("xdel", "stream-empty", "7-7")
    run("config", "set", "stream-node-max-entries", 7)
    for i in range(1, 101):
        run("xadd", "stream-groups", "%d-%d" % (i, i % 3), "field-%d" % (i % 20 // 19), i)
    run("xtrim", "stream-groups", "maxlen", 90)
    run("xgroup", "create", "stream-groups", "17", "0")
    run("xgroup", "create", "stream-groups", "unknown", "50-2")
    run("xreadgroup", "group", "17", "alice", "count", 20, "streams", "stream-groups", ">")
    run("xreadgroup", "group", "17", "bob", "count", 5, "streams", "stream-groups", ">")
    run("xreadgroup", "group", "unknown", "carol", "count", 1, "streams", "stream-groups", ">")
    run("xgroup", "createconsumer", "stream-groups", "unknown", "idle")
    run("xack", "stream-groups", "17", "11-2", "12-0")
    run("xclaim", "stream-groups", "17", "bob", 0, "14-2", "15-0")
    run("xdel", "stream-groups", "20-2")
    names = list(strings) + ["list-listpack", "list-quicklist", "list-nodes", "set-intset", "set-small", "zset-listpack", "zset-skiplist", "hash-listpack", "hash-table"]
    streams = ["stream", "stream-empty", "stream-groups"]
    payloads = [(n, run("dump", n), run("debug", "digest-value", n)[0].decode()) for n in names]
    run("config", "set", "rdbcompression", "no")  # so that the bytes can be compared
    payloads += [(n, run("dump", n), run("debug", "digest-value", n)[0].decode()) for n in streams]
    run("config", "set", "rdbcompression", "yes")
    run("pexpireat", "embstr", 4102444800000)
    run("select", 3)
    run("set", "other-db", 1)
    run("hset", "h", "a", "b")
    run("select", 0)
    run("function", "load", '#!lua name=mylib\nredis.register_function("f",function() return 1 end)')
    digest = run("debug", "digest").decode()
    run("save")
    image = (pathlib.Path(folder) / "dump.rdb").read_bytes()
finally:
    server.terminate()
    server.wait()


def quoted(data):
    text = data.hex()
    return "\n".join('     "%s"' % text[i : i + 120] for i in range(0, len(text), 120))


here = pathlib.Path(__file__).parent
head = (here / "redis7_payloads.h").read_text().split("constexpr Payload kPayloads[] = {\n")[0]
body = "".join('    {"%s",\n%s,\n     "%s"},\n' % (n, quoted(d), g) for n, d, g in payloads)
tail = """};

// Databases 0 and 3, one key that expires in 2100, a function library.
constexpr const char* kFile =
%s;
constexpr const char* kFileDigest = "%s";
constexpr int kFileKeys = %d;

}  // namespace ringwood::redis7
""" % (quoted(image), digest, len(payloads) + 2)
(here / "redis7_payloads.h").write_text(head + "constexpr Payload kPayloads[] = {\n" + body + tail)
