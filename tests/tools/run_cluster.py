#!/usr/bin/env python3
"""tools/run --cluster: as soon as it says that the cluster serves, a replica can take its dead master's place; started again, it is the cluster that it was.

    run_cluster.py ringwood-server
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from servers import Resp, Tap, equal, free_port, until

tap = Tap()
SERVER = os.path.abspath(sys.argv[1])
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NODES = 6
FOLDER = tempfile.mkdtemp(prefix="ringwood-run-")


def is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def first_port():
    while True:
        port = free_port()
        if port < 22_000 and all(is_free(p + bus) for p in range(port, port + NODES) for bus in (0, 10_000)):
            return port


class Cluster:
    """The script as tools/run calls it, with the server that is to be tested and a folder and ports of its own."""

    def __init__(self, port):
        self.port = port
        script = f'. "{ROOT}/tools/lib/packages.sh"; . "{ROOT}/tools/lib/cluster.sh"; run_cluster --cluster 3 --replicas 1'
        self.process = subprocess.Popen(["bash", "-euo", "pipefail", "-c", script], env={**os.environ, "tool": "tools/run", "top": FOLDER, "server": SERVER, "first_port": str(port)},
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)

    def __enter__(self):
        self.said = []
        for line in self.process.stdout:
            self.said.append(line)
            if "the cluster serves" in line:
                return self
        raise AssertionError("".join(self.said))

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # Ctrl-C
        self.process.stdout.close()
        self.process.wait(60)

    def client(self, node):
        return Resp(self.port + node, 20)

    def nodes(self, node=0):
        """By port: flags and slots, as this node sees it."""
        lines = [line.split() for line in self.client(node)("CLUSTER", "NODES").decode().splitlines()]
        return {int(re.search(r":(\d+)@", f[1])[1]): (f[2].replace("myself,", ""), f[8:]) for f in lines}


PORT = first_port()


@tap.case("a master that is killed as soon as the cluster serves is replaced")
def killed_at_once():
    with Cluster(PORT) as cluster:
        assert not any("does not serve" in line for line in cluster.said), cluster.said
        nodes = cluster.nodes()
        equal(sorted(flags for flags, _ in nodes.values()), ["master"] * 3 + ["slave"] * 3)
        slots = nodes[PORT][1]
        pid = int(re.search(rb"process_id:(\d+)", cluster.client(0)("INFO", "server"))[1])
        os.kill(pid, signal.SIGKILL)
        began = time.monotonic()
        until(lambda: any(s == slots and flags == "master" for port, (flags, s) in cluster.nodes(1).items() if port != PORT), "a replica took over", 30)
        print(f"# replaced after {time.monotonic() - began:.1f} s")
        until(lambda: b"cluster_state:ok" in cluster.client(1)("CLUSTER", "INFO"), "the cluster is well", 20)


@tap.case("started again it is the cluster that it was, and the dead master a replica")
def again():
    with Cluster(PORT) as cluster:
        nodes = cluster.nodes()
        equal(sorted(flags for flags, _ in nodes.values()), ["master"] * 3 + ["slave"] * 3)
        equal(nodes[PORT][0], "slave")


try:
    tap.run()
finally:
    shutil.rmtree(FOLDER, ignore_errors=True)
