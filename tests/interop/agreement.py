"""When are the replies of our server and of redis-server 7.0 to one command the same? Exactly equal, kinds and all, but for what is random, unordered or a time by
nature, and for what Redis 7.2 does otherwise than 7.0 (DIFFERENCES).

A reply is (kind, content): kind the byte of the protocol, content bytes, a number's text, None, or a list of replies (of a map: keys and values in turn).
"""
import re
import time

CONTAINERS = ("object", "xinfo", "xgroup", "function", "script", "command", "client", "pubsub", "memory")
ANY_ORDER = {"smembers", "sunion", "sinter", "sdiff", "keys", "hkeys", "hvals", "spop", "pubsub|channels", "pubsub|shardchannels", "function|list"}
SHAPE_ONLY = {"randomkey", "srandmember", "hrandfield", "zrandmember", "dump", "function|dump", "memory|usage", "object|idletime", "object|freq",
              "object|refcount"}  # the last: whether a small number is a shared one depends on the way that it came
TIMES = {"ttl": 2, "expiretime": 2, "pttl": 2000, "pexpiretime": 2000}
TIMES_OF_FIELDS = {"h" + name for name in TIMES}
# Redis 7.2 writes a double with the fewest digits that read back as the same, 7.0 with 17: equal as numbers. (util.c, fpconv_dtoa in networking.c of 7.2)
FLOATS = re.compile(r"z.*|bz.*|geo.*")


OTHER_EFFECT = {"xreadgroup", "blpop", "brpop", "blmpop", "bzpopmin", "bzpopmax", "bzmpop"}


class Diverged(Exception):
    """One server did a thing that the other refused, and rightly: nothing can be compared any more."""


def read(file):
    """Reads one reply with its kinds from a buffered socket."""
    line = file.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("the server closed the connection")
    kind, rest = line[:1].decode(), line[1:-2]
    if kind in "$=":
        return (kind, None) if rest == b"-1" else (kind, file.read(int(rest) + 2)[:-2])
    if kind in "*~>%":
        n = int(rest)
        return (kind, None) if n < 0 else (kind, [read(file) for _ in range(n * (2 if kind == "%" else 1))])
    return kind, rest


def name_of(args):
    name = args[0].lower().decode("latin-1")
    return name + "|" + args[1].lower().decode("latin-1") if name in CONTAINERS and len(args) > 1 else name


def disagreement(args, ours, theirs):
    """What differs between the two replies to a command (words as bytes), or None."""
    name = name_of(args)
    if ours[0] == theirs[0] == "-":
        for word in args:  # where an error quotes a word, theirs ends it at a NUL
            if b"\0" in word:
                ours = "-", ours[1].replace(word, word.split(b"\0")[0])
    if ours == theirs or without_addresses(ours) == without_addresses(theirs) or by_nature(name, args, ours, theirs):
        return None
    for reason, applies in DIFFERENCES:
        if applies(name, args, ours, theirs):
            if ours[0] != theirs[0] or name in OTHER_EFFECT and ours[0] != "-":
                raise Diverged(reason)
            return None
    return f"{show(args)}\n  ours:   {ours!r:.1500}\n  theirs: {theirs!r:.1500}"


def without_addresses(reply):
    """Lua's tostring tells where a table or a function is, and what a script answers of a set or a map comes in the order of a hash."""
    if is_list(reply):
        items, step = [without_addresses(r) for r in reply[1]], {"~": 1, "%": 2}.get(reply[0])
        return (reply[0], sorted(repr(items[i:i + step]) for i in range(0, len(items), step))) if step else (reply[0], items)
    return reply if reply[1] is None else (reply[0], re.sub(rb"\b(table|function|userdata|thread): (0x|builtin)[0-9a-f: ]+", rb"\1", reply[1]))


def known_difference(commands, ours, theirs):
    """Whether a script may have ended otherwise on one server because of one of these commands."""
    return any(applies(name_of(args), args, ours, theirs) for args in commands for _, applies in DIFFERENCES if len(args) > 2)


def by_nature(name, args, ours, theirs):
    if beyond_our_time(name, args, ours, theirs):
        return True
    if name in SHAPE_ONLY:
        return shape(ours) == shape(theirs)
    if name in ANY_ORDER:
        return unordered(ours, 1) == unordered(theirs, 1)
    if name == "command|getkeysandflags":
        return deeply_unordered(ours) == deeply_unordered(theirs)
    if name == "hgetall":
        return unordered(ours, 2) == unordered(theirs, 2)
    if name in TIMES:
        return ours[0] == theirs[0] == ":" and same_time(int(ours[1]), int(theirs[1]), name)
    if name in ("scan", "sscan", "hscan", "zscan"):
        return same_scan(name, args, ours, theirs)
    if name in ("sort", "sort_ro"):
        return same_sort([a.upper() for a in args], ours, theirs)
    if name == "xpending" and len(args) > 3:
        return masked_pending(ours) == masked_pending(theirs)
    if name in TIMES_OF_FIELDS and is_list(ours) and is_list(theirs):
        return len(ours[1]) == len(theirs[1]) and all(a == b or same_time(int(a[1]), int(b[1]), name[1:]) for a, b in zip(ours[1], theirs[1]))
    if name == "hello":
        return ours[0] == theirs[0] and (ours[0] == "-" or ours[1][4:6] == theirs[1][4:6])
    if name.startswith("xinfo"):
        under = b"consumers" if name == "xinfo|consumers" else None
        return masked_info(ours, under) == masked_info(theirs, under)
    if FLOATS.fullmatch(name):
        return same_floats(ours, theirs)
    return False


def same_sort(words, ours, theirs):
    """BY leaves the order open, where weights are the same and of sets that it does not sort."""
    if b"BY" not in words:
        return False
    if b"LIMIT" in words:
        return is_list(ours) and is_list(theirs) and len(ours[1]) == len(theirs[1])
    step = max(1, words.count(b"GET"))
    return unordered(ours, step) == unordered(theirs, step)


def looks_by_chance(args):
    """Whether the command, or the script, gets keys by the names of some elements of a sort, among which equal weights leave the choice open; or looks for the types of
    keys in a SCAN, where 7.0 misses what has expired (7.2: db.c, LOOKUP_NONOTIFY)."""
    text = b" ".join(args).upper()
    return any(all(word in text for word in words) for words in ((b"SORT", b"BY", b"LIMIT", b"GET"), (b"SCAN", b"TYPE")))


def may_be_born_expired(args):
    """Whether a key may get a time that has passed: it is there for redis-server, which tells of its deletion, until a tick takes it away, of which it
    tells by another name."""
    return any(word.upper() in (b"PXAT", b"EXAT", b"ABSTTL") for word in args)


def same_time(ours, theirs, name):
    latest = (1 << 48) - (time.time_ns() // 1000000 + 60000 if "ttl" in name else 1)  # of ours: docs/compatibility.md
    return ours > 0 and theirs > 0 and (abs(ours - theirs) <= TIMES[name] or min(ours, theirs) >= latest // (1 if name.startswith("p") else 1000))


def beyond_our_time(name, args, ours, theirs):
    """Whether one of two times is later: not beyond the year 10889, which is our last (docs/compatibility.md)."""
    latest = (1 << 48) - 2000000000000
    if not (re.fullmatch("p?expire(at)?", name) and ours[0] == theirs[0] == ":" and int(args[2]) >= latest // (1 if name[0] == "p" else 1000)):
        return False
    raise Diverged("one server has set what the other has refused, and has said so to those who listen")


def is_list(reply):
    return isinstance(reply[1], list)


def shape(reply):
    return (reply[0], [shape(r) for r in reply[1]]) if is_list(reply) else (reply if reply[0] == "-" else (reply[0], reply[1] is None))


def unordered(reply, step):
    if not is_list(reply):
        return reply
    items = reply[1]
    return reply[0], sorted(repr(items[i:i + step]) for i in range(0, len(items), step))


def deeply_unordered(reply):
    """Flags are a set, which Lua hands on in the order of a hash."""
    return (reply[0], sorted(repr(deeply_unordered(r)) for r in reply[1])) if is_list(reply) else reply


def same_scan(name, args, ours, theirs):
    if not (is_list(ours) and is_list(theirs)):
        return False
    if ours[1][0] != theirs[1][0] or ours[1][0][1] != b"0" or args[1 if name == "scan" else 2].strip(b"+-0"):  # part of a table: which part is each server's own affair
        return ours[1][1][0] == theirs[1][1][0]
    step = 2 if name in ("hscan", "zscan") else 1
    a, b = (sorted([r[1][1][1][i:i + step] for i in range(0, len(r[1][1][1]), step)], key=lambda p: p[0][1]) for r in (ours, theirs))
    return a == b or (name == "zscan" and same_floats(("*", [("*", p) for p in a]), ("*", [("*", p) for p in b])))


def same_floats(a, b):
    if a == b:
        return True
    if a[0] != b[0] or a[1] is None or b[1] is None:
        return False
    if is_list(a):
        return len(a[1]) == len(b[1]) and all(same_floats(x, y) for x, y in zip(a[1], b[1]))
    try:
        return a[0] in "$," and float(a[1]) == float(b[1])
    except ValueError:
        return False


def masked_pending(reply):
    if not is_list(reply):
        return reply
    return [(r[0], r[1][:2] + r[1][3:]) if is_list(r) else r for r in reply[1]]


TIMES_OF_INFO = (b"seen-time", b"idle")
NEW_IN_INFO = (b"active-time", b"inactive")  # since 7.2


def masked_info(reply, under=None):
    if not is_list(reply):
        return reply
    items, out, i = reply[1], [], 0
    if under in (b"pel", b"pending") and 3 <= len(items) <= 4 and items[-1][0] == ":":
        return reply[0], items[:-2] + items[-1:]
    while i < len(items):
        word = items[i][1] if items[i][0] == "$" else None
        if i + 1 < len(items) and word in TIMES_OF_INFO + NEW_IN_INFO:
            if word in TIMES_OF_INFO:
                out.append(word)
            i += 2
            continue
        if under == b"consumers" and idle_consumer(items[i]) or (word == b"consumers" and items[i + 1][0] == ":"):
            i += 1 if is_list(items[i]) else 2
            continue
        inside = items[i - 1][1] if i and items[i - 1][0] == "$" else under
        out.append(masked_info(items[i], inside))
        i += 1
    return reply[0], out


def idle_consumer(reply):
    """Nothing is pending for it: 7.2 makes consumers where 7.0 does not."""
    words = reply[1] if is_list(reply) else []
    return any(words[i][1] in (b"pending", b"pel-count") and words[i + 1] == (":", b"0") for i in range(0, len(words) - 1, 2))


def show(args):
    """A command as redis-cli would take it."""
    def word(a):
        if len(a) > 200:
            return f"<{len(a)} bytes: {a[:20]!r}…>"
        text = repr(a)[2:-1].replace('"', '\\"')
        return text if text and re.fullmatch(r"[!-~]+", text) and "\\" not in text else f'"{text}"'
    return " ".join(word(a) for a in args)


def refused_as_too_far(name, args, ours, theirs):
    return name in ("blpop", "brpop", "blmove", "brpoplpush", "blmpop", "bzpopmin", "bzpopmax", "bzmpop") and \
        ours == ("-", b"ERR timeout is out of range") and theirs == ("-", b"ERR timeout is negative")


def unbalanced(name, args, ours, theirs):
    return name in ("xread", "xreadgroup") and ours[0] == theirs[0] == "-" and ours[1].startswith(b"ERR Unbalanced") and theirs[1].startswith(b"ERR Unbalanced")


def key_with_ties(args):
    """Of a search for the nearest few: among members at one place each server chooses as it sorts. The key to look for such members in, or None."""
    name = name_of(args)
    if re.fullmatch(r"geosearch(store)?|georadius.*", name) and any(a.upper() == b"COUNT" for a in args):
        return args[2 if name == "geosearchstore" else 1]
    return None


def streams_of(reply):
    if not is_list(reply):
        return []
    return reply[1] if reply[0] == "*" else [reply[1][i:i + 2] for i in range(0, len(reply[1]), 2)]


def more_streams(name, args, ours, theirs):
    return name in ("xread", "xreadgroup") and ours[0] == theirs[0] and all(s in streams_of(ours) for s in streams_of(theirs)) and \
        0 < len(streams_of(theirs)) < len(streams_of(ours))


def woken_for_nothing(args, theirs):
    """7.0 wakes readers of a stream although its new entries have been trimmed or deleted since; 7.2 runs their command again, which goes on waiting (blocked.c)."""
    return name_of(args) == "xread" and re.search(r"\('[*]', \[\]\)", repr(theirs))


def waits_for_more(args):
    """A reader that names a stream twice waits in 7.0 for the first of its IDs alone; 7.2 runs the command again, which looks at both (blocked.c)."""
    words = [a.upper() for a in args]
    if name_of(args) not in ("xread", "xreadgroup") or b"STREAMS" not in words:
        return False
    streams = args[words.index(b"STREAMS") + 1:]
    names = streams[:len(streams) // 2]
    return len(set(names)) < len(names)


# What Redis 7.2 does otherwise than 7.0, each read in its source: (reason, does it apply to this command and these replies?)
DIFFERENCES = [
    ("OBJECT ENCODING: sets and lists have listpacks since 7.2.0", lambda n, a, o, t: n == "object|encoding" and o[0] == t[0] == "$" and o[1] and t[1]),
    ("a timeout that overflows is refused as such (timeout.c); 7.0 takes the overflow for a negative number", refused_as_too_far),
    ("XREAD and XREADGROUP name themselves, and '>', in the error of unbalanced streams (t_stream.c)", unbalanced),
    ("XREADGROUP makes its consumer also when it finds nothing (t_stream.c, xreadCommand): there may be more consumers",
     lambda n, a, o, t: n in ("xgroup|createconsumer", "xgroup|delconsumer") and o[0] == t[0] == ":"),
    ("a waiting XREADGROUP whose group or stream goes is run again, and says what it says then (blocked.c)",
     lambda n, a, o, t: n == "xreadgroup" and o[0] == t[0] == "-" and o[1].startswith((b"NOGROUP", b"WRONGTYPE")) and t[1].endswith(b"no longer exists")),
    ("a waiting XREAD or XREADGROUP answers with all streams that have something by then, not with the first alone (blocked.c)", more_streams),
    ("a command that has waited for several keys, of which more than one is there by then, is run again: its first counts, and not the first that came (blocked.c)",
     lambda n, a, o, t: n in OTHER_EFFECT and n[0] == "b" and o[0] == t[0] == "*" and o[1] and t[1] and o[1][0] != t[1][0]),
    ("where one of them is of another type by then, it says so: 7.0 does not look at the others again (blocked.c)",
     lambda n, a, o, t: n in OTHER_EFFECT and n[0] == "b" and o[0] == "-" and o[1].startswith(b"WRONGTYPE") and t[0] == "*" and t[1]),
    ("COMMAND GETKEYS takes a command of one word", lambda n, a, o, t: n.startswith("command|getkeys") and len(a) == 3 and t[0] == "-"),
    ("LPOS refuses the rank -2^63, which has no positive (t_list.c, lposCommand)", lambda n, a, o, t: n == "lpos" and o[0] == "-" and o[1].startswith(b"ERR value is out of range, value must")),
    ("HELLO ... SETNAME name gives the name although an option behind it is wrong; 7.2 reads all of them first (networking.c)",
     lambda n, a, o, t: n == "client|getname" and o[0] == t[0] == "$" and t[1]),
    ("XSETID refuses an ID below the largest deleted one (t_stream.c, xsetidCommand)", lambda n, a, o, t: n == "xsetid" and o[0] == "-" and b"max_deleted_entry_id" in o[1]),
]

# Also beside 7.2.
ALWAYS = [
    ("SORT takes an error of an earlier conversion for its own: errno is not cleared before (sort.c)",
     lambda n, a, o, t: n in ("sort", "sort_ro") and o[0] != "-" and t == ("-", b"ERR One or more scores can't be converted into double")),
    ("LSET takes an index beyond 2^31 for what remains of it in 32 bits (t_list.c, listTypeReplaceAtIndex)",
     lambda n, a, o, t: n == "lset" and o == ("-", b"ERR index out of range") and len(a) > 2 and re.fullmatch(rb"-?\d+", a[2]) and abs(int(a[2])) > 1 << 31),
    ("FUNCTION RESTORE names one of several libraries that are there already: the first of a table",
     lambda n, a, o, t: n == "function|restore" and o[0] == t[0] == "-" and o[1].endswith(b" already exists") and t[1].endswith(b" already exists")),
    ("a client's name is looked at as far as its first zero byte (networking.c, validateClientAttr)",
     lambda n, a, o, t: n in ("client|setname", "hello") and o[0] == "-" and any(b"\0" in word for word in a)),
    ("COMMAND GETKEYS reads a number of keys as far as it is one (atoi), where no command would take it for a number (db.c, genericGetKeys)",
     lambda n, a, o, t: n.startswith("command|getkeys") and o == ("-", b"ERR Invalid arguments specified for command") and any(re.match(rb"\s*[+-]?\d+\D", word) for word in a[2:])),
    ("COMMAND GETKEYS knows the first STORE of GEORADIUS alone, where the last one is written: ours tells of both",
     lambda n, a, o, t: n.startswith("command|getkeys") and o[0] == t[0] == "*" and a[2].lower().startswith(b"georadius") and o[1][:len(t[1])] == t[1]
     and sum(word.lower() in (b"store", b"storedist") for word in a[3:]) > 1),
    ("DBSIZE counts what has expired and has not been removed yet", lambda n, a, o, t: n == "dbsize" and o[0] == t[0] == ":"),
]
DIFFERENCES += ALWAYS
