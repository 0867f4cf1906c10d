#include "cluster/slot_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/seed.h"

namespace ringwood::cluster {
namespace {

// Beside a plain vector of bits: what is in it, one by one and as ranges, with dense and thin sets and all the edges of words.
TEST(SlotSet, IsAPlainSetOfSlots) {
  Seeded random;
  for (int round = 0; round < 60; round++) {
    SlotSet set;
    std::vector<bool> plain(kSlots);
    const size_t pieces = random.below(30);
    for (size_t i = 0; i < pieces; i++) {
      const bool in = random.below(3) != 0;
      const uint64_t first = random.below(2) ? random.below(kSlots) : random.below(kSlots / 64) * 64;
      const uint64_t last = random.below(8) ? std::min<uint64_t>(kSlots, first + 1 + random.below(200)) : kSlots;
      for (uint64_t s = first; s < last; s++) {
        in ? set.set(static_cast<int>(s)) : set.reset(static_cast<int>(s));
        plain[s] = in;
      }
    }
    std::vector<bool> one_by_one(kSlots), in_ranges(kSlots);
    int count = 0, before = -2;
    set.for_each([&](int slot) {
      ASSERT_GT(slot, before);
      before = slot;
      one_by_one[static_cast<size_t>(slot)] = true;
      count++;
    });
    before = -2;
    set.for_each_range([&](int first, int last) {
      ASSERT_GT(first, before + 1) << "two ranges that are one";
      ASSERT_GE(last, first);
      before = last;
      for (int s = first; s <= last; s++) in_ranges[static_cast<size_t>(s)] = true;
    });
    ASSERT_EQ(one_by_one, plain);
    ASSERT_EQ(in_ranges, plain);
    ASSERT_EQ(set.count(), count);
    ASSERT_EQ(set.any(), count != 0);
  }
}

TEST(SlotSet, AddsRemovesAndCompares) {
  SlotSet a, b;
  for (int s : {0, 63, 64, 16383}) a.set(s);
  for (int s : {63, 100}) b.set(s);
  EXPECT_TRUE(a.shares_any(b));
  SlotSet both = a;
  both.add(b);
  EXPECT_EQ(both.count(), 5);
  a.remove(b);
  EXPECT_EQ(a.count(), 3);
  EXPECT_FALSE(a.shares_any(b));
}

}  // namespace
}  // namespace ringwood::cluster
