#!/usr/bin/env python3
"""Runs files of Redis 7.2.6's test suite against our server: one TAP line a file.

    run.py SERVER SHARDS [--dropin|--replication|--cluster] [FILE ...]    for instance: run.py build-test/tools/server/ringwood-server 2 unit/type/list

In external mode one server, started before, is used by all tests. Without files it is the whole suite, one after the other against the same server, as the suite does it by itself
(without what it calls slow), and then the files that are nothing but "external:skip", each with servers of its own. With --dropin the suite starts our server as its own, with the
configuration and as often as its tests want, and runs also what it marks "external:skip"; without files those of FILES, with --replication instead
those of REPLICATION_SHORT, with RINGWOOD_LONG=1 the slow ones of REPLICATION_LONG as well. With --cluster it is tests/cluster (clusters of up to
twenty servers): files by the beginning of their names ("16-transactions"); without any those of CLUSTER_SHORT, with RINGWOOD_LONG=1 all of them.
Ends with the sum: "# N passed, N failed, N skipped".
It needs the runner ../shared/compat/redis-suite (or RINGWOOD_REDIS_SUITE) and a git directory that holds Redis's tag 7.2.6: RINGWOOD_REDIS_REPO,
or ../.mirror/redis+redis/repo. Neither is a part of this repository: without them all is skipped. Tests that skip.txt names, with its reason, are
not run; every one that fails fails its file.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = ["unit/type/string", "unit/type/incr", "unit/type/list", "unit/type/list-2", "unit/type/list-3", "unit/type/set", "unit/type/zset",
         "unit/type/hash", "unit/type/stream", "unit/type/stream-cgroups", "unit/sort", "unit/bitops", "unit/bitfield", "unit/geo",
         "unit/hyperloglog", "unit/multi", "unit/keyspace", "unit/scan", "unit/expire", "unit/protocol", "unit/dump", "unit/quit",
         "unit/info-command", "unit/pubsub", "unit/pubsubshard", "unit/other",
         "unit/tracking", "unit/functions", "unit/slowlog", "unit/lazyfree", "unit/auth", "unit/limits", "unit/networking",
         "unit/aofrw"]
REPLICATION_SHORT = ["integration/replication-2", "integration/replication-3", "integration/replication-4", "integration/replication-buffer", "integration/psync2",
                     "integration/psync2-reg", "integration/psync2-pingoff", "integration/psync2-master-restart", "integration/block-repl", "integration/failover", "unit/wait"]
REPLICATION_LONG = ["integration/replication", "integration/replication-psync"]
# The first two have no test by name (aof-race fails by an exception), of the others skip.txt names every one.
NOTHING_RUNS = {"unit/printver", "integration/aof-race", "unit/querybuf", "unit/replybufsize",
                "20-half-migrated-slot", "21-many-slot-migration"}  # these two say "if {false}"
CLUSTER_SHORT = ["02-failover", "11-manual-takeover", "15-cluster-slots", "16-transactions-on-replica", "18-info", "19-cluster-nodes-slots", "25-pubsubshard-slot-migration",
                 "26-pubsubshard", "28-cluster-shards", "29-slot-migration-response"]
SECONDS_A_FILE, SECONDS_IN_ALL = 600, 3000
OWN_SERVERS = ["unit/pubsubshard", "unit/aofrw", "unit/auth", "unit/limits", "unit/networking",
               *("unit/cluster/" + f for f in ("announced-endpoints", "cli", "failure-marking", "hostnames", "human-announced-nodename", "links", "misc", "multi-slot-operations",
                                               "scripting", "slot-ownership"))]  # they say "external:skip": each starts its servers itself
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
DONE = re.compile(r"^\[ *\d+/\d+ done\]: (\S+)")
FAULT = re.compile(r"^\[(?:err|exception|timeout)\]:? ?(.*?)(?: in tests/\S+\.tcl)?$")
CLUSTER_FAULT = re.compile(r"^(?:\[exception\]|[0-9:]+> (.*): FAILED|FAILED: caught)")
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")


def outside(variable, *places):
    """What the environment names, or the first of the places (seen from the repository, or from the main work tree of a linked one)."""
    if os.environ.get(variable):
        return Path(os.environ[variable])
    common = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--path-format=absolute", "--git-common-dir"], capture_output=True, text=True)
    homes = [ROOT] + ([Path(common.stdout.strip()).parent] if common.returncode == 0 else [])
    return next((home / place for home in homes for place in places if (home / place).exists()), None)


def skip_all(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def skipped(shards):
    """Names and /patterns of the tests that cannot pass with so many shards, out of skip.txt."""
    lines = (ROOT / "tests/compat/skip.txt").read_text().splitlines()
    names = [line.split(" | ", 1)[0].strip() for line in lines if line.strip() and not line.startswith("#")]
    several = "[several shards] "
    return [n.removeprefix(several) for n in names if shards > 1 or not n.startswith(several)]


def starter(server, shards, folder):
    """A program that takes the configuration file as its first argument, as the suite starts a server."""
    script = Path(folder) / "redis-server"
    # Under the name that the suite started, which the process's title shows.
    # The option stands where no other one's arguments are: behind the configuration file, behind what is no option, or before what stands instead of a file.
    script.write_text(f'#!/bin/bash\nif [[ $1 == --* ]]; then exec -a "$0" {server} --shards {shards} "$@"; fi\n'
                      f'if [[ $2 && $2 != --* ]]; then exec -a "$0" {server} "$@" --shards {shards}; fi\n'
                      f'file=$1\nshift\nexec -a "$0" {server} "$file" --shards {shards} "$@"\n')
    script.chmod(0o755)
    return str(script)


def assertions(log):
    """What the suite's own log says of each failed test: its name, what was expected, and where. The runner's summary keeps the names alone."""
    lines = COLOUR.sub("", log.read_text(errors="replace")).splitlines() if log.exists() else []
    return [line for i, first in enumerate(lines) if first.startswith(("[err]", "[exception]", "[timeout]")) for line in lines[i:i + 4]]


def run_file(suite, repository, command, mode, file, skips):
    """(counts or None, names of failed tests, whole output)"""
    # Two runs beside each other must not ask for the same ports, as the suite's own default would.
    with tempfile.TemporaryDirectory() as folder:
        skip_file, log = Path(folder) / "skip", Path(folder) / "log"
        skip_file.write_text("\n".join(skips))
        run = subprocess.run([str(suite), "--repo", str(repository), "--server", command, "--tag", "7.2.6",
                              "--mode", mode, "--", "--single", file,
                              "--skipfile", str(skip_file),
                              "--baseport", str(20000 + os.getpid() % 10000)],
                             env=dict(os.environ, LIMIT=str(SECONDS_A_FILE), LOG=str(log)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, errors="replace")
        reasons = assertions(log)
    counts, failed = None, []
    for line in run.stdout.splitlines():
        if COUNTS.match(line):
            counts = tuple(map(int, COUNTS.match(line).groups()))
        elif FAULT.match(line):
            failed.append(FAULT.match(line)[1].strip() or line)
    return counts, failed, "\n".join([run.stdout.rstrip("\n"), *reasons])


def alone():
    """The beginning of a command line: with a network of its own where this system gives one. The suite's bus ports, from 40000 on, lie among those that Linux gives to outgoing connections."""
    own = ["unshare", "--net", "sh", "-c", 'ip link set lo up && echo 45000 60999 >/proc/sys/net/ipv4/ip_local_port_range && exec "$0" "$@"']
    return own if subprocess.run([*own, "true"], capture_output=True).returncode == 0 else []


def run_cluster(suite, repository, command, file):
    """As run_file. The suite finds free ports itself; it knows no list of tests to be left out."""
    run = subprocess.run([*alone(), str(suite), "--repo", str(repository), "--server", command, "--tag", "7.2.6", "--mode", "cluster", "--", "--single", file],
                         env=dict(os.environ, LIMIT=str(SECONDS_A_FILE)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    counts, failed = None, []
    for line in COLOUR.sub("", run.stdout).splitlines():
        if COUNTS.match(line):
            counts = tuple(map(int, COUNTS.match(line).groups()))
        elif CLUSTER_FAULT.match(line):
            failed.append(line)
    return counts, failed, run.stdout


def cluster_files(repository):
    names = subprocess.run(["git", "-C", str(repository), "ls-tree", "--name-only", "7.2.6:tests/cluster/tests"], capture_output=True, text=True, check=True).stdout
    return [n.removesuffix(".tcl") for n in names.split() if n.endswith(".tcl")]


def run_all(suite, repository, command, skips):
    """The whole suite against one server: (file, counts, names of failed tests) for each file of which something ran; the last without a count where it broke off."""
    with tempfile.TemporaryDirectory() as folder:
        skip_file, log = Path(folder) / "skip", Path(folder) / "log"
        skip_file.write_text("\n".join(skips))
        subprocess.run([str(suite), "--repo", str(repository), "--server", command, "--tag", "7.2.6", "--mode", "external", "--",
                        "--tags", "-slow -needs:repl", "--skipfile", str(skip_file), "--baseport", str(20000 + os.getpid() % 10000)],
                       env=dict(os.environ, LIMIT=str(SECONDS_IN_ALL), LOG=str(log)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        lines = COLOUR.sub("", log.read_text(errors="replace")).splitlines() if log.exists() else []
    counts, failed, results, under_way = [0, 0, 0], [], [], None
    for line in lines:
        if line.startswith("Testing "):
            under_way = line.removeprefix("Testing ").strip()
        elif line.startswith("[ok]"):
            counts[0] += 1
        elif line.startswith(("[ignore]", "[skip]")):
            counts[2] += 1
        elif FAULT.match(line):
            counts[1] += 1
            failed.append(FAULT.match(line)[1].strip() or line)
        elif DONE.match(line):
            if counts[0] or counts[1]:
                results.append((DONE.match(line)[1], tuple(counts), failed))
            counts, failed, under_way = [0, 0, counts[2] if not (counts[0] or counts[1]) else 0], [], None
    if under_way or not lines or "\o/ All tests passed without errors!" not in lines and not any(f for _, _, f in results):
        results.append((under_way or "the suite", None, failed + ["broken off"] + lines[-20:]))
    return results


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    server, shards = Path(sys.argv[1]).resolve(), int(sys.argv[2])
    replication, cluster = "--replication" in sys.argv, "--cluster" in sys.argv
    dropin = "--dropin" in sys.argv or replication
    files = [a for a in sys.argv[3:] if not a.startswith("--")]
    suite = outside("RINGWOOD_REDIS_SUITE", "../shared/compat/redis-suite")
    repository = outside("RINGWOOD_REDIS_REPO", "../.mirror/redis+redis/repo")
    if not suite or not suite.exists():
        skip_all("no ../shared/compat/redis-suite")
    if not repository or subprocess.run(["git", "-C", str(repository), "cat-file", "-e", "7.2.6:tests"], capture_output=True).returncode:
        skip_all("no git directory with Redis's tag 7.2.6 (RINGWOOD_REDIS_REPO)")
    for program in ("tclsh", "redis-cli"):
        if not shutil.which(program):
            skip_all(f"no {program}")
    skips = skipped(shards)
    checker = server.parent.parent / "check/ringwood-check"  # where a build folder has it; the suite knows it as redis-check-aof and redis-check-rdb
    if checker.exists():
        for name in ("CHECK_AOF", "CHECK_RDB"):
            os.environ.setdefault(name, str(checker))
    number, totals, worst = 0, [0, 0, 0], 0

    def tell(file, counts, failed, output=""):
        nonlocal number, worst
        # No count, or nothing that ran, is a failure too: the suite itself broke off. So is one that hangs.
        ran = counts is not None and (counts[0] > 0 or file in NOTHING_RUNS)
        good = ran and counts[1] == 0 and "redis-suite: stopped after" not in output
        number += 1
        print(f"{'ok' if good else 'not ok'} {number} - {file}" + (f" ({counts[0]} passed, {counts[1]} failed, {counts[2]} skipped)" if counts else ""))
        for test in failed:
            print(f"#   FAILED: {test}")
        if not good:
            worst = 1
            print("".join(f"# {line}\n" for line in output.splitlines()[-20:]), end="")
        for i, n in enumerate(counts or ()):
            totals[i] += n
        sys.stdout.flush()

    if cluster:
        for file in files or (cluster_files(repository) if os.environ.get("RINGWOOD_LONG") else CLUSTER_SHORT):
            with tempfile.TemporaryDirectory() as folder:
                tell(file, *run_cluster(suite, repository, starter(server, shards, folder), file))
        print(f"1..{number}\n# {totals[0]} passed, {totals[1]} failed, {totals[2]} skipped")
        return worst
    if not files and not dropin:
        for result in run_all(suite, repository, f"{server} --shards {shards}", skips):
            tell(*result)
        files = OWN_SERVERS
    several = REPLICATION_SHORT + (REPLICATION_LONG if os.environ.get("RINGWOOD_LONG") else []) if replication else FILES
    for file in files or several:
        with tempfile.TemporaryDirectory() as folder:
            own = dropin or file in OWN_SERVERS
            command = starter(server, shards, folder) if own else f"{server} --shards {shards}"
            counts, failed, output = run_file(suite, repository, command, "dropin" if own else "external", file, skips)
        tell(file, counts, failed, output)
    print(f"1..{number}\n# {totals[0]} passed, {totals[1]} failed, {totals[2]} skipped")
    return worst


if __name__ == "__main__":
    sys.exit(main())
