#include "persist/access_word.h"

#include <gtest/gtest.h>

namespace ringwood {
namespace {

TEST(AccessRule, TurnsAgesIntoWordsAndBack) {
  AccessRule lru{AccessRule::Policy::kLru, 1000, 1};
  EXPECT_EQ(900u, lru.word(100, -1));
  EXPECT_EQ(1000u, lru.word(-1, 7));
  EXPECT_EQ(100, lru.idle_seconds(900));
  // The clock has turned over since.
  EXPECT_EQ(1000 + 5, lru.idle_seconds(AccessRule::kClockMax - 5));
  // Older than the clock can say: as old as it can.
  EXPECT_EQ(1000 + AccessRule::kClockMax / 2, lru.word(5000, -1));
}

TEST(AccessRule, DecaysCounters) {
  AccessRule lfu{AccessRule::Policy::kLfu, (50u << 8) | 5, 10};
  EXPECT_EQ((50u << 8) | 200u, lfu.word(-1, 200));
  EXPECT_EQ(lfu.fresh, lfu.word(100, -1));
  EXPECT_EQ(20, lfu.frequency((50u << 8) | 20));
  EXPECT_EQ(18, lfu.frequency((30u << 8) | 20));
  EXPECT_EQ(0, lfu.frequency((0u << 8) | 3));
  lfu.decay_minutes = 0;
  EXPECT_EQ(3, lfu.frequency((0u << 8) | 3));
}

}  // namespace
}  // namespace ringwood
