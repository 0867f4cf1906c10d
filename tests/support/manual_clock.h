#pragma once
// A clock that stands still until the test moves it.
#include "engine/base/clock.h"

namespace ringwood {

class ManualClock final : public Clock {
 public:
  int64_t monotonic_us() const override { return monotonic_us_; }
  int64_t unix_us() const override { return unix_us_; }
  void advance_us(int64_t us) {
    monotonic_us_ += us;
    unix_us_ += us;
  }
  void advance_ms(int64_t ms) { advance_us(ms * 1000); }
  // As if somebody set the system's clock: the monotonic one does not notice.
  void set_unix_ms(int64_t ms) { unix_us_ = ms * 1000; }

 private:
  int64_t monotonic_us_ = 1000000;
  int64_t unix_us_ = int64_t{1700000000} * 1000000;
};

}  // namespace ringwood
