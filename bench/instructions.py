#!/usr/bin/env python3
"""Instructions per command, counted by callgrind: the same on every machine and at every run, so a change of one instruction shows.

    bench/instructions.py BUILD [--only get,set] [--batch 1,16,64] [--count 6400] [--functions] [--with WHAT]

BUILD is a build folder with the program bench/bench-instructions (a release build, for numbers that mean something). What is counted: from the
arguments, parsed already, to the reply in the client's buffer; begin_turn, take_mail and end_turn once a batch. Not counted: the parser, the sockets.
Only what runs below the function `measured` counts (--toggle-collect). --functions prints the dearest functions of each.
"""
import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def count(program, name, batch, requests, functions, using):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        run = subprocess.run(["valgrind", "--tool=callgrind", "--toggle-collect=measured", f"--callgrind-out-file={out}", str(program), "--only", name,
                              "--batch", str(batch), "--count", str(requests), "--keys", "2000", *(["--with", using] if using else [])], capture_output=True, text=True)
        if run.returncode:
            sys.exit(run.stderr)
        total = int(re.search(r"Collected : (\d+)", run.stderr).group(1))
        if functions:
            text = subprocess.run(["callgrind_annotate", "--show-percs=no", str(out)], capture_output=True, text=True).stdout
            for line in text.splitlines():
                m = re.match(r"\s*([\d,]+)\s+\S*?:(.*?)\s*(\[.*)?$", line)
                if m and int(m.group(1).replace(",", "")) > requests:
                    print(f"    {int(m.group(1).replace(',', '')) / requests:8.1f}  {m.group(2)[:110]}")
        return total / requests


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("--only")
    parser.add_argument("--batch", default="1,16,64")
    parser.add_argument("--count", type=int, default=6400)
    parser.add_argument("--functions", action="store_true")
    parser.add_argument("--with", dest="using", help="acl: the clients are a user with rules; tracking: they track what they read; or an option (instructions.cc)")
    args = parser.parse_args()
    program = args.build / "bench" / "bench-instructions"
    if not program.exists() or not shutil.which("valgrind"):
        print("skipped: no valgrind, or the benchmarks are not built")
        return 77
    names = args.only.split(",") if args.only else subprocess.check_output([program, "--list"], text=True).split()
    batches = [int(b) for b in args.batch.split(",")]
    print(f"{'command':12}" + "".join(f"{'batch ' + str(b):>12}" for b in batches))
    for name in names:
        print(f"{name:12}" + "".join(f"{count(program, name, b, args.count, args.functions, args.using):12.1f}" for b in batches), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
