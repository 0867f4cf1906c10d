"""Random scripts and functions: bodies of redis.call with commands of a grammar.Writer, and what else the Lua API has.

A script answers with what its calls answered, each with its number, so that every reply is compared as that of its command. Its keys are declared, or not, or some of them: with several shards this
decides how the script comes to its shards. A body uses of a reply only what is the same on every server.
"""
import hashlib
import re

import grammar

LIBRARIES = ("one", "two")
FLAGS = ("no-writes", "allow-stale", "allow-oom", "no-cluster", "allow-cross-slot-keys", "nonsense")
# A value goes into %s.
EXPRESSIONS = (
    "return %s", "return {%s, {%s, {1, 2.9, true}}}", "return {%s, nil, %s}", "return {1, false, %s}", "return tostring(%s)", "return tonumber(%s)", "return {ok=%s}", "return {err=%s}",
    "return redis.status_reply(%s)", "return redis.error_reply(%s)", "return redis.sha1hex(%s)", "return {double=%s}", "return {map={a=%s}}", "return {set={a=true}}",
    "return {big_number=%s}", "return {verbatim_string={format='txt', string=%s}}", "error(tostring(%s))", "error(true)", "error(nil)", "error()", "error({err=-0.25})", "error({err=tostring(%s)})", "return pcall(error, %s)", "return #%s", "return %s .. %s",
    "return %s + 1", "return %s < %s", "return type(%s)", "return string.format('%%s %%5.2f %%d', %s, 3.14159, 42)", "return string.rep(%s, 3)", "return {string.byte(%s, 1, -1)}",
    "return string.upper(%s)", "return {string.find(%s, 'a')}", "return cjson.encode(%s)", "return cjson.encode({%s, {a=%s}})", "return cjson.decode(%s)", "return cjson.decode('[1, 2.5, {\"a\":null}, \"x\"]')",
    "return cmsgpack.unpack(cmsgpack.pack(%s))", "return cmsgpack.pack(%s, 1, -1, 1.5, {1, 2})", "return cmsgpack.unpack(%s)", "return {cmsgpack.unpack_limit(cmsgpack.pack(1, 2, 3), 2)}",
    "return struct.pack('>I4hs', 7, -2, %s)", "return {struct.unpack('<HB', 'abc')}", "return struct.size('i4d')", "return bit.bor(%s, 1)", "return bit.tohex(255)", "return {bit.lshift(1, 31), bit.bnot(0)}",
    "return math.floor(-3.5)", "return math.huge", "return -math.huge", "return 0/0", "return 1e15", "return 2^53", "return 3.99", "return -0.5", "return nil", "return", "return true", "return {}",
    "return {{}, {}}", "return redis.call()", "return redis.call({})", "return redis.call(nil)", "return redis.pcall('nosuch', %s)", "return redis.call(%s)", "return redis.call('GET')", "return redis.pcall('GET', {})",
    "return nothing.field", "global = %s", "return global", "return redis.nosuch", "redis.call = nil", "string.rep = 1", "return #KEYS .. ':' .. #ARGV", "return {unpack(ARGV)}", "return {unpack(KEYS)}", "return ARGV[1]",
    "return select('#', unpack(ARGV))", "local t = {3, 1, 2} table.sort(t) return t", "return table.concat({%s, 'x', 3}, ',')", "return {redis.pcall('GET', 1.5)}",
    "return setmetatable({1}, {__index={2}})", "return tostring(nil)", "return loadstring('return 7')()", "return loadstring(%s)", "return (", "return 1 2", "goto", "--", "return redis.setresp(%s)",
    "redis.setresp(3) return redis.call('HGETALL', 'h1')['nosuch']", "return redis.set_repl(%s)", "return redis.acl_check_cmd('get', 'x')", "return redis.acl_check_cmd(%s)", "return redis.replicate_commands()",
    "redis.call('SELECT', 1) return redis.call('EXISTS', 's1')", "return {redis.call('PING'), redis.call('ECHO', %s)}", "return redis.call('MULTI')", "return redis.call('EVAL', 'return 1', 0)",
    "return redis.call('SUBSCRIBE', 'a')", "return os.clock() > 0", "return os.execute", "return print", "return redis.REPL_ALL", "return redis.LOG_WARNING", "return math.random(10) <= 10", "while true do break end return 'out'",
)
JSON = ('"[1,2,3]"', "'{\"a\":1}'", "'null'", "'\"text\"'", "'{'", "'[1.5,true,[]]'")


class Words(list):
    """A command that runs others: `calls` are all that scripts of this round run, by number."""
    calls = ()


class Scripts:
    """`write()` answers a command that does not wait."""

    def __init__(self, dice, write):
        self.dice, self.write = dice, write
        self.known = []  # scripts that the server may know
        self.payloads = []

    def step(self):
        r = self.dice.random()
        if r < 0.55:
            return self.eval()
        if r < 0.85:
            return self.function()
        return self.care()

    # ---- scripts

    def eval(self):
        d = self.dice
        if d.random() < 0.3:
            body, keys, arguments = self.expression(), d.sample(grammar.ALL_KEYS, d.randint(0, 2)), [d.choice(grammar.WORDS) for _ in range(d.randint(0, 3))]
            keys, arguments = [k.encode() for k in keys], [a.encode("latin-1") for a in arguments]
        else:
            body, keys, arguments = self.body()
        if d.random() < 0.1:
            body = f"#!lua{self.flags('flags=')}\n{body}"
        body = body.encode("latin-1")
        name, what = d.choice((b"EVAL", b"EVAL", b"EVAL", b"EVAL_RO")), body
        if d.random() < 0.2:
            name, what = d.choice((b"EVALSHA", b"EVALSHA", b"EVALSHA_RO")), self.sha(body)
        elif name == b"EVAL":
            self.known = [*self.known[-20:], (body, keys, arguments)]
        if self.known and d.random() < 0.15:  # one that has run before, and has been told apart by what it touched
            body, keys, arguments = d.choice(self.known)
            name, what = d.choice(((b"EVALSHA", self.sha(body)), (b"EVAL", body)))
        return self.words([name, what], keys, arguments)

    @staticmethod
    def sha(body):
        return hashlib.sha1(body).hexdigest().encode()

    def words(self, start, keys, arguments):
        number = len(keys)
        if self.dice.random() < 0.02:
            number = self.dice.choice((-1, 0, number + 1, 100, "abc"))
        words = Words([*start, str(number).encode(), *keys, *arguments])
        words.calls = self.calls
        return words

    def body(self):
        """(text, keys, other arguments)"""
        d = self.dice
        self.declared = d.choice((1.0, 1.0, 0.5, 0.0))
        self.keys, self.arguments = [], []
        lines = ["local r = {}"]
        if d.random() < 0.15:
            lines.append("redis.setresp(3)")
        for _ in range(d.choice((1, 1, 2, 3, 5))):
            lines.append(self.statement())
        if d.random() < 0.05:
            lines.append(self.expression())
        elif d.random() < 0.9:
            lines.append("return r")
        return d.choice(("\n", " ")).join(lines), self.keys, self.arguments

    def statement(self):
        d = self.dice
        r = d.random()
        if r < 0.6:
            return self.call()
        if r < 0.7:
            return f"for i = 1, {d.randint(0, 3)} do {self.call()} end"
        if r < 0.8:
            return f"if redis.call('EXISTS', {self.expression_of(d.choice(grammar.ALL_KEYS).encode())}) == {d.randint(0, 1)} then {self.call()} else {self.call()} end"
        if r < 0.88:
            return f"pcall(function() {self.call()} end)"
        source, target = (self.expression_of(d.choice(grammar.KEYS["string"]).encode()) for _ in range(2))
        return f"local v = redis.pcall('GET', {source}) if type(v) == 'string' and #v < 5000 then r[#r + 1] = {{{self.number([b'APPEND'])}, redis.pcall('APPEND', {target}, v)}} end"

    def call(self):
        d = self.dice
        args = self.write()
        how = "call" if d.random() < 0.4 else "pcall"
        return f"r[#r + 1] = {{{self.number(args)}, redis.{how}({', '.join(self.expression_of(a) for a in args)})}}"

    def number(self, args):
        self.calls[len(self.calls) + 1] = args
        return len(self.calls)

    def expression_of(self, word):
        d = self.dice
        if word in EVERY_KEY:
            if d.random() >= self.declared:
                return self.literal(word)
            if word not in self.keys:
                self.keys.append(word)
            return f"KEYS[{self.keys.index(word) + 1}]"
        if d.random() < 0.1:
            self.arguments.append(word)
            return f"ARGV[{len(self.arguments)}]"
        return self.literal(word)

    def literal(self, word):
        if re.fullmatch(rb"-?[1-9]\d{0,13}|0", word) and self.dice.random() < 0.3:
            return word.decode()
        return '"' + "".join(chr(c) if 32 <= c < 127 and c not in b'"\\' else f"\\{c:03d}" for c in word) + '"'

    def expression(self):
        d = self.dice
        text = d.choice(EXPRESSIONS)
        return text % tuple(self.any_value() for _ in range(text.replace("%%", "").count("%s"))) if "%" in text else text

    def any_value(self):
        d = self.dice  # of fractions those that a double holds whole: Redis 7.2 gives others to commands with fewer digits than 7.0
        return d.choice((self.literal(d.choice(grammar.WORDS[:26]).encode("latin-1")), d.choice(grammar.SMALL), d.choice(("1.5", "3.25", "-0.5", "1e3", "nil", "true", "false", "{}", "{1, 2}", "ARGV[1]", "KEYS[1]")),
                         d.choice(JSON), d.choice(("'ERR my own'", "'-CODE text'", "''"))))

    def flags(self, before):
        d = self.dice
        return d.choice(("", " " + before + ",".join(d.sample(FLAGS[:5], d.randint(0, 2))), " " + before + d.choice(FLAGS), " name=x", " what=x"))

    # ---- functions

    def function(self):
        d = self.dice
        library = d.choice(LIBRARIES)
        if d.random() < 0.5:
            if d.random() < 0.3:
                body = self.expression()
            else:
                body, keys, arguments = self.body()
                self.functions[library] = (keys, arguments)
            flags = d.sample(FLAGS[:5], d.randint(0, 2)) if d.random() < 0.3 else [d.choice(FLAGS)] if d.random() < 0.1 else []
            flags = "{" + ", ".join(f"'{f}'" for f in flags) + "}"
            name = library if d.random() < 0.95 else d.choice((*LIBRARIES, "bad name", ""))
            code = f"local function run(KEYS, ARGV)\n{body}\nend\nredis.register_function{{function_name='{name}', callback=run, flags={flags}}}"
            if d.random() < 0.05:
                code = self.expression() + "\n" + code
            head = f"#!lua name={library}" if d.random() < 0.95 else d.choice(("#!lua", "#!lua name=a-b", "#!nosuch name=x", "", "#!lua name=x what=y"))
            return Words([b"FUNCTION", b"LOAD", *([b"REPLACE"] if d.random() < 0.8 else []), f"{head}\n{code}".encode("latin-1")])
        keys, arguments = self.functions.get(library, ((), ()))
        return self.words([d.choice((b"FCALL", b"FCALL", b"FCALL", b"FCALL_RO")), library.encode()], keys, arguments)

    # ---- SCRIPT and FUNCTION

    def care(self):
        d = self.dice
        some = [self.sha(k[0]) for k in self.known] or [b"f" * 40]
        body = self.known[-1][0] if self.known else b"return 1"
        r = d.randrange(13)
        library = d.choice((*LIBRARIES, "none")).encode()
        return Words((
            [b"SCRIPT", b"LOAD", d.choice((body, b"return 1", b"return (", self.expression().encode("latin-1")))],
            [b"SCRIPT", b"EXISTS", *(d.choice(some) for _ in range(d.randint(0, 3)))],
            [b"SCRIPT", b"FLUSH", *d.choice(((), (b"SYNC",), (b"ASYNC",), (b"soon",)))],
            [b"FUNCTION", b"LIST", *d.choice(((), (b"WITHCODE",), (b"LIBRARYNAME", library), (b"LIBRARYNAME", b"o*", b"WITHCODE"), (b"LIBRARYNAME",), (b"what",)))],
            [b"FUNCTION", b"DELETE", library],
            [b"FUNCTION", b"FLUSH", *d.choice(((), (b"SYNC",), (b"ASYNC",), (b"soon",)))],
            [b"FUNCTION", b"STATS"],
            [b"FUNCTION", b"DUMP"],
            [b"FUNCTION", b"RESTORE", d.choice((*self.payloads, b"bad")), *d.choice(((), (b"FLUSH",), (b"APPEND",), (b"REPLACE",), (b"what",)))],
            [b"FUNCTION", b"KILL"],
            [b"SCRIPT", b"KILL"],
            [d.choice((b"SCRIPT", b"FUNCTION")), b"nosuch"],
            [d.choice((b"EVAL", b"EVALSHA", b"FCALL", b"SCRIPT", b"FUNCTION")), *(d.choice((b"x", b"LOAD", b"0")) for _ in range(d.randint(0, 1)))],
        )[r])

    def begin(self, payloads):
        self.known, self.functions, self.calls, self.payloads = [], {}, {}, payloads


EVERY_KEY = {k.encode() for k in grammar.EVERY_KEY}
