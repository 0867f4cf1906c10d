#include "net/client/value.h"

#include <gtest/gtest.h>

namespace ringwood::client {
namespace {

using Kind = Value::Kind;

// The one value that the bytes are.
Value read(Bytes bytes) {
  ValueReader r;
  r.feed(bytes);
  Value v;
  EXPECT_TRUE(r.next(v)) << bytes;
  Value more;
  EXPECT_FALSE(r.next(more));
  EXPECT_FALSE(r.broken());
  return v;
}

TEST(ClientValue, IsWhatStandsOnTheWire) {
  EXPECT_EQ(read("+OK\r\n").text, "OK");
  EXPECT_TRUE(read("-MOVED 1 h:2\r\n").failed());
  EXPECT_EQ(read("-MOVED 1 h:2\r\n").error_code(), "MOVED");
  EXPECT_EQ(read(":-42\r\n").integer, -42);
  EXPECT_EQ(read("$4\r\na\r\nb\r\n").text, "a\r\nb");
  EXPECT_EQ(read("$0\r\n\r\n").kind, Kind::kBulk);
  EXPECT_EQ(read("$-1\r\n").kind, Kind::kNil);
  EXPECT_EQ(read("*-1\r\n").kind, Kind::kNil);
  EXPECT_EQ(read("_\r\n").kind, Kind::kNil);
  EXPECT_EQ(read("#t\r\n").integer, 1);
  EXPECT_EQ(read(",3.5\r\n").text, "3.5");
  EXPECT_EQ(read("=8\r\ntxt:text\r\n").text, "text");
  EXPECT_EQ(read("!6\r\nERR no\r\n").error_code(), "ERR");
  EXPECT_EQ(read("*0\r\n").kind, Kind::kArray);
  EXPECT_EQ(read("~2\r\n:1\r\n:2\r\n").items.size(), 2u);
}

TEST(ClientValue, NestsAndComesInPieces) {
  const Bytes text = "*3\r\n:1\r\n*2\r\n$1\r\na\r\n*1\r\n+x\r\n%2\r\n+k\r\n:7\r\n+l\r\n*0\r\n+next\r\n";
  for (size_t size = 1; size < text.size(); size++) {
    ValueReader r;
    std::vector<Value> got;
    for (size_t at = 0; at < text.size(); at += size) {
      r.feed(text.substr(at, size));
      for (Value v; r.next(v); v = {}) got.push_back(v);
    }
    ASSERT_EQ(got.size(), 2u) << size;
    const Value& v = got[0];
    EXPECT_EQ(v.items[0].integer, 1);
    EXPECT_EQ(v.items[1].items[1].items[0].text, "x");
    EXPECT_EQ(v.items[2].kind, Kind::kMap);
    EXPECT_EQ(v.items[2].find("k")->integer, 7);
    EXPECT_EQ(v.items[2].find("l")->kind, Kind::kArray);
    EXPECT_EQ(v.items[2].find("m"), nullptr);
    EXPECT_EQ(got[1].text, "next");
  }
}

TEST(ClientValue, GivesUpOnWhatIsNoReply) {
  for (Bytes text : {"hello\r\n", "\r\n", ":x\r\n", "$abc\r\n"}) {
    ValueReader r;
    r.feed(text);
    Value v;
    EXPECT_FALSE(r.next(v)) << text;
    EXPECT_TRUE(r.broken()) << text;
  }
}

TEST(ClientValue, IsShownAsLines) {
  EXPECT_EQ(show(read("*2\r\n:1\r\n*2\r\n+a\r\n$3\r\nb\r\n\r\n")), "- (integer) 1\n- - a\n  - b\n");
  EXPECT_EQ(show(read("$-1\r\n"), "  "), "  (nil)\n");
  EXPECT_EQ(show(read("-ERR x\r\n")), "(error) ERR x\n");
}

}  // namespace
}  // namespace ringwood::client
