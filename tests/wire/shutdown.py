#!/usr/bin/env python3
"""How the server ends, and when it refuses to: signals, and what is still to be written."""
import contextlib
import select
import signal
import sys
import time

from servers import Resp, Ringwood, Tap, equal, sanitized, until

tap = Tap()
SERVER = sys.argv[1]


@tap.case("SIGTERM right behind appendonly yes: the first file is not written yet, so the server stays")
def _():
    with Ringwood(SERVER, "--rdb-key-save-delay", "10000000", shards=2) as s:
        c = s.client()
        c("SET", "a", 1)
        for _ in range(3):
            equal(c("CONFIG", "SET", "appendonly", "yes"), "OK")
            s.process.send_signal(signal.SIGTERM)  # at once: the rewrite may not have begun
            until(lambda: "Writing initial AOF, can't exit." in s.log_text(), "the refusal")
            equal(c("PING"), "PONG")
        equal(c("CONFIG", "SET", "shutdown-on-sigterm", "force"), "OK")
        s.process.send_signal(signal.SIGTERM)
        equal(s.process.wait(20), 0)
        equal("Writing initial AOF. Exit anyway." in s.log_text(), True)


@tap.case("a second SIGINT ends the server at once, and takes the half-written image with it")
def _():
    with Ringwood(SERVER, "--save", "900 1", "--rdb-key-save-delay", "100000") as s:
        c = s.client()
        c.pipeline([("SET", i, i) for i in range(100)])
        image = f"{s.directory}/temp-{s.process.pid}.rdb"
        s.process.send_signal(signal.SIGINT)
        until(lambda: exists(image), "the image is being written")
        began = time.monotonic()
        s.process.send_signal(signal.SIGINT)
        equal(s.process.wait(20), 1)
        equal((exists(image), time.monotonic() - began < 5), (False, True))


@tap.case("a SIGINT behind one that has been taken back is a first one")
def _():
    with Ringwood(SERVER, "--save", "900 1", "--rdb-key-save-delay", "0") as s:
        c = s.client()
        equal(c("DEBUG", "PAUSE-CRON", "1"), "OK")
        for n in range(2):
            s.process.send_signal(signal.SIGINT)
            until(lambda: s.log_text().count("User requested shutdown") == n + 1, "the signal is seen")
            equal(c("SHUTDOWN", "ABORT"), "OK")
        equal("You insist" in s.log_text(), False)


@tap.case("SHUTDOWN NOSAVE ends a script that never ends, with a log that is to be synced and an image under way")
def _():
    for shards, thread, saves in ((1, 0, False), (2, 0, True), (2, 1, True)):
        with Ringwood(SERVER, "--appendonly", "yes", "--busy-reply-threshold", "20", "--rdb-key-save-delay", "10000000", shards=shards) as s:
            clients = [s.client() for _ in range(4)]  # on the threads in turn
            c = clients[2 + thread]
            c.pipeline([("SET", "a", 1), ("SET", "b", 1)])
            if saves:
                until(lambda: not isinstance(c("BGSAVE"), Resp.Error), "a save")
            image = f"{s.directory}/temp-{s.process.pid}.rdb"
            until(lambda: exists(image) == saves, "the image is being written")
            clients[thread].send(Resp.encode("EVAL", "redis.call('SET', 'a', 2) while true do end", 0))
            until(lambda: str(c("PING")).startswith("BUSY"), "the script is busy")
            c.send(b"SHUTDOWN NOSAVE\r\n")
            equal((s.process.wait(20), exists(image)), (0, False))


@tap.case("SHUTDOWN NOSAVE ends a script that never ends, though the first append-only file is not written: it never would be")
def _():
    for shards, thread in ((1, 0), (2, 0), (2, 1)):
        with Ringwood(SERVER, "--busy-reply-threshold", "20", "--rdb-key-save-delay", "10000000", shards=shards) as s:
            clients = [s.client() for _ in range(4)]
            c = clients[2 + thread]
            c.pipeline([("SET", "a", 1), ("SET", "b", 1)])
            equal(c("CONFIG", "SET", "appendonly", "yes"), "OK")
            clients[thread].send(Resp.encode("EVAL", "redis.call('SET', 'a', 2) while true do end", 0))
            until(lambda: str(c("PING")).startswith("BUSY"), "the script is busy")
            c.send(b"SHUTDOWN NOSAVE\r\n")
            equal((s.process.wait(20), "Writing initial AOF. Exit anyway." in s.log_text()), (0, True))


@tap.case("who finds his connection closed by SHUTDOWN finds nobody who listens either")
def _():
    for shards in (1, 2, 4):
        with Ringwood(SERVER, shards=shards) as s:
            clients = [s.client() for _ in range(8)]
            clients[shards].send(b"SHUTDOWN NOSAVE\r\n")
            for c in clients:
                equal(c.socket.recv(1), b"")
            try:
                s.client()
                raise AssertionError("connected")
            except ConnectionRefusedError:
                pass
            s.process.wait(20)  # not with which status: what was on its way between threads goes with the process, and a leak detector takes it for lost


@contextlib.contextmanager
def replica_lags(shards):
    """A master that has written what its replica, which stands still, does not acknowledge, and its only client."""
    with Ringwood(SERVER, "--repl-diskless-sync-delay", 0, shards=shards) as master, Ringwood(SERVER) as replica:
        c, r = master.client(), replica.client()
        r("REPLICAOF", "127.0.0.1", master.port)
        until(lambda: b"master_link_status:up" in r("INFO", "replication"), "the link is up")
        r.close()
        replica.process.send_signal(signal.SIGSTOP)
        try:
            equal(c("INCR", "k"), 1)
            yield master, c
        finally:
            replica.process.send_signal(signal.SIGCONT)


@tap.case("SHUTDOWN that waits for a replica is a blocked client, the replica is none, and who takes it back frees all who asked")
def _():
    for shards in (1, 2):
        with replica_lags(shards) as (master, c):
            askers = [master.client() for _ in range(2)]
            for a in askers:
                a.send(b"SHUTDOWN\r\n")
            until(lambda: b"\r\nblocked_clients:2\r\n" in c("INFO", "clients"), "both wait")
            equal(b"\r\nconnected_clients:3\r\n" in c("INFO", "clients"), True)
            equal(c("SHUTDOWN", "ABORT"), "OK")
            equal({a.read() for a in askers}, {"ERR Errors trying to SHUTDOWN. Check logs."})
            until(lambda: b"\r\nblocked_clients:0\r\n" in c("INFO", "clients"), "none waits")


@tap.case("who asks on another thread is freed by the SHUTDOWN ABORT of somebody who has seen him wait, however near the two are")
def _():
    for shards in (1, 2, 4):
        with replica_lags(shards) as (master, c):
            askers = [master.client() for _ in range(4)]
            seen = 0
            for n in range(400):
                chosen = askers[n % 3:n % 3 + 2]
                for a in chosen:
                    a.send(b"SHUTDOWN\r\n")
                waiting, answer = c.pipeline([("INFO", "clients"), ("SHUTDOWN", "ABORT")])
                some = b"blocked_clients:0\r\n" not in waiting
                seen += some
                assert answer == "OK" or not some, (waiting, answer)
                if b"blocked_clients:%d\r\n" % len(chosen) not in waiting:
                    until(lambda: c("SHUTDOWN", "ABORT") and len(select.select([a.socket for a in chosen], [], [], 0)[0]) == len(chosen), "the others are freed")
                equal({a.read() for a in chosen}, {"ERR Errors trying to SHUTDOWN. Check logs."})
            assert seen, "no ABORT came while somebody waited"


@tap.case("a crash is told in the log, and ends the process by its signal")
def _():
    if sanitized(SERVER):
        return "a sanitizer takes the signals"
    for end, number in ((lambda s: s.client().send(b"DEBUG SEGFAULT\r\n"), signal.SIGSEGV), (lambda s: s.process.send_signal(signal.SIGABRT), signal.SIGABRT)):
        with Ringwood(SERVER, shards=2) as s:
            end(s)
            equal(s.process.wait(60), -number)
            text = s.log_text()
            equal([f"crashed by signal: {int(number)}, si_code: " in text, "STACK TRACE" in text, "BUG REPORT END" in text], [True] * 3, text[-2000:])
    with Ringwood(SERVER, "--crash-log-enabled", "no") as s:
        s.process.send_signal(signal.SIGABRT)
        equal((s.process.wait(60), "BUG REPORT" in s.log_text()), (-signal.SIGABRT, False))


def exists(path):
    try:
        open(path, "rb").close()
        return True
    except FileNotFoundError:
        return False


tap.run()
