#!/usr/bin/env python3
"""BullMQ, whose scripts make most of their keys inside, on 1 and 2 shards.

    bullmq.py RINGWOOD-SERVER
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import node  # noqa: E402
from servers import Ringwood, Tap  # noqa: E402

BINARY = sys.argv[1]
tap = Tap()

for shards in (1, 2):
    @tap.case(f"BullMQ's queues, {shards} shards")
    def queues(shards=shards):
        if reason := node.missing():
            return reason
        with Ringwood(BINARY, shards=shards) as server:
            node.run("bullmq.js", server.port)

tap.run()
