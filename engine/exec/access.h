#pragma once
// The 24-bit access word of an entry, as Redis keeps it (evict.c): with an LRU policy the seconds of a clock that wraps around after 194 days,
// with an LFU policy 16 bits of minutes and a logarithmic counter of 8 bits.
#include "engine/base/options.h"
#include "engine/base/random.h"

namespace ringwood::access {

constexpr uint32_t kClockMax = (1u << 24) - 1;
constexpr uint32_t kLfuStart = 5;  // counter of a new key, so that it is not the next to be evicted

inline bool is_lfu(MaxmemoryPolicy p) { return p == MaxmemoryPolicy::kAllkeysLfu || p == MaxmemoryPolicy::kVolatileLfu; }

inline uint32_t lru_clock(int64_t now_ms) { return static_cast<uint32_t>(now_ms / 1000) & kClockMax; }
inline uint32_t lfu_minutes(int64_t now_ms) { return static_cast<uint32_t>(now_ms / 60000) & 0xffffu; }

// The word of a new entry; a shard keeps it in access_now.
inline uint32_t fresh(MaxmemoryPolicy p, int64_t now_ms) { return is_lfu(p) ? lfu_minutes(now_ms) << 8 | kLfuStart : lru_clock(now_ms); }

// Milliseconds since the last access, by an LRU word.
inline int64_t idle_ms(uint32_t word, uint32_t clock) {
  return (clock >= word ? clock - word : clock + (kClockMax - word)) * int64_t{1000};
}

// The LFU counter after the decay that has become due since the word was written.
uint32_t lfu_counter(uint32_t word, int64_t now_ms, int decay_minutes);
// The LFU word after one more access: decayed, then counted up with a probability that falls as the counter rises.
uint32_t lfu_touched(uint32_t word, int64_t now_ms, int decay_minutes, int log_factor, Random& random);

}  // namespace ringwood::access
