#pragma once
// Counters of one thread: written by it alone, read by any (relaxed), so INFO needs no message and no lock.
#include <atomic>
#include <cstdint>

namespace ringwood {

class Counter {
 public:
  void add(int64_t n = 1) { v_.store(v_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void set(int64_t n) { v_.store(n, std::memory_order_relaxed); }
  int64_t get() const { return v_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> v_{0};
};

struct ShardStats {
  Counter keyspace_hits, keyspace_misses;
  Counter expired_keys;    // by access and by time
  Counter expired_fields;  // of hashes
  Counter expire_lag_ms;   // of the last key or field that the index handed out
  Counter evicted_keys;
  Counter dirty;  // changes since the last save began
  Counter commands_processed;
  Counter total_error_replies;
  Counter leases, remote_commands;
};

// Per command, one of these per thread. Reading a clock twice costs as much as a third of a GET: commands that are quick by nature are timed once in
// kTimedEvery calls (Command::timed_mask), all others always.
struct CommandStats {
  static constexpr int64_t kTimedEvery = 64;
  Counter calls, rejected, failed;
  Counter timed, nanoseconds;  // how many of the calls were timed, and what these took
};

// Sums over threads, as INFO shows them.
struct CommandTotals {
  int64_t calls = 0, rejected = 0, failed = 0;
  double nanoseconds = 0;  // of all calls, those that were not timed counted as the thread's timed ones took in the mean
  void add(const CommandStats& s) {
    calls += s.calls.get(), rejected += s.rejected.get(), failed += s.failed.get();
    if (int64_t timed = s.timed.get())
      nanoseconds += static_cast<double>(s.nanoseconds.get()) * static_cast<double>(s.calls.get()) / static_cast<double>(timed);
  }
};

}  // namespace ringwood
