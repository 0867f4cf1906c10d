"""What tests of clusters wait for, instead of assuming it."""
import time

from servers import until

LONGER_THAN_A_TICK = 0.25  # seconds; a link that has ended is opened anew with the next tick, ten of which are in a second


def links(node, names):
    """[(direction, the other's name, when it was made)] of the node's links to and from these."""
    rows = [dict(zip(row[::2], row[1::2])) for row in node("CLUSTER", "LINKS")]
    return sorted((r[b"direction"], r[b"node"], r[b"create-time"]) for r in rows if r[b"node"] in names)


def bus_stands(nodes, seconds=40):
    """Every node (called with a command, it answers) has a link to and from every other, and has had the same for longer than a tick: where nodes have just met, one is sometimes replaced by another, and what is
    published meanwhile is lost, with redis-server too."""
    names = [n("CLUSTER", "MYID") for n in nodes]
    wanted = [sorted((direction, other) for other in names if other != own for direction in (b"from", b"to")) for own in names]
    last, since = None, 0.0

    def standing():
        nonlocal last, since
        found = [links(n, set(names)) for n in nodes]
        if found != last:
            last, since = found, time.monotonic()
        return [[link[:2] for link in ls] for ls in found] == wanted and time.monotonic() - since > LONGER_THAN_A_TICK
    until(standing, "every node has its links to every other", seconds)
