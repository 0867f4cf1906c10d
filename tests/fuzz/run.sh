#!/bin/sh
# run.sh PROGRAM CORPUS SCRATCH: a bounded run of one libFuzzer program. What it finds goes to SCRATCH: the corpus in the source tree
# stays as it is, and a crashing input is named in the output. 10 seconds, 10 minutes with RINGWOOD_LONG=1.
set -eu
program=$1 corpus=$2 scratch=$3
[ -d "$corpus" ] || { echo "no corpus at $corpus" >&2; exit 1; }
mkdir -p "$scratch/found" "$scratch/crash"
[ "${RINGWOOD_LONG:-}" = 1 ] && seconds=600 || seconds=10
set -- -max_total_time=$seconds -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$scratch/crash/"
[ -n "${RINGWOOD_SEED:-}" ] && set -- "$@" -seed="$RINGWOOD_SEED"
exec "$program" "$@" "$scratch/found" "$corpus"
