#include "engine/base/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

template <class F, class V>
OwnedBytes text_of(F format, V v) {
  char buffer[kMaxLongDoubleChars];
  return OwnedBytes(buffer, format(buffer, v));
}
OwnedBytes as_double(double v) { return text_of(format_double, v); }
OwnedBytes as_digits(double v) { return text_of(format_double_digits, v); }

TEST(Int64, ReadsBackEveryNumberThatItPrints) {
  Seeded seeded;
  for (int i = 0; i < 200000; i++) {
    uint64_t bits = seeded.next() >> (seeded.next() % 64);
    int64_t v = static_cast<int64_t>(seeded.next() % 2 ? bits : 0 - bits);
    int64_t back = v ^ 1;
    OwnedBytes text = int64_text(v);
    ASSERT_EQ(text, std::to_string(v));
    ASSERT_TRUE(parse_int64(text, back));
    ASSERT_EQ(back, v);
    ASSERT_EQ(text_of(format_uint64, bits), std::to_string(bits));
  }
  for (uint64_t power = 1; power < 10000000000000000000u; power *= 10) {
    EXPECT_EQ(text_of(format_uint64, power), std::to_string(power));
    EXPECT_EQ(text_of(format_uint64, power - 1), std::to_string(power - 1));
  }
  EXPECT_EQ(text_of(format_uint64, UINT64_MAX), "18446744073709551615");
  EXPECT_EQ(int64_text(INT64_MIN), "-9223372036854775808");
}

TEST(Int64, RefusesEverySpellingButTheCanonicalOne) {
  for (const char* text : {"",
                           "-",
                           "+1",
                           " 1",
                           "1 ",
                           "01",
                           "-01",
                           "-0",
                           "00",
                           "1.0",
                           "0x1",
                           "a",
                           "9223372036854775808",
                           "-9223372036854775809",
                           "99999999999999999999",
                           "18446744073709551616",
                           "123456789012345678901",
                           "1-",
                           ":",
                           "/"}) {
    int64_t v = 42;
    EXPECT_FALSE(parse_int64(text, v)) << text;
    EXPECT_EQ(v, 42);
  }
  int64_t v = 42;
  EXPECT_FALSE(parse_int64(Bytes("1\0", 2), v));
  EXPECT_FALSE(parse_int64("\xff", v));
  EXPECT_TRUE(parse_int64("9223372036854775807", v) && v == INT64_MAX);
  EXPECT_TRUE(parse_int64("-9223372036854775808", v) && v == INT64_MIN);
  EXPECT_TRUE(parse_int64("0", v) && v == 0);
}

TEST(Uint64, TakesTheWholeRangeWithZerosInFront) {
  uint64_t v = 0;
  EXPECT_TRUE(parse_uint64("18446744073709551615", v) && v == UINT64_MAX);
  EXPECT_TRUE(parse_uint64("007", v) && v == 7);
  EXPECT_TRUE(parse_uint64(" +5", v) && v == 5);
  for (const char* text : {"", " ", "+", "-1", "-05", "18446744073709551616", "5 ", "1a"}) EXPECT_FALSE(parse_uint64(text, v)) << text;
  EXPECT_EQ(v, 5u);
}

TEST(Double, ParsesWhatStrtodTakesWholeAndRefusesTheRest) {
  double v = 0;
  EXPECT_TRUE(parse_double("3.25", v) && v == 3.25);
  EXPECT_TRUE(parse_double("+3", v) && v == 3);
  EXPECT_TRUE(parse_double("1e3", v) && v == 1000);
  EXPECT_TRUE(parse_double("0x1p3", v) && v == 8);
  EXPECT_TRUE(parse_double(".5", v) && v == .5);
  EXPECT_TRUE(parse_double("5.", v) && v == 5);
  EXPECT_TRUE(parse_double("inf", v) && v == INFINITY);
  EXPECT_TRUE(parse_double("+inf", v) && v == INFINITY);
  EXPECT_TRUE(parse_double("-Infinity", v) && v == -INFINITY);
  EXPECT_TRUE(parse_double("-0", v) && v == 0 && std::signbit(v));
  EXPECT_TRUE(parse_double("4.9406564584124654e-324", v) && v == 5e-324);
  EXPECT_TRUE(parse_double(OwnedBytes(1000, '0') + "7", v) && v == 7);
  v = 42;
  for (const char* text : {"", " 1", "1 ", "nan", "-nan", "NAN", "1e400", "-1e400", "1e-400", "1x", "--1", "+-1", "e", ".", "inff"})
    EXPECT_FALSE(parse_double(text, v)) << text;
  EXPECT_FALSE(parse_double(Bytes("1\0", 2), v));
  EXPECT_FALSE(parse_double(Bytes("\0", 1), v));
  EXPECT_EQ(v, 42);
}

TEST(Double, PrintsAsRedisReplies) {
  EXPECT_EQ(as_double(0), "0");
  EXPECT_EQ(as_double(-0.0), "-0");
  EXPECT_EQ(as_double(INFINITY), "inf");
  EXPECT_EQ(as_double(-INFINITY), "-inf");
  EXPECT_EQ(as_double(std::nan("")), "nan");
  EXPECT_EQ(as_double(-std::nan("")), "nan");
  EXPECT_EQ(as_double(3), "3");
  EXPECT_EQ(as_double(-1e15), "-1000000000000000");
  EXPECT_EQ(as_double(4611686018427387904.0), "4611686018427387904");
  EXPECT_EQ(as_double(1e20), "1e+20");
  EXPECT_EQ(as_double(1.5e19), "1.5e+19");
  EXPECT_EQ(as_double(0.1), "0.1");
  EXPECT_EQ(as_double(-3.14), "-3.14");
  EXPECT_EQ(as_double(0.000001), "0.000001");
  EXPECT_EQ(as_double(0.0000001), "1e-7");
  EXPECT_EQ(as_double(0.00123456789), "0.00123456789");
  EXPECT_EQ(as_double(0.000123456789), "1.23456789e-4");
  EXPECT_EQ(as_double(3.0000000000000004), "3.0000000000000004");
  EXPECT_EQ(as_double(12345.678901234567), "1.2345678901234567e+4");
  EXPECT_EQ(as_double(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(as_double(5e-324), "5e-324");
}

TEST(Double, PrintsWithoutTheIntegerRuleWhereRedisDoes) {
  EXPECT_EQ(as_digits(1e7), "10000000");
  EXPECT_EQ(as_digits(1e8), "1e+8");
  EXPECT_EQ(as_digits(1e15), "1e+15");
  EXPECT_EQ(as_digits(123456789012), "123456789012");
  EXPECT_EQ(as_digits(-0.0), "-0");
  EXPECT_EQ(as_digits(-2.5), "-2.5");
}

TEST(Double, ReadsBackEveryNumberThatItPrints) {
  Seeded seeded;
  for (int i = 0; i < 100000; i++) {
    double v = std::bit_cast<double>(seeded.next());
    if (i % 2) v = static_cast<double>(static_cast<int64_t>(seeded.next())) / std::pow(10, seeded.next() % 20);
    if (std::isnan(v)) continue;
    double back = 0;
    for (auto format : {format_double, format_double_digits, format_double_17g}) {
      char buffer[kMaxDoubleChars];
      Bytes text(buffer, static_cast<size_t>(format(buffer, v) - buffer));
      ASSERT_LE(text.size(), kMaxDoubleChars);
      ASSERT_TRUE(parse_double(text, back)) << text;
      ASSERT_EQ(back, v) << text;
    }
    char expected[64];
    std::snprintf(expected, sizeof expected, "%.17g", v);
    ASSERT_EQ(text_of(format_double_17g, v), expected);
  }
}

TEST(Double, KnowsWhichOnesAreIntegers) {
  int64_t n = 0;
  EXPECT_TRUE(double_to_int64(-7, n) && n == -7);
  EXPECT_TRUE(double_to_int64(-0.0, n) && n == 0);
  EXPECT_TRUE(double_to_int64(4611686018427387904.0, n) && n == int64_t{1} << 62);
  for (double v : {0.5, 9.3e18, -9.3e18, double{INFINITY}, std::nan("")}) EXPECT_FALSE(double_to_int64(v, n)) << v;
}

TEST(FixedPoint, RoundsTheScaledValue) {
  auto text = [](double v, int decimals) { return text_of([&](char* out, double d) { return format_fixed_point(out, d, decimals); }, v); };
  EXPECT_EQ(text(0, 4), "0.0000");
  EXPECT_EQ(text(166274.15156, 4), "166274.1516");
  EXPECT_EQ(text(0.775, 4), "0.7750");
  EXPECT_EQ(text(-0.00005, 1), "0.0");
  EXPECT_EQ(text(-1.05, 2), "-1.05");
  EXPECT_EQ(text(0.05, 1), "0.0");  // halves go to the even neighbour
  EXPECT_EQ(text(0.15, 1), "0.2");
  EXPECT_EQ(text(123, 1), "123.0");
  EXPECT_EQ(text(0.5, 17), "0.50000000000000000");
}

TEST(LongDouble, PrintsWithoutTrailingZeros) {
  auto text = [](long double v) { return text_of(format_long_double_human, v); };
  EXPECT_EQ(text(10.5L), "10.5");
  EXPECT_EQ(text(3.0L), "3");
  EXPECT_EQ(text(200.0L), "200");
  EXPECT_EQ(text(0.0L), "0");
  EXPECT_EQ(text(-0.0L), "0");
  EXPECT_EQ(text(-1e-30L), "0");
  EXPECT_EQ(text(-0.1L), "-0.1");
  EXPECT_EQ(text(3.14L), "3.14");
  EXPECT_EQ(text(std::numeric_limits<long double>::infinity()), "inf");
  EXPECT_EQ(text(std::numeric_limits<long double>::max()).size(), 4933u);
  EXPECT_EQ(text(17179869184.0L + 1.5L), "17179869185.5");
}

TEST(LongDouble, ParsesByTheSameRulesAsDouble) {
  long double v = 0;
  EXPECT_TRUE(parse_long_double("1.5", v) && v == 1.5L);
  EXPECT_TRUE(parse_long_double("1e4000", v) && v > 1e308L);
  EXPECT_TRUE(parse_long_double("-inf", v) && v < 0);
  EXPECT_TRUE(parse_long_double(OwnedBytes(5118, '0') + "7", v) && v == 7);
  EXPECT_FALSE(parse_long_double(OwnedBytes(5119, '0') + "7", v));
  for (const char* text : {"", " 1", "1 ", "nan", "1e5000", "1e-5000", "x"}) EXPECT_FALSE(parse_long_double(text, v)) << text;
}

}  // namespace
}  // namespace ringwood
