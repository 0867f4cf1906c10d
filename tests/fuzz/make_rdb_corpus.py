#!/usr/bin/env python3
"""Writes tests/fuzz/corpus/rdb: one small file per value of tests/unit/persist/redis7_payloads.h, the whole file of it, and the forms of old versions."""
import pathlib
import re

here = pathlib.Path(__file__).parent
text = (here.parent / "unit/persist/redis7_payloads.h").read_text()
hex_runs = re.findall(r'\{"([a-z0-9-]+)",\s*((?:"[0-9a-f]*"\s*)+),', text)
whole = re.search(r"kFile =\s*((?:\"[0-9a-f]*\"\s*)+);", text).group(1)
join = lambda quoted: bytes.fromhex("".join(re.findall(r'"([0-9a-f]*)"', quoted)))
out = here / "corpus/rdb"
out.mkdir(parents=True, exist_ok=True)


def put(name, image):
    (out / name).write_bytes(b"\x07" + image)  # the first byte seeds the pieces


put("redis7-file", join(whole))
for name, quoted in hex_runs:
    payload = join(quoted)[:-10]
    put(name, b"REDIS0010\xfe\x00" + payload[:1] + b"\x03key" + payload[1:] + b"\xff" + bytes(8))
ziplist = bytes.fromhex("100000000d00000002000001610" "3f3ff")
zipmap = b"\x01\x01f\x01\x00v\xff"
for kind, blob in ((9, zipmap), (10, ziplist), (12, ziplist), (13, ziplist)):
    put(f"old-{kind}", b"REDIS0006" + bytes([kind]) + b"\x01k" + bytes([len(blob)]) + blob + b"\xff" + bytes(8))
put("old-14", b"REDIS0007\x0e\x01k\x01" + bytes([len(ziplist)]) + ziplist + b"\xff" + bytes(8))
put("old-1", b"REDIS0001\xfd\x80\x99\x86\x74\x00\x01s\x01v\x03\x01z\x02\x01a\xfe\x01b\x031.5\xff")

# Hashes whose fields expire: fields a and b with a time, c without one, as a listpack and as pairs.
timed = bytes.fromhex("32000000090081610282317803f400b4c5dab80100000981620282327803f4e8b7c5dab801000009816302823378030001ff")
first = 1893456000000
length = lambda n: b"\x81" + n.to_bytes(8, "big")
pairs = lambda a, b: b"\x03" + a + b"\x01a\x021x" + b + b"\x01b\x022x" + b"\x00\x01c\x023x"
for kind, value in ((22, pairs(length(first), length(first + 1000))), (23, bytes([len(timed)]) + timed),
                    (24, first.to_bytes(8, "little") + pairs(b"\x01", b"\x43\xe9")), (25, first.to_bytes(8, "little") + bytes([len(timed)]) + timed)):
    put(f"hash-times-{kind}", b"REDIS0012" + bytes([kind]) + b"\x01k" + value + b"\xff" + bytes(8))
