#include "engine/store/stream_id.h"

#include <gtest/gtest.h>

namespace ringwood {
namespace {

std::string loose(Bytes text) {
  StreamId id;
  return parse_stream_id(text, 7, id) ? stream_id_text(id) : "refused";
}
std::string strict(Bytes text) {
  StreamId id;
  bool star = false;
  if (!parse_strict_stream_id(text, 7, id, &star)) return "refused";
  return stream_id_text(id) + (star ? "*" : "");
}

TEST(StreamId, IsParsedAsRedisDoes) {
  EXPECT_EQ("1-2", loose("1-2"));
  EXPECT_EQ("1-7", loose("1"));
  EXPECT_EQ("0-0", loose("-"));
  EXPECT_EQ("18446744073709551615-18446744073709551615", loose("+"));
  EXPECT_EQ("18446744073709551615-18446744073709551615", loose("18446744073709551615-18446744073709551615"));
  EXPECT_EQ("1-2", loose(Bytes("1-2\0x", 5)));
  for (Bytes wrong : {"", "a", "1-", "-1", "1-2-3", "1-*", "18446744073709551616", "1-18446744073709551616"})
    EXPECT_EQ("refused", loose(wrong)) << wrong;
  EXPECT_EQ("refused", loose(std::string(128, '0')));
  EXPECT_EQ("1-0*", strict("1-*"));
  EXPECT_EQ("1-2", strict("1-2"));
  for (Bytes wrong : {"-", "+", "*", "1-**", "(1"}) EXPECT_EQ("refused", strict(wrong)) << wrong;
  StreamId id;
  EXPECT_FALSE(parse_strict_stream_id("1-*", 0, id));
}

TEST(StreamId, StandsAtAnEndOfARangeExclusivelyAfterABracket) {
  StreamId id;
  bool exclusive = false;
  EXPECT_TRUE(parse_stream_bound("(5-1", 0, id, exclusive));
  EXPECT_TRUE(exclusive);
  EXPECT_EQ("5-1", stream_id_text(id));
  EXPECT_TRUE(parse_stream_bound("+", 0, id, exclusive));
  EXPECT_FALSE(exclusive);
  EXPECT_FALSE(parse_stream_bound("(+", 0, id, exclusive));
  EXPECT_FALSE(parse_stream_bound("(", 0, id, exclusive));
}

TEST(StreamId, CountsUpAndDownOverTheSequenceAndStopsAtTheEnds) {
  StreamId id{4, UINT64_MAX};
  EXPECT_TRUE(increment(id));
  EXPECT_EQ((StreamId{5, 0}), id);
  EXPECT_TRUE(decrement(id));
  EXPECT_EQ((StreamId{4, UINT64_MAX}), id);
  id = kMaxStreamId;
  EXPECT_FALSE(increment(id));
  EXPECT_EQ(kMinStreamId, id);
  EXPECT_FALSE(decrement(id));
  EXPECT_EQ(kMaxStreamId, id);
}

TEST(StreamId, HasBytesInItsOrder) {
  char a[kStreamIdBytes], b[kStreamIdBytes];
  store_stream_id(a, {1, 0x100});
  store_stream_id(b, {1, 0xff});
  EXPECT_GT(std::memcmp(a, b, kStreamIdBytes), 0);
  EXPECT_EQ((StreamId{1, 0x100}), load_stream_id(a));
}

}  // namespace
}  // namespace ringwood
