#pragma once
// What the server notes of its own work, for those who operate it; one for all threads.
#include <optional>

#include "engine/base/process.h"
#include "engine/exec/hot_keys.h"
#include "engine/exec/latency_events.h"
#include "engine/exec/rate.h"
#include "engine/exec/slow_log.h"

namespace ringwood {

// Changed and read while every shard is held.
struct HotKeysSession {
  bool started = false;
  HotKeysRequest request;
  process::CpuTime cpu_at_start{};
  std::optional<process::CpuTime> cpu_at_end;
};

struct Records {
  SlowLog slow_log;
  LatencyEvents latency;
  HotKeysSession hot_keys;
  Rate turns, turn_ns;  // a second, of all threads; the first thread's
};

}  // namespace ringwood
