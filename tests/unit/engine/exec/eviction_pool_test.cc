#include "engine/exec/eviction_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

// Of an entry with that access word.
uint64_t score_of(const EvictionScore& score, uint32_t access) {
  Entry* e = Entry::make_int("k", 1, false);
  e->set_access(access);
  uint64_t v = score.of(*e);
  Entry::destroy(e);
  return v;
}

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
  auto of = [&](int64_t accessed_ms) { return score_of(score, access::lru_clock(accessed_ms)); };
  EXPECT_GT(of(score.now_ms - 9000), of(score.now_ms - 5000));
  EXPECT_GT(of(score.now_ms - 5000), of(score.now_ms));
  uint64_t before = of(1'700'000'000'000 - 5000);
  score.now_ms += 100'000;  // time alone changes nothing
  EXPECT_EQ(of(1'700'000'000'000 - 5000), before);
}

// Where keys stay for a second or two, which one goes must not be left to chance (docs/performance.md, "Hit rates beside redis-server").
TEST(EvictionScore, TellsAccessesWithinASecondApart) {
  EvictionScore score{MaxmemoryPolicy::kAllkeysLru, 1'700'000'000'999, 1};
  auto of = [&](int64_t accessed_ms) { return score_of(score, access::lru_clock(accessed_ms)); };
  for (int64_t ms = 1'700'000'000'000; ms + 125 <= score.now_ms; ms += 125) EXPECT_GT(of(ms), of(ms + 125)) << ms;
  EXPECT_GT(of(1'699'999'999'999), of(1'700'000'000'000));
}

TEST(AccessClock, CountsSecondsAsRedis) {
  const auto idle = [](int64_t then_ms, int64_t now_ms) {
    return access::idle_seconds(access::lru_clock(then_ms), access::lru_clock(now_ms));
  };
  EXPECT_EQ(idle(1000, 1999), 0);
  EXPECT_EQ(idle(1999, 2000), 1) << "the second has changed";
  EXPECT_EQ(idle(1000, 61'500), 60);
  const int64_t turn = int64_t{1} << 24;  // of the clock, in seconds
  EXPECT_EQ(access::seconds_of(access::lru_clock((turn - 1) * 1000)), (1u << 24) - 1);
  EXPECT_EQ(access::lru_clock(turn * 1000), 0u);
  EXPECT_EQ(idle((turn - 5) * 1000, (turn + 10) * 1000), 10 + 4) << "Redis's sum is one less when its clock has come round";
}

TEST(EvictionScore, PrefersWhatIsUsedRarelyThenWhatHasLostLessThenTheOlder) {
  EvictionScore score{MaxmemoryPolicy::kAllkeysLfu, 1'700'000'000'000, 0};
  auto of = [&](uint32_t counter, int64_t accessed_ms) { return score_of(score, access::lfu_minutes(accessed_ms) << 8 | counter); };
  EXPECT_GT(of(5, score.now_ms), of(6, score.now_ms - 600'000));
  EXPECT_GT(of(5, score.now_ms - 600'000), of(5, score.now_ms));
  score.lfu_decay_minutes = 1;
  EXPECT_GT(of(5, score.now_ms), of(7, score.now_ms - 120'000)) << "both are 5 now";
  EXPECT_GT(of(5, score.now_ms - 60'000), of(7, score.now_ms - 120'000)) << "4 and 5";
  EXPECT_GT(of(9, score.now_ms - 1'200'000), of(5, score.now_ms - 600'000)) << "nothing is left of either";
  EXPECT_GT(of(9, score.now_ms - 1'200'000), of(5, score.now_ms - 60'000));
}

}  // namespace
}  // namespace ringwood
