#!/usr/bin/env python3
"""Adds up what `meson test` left in several build folders: the failed tests by name, then "N passed, N failed, N skipped".

    summary.py [--log=FOLDER]... [--broken=NAME]...     exit status 0 only when something ran and nothing failed

A program whose cases are known (GoogleTest, TAP) counts by its cases, any other as one. A program that failed without a failed case
(it crashed, or ran out of time) counts as one failure more, so that nothing can fail unseen.
"""
import json
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

FAILED = {"FAIL", "TIMEOUT", "INTERRUPT", "ERROR", "UNEXPECTEDPASS"}


def cases_of(folder):
    """{program: [(case, passed | failed | skipped)]} from the JUnit file; programs without cases of their own are left out."""
    path = folder / "meson-logs/tools-test.junit.xml"
    found = {}
    if not path.exists():
        return found
    for suite in xml.parse(path).getroot().iter("testsuite"):
        parts = suite.get("name").split(".", 2)  # project.program[.suite]
        if len(parts) < 2:
            continue
        for case in suite.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                verdict = "failed"
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                verdict = "skipped"
            else:
                verdict = "passed"
            name = f"{parts[2]}.{case.get('name')}" if len(parts) > 2 else case.get("name")
            found.setdefault(parts[1], []).append((name, verdict))
    return found


def program_name(entry):
    """Meson writes "project:suite / name", or "name" where there is one suite alone."""
    return entry["name"].rsplit(" / ", 1)[-1]


def main(arguments):
    count = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []
    for argument in arguments:
        kind, _, value = argument.partition("=")
        if kind == "--broken" and value:
            count["failed"] += 1
            failures.append(value)
        if kind != "--log" or not value:
            continue
        folder = Path(value)
        path = folder / "meson-logs/tools-test.json"
        entries = [json.loads(line) for line in path.read_text().splitlines() if line.strip()] if path.exists() else []
        cases = cases_of(folder)
        for entry in entries:
            program, result = program_name(entry), entry["result"]
            known = cases.get(program, []) if result != "SKIP" else []
            label = f"{folder.name}: {entry['name']}"
            for name, verdict in known:
                count[verdict] += 1
                if verdict == "failed":
                    failures.append(f"{label}: {name}")
            if result in FAILED and not any(v == "failed" for _, v in known):
                count["failed"] += 1
                failures.append(f"{label}: {result.lower()}, exit status {entry.get('returncode')}")
            elif not known and result not in FAILED:
                count["skipped" if result == "SKIP" else "passed"] += 1
    print()
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
