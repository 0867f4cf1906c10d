#pragma once
// The only door to time. Read once a turn by the loop and handed on as a number; nothing below the loop asks a clock.
#include <algorithm>
#include <cstdint>
#include <ctime>

namespace ringwood {

// How the processor's counter is to be read as time; without `counter` a tick is a nanosecond of Clock::monotonic_ns.
struct TickScale {
  bool counter = false;
  uint64_t ns_a_tick = uint64_t{1} << 32;  // in units of 2^-32
};

class Clock {
 public:
  // Microseconds since some fixed moment; never goes back. For durations, timeouts and budgets.
  virtual int64_t monotonic_us() const = 0;
  // The same moment in nanoseconds, for measuring what is shorter than a microsecond.
  virtual int64_t monotonic_ns() const { return monotonic_us() * 1000; }
  // Microseconds since 1970 UTC; may jump when the system's clock is set. For expiry times, stream IDs and what clients are told.
  virtual int64_t unix_us() const = 0;
  int64_t unix_ms() const { return unix_us() / 1000; }
  // A counter of the processor that runs as this clock does, where there is one that all cores share and that never changes its speed.
  virtual TickScale tick_scale() const { return {}; }

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
  // Measured once, against monotonic_ns, for two milliseconds at the first call.
  TickScale tick_scale() const override;

 private:
  static int64_t read(clockid_t id) {
    timespec t;
    clock_gettime(id, &t);
    return t.tv_sec * int64_t{1000000} + t.tv_nsec / 1000;
  }
};

// The same door for what is measured with every command: one instruction where the processor has the counter, the clock where it has not.
class Stopwatch {
 public:
  explicit Stopwatch(const Clock& clock) : clock_(clock), scale_(clock.tick_scale()) {}
  uint64_t now() const {
    if (__builtin_expect(!scale_.counter, 0)) return static_cast<uint64_t>(clock_.monotonic_ns());
    return counter();
  }
  // From one moment to another, in nanoseconds; 0 where they are in the wrong order, as two cores' counters may be by a few ticks.
  int64_t ns(uint64_t from, uint64_t to) const {
    auto ticks = static_cast<uint64_t>(std::max<int64_t>(static_cast<int64_t>(to - from), 0));
    __extension__ using Wide = unsigned __int128;
    return static_cast<int64_t>((static_cast<Wide>(ticks) * scale_.ns_a_tick) >> 32);
  }
  static uint64_t counter() {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t v;
    asm volatile("mrs %0, cntvct_el0" : "=r"(v));
    return v;
#else
    return 0;
#endif
  }

 private:
  const Clock& clock_;
  TickScale scale_;
};

}  // namespace ringwood
