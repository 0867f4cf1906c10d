#pragma once
// LATENCY: what has taken longer than latency-monitor-threshold, by kind of event, one sample a second at most, the last 160 of each (Redis: latency.c).
// Of all threads, behind a lock: samples are rare.
#include <array>
#include <map>
#include <mutex>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

struct IoRequest;

struct LatencySample {
  int64_t unix_s, ms;
};

class LatencyEvents {
 public:
  struct Series {
    int64_t highest_ms = 0;              // since the last reset
    std::vector<LatencySample> samples;  // oldest first
  };

  void add(const char* event, int64_t ms, int64_t now_s);
  // A file operation that took so long, under the names that it has here (IoRequest::event, event_class).
  void add(const IoRequest& operation, int64_t ms, int64_t now_s);
  // The number of kinds that have been forgotten; without a name, all. Names in any case.
  int reset(Bytes event);
  int reset();
  // A copy of what has been noted, in the order of the names.
  std::map<OwnedBytes, Series> all() const;

 private:
  static constexpr size_t kSamples = 160;
  mutable std::mutex mutex_;
  std::map<OwnedBytes, Series> series_;
};

}  // namespace ringwood
