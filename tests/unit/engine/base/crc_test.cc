#include "engine/base/crc.h"

#include <gtest/gtest.h>

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

}  // namespace ringwood
