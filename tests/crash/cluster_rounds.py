#!/usr/bin/env python3
"""A cluster of three masters and three replicas, each node a process in a network namespace of its own; under load, round after round, one master is killed (SIGKILL), stopped (SIGSTOP) or cut off
from the others, and comes back. Each round measures how long its slots took no write, and looks at every key at its end:

- the failover takes no longer than cluster-node-timeout and 2 seconds;
- what WAIT 1 has confirmed is there;
- what was acknowledged without WAIT may be lost with the master (replication is asynchronous): counted, and nothing beyond it, so that no key is older than what WAIT last confirmed of it
  and none is newer than what was last sent.

    cluster_rounds.py SERVER [ROUNDS [SEED]]      RINGWOOD_LONG=1: 100 rounds

It needs root, `unshare` and `ip`; all that it makes is gone with its own namespaces.
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from servers import Resp, Tap, sanitized, until  # noqa: E402

BINARY = os.path.abspath(sys.argv[1])
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 100 if os.environ.get("RINGWOOD_LONG") else 3
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else int(time.time())
TIMEOUT_MS = 3000
SPARE_S = 2.0  # of a failover, beyond the timeout
PORT, NODES, MASTERS, WRITERS, KEYS = 7000, 6, 3, 4, 60
SLOTS = 16384
tap = Tap()


def sh(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def enter():
    """This program once more, with a network and a mount table of its own; or a reason not to."""
    if os.environ.get("RINGWOOD_NAMESPACE"):
        return None
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("unshare", "ip"):
        if not shutil.which(program):
            return f"no {program}"
    if subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True).returncode:
        return "this system lets no one make network namespaces"
    os.environ["RINGWOOD_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, *sys.argv])


class Connection(Resp):
    """To an address, not to loopback; gives up soon, since a node may be cut off."""

    def __init__(self, host, timeout=1.5):
        import socket
        self.socket = socket.create_connection((host, PORT), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb", 1 << 16)


class Node:
    def __init__(self, number):
        self.number, self.host = number, f"10.99.0.{number + 1}"
        self.folder = tempfile.mkdtemp(prefix="ringwood-rounds-")
        self.space = f"n{number}"
        sh("ip", "netns", "add", self.space)
        sh("ip", "link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", self.space)
        sh("ip", "link", "set", f"v{number}", "master", "together", "up")
        for words in (("addr", "add", f"{self.host}/24", "dev", "eth0"), ("link", "set", "eth0", "up"), ("link", "set", "lo", "up")):
            sh("ip", "-n", self.space, *words)
        self.process = None

    def start(self):
        log = open(os.path.join(self.folder, "server.log"), "ab")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.space, BINARY, "--port", str(PORT), "--bind", self.host, "--protected-mode", "no", "--dir", self.folder, "--shards", "2", "--save", "",
             "--cluster-enabled", "yes", "--cluster-node-timeout", str(TIMEOUT_MS), "--repl-diskless-sync-delay", "0", "--loglevel", "verbose", "--appendonly", "no"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        until(self.answers, f"{self.host} answers", 30)

    def answers(self):
        try:
            return self("PING") == "PONG"
        except OSError:
            return False

    def __call__(self, *command):
        c = Connection(self.host)
        try:
            return c(*command)
        finally:
            c.close()

    def id(self):
        return self("CLUSTER", "MYID").decode()

    def info(self, section):
        return dict(line.split(":", 1) for line in self("INFO", section).decode().split("\r\n") if ":" in line)

    # --- what befalls it
    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def cut_off(self):
        sh("ip", "link", "set", f"v{self.number}", "master", "apart")

    def join(self):
        sh("ip", "link", "set", f"v{self.number}", "master", "together")

    def close(self):
        if self.process and self.process.poll() is None:
            self.resume()
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Cluster:
    def __init__(self):
        os.makedirs("/run/netns", exist_ok=True)
        sh("mount", "-t", "tmpfs", "tmpfs", "/run/netns")  # ours alone, so that the names leave no trace
        for bridge in ("together", "apart"):
            sh("ip", "link", "add", bridge, "type", "bridge")
            sh("ip", "link", "set", bridge, "up")
        sh("ip", "addr", "add", "10.99.0.250/24", "dev", "together")
        sh("ip", "link", "set", "lo", "up")
        self.nodes = [Node(i) for i in range(NODES)]

    def create(self):
        for n in self.nodes:
            n.start()
        for i, n in enumerate(self.nodes[:MASTERS]):
            n("CLUSTER", "ADDSLOTSRANGE", i * SLOTS // MASTERS, (i + 1) * SLOTS // MASTERS - 1)
        for n in self.nodes[1:]:
            self.nodes[0]("CLUSTER", "MEET", n.host, PORT)
        until(lambda: all(n("CLUSTER", "NODES").count(b"connected") == NODES and b"handshake" not in n("CLUSTER", "NODES") for n in self.nodes), "all know all", 30)
        for i, n in enumerate(self.nodes[MASTERS:]):
            until(lambda n=n, i=i: n("CLUSTER", "REPLICATE", self.nodes[i].id()) == "OK", "REPLICATE", 10)
        self.settle()

    def views(self):
        """Who serves and who follows, as each sees it."""
        found = set()
        for n in self.nodes:
            lines = [line.split() for line in n("CLUSTER", "NODES").decode().splitlines()]
            if b"cluster_state:ok" not in n("CLUSTER", "INFO") or any("fail" in w[2] or "handshake" in w[2] for w in lines):
                return None
            found.add(tuple(sorted((w[0], w[2].replace("myself,", ""), w[3], *w[8:]) for w in lines)))
        return found

    def settle(self, seconds=60):
        """All agree, and every replica has all that its master has."""
        def settled():
            try:
                views = self.views()
                if not views or len(views) != 1:
                    return False
                roles = [n.info("replication") for n in self.nodes]
                return sum(r["role"] == "master" for r in roles) == MASTERS and all(r["role"] == "master" and r.get("connected_slaves") == "1" or r.get("master_link_status") == "up"
                                                                                    for r in roles)
            except OSError:
                return False
        until(settled, "all agree again", seconds)

    def masters(self):
        return [n for n in self.nodes if n("ROLE")[0] == b"master"]

    def replica_of(self, master):
        return next(n for n in self.nodes if n("ROLE")[0] == b"slave" and n("ROLE")[1].decode() == master.host)

    def close(self):
        for n in self.nodes:
            n.close()


class Writer(threading.Thread):
    """Counts its keys up. Of each it knows what was last sent, acknowledged, and confirmed by WAIT."""

    def __init__(self, cluster, number):
        super().__init__(daemon=True)
        self.cluster, self.random = cluster, random.Random(f"{SEED} {number}")
        self.keys = [f"w{number}:{i}" for i in range(KEYS)]
        self.sent, self.acknowledged, self.confirmed = ({k: 0 for k in self.keys} for _ in range(3))
        self.connections, self.where = {}, {}
        self.ended, self.writes, self.fault = False, 0, None

    def at(self, host):
        if host not in self.connections:
            self.connections[host] = Connection(host)
        return self.connections[host]

    def drop(self, host):
        c = self.connections.pop(host, None)
        if c:
            c.close()

    def write(self, key, confirm):
        host = self.where.get(key) or self.random.choice(self.cluster.nodes).host
        value = self.sent[key] + 1
        try:
            c = self.at(host)
            self.sent[key] = value
            reply = c("SET", key, value)
            if isinstance(reply, Resp.Error):
                self.where[key] = reply.rsplit(" ", 1)[1].rsplit(":", 1)[0] if reply.startswith(("MOVED", "ASK")) else None
                if not reply.startswith(("MOVED", "ASK")):
                    time.sleep(0.02)
                return
            self.where[key] = host
            self.acknowledged[key] = value
            self.writes += 1
            if confirm:
                replicas = c("WAIT", 1, 1000)
                if isinstance(replicas, int) and replicas >= 1:  # else it has just become a replica itself
                    self.confirmed[key] = value
        except (OSError, ValueError):
            self.drop(host)
            self.where[key] = None
            time.sleep(0.02)

    def run(self):
        try:
            while not self.ended:
                for key in self.keys:
                    if self.ended:
                        return
                    self.write(key, self.random.random() < 0.2)
                time.sleep(0.005)
        except BaseException as fault:
            self.fault = fault


def first_write(cluster, slot_key, seconds):
    """How long until somebody else than the dead accepts a write of the key; None: not within."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        for n in cluster:
            try:
                c = Connection(n.host, 0.3)
                reply = c("SET", slot_key, "probe")
                c.close()
                if reply == "OK":
                    return time.monotonic() - began
            except OSError:
                pass
        time.sleep(0.02)
    return None


def key_of(node):
    """A key that the node serves, which no writer has."""
    for i in range(10000):
        if node("SET", f"probe:{i}", "before") == "OK":
            return f"probe:{i}"
    raise AssertionError("a master that serves no key")


def one_round(cluster, number, chance, longest):
    victim = chance.choice(cluster.masters())
    fault = ("kill", "pause", "cut_off")[number % 3]
    key = key_of(victim)
    writers = [Writer(cluster, f"{number}.{i}") for i in range(WRITERS)]
    for w in writers:
        w.start()
    time.sleep(1.5 + chance.random())
    others = [n for n in cluster.nodes if n is not victim]
    getattr(victim, fault)()
    took = first_write(others, key, 30)
    time.sleep(1)
    {"kill": victim.start, "pause": victim.resume, "cut_off": victim.join}[fault]()
    time.sleep(1)
    for w in writers:
        w.ended = True
    for w in writers:
        w.join(30)
        if w.fault:
            raise w.fault
    assert took is not None, f"{fault}: nobody took over within 30 s"
    cluster.settle()
    lost = acknowledged = confirmed = 0
    for w in writers:
        for k in w.keys:
            reply = next(r for r in (n("GET", k) for n in cluster.masters()) if not isinstance(r, Resp.Error))
            value = int(reply or 0)
            assert value >= w.confirmed[k], f"{fault}: {k} is {value}, WAIT has confirmed {w.confirmed[k]}"
            assert value <= w.sent[k], f"{fault}: {k} is {value}, sent was {w.sent[k]}"
            lost += value < w.acknowledged[k]
            acknowledged += w.writes // KEYS
            confirmed += w.confirmed[k] > 0
    longest[fault] = max(longest.get(fault, 0), took)
    print(f"# round {number}: {fault} of {victim.host}: no write for {took:.2f} s; {sum(w.writes for w in writers)} writes acknowledged, {confirmed} keys confirmed by WAIT, "
          f"{lost} keys lost what was not", flush=True)
    return lost, took


@tap.case(f"{ROUNDS} rounds of kill -9, SIGSTOP and partition")
def rounds():
    if reason:
        return reason
    print(f"# seed {SEED}", flush=True)
    chance, longest, lost, times = random.Random(SEED), {}, 0, []
    cluster = Cluster()
    try:
        cluster.create()
        for number in range(ROUNDS):
            gone, took = one_round(cluster, number, chance, longest)
            lost += gone
            times.append(took)
    except BaseException:
        for n in cluster.nodes:
            with open(os.path.join(n.folder, "server.log"), errors="replace") as f:
                print(f"# {n.host}\n# " + f.read()[-3000:].replace("\n", "\n# "), file=sys.stderr)
        raise
    finally:
        cluster.close()
    print("# longest without a write: " + ", ".join(f"{k} {v:.2f} s" for k, v in sorted(longest.items())) + f"; median {sorted(times)[len(times) // 2]:.2f} s; keys that lost acknowledged writes which WAIT had not confirmed: {lost}")
    limit = TIMEOUT_MS / 1000 + SPARE_S
    late = [f"{t:.2f}" for t in times if t > limit]
    assert not late or sanitized(BINARY), f"{len(late)} of {len(times)} failovers took more than {limit} s: {', '.join(late)}"
    return None


reason = enter()
tap.run()
