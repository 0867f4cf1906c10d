"""Connections themselves: limits, timeouts, passwords, listeners, start and stop. One server a case, with the options that it is about."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from servers import Resp, Ringwood, Server, Tap, equal, free_port, until

tap = Tap()
BINARY = sys.argv[1]


def is_closed(s):
    s.settimeout(20)
    try:
        while s.recv(65536):
            pass
        return True
    except ConnectionResetError:
        return True


@tap.case("no more than maxclients are let in, and the next when one has left")
def maxclients():
    with Ringwood(BINARY, "--maxclients", 5, shards=2) as server:
        first = server.client()
        until(lambda: len(first("CLIENT", "LIST").splitlines()) == 1, "who looked whether the server is up has left")
        held = [first] + [server.client() for _ in range(4)]
        equal([c("PING") for c in held], ["PONG"] * 5)
        with socket.create_connection(("127.0.0.1", server.port)) as s:
            equal(s.makefile("rb").read(), b"-ERR max number of clients reached\r\n")
        held.pop().close()

        def let_in():
            try:
                c = server.client()
                ok = c("PING") == "PONG"
                c.close()
                return ok
            except OSError:
                return False
        until(let_in, "a place is free again")


@tap.case("an idle client is closed after `timeout` seconds, a busy one is not")
def idle():
    with Ringwood(BINARY, "--timeout", 1) as server:
        quiet, busy = server.client(), server.client()
        equal(quiet("PING"), "PONG")
        for _ in range(30):
            equal(busy("PING"), "PONG")
            time.sleep(0.1)
        equal(is_closed(quiet.socket), True)
        equal(busy("PING"), "PONG")


@tap.case("with a password nothing but AUTH, HELLO, QUIT and RESET is done before it")
def password():
    with Ringwood(BINARY, "--requirepass", "secret", shards=2) as server:
        c = server.client()
        for command in (("PING",), ("GET", "a"), ("CLIENT", "LIST")):
            equal(str(c(*command)), "NOAUTH Authentication required.")
        equal(str(c("AUTH", "wrong")), "WRONGPASS invalid username-password pair or user is disabled.")
        equal(str(c("AUTH", "nobody", "secret")), "WRONGPASS invalid username-password pair or user is disabled.")
        # AUTH and a request that only an authenticated client may make, in one packet
        equal(c.pipeline([("AUTH", "secret"), ("MSET", *[x for i in range(20) for x in (f"k{i}", i)]), ("GET", "k7")]), ["OK", "OK", b"7"])
        equal(c("RESET"), "RESET")
        equal(str(c("GET", "k7")), "NOAUTH Authentication required.")
        equal(str(c("HELLO", "3"))[:42], "NOAUTH HELLO must be called with the clien")
        equal(c("HELLO", "3", "AUTH", "default", "secret")[b"proto"], 3)
        with socket.create_connection(("127.0.0.1", server.port)) as s:
            s.sendall(b"*20\r\n")
            equal(s.makefile("rb").read(), b"-ERR Protocol error: unauthenticated multibulk length\r\n")


@tap.case("a client that does not read is closed above the hard output limit")
def output_hard():
    with Ringwood(BINARY, "--client-output-buffer-limit", "normal 2mb 0 0") as server:
        c, other = server.client(), server.client()
        equal(c("SET", "v", b"x" * 200000), "OK")
        c.socket.settimeout(20)
        try:
            c.send(Resp.encode("GET", "v") * 200)
        except ConnectionError:
            pass
        until(lambda: server.log_text().count("client-output-buffer-limit") == 1, "the client is closed")
        equal(other("PING"), "PONG")


@tap.case("above the soft output limit a client has its seconds")
def output_soft():
    with Ringwood(BINARY, "--client-output-buffer-limit", "normal 0 1mb 2") as server:
        c = server.client()
        equal(c("SET", "v", b"x" * 200000), "OK")
        begun = time.monotonic()
        c.send(Resp.encode("GET", "v") * 100)
        until(lambda: "client-output-buffer-limit" in server.log_text(), "the client is closed")
        if time.monotonic() - begun < 1.5:
            raise AssertionError("closed too early")


@tap.case("an unfinished request above client-query-buffer-limit ends the connection")
def query_limit():
    with Ringwood(BINARY, "--client-query-buffer-limit", "1mb") as server:
        with socket.create_connection(("127.0.0.1", server.port), 20) as s:
            try:
                s.sendall(b"*30\r\n" + b"$60000\r\n" + b"x" * 60000 + b"\r\n")
                for _ in range(28):
                    s.sendall(b"$60000\r\n" + b"x" * 60000 + b"\r\n")
            except ConnectionError:
                pass
            equal(is_closed(s), True)
        equal("max query buffer length" in server.log_text(), True)


@tap.case("a UNIX socket serves, with the permissions asked for, and is removed at the end")
def unix_socket():
    folder = tempfile.mkdtemp(prefix="ringwood-unix-")
    path = os.path.join(folder, "s")
    with Ringwood(BINARY, "--unixsocket", path, "--unixsocketperm", "700") as server:
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        s.sendall(b"PING\r\nCLIENT INFO\r\n")
        time.sleep(0.2)
        reply = s.recv(4096)
        equal(reply.startswith(b"+PONG\r\n") and f"addr={path}:0".encode() in reply and b"flags=U" in reply, True, reply)
        equal(os.stat(path).st_mode & 0o777, 0o700)
        equal(server.stop(), 0)
        equal("Removing the unix socket file." in server.log_text(), True)
        equal(os.path.exists(path), False)
    os.rmdir(folder)


@tap.case("what keeps a server from starting is the last line of its log, and its UNIX socket is gone")
def failed_start():
    for shards in (1, 2):
        server = Ringwood(BINARY, "--unixsocket", "s", "--appendonly", "yes", shards=shards)
        os.mkdir(os.path.join(server.directory, "appendonlydir"))
        for name, text in (("appendonly.aof.manifest", "file appendonly.aof.1.incr.aof seq 1 type i\n"), ("appendonly.aof.1.incr.aof", "!!!")):
            with open(os.path.join(server.directory, "appendonlydir", name), "w") as f:
                f.write(text)
        server.begin()
        try:
            equal(server.process.wait(30), 1)
            last = server.log_text().splitlines()[-1]
            assert "Bad file format reading the append only file" in last, last
            equal(os.path.exists(os.path.join(server.directory, "s")), False)
        finally:
            server.process.kill()
            shutil.rmtree(server.directory)


@tap.case("without a port, and with the permissions that the process's umask leaves to the UNIX socket and to files")
def unix_socket_alone():
    command = ["sh", "-c", 'umask 007; exec "$0" "$@"', BINARY]
    server = Server(command, ["--unixsocket", "s", "--save", "", "--appendonly", "yes"])
    try:
        server.start()
        mode = lambda name: os.stat(os.path.join(server.directory, name)).st_mode & 0o777  # noqa: E731
        equal(server.client()("SAVE"), "OK")
        equal([mode(name) for name in ("s", "dump.rdb", "appendonlydir/appendonly.aof.1.base.rdb", "appendonlydir/appendonly.aof.1.incr.aof")], [0o770, 0o660, 0o660, 0o640])
        server.stop()
        server.process = subprocess.Popen([BINARY, "--port", "0", "--dir", server.directory, "--unixsocket", "s"], stdout=subprocess.DEVNULL)
        s = socket.socket(socket.AF_UNIX)
        until(lambda: s.connect_ex(os.path.join(server.directory, "s")) == 0, "it listens")
        s.sendall(b"INFO server\r\n")
        reply = b""
        while b"listener" not in reply:
            reply += s.recv(65536)
        equal(b"\r\nlistener1:name=unix,bind=s\r\n" in reply and b"listener0" not in reply, True, reply)  # Redis numbers the kinds of listeners
        s.close()
    finally:
        server.__exit__()


@tap.case("several addresses, an optional one that does not exist, IPv6")
def addresses():
    with Ringwood(BINARY, "--bind", "127.0.0.1", "-::1", "-192.0.2.1") as server:
        equal(server.client()("PING"), "PONG")
        if socket.has_ipv6:
            try:
                s = socket.create_connection(("::1", server.port), 5)
            except OSError:
                return "no IPv6 here"
            s.sendall(b"CLIENT INFO\r\n")
            time.sleep(0.1)
            equal(b"addr=[::1]:" in s.recv(4096), True)


def answers(port, host="127.0.0.1"):
    """Whether somebody listens there, and answers."""
    try:
        with socket.create_connection((host, port), 5) as s:
            s.sendall(b"PING\r\n")
            return s.recv(100) == b"+PONG\r\n"
    except OSError:
        return False


@tap.case("CONFIG SET port and bind listen elsewhere; who is connected stays; what fails changes nothing")
def listen_elsewhere():
    for shards in (1, 2):
        with Ringwood(BINARY, shards=shards) as server:
            clients = [server.client() for _ in range(4)]
            first, second = server.port, free_port()
            for i, (old, new) in enumerate([(first, second), (second, first), (first, second)]):
                equal(clients[i]("CONFIG", "SET", "port", new), "OK")
                time.sleep(0.3)  # the first loop takes the sockets over with its next tick
                equal((answers(old), answers(new)), (False, True))
            equal([c("PING") for c in clients], ["PONG"] * 4)
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                taken.listen()
                refused = clients[0]("CONFIG", "SET", "port", taken.getsockname()[1])
                equal("CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port" in str(refused), True, refused)
            refused = clients[0]("CONFIG", "SET", "bind", "192.0.2.1")
            equal("(possibly related to argument 'bind') - Failed to bind to specified addresses." in str(refused), True, refused)
            time.sleep(0.3)
            equal(answers(second), True)
            equal(clients[1]("CONFIG", "SET", "bind", "127.0.0.2"), "OK")
            time.sleep(0.3)
            equal((answers(second), answers(second, "127.0.0.2")), (False, True))
            equal(clients[2]("CONFIG", "SET", "port", "0"), "OK")
            time.sleep(0.3)
            equal(answers(second, "127.0.0.2"), False)
            equal([c("PING") for c in clients], ["PONG"] * 4)


@tap.case("an address that must be there and is not ends the start")
def bad_address():
    p = subprocess.run([BINARY, "--port", str(free_port()), "--bind", "192.0.2.1"], capture_output=True, text=True, timeout=20)
    equal(p.returncode, 1)
    equal("Could not create server TCP listening socket 192.0.2.1" in p.stdout, True, p.stdout)


@tap.case("SIGTERM and SIGINT end it with status 0, a second server on the port with 1")
def stop():
    for sig in (signal.SIGTERM, signal.SIGINT):
        with Ringwood(BINARY, shards=2) as server:
            c = server.client()
            equal(c("PING"), "PONG")
            p = subprocess.run([BINARY, "--port", str(server.port), "--bind", "127.0.0.1"], capture_output=True, text=True, timeout=20)
            equal(p.returncode, 1)
            equal(server.stop(sig, 10), 0)
            equal(is_closed(c.socket), True)


@tap.case("it goes into the background with a pid file and a log file, and removes the pid file at the end")
def background():
    folder = tempfile.mkdtemp(prefix="ringwood-daemon-")
    port = free_port()
    pidfile, logfile = os.path.join(folder, "pid"), os.path.join(folder, "log")
    p = subprocess.run([BINARY, "--port", str(port), "--daemonize", "yes", "--pidfile", pidfile, "--logfile", logfile, "--dir", folder], timeout=20)
    equal(p.returncode, 0)
    until(lambda: os.path.exists(logfile) and "Ready to accept connections tcp" in open(logfile).read(), "it is ready")
    pid = int(open(pidfile).read())
    equal(Resp(port)("PING"), "PONG")
    os.kill(pid, signal.SIGTERM)
    until(lambda: not os.path.exists(pidfile), "the pid file is gone")
    equal("bye bye" in open(logfile).read(), True)
    equal(sorted(os.listdir(folder)), ["dump.rdb", "log"])  # SIGTERM saves, as the default save points ask
    shutil.rmtree(folder)


@tap.case("the process's title is proc-title-template filled in")
def title():
    with Ringwood(BINARY, "--bind", "127.0.0.1") as server:
        def shown():
            with open(f"/proc/{server.process.pid}/cmdline") as f:
                return f.read().rstrip("\0")
        c = server.client()
        equal(shown(), f"{os.path.abspath(BINARY)} 127.0.0.1:{server.port}")
        equal(c("CONFIG", "SET", "proc-title-template", "test {title} {{ {port} {tls-port}{unixsocket}"), "OK")
        equal(shown(), f"test {os.path.abspath(BINARY)} {{ {server.port} 0")
        equal("template format is invalid" in c("CONFIG", "SET", "proc-title-template", "{invalid-var}"), True)
        port = free_port()
        equal(c("CONFIG", "SET", "port", port), "OK")
        equal(shown(), f"test {os.path.abspath(BINARY)} {{ {port} 0")
        equal(Resp(port)("PING"), "PONG")  # the environment has moved, nothing else
    with Ringwood(BINARY, "--set-proc-title", "no") as server:
        with open(f"/proc/{server.process.pid}/cmdline") as f:
            equal(f.read().split("\0")[1], "--port")


@tap.case("connections come and go by the thousand and nothing is left")
def churn():
    with Ringwood(BINARY, shards=2) as server:
        watcher = server.client()
        for _ in range(30):
            sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
            for i, s in enumerate(sockets):
                s.sendall(Resp.encode("SET", f"churn{i}", i) + (b"*3\r\n$3\r\nSE" if i % 3 == 0 else b""))
            for i, s in enumerate(sockets):
                if i % 2:
                    equal(s.recv(16), b"+OK\r\n")
                s.close()
        until(lambda: len(watcher("CLIENT", "LIST").splitlines()) == 1, "all are gone")
        descriptors = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        if descriptors > 20:
            raise AssertionError(f"{descriptors} descriptors are open")


@tap.case("--version and --help answer with status 0, a bad directive with 1")
def command_line():
    p = subprocess.run([BINARY, "--version"], capture_output=True, text=True, timeout=20)
    equal((p.returncode, p.stdout.startswith("Ringwood server v=")), (0, True))
    p = subprocess.run([BINARY, "--help"], capture_output=True, text=True, timeout=20)
    equal((p.returncode, "Usage:" in p.stdout), (0, True))
    p = subprocess.run([BINARY, "--nonsense", "1"], capture_output=True, text=True, timeout=20)
    equal((p.returncode, "FATAL CONFIG FILE ERROR" in p.stderr), (1, True))


if __name__ == "__main__":
    tap.run()
