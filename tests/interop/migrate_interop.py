"""MIGRATE between Ringwood and Debian's redis-server, both ways."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from migration import PAIR_CASES  # noqa: E402
from servers import Redis, Ringwood, Tap  # noqa: E402

tap = Tap()
binary = sys.argv[1]


def run(case, source, target):
    with source() as s, target() as t:
        return case(s, t)


for name, case in PAIR_CASES.items():
    for shards in (1, 4):
        ours = (lambda n=shards: Ringwood(binary, shards=n))
        tap.case(f"{name}: from {shards} shards to Redis")(lambda c=case, o=ours: run(c, o, Redis))
        tap.case(f"{name}: from Redis to {shards} shards")(lambda c=case, o=ours: run(c, Redis, o))
tap.run(side_by_side=4)
