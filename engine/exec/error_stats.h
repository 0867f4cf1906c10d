#pragma once
// How many error replies of each code ("ERR", "WRONGTYPE") a thread has given: INFO's errorstats. Counted by one thread, read by any.
#include <atomic>
#include <cstring>

#include "engine/base/bytes.h"
#include "engine/exec/stats.h"

namespace ringwood {

class ErrorStats {
 public:
  static constexpr size_t kCodes = 128;  // scripts and modules can make up codes: those beyond are counted in total_error_replies alone

  void count(Bytes code) {
    size_t n = used_.load(std::memory_order_relaxed);
    for (size_t i = 0; i < n; i++)
      if (places_[i].code() == code) return places_[i].count.add();
    if (n == kCodes || code.size() > sizeof places_[0].text) return;
    Place& p = places_[n];
    std::memcpy(p.text, code.data(), code.size());
    p.size = static_cast<uint8_t>(code.size());
    p.count.set(1);
    used_.store(n + 1, std::memory_order_release);
  }
  // f(Bytes code, int64_t count)
  template <class F>
  void for_each(F&& f) const {
    size_t n = used_.load(std::memory_order_acquire);
    for (size_t i = 0; i < n; i++) f(places_[i].code(), places_[i].count.get());
  }
  // While neither the owner nor a reader is at work: under a lease of all shards.
  void reset() { used_.store(0, std::memory_order_release); }

 private:
  struct Place {
    char text[31];
    uint8_t size = 0;
    Counter count;
    Bytes code() const { return {text, size}; }
  };
  Place places_[kCodes];
  std::atomic<size_t> used_{0};
};

}  // namespace ringwood
