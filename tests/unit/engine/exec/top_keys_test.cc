#include "engine/exec/top_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/support/seed.h"

namespace ringwood {

TEST(TopKeys, SumsAreExactWhileAllKeysHaveAPlace) {
  Seeded random;
  TopKeys t(100);
  std::map<OwnedBytes, uint64_t> plain;
  for (int i = 0; i < 10000; i++) {
    OwnedBytes key = "k" + std::to_string(random.below(100));
    uint64_t weight = random.below(50);
    t.add(key, weight);
    plain[key] += weight;
  }
  ASSERT_EQ(t.places().size(), plain.size());
  for (const TopKeys::Place& p : t.places()) {
    EXPECT_EQ(p.sum, plain[p.key]);
    EXPECT_EQ(p.inherited, 0u);
  }
}

TEST(TopKeys, HeavyKeysAreFoundAmongManyAndBoundsHold) {
  Seeded random;
  TopKeys t(64);
  std::map<OwnedBytes, uint64_t> plain;
  for (int i = 0; i < 50000; i++) {
    // Five heavy keys get half of everything.
    OwnedBytes key = random.chance(50) ? "heavy" + std::to_string(random.below(5)) : "light" + std::to_string(random.below(20000));
    t.add(key, 10);
    plain[key] += 10;
  }
  EXPECT_EQ(t.places().size(), 64u);
  int heavy = 0;
  for (const TopKeys::Place& p : t.places()) {
    EXPECT_GE(p.sum, plain[p.key]);
    EXPECT_LE(p.sum - p.inherited, plain[p.key]);
    heavy += p.key.starts_with("heavy");
  }
  EXPECT_EQ(heavy, 5);
}

TEST(TopKeys, LongKeysAreLeftOut) {
  TopKeys t(4);
  t.add(OwnedBytes(TopKeys::kLongestKey + 1, 'x'), 1);
  EXPECT_TRUE(t.places().empty());
  t.add(OwnedBytes(TopKeys::kLongestKey, 'x'), 1);
  EXPECT_EQ(t.places().size(), 1u);
}

}  // namespace ringwood
