#include "engine/exec/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/seed.h"

namespace ringwood {

TEST(Histogram, TellsEveryValueWithinOneIn128) {
  Seeded random;
  uint64_t last = 0;
  for (size_t i = 0; i < Histogram::kOctaves * Histogram::kHalf; i++) {  // places follow each other without gap or overlap
    uint64_t highest = Histogram::highest_of(i);
    ASSERT_EQ(Histogram::index_of(highest), i);
    ASSERT_EQ(Histogram::index_of(last), i);
    last = highest + 1;
  }
  EXPECT_EQ(last, Histogram::kMost + 1);
  for (int n = 0; n < 10000; n++) {
    uint64_t v = random.below(Histogram::kMost) >> random.below(47);
    uint64_t told = Histogram::highest_of(Histogram::index_of(v));
    ASSERT_GE(told, v);
    ASSERT_LE(told - v, v / 128);
  }
}

TEST(Histogram, PercentilesAreThoseOfTheSortedValues) {
  Seeded random;
  Histogram h;
  std::vector<uint64_t> values;
  for (int i = 0; i < 1000; i++) {
    values.push_back(1 + (random.below(1000000) >> random.below(15)));
    h.record(values.back());
  }
  std::sort(values.begin(), values.end());
  HistogramSum sum;
  sum.add(&h);
  sum.add(nullptr);
  EXPECT_EQ(sum.count(), 1000);
  for (double p : {0.1, 50.0, 99.0, 99.9, 100.0}) {
    uint64_t exact = values[static_cast<size_t>(std::max(p * 10 + 0.5, 1.0)) - 1];
    EXPECT_EQ(sum.percentile(p), Histogram::highest_of(Histogram::index_of(exact))) << p;
  }
}

TEST(Histogram, CumulativeStepsAreRedisLogarithmicOnes) {
  Histogram a, b;
  a.record(1000);          // one microsecond
  a.record(1031);          // the last value of 1024's place
  b.record(1032, 3);       // above it
  b.record(500000000, 2);  // half a second
  HistogramSum sum;
  sum.add(&a);
  sum.add(&b);
  std::vector<std::pair<uint64_t, int64_t>> steps;
  sum.for_each_doubling([&](uint64_t highest, int64_t n) { steps.emplace_back(highest / 1000, n); });
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[0], (std::pair<uint64_t, int64_t>{1, 2}));
  EXPECT_EQ(steps[1], (std::pair<uint64_t, int64_t>{2, 5}));
  EXPECT_EQ(steps[2].second, 7);
  EXPECT_EQ(steps[2].first, 541065u);  // 1024 * 2^19 ns, to the end of its place
}

TEST(Histogram, HoldsWhatIsBeyondItsEndsInTheLastPlaces) {
  Histogram h;
  h.record(0);
  h.record(UINT64_MAX);
  HistogramSum sum;
  sum.add(&h);
  EXPECT_EQ(sum.percentile(1), 1u);
  EXPECT_EQ(sum.percentile(100), Histogram::kMost);
}

}  // namespace ringwood
