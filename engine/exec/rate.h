#pragma once
// How fast a counter grows, as INFO's instantaneous_* fields tell it: the mean of the last 16 samples, each over at least 100 ms (Redis: server.c,
// trackInstantaneousMetric). Written by one thread, read by any.
#include <algorithm>
#include <atomic>
#include <cstdint>

namespace ringwood {

class Rate {
 public:
  static constexpr int64_t kEveryUs = 100000;

  bool due(int64_t now_us) const { return now_us - sampled_us_ >= kEveryUs || now_us < sampled_us_; }
  // CONFIG RESETSTAT, from any thread: what has been measured is forgotten with the next sample.
  void restart() { restarts_.store(true, std::memory_order_relaxed); }
  void sample(int64_t value, int64_t now_us) {
    if (__builtin_expect(restarts_.load(std::memory_order_relaxed), 0)) {
      restarts_.store(false, std::memory_order_relaxed);
      std::fill(samples_, samples_ + kSamples, 0.0);
      sum_ = 0;
      sampled_us_ = 0;
      per_second_.store(0, std::memory_order_relaxed);
    }
    if (sampled_us_ && now_us > sampled_us_) {
      double rate = static_cast<double>(value - last_) * 1e6 / static_cast<double>(now_us - sampled_us_);
      // A thread that slept took no samples meanwhile: one that is late stands for all that were due.
      int64_t missed = (now_us - sampled_us_) / kEveryUs;
      for (int64_t n = std::clamp<int64_t>(missed, 1, kSamples); n; n--) {
        sum_ += rate - samples_[at_];
        samples_[at_] = rate;
        at_ = (at_ + 1) % kSamples;
      }
      per_second_.store(sum_ > 0 ? sum_ / kSamples : 0, std::memory_order_relaxed);
    }
    last_ = value;
    sampled_us_ = now_us;
  }
  double per_second() const { return per_second_.load(std::memory_order_relaxed); }

 private:
  static constexpr int kSamples = 16;
  double samples_[kSamples] = {};
  double sum_ = 0;
  int at_ = 0;
  int64_t last_ = 0, sampled_us_ = 0;
  std::atomic<double> per_second_{0};
  std::atomic<bool> restarts_{false};
};

}  // namespace ringwood
