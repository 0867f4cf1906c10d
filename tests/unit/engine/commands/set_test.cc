#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

using Names = std::set<std::string>;

class SetCommands : public CommandTest {
 protected:
  // A set of the integers [from, to), with `prefix` in front of each.
  void fill(const std::string& key, int from, int to, const std::string& prefix = "") {
    std::vector<std::string> args{"SADD", key};
    for (int i = from; i < to; i++) args.push_back(prefix + std::to_string(i));
    server.run(args);
  }
};
INSTANTIATE_TEST_SUITE_P(Shards, SetCommands, testing::Values(1, 2, 4));

TEST_P(SetCommands, AddingAndRemovingCountWhatChanged) {
  EXPECT_EQ(run("SADD s a b a"), number(2));
  EXPECT_EQ(run("SADD s b c"), number(1));
  EXPECT_EQ(run("SADD s c"), number(0));
  EXPECT_EQ(run("SCARD s"), number(3));
  EXPECT_EQ(run("SREM s a x"), number(1));
  EXPECT_EQ(run("SREM s x"), number(0));
  EXPECT_EQ(run("SREM s b c d"), number(2));
  EXPECT_EQ(entry("s"), nullptr);
  EXPECT_EQ(events(), "sadd s, sadd s, srem s, srem s, del s");
  EXPECT_EQ(changes(), 6);
  EXPECT_EQ(run("SREM s a"), number(0));
  EXPECT_EQ(run("SCARD s"), number(0));
}

TEST_P(SetCommands, OtherTypesAreRefused) {
  run("RPUSH l 1");
  run("SADD s 1");
  for (const char* line : {"SADD l 1", "SREM l 1", "SISMEMBER l 1", "SMISMEMBER l 1", "SCARD l", "SMEMBERS l", "SPOP l", "SPOP l 1",
                           "SRANDMEMBER l", "SMOVE l s 1", "SMOVE s l 1", "SINTER s l", "SINTER missing l", "SUNION s l", "SDIFF s l",
                           "SINTERSTORE t s l", "SINTERCARD 2 s l", "SSCAN l 0"})
    EXPECT_EQ(run(line), kWrongType) << line;
}

TEST_P(SetCommands, MembershipIsToldForOneOrMany) {
  run("SADD s a 1");
  EXPECT_EQ(run("SISMEMBER s a"), number(1));
  EXPECT_EQ(run("SISMEMBER s 1"), number(1));
  EXPECT_EQ(run("SISMEMBER s b"), number(0));
  EXPECT_EQ(run("SISMEMBER missing b"), number(0));
  EXPECT_EQ(run("SMISMEMBER s a b 1"), "*3\r\n:1\r\n:0\r\n:1\r\n");
  EXPECT_EQ(run("SMISMEMBER missing a b"), "*2\r\n:0\r\n:0\r\n");
}

TEST_P(SetCommands, MembersAreASetInResp3) {
  run("SADD s 1");
  EXPECT_EQ(run("SMEMBERS s"), bulks({"1"}));
  EXPECT_EQ(run3("SMEMBERS s"), bulks({"1"}, '~'));
  EXPECT_EQ(run3("SMEMBERS missing"), "~0\r\n");
  EXPECT_EQ(run3("SINTER s s"), bulks({"1"}, '~'));
  EXPECT_EQ(run3("SUNION s missing"), bulks({"1"}, '~'));
  EXPECT_EQ(run3("SDIFF s s"), "~0\r\n");
}

TEST_P(SetCommands, EncodingsFollowTheMembers) {
  run("SADD ints 1 2 3");
  EXPECT_EQ(encoding("ints"), "intset");
  run("SADD ints a");
  EXPECT_EQ(encoding("ints"), "listpack");
  fill("many", 0, 513);
  EXPECT_EQ(encoding("many"), "hashtable");
  fill("words", 0, 128, "w");
  EXPECT_EQ(encoding("words"), "listpack");
  run("SADD words more");
  EXPECT_EQ(encoding("words"), "hashtable");
  server.run({"SADD", "long", std::string(65, 'x')});
  EXPECT_EQ(encoding("long"), "hashtable");
}

TEST_P(SetCommands, MoveTakesAMemberToAnotherSet) {
  run("SADD a 1 2");
  run("SADD b 2");
  events();
  EXPECT_EQ(run("SMOVE a b 1"), number(1));
  EXPECT_EQ(events(), "srem a, sadd b");
  EXPECT_EQ(run("SMOVE a b 2"), number(1));
  EXPECT_EQ(events(), "srem a, del a");
  EXPECT_EQ(run("SMOVE b new x"), number(0));
  EXPECT_EQ(run("SMOVE b b 1"), number(1));
  EXPECT_EQ(run("SMOVE b b x"), number(0));
  EXPECT_EQ(run("SMOVE missing b 1"), number(0));
  EXPECT_EQ(run("SMOVE b new 1"), number(1));
  EXPECT_EQ(member_set("SMEMBERS new"), (Names{"1"}));
}

TEST_P(SetCommands, PopTakesDifferentMembersOut) {
  for (const char* prefix : {"", "w"}) {
    for (int size : {10, 300, 1000}) {
      for (int count : {1, size / 4, size - 1, size}) {
        fill("s", 0, size, prefix);
        Names taken = member_set("SPOP s " + std::to_string(count));
        EXPECT_EQ(taken.size(), static_cast<size_t>(count));
        Names left = member_set("SMEMBERS s");
        EXPECT_EQ(left.size(), static_cast<size_t>(size - count));
        for (const std::string& m : taken) EXPECT_EQ(left.count(m), 0u);
        run("SPOP s 100000");
        EXPECT_EQ(entry("s"), nullptr);
      }
    }
  }
}

TEST_P(SetCommands, PopOfOneAndItsFaults) {
  run("SADD s a");
  events(), changes();
  EXPECT_EQ(run("SPOP s 0"), kEmpty);
  EXPECT_EQ(run("SPOP s"), bulk("a"));
  EXPECT_EQ(events(), "spop s, del s");
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(run("SPOP s"), kNull);
  EXPECT_EQ(run("SPOP s 2"), kEmpty);
  EXPECT_EQ(run3("SPOP s 2"), "~0\r\n");
  EXPECT_EQ(run("SPOP s -1"), error("ERR value is out of range, must be positive"));
  EXPECT_EQ(run("SPOP s 1 2"), kSyntax);
}

TEST_P(SetCommands, RandomMembersAreDifferentOrRepeated) {
  for (int size : {3, 100, 600}) {
    fill("s", 0, size, size == 600 ? "w" : "");
    for (int count : {1, 2, size / 2, size, 2 * size})
      EXPECT_EQ(member_set("SRANDMEMBER s " + std::to_string(count)).size(), static_cast<size_t>(std::min(count, size)));
    EXPECT_EQ(members("SRANDMEMBER s -2000").size(), 2000u);
    Names some = member_set("SRANDMEMBER s 2");
    for (const std::string& m : some) EXPECT_EQ(run("SISMEMBER s " + m), number(1));
    run("SPOP s 1000");
  }
  EXPECT_EQ(run("SRANDMEMBER missing"), kNull);
  EXPECT_EQ(run("SRANDMEMBER missing 3"), kEmpty);
  EXPECT_EQ(run3("SRANDMEMBER missing 3"), kEmpty);
  EXPECT_EQ(run("SRANDMEMBER s 1 2"), kSyntax);
  EXPECT_EQ(run("SRANDMEMBER s x"), kNotInteger);
  EXPECT_EQ(run("SRANDMEMBER s -9223372036854775808"),
            error("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"));
}

TEST_P(SetCommands, IntersectionUnionAndDifferenceOfAllEncodings) {
  fill("ints", 0, 20);
  run("SADD words 5 6 a b");
  fill("table", 3, 700);
  EXPECT_EQ(member_set("SINTER ints words table"), (Names{"5", "6"}));
  EXPECT_EQ(member_set("SINTER ints words missing"), Names{});
  EXPECT_EQ(member_set("SINTER words words"), (Names{"5", "6", "a", "b"}));
  EXPECT_EQ(member_set("SDIFF words ints"), (Names{"a", "b"}));
  EXPECT_EQ(member_set("SDIFF ints table words missing"), (Names{"0", "1", "2"}));
  EXPECT_EQ(member_set("SDIFF missing ints"), Names{});
  EXPECT_EQ(member_set("SDIFF table words ints words").size(), 680u);
  EXPECT_EQ(member_set("SUNION words ints missing").size(), 22u);
  EXPECT_EQ(run("SINTERCARD 2 ints table"), number(17));
  EXPECT_EQ(run("SINTERCARD 2 ints table LIMIT 5"), number(5));
  EXPECT_EQ(run("SINTERCARD 2 ints table LIMIT 0"), number(17));
}

TEST_P(SetCommands, StoreFormsReplaceOrDeleteTheTarget) {
  fill("a", 0, 10);
  fill("b", 5, 15);
  run("SADD words x y 7");
  run("RPUSH target 1");
  events(), changes();
  EXPECT_EQ(run("SINTERSTORE target a b"), number(5));
  EXPECT_EQ(encoding("target"), "intset");
  EXPECT_EQ(run("SUNIONSTORE target a words"), number(12));
  EXPECT_EQ(encoding("target"), "listpack");
  EXPECT_EQ(run("SDIFFSTORE target a b words"), number(5));
  EXPECT_EQ(run("SINTERSTORE target a words"), number(1));
  EXPECT_EQ(encoding("target"), "intset");
  EXPECT_EQ(run("SINTERSTORE a a b"), number(5));
  EXPECT_EQ(events(), "sinterstore target, sunionstore target, sdiffstore target, sinterstore target, sinterstore a");
  EXPECT_EQ(changes(), 5);
  EXPECT_EQ(run("SDIFFSTORE target a a"), number(0));
  EXPECT_EQ(entry("target"), nullptr);
  EXPECT_EQ(events(), "del target");
  EXPECT_EQ(run("SINTERSTORE target a missing"), number(0));
  EXPECT_EQ(events(), "");
}

TEST_P(SetCommands, IntersectionCountNamesItsFaults) {
  EXPECT_EQ(run("SINTERCARD 0 a"), error("ERR numkeys should be greater than 0"));
  EXPECT_EQ(run("SINTERCARD x a"), error("ERR numkeys should be greater than 0"));
  EXPECT_EQ(run("SINTERCARD 2 a"), error("ERR Number of keys can't be greater than number of args"));
  EXPECT_EQ(run("SINTERCARD 1 a LIMIT -1"), error("ERR LIMIT can't be negative"));
  EXPECT_EQ(run("SINTERCARD 1 a LIMIT"), kSyntax);
  EXPECT_EQ(run("SINTERCARD 1 a b"), kSyntax);
}

TEST_P(SetCommands, ScanGivesSmallSetsWholeAndLargeOnesInSteps) {
  run("SADD s 1 2 a");
  EXPECT_EQ(run("SSCAN missing 0"), "*2\r\n$1\r\n0\r\n*0\r\n");
  EXPECT_EQ(member_set("SSCAN s 0 MATCH a COUNT 1"), (Names{"0", "a"}));
  fill("large", 0, 1000);
  Names seen;
  std::string cursor = "0";
  int steps = 0;
  do {
    std::vector<std::string> reply = members("SSCAN large " + cursor + " COUNT 10");
    cursor = reply[0];
    seen.insert(reply.begin() + 1, reply.end());
    steps++;
  } while (cursor != "0");
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_GT(steps, 10);
  EXPECT_EQ(run("SSCAN s x"), error("ERR invalid cursor"));
  EXPECT_EQ(run("SSCAN s 18446744073709551616"), error("ERR invalid cursor"));
  EXPECT_EQ(run("SSCAN s 0 COUNT 0"), kSyntax);
  EXPECT_EQ(run("SSCAN s 0 COUNT x"), kNotInteger);
  EXPECT_EQ(run("SSCAN s 0 TYPE set"), kSyntax);
}

}  // namespace
}  // namespace ringwood
