#!/usr/bin/env python3
"""The rules of the house, each one a test.

    style.py RULE [--build FOLDER] [--fix]

    format      clang-format finds nothing to change in any C++ file (--fix changes it)
    text        no tab, no space at a line's end, a newline at the file's end; no line of C++ beyond column 160
    layers      every #include points down the layers (docs/architecture.md); liburing is named in net/ alone
    sizes       a file has at most 700 lines; those in sizes.txt may keep their length and must not grow beyond it
    registered  every *_test.cc, and every source file of the product, is named in a meson.build, so that it is really built
    headers     every header compiles alone
    tidy        clang-tidy finds nothing in the product's sources

Exit status 0 (kept), 1 (broken: each place is named), 77 (the tool is not there: skipped).
RINGWOOD_LONG=1 takes the time limit from tidy. RINGWOOD_PLAIN_BUILD=1 says that the product is built without precompiled headers as well: what that shows,
`headers` need not.
"""
import argparse
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ["engine", "net", "persist", "cluster", "tools", "bench", "tests"]
PRODUCT = ["engine", "net", "persist", "cluster", "tools"]
LINES_MAX = 700
COLUMNS_MAX = 160  # code is formatted to 140; comments and long literals may reach this
TIDY_SECONDS = 90  # of a first run on a slow machine; later runs check what changed
SKIPPED = 77


def sources(*endings, rooms=ROOMS):
    """Files of the project, sorted, without build folders, bytes of corpora and what a test wrote."""
    found = []
    for room in rooms:
        for folder, folders, files in os.walk(ROOT / room):
            folders[:] = [f for f in folders if f not in ("corpus", "__pycache__") and not f.startswith((".", "build"))]
            found += [Path(folder) / f for f in files if f.endswith(endings)]
    return sorted(found)


def name(path):
    return str(path.relative_to(ROOT))


def report(faults, rule):
    for fault in faults:
        print(fault)
    print(f"{rule}: {len(faults)} found" if faults else f"{rule}: kept")
    return 1 if faults else 0


def tool(*names):
    for candidate in names:
        if shutil.which(candidate):
            return candidate
    print(f"{names[0]} is not installed")
    sys.exit(SKIPPED)


# --- rules that only read ---


def rule_format(options):
    program = tool("clang-format-14", "clang-format")
    files = [str(f) for f in sources(".cc", ".h")]
    if options.fix:
        return subprocess.run([program, "-i", *files], cwd=ROOT).returncode
    run = subprocess.run([program, "--dry-run", "-Werror", "--ferror-limit=3", *files], cwd=ROOT, capture_output=True, text=True)
    faults = [line.replace(str(ROOT) + "/", "") for line in run.stderr.splitlines() if "error:" in line]
    if run.returncode and not faults:
        faults = [run.stderr.strip() or "clang-format failed"]
    if faults:
        print("tests/style/style.py format --fix  formats them")
    return report(faults, "format")


def rule_text(_):
    faults = []
    texts = sources(".cc", ".h", ".py", ".sh", ".txt", ".lua", "meson.build")
    texts += [ROOT / f for f in ("meson.build", "meson_options.txt", "tools/run", "tools/test", ".ci/run") if (ROOT / f).exists()]
    texts += sorted((ROOT / "docs").glob("**/*.md")) + sorted(ROOT.glob("*.md")) + sorted((ROOT / "subprojects").glob("*.wrap"))
    for path in texts:
        text = path.read_text(errors="surrogateescape")
        for number, line in enumerate(text.split("\n"), 1):
            if "\t" in line:
                faults.append(f"{name(path)}:{number}: a tab")
            if line.endswith((" ", "\r")) and path.suffix != ".md":
                faults.append(f"{name(path)}:{number}: space at the end of the line")
            if len(line) > COLUMNS_MAX and path.suffix in (".cc", ".h"):
                faults.append(f"{name(path)}:{number}: {len(line)} columns, at most {COLUMNS_MAX}")
        if text and not text.endswith("\n"):
            faults.append(f"{name(path)}: no newline at the end")
    return report(faults, "text")


# Who may see whom: a room sees itself and these. What is absent (tools, bench, tests) may see everything.
LAYERS = {
    "engine/base": [],
    "engine/store": ["engine/base"],
    "engine/exec": ["engine/base", "engine/store"],
    "engine/commands": ["engine/base", "engine/store", "engine/exec"],
    "persist": ["engine/base", "engine/store", "engine/exec"],
    "cluster": ["engine/base", "engine/exec"],
    "net/client": ["engine/base"],
    "net": ["engine/base", "engine/store", "engine/exec", "engine/commands", "persist", "cluster"],
}
OTHERS = ["tools", "bench", "tests"]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def room_of(path):
    return next((room for room in [*LAYERS, *OTHERS] if path.startswith(room + "/")), None)


def includes(path):
    """(line, is it quoted, what) of every #include of a file."""
    for number, line in enumerate(path.read_text(errors="surrogateescape").split("\n"), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1] == '"', match[2]


def rule_layers(_):
    faults = []
    for path in sources(".cc", ".h"):
        here = room_of(name(path))
        for number, quoted, what in includes(path):
            place = f"{name(path)}:{number}"
            if quoted and not (ROOT / what).exists():
                faults.append(f"{place}: \"{what}\" is not a path from the root of the repository")
            if here not in LAYERS:
                continue
            if what.startswith(("liburing", "linux/io_uring")) and here != "net":
                faults.append(f"{place}: io_uring belongs to net/ alone")
            there = room_of(what)
            if there and there != here and there not in LAYERS[here]:
                faults.append(f"{place}: {here} must not see {there} ({what})")
            if here == "cluster" and there == "engine/exec" and not path.stem.endswith("commands"):
                faults.append(f"{place}: in cluster/ only files of commands may see engine/exec")
    return report(faults, "layers")


def rule_sizes(_):
    """A ratchet: sizes.txt has 'path lines' for what was longer when it was accepted; it may shrink, never grow."""
    allowed = {}
    for line in (ROOT / "tests/style/sizes.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            path, lines = line.split()
            allowed[path] = int(lines)
    faults = []
    for path in sources(".cc", ".h", ".py"):
        lines = path.read_text(errors="surrogateescape").count("\n")
        limit = allowed.pop(name(path), LINES_MAX)
        if lines > limit:
            faults.append(f"{name(path)}: {lines} lines, at most {limit}: one file, one idea")
        elif limit > LINES_MAX and lines <= LINES_MAX:
            faults.append(f"{name(path)}: {lines} lines: take it out of tests/style/sizes.txt")
        elif limit > lines + 50 and limit > LINES_MAX:
            faults.append(f"{name(path)}: {lines} lines: lower its limit of {limit} in tests/style/sizes.txt")
    faults += [f"tests/style/sizes.txt: {path} does not exist" for path in allowed]
    return report(faults, "sizes")


def rule_registered(_):
    """A source file that no meson.build names is never compiled, and a test in it never fails."""
    named = set()
    for build in [ROOT / "meson.build", *sources("meson.build")]:
        text = re.sub(r"^\s*#.*$", "", build.read_text(), flags=re.M)
        named |= {(build.parent / quoted).resolve() for quoted in re.findall(r"'([^'\n]+\.cc)'", text)}
    faults = [f"{name(path)}: no meson.build names it" for path in sources(".cc") if path.resolve() not in named]
    return report(faults, "registered")


# --- rules that compile, with a cache keyed by content ---


def closure(path, seen=None):
    """The file and all own headers that it reaches."""
    seen = {} if seen is None else seen
    if path in seen or not path.exists():
        return seen
    seen[path] = hashlib.sha256(path.read_bytes()).hexdigest()
    for _, quoted, what in includes(path):
        if quoted:
            closure(ROOT / what, seen)
    return seen


def git_lines(*arguments):
    run = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True)
    return run.stdout.splitlines() if run.returncode == 0 else []


def by_last_change(paths):
    """What was worked on last comes first: what is not committed, then by the commits. Where these do not tell, another order with each commit, so that not the
    same files are always those for which the time does not last."""
    changed, when = {}, 0
    for line in git_lines("log", "--format=%x00%ct", "--name-only"):
        if line.startswith("\0"):
            when = int(line[1:])
        else:
            changed.setdefault(line, when)
    changed.update((line[3:], float("inf")) for line in git_lines("status", "--porcelain"))
    head = "".join(git_lines("rev-parse", "HEAD"))
    return sorted(paths, key=lambda path: (-changed.get(name(path), 0), hashlib.sha256((head + name(path)).encode()).hexdigest()))


def in_parallel(items, work, cache, key_of, seconds):
    """Runs work(item) -> text of faults for every item whose key is not among the clean ones in the cache. (faults, not reached in time)"""
    cache.mkdir(parents=True, exist_ok=True)
    clean = {item: cache / hashlib.sha256(key_of(item).encode()).hexdigest() for item in items}
    todo = [item for item in items if not clean[item].exists()]
    todo = by_last_change(todo)
    end = time.monotonic() + seconds
    faults, late = [], []

    def one(item):
        if time.monotonic() > end:
            return item, None
        return item, work(item)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for future in as_completed([pool.submit(one, item) for item in todo]):
            item, found = future.result()
            if found is None:
                late.append(item)
            elif found:
                faults.append(found.replace(str(ROOT) + "/", ""))
            else:
                clean[item].touch()
    print(f"{len(items)} files, {len(items) - len(todo)} unchanged since they were found clean")
    return faults, late


def commands(options):
    """{source: compile command as a list} of the build folder."""
    path = options.build / "compile_commands.json"
    if not path.exists():
        print(f"no {path}")
        sys.exit(SKIPPED)
    known = {}
    for e in json.loads(path.read_text()):
        words = shlex.split(e["command"].replace(" -fpch-preprocess", ""))
        while "-include" in words:  # a precompiled header: what is looked at here must do without, as in other builds
            at = words.index("-include")
            del words[at:at + 2]
        known[(Path(e["directory"]) / e["file"]).resolve()] = (words, e["directory"])
    return known


def flags_for(path, known):
    """Include, define and language flags of a source in the header's folder, or of any source: enough to parse a header."""
    near = [c for source, c in known.items() if source.parent == path.parent] or list(known.values())
    words, folder = near[0]
    kept, take_next = [], False
    for word in words:
        if take_next or word.startswith(("-I", "-isystem", "-D", "-std", "-march", "-fno-exceptions", "-fno-rtti", "-pthread")):
            take_next = word == "-isystem"
            kept.append(word.replace("\\", ""))
    return kept, folder


def shown_by_a_build(known):
    """Headers that compile alone where the product is built without precompiled headers: those that a source of its includes before anything else."""
    shown = set()
    for source in sources(".cc", rooms=PRODUCT):
        first = next(iter(includes(source)), None) if source.resolve() in known else None
        if first and first[1]:
            shown.add(ROOT / first[2])
    return shown


def rule_headers(options):
    known = commands(options)
    compiler = os.environ.get("CXX", "g++").split()[-1]
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout

    def key(path):
        return "headers" + version + " ".join(flags_for(path, known)[0]) + name(path) + json.dumps(sorted(closure(path).values()))

    def work(path):
        flags, folder = flags_for(path, known)
        run = subprocess.run([compiler, *flags, "-Wall", "-Wextra", "-Werror", "-I", str(ROOT), "-fsyntax-only", "-x", "c++", "-"], cwd=folder,
                             input=f'#include "{name(path)}"\n', capture_output=True, text=True)
        return f"{name(path)} does not compile alone:\n{run.stderr}" if run.returncode else ""

    shown = shown_by_a_build(known) if os.environ.get("RINGWOOD_PLAIN_BUILD") == "1" else set()
    headers = [header for header in sources(".h") if header not in shown]
    if shown:
        print(f"{len(shown)} more stand first in a source that a build compiles without precompiled headers")
    faults, _ = in_parallel(headers, work, options.build / "style-cache/headers", key, 1e9)
    return report(sorted(faults), "headers")


def rule_tidy(options):
    program = tool("clang-tidy-14", "clang-tidy")
    known = commands(options)
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    config = (ROOT / ".clang-tidy").read_text()
    files = [f for f in sources(".cc", rooms=PRODUCT) if f.resolve() in known]
    database = options.build / "style-cache"
    database.mkdir(exist_ok=True)
    (database / "compile_commands.json").write_text(
        json.dumps([{"file": str(path), "directory": folder, "arguments": words} for path, (words, folder) in known.items()]))

    def key(path):
        return "tidy" + version + config + " ".join(known[path.resolve()][0]) + name(path) + json.dumps(sorted(closure(path).values()))

    def work(path):
        run = subprocess.run([program, "--quiet", "-p", str(database), "--extra-arg=-Wno-unknown-warning-option",
                              "--extra-arg=-Wno-unused-command-line-argument", str(path)], cwd=ROOT, capture_output=True, text=True)
        if not run.returncode:
            return ""
        return run.stdout.strip() or run.stderr.strip() or f"{name(path)}: clang-tidy ended with {run.returncode}"

    seconds = 1e9 if os.environ.get("RINGWOOD_LONG") == "1" else TIDY_SECONDS
    faults, late = in_parallel(files, work, options.build / "style-cache/tidy", key, seconds)
    if late:
        print(f"not reached within {seconds} s, and checked by a later run: " + " ".join(sorted(map(name, late))))
    # A fault in a header shows up under every source that includes it: say it once.
    lines = list(dict.fromkeys(line for fault in sorted(faults) for line in fault.split("\n")))
    for line in lines:
        print(line)
    print(f"tidy: {sum('error:' in line for line in lines)} places in {len(faults)} files" if faults else "tidy: kept")
    return 1 if faults else 0


def main():
    rules = {key[5:]: value for key, value in globals().items() if key.startswith("rule_")}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rule", choices=rules)
    parser.add_argument("--build", type=Path, default=ROOT / "build-test", help="a configured build folder (headers, tidy)")
    parser.add_argument("--fix", action="store_true", help="format: change the files")
    options = parser.parse_args()
    return rules[options.rule](options)


if __name__ == "__main__":
    sys.exit(main())
