#!/usr/bin/env python3
"""What our server and Redis 7.2 say to every command with words that make no sense, outside of MULTI and in it: the errors must be the same, to the letter.

    error_texts.py RINGWOOD-SERVER [SHARDS]
The commands are those that both name in COMMAND, containers with each subcommand, with none and with one that does not exist. Without a redis-server 7.2 (in PATH, or REDIS_SERVER) it is skipped:
7.0 has other texts.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
import agreement  # noqa: E402
from servers import Redis, Resp, Ringwood, Tap  # noqa: E402

SHARDS = int(sys.argv[2]) if len(sys.argv) > 2 else 1
# They end, stop or change the server or the connection.
LEFT_OUT = {"shutdown", "sync", "psync", "monitor", "failover", "replicaof", "slaveof", "quit", "reset", "hello", "save", "bgsave", "bgrewriteaof", "subscribe", "psubscribe", "ssubscribe", "unsubscribe",
            "punsubscribe", "sunsubscribe", "replconf", "client|kill", "client|pause", "client|reply", "client|no-evict", "client|no-touch", "client|tracking", "cluster|reset", "debug", "multi", "exec", "discard",
            "config|rewrite", "acl|setuser", "acl|deluser", "acl|load", "acl|save", "script|kill", "function|kill", "module|load", "module|loadex", "module|unload", "auth", "pfselftest", "lolwut", "script|debug",
            "bgsave", "latency|doctor", "memory|doctor", "memory|malloc-stats", "command|docs"}
WORDS = (("x",), ("0",), ("-1",), ("x", "y"), ("k", "0"), ("k", "-1"), ("0", "k"), ("x", "y", "z"), ("k", "0", "x"), ("k", "1", "-1"), ("2", "k", "x"), ("w", "x", "y", "z"), ("k", "0", "1", "x"), ("k", "1", "1.5", "nan"),
         ("1", "k", "1", "x"), ("k", "x", "0", "1"), ("string", "x", "y", "COUNT"), ("list", "LEFT", "RIGHT", "0"), ("v", "w", "x", "y", "z"), ("k", "0", "1", "x", "2"))


def waits_for_ever(words):
    return words[0] in ("blpop", "brpop", "bzpopmin", "bzpopmax") and words[-1] == "0"


def commands_of(server):
    names = set()
    for info in server.client()("COMMAND"):
        names.add(info[0].decode())
        names.update(sub[0].decode() for sub in info[9])
    return names


def requests(names):
    containers = {n.split("|")[0] for n in names if "|" in n}
    for name in sorted(names):
        if name in LEFT_OUT or name.split("|")[0] in LEFT_OUT:
            continue
        start = name.split("|")
        yield start
        if name in containers:
            for word in ("nosuch", "no such\r\nthing", "x" * 200):
                yield [*start, word]
                yield [*start, word, "a", "b"]
            continue
        for words in WORDS:
            yield [*start, *words]
    for odd in (["nosuch"], ["nosuch", "a", "b"], ["no\r\nsuch", "a\r\nb"], ["n" * 300, "a" * 300], ["nosuch", *("word" * 10 for _ in range(20))], ["get|x"], ["client|id"], [""]):
        yield odd


class Pair:
    def __init__(self, servers):
        self.servers, self.clients = servers, None

    def ask(self, words, in_multi):
        if not self.clients:
            self.clients = [s.client(20) for s in self.servers]
        replies = []
        for c in self.clients:
            if in_multi:
                c("MULTI")
            c.send(Resp.encode(*words))
            replies.append(agreement.read(c.file))
            if in_multi:
                c.send(Resp.encode("EXEC"))
                replies.append(agreement.read(c.file))
        return replies[:len(replies) // 2], replies[len(replies) // 2:]

    def drop(self):
        for c in self.clients or ():
            c.close()
        self.clients = None


def errors(reply):
    """The errors in a reply, with their places; other values do not matter here."""
    if isinstance(reply[1], list):
        return [errors(r) for r in reply[1]] if any(has_error(r) for r in reply[1]) else []
    return reply[1] if reply[0] == "-" else ""


def has_error(reply):
    return any(has_error(r) for r in reply[1]) if isinstance(reply[1], list) else reply[0] == "-"


def compare():
    with Ringwood(sys.argv[1], shards=SHARDS) as ours, Redis() as theirs:
        if not theirs.client()("INFO", "server").split(b"redis_version:")[1].startswith(b"7.2."):
            return "no redis-server 7.2"
        pair, asked, differ = Pair((ours, theirs)), 0, []
        for words in requests(commands_of(ours) & commands_of(theirs)):
            for in_multi in (False, True):
                if waits_for_ever(words) and not in_multi or words[0] == "command" and in_multi:  # COMMAND has a handler of its own: what it does not know fails in EXEC
                    continue
                for s in (ours, theirs):
                    control = s.client()
                    control("FLUSHALL")
                    control.close()
                asked += 1
                try:
                    a, b = pair.ask(words, in_multi)
                except (ConnectionError, TimeoutError) as e:
                    differ.append(f"{words}: {e!r}")
                    pair.drop()
                    continue
                if [errors(r) for r in a] != [errors(r) for r in b]:
                    differ.append(f"{'MULTI ' if in_multi else ''}{agreement.show([w.encode() for w in words])}\n    ours   {a!r:.400}\n    theirs {b!r:.400}")
        print(f"# {asked} requests")
        if differ:
            raise AssertionError(f"{len(differ)} differ:\n" + "\n".join(differ))


if __name__ == "__main__":
    tap = Tap()
    tap.case(f"errors as in Redis 7.2, {SHARDS} shards")(compare)
    tap.run()
