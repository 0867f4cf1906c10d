#include "engine/base/glob.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

// The meaning of a pattern, written down as plainly as possible and exponentially slow. Knows literals, '?', '*' and simple classes.
bool model(Bytes p, Bytes t) {
  if (p.empty()) return t.empty();
  if (p[0] == '*') return model(p.substr(1), t) || (!t.empty() && model(p, t.substr(1)));
  if (t.empty()) return false;
  if (p[0] == '?') return model(p.substr(1), t.substr(1));
  if (p[0] == '[') {
    size_t close = p.find(']');
    return p.substr(1, close - 1).find(t[0]) != Bytes::npos && model(p.substr(close + 1), t.substr(1));
  }
  return p[0] == t[0] && model(p.substr(1), t.substr(1));
}

TEST(Glob, MatchesTheManualsExamples) {
  EXPECT_TRUE(glob_match("h?llo", "hello"));
  EXPECT_FALSE(glob_match("h?llo", "hllo"));
  EXPECT_TRUE(glob_match("h*llo", "hllo"));
  EXPECT_TRUE(glob_match("h*llo", "heeeello"));
  EXPECT_TRUE(glob_match("h[ae]llo", "hallo"));
  EXPECT_FALSE(glob_match("h[ae]llo", "hillo"));
  EXPECT_TRUE(glob_match("h[^e]llo", "hallo"));
  EXPECT_FALSE(glob_match("h[^e]llo", "hello"));
  EXPECT_TRUE(glob_match("h[a-b]llo", "hbllo"));
  EXPECT_FALSE(glob_match("h[a-b]llo", "hcllo"));
  EXPECT_TRUE(glob_match("h[b-a]llo", "hbllo"));
}

TEST(Glob, TakesAnEscapedCharacterLiterally) {
  EXPECT_TRUE(glob_match("a\\*b", "a*b"));
  EXPECT_FALSE(glob_match("a\\*b", "axb"));
  EXPECT_TRUE(glob_match("a\\", "a\\"));  // nothing left to escape
  EXPECT_TRUE(glob_match("[\\]]", "]"));
  EXPECT_TRUE(glob_match("[\\-z]", "-"));
  EXPECT_TRUE(glob_match("[\\a]", "a", true));
  EXPECT_FALSE(glob_match("[\\a]", "A", true));
}

TEST(Glob, IgnoresTheCaseOfLettersOnRequest) {
  EXPECT_FALSE(glob_match("HeLLo*", "hello world"));
  EXPECT_TRUE(glob_match("HeLLo*", "hello world", true));
  EXPECT_TRUE(glob_match("[A-C]", "b", true));
  EXPECT_TRUE(glob_match("[x]", "X", true));
  EXPECT_FALSE(glob_match("\xc4", "\xe4", true));
}

TEST(Glob, KeepsRedissCornerCases) {
  EXPECT_FALSE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_FALSE(glob_match("", "a"));
  EXPECT_TRUE(glob_match("a**", "a"));
  EXPECT_TRUE(glob_match("[ab", "a"));  // unclosed: ends with the pattern
  EXPECT_FALSE(glob_match("[", "["));
  EXPECT_TRUE(glob_match("[^", "x"));
  EXPECT_FALSE(glob_match("[]", "x"));
  EXPECT_TRUE(glob_match("[^]", "x"));
  EXPECT_TRUE(glob_match("[a-", "-"));   // no range without an upper bound
  EXPECT_TRUE(glob_match("[a-]", "_"));  // "]" is the upper bound here, and nothing closes the class
  EXPECT_TRUE(glob_match("[\x80-\xff]", "\xc0"));
  EXPECT_TRUE(glob_match(Bytes("a\0*", 3), Bytes("a\0b\0", 4)));
}

TEST(Glob, RefusesMoreThanAThousandStarsAndStaysFast) {
  OwnedBytes pattern, text;
  for (int i = 0; i < 1000; i++) pattern += "*a", text += "ba";
  EXPECT_TRUE(glob_match(pattern, text));
  EXPECT_TRUE(glob_match(pattern + "*", text + "x"));
  EXPECT_FALSE(glob_match(pattern + "*a", text + "a"));
  OwnedBytes many;
  for (int i = 0; i < 500; i++) many += "a*";
  EXPECT_FALSE(glob_match(many + "b", OwnedBytes(50000, 'a')));
}

TEST(Glob, AgreesWithTheModelOnRandomPatterns) {
  Seeded seeded;
  int matches = 0;
  for (int i = 0; i < 100000; i++) {
    OwnedBytes pattern, text;
    for (uint64_t n = seeded.below(8); n > 0; n--) pattern += std::array{"a", "b", "*", "?", "[ab]", "[b]"}[seeded.below(6)];
    for (uint64_t n = 1 + seeded.below(9); n > 0; n--) text += static_cast<char>('a' + seeded.below(3));
    ASSERT_EQ(glob_match(pattern, text), model(pattern, text)) << pattern << " " << text;
    matches += model(pattern, text);
  }
  EXPECT_GT(matches, 5000);
}

TEST(Glob, ReadsNothingOutsideOfItsArguments) {  // for the address sanitizer: exact-size heap copies
  Seeded seeded;
  for (int i = 0; i < 20000; i++) {
    std::vector<char> pattern, text;
    for (uint64_t n = seeded.below(8); n > 0; n--) pattern.push_back("ab*?[]^-\\"[seeded.below(9)]);
    for (uint64_t n = seeded.below(6); n > 0; n--) text.push_back("ab]-\\"[seeded.below(5)]);
    pattern.shrink_to_fit();
    text.shrink_to_fit();
    Bytes p(pattern.data(), pattern.size()), t(text.data(), text.size());
    EXPECT_EQ(glob_match(p, t), glob_match(p, t, true)) << p << " " << t;  // no letter here has another case
  }
}

TEST(Glob, RecognisesPatternsThatMatchOnlyThemselves) {
  EXPECT_TRUE(glob_is_literal("user:1]"));
  for (const char* p : {"a*", "?", "[a", "\\a"}) EXPECT_FALSE(glob_is_literal(p));
}

}  // namespace
}  // namespace ringwood
