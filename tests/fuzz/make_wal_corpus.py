#!/usr/bin/env python3
"""Writes tests/fuzz/corpus/wal: the files of a small write-ahead log, whole and torn.

    make_wal_corpus.py RINGWOOD-SERVER
"""
import pathlib
import random
import signal
import sys

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "support"))
from servers import Ringwood, until  # noqa: E402

out = here / "corpus/wal"
out.mkdir(parents=True, exist_ok=True)
with Ringwood(sys.argv[1], "--persistence", "wal", "--wal-segment-size", "65536") as server:
    c = server.client()
    c("SET", "a", "1")
    c("RPUSH", "list", "x" * 300, "y")
    c("BGREWRITEAOF")
    until(lambda: b"aof_rewrite_in_progress:0" in c("INFO", "persistence"), "the rewrite")
    c("MSET", "b", "2", "c", "3")
    for n in range(30):
        c("INCR", "counter")
    folder = pathlib.Path(server.directory) / "waldir"
    image, log = next(folder.glob("*.image")).read_bytes(), next(folder.glob("*.log")).read_bytes()
    c("SET", "long", random.Random(1).randbytes(65000))
    c("SET", "after", "1")
    until(lambda: len(list(folder.glob("*.log"))) == 2, "the next file")
    sealed = sorted(folder.glob("*.log"), key=lambda f: int(f.name.split(".")[1]))[0]
    until(lambda: sealed.read_bytes().endswith(b"RINGSEAL"), "the seal")
    server.stop(signal.SIGTERM)
    (out / "image").write_bytes(b"\x01" + image)
    (out / "log").write_bytes(b"\x00" + log)
    (out / "torn").write_bytes(b"\x00" + log[:-7])
    (out / "sealed").write_bytes(b"\x00" + sealed.read_bytes())
    (out / "put-right").write_bytes(b"\x02" + log)
    (out / "image-put-right").write_bytes(b"\x03" + image)
