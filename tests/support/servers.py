"""Starting servers for tests, on loopback and ports of their own, and reporting as TAP (https://testanything.org), which meson counts.

    from servers import Ringwood, Redis, Tap, Resp
A server is a context manager: its folder is fresh, its process ends with it.
"""
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

_given, _giving = set(), threading.Lock()


def free_port():
    """A port that nobody listens on, and that no connection takes by itself before the server has it: from below those that the kernel hands out. Never the same twice."""
    dice = random.SystemRandom()
    with _giving:
        while True:
            port = dice.randrange(10_000, 32_768)
            if port in _given:
                continue
            with socket.socket() as s:
                try:
                    s.bind(("127.0.0.1", port))
                except OSError:
                    continue
            _given.add(port)
            return port


class Resp:
    """A bare RESP2/RESP3 client: what a reply holds, errors as values of RespError. For what client libraries hide or cannot do fast."""

    class Error(str):
        pass

    def __init__(self, port, timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb", 1 << 20)

    def close(self):
        self.file.close()
        self.socket.close()

    @staticmethod
    def encode(*args):
        parts = [b"*%d\r\n" % len(args)]
        for a in args:
            b = a if isinstance(a, bytes) else str(a).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(b), b))
        return b"".join(parts)

    def send(self, raw):
        self.socket.sendall(raw)

    def __call__(self, *args):
        self.send(self.encode(*args))
        return self.read()

    def pipeline(self, commands):
        self.send(b"".join(self.encode(*c) for c in commands))
        return [self.read() for _ in commands]

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Resp.Error(rest.decode())
        if kind == b":":
            return int(rest)
        if kind in b"$=":
            n = int(rest)
            return None if n < 0 else self.file.read(n + 2)[:-2]
        if kind in b"*~>":
            n = int(rest)
            return None if n < 0 else [self.read() for _ in range(n)]
        if kind == b"%":
            return {self._key(self.read()): self.read() for _ in range(int(rest))}
        if kind == b"_":
            return None
        if kind == b"#":
            return rest == b"t"
        if kind == b",":
            return float(rest)
        if kind == b"(":
            return int(rest)
        raise ValueError(f"unknown reply {line!r}")

    @staticmethod
    def _key(k):
        return tuple(k) if isinstance(k, list) else k


def cpu_seconds(pid):
    """What the process's threads have run, the kernel's work for them included."""
    return sum(int(open(f"/proc/{pid}/task/{t}/schedstat").read().split()[0]) for t in os.listdir(f"/proc/{pid}/task")) / 1e9


class Server:
    """A server process; `directory` is its working folder, `port` its port."""
    READY = 60  # seconds

    def __init__(self, command, arguments=(), directory=None):
        self.given = directory
        self.directory = directory or tempfile.mkdtemp(prefix="ringwood-test-")
        self.command, self.arguments = command, [str(a) for a in arguments]
        self.port, self.process = None, None
        self.was_loading = False  # a client was told LOADING while the server started

    def begin(self, port=None):
        """Starts the process, on that port or a free one, and waits for nothing."""
        self.port = port or free_port()
        self.log = open(os.path.join(self.directory, "server.log"), "ab")
        self.process = subprocess.Popen([*self.command, "--port", str(self.port), "--dir", self.directory, *self.arguments], cwd=self.directory,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)

    def start(self, port=None):
        self.begin(port)
        end = time.monotonic() + self.READY
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.command[0]} exited with {self.process.returncode}:\n{self.log_text()}")
            try:
                c = Resp(self.port, 5)
                reply = c("PING")
                c.close()
                if not isinstance(reply, Resp.Error) or not reply.startswith("LOADING"):
                    return self
                self.was_loading = True
            except OSError:
                pass
            time.sleep(0.01)
        raise RuntimeError(f"{self.command[0]} did not come up:\n{self.log_text()}")

    def log_text(self):
        with open(os.path.join(self.directory, "server.log"), errors="replace") as f:
            return f.read()

    def client(self, timeout=120):
        return Resp(self.port, timeout)

    def stop(self, sig=signal.SIGTERM, seconds=60):
        """Ends the process and answers its exit status."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise RuntimeError(f"{self.command[0]} did not stop in {seconds} s:\n{self.log_text()[-2000:]}") from None
        return self.process.returncode if self.process else None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        try:
            self.stop(signal.SIGKILL)
        finally:
            if not self.given:
                shutil.rmtree(self.directory, ignore_errors=True)


def Ringwood(binary, *arguments, shards=1, directory=None):
    return Server([os.path.abspath(binary)], ["--shards", shards, "--save", "", "--enable-debug-command", "yes", *arguments], directory)


def Redis(*arguments, directory=None):
    binary = os.environ.get("REDIS_SERVER", "redis-server")
    return Server([binary], ["--save", "", "--enable-debug-command", "yes", *arguments], directory)


class Tap:
    """Collects test functions and runs them: `with` a decorator each, then run()."""

    def __init__(self):
        self.cases = []

    def case(self, name):
        def add(f):
            self.cases.append((name, f))
            return f
        return add

    def per_shards(self, name, start, counts=(1, 2, 4)):
        """The same test with several numbers of shards, each on a server of its own: start(shards) makes it."""
        def add(f):
            for shards in counts:
                def run(shards=shards):
                    with start(shards) as server:
                        return f(server)
                self.case(f"{name}, {shards} shards")(run)
            return f
        return add

    def run(self, side_by_side=1):
        """Runs them, so many at a time: for cases that wait most of the time and have servers of their own. What they say comes in their order all the same."""
        print(f"1..{len(self.cases)}", flush=True)
        failures = 0
        with ThreadPoolExecutor(side_by_side) as pool:
            for n, (name, f), outcome in zip(range(1, len(self.cases) + 1), self.cases, [pool.submit(self._outcome, f) for _, f in self.cases]):
                seconds, reason, story = outcome.result()
                if story is None:
                    skip = f" # SKIP {reason}" if isinstance(reason, str) else ""
                    print(f"ok {n} - {name}{skip}\n# {seconds:.1f} s", flush=True)
                    continue
                failures += 1
                print(f"not ok {n} - {name}\n{story}", flush=True)
                print(f"{name}\n{story}", file=sys.stderr, flush=True)  # of a TAP program, Meson shows only this
        sys.exit(1 if failures else 0)

    @staticmethod
    def _outcome(f):
        """(how long it took, what it answered, the story of its failure)"""
        begin = time.monotonic()
        try:
            reason = f()
            return time.monotonic() - begin, reason, None
        except Exception:  # a test's failure is whatever it raised
            return time.monotonic() - begin, None, "".join("# " + line + "\n" for line in traceback.format_exc().splitlines())


def sanitized(program):
    """The program is built with a sanitizer, which keeps freed memory and catches signals."""
    with open(program, "rb") as f:
        bytes_ = f.read()
    return b"__asan_init" in bytes_ or b"__tsan_init" in bytes_


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r:.400}, wanted {wanted!r:.400}")


def until(condition, what, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


def together(*workers, seconds=60):
    """Runs them at the same time, a thread each; the first fault of one is the test's."""
    faults = []

    def guarded(worker):
        try:
            worker()
        except BaseException as fault:  # told by the main thread
            faults.append(fault)
    threads = [threading.Thread(target=guarded, args=(w,), daemon=True) for w in workers]
    for t in threads:
        t.start()
    for t in threads:
        t.join(seconds)
        if t.is_alive():
            raise TimeoutError("a client waits for ever")
    if faults:
        raise faults[0]
