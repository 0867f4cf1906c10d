"""ringwood-cluster with clusters: made, watched, filled, rearranged under traffic, mended, taken apart.

    cluster_tool.py TOOL [SERVER] [--only WORDS]      with SERVER the nodes are ours, with one and two shards in turn; else they are Debian's redis-server
"""
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from servers import Redis, Resp, Ringwood, Tap, equal, free_port, until  # noqa: E402

tap = Tap()
tool = os.path.abspath(sys.argv[1])
server = sys.argv[2] if len(sys.argv) > 2 and not sys.argv[2].startswith("--") else None
only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""


def run(*words, status=0):
    end = time.monotonic() + 20
    while True:
        done = subprocess.run([tool, *map(str, words)], capture_output=True, text=True, timeout=240, stdin=subprocess.DEVNULL)
        # What the last command has changed may not have reached every node yet.
        if done.returncode == status or "the nodes do not agree" not in done.stderr or time.monotonic() > end:
            break
        time.sleep(0.2)
    if done.returncode != status:
        raise AssertionError(f"{words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


class Cluster:
    """Servers in cluster mode; nobody knows anybody yet."""

    def __init__(self, n):
        self.n, self.servers = n, []

    @staticmethod
    def start(shards):
        for attempt in range(5):
            # The bus's port is chosen before the server takes it: somebody else may come first.
            options = ("--cluster-enabled", "yes", "--cluster-port", free_port(), "--cluster-node-timeout", "2000",
                       "--cluster-allow-replica-migration", "no")
            s = Ringwood(server, *options, shards=shards) if server else Redis(*options)
            try:
                return s.start()
            except RuntimeError:
                s.__exit__()
                if attempt == 4:
                    raise

    def __enter__(self):
        try:
            for i in range(self.n):
                self.servers.append(self.start(1 + i % 2))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for s in self.servers:
            s.__exit__()

    def at(self, i):
        return f"127.0.0.1:{self.servers[i].port}"

    def create(self, replicas=0, nodes=None):
        return run("create", *[self.at(i) for i in range(nodes or len(self.servers))], "--replicas", replicas, "--yes")


def slots_of(c):
    """{port of the master: number of slots}"""
    out = {}
    for first, last, master, *_ in c("CLUSTER", "SLOTS"):
        out[master[1]] = out.get(master[1], 0) + last - first + 1
    return out


def fill(cluster, n):
    """Keys through any node, following redirections: {key: value}."""
    clients = {s.port: s.client() for s in cluster.servers}
    some = next(iter(clients.values()))
    owner = {}
    for first, last, master, *_ in some("CLUSTER", "SLOTS"):
        for s in range(first, last + 1):
            owner[s] = clients[master[1]]
    slots = some.pipeline([("CLUSTER", "KEYSLOT", f"key:{i}") for i in range(n)])
    by_node = {}
    for i, s in enumerate(slots):
        by_node.setdefault(owner[s], []).append(("SET", f"key:{i}", f"value:{i}"))
    for c, commands in by_node.items():
        for reply in c.pipeline(commands):
            equal(reply, "OK")


def get(clients, key):
    """One key, from whichever node has it."""
    c = next(iter(clients.values()))
    for _ in range(200):
        reply = c("GET", key)
        if not isinstance(reply, Resp.Error):
            return reply
        word, *rest = reply.split()
        if word in ("MOVED", "ASK"):
            c = clients[int(rest[1].rsplit(":", 1)[1])]
            if word == "ASK":
                c("ASKING")
                reply = c("GET", key)
                if not isinstance(reply, Resp.Error):
                    return reply
        else:
            time.sleep(0.02)
    raise AssertionError(f"{key}: {reply}")


def all_there(cluster, n):
    clients = {s.port: s.client() for s in cluster.servers if s.process.poll() is None}
    for i in range(n):
        equal(get(clients, f"key:{i}"), f"value:{i}".encode(), f"key:{i}")


@tap.case("a cluster of six is made and found good")
def _():
    with Cluster(6) as c:
        plan = run("create", *[c.at(i) for i in range(6)], "--replicas", 1, "--dry-run")
        equal("slots 0-5460" in plan and "Nothing has been done" in plan, True, plan)
        run("create", *[c.at(i) for i in range(6)], "--replicas", 1, status=1)  # nobody to ask
        equal(c.servers[0].client()("CLUSTER", "INFO").decode().count("cluster_known_nodes:1"), 1)
        told = c.create(replicas=1)
        equal("All 16384 slots are covered, all nodes agree." in told, True, told)
        run("check", c.at(4))
        run("create", *[c.at(i) for i in range(6)], "--yes", status=1)  # once is enough
        run("create", c.at(0), c.at(1), "--yes", status=2)
        fill(c, 300)
        equal("300 keys" in run("check", c.at(5), "--map"), True)
        picture = run("map", c.at(2)).splitlines()
        equal(len(picture), 7, picture)
        equal({len(line) for line in picture[:4]}, {71})
        equal(set("".join(line[7:] for line in picture[:4]).upper()), set("ABC"))


@tap.case("a command on all masters, and on all nodes")
def _():
    with Cluster(6) as c:
        c.create(replicas=1)
        fill(c, 200)
        masters = run("call", c.at(0), "PING")
        equal(masters.count("127.0.0.1:"), 3)
        equal(masters.count("PONG"), 1, masters)  # all said the same
        sizes = [int(w.split(")")[1]) for w in run("call", c.at(0), "DBSIZE").splitlines() if "integer" in w]
        equal(sum(sizes) == 200 or len(sizes) < 3, True, sizes)
        equal(run("call", c.at(0), "--all", "CONFIG", "SET", "maxmemory-policy", "allkeys-lru").count("127.0.0.1:"), 6)
        equal({s.client()("CONFIG", "GET", "maxmemory-policy")[1] for s in c.servers}, {b"allkeys-lru"})
        run("call", c.at(0), "NOSUCH", status=1)
        run("call", c.at(0), status=2)


@tap.case("slots are moved while they are read")
def _():
    with Cluster(4) as c:
        c.create(nodes=3)
        fill(c, 2000)
        run("add-node", c.at(3), c.at(0), "--yes")
        equal(sum(slots_of(c.servers[0].client()).values()), 16384)
        done, seen = threading.Event(), []

        def read():
            clients = {s.port: s.client() for s in c.servers}
            i = 0
            while not done.is_set():
                equal(get(clients, f"key:{i % 2000}"), f"value:{i % 2000}".encode())
                seen.append(i)
                i += 7

        fault = []
        reader = threading.Thread(target=lambda: fault.extend([e for e in [guard(read)] if e]))
        reader.start()
        plan = run("reshard", c.at(0), "--to", c.at(3), "--slots", 96, "--dry-run")
        equal(plan.count("to " + c.at(3)), 3, plan)
        told = run("reshard", c.at(0), "--to", c.at(3), "--slots", 96, "--yes")
        equal("96 slots with" in told, True, told)
        done.set()
        reader.join()
        equal(fault, [])
        equal(len(seen) > 50, True, len(seen))
        until(lambda: slots_of(c.servers[1].client()).get(c.servers[3].port) == 96, "all know it")
        run("reshard", c.at(0), "--from", c.at(1), "--to", c.at(3), "--slots", 5, "--yes", "--pipeline", 1)
        run("reshard", c.at(0), "--from", c.at(3), "--to", c.at(3), "--slots", 5, "--yes", status=2)
        run("reshard", c.at(0), "--to", "nobody", "--slots", 5, "--yes", status=2)
        run("check", c.at(0))
        all_there(c, 2000)


def guard(f):
    try:
        return f()
    except Exception as e:  # told by the main thread
        return repr(e)


@tap.case("shares are evened out by slots, keys and bytes, with weights")
def _():
    with Cluster(4) as c:
        c.create(nodes=3)
        fill(c, 3000)
        first, fourth = c.servers[0], c.servers[3]
        run("add-node", c.at(3), c.at(0), "--yes")
        equal("nothing to do" in run("rebalance", c.at(0)), True)
        plan = run("rebalance", c.at(0), "--use-empty-masters", "--dry-run")
        equal(plan.count("->           4096 slots"), 4, plan)
        # Small shares, so that not too many slots are on their way: with each of them every node's configuration is written.
        run("rebalance", c.at(0), "--weight", f"{c.at(3)}=0.01", "--yes")
        until(lambda: sorted(slots_of(first.client()).values())[0] in (54, 55), "the fourth has its share")
        run("rebalance", c.at(0), "--weight", f"{c.at(3)}=0", "--yes")
        until(lambda: fourth.port not in slots_of(first.client()), "the fourth has none")
        equal(fourth.client()("DBSIZE"), 0)
        run("rebalance", c.at(0), "--by", "keys", "--weight", f"{c.at(3)}=0.01", "--threshold", 5, "--yes")
        keys = [s.client()("DBSIZE") for s in c.servers]
        equal(max(keys[:3]) - min(keys[:3]) < 150 and 5 < keys[3] < 16 and sum(keys) == 3000, True, keys)
        # One slot with most of the bytes: nobody can share it, but the others' slots go elsewhere.
        tagged = Resp(slot_owner(c, "{big}"))
        tagged.pipeline([("SET", "{big}" + str(i), "x" * 20000) for i in range(100)])
        plan = run("rebalance", c.at(0), "--by", "bytes", "--dry-run")
        equal("Nothing has been done" in plan, True, plan)
        run("rebalance", c.at(0), "--weight", "nobody=1", status=2)
        run("check", c.at(1))
        all_there(c, 3000)


def slot_owner(cluster, key):
    c = cluster.servers[0].client()
    slot = c("CLUSTER", "KEYSLOT", key)
    return next(m[1] for first, last, m, *_ in c("CLUSTER", "SLOTS") if first <= slot <= last)


@tap.case("nodes come as replicas, and go")
def _():
    with Cluster(6) as c:
        c.create(nodes=3)
        run("add-node", c.at(3), c.at(0), "--replica", "--yes")
        run("add-node", c.at(5), c.at(1), "--yes")
        run("add-node", c.at(5), c.at(0), "--yes", status=1)
        run("add-node", c.at(4), c.at(0), "--replica-of", c.at(5), "--yes")
        equal(c.servers[4].client()("ROLE")[2], c.servers[5].port)
        run("reshard", c.at(0), "--to", c.at(5), "--slots", 16, "--yes")
        run("del-node", c.at(0), c.at(5), "--yes", status=1)  # has slots
        run("rebalance", c.at(0), "--weight", f"{c.at(5)}=0", "--yes")
        run("del-node", c.at(0), c.at(5), "--yes")
        until(lambda: c.servers[5].client()("CLUSTER", "INFO").decode().count("cluster_known_nodes:1"), "it is alone")
        until(lambda: c.servers[4].client()("ROLE")[2] != c.servers[5].port, "its replica has another master")
        run("del-node", c.at(0), c.at(3), "--yes")
        until(lambda: subprocess.run([tool, "check", c.at(0)], capture_output=True).returncode == 0, "all is well")


@tap.case("what was left half done is mended")
def _():
    with Cluster(3) as c:
        c.create()
        fill(c, 1000)
        ids = [s.client()("CLUSTER", "MYID").decode() for s in c.servers]
        a, b = c.servers[0].client(), c.servers[1].client()
        # Cut off in the middle: some keys are there, one at both ends.
        slot = next(s for s in range(5461) if a("CLUSTER", "COUNTKEYSINSLOT", s) >= 1)
        key = a("CLUSTER", "GETKEYSINSLOT", slot, 1)[0]
        a("SET", "{" + key.decode() + "}2", "second")
        b("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
        a("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
        a("MIGRATE", "127.0.0.1", c.servers[1].port, key, 0, 5000, "COPY")
        told = run("check", c.at(2), status=1)
        equal(f"slot {slot} is half on its way" in told, True, told)
        equal(">" in run("map", c.at(0)), True)
        run("reshard", c.at(0), "--to", c.at(1), "--slots", 5, "--yes", status=1)  # fix comes first
        told = run("fix", c.at(0), "--yes")
        equal(f"slot {slot}: goes on" in told, True, told)
        equal(b("GET", "{" + key.decode() + "}2"), b"second")
        # One end only.
        other = slot + 1
        a("CLUSTER", "SETSLOT", other, "MIGRATING", ids[2])
        c.servers[2].client()("CLUSTER", "SETSLOT", 20, "IMPORTING", ids[0])
        run("check", c.at(0), status=1)
        run("fix", c.at(0), "--yes")
        # Nobody's slots.
        for s in c.servers:
            s.client()("CLUSTER", "DELSLOTS", *range(100, 140))
        told = run("check", c.at(0), status=1)
        equal("40 slots without an owner: 100-139" in told, True, told)
        run("fix", c.at(0), "--dry-run")
        run("fix", c.at(0), "--yes")
        equal("nothing to mend" in run("fix", c.at(1), "--yes"), True)
        all_there(c, 1000)


@tap.case("nodes that are gone are told")
def _():
    with Cluster(4) as c:
        c.create(nodes=3)
        run("add-node", c.at(3), c.at(0), "--replica-of", c.at(1), "--yes")
        c.servers[2].stop()
        told = run("check", c.at(0), status=1)
        equal(f"{c.at(2)} cannot be asked" in told, True, told)
        run("fix", c.at(0), "--yes", status=1)
        run("check", c.at(2), status=1)
        run("check", "nonsense", status=2)


@tap.case("passwords")
def _():
    with Cluster(4) as c:
        c.create(nodes=3)
        run("add-node", c.at(3), c.at(0), "--yes")
        fill(c, 500)
        for s in c.servers:
            admin = s.client()
            admin("CONFIG", "SET", "masterauth", "secret")
            admin("CONFIG", "SET", "requirepass", "secret")
        run("check", c.at(0), status=1)
        run("-a", "wrong", "check", c.at(0), status=1)
        run("-a", "secret", "check", c.at(0))
        run("reshard", c.at(0), "-a", "secret", "--to", c.at(3), "--slots", 60, "--yes")
        equal(run("call", c.at(0), "--pass", "secret", "PING").count("PONG"), 1)


tap.cases = [c for c in tap.cases if only in c[0]]
tap.run()
