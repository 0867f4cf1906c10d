#include "engine/base/clock.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace ringwood {
namespace {

bool has_steady_counter() {
#if defined(__x86_64__)
  unsigned a, b, c, d;
  return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8));  // "invariant TSC": Intel SDM, volume 3, 18.17.1
#elif defined(__aarch64__)
  return true;  // the generic timer's virtual count
#else
  return false;
#endif
}

TickScale measure(const SystemClock& clock) {
  constexpr int64_t kFor = 2000000;  // nanoseconds: what reading both at the ends takes is some 50, or 25 parts in a million
  if (!has_steady_counter()) return {};
  int64_t from = clock.monotonic_ns(), to;
  uint64_t first = Stopwatch::counter(), last;
  do {
    to = clock.monotonic_ns();
    last = Stopwatch::counter();
  } while (to - from < kFor);
  if (last <= first) return {};
  __extension__ using Wide = unsigned __int128;
  auto scaled = (static_cast<Wide>(to - from) << 32) / (last - first);
  return {true, static_cast<uint64_t>(scaled)};
}

}  // namespace

TickScale SystemClock::tick_scale() const {
  static const TickScale scale = measure(*this);
  return scale;
}

}  // namespace ringwood
