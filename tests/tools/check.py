#!/usr/bin/env python3
"""ringwood-check: what it says of whole and of damaged files, what --fix does, and that it answers as redis-check-rdb and redis-check-aof do.

    check.py ringwood-check ringwood-server
"""
import os
import pty
import random
import re
import resource
import signal
import shutil
import subprocess
import sys
import tempfile
import time

from servers import Redis, Resp, Ringwood, Tap, equal, sanitized

tap = Tap()
CHECK = os.path.abspath(sys.argv[1])
SERVER = os.path.abspath(sys.argv[2])
LONG = os.environ.get("RINGWOOD_LONG") == "1"
SEED = int(os.environ.get("RINGWOOD_SEED", random.randrange(1 << 30)))
FOLDER = tempfile.mkdtemp(prefix="ringwood-check-")
for alias in ("redis-check-rdb", "redis-check-aof"):
    os.symlink(CHECK, os.path.join(FOLDER, alias))


def path(name):
    return os.path.join(FOLDER, name)


def put(name, content):
    with open(path(name), "wb") as f:
        f.write(content)
    return path(name)


def get(name):
    with open(path(name), "rb") as f:
        return f.read()


def run(*arguments, program=CHECK, answer=""):
    done = subprocess.run([program, *arguments], input=answer, capture_output=True, text=True, errors="replace", timeout=300, cwd=FOLDER)
    if done.returncode < 0 or done.returncode > 2:
        raise AssertionError(f"{program} {arguments}: status {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode, done.stdout


def command(*words):
    return Resp.encode(*words)


AOF = (command("SELECT", 0) + command("SET", "first", "value") + b"#TS:1700000000\r\n" + command("RPUSH", "list", "a", "b")
       + command("MULTI") + command("SET", "in", "1") + command("SET", "out", "2") + command("EXEC") + b"#TS:1700000100\r\n" + command("DEL", "list"))


def redis_files():
    """dump.rdb with every type, and an append-only directory with preamble and a tail, made by Debian's redis-server."""
    folder = tempfile.mkdtemp(prefix="data-", dir=FOLDER)
    with Redis("--appendonly", "yes", "--appendfsync", "always", directory=folder) as server:
        c = server.client()
        for n in range(12):
            c("SET", f"user:{n}", f"name {n}" * (n + 1))
            c("SET", f"count:{n}", n * 1000)
        c("SET", "later", "x", "EX", 100000)
        c("RPUSH", "list", *range(20), "text")
        c("SADD", "intset", *range(5))
        c("SADD", "set", *[f"m{i}" for i in range(6)])
        c("HSET", "hash", "f", "v", "g", "w" * 80)
        c("ZADD", "zset", 1.5, "a", 2, "b")
        c("XADD", "stream", "1-1", "f", "v")
        c("XGROUP", "CREATE", "stream", "g", "0")
        c("XREADGROUP", "GROUP", "g", "c", "STREAMS", "stream", ">")
        c("FUNCTION", "LOAD", "#!lua name=mylib\nredis.register_function('f', function() return 1 end)")
        c("SELECT", 5)
        c("SET", "user:other", "database")
        equal(c("SAVE"), "OK")
        equal(c("BGREWRITEAOF"), "Background append only file rewriting started")
        while "aof_rewrite_in_progress:1" in c("INFO", "persistence").decode():
            time.sleep(0.02)
        c("SELECT", 5)
        c("SET", "tail", "1")
        c("MULTI")
        c("SET", "tail", "2")
        c("INCR", "tail")
        c("EXEC")
        server.stop()
    shutil.copy(os.path.join(folder, "dump.rdb"), path("dump.rdb"))
    shutil.copytree(os.path.join(folder, "appendonlydir"), path("appendonlydir"))


@tap.case("a file and a directory of redis-server are whole, and are explained")
def explained():
    redis_files()
    status, text = run("dump.rdb")
    equal(status, 0, text)
    for line in (r"dump.rdb: RDB version 10, checksum right", r"redis-ver +7\.", r"1 library of functions: mylib", r"\n  0 +31 +", r"\n  5 +1 +1 ", r"\n  all +32 ",
                 r"\n  string +26 +26 ", r"\n  list +1 +21 ", r"\n  set +2 +11 ", r"\n  zset +1 +2 ", r"\n  hash +1 +2 ", r"\n  stream +1 +1 ",
                 r"\n  user: +13 ", r"\n  count: +12 ", r"\n  \(no ':'\) +7 ", r"\n  user:11 +string +0 +1 ", r"Everything is whole\."):
        assert re.search(line, text), f"{line!r} is not in\n{text}"
    status, text = run("appendonlydir")
    equal(status, 0, text)
    for line in (r"an append-only directory, 2 files", r"base\.rdb: RDB version 10, checksum right", r"incr\.aof: \d+ commands", r"\n  set +2 ", r"\n  incr +1 "):
        assert re.search(line, text), f"{line!r} is not in\n{text}"
    status, text = run("--quiet", "dump.rdb", "appendonlydir")
    equal((status, text), (0, ""))


@tap.case("a file that is cut at any byte is told from a whole one, by its offset")
def cut_anywhere():
    whole = get("dump.rdb")
    cuts = [put(f"cut-{n}.rdb", whole[:n]) for n in range(len(whole))]
    for begin in range(0, len(cuts), 200):
        some = cuts[begin:begin + 200]
        status, text = run("--quiet", *some)
        equal(status, 1)
        equal(len(text.splitlines()), len(some), "lines")
        for n, line in enumerate(text.splitlines(), begin):
            assert re.fullmatch(rf"{re.escape(cuts[n])}: offset {n}: DAMAGED: the file ends here, before its end mark.*", line), (n, line)
    for f in cuts:
        os.unlink(f)


def change(rng, content):
    b = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(b))
        b[at] = (b[at] + rng.randrange(1, 256)) % 256
    return bytes(b)


def changed(name, content, times, judge):
    """So many random changes, a hundred files a run: judge(changed content, what was said of it)."""
    rng = random.Random(SEED)
    for _ in range(0, times, 100):
        contents = [change(rng, content) for _ in range(100)]
        files = [put(f"changed-{n}-{name}", c) for n, c in enumerate(contents)]
        status, text = run("--quiet", *files)
        said = {}
        for line in text.splitlines():
            said.setdefault(line.split(": ")[0], []).append(line)
        equal(status, 1 if said else 0)
        for f, c in zip(files, contents):
            lines = said.get(f, [])
            assert all(re.match(r".*: offset \d+: |.*: (whole up to|what stands before|a server with) ", line) for line in lines), f"seed {SEED}: {lines}"
            judge(c, lines)


TIMES = 100_000 if LONG else 2000


@tap.case("random changes of a file with a checksum are all found, and none is crashed on")
def random_changes():
    whole = get("dump.rdb")

    def judge(c, lines):
        assert lines or c == whole or c[-8:] == bytes(8), f"seed {SEED}: a change was not found"
    changed("sum.rdb", whole, TIMES, judge)


@tap.case("random changes of a file without a checksum are found or harmless")
def random_changes_without_checksum():
    changed("bare.rdb", get("dump.rdb")[:-8] + bytes(8), TIMES, lambda c, lines: None)


@tap.case("random changes of an append-only file are found or harmless")
def random_changes_aof():
    changed("a.aof", AOF, TIMES, lambda c, lines: None)


def whole_commands():
    """Offsets at which AOF may end: behind a command or note, and not within the transaction."""
    ends, at = [0], 0
    for part in re.findall(rb"#[^\n]*\n|\*\d+\r\n(?:\$\d+\r\n[^\r]*\r\n)+", AOF):
        at += len(part)
        ends.append(at)
    equal(at, len(AOF))
    multi, over = AOF.index(command("MULTI")), AOF.index(command("EXEC"))
    return [e for e in ends if not multi < e <= over]


@tap.case("--fix cuts a torn tail where the last whole command or transaction ends, whatever byte it was torn at")
def fix_everywhere():
    ends = whole_commands()
    for n in range(len(AOF) + 1):
        f = put("torn.aof", AOF[:n])
        status, text = run(f)
        equal(status, 0 if n in ends else 1, f"{n}: {text}")
        status, text = run("--fix", "--yes", f)
        equal(status, 0, text)
        equal(get("torn.aof"), AOF[:max(e for e in ends if e <= n)], f"cut at {n}")
        assert n in ends or ("TORN" in text and "cut to" in text), text


def written_ahead(content, size=4096):
    """As the server leaves a file with appendfsync always, when it is killed: blocks that were written ahead stand behind the content (persist/aof_filler.h)."""
    line = b"#ahead 0123456789abcdef".ljust(63, b"#") + b"\n"
    rest = -len(content) % 64
    return content + (b"#" * (rest - 1) + b"\n" if rest > 1 else b"#" * rest) + line * ((size - len(content) - rest) // 64)


@tap.case("blocks written ahead of the content are no damage, and what is torn in front of them is a torn tail")
def ahead():
    ends = whole_commands()
    for n in range(1, len(AOF) + 1):
        if AOF[:n].endswith(b"#"):
            continue  # the first byte of a note that is torn there is filler as well
        f = put("ahead.aof", written_ahead(AOF[:n]))
        status, text = run(f)
        equal(status, 0 if n in ends else 1, f"{n}: {text}")
        assert "DAMAGED" not in text, text
        status, text = run("--fix", "--yes", f)
        equal(status, 0, text)
        if n not in ends:
            equal(get("ahead.aof"), AOF[:max(e for e in ends if e <= n)], f"cut at {n}")
    # Of a commit behind content that ends in the last line of a sector, the next sector is there, with bytes out of the middle of a command.
    for rest in range(1, 64):
        content = command("SET", "key", "v" * (512 - rest - 30))
        equal(len(content), 512 - rest, "the command's size")
        torn = bytearray(written_ahead(content))
        torn[512:1024] = (command("SET", "k", "w" * 40) * 30)[rest:][:512]
        f = put("ahead.aof", bytes(torn))
        status, text = run(f)
        assert status == 1 and "TORN" in text and "a write that was never finished" in text, text
        status, text = run("--fix", "--yes", f)
        assert status == 0 and get("ahead.aof") == content, text
    # A commit of which the second sector is there and the first one is not.
    torn = bytearray(written_ahead(AOF))
    torn[1024:1536] = (command("SET", "k", "v") * 30)[:512]
    f = put("ahead.aof", bytes(torn))
    status, text = run(f)
    assert status == 1 and "TORN" in text and "a write that was never finished" in text, text
    status, text = run("--fix", "--yes", f)
    assert status == 0 and get("ahead.aof") == AOF, text


@tap.case("--fix asks, says what is lost, and leaves alone what is no torn tail")
def fix_asks():
    torn = AOF + command("SET", "lost", "value")[:-4]
    f = put("torn.aof", torn)
    for answer in ("", "n\n", "x\n"):
        status, text = run("--fix", f, answer=answer)
        equal((status, get("torn.aof")), (1, torn), text)
        assert "SET lost" in text and "Continue? [y/N]" in text and "left as it is" in text, text
    status, text = run("--fix", f, answer="y\n")
    equal((status, get("torn.aof")), (0, AOF), text)

    damaged = bytearray(torn)
    damaged[AOF.index(b"RPUSH") - 4] = ord("x")
    f = put("damaged.aof", bytes(damaged))
    status, text = run("--fix", "--yes", f)
    equal((status, get("damaged.aof")), (1, bytes(damaged)), text)
    assert re.search(r"damaged.aof: offset \d+: DAMAGED: a line begins with 'x' in place of '\$'", text), text
    # A number that claims more than there is: what follows is no torn tail.
    grown = AOF.replace(b"$5\r\nvalue", b"$9999\r\nvalue")
    f = put("grown.aof", grown)
    status, text = run("--fix", "--yes", f)
    equal((status, get("grown.aof")), (1, grown), text)
    assert "would go beyond the end of the file, and commands follow" in text, text
    # A damaged image is never cut.
    cut = get("dump.rdb")[:-20]
    f = put("cut.rdb", cut)
    status, text = run("--fix", "--yes", f)
    equal((status, get("cut.rdb")), (1, cut), text)


@tap.case("of an append-only directory only the last file may be cut; a missing file and a damaged manifest are named")
def directory():
    folder = path("parts")
    os.mkdir(folder)
    name = "appendonly.aof"
    put(f"parts/{name}.1.base.rdb", get("dump.rdb"))
    put(f"parts/{name}.1.incr.aof", AOF + b"*1\r\n")
    put(f"parts/{name}.2.incr.aof", AOF + b"*1\r\n$4\r\nPI")
    manifest = (f"file {name}.1.base.rdb seq 1 type b\nfile {name}.1.incr.aof seq 1 type i\nfile {name}.2.incr.aof seq 2 type i\n").encode()
    put(f"parts/{name}.manifest", manifest)
    status, text = run("--fix", "--yes", folder)
    equal(status, 1, text)
    assert "is not the last file of the data set" in text and f"{name}.2.incr.aof: cut to {len(AOF)} bytes" in text, text
    equal(get(f"parts/{name}.1.incr.aof"), AOF + b"*1\r\n")
    equal(get(f"parts/{name}.2.incr.aof"), AOF)
    put(f"parts/{name}.1.incr.aof", AOF)
    equal(run(folder)[0], 0)
    equal(run(path(f"parts/{name}.manifest"))[0], 0)
    put(f"parts/{name}.manifest", manifest + b"!!!\n")
    status, text = run(folder)
    equal(status, 1, text)
    assert "line 4: Invalid AOF manifest file format: !!!" in text, text
    put(f"parts/{name}.manifest", manifest)
    os.unlink(path(f"parts/{name}.2.incr.aof"))
    status, text = run(folder)
    equal(status, 1, text)
    assert f"{name}.2.incr.aof: No such file or directory" in text, text


@tap.case("commands that no server would run are named, and what follows an image")
def refused():
    f = put("unknown.aof", AOF + command("JSON.SET", "k", "$", "1") + command("GET"))
    status, text = run(f)
    equal(status, 1)
    assert f"unknown.aof: offset {len(AOF)}: the command JSON.SET is not known" in text, text
    f = put("arity.aof", AOF + command("SET", "k"))
    assert "the command SET has a wrong number of arguments: 1" in run(f)[1]
    image = get("dump.rdb")
    f = put("more.rdb", image + b"garbage")
    status, text = run(f)
    equal(status, 1)
    assert f"more.rdb: offset {len(image)}: the image ends here, and 7 bytes follow" in text, text
    equal(run(put("preamble.aof", image + AOF))[0], 0)


@tap.case("a wrong command line ends with status 2, a file that is not there with 1")
def usage():
    for arguments in ((), ("--nonsense", "x"), ("--yes", path("dump.rdb")), ("--separator", "ab", path("dump.rdb"))):
        equal(run(*arguments)[0], 2, arguments)
    equal(run("--help")[0], 0)
    status, text = run("nothing.rdb")
    equal(status, 1)
    assert "nothing.rdb: No such file or directory" in text, text


def both(program, *arguments):
    """(status, output) of our program and of Redis's."""
    return [run(*arguments, program=p) for p in (path(program), shutil.which(program))]


@tap.case("redis-check-aof answers as Redis's own does, for a file cut anywhere")
def as_redis_check_aof():
    if not shutil.which("redis-check-aof"):
        return "redis-check-aof is not installed"
    for n in range(len(AOF) + 1):
        f = put("torn.aof", AOF[:n])
        ours, theirs = both("redis-check-aof", f)
        # Behind a lone '*' it prints a byte of its buffer that nobody wrote.
        blur = re.compile(r"got: 00[0-9a-f]{2}")
        equal((ours[0], blur.sub("got", ours[1])), (theirs[0], blur.sub("got", theirs[1])), f"cut at {n}")
    for tail in (b"!!!", b"*1\r\n#4\r\nping\r\n", b"*1\r\n$-4\r\nping\r\n", b"*1\r\n$4\r\npingxx", command("EXEC"), command("MULTI") * 2, b"#TS:1"):
        f = put("bad.aof", AOF + tail)
        ours, theirs = both("redis-check-aof", f)
        equal(ours, theirs, tail)
    shutil.copy(path("dump.rdb"), path("pre.aof"))
    with open(path("pre.aof"), "ab") as f:
        f.write(AOF)
    manifest = os.path.join("appendonlydir", next(n for n in os.listdir(path("appendonlydir")) if n.endswith(".manifest")))
    for arguments in ((path("pre.aof"),), (path("nothing"),), (manifest,), ("--truncate-to-timestamp", "x", "pre.aof"), ("--truncate-to-timestamp", "1800000000", "pre.aof")):
        ours, theirs = both("redis-check-aof", *arguments)
        equal((ours[0], ours[1].replace("appendonlydir/", "")), theirs, arguments)  # 7.0 went into the folder, 7.2 names it


@tap.case("redis-check-aof --fix and --truncate-to-timestamp do as Redis's own")
def redis_fix():
    if not shutil.which("redis-check-aof"):
        return "redis-check-aof is not installed"
    cases = [(("--fix",), AOF + tail, answer) for tail in (b"*1\r\n", b"!!!" + AOF, b"") for answer in ("y\n", "n\n", "")]
    cases += [(("--truncate-to-timestamp", str(t)), AOF, "") for t in (1699999999, 1700000000, 1700000099, 1700000100)]
    cases += [(("--truncate-to-timestamp", "1699999999"), b"#TS:1700000000\r\n" + AOF, "")]
    for options, content, answer in cases:
        results = []
        for program in (path("redis-check-aof"), shutil.which("redis-check-aof")):
            put("fix.aof", content)
            results.append((run(*options, "fix.aof", program=program, answer=answer), get("fix.aof")))
        equal(results[0], results[1], (options, content[-20:], answer))


@tap.case("redis-check-rdb answers as Redis's own does")
def as_redis_check_rdb():
    if not shutil.which("redis-check-rdb"):
        return "redis-check-rdb is not installed"
    whole = get("dump.rdb")
    damaged = bytearray(whole)
    damaged[-1] ^= 1
    cases = {"dump.rdb": whole, "sum.rdb": bytes(damaged), "none.rdb": whole[:-8] + bytes(8), "short.rdb": whole[:6], "head.rdb": whole[:9], "foreign.rdb": b"x" * 20,
             "version.rdb": b"REDIS0099" + whole[9:], "tail.rdb": whole[:-3], "empty.rdb": b"", "type.rdb": whole[:9] + b"\x4dxyz"}
    for name, content in cases.items():
        f = put(name, content)
        ours, theirs = both("redis-check-rdb", f)
        equal(ours, theirs, name)
    ours, theirs = both("redis-check-rdb", "nothing.rdb")
    equal(ours, theirs)
    for n in range(10, len(whole), 7):  # what it was doing, and with which key; its own offsets within a value are finer
        ours, theirs = both("redis-check-rdb", put("part.rdb", whole[:n]))
        pick = re.compile(r"While doing.*|Reading key.*|\[info\].*|AUX.*|Selecting.*")
        equal((ours[0], pick.findall(ours[1])), (theirs[0], pick.findall(theirs[1])), f"cut at {n}")


def wal_server(folder):
    return Ringwood(SERVER, "--persistence", "wal", "--wal-segment-size", "65536", "--appendfsync", "always", shards=2, directory=folder)


@tap.case("a write-ahead log is whole, explained, and its torn tail put right so that a server starts with it")
def write_ahead_log():
    data = path("waldata")
    os.mkdir(data)
    with wal_server(data) as server:
        c = server.client()
        for n in range(300):
            c("SET", f"user:{n}", os.urandom(400))
        c("MULTI")
        c("SET", "in", "1")
        c("INCR", "in")
        c("EXEC")
        server.stop()
    folder = next(os.path.join(data, n) for n in os.listdir(data) if os.path.isdir(os.path.join(data, n)))
    status, text = run(data)
    equal(status, 0, text)
    assert "a write-ahead log, " in text and re.search(r"\n  set +301 ", text), text
    last = os.path.join(folder, max((n for n in os.listdir(folder) if n.endswith(".log") and os.path.getsize(os.path.join(folder, n)) > 2000),
                                    key=lambda n: int(n.split(".")[1])))
    with open(last, "rb") as f:
        whole = f.read()
    for n in (len(whole) - 1, len(whole) - 30, len(whole) - 200, len(whole) - 1500):
        with open(last, "wb") as f:
            f.write(whole[:n])
        status, text = run(data)
        equal(status, 1, text)
        assert re.search(rf"{re.escape(last)}: offset \d+: TORN: ", text), text
        equal(run("--fix", "--yes", data)[0], 0, f"cut at {n}")
        status, text = run(data)
        equal(status, 0, text)
    shutil.copytree(data, path("waldata-2"))
    with wal_server(path("waldata-2")) as server:
        assert 290 <= server.client()("DBSIZE") <= 301
        server.stop()
    with open(last, "wb") as f:
        f.write(whole)
    equal(run(data)[0], 0)
    rng = random.Random(SEED)
    for _ in range(200):
        with open(last, "wb") as f:
            f.write(change(rng, whole))
        status, text = run("--quiet", data)
        assert status == 1 and ": offset " in text, f"seed {SEED}: {text}"


def length(n):
    return bytes([n]) if n < 64 else bytes([64 | n >> 8, n & 255]) if n < 16384 else b"\x80" + n.to_bytes(4, "big")


def strings_file(name, keys, size):
    value = length(size) + b"v" * size
    with open(path(name), "wb") as f:
        f.write(b"REDIS0010\xfe\x00")
        for begin in range(0, keys, 10000):
            f.write(b"".join(b"\x00" + length(len(k)) + k + value for k in (b"key:%d" % i for i in range(begin, min(begin + 10000, keys)))))
        f.write(b"\xff" + bytes(8))
    return path(name)


@tap.case("a large file takes seconds, and memory that does not grow with it")
def large():
    keys = 1_000_000
    f = strings_file("large.rdb", keys, 200)
    begin = time.monotonic()
    status, text = run("--top", "3", f)
    took = time.monotonic() - begin
    equal(status, 0, text[-500:])
    assert re.search(r"\n  key: +1,000,000 ", text), text
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"# {keys} keys in {took:.1f} s, at most {most:.0f} MiB", flush=True)
    assert most < 150 or sanitized(CHECK), f"{most} MiB"
    assert took < 60, f"{took} s"


@tap.case("on a terminal a line tells how far it is")
def progress():
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(CHECK, [CHECK, path("large.rdb")])
    # The line comes after half a second, which a fast machine does not need: it stands still that long.
    time.sleep(0.1)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.6)
    os.kill(pid, signal.SIGCONT)
    said = b""
    while True:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        said += piece
    equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
    assert re.search(rb"large\.rdb \[#*\.*\] +\d+%  .* of .* keys, .* left", said), said[:500]
    os.unlink(path("large.rdb"))


try:
    tap.run()
finally:
    shutil.rmtree(FOLDER, ignore_errors=True)
