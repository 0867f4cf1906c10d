#include "engine/base/options_text.h"

#include <gtest/gtest.h>

namespace ringwood::options_text {
namespace {

TEST(OptionsText, MemoryKnowsDecimalAndBinaryUnits) {
  EXPECT_EQ(parse_memory("100"), 100u);
  EXPECT_EQ(parse_memory("100B"), 100u);
  EXPECT_EQ(parse_memory("1k"), 1000u);
  EXPECT_EQ(parse_memory("1Kb"), 1024u);
  EXPECT_EQ(parse_memory("2m"), 2000000u);
  EXPECT_EQ(parse_memory("2mb"), 2u << 20);
  EXPECT_EQ(parse_memory("3g"), 3000000000u);
  EXPECT_EQ(parse_memory("3GB"), 3ull << 30);
  EXPECT_EQ(parse_memory("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_memory(""), 0u);
}

TEST(OptionsText, MemoryRefusesSignsUnknownUnitsAndOverflow) {
  for (const char* text : {"-1", "+1", "1tb", "1 mb", "x", "18446744073709551616", "18446744073709551615kb", "1.5gb"}) {
    EXPECT_EQ(parse_memory(text), std::nullopt) << text;
  }
}

TEST(OptionsText, MemoryIsWrittenInTheLargestExactUnit) {
  EXPECT_EQ(format_memory(0), "0");
  EXPECT_EQ(format_memory(3000), "3000");
  EXPECT_EQ(format_memory(3072), "3kb");
  EXPECT_EQ(format_memory(64u << 20), "64mb");
  EXPECT_EQ(format_memory(2ull << 30), "2gb");
}

TEST(OptionsText, LongsFollowStrtoll) {
  EXPECT_EQ(parse_long("+12"), 12);
  EXPECT_EQ(parse_long(""), 0);
  EXPECT_EQ(parse_long("755", 8), 0755);
  EXPECT_EQ(parse_long("9", 8), std::nullopt);
  EXPECT_EQ(parse_long("12x"), std::nullopt);
  EXPECT_EQ(parse_long("9223372036854775808"), std::nullopt);
  EXPECT_EQ(parse_long(std::string("1\0", 2)), std::nullopt);
}

}  // namespace
}  // namespace ringwood::options_text
