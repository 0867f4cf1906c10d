#pragma once
// The only door to time. Read once a turn by the loop and handed on as a number; nothing below the loop asks a clock.
#include <cstdint>
#include <ctime>

namespace ringwood {

class Clock {
 public:
  // Microseconds since some fixed moment; never goes back. For durations, timeouts and budgets.
  virtual int64_t monotonic_us() const = 0;
  // The same moment in nanoseconds, for measuring what is shorter than a microsecond.
  virtual int64_t monotonic_ns() const { return monotonic_us() * 1000; }
  // Microseconds since 1970 UTC; may jump when the system's clock is set. For expiry times, stream IDs and what clients are told.
  virtual int64_t unix_us() const = 0;
  int64_t unix_ms() const { return unix_us() / 1000; }

 protected:
  ~Clock() = default;
};

class SystemClock final : public Clock {
 public:
  int64_t monotonic_us() const override { return read(CLOCK_MONOTONIC); }
  int64_t monotonic_ns() const override {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * int64_t{1000000000} + t.tv_nsec;
  }
  int64_t unix_us() const override { return read(CLOCK_REALTIME); }

 private:
  static int64_t read(clockid_t id) {
    timespec t;
    clock_gettime(id, &t);
    return t.tv_sec * int64_t{1000000} + t.tv_nsec / 1000;
  }
};

}  // namespace ringwood
