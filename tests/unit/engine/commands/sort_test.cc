// SORT and SORT_RO.
#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

class SortCommands : public CommandTest {
 protected:
  // Elements 1 to 4 with weights 30, 10, 40 and 20 in keys and hashes that lie on any shard.
  void weights() {
    run("RPUSH l 3 1 4 2");
    int i = 1;
    for (const char* weight : {"30", "10", "40", "20"}) {
      std::string n = std::to_string(i++);
      run("SET w_" + n + " " + weight);
      run("HSET h_" + n + " f " + weight + " name n" + n);
    }
    changes(), events();
  }
};
INSTANTIATE_TEST_SUITE_P(Shards, SortCommands, testing::Values(1, 2));

const std::string kNoDouble = error("ERR One or more scores can't be converted into double");

TEST_P(SortCommands, NumbersAreSorted) {
  run("RPUSH l 10 9 -1 1.5 1e1 0x8 -inf");
  EXPECT_EQ(run("SORT l"), bulks({"-inf", "-1", "1.5", "0x8", "9", "10", "1e1"}));
  EXPECT_EQ(run("SORT l DESC"), bulks({"1e1", "10", "9", "0x8", "1.5", "-1", "-inf"}));
  EXPECT_EQ(run("SORT l DESC ASC LIMIT 1 2"), bulks({"-1", "1.5"}));
  EXPECT_EQ(run("sort_ro l limit 5 10"), bulks({"10", "1e1"}));
  run("SADD s 30 4 200");
  EXPECT_EQ(run("SORT s"), bulks({"4", "30", "200"}));
  run("ZADD z 3 7 2 8 1 9");
  EXPECT_EQ(run("SORT z"), bulks({"7", "8", "9"}));
  EXPECT_EQ(encoding("z"), "listpack");
  EXPECT_EQ(run("SORT none"), kEmpty);
}

// A small sorted set does not hold such members as they are.
TEST_P(SortCommands, MembersThatBeginAlikeAreSorted) {
  run("ZADD z 1 item:2 2 item:1 3 item:33");
  EXPECT_EQ(run("SORT z ALPHA"), bulks({"item:1", "item:2", "item:33"}));
  EXPECT_EQ(run("SORT z BY nosort DESC LIMIT 0 2"), bulks({"item:33", "item:1"}));
  EXPECT_EQ(run("SORT z BY nosort"), bulks({"item:2", "item:1", "item:33"}));
}

TEST_P(SortCommands, OnlyNumbersAreSortedAsNumbers) {
  run("RPUSH l 1 x");
  EXPECT_EQ(run("SORT l"), kNoDouble);
  EXPECT_EQ(run("SORT l STORE dest"), kNoDouble);
  for (const char* bad : {"nan", "1x", "1e999"}) {
    run(std::string("LSET l 1 ") + bad);
    EXPECT_EQ(run("SORT l"), kNoDouble) << bad;
  }
  server.run({"LSET", "l", "1", " 5"});
  EXPECT_EQ(run("SORT l"), "*2\r\n" + bulk("1") + bulk(" 5"));
  server.run({"LSET", "l", "1", "5 "});
  EXPECT_EQ(run("SORT l"), kNoDouble);
  server.run({"LSET", "l", "1", " "});
  EXPECT_EQ(run("SORT l"), kNoDouble);
  run("LSET l 1 ''");
  EXPECT_EQ(run("SORT l"), bulks({"", "1"}));
}

TEST_P(SortCommands, TextIsSorted) {
  run("RPUSH l b 10 a 9 ''");
  EXPECT_EQ(run("SORT l ALPHA"), bulks({"", "10", "9", "a", "b"}));
  EXPECT_EQ(run("SORT l ALPHA DESC LIMIT 0 2"), bulks({"b", "a"}));
  run("SADD s 1 2 10");
  EXPECT_EQ(run("SORT s ALPHA"), bulks({"1", "10", "2"}));
}

TEST_P(SortCommands, TextIsSortedAsTheLocaleSays) {
  run("RPUSH l b B a A");
  EXPECT_EQ(run("CONFIG SET locale-collate C"), kOk);
  EXPECT_EQ(run("SORT l ALPHA"), bulks({"A", "B", "a", "b"}));
  EXPECT_EQ(run("SORT l ALPHA STORE dest"), number(4));
  EXPECT_EQ(members("LRANGE dest 0 -1"), (std::vector<std::string>{"A", "B", "a", "b"}));
}

TEST_P(SortCommands, LimitsAreCutToWhatIsThere) {
  run("RPUSH l 1 2 3");
  EXPECT_EQ(run("SORT l LIMIT -5 2"), bulks({"1", "2"}));
  EXPECT_EQ(run("SORT l LIMIT 1 -9"), bulks({"2", "3"}));
  EXPECT_EQ(run("SORT l LIMIT 1 0"), kEmpty);
  EXPECT_EQ(run("SORT l LIMIT 3 1"), kEmpty);
  EXPECT_EQ(run("SORT l LIMIT 1 9223372036854775807"), bulks({"2", "3"}));
  EXPECT_EQ(run("SORT l LIMIT 9223372036854775807 9223372036854775807"), kEmpty);
  EXPECT_EQ(run("SORT l LIMIT x 1"), kNotInteger);
  EXPECT_EQ(run("SORT l LIMIT 1 99999999999999999999"), kNotInteger);
}

TEST_P(SortCommands, OtherKeysMayGiveTheWeights) {
  weights();
  EXPECT_EQ(run("SORT l BY w_*"), bulks({"2", "4", "1", "3"}));
  EXPECT_EQ(run("SORT l BY h_*->f DESC"), bulks({"3", "1", "4", "2"}));
  EXPECT_EQ(run("SORT l BY w_* LIMIT 1 2"), bulks({"4", "1"}));
  EXPECT_EQ(run("SORT_RO l BY w_* LIMIT 0 1"), bulks({"2"}));
  run("DEL w_3");
  EXPECT_EQ(run("SORT l BY w_*"), bulks({"3", "2", "4", "1"}));  // none: 0
  run("SET w_3 x");
  EXPECT_EQ(run("SORT l BY w_*"), kNoDouble);
  EXPECT_EQ(run("SORT l BY w_* ALPHA"), bulks({"2", "4", "1", "3"}));
  run("DEL w_1 w_2");
  EXPECT_EQ(run("SORT l BY w_* ALPHA"), bulks({"1", "2", "4", "3"}));  // none comes first, in the list's order
  EXPECT_EQ(run("SORT l BY w_* ALPHA DESC"), bulks({"3", "4", "1", "2"}));
  EXPECT_EQ(run("SORT l BY h_*"), bulks({"1", "2", "3", "4"}));     // no strings
  EXPECT_EQ(run("SORT l BY w_*->f"), bulks({"1", "2", "3", "4"}));  // no hashes
}

TEST_P(SortCommands, EqualWeightsAreInTheOrderOfTheirElements) {
  run("RPUSH l b a c");
  EXPECT_EQ(run("SORT l BY none_*"), bulks({"a", "b", "c"}));
  EXPECT_EQ(run("SORT l BY none_* DESC"), bulks({"c", "b", "a"}));
}

TEST_P(SortCommands, APatternWithoutAStarLeavesTheOrder) {
  run("RPUSH l 3 x 2");
  EXPECT_EQ(run("SORT l BY nosort"), bulks({"3", "x", "2"}));
  EXPECT_EQ(run("SORT l BY nosort DESC"), bulks({"2", "x", "3"}));
  EXPECT_EQ(run("SORT l BY nosort DESC LIMIT 0 2"), bulks({"2", "x"}));
  EXPECT_EQ(run("SORT l BY nosort LIMIT 1 1"), bulks({"x"}));
  EXPECT_EQ(run("SORT l BY nosort BY w_*"), bulks({"3", "x", "2"}));
  run("ZADD z 1 c 2 a 3 b");
  EXPECT_EQ(run("SORT z BY nosort"), bulks({"c", "a", "b"}));
  EXPECT_EQ(run("SORT z BY nosort DESC LIMIT 1 2"), bulks({"a", "c"}));
  run("SADD s x b a");
  EXPECT_EQ(member_set("SORT s BY nosort"), (std::set<std::string>{"a", "b", "x"}));
  EXPECT_EQ(members("SORT s BY nosort LIMIT 1 1").size(), 1u);
  EXPECT_EQ(run("SORT s BY nosort STORE dest"), number(3));  // a set has no order to store
  EXPECT_EQ(members("LRANGE dest 0 -1"), (std::vector<std::string>{"a", "b", "x"}));
}

TEST_P(SortCommands, OtherValuesAreAnswered) {
  weights();
  EXPECT_EQ(run("SORT l GET #"), bulks({"1", "2", "3", "4"}));
  EXPECT_EQ(run("SORT l BY w_* LIMIT 0 2 GET # GET w_* GET h_*->name"), bulks({"2", "10", "n2", "4", "20", "n4"}));
  std::string nothing = "*4\r\n" + bulk("1") + kNull + bulk("2") + kNull;
  EXPECT_EQ(run("SORT l LIMIT 0 2 GET # GET none_*"), nothing);
  EXPECT_EQ(run("SORT l LIMIT 0 2 GET # GET w_1"), nothing);  // without '*'
  EXPECT_EQ(run("SORT l LIMIT 0 2 GET # GET h_*->none"), nothing);
  EXPECT_EQ(run("SORT l LIMIT 0 2 GET # GET h_*"), nothing);
  EXPECT_EQ(run3("SORT l LIMIT 0 1 GET none_*"), "*1\r\n" + kNull3);
  run("SET x1-> arrow");
  EXPECT_EQ(run("SORT l LIMIT 0 1 GET x*->"), bulks({"arrow"}));
  run("SET w_2suffix s");
  EXPECT_EQ(run("SORT l LIMIT 1 1 GET w_*suffix"), bulks({"s"}));
  run("SET w_2* star");
  EXPECT_EQ(run("SORT l LIMIT 1 1 GET w_**"), bulks({"star"}));  // only the first one stands for the element
  EXPECT_EQ(changes(), 3);                                       // the three SETs
}

TEST_P(SortCommands, ResultsAreStored) {
  weights();
  run("SET dest string");
  changes(), events();
  EXPECT_EQ(run("SORT l BY w_* STORE dest"), number(4));
  EXPECT_EQ(events(), "sortstore dest");
  EXPECT_EQ(changes(), 4);
  EXPECT_EQ(members("LRANGE dest 0 -1"), (std::vector<std::string>{"2", "4", "1", "3"}));
  EXPECT_EQ(encoding("dest"), "listpack");
  EXPECT_EQ(run("SORT l LIMIT 0 2 GET w_* GET none_* STORE l"), number(4));  // the list itself
  EXPECT_EQ(members("LRANGE l 0 -1"), (std::vector<std::string>{"30", "", "10", ""}));
  EXPECT_EQ(run("SORT dest LIMIT 9 9 STORE dest"), number(0));
  EXPECT_EQ(run("EXISTS dest"), number(0));
  EXPECT_EQ(events(), "sortstore l, del dest");
  EXPECT_EQ(changes(), 5);
  EXPECT_EQ(run("SORT none STORE dest"), number(0));
  EXPECT_EQ(changes(), 0);
  for (int i = 0; i < 4000; i++) run("RPUSH long " + std::to_string(i * 7919 % 4000));
  EXPECT_EQ(run("SORT long STORE other STORE dest"), number(4000));
  EXPECT_EQ(encoding("dest"), "quicklist");
  EXPECT_EQ(run("LRANGE dest 3998 -1"), bulks({"3998", "3999"}));
  EXPECT_EQ(run("EXISTS other"), number(0));
}

TEST_P(SortCommands, WhatIsWrongIsRefused) {
  run("RPUSH l 1");
  for (const char* line :
       {"SORT l JUNK", "SORT l LIMIT 1", "SORT l BY", "SORT l GET", "SORT l STORE", "SORT_RO l STORE dest", "SORT l STORE a b"})
    EXPECT_EQ(run(line), kSyntax) << line;
  EXPECT_EQ(run("SORT"), error("ERR wrong number of arguments for 'sort' command"));
  run("SET str 1");
  run("HSET h f v");
  for (const char* line : {"SORT str", "SORT h ALPHA", "SORT_RO str BY w_*", "SORT str STORE l"}) EXPECT_EQ(run(line), kWrongType) << line;
}

TEST_P(SortCommands, TheirKeysAreTheListAndTheDestination) {
  EXPECT_EQ(run("COMMAND GETKEYS SORT abc STORE def"), bulks({"abc", "def"}));
  EXPECT_EQ(run("COMMAND GETKEYS SORT abc BY store STORE x STORE def"), bulks({"abc", "def"}));
  EXPECT_EQ(run("COMMAND GETKEYS SORT abc BY w_* GET #"), bulks({"abc"}));
  EXPECT_EQ(run("COMMAND GETKEYS SORT_RO abc"), bulks({"abc"}));
  EXPECT_EQ(run("COMMAND GETKEYS SORT_RO abc STORE def"), bulks({"abc"}));
  EXPECT_EQ(run("COMMAND GETKEYS SORT abc some? more STORE def"), bulks({"abc", "def"}));
}

TEST_P(SortCommands, RunInTransactions) {
  weights();
  run("MULTI");
  run("SORT l BY w_*");
  run("SORT l STORE dest");
  EXPECT_EQ(run("EXEC"), "*2\r\n" + bulks({"2", "4", "1", "3"}) + number(4));
}

}  // namespace
}  // namespace ringwood
