#pragma once
// What each thread counts of each command.
#include "engine/exec/histogram.h"
#include "engine/exec/stats.h"

namespace ringwood {

struct alignas(64) CommandStats {
  Counter calls, rejected, failed;
  Counter nanoseconds;      // that the calls ran
  LazyHistogram execution;  // the same, of each call (latency-tracking)
  LazyHistogram service;    // from the request to its reply, as its client sees it (engine/exec/timekeeper.h)
  uint32_t in_turn = 0;     // calls that were answered in this turn; the thread's own
};

// Sums over threads, as INFO shows them.
struct CommandTotals {
  int64_t calls = 0, rejected = 0, failed = 0, nanoseconds = 0;
  void add(const CommandStats& s) {
    calls += s.calls.get(), rejected += s.rejected.get(), failed += s.failed.get(), nanoseconds += s.nanoseconds.get();
  }
};

}  // namespace ringwood
