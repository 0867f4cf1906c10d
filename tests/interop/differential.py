#!/usr/bin/env python3
"""Random commands, valid and broken, in step to our server and to redis-server 7.0: replies and DEBUG DIGEST must agree.

    differential.py RINGWOOD-SERVER SHARDS [--seed N] [--seconds S] [--rounds N] [--survey] [--coverage] [--beside-ours SERVER] [--arg WORD ...]
Commands come from our server's own grammar (grammar.py), agreement.py says what agrees. A round is some hundred commands on an empty server, with MULTI blocks, WATCH by a
second connection and commands that block it; its dice depend on seed and number alone: `--seed N` of a failed round, which is printed, with `--rounds 1` repeats it. At the first difference the round
is replayed with fewer commands as long as the difference stays, and what remains is printed. Without options: some seconds of the same dice each time, so that a change is
judged by what it does; with RINGWOOD_LONG=1 an hour of new ones.
"""
import argparse
import os
import random
import select
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
import agreement  # noqa: E402
import coverage  # noqa: E402
import grammar  # noqa: E402
import lua_grammar  # noqa: E402
from servers import Redis, Resp, Ringwood, Tap, free_port  # noqa: E402,F401

LONG = bool(os.environ.get("RINGWOOD_LONG"))
LENGTH = 400        # commands in a round
STALL = 0.5         # seconds: no step of a round takes so long by itself
PATIENCE = 60.0     # seconds for a reply
SHRINK_SECONDS = 60
# Small limits make values change their encoding often.
LIMITS = {"list-max-listpack-size": ("-2", "4", "-1"), "hash-max-listpack-entries": ("128", "4"), "hash-max-listpack-value": ("64", "8"),
          "zset-max-listpack-entries": ("128", "4"), "zset-max-listpack-value": ("64", "8"), "set-max-intset-entries": ("512", "4"),
          "stream-node-max-entries": ("100", "3", "0"), "stream-node-max-bytes": ("4096", "100", "0"), "hll-sparse-max-bytes": ("3000", "20", "200"),
          "list-compress-depth": ("0", "1")}


class Difference(Exception):
    pass


class Link:
    """One connection, to one server."""

    def __init__(self, server, protocol):
        self.client = server.client(PATIENCE)
        self.id = self.client("CLIENT", "ID")
        if protocol == 3:
            self.client("HELLO", 3)

    def send(self, args):
        self.client.send(Resp.encode(*args))

    def ready(self, seconds):
        return bool(select.select([self.client.socket], [], [], seconds)[0])

    def read(self):
        if not self.ready(PATIENCE):
            raise Difference(f"no reply within {PATIENCE:.0f} s")
        try:
            return agreement.read(self.client.file)
        except TimeoutError:
            raise Difference("a reply without its end") from None

    def ask(self, *args):
        self.send([a if isinstance(a, bytes) else str(a).encode() for a in args])
        return self.read()


class Both:
    """The same connection to either server, and what MULTI has queued on it."""

    def __init__(self, servers, protocol, control, reached):
        self.control, self.reached = control, reached
        self.links = [Link(s, protocol) for s in servers]
        self.queue, self.waiting = None, None

    def close(self):
        for link in self.links:
            link.client.close()

    def send(self, args):
        for link in self.links:
            link.send(args)

    def check(self, args):
        replies = []
        for link, whose in zip(self.links, ("ours", "theirs")):
            try:
                replies.append(link.read())
            except ConnectionError as e:
                raise Difference(f"{whose}: {e}, after {agreement.show(args)}") from None
            except Difference as e:
                raise Difference(f"{whose}: {e}, after {agreement.show(args)}") from None
        ours, theirs = replies
        name = args[0].lower()
        if name == b"exec" and self.queue is not None and ours[0] == theirs[0] == "*" and ours[1] and theirs[1] and len(ours[1]) == len(theirs[1]) == len(self.queue):
            for queued, a, b in zip(self.queue, ours[1], theirs[1]):
                self.compare(queued, a, b, "in EXEC: ")
        else:
            self.compare(args, ours, theirs)
        self.note(name, args, theirs)

    def compare(self, args, ours, theirs, where=""):
        calls = getattr(args, "calls", ())
        if calls and numbered(ours, calls) and numbered(theirs, calls) and len(ours[1]) == len(theirs[1]):
            return self.compare_calls(args, calls, ours, theirs, where)
        if calls and ours[0] == theirs[0] == "-":
            if any(reason_of(call, ours, theirs) for call in calls.values()):
                return
        elif calls and ours[0] != theirs[0] and agreement.known_difference(calls.values(), without_place(ours), without_place(theirs)):
            raise agreement.Diverged("in a script")
        self.reached.note(args, theirs)
        fault = agreement.disagreement(args, ours, theirs)
        if not fault:
            return
        key = agreement.key_with_ties(args)
        if key and self.has_ties(key):
            raise agreement.Diverged("members at one place")
        raise Difference(where + fault)

    def compare_calls(self, args, calls, ours, theirs, where):
        for a, b in zip(ours[1], theirs[1]):
            if a[1][0] != b[1][0] or len(a[1]) != len(b[1]):
                raise Difference(f"{where}{agreement.show(args)}\n  ours:   {a!r:.500}\n  theirs: {b!r:.500}")
            if len(a[1]) > 1:
                self.compare(calls[int(a[1][0][1])], a[1][1], b[1][1], f"{where}in {agreement.show(args)}\n  ")
        self.reached.note(args, theirs)

    def has_ties(self, key):
        for db in range(4):
            self.control[0]("SELECT", db)
            scores = self.control[0]("ZRANGE", key, 0, -1, "WITHSCORES")
            self.control[0]("SELECT", 0)
            if not isinstance(scores, Resp.Error) and len(set(scores[1::2])) != len(scores) // 2:
                return True
        return False

    def note(self, name, args, reply):
        if name == b"multi" and reply[0] == "+":
            self.queue = []
        elif name in (b"exec", b"discard", b"reset"):
            self.queue = None
        elif self.queue is not None and reply == ("+", b"QUEUED"):
            self.queue.append(args)

    def both_wait(self):
        """Until the command that was sent waits, or has been answered, on either server; else what follows could overtake it."""
        for link, control in zip(self.links, self.control):
            end = time.monotonic() + PATIENCE
            while not link.ready(0) and time.monotonic() < end:
                line = control("CLIENT", "LIST", "ID", link.id)
                if b" flags=b" in line:
                    break


def numbered(reply, calls):
    """A script's answer: what its calls answered, each with its number (lua_grammar.py)."""
    return reply[0] == "*" and reply[1] and all(r[0] == "*" and r[1] and r[1][0][0] == ":" and int(r[1][0][1]) in calls for r in reply[1])


def reason_of(call, ours, theirs):
    """Do these errors of a script differ as those of this command may?"""
    ours, theirs = without_place(ours), without_place(theirs)
    return ours != theirs and not agreement.disagreement(call, ours, theirs)


def without_place(error):
    """An error that ended a script, without where it was."""
    return ("-", error[1].split(b" script: ")[0]) if error[0] == "-" else error


class Player:
    """Plays a round: a list of steps (connection, words). Words of its own: BLOCK sends what must be waited for, RELEASE ends the wait, DIGEST compares."""

    def __init__(self, servers, reached):
        self.servers, self.reached = servers, reached
        self.control = [s.client() for s in servers]
        self.listeners = [s.client() for s in servers]
        for c in self.listeners:
            c("PSUBSCRIBE", "__key*")
            c.send(Resp.encode("PSUBSCRIBE", "ch*"))
            c.read()
        self.versions_differ = not self.control[1]("INFO", "server").split(b"redis_version:")[1].startswith(b"7.0.")
        # When what has expired goes is each server's own affair; 7.2 makes consumers where 7.0 does not.
        self.unheard = [b"expired"] if self.versions_differ else [b"expired", b"xgroup-createconsumer", b"xgroup-delconsumer"]
        self.diverged = self.stalled = 0
        self.slowest = 0  # step of the round, seconds
        self.misses_open = False  # since the last look at what was published, keys were looked for that chance has chosen
        self.deletes_open = False  # in this round, times were given that have passed

    def play(self, steps, settings):
        """Raises Difference; `self.at` is then the step's number."""
        for c in self.control:
            c("CONFIG", "SET", "notify-keyspace-events", settings["events"])
            for command in (("FLUSHALL",), ("FUNCTION", "FLUSH"), ("SCRIPT", "FLUSH")):
                c(*command)
            for name, value in settings["limits"].items():
                c("CONFIG", "SET", name, value)
        self.heard()
        self.deletes_open = False
        connections = [Both(self.servers, settings["protocol"], self.control, self.reached) for _ in range(2)]
        self.slowest, moment = 0, time.monotonic()
        try:
            for self.at, (which, args) in enumerate(steps):
                try:
                    self.step(connections, which, args)
                finally:
                    self.slowest, moment = max(self.slowest, time.monotonic() - moment), time.monotonic()
            self.at = len(steps)
            self.release(connections)
            self.digest()
        except agreement.Diverged:
            self.diverged += 1
        finally:
            for both in connections:
                both.close()

    def stood_still(self, steps, settings):
        """Whether the difference came of a machine that stopped in the midst of a step, when a key's time passed on one server alone: it is gone then at once."""
        if self.slowest < STALL:
            return False
        try:
            self.play(steps, settings)
        except Difference:
            return False
        self.stalled += 1
        return True

    def step(self, connections, which, args):
        both, word = connections[which], args[0]
        if word == b"DIGEST":
            self.digest()
        elif word == b"RELEASE":
            self.release(connections)
        elif both.waiting:
            return  # its place in line is taken: only a shortened round gets here
        elif word == b"BLOCK":
            self.note(args)
            both.waiting = args[1:]
            both.send(args[1:])
            both.both_wait()
        else:
            self.note(args)
            both.send(args)
            both.check(args)
            # Between two shards a waiter moves its element under a lease that comes after the reply which it waited for (docs/compatibility.md).
            if any(c.waiting and c.waiting[0].upper() in (b"BLMOVE", b"BRPOPLPUSH") for c in connections):
                time.sleep(0.01)

    def note(self, args):
        """What a command leaves open about what is published."""
        self.misses_open |= agreement.looks_by_chance(args)
        self.deletes_open |= agreement.may_be_born_expired(args)

    def release(self, connections):
        both = connections[1]
        if both.waiting:
            answers = [c("CLIENT", "UNBLOCK", link.id) for c, link in zip(self.control, both.links)]
            if answers == [1, 0] and agreement.woken_for_nothing(both.waiting, both.links[1].read()):
                raise agreement.Diverged("woken for nothing")
            if answers == [0, 1] and agreement.waits_for_more(both.waiting):
                raise agreement.Diverged("waits for one ID of two")
            if answers[0] != answers[1]:
                raise Difference(f"CLIENT UNBLOCK of {agreement.show(both.waiting)}: ours {answers[0]}, theirs {answers[1]}")
            args, both.waiting = both.waiting, None
            both.check(args)

    def heard(self):
        """What was published since the last time, keyspace events among it, by either server."""
        messages = []
        unheard = [*self.unheard, b"del"] if self.deletes_open else self.unheard
        for c in self.listeners:
            c.send(Resp.encode("PING"))
            of_one = []
            while (message := c.read())[0] != b"pong":
                if not any(w in (message[3], message[2].split(b"__:")[-1]) for w in unheard):
                    of_one.append((message[2], message[3]))
            # In which order SORT looks for the weights of a set's members is open, and since 7.2 a command that has waited is run again, and misses once more
            # what it had missed before: misses come last, each once.
            missed = [m for m in of_one if b"keymiss" in (m[1], m[0].split(b"__:")[-1])]
            messages.append([m for m in of_one if m not in missed] + ([] if self.misses_open else sorted(set(missed))))
        self.misses_open = False
        return messages

    def digest(self):
        ours, theirs = self.heard()
        if ours != theirs:
            at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
            first = [m[at][1] if at < len(m) and m[at][0].startswith(b"__keyspace") else b"-" for m in (ours, theirs)]
            raise Difference(f"published {first[0].decode('latin-1')}/{first[1].decode('latin-1')}: after {ours[max(0, at - 4):at]} ours {ours[at:at + 6]}, theirs {theirs[at:at + 6]}")
        a, b = (c("DEBUG", "DIGEST") for c in self.control)
        if a != b:
            self.drop_expired()
            a, b = (c("DEBUG", "DIGEST") for c in self.control)
        if a == b:
            return
        excused, lines = 0, [f"DEBUG DIGEST: ours {a}, theirs {b}"]
        for db in range(16):
            for c in self.control:
                c("SELECT", db)
            for key in self.control[1]("KEYS", "*"):
                x, y = (c("DEBUG", "DIGEST-VALUE", key)[0] for c in self.control)
                if x != y and self.same_scores(key):
                    excused += 1
                elif x != y:
                    lines.append(f"  key {key!r} of database {db} differs: TYPE {[c('TYPE', key) for c in self.control]}, "
                                 f"DUMP {[c('DUMP', key) for c in self.control]!r:.1500}")
        for c in self.control:
            c("SELECT", 0)
        if len(lines) > 1 or not excused:
            raise Difference("\n".join(lines))

    def same_scores(self, key):
        """The digest of a sorted set has its scores as text: ours is that of 7.0, with 17 digits, which the replies of 7.2 have no longer.
        With 7.0 a zero may have its sign in a large set alone, and SORT makes large what is small here (docs/compatibility.md)."""
        a, b = (c("ZRANGE", key, 0, -1, "WITHSCORES") for c in self.control)
        if isinstance(a, Resp.Error) or a[::2] != b[::2] or not (self.versions_differ or b"-0" in b[1::2]):
            return False
        return [float(x) for x in a[1::2]] == [float(x) for x in b[1::2]]

    def drop_expired(self):
        """What has expired may still be there, and be counted (SET with a time in the past): a SCAN takes it away."""
        for db in range(16):
            for c in self.control:
                c("SELECT", db)
                c("SCAN", 0, "COUNT", 1000000)
        for c in self.control:
            c("SELECT", 0)


class Planner:
    """Makes rounds."""

    def __init__(self, commands, payloads, libraries):
        self.commands, self.payloads, self.libraries = commands, payloads, libraries

    def round(self, seed):
        dice = random.Random(seed)
        groups = set(dice.sample([g for g in grammar.GROUPS if g != "generic"], dice.choice((1, 1, 2, 3, 9))))
        mine = [c for c in self.commands if c.group in groups]
        generic = [c for c in self.commands if c.group == "generic"]
        others = [c for c in self.commands if c.group not in grammar.GROUPS]
        self.dice = dice
        self.mine = mine + dice.sample(generic, min(len(generic), max(2, len(mine) // 4))) + dice.sample(others, dice.choice((0, 0, 3, len(others))))
        self.blocking = [c for c in mine if "blocking" in c.flags]
        self.writer = grammar.Writer(self.commands, dice, self.payloads)
        self.writer.many = dice.random() < 0.3
        self.writer.odd = dice.choice((0.02, 0.05, 0.15))
        self.transactions, self.waits = dice.choice(((0.02, 0.03), (0.02, 0.03), (0.12, 0.02), (0.02, 0.2)))
        self.breaks = dice.choice((0.05, 0.12, 0.5))
        self.scripted = dice.choice((0, 0, 0.05, 0.3))
        in_scripts = [c for c in self.mine if c.in_scripts_of_both]
        self.scripts = lua_grammar.Scripts(dice, lambda: self.writer.command(in_scripts, self.breaks))
        self.scripts.begin(self.libraries)
        settings = {"events": dice.choice(("", "", "KEA", "KEAmn")), "protocol": dice.choice((2, 2, 3)), "limits": {name: dice.choice(values) for name, values in LIMITS.items()}}
        steps = []
        while len(steps) < LENGTH:
            steps += self.some()
        return steps, settings

    def write(self, choices=None, waits=False):
        if self.dice.random() < self.scripted:
            return self.scripts.step()
        return self.writer.command(choices or self.mine, self.breaks, waits)

    def some(self):
        r = self.dice.random()
        if r < self.transactions:
            return self.transaction()
        if r > 1 - self.waits and self.blocking:
            return self.wait()
        if r > 0.985 - self.waits:
            return [(0, [b"DIGEST"])]
        return [(self.dice.choice((0, 0, 0, 0, 1)), self.write())]

    def transaction(self):
        d, steps, by = self.dice, [], self.dice.randrange(2)
        other = 1 - by
        if d.random() < 0.5:
            steps.append((by, [b"WATCH", *(d.choice(grammar.ALL_KEYS).encode() for _ in range(d.randint(1, 3)))]))
            steps += [(d.choice((by, other)), self.write()) for _ in range(d.randint(0, 2))]
            if d.random() < 0.1:
                steps.append((by, [b"UNWATCH"]))
        steps.append((by, [b"MULTI"]))
        for _ in range(d.randint(0, 6)):
            steps.append((by, self.write(waits=d.random() < 0.3, choices=[c for c in self.mine if c.name != "reset"])))
            if d.random() < 0.15:
                steps.append((other, self.write()))
        if d.random() < 0.05:
            steps.append((by, [d.choice((b"MULTI", b"WATCH", b"UNWATCH"))]))
        steps.append((by, [b"EXEC" if d.random() < 0.9 else b"DISCARD"]))
        return steps

    def wait(self):
        d = self.dice
        steps = [(1, [b"BLOCK", *self.writer.command(self.blocking, 0.03, waits=True)])]
        steps += [(0, self.write()) for _ in range(d.randint(0, 8))]
        if d.random() < 0.2:
            steps += [(0, [b"MULTI"]), *((0, self.write()) for _ in range(d.randint(1, 3))), (0, [b"EXEC"])]
        return steps + [(1, [b"RELEASE"])]


def shrink(player, steps, settings, seconds):
    """Fewer steps with a difference, by leaving out parts of them."""
    end, size = time.monotonic() + seconds, max(1, len(steps) // 2)
    while size and time.monotonic() < end:
        at, smaller = 0, False
        while at < len(steps) and time.monotonic() < end:
            fewer = steps[:at] + steps[at + size:]
            try:
                player.play(fewer, settings)
                at += size
            except Difference:
                steps, smaller = fewer[:player.at + 1], True
        if not smaller or size > 1:
            size //= 2
    return steps


def payloads_of(redis):
    c = redis.client()
    for command in (("SET", "1", "hello"), ("SET", "2", 12345), ("RPUSH", "3", *range(5), "word"), ("SADD", "4", 1, 2, 3), ("HSET", "6", "f", "v", "g", 5),
                    ("ZADD", "7", 1, "a", 2.5, "b"), ("XADD", "8", "5-1", "f", "v"), ("XGROUP", "CREATE", "8", "g1", "0"), ("PFADD", "9", "a", "b")):
        c(*command)
    return [c("DUMP", k) for k in ("1", "2", "3", "4", "6", "7", "8", "9")]


def libraries_of(redis):
    c, dumps = redis.client(), []
    for name in lua_grammar.LIBRARIES:
        c("FUNCTION", "LOAD", f"#!lua name={name}\nredis.register_function('{name}', function(KEYS, ARGV) return '{name}' end)")
        dumps.append(c("FUNCTION", "DUMP"))
    c("FUNCTION", "FLUSH")
    return dumps


def run(options):
    start = time.monotonic()
    arguments = options.arg or []
    beside = Ringwood(options.beside_ours) if options.beside_ours else Redis("--databases", 16)
    with Ringwood(options.server, *arguments, shards=options.shards) as ours, beside as theirs:
        clients = [s.client() for s in (ours, theirs)]
        for c in clients:
            c("HELLO", 3)
        commands = grammar.read_commands(*clients)
        assert len(commands) > 150, len(commands)
        reached = coverage.Coverage(commands)
        planner, player = Planner(commands, payloads_of(theirs), libraries_of(theirs)), Player((ours, theirs), reached)
        if player.versions_differ:
            agreement.DIFFERENCES[:] = agreement.ALWAYS
        done, count = 0, 0
        while time.monotonic() - start < options.seconds and (not options.rounds or done < options.rounds):
            seed = options.seed + done
            steps, settings = planner.round(seed)
            try:
                player.play(steps, settings)
            except Difference as first:
                where = player.at
                dead = ours.process.poll() is not None
                if not dead and player.stood_still(steps, settings):
                    done += 1
                    continue
                if options.survey and not dead:
                    done, count = done + 1, count + where
                    survey(str(first), seed, steps[max(0, where - 3):where + 1])
                    continue
                raise AssertionError(report(player, steps[:where + 1], settings, seed, first, dead, ours, options)) from None
            done, count = done + 1, count + len(steps)
        print(f"# {done} rounds, {count} steps, {len(commands)} kinds of commands, {player.diverged} rounds ended early, {player.stalled} again after a stall, first seed {options.seed}", flush=True)
        if options.coverage:
            print(*("# " + line for line in reached.lines()), sep="\n", flush=True)
        for c in clients:
            c.close()
        if (status := ours.stop()) != 0:  # what a sanitizer has found and survived it says by this
            raise AssertionError(f"our server ended with {status}:\n{ours.log_text()[-12000:]}")


def survey(text, seed, steps, seen=set()):  # noqa: B006
    """Prints a difference, unless one that looks like it was printed before."""
    kind = " ".join(text.split()[:2 if text.startswith("published") else 1]).lower(), "".join(line.strip()[8:60] for line in text.splitlines()[1:3])
    if kind not in seen:
        seen.add(kind)
        print(f"== seed {seed}", *(f"  [{which}] {agreement.show(args)}" for which, args in steps), text, sep="\n", flush=True)


def report(player, steps, settings, seed, first, dead, ours, options):
    lines = [f"--seed {seed} --rounds 1, {options.shards} shards, {settings}", "The last commands before the difference:"]
    lines += [f"  [{which}] {agreement.show(args)}" for which, args in steps[-8:]]
    lines.append(str(first))
    if dead:
        return "\n".join([*lines, "our server has died:", ours.log_text()[-6000:]])
    few = shrink(player, steps, settings, SHRINK_SECONDS)
    try:
        player.play(few, settings)
        lines.append("It did not come again when the round was shortened.")
    except Difference as again:
        lines += [f"Shortened to {len(few)}:", *(f"  [{which}] {agreement.show(args)}" for which, args in few), str(again)]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("shards", type=int)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("RINGWOOD_SEED", 0)))
    parser.add_argument("--seconds", type=float, default=3600 if LONG else 15)
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--survey", action="store_true", help="print differences and go on with the next round")
    parser.add_argument("--coverage", action="store_true", help="tell which commands and options were not reached")
    parser.add_argument("--beside-ours", metavar="SERVER", help="beside our own server with one shard, which knows all commands, and not redis-server")
    parser.add_argument("--arg", action="append", help="one more word of our server's command line")
    options = parser.parse_args()
    options.seed = options.seed or (random.SystemRandom().randrange(1 << 40) if LONG else 1000 * options.shards)
    tap = Tap()
    tap.case(f"replies and digests agree with redis-server's, {options.shards} shards, seed {options.seed}")(lambda: run(options))
    tap.run()


if __name__ == "__main__":
    main()
