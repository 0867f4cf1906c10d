#!/usr/bin/env python3
"""Node's client libraries for interop tests: where they are, and running a script with them.

    node.py        installs what tests/interop/node/package-lock.json names into build-node (exit status 77 where that cannot be done)

tools/test does the installing, before any test runs; a test asks missing() and is skipped with its answer. A script is CommonJS and finds the libraries by require('ioredis').
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "tests/interop/node"
FOLDER = ROOT / "build-node"  # beside the other build folders, because all of them share it
PINS = ("package.json", "package-lock.json")


def missing():
    """Why scripts cannot run, or None."""
    if not shutil.which("node"):
        return "node is not installed"
    # npm writes this file last: an installation that was broken off has none.
    if not (FOLDER / "node_modules/.package-lock.json").exists():
        return "the npm packages are not installed (tests/support/node.py installs them)"
    if any((FOLDER / pin).read_bytes() != (SCRIPTS / pin).read_bytes() for pin in PINS):
        return "the npm packages are not those of package-lock.json any more (tests/support/node.py installs them)"
    return None


def run(script, *arguments, seconds=120):
    """Runs a script of tests/interop/node; raises with its output when it fails."""
    environment = dict(os.environ, NODE_PATH=str(FOLDER / "node_modules"))
    done = subprocess.run(["node", str(SCRIPTS / script), *map(str, arguments)], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=seconds)
    if done.returncode:
        raise AssertionError(f"{script} exited with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def install():
    if missing() is None:
        return None
    if not shutil.which("npm"):
        return "npm is not installed"
    FOLDER.mkdir(exist_ok=True)
    for pin in PINS:
        shutil.copyfile(SCRIPTS / pin, FOLDER / pin)
    # No script of a package is run: all of them work without.
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=60000"], cwd=FOLDER,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    return f"npm ci failed:\n{done.stdout[-2000:]}" if done.returncode else missing()


if __name__ == "__main__":
    try:
        reason = install()
    except subprocess.TimeoutExpired:
        reason = "npm did not end within 300 s"
    print(reason or f"the npm packages are in {FOLDER}")
    sys.exit(77 if reason else 0)
