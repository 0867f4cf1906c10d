#include "persist/rdb_encode.h"

#include <gtest/gtest.h>

#include "engine/base/number.h"
#include "persist/rdb_decode.h"
#include "tests/support/seed.h"

namespace ringwood::rdb {
namespace {

using namespace std::string_literals;

OwnedBytes length_of(uint64_t n) {
  OutBuffer out;
  put_length(out, n);
  return OwnedBytes(out.view());
}
OwnedBytes string_of(Bytes s, bool compress = true) {
  OutBuffer out;
  put_string(out, s, compress);
  return OwnedBytes(out.view());
}

TEST(RdbEncode, WritesLengthsInTheirShortestForm) {
  EXPECT_EQ("\x3f", length_of(63));
  EXPECT_EQ("\x40\x40", length_of(64));
  EXPECT_EQ("\x7f\xff", length_of(16383));
  EXPECT_EQ("\x80\x00\x00\x40\x00"s, length_of(16384));
  EXPECT_EQ("\x80\xff\xff\xff\xff", length_of(0xffffffff));
  EXPECT_EQ("\x81\x00\x00\x00\x01\x00\x00\x00\x00"s, length_of(uint64_t{1} << 32));
}

TEST(RdbEncode, WritesSmallIntegersAsIntegers) {
  EXPECT_EQ("\xc0\x80", string_of("-128"));
  EXPECT_EQ("\xc1\x80\x00"s, string_of("128"));
  EXPECT_EQ("\xc1\x00\x80"s, string_of("-32768"));
  EXPECT_EQ("\xc2\x00\x80\x00\x00"s, string_of("32768"));
  EXPECT_EQ("\xc2\xff\xff\xff\x7f", string_of("2147483647"));
  EXPECT_EQ(
      "\x0a"
      "2147483648",
      string_of("2147483648"));
  EXPECT_EQ(
      "\x02"
      "01",
      string_of("01"));
  EXPECT_EQ("\x00"s, string_of(""));
  OutBuffer out;
  put_int_string(out, 2147483648);
  EXPECT_EQ(
      "\x0a"
      "2147483648",
      out.view());
}

TEST(RdbEncode, CompressesWhatGetsSmaller) {
  OwnedBytes plain(1000, 'a');
  OwnedBytes packed = string_of(plain);
  EXPECT_EQ('\xc3', packed[0]);
  EXPECT_LT(packed.size(), 100u);
  EXPECT_EQ(1002u, string_of(plain, false).size());
  EXPECT_EQ(21u, string_of(OwnedBytes(20, 'a')).size());
  Seeded random;
  OwnedBytes noise = random.bytes(500);
  EXPECT_EQ(502u, string_of(noise).size());
}

TEST(RdbEncode, IsReadBackFromPiecesOfAnySize) {
  Seeded random;
  StringDecoder decoder;
  for (int round = 0; round < 500; round++) {
    OwnedBytes s = round % 3 == 0 ? int64_text(static_cast<int64_t>(random.next()) >> random.below(64)) : random.bytes(random.below(300));
    if (round % 5 == 0) s.append(random.below(20000), 'x');
    OwnedBytes bytes = string_of(s, round % 2);
    for (size_t n = 0; n < bytes.size(); n += 1 + n / 8) {
      Input in(Bytes(bytes).substr(0, n));
      StringDecoder::Text text;
      ASSERT_EQ(Step::kMore, decoder.take(in, text));
      ASSERT_EQ(n, in.left());
    }
    Input in(bytes);
    StringDecoder::Text text;
    char room[24];
    ASSERT_EQ(Step::kDone, decoder.take(in, text));
    ASSERT_EQ(s, text.view(room));
    ASSERT_EQ(0u, in.left());
  }
}

TEST(RdbEncode, ReadsTextScores) {
  double score = 0;
  OwnedBytes scores =
      "\x03"
      "1.5\xfe\xff\x02"
      "x1\xfd";
  Input in(scores);
  EXPECT_EQ(Step::kDone, take_text_score(in, score));
  EXPECT_EQ(1.5, score);
  EXPECT_EQ(Step::kDone, take_text_score(in, score));
  EXPECT_GT(score, 1e308);
  EXPECT_EQ(Step::kDone, take_text_score(in, score));
  EXPECT_LT(score, -1e308);
  EXPECT_EQ(Step::kBad, take_text_score(in, score));
  Input nan("\xfd");
  EXPECT_EQ(Step::kBad, take_text_score(nan, score));
  Input cut(
      "\x03"
      "1.");
  EXPECT_EQ(Step::kMore, take_text_score(cut, score));
}

}  // namespace
}  // namespace ringwood::rdb
