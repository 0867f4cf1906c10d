#pragma once
// A number with one writer that other threads may read at any moment: the writer's plain arithmetic, without the cost of an atomic read-modify-write.
// A reader sees some recent value; it orders nothing.
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ringwood {

class Gauge {
 public:
  operator size_t() const { return v_.load(std::memory_order_relaxed); }
  Gauge& operator=(size_t v) {
    v_.store(v, std::memory_order_relaxed);
    return *this;
  }
  void operator+=(size_t v) { *this = *this + v; }
  void operator-=(size_t v) { *this = *this - v; }
  void operator++(int) { *this += 1; }
  void operator--(int) { *this -= 1; }

 private:
  std::atomic<size_t> v_{0};
};

}  // namespace ringwood
