#pragma once
// How large the values of a shard are, by database and type, in powers of two: INFO's keysizes section. Nothing is kept up with writes, which would cost every
// one of them: whoever asks gets the figures of the last walk through the keys, and has the next one begin, a portion a turn in the background phase.
#include <array>
#include <atomic>
#include <mutex>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

class Entry;
class Shard;

class KeySizes {
 public:
  // Bin 0 has what is empty, bin n the sizes from 2^(n-1) on. Strings count bytes, the others elements; streams are not counted.
  static constexpr size_t kBins = 65;
  static constexpr size_t kTypes = 5;
  using Histogram = std::array<uint64_t, kBins>;
  struct Figures {
    int64_t ended_ms = -1;                                     // unix time at which the walk ended; -1: there was none yet
    std::vector<std::array<Histogram, kTypes>> by_database{};  // by Database::number() and Type
  };

  // From any thread.
  Figures last() const {
    std::lock_guard lock(mutex_);
    return last_;
  }
  // From any thread, which then wakes the shard's: a new walk, unless one is under way or the last one is so recent that walks would take more than a tenth of
  // the time.
  void ask(int64_t now_ms) {
    if (now_ms >= rest_until_ms_.load(std::memory_order_relaxed)) wanted_.store(true, std::memory_order_relaxed);
  }
  bool wanted() const { return wanted_.load(std::memory_order_relaxed); }
  // On the shard's thread, while it is not lent: a portion. True when there is more.
  bool step(Shard& shard, int64_t now_ms);

  static size_t bin_of(uint64_t size) { return size ? 64u - static_cast<unsigned>(__builtin_clzll(size)) : 0; }
  // The smallest size of a bin as INFO tells it: "0", "1", "512", "1K", "2M".
  static OwnedBytes label(size_t bin);

 private:
  static constexpr size_t kEntriesAStep = 500;
  static constexpr int64_t kRestMs = 1000;
  void count(const Entry& e);

  std::atomic<bool> wanted_{false};
  std::atomic<int64_t> rest_until_ms_{0};
  mutable std::mutex mutex_;  // for last_
  Figures last_;
  Figures next_;
  // The walk's place.
  bool walking_ = false;
  int64_t began_ms_ = 0;
  int database_ = 0;
  int slot_ = 0;
  uint64_t cursor_ = 0;
};

}  // namespace ringwood
