#include "engine/exec/eviction_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

TEST(EvictionPool, KeepsTheBestOfAllItWasGivenInOrder) {
  Seeded s;
  for (int round = 0; round < 50; round++) {
    EvictionPool pool;
    std::map<uint64_t, uint64_t> model;  // by hash, the score given last
    std::vector<uint64_t> scores;
    for (uint64_t i = 0; i < 200; i++) {
      EvictionPool::Candidate c{s.below(1000), i, 5, 0};
      scores.push_back(c.score);
      if (pool.wants(c.score)) pool.add(c);
    }
    std::sort(scores.rbegin(), scores.rend());
    for (size_t i = 0; i < EvictionPool::kSize; i++) {
      ASSERT_FALSE(pool.empty());
      ASSERT_EQ(pool.take_best().score, scores[i]);
    }
    ASSERT_TRUE(pool.empty());
  }
}

TEST(EvictionPool, HoldsAKeyOnceWithItsLastScore) {
  EvictionPool pool;
  for (uint64_t score : {5, 9, 1, 7}) pool.add({score, 42, 3, 0});
  pool.add({6, 43, 3, 0});
  pool.add({2, 42, 3, 1});  // another database's
  EXPECT_EQ(pool.take_best().score, 7u);
  EXPECT_EQ(pool.take_best().score, 6u);
  EXPECT_EQ(pool.take_best().score, 2u);
  EXPECT_TRUE(pool.empty());
}

TEST(EvictionScore, PrefersWhatWasUsedLongestAgo) {
  EvictionScore score{MaxmemoryPolicy::kAllkeysLru, 1'700'000'000'000, 1};
  auto of = [&](int64_t accessed_ms) {
    Entry* e = Entry::make_int("k", 1, false);
    e->set_access(access::lru_clock(accessed_ms));
    uint64_t v = score.of(*e);
    Entry::destroy(e);
    return v;
  };
  EXPECT_GT(of(score.now_ms - 9000), of(score.now_ms - 5000));
  EXPECT_GT(of(score.now_ms - 5000), of(score.now_ms));
  uint64_t before = of(1'700'000'000'000 - 5000);
  score.now_ms += 100'000;  // time alone changes nothing
  EXPECT_EQ(of(1'700'000'000'000 - 5000), before);
}

TEST(EvictionScore, PrefersWhatIsUsedRarelyAndAmongEqualsTheOlder) {
  EvictionScore score{MaxmemoryPolicy::kAllkeysLfu, 1'700'000'000'000, 0};
  auto of = [&](uint32_t counter, int64_t accessed_ms) {
    Entry* e = Entry::make_int("k", 1, false);
    e->set_access(access::lfu_minutes(accessed_ms) << 8 | counter);
    uint64_t v = score.of(*e);
    Entry::destroy(e);
    return v;
  };
  EXPECT_GT(of(5, score.now_ms), of(6, score.now_ms - 600'000));
  EXPECT_GT(of(5, score.now_ms - 600'000), of(5, score.now_ms));
}

}  // namespace
}  // namespace ringwood
