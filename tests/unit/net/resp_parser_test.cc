#include "net/resp_parser.h"

#include <gtest/gtest.h>

#include "tests/support/dumb_resp.h"
#include "tests/support/resp_feeder.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

using Requests = std::vector<std::vector<std::string>>;

std::string error_of(const std::string& input, bool trusted = true) {
  RespFeeder f;
  f.trusted = trusted;
  f.feed(input);
  return f.error;
}

std::string encode(const std::vector<std::string>& args) {
  std::string out = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string& a : args) out += "$" + std::to_string(a.size()) + "\r\n" + a + "\r\n";
  return out;
}

TEST(RespParser, TakesAPipelineOfRequestsInOnePass) {
  RespFeeder f;
  f.feed("*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n");
  EXPECT_EQ(f.requests, (Requests{{"PING"}, {"SET", "a", ""}}));
  EXPECT_EQ(f.rest, "");
}

TEST(RespParser, ArgumentsPointIntoTheInput) {
  std::string input = encode({"GET", "key"});
  ArgArena arena;
  std::deque<OwnedBytes> unquoted;
  ParseTarget to{arena, unquoted};
  RequestParser p;
  ASSERT_EQ(p.parse(input, to), RequestParser::Status::kRequest);
  EXPECT_EQ(p.args()[1].data(), input.data() + input.find("key"));
  EXPECT_EQ(p.consumed(), input.size());
}

TEST(RespParser, SplitAtEveryByteItFindsTheSame) {
  std::string stream = "PING\r\n" + encode({"SET", "k", std::string("a\0\r\n$b", 6)}) + "*0\r\n*-1\r\n\r\n" + encode({"GET", "k"}) +
                       "set  'a b' \"\\x41\"\n";
  DumbResp whole(stream, 512 << 20, true);
  ASSERT_EQ(whole.requests.size(), 4u);
  for (size_t at = 0; at <= stream.size(); at++) {
    RespFeeder f;
    f.feed(Bytes(stream).substr(0, at));
    f.feed(Bytes(stream).substr(at));
    EXPECT_EQ(f.requests, whole.requests) << "split at " << at;
    EXPECT_EQ(f.error, "") << "split at " << at;
  }
  RespFeeder slow;
  for (char c : stream) slow.feed(Bytes(&c, 1));
  EXPECT_EQ(slow.requests, whole.requests);
}

TEST(RespParser, SaysWhatIsWrongInRedissWords) {
  EXPECT_EQ(error_of("*x\r\n"), "Protocol error: invalid multibulk length");
  EXPECT_EQ(error_of("*2147483648\r\n"), "Protocol error: invalid multibulk length");
  EXPECT_EQ(error_of("*1\r\nfoo\r\n"), "Protocol error: expected '$', got 'f'");
  EXPECT_EQ(error_of("*1\r\n$-1\r\n"), "Protocol error: invalid bulk length");
  EXPECT_EQ(error_of("*1\r\n$01\r\na\r\n"), "Protocol error: invalid bulk length");
  EXPECT_EQ(error_of("*1\r\n$536870913\r\n"), "Protocol error: invalid bulk length");
  EXPECT_EQ(error_of("get \"a\r\n"), "Protocol error: unbalanced quotes in request");
  EXPECT_EQ(error_of("*" + std::string(70000, '1')), "Protocol error: too big mbulk count string");
  EXPECT_EQ(error_of("*1\r\n$" + std::string(70000, '1')), "Protocol error: too big bulk count string");
  EXPECT_EQ(error_of(std::string(70000, 'a')), "Protocol error: too big inline request");
}

TEST(RespParser, TakesOnlySmallRequestsBeforeAuthentication) {
  EXPECT_EQ(error_of("*11\r\n", false), "Protocol error: unauthenticated multibulk length");
  EXPECT_EQ(error_of("*1\r\n$16385\r\n", false), "Protocol error: unauthenticated bulk length");
  EXPECT_EQ(error_of("*10\r\n$16384\r\n", false), "");
  EXPECT_EQ(error_of("*11\r\n$16385\r\n", true), "");
}

TEST(RespParser, TakesNoRoomForArgumentsThatHaveOnlyBeenAnnounced) {
  // A million views would be 16 MB; the arena would have to make them at once if it were asked.
  ArgArena arena;
  std::deque<OwnedBytes> unquoted;
  ParseTarget to{arena, unquoted};
  RequestParser p;
  Bytes* before = arena.take(1);
  EXPECT_EQ(p.parse("*1000000\r\n$1\r\na\r\n", to), RequestParser::Status::kIncomplete);
  EXPECT_EQ(arena.take(1), before + 1);
}

TEST(RespParser, TellsHowMuchALargeArgumentNeeds) {
  ArgArena arena;
  std::deque<OwnedBytes> unquoted;
  ParseTarget to{arena, unquoted};
  RequestParser p;
  EXPECT_EQ(p.parse("*2\r\n$3\r\nGET\r\n$100000\r\nabc", to), RequestParser::Status::kIncomplete);
  EXPECT_EQ(p.wanted(), std::string("*2\r\n$3\r\nGET\r\n$100000\r\n").size() + 100000 + 2);
}

TEST(RespParser, AgreesWithTheModelOnAnythingInAnyPieces) {
  Seeded random;
  const std::string tokens[] = {"*",
                                "$",
                                "\r\n",
                                "\n",
                                "\r",
                                "1",
                                "2",
                                "3",
                                "0",
                                "-",
                                "a",
                                "GET",
                                " ",
                                "\"",
                                "'",
                                "\\x",
                                std::string(1, '\0'),
                                "*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
                                "$3\r\nfoo\r\n",
                                "*1\r\n$4\r\nPING\r\n",
                                "*3\r\n",
                                "$01\r\na\r\n",
                                "*02\r\n",
                                "$0\r\n\r\n"};
  for (int round = 0; round < 20000; round++) {
    std::string stream;
    for (uint64_t n = random.below(12); n; n--) stream += tokens[random.below(std::size(tokens))];
    bool trusted = random.chance(80);
    DumbResp whole(stream, 1000, trusted);
    RespFeeder f;
    f.max_bulk = 1000;
    f.trusted = trusted;
    for (size_t at = 0; at < stream.size();) {
      size_t n = 1 + random.below(stream.size());
      f.feed(Bytes(stream).substr(at, n));
      at += n;
    }
    ASSERT_EQ(f.requests, whole.requests) << testing::PrintToString(stream);
    ASSERT_EQ(f.error, whole.error) << testing::PrintToString(stream);
  }
}

}  // namespace
}  // namespace ringwood
