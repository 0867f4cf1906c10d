#!/usr/bin/env python3
"""How much disk the write-ahead log takes at most while everything is overwritten as fast as clients can, beside the memory of the data set.

    disk_bound.py SERVER [--megabytes 256] [--value 1000] [--shards 2] [--clients 4] [--seconds 20] [--fsync everysec] [--kind wal] [--percentage 200] [--saves] [--at-most 2.0]
The values are random bytes, which do not get smaller when packed: the worst case. --percentage: wal-disk-percentage. The folder's size is sampled every 5 ms. --saves: a BGSAVE every second. With --at-most a ratio above it fails, as TAP.
"""
import argparse
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
from servers import Resp, Ringwood  # noqa: E402

BATCH = 200


def info(client, section="everything"):
    return dict(line.split(":", 1) for line in client("INFO", section).decode().splitlines() if ":" in line)


def request(keys, value, rng):
    """One pipeline of SETs, and how long its answer is."""
    return b"".join(Resp.encode("SET", f"key:{k}", rng.randbytes(value)) for k in keys), 5 * len(keys)


class Writer(threading.Thread):
    def __init__(self, server, pipelines):
        super().__init__(daemon=True)
        self.client, self.pipelines, self.stopped, self.written, self.slowest, self.fault = server.client(), pipelines, False, 0, 0.0, None

    def run(self):
        s = self.client.socket
        try:
            while not self.stopped:
                raw, size = random.choice(self.pipelines)
                start = time.monotonic()
                s.sendall(raw)
                while size:
                    got = s.recv(min(size, 1 << 16))
                    if not got:
                        raise ConnectionError("the server closed the connection")
                    if b"-" in got:
                        raise RuntimeError(got)
                    size -= len(got)
                self.slowest = max(self.slowest, time.monotonic() - start)
                self.written += len(raw)
        except Exception as fault:
            self.fault = fault


def folder_bytes(folder):
    total = 0
    for name in os.listdir(folder):
        try:
            total += os.stat(os.path.join(folder, name)).st_size
        except FileNotFoundError:
            pass
    return total


def measure(o):
    rng = random.Random(1)
    keys = (o.megabytes << 20) // (o.value + 60)
    everything = list(range(keys))
    # Each writer has a few hundred pipelines, which together cover all keys once and a half.
    def pipelines():
        rng.shuffle(everything)
        return [request(everything[i:i + BATCH], o.value, rng) for i in range(0, keys, BATCH)]
    with Ringwood(o.server, "--persistence", o.kind, "--appendfsync", o.fsync, "--auto-aof-rewrite-min-size", str(1 << 20), "--wal-disk-percentage", str(o.percentage), shards=o.shards) as server:
        c = server.client(600)
        empty = int(info(c)["used_memory"])
        shared = pipelines()
        for raw, _ in shared:
            c.send(raw)
            for _ in range(raw.count(b"*3\r\n$3\r\nSET\r\n")):
                c.read()
        time.sleep(1)
        c("BGREWRITEAOF")
        while info(c)["aof_rewrite_in_progress"] == "1":
            time.sleep(0.05)
        facts = info(c)
        data = int(facts["used_memory"]) - empty - int(facts["mem_clients_normal"]) - int(facts["mutation_log_memory"])
        folder = os.path.join(server.directory, "waldir" if o.kind == "wal" else "appendonlydir")
        image = folder_bytes(folder)
        writers = [Writer(server, shared) for _ in range(o.clients)]
        begun, rewrites = time.monotonic(), int(facts["aof_rewrites"])
        for w in writers:
            w.start()
        most, at, saved = 0, 0.0, begun
        while time.monotonic() - begun < o.seconds:
            now = folder_bytes(folder)
            if now > most:
                most, at = now, time.monotonic() - begun
            if o.saves and time.monotonic() - saved > 1:
                saved = time.monotonic()
                c("BGSAVE", "SCHEDULE")
            time.sleep(0.005)
        for w in writers:
            w.stopped = True
        for w in writers:
            w.join()
            if w.fault:
                raise w.fault
        seconds = time.monotonic() - begun
        written = sum(w.written for w in writers)
        rewrites, saves = int(info(c)["aof_rewrites"]) - rewrites, int(info(c)["rdb_saves"])
        c.close()
    text = (f"{o.kind}, {o.shards} shards, appendfsync {o.fsync}: data {data >> 20} MB, image {image >> 20} MB; {written / seconds / 1e6:.0f} MB/s written for "
            f"{seconds:.0f} s, {rewrites} compactions{f', {saves} saves' if o.saves else ''}; at most {most >> 20} MB on disk (at {at:.1f} s), {most / data:.2f} of the data; "
            f"the slowest pipeline of {BATCH} took {max(w.slowest for w in writers) * 1000:.0f} ms")
    return most / data, rewrites, text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--value", type=int, default=1000)
    parser.add_argument("--saves", action="store_true")
    parser.add_argument("--shards", type=int, default=2)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--fsync", default="everysec")
    parser.add_argument("--kind", default="wal")
    parser.add_argument("--percentage", type=int, default=200)
    parser.add_argument("--at-most", type=float)
    o = parser.parse_args()
    ratio, rewrites, text = measure(o)
    print("# " + text if o.at_most else text)
    if o.at_most:
        good = ratio <= o.at_most and rewrites > 0
        print(f"1..1\n{'ok' if good else 'not ok'} 1 - the log stays below {o.at_most} times the data{'' if good else f': {ratio:.2f} with {rewrites} compactions'}")
        sys.exit(not good)


if __name__ == "__main__":
    main()
