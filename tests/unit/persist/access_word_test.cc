#include "persist/access_word.h"

#include <gtest/gtest.h>

namespace ringwood {
namespace {

TEST(AccessRule, TurnsAgesIntoWordsAndBack) {
  AccessRule lru{MaxmemoryPolicy::kAllkeysLru, 1000 * 1000, 1};
  EXPECT_EQ(8 * 900u, lru.word(100, -1));
  EXPECT_EQ(8 * 1000u, lru.word(-1, 7));
  EXPECT_EQ(0u, lru.word(1000, -1));
  EXPECT_EQ(100, lru.idle_seconds(8 * 900));
  EXPECT_EQ(-1, lru.frequency(8 * 900));
  // The clock has turned over since.
  EXPECT_EQ(1000 + 5, lru.idle_seconds(access::kClockMax - 8 * 5));
  // Older than the clock can say: as old as it can.
  EXPECT_EQ(8 * 1000 + access::kClockMax / 2, lru.word(5000, -1));
  EXPECT_EQ(8 * 1000 + access::kClockMax / 2, lru.word(1001, -1));
}

TEST(AccessRule, TurnsCountersIntoWordsAndBack) {
  AccessRule lfu{MaxmemoryPolicy::kVolatileLfu, 50 * 60000, 10};
  EXPECT_EQ((50u << 8) | 200u, lfu.word(-1, 200));
  EXPECT_EQ((50u << 8) | access::kLfuStart, lfu.word(100, -1));
  EXPECT_EQ(20, lfu.frequency((50u << 8) | 20));
  EXPECT_EQ(18, lfu.frequency((30u << 8) | 20));
  EXPECT_EQ(-1, lfu.idle_seconds(7));
}

TEST(AccessRule, SaysNothingUnderOtherPolicies) {
  AccessRule none{MaxmemoryPolicy::kNoeviction, 1000 * 1000, 1};
  EXPECT_EQ(-1, none.idle_seconds(5));
  EXPECT_EQ(-1, none.frequency(5));
  EXPECT_EQ(8 * 900u, none.word(100, -1));
}

}  // namespace
}  // namespace ringwood
