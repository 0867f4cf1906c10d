#pragma once
// How often something took how long: counters in a log-linear scale, 128 to each doubling, so that a time is told within 1/128 of itself (two significant
// digits, the classes of Redis's HDR histograms). Written by one thread, read by any. A doubling's counters are made when the first time falls there:
// a command needs some 6 KiB a thread.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/exec/stats.h"

namespace ringwood {

class Histogram {
 public:
  static constexpr unsigned kHalf = 128;                      // counters of a doubling
  static constexpr size_t kOctaves = 42;                      // the first is linear
  static constexpr uint64_t kMost = (uint64_t{1} << 48) - 1;  // of nanoseconds: three days

  Histogram() = default;
  ~Histogram() {
    for (auto& o : octaves_) delete o.load(std::memory_order_relaxed);
  }
  Histogram(const Histogram&) = delete;

  void record(uint64_t value, int64_t n = 1) {
    value = std::min(std::max<uint64_t>(value, 1), kMost);
    size_t i = index_of(value);
    Octave* o = octaves_[i / kHalf].load(std::memory_order_relaxed);
    if (__builtin_expect(o == nullptr, 0)) o = make(i / kHalf);
    (*o)[i % kHalf].add(n);
  }
  static size_t index_of(uint64_t value) {
    int shift = 56 - __builtin_clzll(value | 255);
    return static_cast<size_t>(shift) * kHalf + (value >> shift);
  }
  // The last value that is counted in place `i`.
  static uint64_t highest_of(size_t i) {
    size_t shift = i < 2 * kHalf ? 0 : i / kHalf - 1;
    return ((i - shift * kHalf + 1) << shift) - 1;
  }

 private:
  friend class HistogramSum;
  using Octave = std::array<Counter, kHalf>;
  Octave* make(size_t i);
  std::array<std::atomic<Octave*>, kOctaves> octaves_{};
};

// A histogram that is made when it is first needed.
class LazyHistogram {
 public:
  LazyHistogram() = default;
  ~LazyHistogram() { reset(); }
  LazyHistogram(const LazyHistogram&) = delete;
  void record(uint64_t value, int64_t n = 1) {
    Histogram* h = made_.load(std::memory_order_relaxed);
    if (__builtin_expect(h == nullptr, 0)) h = make();
    h->record(value, n);
  }
  const Histogram* get() const { return made_.load(std::memory_order_acquire); }
  // While neither the writer nor a reader is at work: under a lease of all shards.
  void reset() {
    delete made_.load(std::memory_order_relaxed);
    made_.store(nullptr, std::memory_order_relaxed);
  }

 private:
  Histogram* make();
  std::atomic<Histogram*> made_{nullptr};
};

// The sum of several, for those who ask.
class HistogramSum {
 public:
  void add(const Histogram* h);
  int64_t count() const { return count_; }
  // The value below or at which `percent` of all lie, as the last value of its place.
  uint64_t percentile(double percent) const;
  // f(last value, how many are not above it), at 1024 and each doubling of it where that has become more, until all are told of (Redis: hdr_iter_log_init).
  template <class F>
  void for_each_doubling(F&& f) const {
    int64_t sum = 0, told = 0;
    size_t i = 0;
    for (uint64_t level = 1024; told < count_ && level <= Histogram::kMost; level *= 2) {
      size_t last = Histogram::index_of(level);
      for (; i <= last && i < counts_.size(); i++) sum += counts_[i];
      if (sum > told) f(Histogram::highest_of(last), sum);
      told = sum;
    }
  }

 private:
  std::vector<int64_t> counts_;  // empty, or of all places
  int64_t count_ = 0;
};

}  // namespace ringwood
