#include "engine/base/grisu.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

OwnedBytes spell(double v) {
  Decimal d = grisu2(v);
  return OwnedBytes(d.digits, static_cast<size_t>(d.count)) + "e" + std::to_string(d.exponent);
}

TEST(Grisu, GivesTheDigitsOfKnownNumbers) {
  EXPECT_EQ(spell(1), "1e0");
  EXPECT_EQ(spell(0.1), "1e-1");
  EXPECT_EQ(spell(123.456), "123456e-3");
  EXPECT_EQ(spell(1e22), "1e22");
  EXPECT_EQ(spell(std::numeric_limits<double>::max()), "17976931348623157e292");
  EXPECT_EQ(spell(std::numeric_limits<double>::min()), "22250738585072014e-324");
  EXPECT_EQ(spell(5e-324), "5e-324");
  EXPECT_EQ(spell(2.2250738585072009e-308), "2225073858507201e-323");
}

// As Redis prints them, one digit longer or off by one in the last place against the best.
TEST(Grisu, KeepsTheDigitsThatAreNotTheFewest) {
  EXPECT_EQ(spell(0.12572935009270159), "12572935009270159e-17");
  EXPECT_EQ(spell(466.28508287292817), "46628508287292817e-14");
  EXPECT_EQ(spell(4.331216019728802e+160), "43312160197288023e144");
  EXPECT_EQ(spell(1e23), "9999999999999999e7");
  EXPECT_EQ(spell(2104862122717946.2), "21048621227179463e-1");
}

TEST(Grisu, AlwaysReadsBackAsTheSameNumber) {
  Seeded seeded;
  for (int i = 0; i < 200000; i++) {
    uint64_t bits = (seeded.next() & ~(uint64_t{1} << 63)) >> (i % 4 == 0 ? seeded.below(64) : 0);
    if (i % 4 == 1) bits &= ~((uint64_t{1} << 52) - 1);  // powers of two, where the neighbours are not equally far
    double v = std::bit_cast<double>(bits);
    if (!std::isfinite(v) || v == 0) continue;
    ASSERT_LE(grisu2(v).count, 17);
    ASSERT_NE(grisu2(v).digits[0], '0');
    ASSERT_EQ(std::strtod(spell(v).c_str(), nullptr), v) << spell(v);
  }
}

}  // namespace
}  // namespace ringwood
