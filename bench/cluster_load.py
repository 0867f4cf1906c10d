"""What a cluster of redis-server does under load while slots move.

    cluster_load.py --generator LOAD-GENERATOR --tool RINGWOOD-CLUSTER [--seconds 10] [--slots 1000] [--check]

Three masters and a fourth that gets slots while GET and SET go on: requests, redirections and the time that the move took. --check: a short run that only has to
work.
"""
import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/support"))
from servers import Redis, equal, free_port  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--generator", required=True)
parser.add_argument("--tool", required=True)
parser.add_argument("--seconds", type=float, default=10)
parser.add_argument("--slots", type=int, default=1000)
parser.add_argument("--check", action="store_true")
options = parser.parse_args()
if options.check:
    options.seconds, options.slots = 3, 400


def start():
    for attempt in range(5):
        server = Redis("--cluster-enabled", "yes", "--cluster-port", free_port())
        try:
            return server.start()
        except RuntimeError:  # somebody else has taken one of its ports
            server.__exit__()
            if attempt == 4:
                raise
    return None


def tool(*words):
    return subprocess.run([options.tool, *map(str, words)], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)


servers = []
try:
    for _ in range(4):
        servers.append(start())
    at = [f"127.0.0.1:{s.port}" for s in servers]
    tool("create", *at[:3], "--yes")
    tool("add-node", at[3], at[0], "--yes")
    load = subprocess.Popen([options.generator, "--port", str(servers[0].port), "--cluster", "--connections", "30", "--pipeline", "4", "--seconds",
                             str(options.seconds), "SET", "key:{n}", "value:{n}", ";", "GET", "key:{n}"], stdout=subprocess.PIPE, text=True)
    time.sleep(0.5)
    begin = time.monotonic()
    tool("reshard", at[0], "--to", at[3], "--slots", options.slots, "--yes")
    took = time.monotonic() - begin
    found = json.loads(load.communicate(timeout=120)[0])
    equal(load.returncode, 0)
    tool("check", at[0])
    print(json.dumps({**found, "slots": options.slots, "reshard seconds": round(took, 3), "keys": [s.client()("DBSIZE") for s in servers]}))
    if options.check:
        equal(found["requests"] > 1000, True, found)
        equal(found["redirected"] > 0, True, found)
        equal(servers[3].client()("DBSIZE") > 0, True)
finally:
    for s in servers:
        s.__exit__()
