#include "engine/base/random.h"

#include <gtest/gtest.h>

#include <set>

namespace ringwood {

TEST(Random, RepeatsItselfForTheSameSeedOnly) {
  Random a(1), b(1), c(2);
  int differences = 0;
  for (int i = 0; i < 100; i++) {
    uint64_t v = a.next();
    ASSERT_EQ(v, b.next());
    differences += v != c.next();
  }
  EXPECT_EQ(differences, 100);
}

TEST(Random, GivesTheReferenceSequence) {
  Random r(0);  // state from splitmix64(0): e220a8397b1dcdaf 6e789e6aa1b965f4 06c45d188009454f f88bb8a8724c81ec
  EXPECT_EQ(r.next(), 0x99ec5f36cb75f2b4u);
  EXPECT_EQ(r.next(), 0xbf6e1f784956452au);
}

TEST(Random, SpreadsEvenlyBelowABound) {
  Random r(7);
  int counts[10] = {};
  for (int i = 0; i < 100000; i++) counts[r.below(10)]++;
  for (int n : counts) EXPECT_NEAR(n, 10000, 500);
  for (int i = 0; i < 100; i++) EXPECT_EQ(r.below(1), 0u);
  uint64_t large = (uint64_t{1} << 63) + 1;
  for (int i = 0; i < 1000; i++) EXPECT_LT(r.below(large), large);
  for (int i = 0; i < 1000; i++) {
    double v = r.real();
    EXPECT_TRUE(v >= 0 && v < 1);
  }
}

TEST(Random, FillsExactlyTheBytesAskedFor) {
  Random r(7);
  for (size_t n = 0; n < 20; n++) {
    OwnedBytes buffer(24, '\x55');
    r.fill(buffer.data(), n);
    EXPECT_EQ(buffer.substr(n), OwnedBytes(24 - n, '\x55'));
  }
  OwnedBytes text = r.hex(41);
  EXPECT_EQ(text.size(), 41u);
  EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), OwnedBytes::npos);
}

TEST(Random, FromTheSystemDiffersEachTime) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 50; i++) seen.insert(Random::from_system().next());
  EXPECT_EQ(seen.size(), 50u);
}

}  // namespace ringwood
