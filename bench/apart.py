"""Where the client of a measurement runs: left to the kernel it shares the server's processor or does not, by chance."""
import contextlib
import os


@contextlib.contextmanager
def apart():
    """This process and what it starts keep to one processor, so that a server that is already there has the others to itself (with its child)."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(own)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)
