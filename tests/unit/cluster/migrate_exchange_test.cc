#include "cluster/migrate_exchange.h"

#include <gtest/gtest.h>

namespace ringwood {
namespace {

using Exchange = MigrateExchange;
using What = Exchange::What;
using Answer = Exchange::Answer;
using State = Exchange::State;

// All that it wants to say now.
std::string said(Exchange& x, int64_t now_ms = 0, size_t most = 1 << 20) {
  std::string out;
  x.fill(out, most, now_ms);
  return out;
}

TEST(MigrateExchange, SendsKeysAtOnceWhereNoGreetingIsNeeded) {
  Exchange x({.database = 9}, {{What::kRestore, "a", "AAA"}, {What::kReplace, "bb", "B", 1500}});
  EXPECT_EQ(said(x, 1000),
            "*4\r\n$7\r\nRESTORE\r\n$1\r\na\r\n$1\r\n0\r\n$3\r\nAAA\r\n"
            "*5\r\n$7\r\nRESTORE\r\n$2\r\nbb\r\n$3\r\n500\r\n$1\r\nB\r\n$7\r\nREPLACE\r\n");
  EXPECT_TRUE(x.all_sent());
  EXPECT_FALSE(x.any_answer());
  EXPECT_EQ(x.received("+OK\r"), State::kSending);
  EXPECT_EQ(x.received("\n+O"), State::kSending);
  EXPECT_TRUE(x.any_answer());
  EXPECT_EQ(x.answer(0), Answer::kAccepted);
  EXPECT_EQ(x.answer(1), Answer::kNone);
  EXPECT_EQ(x.received("K\r\n"), State::kDone);
  EXPECT_EQ(x.answer(1), Answer::kAccepted);
  EXPECT_TRUE(x.greeted());
  EXPECT_EQ(x.error(), "");
}

TEST(MigrateExchange, SendsNoKeyBeforeTheGreetingIsAnswered) {
  Exchange x({.user = "u", .password = "p", .authenticate = true, .database = 3, .select = true}, {{What::kRestore, "a", "A"}});
  EXPECT_EQ(said(x), "*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$1\r\np\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n");
  EXPECT_EQ(said(x), "");
  EXPECT_FALSE(x.all_sent());
  EXPECT_EQ(x.received("+OK\r\n"), State::kGreeting);
  EXPECT_EQ(said(x), "");
  EXPECT_EQ(x.received("+OK\r\n"), State::kSending);
  EXPECT_EQ(said(x), "*4\r\n$7\r\nRESTORE\r\n$1\r\na\r\n$1\r\n0\r\n$1\r\nA\r\n");
  EXPECT_EQ(x.received("+OK\r\n"), State::kDone);
}

TEST(MigrateExchange, EndsWithAnErrorInTheGreeting) {
  Exchange x({.password = "p", .authenticate = true, .database = 3, .select = true}, {{What::kRestore, "a", "A"}});
  EXPECT_EQ(said(x), "*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n");
  EXPECT_EQ(x.received("-WRONGPASS no\r\n-NOAUTH neither\r\n"), State::kDone);
  EXPECT_EQ(said(x), "");
  EXPECT_EQ(x.answer(0), Answer::kNone);
  EXPECT_FALSE(x.greeted());
  EXPECT_EQ(x.error(), "WRONGPASS no");
}

TEST(MigrateExchange, KeepsTheFirstErrorAndWhatWasAccepted) {
  Exchange x({}, {{What::kRestore, "a", "A"}, {What::kRestore, "b", "B"}, {What::kRestore, "c", "C"}});
  said(x);
  EXPECT_EQ(x.received("-BUSYKEY one\r\n+OK\r\n-ERR two\r\n"), State::kDone);
  EXPECT_EQ(x.answer(0), Answer::kRefused);
  EXPECT_EQ(x.answer(1), Answer::kAccepted);
  EXPECT_EQ(x.answer(2), Answer::kRefused);
  EXPECT_EQ(x.error(), "BUSYKEY one");
}

TEST(MigrateExchange, AsksANodeOfAClusterAndDeletesThereByTwoLines) {
  Exchange x({.asking = true}, {{What::kDelete, "a", ""}, {What::kRestore, "b", "B"}, {What::kDelete, "c", ""}});
  EXPECT_EQ(said(x),
            "*1\r\n$6\r\nASKING\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n"
            "*4\r\n$14\r\nRESTORE-ASKING\r\n$1\r\nb\r\n$1\r\n0\r\n$1\r\nB\r\n"
            "*1\r\n$6\r\nASKING\r\n*2\r\n$3\r\nDEL\r\n$1\r\nc\r\n");
  EXPECT_EQ(x.received("+OK\r\n:1\r\n-BUSYKEY\r\n+OK\r\n"), State::kSending);
  EXPECT_EQ(x.answer(0), Answer::kAccepted);
  EXPECT_EQ(x.answer(1), Answer::kRefused);
  EXPECT_EQ(x.answer(2), Answer::kNone);
  EXPECT_EQ(x.received(":0\r\n"), State::kDone);
  EXPECT_EQ(x.answer(2), Answer::kAccepted);
}

TEST(MigrateExchange, SaysTheSameInPiecesOfAnySize) {
  const std::string large(1000, 'x');
  std::vector<Exchange::Item> items{{What::kReplace, "key", large, 77}, {What::kDelete, "gone", ""}, {What::kRestore, "k", "short"}};
  Exchange whole({}, items);
  const std::string wanted = said(whole, 7);
  for (size_t most : {1, 2, 7, 64, 999}) {
    Exchange x({}, items);
    std::string all;
    for (std::string piece; !(piece = said(x, 7, most)).empty();) {
      // What stands around a payload is not cut, a payload is.
      EXPECT_LE(piece.size(), most + 128);
      EXPECT_NE(all.size() + piece.size() == wanted.size(), !x.all_sent());
      all += piece;
    }
    EXPECT_EQ(all, wanted);
  }
}

TEST(MigrateExchange, GivesUpOnWhatIsNoAnswer) {
  for (const char* text : {"$3\r\n", "HTTP/1.0 400 Bad request\r\n", "\r\n", "+OK\r\n+OK\r\n"}) {
    Exchange x({}, {{What::kRestore, "a", "A"}});
    said(x);
    EXPECT_EQ(x.received(text), State::kBroken) << text;
  }
  Exchange x({}, {{What::kRestore, "a", "A"}});
  EXPECT_EQ(x.received(std::string(70'000, '+')), State::kBroken);
}

}  // namespace
}  // namespace ringwood
