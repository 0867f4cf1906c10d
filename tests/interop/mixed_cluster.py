#!/usr/bin/env python3
"""A cluster that changes hands: redis-server's to begin with, ours in the end, while clients write.

    mixed_cluster.py RINGWOOD_SERVER
"""
import sys
import time
from types import SimpleNamespace

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/support")
from cluster_nodes import agree, introduce, know_roles, link_is_up, nodes, replicate, three_with_replicas  # noqa: E402
from servers import Redis, Resp, Tap, equal, until  # noqa: E402
from slot_moves import Traffic, same_data  # noqa: E402

tap = Tap()


class Client(Traffic):
    """Goes on over ASK and MOVED, and over connections that have ended; stands still when it is told to."""

    def __init__(self, some, reference, number):
        super().__init__(SimpleNamespace(masters=some, nodes=some), reference, number, pause=0.002)
        self.hold = self.held = False
        self.asked = 0

    def some(self):
        while self.hold and not self.over:
            self.held = True
            time.sleep(0.01)
        self.held = False
        commands = super().some()
        # While a slot is open its keys may be in two places: commands of several are told TRYAGAIN, and a transaction cannot be asked for.
        return commands if len(commands) == 1 and commands[0][0] != "EVAL" else [("INCR", self.key("n"))]

    def at(self, port):
        """Connections that stood idle while their server was started anew are dead, and nothing has been sent over them."""
        try:
            link = self.links.pop(port)
            equal(link("PING"), "PONG")
        except (KeyError, OSError):
            link = Resp(port, 60)
        self.links[port] = link
        return link

    def ask(self, commands):
        [command] = commands
        port, asking = self.port, False
        for _ in range(20):
            link = self.at(port)
            reply = link.pipeline([("ASKING",), command])[1] if asking else link(*command)
            if not isinstance(reply, Resp.Error):
                return [reply]
            word = reply.split()[0]
            if word not in ("MOVED", "ASK"):
                raise AssertionError(f"{command}: {reply}")
            asking = word == "ASK"
            port = int(reply.rsplit(":", 1)[1])
            if asking:
                self.asked += 1
            else:
                self.moved += 1
                self.port = port
        raise AssertionError(f"sent round and round: {command}")


def stand_still(clients, master, replica):
    """Nothing is written any more, and the replica has all of it."""
    for c in clients:
        c.hold = True
    until(lambda: all(c.held for c in clients), "clients stand still")
    until(lambda: replica.info("replication").get("slave_repl_offset") == master.info("replication")["master_repl_offset"], "the replica has it all", 20)


def go_on(clients, port):
    for c in clients:
        c.port, c.hold = port, False


def replaced_by(master, heir, all_nodes, clients):
    """The master is killed, its replica takes its place, and it comes back as a replica of that one."""
    link_is_up(heir)
    know_roles(all_nodes)
    stand_still(clients, master, heir)
    master.kill()
    until(heir.is_master, f"a replica ({heir.kind}) of a dead master ({master.kind}) takes over", 30)
    agree([n for n in all_nodes if n is not master])
    go_on(clients, heir.port)
    master.restart()
    until(lambda: not master.is_master(), "it comes back as a replica", 30)
    agree(all_nodes)
    know_roles(all_nodes)


def take_over(replica, master, all_nodes):
    """By CLUSTER FAILOVER, under traffic: the two agree on an offset first, so nothing is lost. One that does not come about in five seconds is given up."""
    link_is_up(replica)
    know_roles(all_nodes)
    for attempt in range(4):
        equal(replica("CLUSTER", "FAILOVER"), "OK")
        try:
            until(replica.is_master, f"the manual failover, attempt {attempt}", 8)
            break
        except AssertionError:
            if attempt == 3:
                raise
    until(lambda: not master.is_master(), "roles are exchanged", 15)
    agree(all_nodes)
    know_roles(all_nodes)


def move(slot, source, target, all_nodes):
    equal(target("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id()), "OK")
    equal(source("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id()), "OK")
    keys = 0
    while some := source("CLUSTER", "GETKEYSINSLOT", slot, 7):
        keys += len(some)
        reply = source("MIGRATE", "127.0.0.1", target.port, "", 0, 10000, "KEYS", *some)
        assert reply in ("OK", "NOKEY"), reply  # NOKEY: a client has removed them
        time.sleep(0.02)  # in which clients find the slot in two parts
    for n in (target, source):
        equal(n("CLUSTER", "SETSLOT", slot, "NODE", target.id()), "OK")
    agree(all_nodes)
    return keys


@tap.case("three redis-server masters with replicas: ours join, each kind takes over from the other, slots move both ways under traffic, and only ours remain")
def changes_hands():
    with nodes(*["redis"] * 6, more=("--cluster-allow-replica-migration", "no")) as theirs, Redis() as reference:
        masters, replicas = three_with_replicas(theirs)
        with nodes(*["ringwood"] * 3, more=("--cluster-allow-replica-migration", "no")) as ours:
            everybody = theirs + ours
            clients = [Client(everybody, reference, n) for n in range(3)]
            for c in clients:
                c.start()
            try:
                # They join.
                introduce(theirs[0], ours, everybody)
                agree(everybody)
                for n, m in zip(ours, masters):
                    replicate(n, m)
                agree(everybody)
                # A Redis is killed and ours takes over, and the other way round.
                equal(replicas[0]("CONFIG", "SET", "cluster-replica-no-failover", "yes"), "OK")
                replaced_by(masters[0], ours[0], everybody, clients)
                replaced_by(ours[0], masters[0], everybody, clients)
                # One of ours becomes a master; slots come to it, and go from it.
                take_over(ours[1], masters[1], everybody)
                moves = 0
                for c in clients:
                    for tag in range(7):
                        slot = ours[1]("CLUSTER", "KEYSLOT", f"{{{c.name}{tag}}}")
                        own = ours[1]("CLUSTER", "COUNTKEYSINSLOT", slot)
                        source = next(n for n in (masters[0], ours[1], masters[2]) if n("CLUSTER", "COUNTKEYSINSLOT", slot) and n.is_master())
                        target = masters[tag % 2 * 2] if own else ours[1]
                        assert move(slot, source, target, everybody) > 0
                        moves += 1
                equal(moves, 21)
                assert all(c.asked for c in clients), "nobody has seen a slot that is open"
                # Only ours remain.
                for mine, old in ((ours[0], masters[0]), (ours[2], masters[2])):
                    take_over(mine, old, everybody)
                gone = [n.id() for n in theirs]
                for n in theirs:
                    n.kill()
                for n in ours:
                    for name in gone:
                        equal(n("CLUSTER", "FORGET", name), "OK")
                until(lambda: all(len(n.nodes()) == 3 for n in ours), "nobody else is known", 20)
                agree(ours)
                time.sleep(1)
            finally:
                for c in clients:
                    c.over = True
            for c in clients:
                c.stop()
                assert c.commands > 100, c.commands
            same_data(reference, ours, "in the end")
            equal([len(n.nodes()) for n in ours], [3, 3, 3])


tap.run()
