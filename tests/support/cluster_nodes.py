"""Nodes of clusters of both kinds, ours and redis-server's, each with its folder over restarts; what all of them are to agree on; a client that is sent around."""
import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile

from bus import bus_stands
from servers import Redis, Resp, Ringwood, equal, free_port, until

BINARY = sys.argv[1]  # of ours, as every test is told
TIMEOUT_MS = 2000  # cluster-node-timeout


def options():
    return ["--cluster-enabled", "yes", "--cluster-node-timeout", TIMEOUT_MS, "--cluster-port", free_port(), "--repl-diskless-sync-delay", 0,
            "--appendonly", "no"]


class Node:
    """A server with its cluster bus; the same folder over restarts."""

    def __init__(self, kind, *more, shards=2):
        self.kind, self.folder = kind, tempfile.mkdtemp(prefix="ringwood-cluster-")
        self.arguments = [*options(), *more]
        self.bus = self.arguments[self.arguments.index("--cluster-port") + 1]
        self.server = Redis(*self.arguments, directory=self.folder) if kind == "redis" else \
            Ringwood(BINARY, *self.arguments, shards=shards, directory=self.folder)
        self.server.start()

    @property
    def port(self):
        return self.server.port

    def client(self, timeout=60):
        return self.server.client(timeout)

    def __call__(self, *command):
        client = self.server.client(20)
        try:
            return client(*command)
        finally:
            client.close()

    def id(self):
        return self("CLUSTER", "MYID").decode()

    def nodes(self):
        """By name: (flags, master, slots)."""
        lines = [line.split() for line in self("CLUSTER", "NODES").decode().splitlines()]
        return {w[0]: (set(w[2].split(",")), w[3], w[8:]) for w in lines}

    def info(self, section="CLUSTER"):
        text = self("CLUSTER", "INFO") if section == "CLUSTER" else self("INFO", section)
        return dict(line.split(":", 1) for line in text.decode().split("\r\n") if ":" in line)

    def is_master(self):
        return self("ROLE")[0] == b"master"

    def kill(self):
        self.server.stop(signal.SIGKILL)

    def restart(self):
        """With the port that it had: the others know it by that."""
        self.server.start(self.server.port)

    def close(self):
        with contextlib.suppress(Exception):
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def nodes(*kinds, more=()):
    made = []
    try:
        for kind in kinds:
            made.append(Node(kind, *more))
        yield made
    except BaseException:
        for n in made:
            with contextlib.suppress(Exception):
                print("# " + n.server.log_text()[-1500:].replace("\n", "\n# "), file=sys.stderr)
        raise
    finally:
        for n in made:
            n.close()


def meet(all_nodes):
    introduce(all_nodes[0], all_nodes[1:], all_nodes)


def introduce(host, strangers, all_nodes):
    """One node meets others; in the end all know all."""
    for n in strangers:
        equal(host("CLUSTER", "MEET", "127.0.0.1", n.port, n.bus), "OK")
    until(lambda: all(sum("handshake" not in f for f, _, _ in n.nodes().values()) == len(all_nodes) for n in all_nodes), "all know all", 30)


def share_slots(masters):
    for i, n in enumerate(masters):
        equal(n("CLUSTER", "ADDSLOTSRANGE", i * 16384 // len(masters), (i + 1) * 16384 // len(masters) - 1), "OK")


def agree(all_nodes, seconds=40):
    """All say that the cluster serves, and name the same owners; every node has its links to every other."""
    def settled():
        views = []
        for n in all_nodes:
            if n.info()["cluster_state"] != "ok":
                return False
            views.append({name: slots for name, (_, _, slots) in n.nodes().items() if slots and not slots[0].startswith("[")})
        return all(v == views[0] for v in views)
    until(settled, "all agree", seconds)
    bus_stands(all_nodes, seconds)


def know_roles(all_nodes):
    """All name the same master for every node: a master does not vote for a replica whose master it does not know."""
    until(lambda: len({frozenset((name, master) for name, (_, master, _) in n.nodes().items()) for n in all_nodes}) == 1, "all know everybody's part", 30)


def replicate(replica, master):
    until(lambda: replica("CLUSTER", "REPLICATE", master.id()) == "OK", "REPLICATE", 10)
    link_is_up(replica)


def link_is_up(replica):
    until(lambda: replica.info("replication").get("master_link_status") == "up", "the link to the master", 30)


def three_with_replicas(all_nodes):
    """Of six: three masters that have all slots, and a replica of each: (masters, replicas)."""
    masters, replicas = all_nodes[:3], all_nodes[3:]
    share_slots(masters)
    meet(all_nodes)
    agree(all_nodes)
    for r, m in zip(replicas, masters):
        replicate(r, m)
    know_roles(all_nodes)
    return masters, replicas


@contextlib.contextmanager
def three_and_three():
    """Of ours: three_with_replicas()."""
    with nodes(*["ringwood"] * 6) as all_nodes:
        made = three_with_replicas(all_nodes)
        agree(all_nodes)
        yield made


def cli(*arguments, seconds=60):
    done = subprocess.run(["redis-cli", *map(str, arguments)], capture_output=True, text=True, timeout=seconds)
    return done.returncode, done.stdout + done.stderr


class Routed:
    """A client that follows MOVED and ASK."""

    def __init__(self, some):
        self.start, self.clients, self.redirections = some.port, {}, 0

    def at(self, port):
        if port not in self.clients:
            self.clients[port] = Resp(port, 20)
        return self.clients[port]

    def __call__(self, *command):
        port, asking = self.start, False
        for _ in range(8):
            try:
                c = self.at(port)
                if asking:
                    equal(c("ASKING"), "OK")
                reply = c(*command)
            except OSError:
                self.clients.pop(port, None)
                raise
            if not isinstance(reply, Resp.Error) or reply.split()[0] not in ("MOVED", "ASK"):
                return reply
            self.redirections += 1
            asking = reply.startswith("ASK ")
            port = int(reply.rsplit(":", 1)[1])
        raise AssertionError(f"sent round and round: {command}")
