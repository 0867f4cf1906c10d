#pragma once
// What RDB files and RESTORE say of an entry's access word (engine/exec/access.h): seconds without access under an LRU policy, a counter under an LFU one.
#include <cstdint>

#include "engine/base/options.h"
#include "engine/exec/access.h"

namespace ringwood {

struct AccessRule {
  MaxmemoryPolicy policy = MaxmemoryPolicy::kNoeviction;
  int64_t now_ms = 0;     // unix time
  int decay_minutes = 1;  // lfu-decay-time

  static AccessRule of(const Options& o, int64_t now_ms) { return {o.maxmemory_policy, now_ms, static_cast<int>(o.lfu_decay_time)}; }

  bool lfu() const { return access::is_lfu(policy); }
  bool lru() const { return policy == MaxmemoryPolicy::kAllkeysLru || policy == MaxmemoryPolicy::kVolatileLru; }

  // The word of an entry with this age (-1: not known) or counter (-1: not known).
  uint32_t word(int64_t idle_seconds, int frequency) const {
    uint32_t fresh = access::fresh(policy, now_ms);
    if (lfu()) return frequency >= 0 ? (fresh & 0xffff00) | static_cast<uint32_t>(frequency) : fresh;
    if (idle_seconds < 0) return fresh;
    // What is older than the clock can say looks as old as it can: half a turn away.
    if (idle_seconds > fresh / access::kTicksASecond) return (fresh + access::kClockMax / 2) % access::kClockMax;
    return fresh - static_cast<uint32_t>(idle_seconds * access::kTicksASecond);
  }
  // What a file says of an entry: -1 where the policy has no use for it.
  int64_t idle_seconds(uint32_t word) const { return lru() ? access::idle_seconds(word, access::lru_clock(now_ms)) : -1; }
  int frequency(uint32_t word) const { return lfu() ? static_cast<int>(access::lfu_counter(word, now_ms, decay_minutes)) : -1; }
};

}  // namespace ringwood
