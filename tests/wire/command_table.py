#!/usr/bin/env python3
"""The tables of commands in docs/compatibility.md against what the server knows: what is registered stands there, and what stands there, with no number of an issue as its state, is
registered; each in its group.

    command_table.py SERVER
"""
import re
import sys
from pathlib import Path

from servers import Ringwood, Tap, equal

BINARY = sys.argv[1]
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/compatibility.md"
NAMES = r"([A-Z][A-Z_-]*)(?: \(([A-Z, -]+)\))?(?:, |$)"
tap = Tap()


def table():
    """Two tables, of Redis 7.2's commands and of those since: {name: (group, state)} each, a subcommand as "CONTAINER SUB"."""
    text = DOCUMENT.read_text()
    chapters = text[text.index("## Commands"):text.index("### What differs")].split("### Commands since 7.2")
    tables = []
    for chapter in chapters:
        names = {}
        for group, commands, state in re.findall(r"^\| ([a-z ]+) \| (.+?) \| (.+) \|$", chapter, re.M):
            if group == "group":
                continue
            for name, subcommands in re.findall(NAMES, commands):
                words = [f"{name} {sub}" for sub in subcommands.split(", ")] if subcommands else []
                # A container that has something of its own since 7.2 stands in the first table.
                for word in ([] if subcommands and tables and name in tables[0] else [name]) + words:
                    equal(word in names, False, f"{word} stands there twice")
                    names[word] = (group, state)
            equal(re.sub(NAMES, "", commands), "", f"{commands!r} is more than names")
        tables.append(names)
    return tables


def registered(server):
    """{name: group}, as COMMAND DOCS has it."""
    def pairs(flat):
        return dict(zip(flat[::2], flat[1::2]))
    client, known = server.client(), {}
    for name, entry in pairs(client("COMMAND", "DOCS")).items():
        entry = pairs(entry)
        known[name.decode().upper()] = entry[b"group"].decode()
        for sub, what in pairs(entry.get(b"subcommands", [])).items():
            known[sub.decode().upper().replace("|", " ")] = pairs(what)[b"group"].decode()
    equal({n.decode().upper().replace("|", " ") for n in client("COMMAND", "LIST")}, set(known), "COMMAND LIST")
    return known


@tap.case("the first table has all 392 commands and subcommands of Redis 7.2")
def complete():
    first, later = table()
    equal(len(first), 392)
    equal(set(first) & set(later), set())


@tap.case("the tables have what is registered, in its group, and nothing else")
def agree():
    first, later = table()
    documented = {**first, **later}
    with Ringwood(BINARY) as server:
        known = registered(server)
    waiting = {name for name, (_, state) in documented.items() if state.startswith("issue ")}
    equal(sorted(set(known) - set(documented)), [], "registered, but not in the tables")
    equal(sorted(set(documented) - waiting - set(known)), [], "in the tables, but not registered")
    equal(sorted(waiting & set(known)), [], "registered, while the tables say that it is to come")
    equal([name for name, group in known.items() if documented[name][0] != group.replace("-", " ")], [], "of another group")


def pairs(flat):
    """A map as RESP2 tells it."""
    return dict(zip(flat[::2], flat[1::2]))


def shape(argument):
    """What COMMAND DOCS tells of an argument, as (name, type, token, arguments)."""
    told = pairs(argument)
    return (told[b"name"].decode(), told[b"type"].decode() if isinstance(told[b"type"], bytes) else told[b"type"], told.get(b"token"), [shape(a) for a in told.get(b"arguments", [])])


@tap.case("COMMAND DOCS tells the arguments of FAILOVER and REPLICAOF as Redis does")
def replication_arguments():
    with Ringwood(BINARY) as server:
        c = server.client()

        def arguments(name):
            return [shape(a) for a in pairs(c("COMMAND", "DOCS", name)[1])[b"arguments"]]
        host, port = ("host", "string", None, []), ("port", "integer", None, [])

        def token(name):
            return (name.lower(), "pure-token", name.encode(), [])
        equal(arguments("failover"), [("target", "block", b"TO", [host, port, token("FORCE")]), token("ABORT"), ("milliseconds", "integer", b"TIMEOUT", [])])
        for name in ("replicaof", "slaveof"):
            equal(arguments(name), [("args", "oneof", None, [("host-port", "block", None, [host, port]), ("no-one", "block", None, [token("NO"), token("ONE")])])])


@tap.case("COMMAND DOCS has the arguments of every command that takes some")
def all_arguments():
    with Ringwood(BINARY) as server:
        client, without = server.client(), []
        arity = {}
        for info in client("COMMAND"):
            for one in (info, *info[9]):
                arity[one[0]] = 0 if one[9] else one[1]
        docs = pairs(client("COMMAND", "DOCS"))
        for entry in list(docs.values()):
            docs.update(pairs(pairs(entry).get(b"subcommands", [])))
        for name, entry in docs.items():
            words = 1 + name.count(b"|")
            if arity[name] not in (0, words) and b"arguments" not in pairs(entry):
                without.append(name.decode())
    # As in Redis: what nobody types, and QUIT, which ignores what stands behind it.
    equal(sorted(without), ["debug", "quit", "replconf"])


if __name__ == "__main__":
    tap.run()
