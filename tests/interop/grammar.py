"""Random commands, valid and broken, from what a server says of itself: the argument trees of COMMAND DOCS, arity and flags of COMMAND. No list of commands stands here.

Values are made by an argument's type and name, few enough to meet each other again, with the limits among them. What a command does must not depend on time, or on
the servers' dice: `settle` takes that out of a command (times to live that end while the test runs, IDs of the clock, members that the server chooses).
"""
import re

GROUPS = ("string", "list", "set", "hash", "sorted-set", "generic", "bitmap", "hyperloglog", "geo", "stream")
# Of the other groups these, each with its weight: the rest of them is about the server, not its data.
ALSO = {"dbsize": 1, "flushall": 0.02, "flushdb": 0.1, "swapdb": 1, "select": 4, "echo": 0.5, "ping": 0.5, "hello": 0.5, "reset": 0.3, "publish": 1, "spublish": 1, "pubsub|channels": 0.3,
        "pubsub|numsub": 0.3, "pubsub|numpat": 0.3, "pubsub|shardchannels": 0.3, "pubsub|shardnumsub": 0.3, "client|setname": 0.5, "client|getname": 0.5, "client|caching": 0.3,
        "client|getredir": 0.3, "client|trackinginfo": 0.3, "command|getkeys": 1, "command|getkeysandflags": 1, "memory|usage": 1, "restore-asking": 1, "watch": 1, "unwatch": 0.5, "client|reply": 0, "lolwut": 0}
# Never sent: they wait for replicas, speak to other servers, or answer with a text of the server's own.
LEFT_OUT = {"wait", "waitaof", "migrate", "object|help", "xgroup|help", "xinfo|help", "pfselftest"}
CHANNELS = ("ch1", "ch2", "ch:3", "other", "")
KEYS = {"string": ("s1", "s2{t}", "n1"), "bitmap": ("b1", "b2{t}", "s1"), "hyperloglog": ("p1", "p2{t}", "p3{t}"), "list": ("l1", "l2{t}", "l3"),
        "set": ("e1", "e2{t}", "e3"), "hash": ("h1", "h2{t}"), "sorted-set": ("z1", "z2{t}", "z3"), "geo": ("g1", "g2{t}"), "stream": ("x1", "x2{t}")}
# What a lexicographic range is in a sorted set with different scores is undefined: all commands of that kind get this key, whose scores are all 0.
LEX_KEY = b"y1"
ALL_KEYS = sorted({k for keys in KEYS.values() for k in keys} | {"none", ""})
EVERY_KEY = [*ALL_KEYS, LEX_KEY.decode()]

SMALL = ["0", "1", "2", "3", "-1", "-2", "5", "10", "-3", "100"]
ODD_INTEGERS = ["9223372036854775807", "-9223372036854775808", "9223372036854775808", "4294967296", "-4294967297", "1000000000000", "-100", "+1", "01", "-0", "1.0",
                "", " 1", "1 ", "abc", "0x10", "1e3", "18446744073709551615", "18446744073709551616", "255", "256", "65536"]
DOUBLES = ["0", "1", "2", "-1", "3.5", "0.1", "-0.25", "1e3", "100", "7", "2.5e-3"]
ODD_DOUBLES = ["inf", "-inf", "+inf", "nan", "-0", "1e308", "-1.7976931348623157e308", "5e-324", "1e400", "abc", "", " 1", "0x1p3", "3.0000000000000004", "1e17", "infinity",
               "123456789012345678", "-9007199254740993", "1.", ".5", "1e", "Inf"]
WORDS = ["a", "b", "c", "d", "e", "f", "ab", "abc", "foo", "bar", "1", "2", "-5", "10", "300", "70000", "5000000000", "12345678901234567890", "3.25", "", "\x00\xff", "0", "a b",
         "9223372036854775807", "-9223372036854775808", "hello world", "x" * 44, "y" * 45, "w" * 64, "v" * 65]
PATTERNS = ["*", "a*", "?", "[a-c]*", "*1*", "s?", "{*", "*{t}", "\\*", "[^a]*", "", "[", "h[1-2]*", "**a", "\\"]
LEX = ["-", "+", "[a", "(b", "[c", "(", "[", "[foo", "a", "(d", "", "[1", "(5"]
BOUNDS = ["-inf", "+inf", "(1", "5", "(3.5", "-1", "0", "(inf", "100", "(-inf", "1e3", "nan", "(abc", "(", "2"]
IDS = ["0", "-", "+", "0-0", "5-1", "(5-1", "7", "12-3", "(7", "1-18446744073709551615", "18446744073709551615-18446744073709551615", "$", ">", "*", "5-*", "0-1", "abc", "1-", "-1",
       "18446744073709551616", "(-", "(+", "", "3-0-0", "20-0", "40-2"]
# Ours ends expiry times at the year 10889 (2^48 ms), as docs/compatibility.md says: nothing between that and what Redis refuses.
UNIX_TIMES = ["0", "-1", "1", "1000", "4000000000", "4000000000000", "5000000000000", "-9223372036854775808", "abc"]
TTLS = ["1000", "100000", "5000000", "0", "-1", "-9223372036854775808", "1.5", "abc", "10000000000"]
TOO_FAR = ["9223372036854775807", "9223372036854775"]  # refused in seconds
IDLES = ["0", "0", "0", "-1", "1000000000", "9223372036854775807", "abc"]
ENCODINGS = ["u8", "i8", "u1", "i1", "u63", "i64", "u64", "i5", "u16", "i65", "u0", "i16", "u4", "U8", "8", ""]
GEO_LONGITUDES = ["13.361389", "15.087269", "0", "-122.27652", "180", "-180", "13.5", "2.35", "14", "12.758489", "180.1", "abc"]
GEO_LATITUDES = ["38.115556", "37.502669", "0", "37.805186", "85.05112878", "-85.05112878", "38", "48.85", "38.788135", "37", "86", "nan"]
GEO_SIZES = ["0", "1", "100", "200.5", "1000", "5000", "20000", "1e7", "1e6", "0.001", "-1", "abc"]
NEVER_DECIDES = ("srandmember", "hrandfield", "zrandmember")


class Command:
    def __init__(self, name, info, docs, their_arity, their_flags, known_tokens):
        self.name, self.arity, self.flags = name, info[1], {str(f) for f in info[2]}
        self.group = docs[b"group"].decode()
        self.in_scripts_of_both = "noscript" in self.flags or "noscript" not in their_flags
        # The other server may know fewer forms of it: not more words than it takes.
        self.most_words = their_arity if their_arity > 0 > self.arity else None
        self.arguments = without_new(docs.get(b"arguments", []), known_tokens)
        self.first_key = info[3]
        self.tokens = sorted(set(tokens(self.arguments)))
        # What adds data comes more often than what takes it away, or there would be little to look at.
        self.weight = 1 if "write" in self.flags else 2
        if "denyoom" in self.flags and name != "xsetid":  # that makes the IDs to come invalid
            self.weight = 6 if "fast" in self.flags else 3
        self.weight = ALSO.get(name, self.weight)


def tokens(arguments):
    for a in arguments:
        if b"token" in a:
            yield a[b"token"].decode()
        yield from tokens(a.get(b"arguments", []))


def without_new(arguments, known_tokens):
    """The trees without what stands behind a token that the other server has not."""
    kept = [dict(a) for a in arguments if b"token" not in a or a[b"token"].decode() in known_tokens]
    for a in kept:
        if b"arguments" in a:  # none of them known: theirs describes them otherwise (BITOP's operation)
            a[b"arguments"] = without_new(a[b"arguments"], known_tokens) or a[b"arguments"]
    return kept


def read_commands(ours, theirs):
    """The commands that both servers have, from ours' COMMAND and COMMAND DOCS. The clients speak RESP3."""
    known, arity, flags = {}, {}, {}
    for info in theirs("COMMAND"):
        known[info[0].lower()] = {sub[0].lower() for sub in info[9]}
        arity.update((i[0].lower(), i[1]) for i in (info, *info[9]))
        flags.update((i[0].lower(), {str(f) for f in i[2]}) for i in (info, *info[9]))
    docs, their_docs, found = ours("COMMAND", "DOCS"), theirs("COMMAND", "DOCS"), []
    for info in ours("COMMAND"):
        name = info[0]
        if name not in known:
            continue
        subcommands = [(sub[0], sub, docs[name][b"subcommands"][sub[0]], their_docs[name][b"subcommands"][sub[0]]) for sub in info[9] if sub[0] in known[name]]
        for n, i, d, t in subcommands or [(name, info, docs[name], their_docs[name])]:
            if n.decode() not in LEFT_OUT and (d[b"group"].decode() in GROUPS or ALSO.get(n.decode())):
                found.append(Command(n.decode(), i, d, arity[n], flags[n], set(tokens(t.get(b"arguments", [])))))
    return sorted(found, key=lambda c: c.name)


class Writer:
    """Writes commands. Everything random comes from `dice`; `payloads` are what DUMP answered."""

    def __init__(self, commands, dice, payloads=()):
        self.commands, self.dice, self.payloads = commands, dice, list(payloads)
        self.all_tokens = sorted({t for c in commands for t in c.tokens})
        self.many = False  # now and then very many values in a command
        self.odd = 0.1     # share of values at or beyond the limits
        self.ids = []      # of streams' entries, those that were added last
        self.number = 0

    def command(self, choices=None, breaks=0.12, waits=False):
        """A list of words. `choices`: commands to pick from. waits: a blocking command may wait for ever."""
        choices = choices or self.commands
        c = self.dice.choices(choices, [x.weight for x in choices])[0]
        self.number += 1
        self.key_count, self.keys_wanted, self.group = 0, None, c.group
        if c.group not in KEYS or self.dice.random() < 0.05:
            self.group = self.dice.choice(list(KEYS))
        if self.dice.random() < 0.5:
            self.home = self.dice.choice(KEYS[self.group])
        else:
            self.home = None
        if c.name.startswith("command|getkeys"):
            return [w.encode() for w in c.name.split("|")] + self.command([other for other in choices if other.first_key] or choices, breaks)
        args = c.name.split("|") + self.sequence(c.arguments, c)
        if c.name in ("zrange", "zrangestore"):
            self.aim_range(args)
        if self.dice.random() < breaks:
            self.break_command(args, c)
        if self.dice.random() < 0.1:
            args[0] = self.dice.choice((args[0].upper(), args[0].capitalize()))
        return self.settle([a if isinstance(a, bytes) else a.encode("latin-1") for a in args], c, waits)

    # ---- by the grammar

    def sequence(self, arguments, c):
        out, arguments, skip = [], list(arguments), False
        for i, a in enumerate(arguments):
            if skip:
                skip = False
                continue
            following = arguments[i + 1] if i + 1 < len(arguments) else None
            if a[b"name"] == b"numkeys" and following is not None:
                keys = self.argument(following, c)
                self.key_count = len(keys)
                out += [str(len(keys)) if self.dice.random() < 0.95 else self.dice.choice(SMALL + ODD_INTEGERS), *keys]
                skip = True
            else:
                out += self.argument(a, c)
        return out

    def argument(self, a, c):
        flags = {str(f) for f in a.get(b"flags", [])}
        if "optional" in flags and self.dice.random() < 0.6:
            return []
        count = 1
        if "multiple" in flags:
            count = self.repetitions(a[b"name"])
        out, token = [], a.get(b"token", b"").decode()
        for i in range(count):
            if token and (i == 0 or "multiple_token" in flags):
                out.append(token if self.dice.random() < 0.8 else token.lower())
            kind = a[b"type"]
            if kind == b"oneof":
                out += self.argument(self.dice.choice(a[b"arguments"]), c)
            elif kind == b"block":
                if token == "STREAMS":
                    n = self.dice.randint(1, 3)
                    self.keys_wanted = n
                out += self.sequence(a[b"arguments"], c)
                self.keys_wanted = None
            elif kind != b"pure-token":
                out.append(self.value(a[b"name"].decode(), kind, c))
        return out

    def repetitions(self, name):
        if self.keys_wanted and self.dice.random() < 0.97:
            return self.keys_wanted
        if name == b"weight":
            return max(1, self.key_count) if self.dice.random() < 0.9 else self.dice.randint(1, 4)
        if self.many and name not in (b"key", b"sourcekey") and self.dice.random() < 0.06:
            return self.dice.choice((20, 130, 300))
        return self.dice.choice((1, 1, 2, 2, 3, 4))

    # ---- values

    def value(self, name, kind, c):
        d = self.dice
        if kind == b"key":
            return self.key()
        if name == "index" and c.name == "select" or name.startswith("index") and c.name == "swapdb":
            return d.choice(("0", "0", "1", "1", "2", "15") if d.random() > self.odd else ("16", "-1", "abc", ""))
        if name in ("username", "password") and d.random() > self.odd:
            return "default"
        if "channel" in name:
            return d.choice(CHANNELS)
        if kind == b"pattern":
            return d.choice(PATTERNS)
        if d.random() < self.odd / 4:
            return d.choice((self.word(), d.choice(ODD_INTEGERS), d.choice(ODD_DOUBLES)))
        if kind == b"unix-time" or name in ("seconds", "milliseconds", "ttl"):
            return d.choice((UNIX_TIMES if kind == b"unix-time" else TTLS) + (TOO_FAR if "seconds" in name and "milli" not in name else []))
        if name == "min-idle-time":
            return d.choice(IDLES)
        if c.group == "stream" and kind == b"string":
            return self.stream_value(name, c)
        if c.name == "geoadd" and kind == b"double" and d.random() > self.odd:
            return f"{d.uniform(-180, 180) if name == 'longitude' and d.random() < 0.2 else d.uniform(-85, 85) if d.random() < 0.2 else d.uniform(12, 39):.6f}"
        if c.group == "geo" and kind == b"double":
            return d.choice({"longitude": GEO_LONGITUDES, "latitude": GEO_LATITUDES}.get(name, GEO_SIZES)[:-2 if d.random() > self.odd else None])
        if kind == b"integer":
            return self.integer(name, c)
        if kind == b"double":
            return self.double(name, c)
        special = {"encoding": ENCODINGS, "type": ["string", "list", "set", "zset", "hash", "stream", "foo"],
                   "subcommand": ["getreg", "encoding", "todense", "decode", "foo"]}.get(name)
        if special:
            return d.choice(special)
        if name == "serialized-value":
            return d.choice(self.payloads) if self.payloads and d.random() > self.odd else self.word()
        if c.group == "sorted-set" and name in ("min", "max"):
            return d.choice(LEX)
        if c.group == "geo":
            return d.choice(WORDS[:6]) if d.random() < 0.9 else self.word()
        return self.word()

    def key(self):
        if self.home and self.dice.random() < 0.4:
            return self.home
        if self.dice.random() < 0.93:
            return self.dice.choice(KEYS[self.group])
        return self.dice.choice(ALL_KEYS)

    def word(self):
        d = self.dice
        r = d.random()
        if self.many and r < 0.4:
            return f"m{d.randint(0, 999)}" if r < 0.2 else str(d.randint(-70000, 70000))
        if r < 0.9:
            return d.choice(WORDS if r < 0.3 else WORDS[:12] if r < 0.6 else WORDS[:5])
        if r < 0.96:
            return str(d.randint(-1000, 1000)) if d.random() < 0.7 else str(d.getrandbits(62))
        return d.choice("pqr") * d.choice((20, 63, 64, 65, 100, 128, 250, 1000, 2000))

    def integer(self, name, c):
        d = self.dice
        if name == "cursor":
            return "0" if d.random() < 0.9 else d.choice(SMALL + ODD_INTEGERS)
        if name in ("bit", "value") and c.group == "bitmap" and d.random() < 0.8:
            return d.choice(("0", "1", "1", "2", "-1", "100"))
        if name == "offset" and c.group in ("bitmap", "string"):
            if "bitfield" in c.name and d.random() < 0.3:
                return d.choice(("#0", "#1", "#7", "#-1", "#", "#abc", "#100"))
            return d.choice(("0", "1", "7", "8", "9", "31", "64", "100", "500", "1000", "-1", "4294967296", "9223372036854775807", "abc"))
        if "db" in name:
            return d.choice(("0", "1", "1", "2", "15", "16", "-1", "abc"))
        return d.choice(SMALL) if d.random() > self.odd else d.choice(ODD_INTEGERS)

    def double(self, name, c):
        d = self.dice
        if name == "timeout":
            return d.choice(("0.01", "0.005", "0.02", "0.001", "-1", "abc", "1e-3", "1e400", "nan", "inf", "0.01")) if d.random() < 0.9 else "0"
        if name in ("min", "max"):
            return d.choice(BOUNDS) if d.random() < 0.8 else d.choice(ODD_DOUBLES)
        if d.random() < self.odd:
            return d.choice(ODD_DOUBLES)
        return d.choice(DOUBLES) if d.random() < 0.7 else repr(d.choice((d.uniform(-10, 10), d.randint(-30, 30), d.uniform(-1e12, 1e12), d.randint(0, 1 << 53))))

    def stream_value(self, name, c):
        d = self.dice
        if name in ("group", "consumer"):
            return d.choice({"group": ("g1", "g1", "g1", "g2", "g3"), "consumer": ("alice", "bob", "carol", "")}[name])
        if name in ("field", "value"):
            return self.word()
        if name == "threshold" and d.random() < 0.6:
            return d.choice(SMALL + ODD_INTEGERS[:4])
        if d.random() < self.odd:
            return d.choice(IDS)
        if c.name == "xadd" and name == "id":
            self.ids = [*self.ids[-40:], f"{self.number}-{d.randint(0, 2)}"]
            return self.ids[-1]
        usual = {"xrange": ("-", "+"), "xrevrange": ("-", "+"), "xpending": ("-", "+"), "xread": ("0", "$"), "xreadgroup": (">", ">", ">", "0")}.get(c.name, ("0", "0-0"))
        if d.random() < 0.5:
            return d.choice(usual)
        return d.choice(self.ids) if self.ids and d.random() < 0.8 else f"{max(0, self.number + d.randint(-50, 5))}-{d.randint(0, 3)}"

    def aim_range(self, args):
        words = {a.upper() for a in args[4:]}
        pool = BOUNDS if "BYSCORE" in words else LEX if "BYLEX" in words else SMALL
        at = 3 if args[0] == "zrangestore" else 2
        if self.dice.random() < 0.95:
            args[at:at + 2] = [self.dice.choice(pool), self.dice.choice(pool)]

    # ---- broken ones

    def break_command(self, args, c):
        d = self.dice
        first = 1 + ("|" in c.name)
        for _ in range(d.choice((1, 1, 1, 2))):
            at = d.randint(first, len(args)) if len(args) >= first else len(args)
            way = d.randrange(9)
            if way == 0 and at < len(args):
                del args[at]
            elif way == 1 and at < len(args):
                args.insert(at, args[at])
            elif way == 2:
                args.insert(at, d.choice(c.tokens or self.all_tokens))
            elif way == 3 and at < len(args):
                args[at] = d.choice((self.word(), d.choice(ODD_INTEGERS), d.choice(ODD_DOUBLES), d.choice(self.all_tokens)))
            elif way == 4 and len(args) > first + 1:
                other = d.randint(first, len(args) - 1)
                at = min(at, len(args) - 1)
                args[at], args[other] = args[other], args[at]
            elif way == 5:
                del args[max(1, abs(c.arity) - 1):]
            elif way == 6:
                args.append(self.word())
            elif way == 7 and at < len(args):
                args[at] = d.choice(self.all_tokens).lower()
            elif c.first_key and c.first_key < len(args):
                args[c.first_key] = d.choice(ALL_KEYS)

    # ---- nothing that depends on time or on the servers' dice

    def settle(self, args, c, waits):
        name = args[0].lower().decode("latin-1")
        args = args[:c.most_words]
        for i in range(1, len(args)):
            before = args[i - 1].upper()
            if before in (b"EX", b"PX") or (i == 2 and name in ("expire", "pexpire", "setex", "psetex", "restore", "restore-asking", "hexpire", "hpexpire")):
                if re.fullmatch(rb"\d{1,5}", args[i]) and args[i] != b"0":
                    args[i] += b"00000"
            if before in (b"IDLE", b"TIME") or (i == 4 and name in ("xclaim", "xautoclaim")):
                if re.fullmatch(rb"\d{1,7}", args[i]) and int(args[i]):
                    args[i] = b"1000000000"
            if before == b"BLOCK":
                if args[i].isdigit():  # the largest are a wait for ever in 7.0, which overflows
                    args[i] = b"0" if waits else b"3"
        if name == "xadd":
            self.ids += [f"{self.number}-0"] * (b"*" in args)
            args = [b"%d-*" % self.number if a == b"*" else a for a in args]
        if name.startswith("restore") and len(args) > 2 and len(args[2]) >= 15:
            args[2] = b"0"  # both add the clock to it, and theirs may overflow
        if name == "sort" and any(a.upper() == b"BY" for a in args):
            args = [a for a in args if a.upper() != b"STORE"]  # what has the same weight, or is a set, comes in any order
        if name == "spop":
            args[2:3] = [b"1000000"]
        if name in NEVER_DECIDES:
            args = [b"-7" if re.fullmatch(rb"-\d{2,18}", a) else a for a in args]
        if "blocking" in c.flags and not name.startswith("xread"):
            at = 1 if name in ("blmpop", "bzmpop") else len(args) - 1
            if waits:
                args[at] = b"0"
            elif waits_long(args[at]):
                args[at] = b"0.01"
        self.settle_lex(name, args)
        if name == "setrange" and len(args) > 2 and re.fullmatch(rb"\d{4,9}", args[2]):
            args[2] = b"300"
        return args

    def settle_lex(self, name, args):
        by_lex = "lex" in name or (name in ("zrange", "zrangestore") and any(a.upper() == b"BYLEX" for a in args))
        if by_lex:
            at = 2 if name == "zrangestore" else 1
            if len(args) > at:
                args[at] = LEX_KEY
        elif name == "zadd" and len(args) > 3 and self.dice.random() < 0.2:
            n = self.dice.randint(1, 4)
            args[1:] = [LEX_KEY, *(w.encode("latin-1") for _ in range(n) for w in ("0", self.word()))]
        elif self.dice.random() < 0.1 and name in ("zrem", "zscore", "zcard", "zrank", "zrevrank", "del", "zpopmin", "zpopmax") and len(args) > 1:
            args[1] = LEX_KEY


def waits_long(timeout):
    """Would a blocking command with this timeout hold the test up?"""
    try:
        seconds = float(timeout)
    except ValueError:
        try:
            seconds = float.fromhex(timeout.decode("latin-1"))
        except ValueError:
            return False
    return seconds == 0 or 0.1 < seconds < 1e300
