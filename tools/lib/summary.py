#!/usr/bin/env python3
"""Adds up what `meson test` left in several build folders: the failed tests by name, then "N passed, N failed, N skipped".

    summary.py [--log=FOLDER]... [--broken=NAME]...     exit status 0 only when something ran and nothing failed
    summary.py --again=FOLDER                           prints the programs that deserve a second run

A program whose cases are known (GoogleTest, TAP) counts by its cases, any other as one. A program that failed without a failed case
(it crashed, or ran out of time) counts as one failure more, so that nothing can fail unseen.

Programs that talk to servers over sockets share the machine's cores with each other, and some wait for clocks: one that failed runs a second
time, alone, and what counts is how that ended; its name stands in the summary. A finding of a sanitizer counts at once.
"""
import json
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

FIRST, AGAIN = "tools-test", "tools-test-again"  # logs of `meson test`
FAILED = {"FAIL", "TIMEOUT", "INTERRUPT", "ERROR", "UNEXPECTEDPASS"}


BESIDE_OTHERS = ("wire", "interop", "bench")  # the suites whose programs get a second run
BY_CHANCE = 6  # programs of one run; more have a common reason
FINDINGS = ("Sanitizer: ", "runtime error: ")


def entries_of(folder, log):
    """What each program did, in the log of that name."""
    path = folder / f"meson-logs/{log}.json"
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()] if path.exists() else []


def deserves_another_run(entry):
    suite = entry["name"].partition(" / ")[0].partition(":")[2]
    output = (entry.get("stdout") or "") + (entry.get("stderr") or "")
    return entry["result"] in FAILED and suite in BESIDE_OTHERS and not any(f in output for f in FINDINGS)


def cases_of(folder, programs, log):
    """{program: [(case, passed | failed | skipped)]} from the JUnit file; programs without cases of their own are left out.

    A suite is named "project.program" (TAP) or "project.program.suite" (GoogleTest); the case of a program without cases is in "project".
    """
    path = folder / f"meson-logs/{log}.junit.xml"
    found = {}
    if not path.exists():
        return found
    for suite in xml.parse(path).getroot().iter("testsuite"):
        name = suite.get("name").partition(".")[2]
        owners = [p for p in programs if name == p or name.startswith(p + ".")]
        if not owners:
            continue
        owner = max(owners, key=len)
        group = name[len(owner) + 1:]
        for case in suite.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                verdict = "failed"
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                verdict = "skipped"
            else:
                verdict = "passed"
            found.setdefault(owner, []).append((f"{group}.{case.get('name')}" if group else case.get("name"), verdict))
    return found


def last_case(entry):
    """The GoogleTest case in which a program broke off, as far as its output tells."""
    started = [line[12:].strip() for line in (entry.get("stdout") or "").splitlines() if line.startswith("[ RUN      ]")]
    return f"in {started[-1]}: " if started else ""


def main(arguments):
    count = {"passed": 0, "failed": 0, "skipped": 0}
    failures, second = [], []
    for argument in arguments:
        kind, _, value = argument.partition("=")
        if kind == "--broken" and value:
            count["failed"] += 1
            failures.append(value)
        if kind == "--again" and value:
            names = [e["name"].partition(" / ")[2] for e in entries_of(Path(value), FIRST) if deserves_another_run(e)]
            print("\n".join(names if len(names) <= BY_CHANCE else []), end="")
            return 0
        if kind != "--log" or not value:
            continue
        folder = Path(value)
        first, again = entries_of(folder, FIRST), {e["name"]: e for e in entries_of(folder, AGAIN)}
        names = {entry["name"] for entry in first}
        first_cases, again_cases = cases_of(folder, names, FIRST), cases_of(folder, names, AGAIN)
        for entry in first:
            cases = first_cases
            if entry["name"] in again and deserves_another_run(entry):
                second += [f"{folder.name}: {entry['name']}: {n}" for n, v in cases.get(entry["name"], []) if v == "failed"] or \
                    [f"{folder.name}: {entry['name']}: {entry['result'].lower()}"]
                entry, cases = again[entry["name"]], again_cases
            result = entry["result"]
            known = cases.get(entry["name"], []) if result != "SKIP" else []
            label = f"{folder.name}: {entry['name']}"
            for name, verdict in known:
                count[verdict] += 1
                if verdict == "failed":
                    failures.append(f"{label}: {name}")
            if result in FAILED and not any(v == "failed" for _, v in known):
                count["failed"] += 1
                failures.append(f"{label}: {last_case(entry)}{result.lower()}, exit status {entry.get('returncode')}")
            elif not known and result not in FAILED:
                count["skipped" if result == "SKIP" else "passed"] += 1
    print()
    if second:
        print("Failed, and were run again alone, which is what counts:")
        for name in second:
            print(f"  {name}")
    if failures:
        print("Failed:")
        for failure in failures:
            print(f"  {failure}")
    elif not sum(count.values()):
        print("No test ran.")
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 0 if count["passed"] + count["skipped"] and not count["failed"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
