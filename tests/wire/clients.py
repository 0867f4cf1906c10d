"""CLIENT, and redis-py as an ordinary user: both protocols, one shard and several."""
import sys
import threading
import time

from servers import Resp, Ringwood, Tap, equal, until

tap = Tap()
BINARY = sys.argv[1]


def per_shards(name):
    return tap.per_shards(name, lambda shards: Ringwood(BINARY, shards=shards), (1, 3))


def fields(line):
    return dict(part.split("=", 1) for part in line.split(" "))


def listing(c, *args):
    return [fields(line) for line in c("CLIENT", "LIST", *args).decode().splitlines()]


@per_shards("CLIENT LIST shows every connection of every loop, in the order of their ids")
def list_all(server):
    clients = [server.client() for _ in range(7)]
    ids = [c("CLIENT", "ID") for c in clients]
    for n, c in enumerate(clients):
        equal(c("CLIENT", "SETNAME", f"name{n}"), "OK")
    got = listing(clients[3])
    equal([int(x["id"]) for x in got], sorted(ids))
    equal(sorted(x["name"] for x in got), [f"name{n}" for n in range(7)])
    me = next(x for x in got if x["name"] == "name3")
    equal((me["cmd"], me["qbuf"], me["argv-mem"], me["db"], me["resp"], me["user"], me["multi"]), ("client|list", "26", "10", "0", "2", "default", "-1"))
    equal([int(x["id"]) for x in listing(clients[0], "ID", ids[2], ids[5], 99999)], sorted([ids[2], ids[5]]))
    equal(len(listing(clients[0], "TYPE", "normal")), 7)
    equal(len(listing(clients[0], "TYPE", "replica")), 0)
    equal(str(clients[0]("CLIENT", "LIST", "TYPE", "x")), "ERR Unknown client type 'x'")
    equal(fields(clients[1]("CLIENT", "INFO").decode().strip())["id"], str(ids[1]))


@per_shards("CLIENT KILL ends connections by id, address and all but oneself")
def kill(server):
    a, b, c, d = (server.client() for _ in range(4))
    ids = [x("CLIENT", "ID") for x in (a, b, c, d)]
    address = fields(b("CLIENT", "INFO").decode().strip())["addr"]
    equal(a("CLIENT", "KILL", "ID", ids[2]), 1)
    equal(c.socket.recv(10), b"")
    equal(a("CLIENT", "KILL", address), "OK")
    equal(b.socket.recv(10), b"")
    equal(str(a("CLIENT", "KILL", "127.0.0.1:1")), "ERR No such client")
    equal(str(a("CLIENT", "KILL", "ID", "0")), "ERR client-id should be greater than 0")
    equal(str(a("CLIENT", "KILL", "USER", "nobody")), "ERR No such user 'nobody'")
    equal(a("CLIENT", "KILL", "TYPE", "normal"), 1)
    equal(d.socket.recv(10), b"")
    equal(a("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"), 1)
    equal(a.socket.recv(10), b"")


@per_shards("CLIENT REPLY silences what it should and nothing else")
def reply(server):
    c = server.client()
    c.send(b"CLIENT REPLY OFF\r\nSET a 1\r\nMSET x 1 y 2 z 3\r\nNOSUCH\r\nGET a\r\nCLIENT REPLY ON\r\n")
    equal(c.read(), "OK")
    c.send(b"CLIENT REPLY SKIP\r\nSET a 2\r\nGET a\r\n")
    equal(c.read(), b"2")


@per_shards("a pause of writes lets scripts run that have declared that they write nothing")
def pause_and_scripts(server):
    a, b, c = server.client(), server.client(), server.client()
    reads, plain = "#!lua flags=no-writes\nreturn 12", "return 13"
    sha = a("SCRIPT", "LOAD", reads).decode()
    equal(a("FUNCTION", "LOAD", "#!lua name=l\nredis.register_function{function_name='f', callback=function() return 14 end, flags={'no-writes'}}"), b"l")
    equal(c.pipeline([("MULTI",), ("EVAL", plain, 0)]), ["OK", "QUEUED"])
    equal(a("CLIENT", "PAUSE", "60000", "WRITE"), "OK")
    equal([b("EVAL", reads, 0), b("EVALSHA", sha.upper(), 0), b("FCALL", "f", 0), b("EVAL", "#!lua flags=no-writes\nreturn 'new'", 0)], [12, 12, 14, b"new"])
    equal(b.pipeline([("MULTI",), ("EVAL", reads, 0), ("FCALL", "f", 0), ("EXEC",)])[-1], [12, 14])
    b.send(b.encode("EVAL", plain, 0))
    c.send(c.encode("EXEC"))
    until(lambda: "blocked_clients:2" in a("INFO", "clients").decode(), "both wait")
    equal(a("CLIENT", "UNPAUSE"), "OK")
    equal([b.read(), c.read()], [13, [13]])


@per_shards("CLIENT PAUSE holds commands back until its end or UNPAUSE")
def pause(server):
    a, b = server.client(), server.client()
    equal(a("CLIENT", "PAUSE", "600000", "WRITE"), "OK")
    equal(a("GET", "k"), None)
    equal(b("PING"), "PONG")
    b.send(Resp.encode("SET", "k", "v") + Resp.encode("GET", "k"))
    time.sleep(0.3)
    equal(a("GET", "k"), None)
    equal(a("CLIENT", "UNPAUSE"), "OK")
    equal((b.read(), b.read()), ("OK", b"v"))
    begun = time.monotonic()
    equal(a("CLIENT", "PAUSE", "600"), "OK")
    equal(b("GET", "k"), b"v")
    if time.monotonic() - begun < 0.5:
        raise AssertionError("PAUSE did not hold")
    equal(str(a("CLIENT", "PAUSE", "-1")), "ERR timeout is negative")
    equal(str(a("CLIENT", "PAUSE", "1", "x")), "ERR CLIENT PAUSE mode must be WRITE or ALL")


@tap.case("what waits for a short load does not wait for the end of a pause as well")
def pause_and_load():
    with Ringwood(BINARY) as before:
        c = before.client()
        c.pipeline([("SET", f"k{i}", "v") for i in range(20)])
        equal(c("SAVE"), "OK")
        for shards in (1, 3):
            after = Ringwood(BINARY, "--key-load-delay", "15000", shards=shards, directory=before.directory)
            after.begin()

            def connected():
                try:
                    return [Resp(after.port, 20) for _ in range(6)]
                except OSError:
                    return None
            until(lambda: connected() is not None, "it listens")
            a, *others = connected()
            for b in others:  # on every thread
                b.send(Resp.encode("GET", "k1"))
            equal(a("CLIENT", "PAUSE", "600000", "WRITE"), "OK")
            equal([b.read() for b in others], [b"v"] * len(others))
            after.stop()


@per_shards("names and infos are checked, unknown subcommands told")
def names(server):
    c = server.client()
    equal(str(c("CLIENT", "SETNAME", "a b")), "ERR Client names cannot contain spaces, newlines or special characters.")
    equal(c("CLIENT", "GETNAME"), None)
    equal(c("CLIENT", "SETINFO", "LIB-NAME", "lib"), "OK")
    equal(str(c("CLIENT", "SETINFO", "lib-ver", "1 2")), "ERR lib-ver cannot contain spaces, newlines or special characters.")
    equal(str(c("CLIENT", "SETINFO", "x", "1")), "ERR Unrecognized option 'x'")
    equal(fields(c("CLIENT", "INFO").decode().strip())["lib-name"], "lib")
    equal(str(c("CLIENT", "NOSUCH")), "ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.")
    equal(str(c("CLIENT", "ID", "1")), "ERR wrong number of arguments for 'client|id' command")
    equal(c("CLIENT", "TRACKING", "OFF"), "OK")


@per_shards("redis-py works, alone and in threads")
def redis_py(server):
    try:
        import redis
    except ImportError:
        return "python3-redis is not installed"
    r = redis.Redis(port=server.port, client_name="py", decode_responses=True)
    equal(r.ping(), True)
    equal([x["name"] for x in r.client_list()], ["py"])
    with r.pipeline(transaction=False) as p:
        for i in range(1000):
            p.set(f"k{i}", i)
            p.get(f"k{i}")
        equal(p.execute()[1::2], [str(i) for i in range(1000)])
    wrong = []

    def work(number):
        for i in range(300):
            r.set(f"t{number}:{i}", f"{number}.{i}")
            if r.get(f"t{number}:{i}") != f"{number}.{i}":
                wrong.append((number, i))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    equal(wrong, [])


if __name__ == "__main__":
    tap.run()
