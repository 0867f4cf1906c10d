#!/usr/bin/env python3
"""Options of replication whose effect only shows beside another server, or by the end of the process.

    replica_options.py RINGWOOD_SERVER [PART OF A CASE'S NAME ...]
"""
import glob
import os
import socket
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
from following import follow, info  # noqa: E402
from servers import Redis, Resp, Ringwood, Tap, equal, free_port, until  # noqa: E402

BINARY = sys.argv[1]
AT_ONCE = ("--repl-diskless-sync-delay", "0")
tap = Tap()


@tap.case("a replica may announce any host's name, as those of a Kubernetes service are")
def _():
    name = "ringwood-0.ringwood-headless.some-quite-long-namespace.svc.cluster.local"
    with Ringwood(BINARY, *AT_ONCE, shards=2) as ours, Redis("--replica-announce-ip", name) as theirs, Ringwood(BINARY, "--replica-announce-ip", name) as two:
        m = ours.client()
        equal(m("REPLCONF", "ip-address", "h" * 255), "OK")
        equal(str(m("REPLCONF", "ip-address", "h" * 256)), "ERR REPLCONF ip-address provided by replica instance is too long: 256 bytes")
        m.close()
        m = ours.client()
        for replica in (theirs, two):
            follow(replica, ours.port)
        until(lambda: all(f"ip={name},port=" in info(m).get(f"slave{i}", "") for i in (0, 1)), "both are told by their names")
        equal({bytes(r[0]).decode() for r in m("ROLE")[2]}, {name})


@tap.case("a link that never was up is told as such, and one that was lost by the time since")
def _():
    with Ringwood(BINARY, *AT_ONCE) as master, Ringwood(BINARY, "--replicaof", f"127.0.0.1 {free_port()}", shards=2) as replica:
        r = replica.client()
        equal(info(r)["master_link_down_since_seconds"], "-1")
        follow(replica, master.port)
        equal(info(r).get("master_link_down_since_seconds"), None)
        master.stop()
        until(lambda: info(r)["master_link_status"] == "down", "the loss is seen")
        until(lambda: int(info(r)["master_link_down_since_seconds"]) >= 1, "the time goes on")
        equal(r("REPLICAOF", "127.0.0.1", free_port()), "OK")  # our data are as old as before
        equal(int(info(r)["master_link_down_since_seconds"]) >= 1, True)
        equal(r("REPLICAOF", "NO", "ONE"), "OK")
        equal(r("REPLICAOF", "127.0.0.1", free_port()), "OK")
        until(lambda: info(r)["master_link_down_since_seconds"] == "-1", "a new life as a replica")


@tap.case("INFO of a replica before its link is up, and before its image has begun")
def _():
    with Ringwood(BINARY, *AT_ONCE, shards=2) as ours, Ringwood(BINARY) as replica, socket.create_server(("127.0.0.1", 0)) as master:
        c = ours.client()
        follow(replica, ours.port)
        c("SET", "k", "v")
        place = info(c)["master_repl_offset"]
        equal(c("REPLICAOF", "LocalHost", free_port()), "OK")
        equal((info(c)["slave_repl_offset"], info(c)["slave_read_repl_offset"]), (place, place))
        port = master.getsockname()[1]
        equal((c("REPLICAOF", "LocalHost", port), c("REPLICAOF", "localhost", port)), ("OK", "OK Already connected to specified master"))
        if f"REPLICAOF LocalHost:{port} enabled (user request from 'id=" not in ours.log_text() or "cmd=replicaof user=default" not in ours.log_text():
            raise AssertionError(ours.log_text()[-1000:])
        link, _ = master.accept()
        link.sendall(b"+PONG\r\n+OK\r\n+OK\r\n+OK\r\n+FULLRESYNC " + b"a" * 40 + b" 7\r\n")
        until(lambda: info(c)["master_sync_in_progress"] == "1", "the image is waited for")
        fields = ("master_sync_total_bytes", "master_sync_left_bytes", "master_sync_last_io_seconds_ago", "slave_read_repl_offset")
        equal([info(c)[f] for f in fields], ["-1", "-1", "0", place])
        link.sendall(b"$1000\r\nREDIS")
        until(lambda: [info(c)[f] for f in fields] == ["1000", "995", "0", place], "the image has begun")
        link.close()
        equal(c("REPLICAOF", "NO", "ONE"), "OK")
        if "Discarding previously cached master state." not in ours.log_text():
            raise AssertionError(ours.log_text()[-1000:])


@tap.case("rdb-del-sync-files: a replica that saves nothing keeps no file of its master's")
def _():
    with Ringwood(BINARY, *AT_ONCE, "--repl-diskless-sync", "no") as ours, Ringwood(BINARY, "--rdb-del-sync-files", "yes", shards=2) as replica:
        def files():
            return [f for f in os.listdir(replica.directory) if f.endswith(".rdb")]
        m = ours.client()
        m("SET", "k", "v")
        r = follow(replica, ours.port)
        until(lambda: not files(), "the file goes")
        if "Removing the RDB file obtained from the master" not in replica.log_text():
            raise AssertionError(replica.log_text()[-1000:])
        for directive, value in (("save", "3600 1"), ("rdb-del-sync-files", "no")):
            for name, set_to in (("save", ""), ("rdb-del-sync-files", "yes"), (directive, value)):
                equal(r("CONFIG", "SET", name, set_to), "OK")
            equal(r("REPLICAOF", "NO", "ONE"), "OK")
            equal(r("DEBUG", "CHANGE-REPL-ID"), "OK")
            follow(replica, ours.port)
            time.sleep(0.3)
            equal(files(), ["dump.rdb"])


def ends(replica, text):
    until(lambda: replica.process.poll() is not None, "the process ends")
    if text not in replica.log_text():
        raise AssertionError(replica.log_text()[-1000:])


def goes_on(m, r):
    m("SET", "later", 1)
    until(lambda: r("GET", "later") == b"1", "the stream goes on")


@tap.case("propagation-error-behavior: a command of the master that fails ends the replica, or does not")
def _():
    with Ringwood(BINARY, *AT_ONCE) as master:
        m = master.client()
        for behaviour, read_only, lives in (("ignore", "yes", True), ("panic", "no", True), ("panic", "yes", False), ("panic-on-replicas", "yes", False)):
            with Ringwood(BINARY, "--propagation-error-behavior", behaviour, "--replica-read-only", read_only, "--use-exit-on-panic", "yes", shards=2) as replica:
                r = follow(replica, master.port)
                m("DEBUG", "REPLICATE", "SET", "value")
                if lives:
                    goes_on(m, r)
                else:
                    ends(replica, "This replica panicked sending an error to its master after processing the command 'set'")
                    equal(replica.process.returncode, 1)


@tap.case("propagation-error-behavior: so does one of the append-only file")
def _():
    for behaviour, lives in (("panic-on-replicas", True), ("panic", False)):
        with Ringwood(BINARY, "--appendonly", "yes", "--propagation-error-behavior", behaviour, "--use-exit-on-panic", "yes", shards=2) as server:
            c = server.client()
            c("LPUSH", "l", "a")
            server.stop()
            with open(glob.glob(server.directory + "/appendonlydir/*.incr.aof")[0], "ab") as f:
                f.write(Resp.encode("INCR", "l") + Resp.encode("SET", "later", 1))
            try:
                server.start()
            except Exception:  # it is not to be reached
                pass
            if lives:
                equal(server.client()("GET", "later"), b"1")
            else:
                ends(server, "This server panicked sending an error to its AOF-loading-client after processing the command 'incr'")


@tap.case("a replica that cannot save what it is sent ends, unless replica-ignore-disk-write-errors says that it goes on")
def _():
    for ignore in ("yes", "no"):
        with Ringwood(BINARY, *AT_ONCE) as master, \
                Ringwood(BINARY, "--save", "3600 1000000", "--replica-ignore-disk-write-errors", ignore, "--use-exit-on-panic", "yes", shards=2) as replica:
            m = master.client()
            r = follow(replica, master.port)
            path = os.path.join(replica.directory, "dump.rdb")
            if os.path.exists(path):
                os.remove(path)
            os.mkdir(path)  # nothing can take its place
            r("BGSAVE")
            until(lambda: info(r, "persistence")["rdb_last_bgsave_status"] == "err", "it cannot be saved")
            equal(m("PING"), "PONG")
            if ignore == "yes":
                goes_on(m, r)
                equal("Replica is applying a command even though it is unable to write to disk." in replica.log_text(), True)
            else:
                m("SET", "later", 1)
                ends(replica, "Replica was unable to write command to disk.")
                equal(replica.process.returncode, 1)


def old_master(image):
    """Answers as a master that knows SYNC alone; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        c, _ = listener.accept()
        f = c.makefile("rb")
        while line := f.readline():
            word = line.strip().upper()
            if word in (b"PING", b"REPLCONF"):
                c.sendall(b"+OK\r\n")
            elif word == b"PSYNC":
                c.sendall(b"-ERR unknown command\r\n")
            elif word == b"SYNC":
                c.sendall(b"$%d\r\n%s" % (len(image), image))
    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


@tap.case("replicas of two masters that only know SYNC are in two histories")
def only_sync():
    with Redis(*AT_ONCE) as source, Ringwood(BINARY, shards=2) as one, Ringwood(BINARY) as two:
        source.client()("SET", "a", "b")
        c = source.client()
        c.send(b"SYNC\r\n")
        image = None
        while not image:
            line = c.file.readline()
            if line.startswith(b"$"):
                image = c.file.read(int(line[1:]))
        ids = []
        for replica in (one, two):
            r = follow(replica, old_master(image))
            equal(r("GET", "a"), b"b")
            ids.append(info(r)["master_replid"])
        if ids[0] == ids[1]:
            raise AssertionError(ids)


ONLY = sys.argv[2:]
tap.cases = [c for c in tap.cases if not ONLY or any(a in c[0] for a in ONLY)]
tap.run(side_by_side=2)
