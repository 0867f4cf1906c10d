#include "engine/base/clock.h"

#include <gtest/gtest.h>

#include "tests/support/manual_clock.h"

namespace ringwood {

TEST(SystemClock, AgreesWithTheLibraryAndNeverGoesBack) {
  SystemClock clock;
  int64_t before = static_cast<int64_t>(std::time(nullptr));
  EXPECT_GE(clock.unix_us() / 1000000, before);
  EXPECT_LE(clock.unix_ms() / 1000, static_cast<int64_t>(std::time(nullptr)) + 1);
  int64_t last = clock.monotonic_us();
  for (int i = 0; i < 1000; i++) {
    int64_t now = clock.monotonic_us();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(ManualClock, MovesOnlyWhenTold) {
  ManualClock manual;
  const Clock& clock = manual;
  int64_t wall = clock.unix_ms(), steady = clock.monotonic_us();
  manual.advance_ms(5);
  EXPECT_EQ(clock.unix_ms(), wall + 5);
  EXPECT_EQ(clock.monotonic_us(), steady + 5000);
  manual.set_unix_ms(12);
  EXPECT_EQ(clock.unix_ms(), 12);
  EXPECT_EQ(clock.monotonic_us(), steady + 5000);
}

TEST(Stopwatch, RunsAsTheClockDoes) {
  SystemClock clock;
  Stopwatch watch(clock);
  int64_t from = clock.monotonic_ns();
  uint64_t first = watch.now();
  while (clock.monotonic_ns() - from < 20000000) {
  }
  int64_t clock_ns = clock.monotonic_ns() - from, watch_ns = watch.ns(first, watch.now());
  EXPECT_NEAR(static_cast<double>(watch_ns), static_cast<double>(clock_ns), 1000000);
  EXPECT_EQ(watch.ns(first, first - 1), 0);
}

TEST(Stopwatch, FollowsAClockWithoutACounter) {
  ManualClock manual;
  Stopwatch watch(manual);
  uint64_t first = watch.now();
  manual.advance_us(7);
  EXPECT_EQ(watch.ns(first, watch.now()), 7000);
}

}  // namespace ringwood
