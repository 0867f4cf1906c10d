#include "engine/base/radix_sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <vector>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

struct Thing {
  uint64_t key;
  size_t place;  // before it was sorted
  bool operator==(const Thing&) const = default;
};

TEST(RadixSort, SortsByKeysThatDifferInAnyBitsAndKeepsTheOrderOfEqualOnes) {
  Seeded seeded;
  for (int round = 0; round < 300; round++) {
    const size_t n = seeded.below(2000);
    uint64_t differ = seeded.engine()();
    for (uint64_t halvings = seeded.below(6); halvings > 0; halvings--) differ &= seeded.engine()();
    if (round == 0) differ = ~uint64_t{0};
    if (round == 1) differ = 0;
    const uint64_t common = seeded.engine()() & ~differ;
    std::vector<Thing> things(n), other(n);
    for (size_t i = 0; i < n; i++) things[i] = {common | (seeded.engine()() & differ), i};
    std::vector<Thing> expected = things;
    std::stable_sort(expected.begin(), expected.end(), [](const Thing& a, const Thing& b) { return a.key < b.key; });
    radix_sort(things.data(), other.data(), n, [](const Thing& t) { return t.key; });
    ASSERT_EQ(things, expected) << n << " " << differ;
  }
}

TEST(RadixSort, DoublesHaveAKeyThatSortsAsTheyDo) {
  using Of = std::numeric_limits<double>;
  std::vector<double> doubles = {-Of::infinity(),  -Of::max(), -1.5, -1,  -Of::min(), -Of::denorm_min(), 0,
                                 Of::denorm_min(), Of::min(),  1,    1.5, Of::max(),  Of::infinity()};
  EXPECT_EQ(sortable(-0.0), sortable(0.0));
  Seeded seeded;
  for (int i = 0; i < 1000; i++) {
    const double d = std::bit_cast<double>(seeded.engine()());
    if (d == d) doubles.push_back(d);
  }
  for (double a : doubles)
    for (double b : doubles) ASSERT_EQ(a < b, sortable(a) < sortable(b)) << a << " " << b;
}

}  // namespace
}  // namespace ringwood
