#include "engine/base/crc.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/seed.h"

namespace ringwood {

TEST(Crc16, AnswersTheCheckValueOfItsStandard) { EXPECT_EQ(crc16("123456789"), 0x31c3); }

TEST(Crc64, AnswersTheCheckValueOfItsStandardInOnePieceAndInMany) {
  EXPECT_EQ(crc64(0, "123456789"), 0xe9c6d914c4b8d9caull);
  EXPECT_EQ(crc64(crc64(0, "1234"), "56789"), 0xe9c6d914c4b8d9caull);
}

// Long pieces take another way than short ones, where the processor has it: each bit of a text goes in as the definition says.
TEST(Crc64, IsThatOfItsDefinitionForEveryLength) {
  Seeded seeded;
  for (size_t n = 0; n < 700; n++) {
    std::string text(n, ' ');
    for (char& c : text) c = static_cast<char>(seeded.below(256));
    const uint64_t begun = seeded.below(2) ? 0 : seeded.engine()();
    uint64_t expected = begun;
    for (char c : text) {
      expected ^= static_cast<uint8_t>(c);
      for (int bit = 0; bit < 8; bit++) expected = expected & 1 ? (expected >> 1) ^ 0x95ac9329ac4bc9b5ull : expected >> 1;
    }
    ASSERT_EQ(crc64(begun, text), expected) << n;
    const size_t at = seeded.below(n + 1);
    const Bytes whole = text;
    ASSERT_EQ(crc64(crc64(begun, whole.substr(0, at)), whole.substr(at)), expected) << n << " " << at;
    ASSERT_EQ(crc64_join(crc64(begun, whole.substr(0, at)), crc64(0, whole.substr(at)), n - at), expected) << n << " " << at;
  }
}

TEST(KeySlot, HashesTheTagAloneWhereThereIsOne) {
  EXPECT_EQ(key_slot("foo"), 12182);
  EXPECT_EQ(key_slot("a{foo}b"), 12182);
  EXPECT_EQ(key_slot("{foo}{bar}"), 12182);
  EXPECT_NE(key_slot("{}foo"), 12182);  // an empty tag is no tag
  EXPECT_EQ(key_slot("{foo"), key_slot("{foo"));
  EXPECT_EQ(key_slot("x{{foo}}"), key_slot("{foo"));
}

// Whichever way this machine's processor lets it be computed.
TEST(KeySlot, IsTheRemainderOfTheChecksumForEveryLength) {
  std::string key;
  uint32_t random = 7;
  for (size_t n = 0; n < 200; n++) {
    for (int round = 0; round < 50; round++) {
      key.assign(n, ' ');
      for (char& c : key) {
        random = random * 1664525 + 1013904223;
        c = static_cast<char>(random >> 24);
        if (c == '{') c = '|';
      }
      ASSERT_EQ(key_slot(key), crc16(key) % kSlots) << n;
    }
    if (n < 6) continue;
    // A tag anywhere.
    for (size_t at = 0; at + 6 <= n; at++) {
      std::string tagged = key;
      tagged.replace(at, 5, "{foo}");
      ASSERT_EQ(key_slot(tagged), 12182) << n << " " << at;
    }
  }
}

}  // namespace ringwood
