#!/bin/sh
# Runs a benchmark program; fails when one of its benchmarks found a wrong result (Google Benchmark itself answers 0 then).
out=$("$@" 2>&1) || { echo "$out"; exit 1; }
echo "$out"
case $out in *"ERROR OCCURRED"*) exit 1 ;; esac
