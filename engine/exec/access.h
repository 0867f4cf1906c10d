#pragma once
// The access word of an entry (Entry::access): with an LRU policy the time of the last access, with an LFU policy 16 bits of minutes and a logarithmic
// counter of 8 bits. The minutes and the counter are Redis's (evict.c), and so is the range of the LRU clock, 194 days, after which it wraps around; but where
// Redis counts seconds this clock counts eighths of them.
//
// Where keys stay for some seconds only, as in a cache that is small for what goes through it, the best samples cannot tell by a clock of seconds which of
// them was used last (docs/performance.md, "Hit rates beside redis-server").
#include "engine/base/options.h"
#include "engine/base/random.h"

namespace ringwood::access {

constexpr int64_t kTicksASecond = 8, kTickMs = 1000 / kTicksASecond;
constexpr uint32_t kClockMax = (1u << 27) - 1;
constexpr uint32_t kLfuStart = 5;  // counter of a new key, so that it is not the next to be evicted

inline bool is_lfu(MaxmemoryPolicy p) { return p == MaxmemoryPolicy::kAllkeysLfu || p == MaxmemoryPolicy::kVolatileLfu; }

inline uint32_t lru_clock(int64_t now_ms) { return static_cast<uint32_t>(now_ms / kTickMs) & kClockMax; }
// What Redis's clock would say when this one says that.
inline uint32_t seconds_of(uint32_t clock) { return clock / static_cast<uint32_t>(kTicksASecond); }
inline uint32_t lfu_minutes(int64_t now_ms) { return static_cast<uint32_t>(now_ms / 60000) & 0xffffu; }

// The word of a new entry; a shard keeps it in access_now.
inline uint32_t fresh(MaxmemoryPolicy p, int64_t now_ms) { return is_lfu(p) ? lfu_minutes(now_ms) << 8 | kLfuStart : lru_clock(now_ms); }

// Ticks since the last access, by an LRU word.
inline int64_t idle_ticks(uint32_t word, uint32_t clock) { return clock >= word ? clock - word : clock + (kClockMax - word); }
// Seconds since then as Redis counts them: how often the clock's second has changed.
inline int64_t idle_seconds(uint32_t word, uint32_t clock) {
  const int64_t now = seconds_of(clock), then = seconds_of(word);
  return now >= then ? now - then : now + (seconds_of(kClockMax) - then);
}

// The LFU counter after the decay that has become due since the word was written.
uint32_t lfu_counter(uint32_t word, int64_t now_ms, int decay_minutes);
// The LFU word after one more access: decayed, then counted up with a probability that falls as the counter rises.
uint32_t lfu_touched(uint32_t word, int64_t now_ms, int decay_minutes, int log_factor, Random& random);

}  // namespace ringwood::access
