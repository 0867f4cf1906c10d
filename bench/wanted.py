"""What a measurement must find when it runs as a test in its long form (`tools/test --long`): figures that were promised. The short forms run beside other tests and on any machine, where
a time says nothing; they fail only where something does not work."""
import os
import sys

LONG = os.environ.get("RINGWOOD_LONG") == "1"


class Wanted:
    """Of a run with --check in the long form; otherwise nothing is wanted."""

    def __init__(self, check):
        self.active, self.missed = check and LONG, []

    def at_least(self, what, found, bound):
        self._note(found >= bound, f"{what}: {found:.2f}, wanted at least {bound}")

    def at_most(self, what, found, bound):
        self._note(found <= bound, f"{what}: {found:.2f}, wanted at most {bound}")

    def _note(self, good, text):
        if self.active and not good:
            self.missed.append(text)

    def end(self):
        if self.missed:
            sys.exit("missed:\n  " + "\n  ".join(self.missed))
