#include "engine/base/crc.h"

#include <gtest/gtest.h>

#include <string>

namespace ringwood {

TEST(Crc16, AnswersTheCheckValueOfItsStandard) { EXPECT_EQ(crc16("123456789"), 0x31c3); }

TEST(Crc64, AnswersTheCheckValueOfItsStandardInOnePieceAndInMany) {
  EXPECT_EQ(crc64(0, "123456789"), 0xe9c6d914c4b8d9caull);
  EXPECT_EQ(crc64(crc64(0, "1234"), "56789"), 0xe9c6d914c4b8d9caull);
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
