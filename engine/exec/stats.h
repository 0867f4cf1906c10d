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
  Counter
      eviction_exceeded_us;  // time that the thread has found the memory above maxmemory in spite of eviction, the present spell not counted
  Counter eviction_exceeded_since_us;  // unix time at which that began, 0 when it is not so
  Counter dirty;                       // changes since the last save began
  Counter commands_processed;
  Counter total_error_replies;
  Counter unexpected_error_replies;  // those to a master, a replica or a file
  Counter leases, remote_commands;
  Counter batch_bytes;    // of batches that wait to be used again: buffers of clients' commands and replies
  Counter migrate_links;  // open now, to servers that MIGRATE has moved keys to
};

}  // namespace ringwood
