#include "engine/base/split_args.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace ringwood {
namespace {

using Words = std::vector<std::string>;

TEST(SplitArgs, BlanksSeparateAndAnEmptyLineHasNoArguments) {
  EXPECT_EQ(split_args(""), Words());
  EXPECT_EQ(split_args(" \t\r\n\v\f"), Words());
  EXPECT_EQ(split_args("  set\tkey  value \r\n"), (Words{"set", "key", "value"}));
}

TEST(SplitArgs, DoubleQuotesKnowEscapes) {
  EXPECT_EQ(split_args(R"("\n\r\t\b\a\x41\xfF\q\"\\" "")"), (Words{std::string("\n\r\t\b\aA\xff") + "q\"\\", ""}));
  EXPECT_EQ(split_args(R"("\x4" "\x4g")"), (Words{"x4", "x4g"}));
  EXPECT_EQ(split_args(R"("\x00")"), (Words{std::string(1, '\0')}));
}

TEST(SplitArgs, SingleQuotesKnowOnlyTheQuote) { EXPECT_EQ(split_args(R"('it\'s' 'a\n')"), (Words{"it's", "a\\n"})); }

TEST(SplitArgs, AQuoteMayOpenInsideAnArgumentAndMustEndIt) {
  EXPECT_EQ(split_args("foo\"bar baz\" x"), (Words{"foobar baz", "x"}));
  EXPECT_EQ(split_args("\"foo\"bar"), std::nullopt);
  EXPECT_EQ(split_args("'foo'bar"), std::nullopt);
  EXPECT_EQ(split_args("'foo'\v"), (Words{"foo"}));
}

TEST(SplitArgs, UnbalancedQuotesAreRefused) {
  EXPECT_EQ(split_args("\"foo"), std::nullopt);
  EXPECT_EQ(split_args("foo 'bar"), std::nullopt);
  EXPECT_EQ(split_args("\"foo\\"), std::nullopt);
  EXPECT_EQ(split_args("\"foo\\\""), std::nullopt);
}

TEST(SplitArgs, ANulEndsTheLine) {
  EXPECT_EQ(split_args(Bytes("a b\0c", 5)), (Words{"a", "b"}));
  EXPECT_EQ(split_args(Bytes("\"b\0c\"", 5)), std::nullopt);
}

TEST(SplitArgs, QuotedTextReadsBackAsTheSameBytes) {
  const char* given = std::getenv("RINGWOOD_SEED");
  const uint64_t seed = given ? std::strtoull(given, nullptr, 10) : 7;
  SCOPED_TRACE("RINGWOOD_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 20, '\0');
    for (char& c : text) c = static_cast<char>(random());
    std::string line = "x ";
    append_quoted(line, text);
    ASSERT_EQ(split_args(line), (Words{"x", text}));
  }
}

TEST(SplitArgs, RandomTextNeverCrashesNorGrows) {
  std::mt19937_64 random(11);
  static constexpr char kLetters[] = "\"\"''\\\\xn4 \t\nab";
  for (int round = 0; round < 20000; ++round) {
    std::string text(random() % 24, '\0');
    for (char& c : text) c = kLetters[random() % (sizeof kLetters)];
    const auto words = split_args(text);
    size_t total = 0;
    if (words) {
      for (const std::string& word : *words) total += word.size();
    }
    ASSERT_LE(total, text.size());
  }
}

TEST(AppendQuoted, UsesShortEscapesAndHexForTheRest) {
  std::string out;
  append_quoted(out, Bytes("a\"\\\n\r\t\a\b\0\x7f\xe9 ", 12));
  EXPECT_EQ(out, R"("a\"\\\n\r\t\a\b\x00\x7f\xe9 ")");
}

}  // namespace
}  // namespace ringwood
