#include "engine/commands/script/debug_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ringwood {
namespace {

using Status = DebugReader::Status;
using Words = std::vector<std::string>;

Words words(const DebugReader& r) {
  Words out;
  for (Bytes w : r.words()) out.emplace_back(w);
  return out;
}

Status only(const std::string& bytes) {
  DebugReader r;
  r.feed(bytes);
  return r.next();
}

TEST(DebugReader, ReadsCommandsHoweverTheyAreCut) {
  const std::string bytes = "*1\r\n$4\r\nstep\r\n*2\r\n$1\r\np\r\n$3\r\na\r\n\r\n*1\r\n$1\r\nc\r\n";
  for (size_t piece = 1; piece <= bytes.size(); piece++) {
    DebugReader r;
    std::vector<Words> read;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      r.feed(Bytes(bytes).substr(at, piece));
      Status s;
      while ((s = r.next()) == Status::kCommand) read.push_back(words(r));
      ASSERT_EQ(Status::kMore, s);
      EXPECT_TRUE(r.words().empty());
    }
    EXPECT_EQ((std::vector<Words>{{"step"}, {"p", "a\r\n"}, {"c"}}), read) << piece;
  }
}

TEST(DebugReader, RefusesWhatRedisRefuses) {
  for (const char* bad : {"step\r\n", "*0\r\n", "*-1\r\n", "*1025\r\n", "*x\r\n", "*1\r\n:1\r\n", "*1\r\n$0\r\n\r\n", "*1\r\n$-1\r\n",
                          "*1\r\n$1025\r\n", "*1\r\n$1\r\nabc", "*1\r\n$1\r\na\rb", "*12345678901234567890123456789012345", "$1\r\na\r\n"})
    EXPECT_EQ(Status::kProtocolError, only(bad)) << bad;
  for (const char* more : {"", "*", "*1", "*1\r", "*1\r\n", "*1\r\n$", "*1\r\n$1\r\n", "*1\r\n$1\r\na", "*1\r\n$1\r\na\r"})
    EXPECT_EQ(Status::kMore, only(more)) << more;
  EXPECT_EQ(Status::kCommand, only("*1\r\n$1024\r\n" + std::string(1024, 'x') + "\r\n"));
}

TEST(DebugReader, HoldsNoMoreThanAMegabyte) {
  DebugReader r;
  const std::string word = "$1024\r\n" + std::string(1024, 'x') + "\r\n";
  r.feed("*1024\r\n");
  Status s = Status::kMore;
  size_t fed = 0;
  for (; fed < 1024 && s == Status::kMore; fed++) {
    r.feed(word);
    s = r.next();
  }
  EXPECT_EQ(Status::kTooMuch, s);
  EXPECT_EQ(DebugReader::kMostBytes / word.size() + 1, fed);
}

}  // namespace
}  // namespace ringwood
