#!/usr/bin/env python3
"""ioredis and node-redis against our server: every family of data, transactions, blocking, publish and subscribe, on 1 and 2 shards.

    node_clients.py RINGWOOD-SERVER
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import node  # noqa: E402
from servers import Ringwood, Tap  # noqa: E402

BINARY = sys.argv[1]
tap = Tap()

for shards in (1, 2):
    # ioredis speaks RESP2 alone.
    for script, protocol in (("ioredis.js", 2), ("node_redis.js", 2), ("node_redis.js", 3)):
        @tap.case(f"{script}, RESP{protocol}, {shards} shards")
        def families(script=script, protocol=protocol, shards=shards):
            if reason := node.missing():
                return reason
            with Ringwood(BINARY, shards=shards) as server:
                node.run(script, server.port, protocol)

tap.run()
