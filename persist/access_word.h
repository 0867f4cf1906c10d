#pragma once
// The 24 bits of age or frequency that every entry carries, to and from what RDB files and RESTORE say: seconds without access (LRU), or a counter (LFU).
#include <algorithm>
#include <cstdint>

namespace ringwood {

struct AccessRule {
  enum class Policy : uint8_t { kNone, kLru, kLfu };  // by maxmemory-policy; files carry the age only under one that uses it
  Policy policy = Policy::kNone;
  uint32_t fresh = 0;      // the access word of an entry touched now
  int decay_minutes = 1;   // lfu-decay-time; 0: counters never decay

  static constexpr uint32_t kClockMax = (1u << 24) - 1;

  // The word of an entry with this age (-1: not known) or counter (-1: not known).
  uint32_t word(int64_t idle_seconds, int frequency) const {
    if (policy == Policy::kLfu) return frequency >= 0 ? (fresh & 0xffff00) | static_cast<uint32_t>(frequency) : fresh;
    if (idle_seconds < 0) return fresh;
    // What is older than the clock's whole range looks as old as it can: half a turn away.
    int64_t at = static_cast<int64_t>(fresh) - idle_seconds;
    return at >= 0 ? static_cast<uint32_t>(at) : (fresh + kClockMax / 2) % kClockMax;
  }
  int64_t idle_seconds(uint32_t word) const {
    return fresh >= word ? fresh - word : fresh + (kClockMax - word);
  }
  // The counter after the decay that is due by now.
  int frequency(uint32_t word) const {
    uint32_t minutes = fresh >> 8, last = word >> 8;
    uint32_t passed = minutes >= last ? minutes - last : 65535 - last + minutes;
    int counter = static_cast<int>(word & 255);
    if (decay_minutes <= 0) return counter;
    return std::max(0, counter - static_cast<int>(passed / static_cast<uint32_t>(decay_minutes)));
  }
};

}  // namespace ringwood
