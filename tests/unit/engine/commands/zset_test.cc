#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

class ZSetCommands : public CommandTest {
 protected:
  // Members "m0", "m1", … with their number as score; large enough for the B+ tree from 129 on.
  void fill(const std::string& key, int n, bool same_score = false) {
    std::vector<std::string> args{"ZADD", key};
    for (int i = 0; i < n; i++) args.insert(args.end(), {same_score ? "0" : std::to_string(i), name(i)});
    server.run(args);
  }
  static std::string name(int i) {
    std::string digits = std::to_string(i);
    return "m" + std::string(4 - digits.size(), '0') + digits;
  }
};
INSTANTIATE_TEST_SUITE_P(Shards, ZSetCommands, testing::Values(1, 2));

TEST_P(ZSetCommands, AddingCountsNewMembersAndWithChTheChangedOnesToo) {
  EXPECT_EQ(run("ZADD z 1 a 2 b 1 a"), number(2));
  EXPECT_EQ(run("ZADD z 5 a 3 c"), number(1));
  EXPECT_EQ(run("ZADD z CH 6 a 4 c 1 d"), number(3));
  EXPECT_EQ(run("ZADD z CH 6 a"), number(0));
  EXPECT_EQ(run("ZCARD z"), number(4));
  EXPECT_EQ(events(), "zadd z, zadd z, zadd z");
  EXPECT_EQ(changes(), 7);
}

TEST_P(ZSetCommands, ConditionsForbidAddingOrUpdating) {
  run("ZADD z 10 x");
  EXPECT_EQ(run("ZADD z XX CH 5 x 6 y"), number(1));
  EXPECT_EQ(run("ZADD z NX CH 7 x 6 y"), number(1));
  EXPECT_EQ(run("ZADD z GT CH 4 x 7 y"), number(1));
  EXPECT_EQ(run("ZADD z LT CH 4 x 8 y"), number(1));
  EXPECT_EQ(run("ZADD z XX GT CH 9 x 9 new"), number(1));
  EXPECT_EQ(run("ZADD missing XX 1 a"), number(0));
  EXPECT_EQ(entry("missing"), nullptr);
  EXPECT_EQ(run("ZADD z NX XX 1 a"), error("ERR XX and NX options at the same time are not compatible"));
  for (const char* line : {"ZADD z GT LT 1 a", "ZADD z NX GT 1 a", "ZADD z LT NX 1 a"})
    EXPECT_EQ(run(line), error("ERR GT, LT, and/or NX options at the same time are not compatible"));
}

TEST_P(ZSetCommands, IncrementAnswersTheNewScoreOrNil) {
  EXPECT_EQ(run("ZADD z INCR 1.5 a"), bulk("1.5"));
  EXPECT_EQ(run("ZINCRBY z 2 a"), bulk("3.5"));
  EXPECT_EQ(run3("ZINCRBY z 0 a"), ",3.5\r\n");
  EXPECT_EQ(run("ZADD z NX INCR 1 a"), kNull);
  EXPECT_EQ(run("ZADD z GT INCR -1 a"), kNull);
  EXPECT_EQ(run("ZADD missing XX INCR 1 a"), kNull);
  EXPECT_EQ(events(), "zincr z, zincr z");
  EXPECT_EQ(run("ZADD z INCR 1 a 2 b"), error("ERR INCR option supports a single increment-element pair"));
  run("ZADD z +inf a");
  EXPECT_EQ(run("ZINCRBY z -inf a"), error("ERR resulting score is not a number (NaN)"));
  EXPECT_EQ(run("ZSCORE z a"), bulk("inf"));
}

TEST_P(ZSetCommands, ABadScoreLeavesEverythingAsItIs) {
  EXPECT_EQ(run("ZADD z 1 a x b"), kNotFloat);
  EXPECT_EQ(run("ZADD z nan a"), kNotFloat);
  EXPECT_EQ(run("ZADD z 1 a 2"), kSyntax);
  EXPECT_EQ(run("ZADD z NX CH"), kSyntax);
  EXPECT_EQ(run("ZINCRBY z nx a"), kSyntax);
  EXPECT_EQ(entry("z"), nullptr);
}

TEST_P(ZSetCommands, OtherTypesAreRefused) {
  run("RPUSH l 1");
  for (const char* line : {"ZADD l 1 a",
                           "ZINCRBY l 1 a",
                           "ZREM l a",
                           "ZSCORE l a",
                           "ZMSCORE l a",
                           "ZCARD l",
                           "ZCOUNT l 0 1",
                           "ZLEXCOUNT l - +",
                           "ZRANK l a",
                           "ZREVRANK l a WITHSCORE",
                           "ZRANGE l 0 1",
                           "ZRANGESTORE t l 0 1",
                           "ZRANGEBYSCORE l 0 1",
                           "ZREMRANGEBYRANK l 0 1",
                           "ZPOPMIN l",
                           "ZMPOP 1 l MIN",
                           "ZRANDMEMBER l",
                           "ZUNION 1 l",
                           "ZINTERCARD 1 l",
                           "ZDIFFSTORE t 1 l",
                           "ZSCAN l 0"})
    EXPECT_EQ(run(line), kWrongType) << line;
}

TEST_P(ZSetCommands, ScoresAndRanksOfMembers) {
  for (int n : {5, 200}) {
    fill("z", n);
    EXPECT_EQ(run("ZSCORE z m0003"), bulk("3"));
    EXPECT_EQ(run3("ZSCORE z m0003"), ",3\r\n");
    EXPECT_EQ(run("ZSCORE z x"), kNull);
    EXPECT_EQ(run("ZMSCORE z m0001 x"), "*2\r\n" + bulk("1") + kNull);
    EXPECT_EQ(run("ZRANK z m0003"), number(3));
    EXPECT_EQ(run("ZREVRANK z m0003"), number(n - 4));
    EXPECT_EQ(run("ZRANK z m0003 WITHSCORE"), "*2\r\n:3\r\n" + bulk("3"));
    EXPECT_EQ(run3("ZREVRANK z m0000 WITHSCORE"), "*2\r\n" + number(n - 1) + ",0\r\n");
    EXPECT_EQ(run("ZRANK z x"), kNull);
    EXPECT_EQ(run("ZRANK z x WITHSCORE"), kNullArray);
    EXPECT_EQ(encoding("z"), n > 128 ? "skiplist" : "listpack");
  }
  EXPECT_EQ(run("ZMSCORE missing a"), "*1\r\n" + kNull);
  EXPECT_EQ(run("ZRANK missing a WITHSCORE"), kNullArray);
  EXPECT_EQ(run("ZRANK z a WITHSCORES"), kSyntax);
  EXPECT_EQ(run("ZRANK z a WITHSCORE x"), error("ERR wrong number of arguments for 'zrank' command"));
}

TEST_P(ZSetCommands, RemovingTheLastMemberDeletesTheKey) {
  run("ZADD z 1 a 2 b");
  events(), changes();
  EXPECT_EQ(run("ZREM z a x"), number(1));
  EXPECT_EQ(run("ZREM z b"), number(1));
  EXPECT_EQ(entry("z"), nullptr);
  EXPECT_EQ(events(), "zrem z, zrem z, del z");
  EXPECT_EQ(changes(), 2);
  EXPECT_EQ(run("ZREM z b"), number(0));
}

TEST_P(ZSetCommands, RangesByRankScoreAndMember) {
  for (int n : {10, 200}) {
    fill("z", n);
    EXPECT_EQ(run("ZRANGE z 1 2"), bulks({"m0001", "m0002"}));
    EXPECT_EQ(run("ZRANGE z 1 2 REV"), bulks({name(n - 2), name(n - 3)}));
    EXPECT_EQ(run("ZREVRANGE z -2 -1 WITHSCORES"), bulks({"m0001", "1", "m0000", "0"}));
    EXPECT_EQ(run3("ZRANGE z 0 0 WITHSCORES"), "*1\r\n*2\r\n" + bulk("m0000") + ",0\r\n");
    EXPECT_EQ(run("ZRANGE z 5 2"), kEmpty);
    EXPECT_EQ(run("ZRANGE z (1 3 BYSCORE"), bulks({"m0002", "m0003"}));
    EXPECT_EQ(run("ZRANGE z (3 1 BYSCORE REV"), bulks({"m0002", "m0001"}));
    EXPECT_EQ(run("ZRANGEBYSCORE z -inf +inf LIMIT 1 2"), bulks({"m0001", "m0002"}));
    EXPECT_EQ(run("ZREVRANGEBYSCORE z 5 3 LIMIT 1 -1"), bulks({"m0004", "m0003"}));
    EXPECT_EQ(run("ZRANGEBYSCORE z 0 5 LIMIT -1 2"), kEmpty);
    EXPECT_EQ(run("ZRANGEBYSCORE z 0 5 LIMIT 0 0"), kEmpty);
    EXPECT_EQ(run("ZRANGEBYSCORE z 2 2 WITHSCORES"), bulks({"m0002", "2"}));
    EXPECT_EQ(run("ZCOUNT z (1 3"), number(2));
    EXPECT_EQ(run("ZCOUNT z '' 3"), number(4));
    EXPECT_EQ(run("ZCOUNT z 3 1e400"), number(n - 3));
    fill("lex", n, true);
    EXPECT_EQ(run("ZRANGE lex [m0001 (m0003 BYLEX"), bulks({"m0001", "m0002"}));
    EXPECT_EQ(run("ZRANGEBYLEX lex - [m0001"), bulks({"m0000", "m0001"}));
    EXPECT_EQ(run("ZREVRANGEBYLEX lex + - LIMIT 0 1"), bulks({name(n - 1)}));
    EXPECT_EQ(run("ZRANGEBYLEX lex + -"), kEmpty);
    EXPECT_EQ(run("ZLEXCOUNT lex (m0001 +"), number(n - 2));
  }
  EXPECT_EQ(run("ZRANGE missing 0 -1"), kEmpty);
  EXPECT_EQ(run("ZCOUNT missing 0 1"), number(0));
}

TEST_P(ZSetCommands, RangesNameTheFaultOfTheirArguments) {
  EXPECT_EQ(run("ZRANGE z x 1"), kNotInteger);
  EXPECT_EQ(run("ZRANGE z x 1 BYSCORE"), error("ERR min or max is not a float"));
  EXPECT_EQ(run("ZCOUNT z nan 1"), error("ERR min or max is not a float"));
  EXPECT_EQ(run("ZRANGE z x [a BYLEX"), error("ERR min or max not valid string range item"));
  EXPECT_EQ(run("ZLEXCOUNT z -x +"), error("ERR min or max not valid string range item"));
  EXPECT_EQ(run("ZRANGE z 0 1 LIMIT 0 1"), error("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"));
  EXPECT_EQ(run("ZRANGE z - + BYLEX WITHSCORES"), error("ERR syntax error, WITHSCORES not supported in combination with BYLEX"));
  EXPECT_EQ(run("ZRANGE z 0 1 LIMIT 0"), kSyntax);
  EXPECT_EQ(run("ZREVRANGE z 0 1 REV"), kSyntax);
  EXPECT_EQ(run("ZRANGEBYSCORE z 0 1 BYLEX"), kSyntax);
  EXPECT_EQ(run("ZRANGESTORE t z 0 1 WITHSCORES"), kSyntax);
  EXPECT_EQ(run("ZRANGEBYSCORE z 0 1 LIMIT 0 x"), kNotInteger);
}

TEST_P(ZSetCommands, StoringARangeReplacesOrDeletesTheTarget) {
  fill("z", 200);
  run("RPUSH t 1");
  events(), changes();
  EXPECT_EQ(run("ZRANGESTORE t z 0 2"), number(3));
  EXPECT_EQ(run("ZRANGE t 0 -1 WITHSCORES"), bulks({"m0000", "0", "m0001", "1", "m0002", "2"}));
  EXPECT_EQ(encoding("t"), "listpack");
  EXPECT_EQ(run("ZRANGESTORE t z +inf -inf BYSCORE REV LIMIT 0 150"), number(150));
  EXPECT_EQ(encoding("t"), "skiplist");
  EXPECT_EQ(run("ZRANGE t 0 0"), bulks({"m0050"}));
  EXPECT_EQ(run("ZRANGESTORE t z 5 1"), number(0));
  EXPECT_EQ(entry("t"), nullptr);
  EXPECT_EQ(events(), "zrangestore t, zrangestore t, del t");
  EXPECT_EQ(changes(), 3);
  EXPECT_EQ(run("ZRANGESTORE z z 0 1"), number(2));
  EXPECT_EQ(run("ZRANGESTORE t missing 0 1"), number(0));
}

TEST_P(ZSetCommands, RemovingRanges) {
  for (int n : {20, 200}) {
    fill("z", n);
    EXPECT_EQ(run("ZREMRANGEBYRANK z 0 1"), number(2));
    EXPECT_EQ(run("ZREMRANGEBYSCORE z (2 4"), number(2));
    EXPECT_EQ(run("ZREMRANGEBYSCORE z 3 4"), number(0));
    EXPECT_EQ(run("ZRANGE z 0 1"), bulks({"m0002", "m0005"}));
    events();
    EXPECT_EQ(run("ZREMRANGEBYRANK z 0 -1"), number(n - 4));
    EXPECT_EQ(events(), "zremrangebyrank z, del z");
    fill("lex", n, true);
    EXPECT_EQ(run("ZREMRANGEBYLEX lex - (m0002"), number(2));
    EXPECT_EQ(run("ZREMRANGEBYLEX lex - +"), number(n - 2));
    EXPECT_EQ(entry("lex"), nullptr);
  }
  EXPECT_EQ(run("ZREMRANGEBYRANK z x 1"), kNotInteger);
  EXPECT_EQ(run("ZREMRANGEBYRANK missing 0 1"), number(0));
}

TEST_P(ZSetCommands, PoppingTheEnds) {
  run("ZADD z 1 a 2 b 3 c 4 d");
  events(), changes();
  EXPECT_EQ(run("ZPOPMIN z"), bulks({"a", "1"}));
  EXPECT_EQ(run3("ZPOPMAX z"), "*2\r\n" + bulk("d") + ",4\r\n");
  EXPECT_EQ(run3("ZPOPMIN z 1"), "*1\r\n*2\r\n" + bulk("b") + ",2\r\n");
  EXPECT_EQ(run("ZPOPMAX z 0"), kEmpty);
  EXPECT_EQ(run("ZPOPMAX z 5"), bulks({"c", "3"}));
  EXPECT_EQ(events(), "zpopmin z, zpopmax z, zpopmin z, zpopmax z, del z");
  EXPECT_EQ(changes(), 4);
  EXPECT_EQ(run("ZPOPMIN z"), kEmpty);
  EXPECT_EQ(run("ZPOPMIN z -1"), error("ERR value is out of range, must be positive"));
  EXPECT_EQ(run("ZPOPMIN z 1 2"), kSyntax);
}

TEST_P(ZSetCommands, ManyPopTakesFromTheFirstThatIsThere) {
  fill("z", 200);
  EXPECT_EQ(run("ZMPOP 2 missing z MAX COUNT 2"), "*2\r\n" + bulk("z") + "*2\r\n" + bulks({"m0199", "199"}) + bulks({"m0198", "198"}));
  EXPECT_EQ(run("ZMPOP 2 missing z MIN"), "*2\r\n" + bulk("z") + "*1\r\n" + bulks({"m0000", "0"}));
  EXPECT_EQ(run("ZMPOP 1 missing MIN"), kNullArray);
  EXPECT_EQ(run("ZMPOP 0 z MIN"), error("ERR numkeys should be greater than 0"));
  EXPECT_EQ(run("ZMPOP 2 z MIN"), kSyntax);
  EXPECT_EQ(run("ZMPOP 1 z LEFT"), kSyntax);
  EXPECT_EQ(run("ZMPOP 1 z MIN COUNT 0"), error("ERR count should be greater than 0"));
}

TEST_P(ZSetCommands, RandomMembersComeWithTheirScores) {
  for (int n : {5, 300}) {
    fill("z", n);
    for (int count : {1, 2, n / 2, n, 2 * n}) {
      std::vector<std::string> reply = members("ZRANDMEMBER z " + std::to_string(count) + " WITHSCORES");
      ASSERT_EQ(reply.size(), 2u * static_cast<size_t>(std::min(count, n)));
      std::set<std::string> different;
      for (size_t i = 0; i < reply.size(); i += 2) {
        EXPECT_EQ(reply[i], name(std::stoi(reply[i + 1])));
        different.insert(reply[i]);
      }
      EXPECT_EQ(different.size(), reply.size() / 2);
    }
    EXPECT_EQ(members("ZRANDMEMBER z -1200").size(), 1200u);
  }
  run("ZADD one 1.5 a");
  EXPECT_EQ(run3("ZRANDMEMBER one 3 WITHSCORES"), "*1\r\n*2\r\n" + bulk("a") + ",1.5\r\n");
  EXPECT_EQ(run("ZRANDMEMBER one"), bulk("a"));
  EXPECT_EQ(run("ZRANDMEMBER missing"), kNull);
  EXPECT_EQ(run("ZRANDMEMBER missing 1"), kEmpty);
  EXPECT_EQ(run("ZRANDMEMBER one 1 SCORES"), kSyntax);
}

TEST_P(ZSetCommands, UnionAndIntersectionWeighAndAggregate) {
  run("ZADD a 1 x 2 y 3 z");
  run("ZADD b 10 y 20 z 30 w");
  run("SADD s y w");
  EXPECT_EQ(run("ZUNION 2 a b WITHSCORES"), bulks({"x", "1", "y", "12", "z", "23", "w", "30"}));
  EXPECT_EQ(run("ZUNION 2 a b"), bulks({"x", "y", "z", "w"}));
  EXPECT_EQ(run("ZINTER 2 a b WITHSCORES"), bulks({"y", "12", "z", "23"}));
  EXPECT_EQ(run3("ZINTER 2 a s WITHSCORES"), "*1\r\n*2\r\n" + bulk("y") + ",3\r\n");
  EXPECT_EQ(run("ZINTER 2 a b WEIGHTS 2 0.5 AGGREGATE MAX WITHSCORES"), bulks({"y", "5", "z", "10"}));
  EXPECT_EQ(run("ZUNION 2 a s AGGREGATE MIN WITHSCORES"), bulks({"w", "1", "x", "1", "y", "1", "z", "3"}));
  EXPECT_EQ(run("ZUNION 2 a a WITHSCORES"), bulks({"x", "2", "y", "4", "z", "6"}));
  EXPECT_EQ(run("ZINTER 2 a a WEIGHTS 1 3 WITHSCORES"), bulks({"x", "4", "y", "8", "z", "12"}));
  EXPECT_EQ(run("ZINTER 2 a missing"), kEmpty);
  EXPECT_EQ(run("ZINTERCARD 2 a b"), number(2));
  EXPECT_EQ(run("ZINTERCARD 2 a b LIMIT 1"), number(1));
}

TEST_P(ZSetCommands, OppositeInfinitiesSumUpToZero) {
  run("ZADD a +inf x");
  run("ZADD b -inf x");
  EXPECT_EQ(run("ZUNION 2 a b WITHSCORES"), bulks({"x", "0"}));
  EXPECT_EQ(run("ZINTER 2 a b WITHSCORES"), bulks({"x", "0"}));
  EXPECT_EQ(run("ZUNION 1 a WEIGHTS 0 WITHSCORES"), bulks({"x", "0"}));
}

TEST_P(ZSetCommands, DifferenceByBothAlgorithms) {
  fill("a", 300);
  fill("b", 297);
  run("ZADD c 1 m0299 1 other");
  EXPECT_EQ(run("ZDIFF 2 a b WITHSCORES"), bulks({"m0297", "297", "m0298", "298", "m0299", "299"}));
  EXPECT_EQ(run("ZDIFF 3 a b c"), bulks({"m0297", "m0298"}));
  // Many small sets behind a large one: removing costs less than asking.
  EXPECT_EQ(run("ZDIFFSTORE t 7 a c c c c c c"), number(299));
  EXPECT_EQ(encoding("t"), "skiplist");
  EXPECT_EQ(run("ZDIFF 2 a a"), kEmpty);
  EXPECT_EQ(run("ZDIFF 2 missing a"), kEmpty);
  EXPECT_EQ(run("ZDIFFSTORE t 1 c"), number(2));
  EXPECT_EQ(encoding("t"), "listpack");
}

TEST_P(ZSetCommands, AnIntersectionPassesOverInfinityTimesNothing) {
  run("ZADD a 2 m");
  run("ZADD b inf m 1 n");
  EXPECT_EQ(run("ZINTER 2 a b WEIGHTS 3 0 WITHSCORES"), bulks({"m", "0"}));
  EXPECT_EQ(run("ZINTER 2 a b WEIGHTS 3 0 AGGREGATE MIN WITHSCORES"), bulks({"m", "6"}));
  EXPECT_EQ(run("ZINTER 2 a b WEIGHTS -3 0 AGGREGATE MAX WITHSCORES"), bulks({"m", "-6"}));
  EXPECT_EQ(run("ZUNION 2 a b WEIGHTS 3 0 WITHSCORES"), bulks({"n", "0", "m", "6"}));
  run("ZADD c inf m");
  EXPECT_EQ(run("ZINTER 2 c a WEIGHTS 0 3 WITHSCORES"), bulks({"m", "6"}));
}

TEST_P(ZSetCommands, AUnionKeepsTheSignOfZero) {
  run("ZADD a 0 m");
  EXPECT_EQ(run("ZUNION 1 a WEIGHTS -1 WITHSCORES"), bulks({"m", "-0"}));
  EXPECT_EQ(run("ZUNION 2 a a WEIGHTS -1 1 WITHSCORES"), bulks({"m", "0"}));
  EXPECT_EQ(run("ZUNION 3 a a a WEIGHTS -1 -1 -1 WITHSCORES"), bulks({"m", "-0"}));
}

TEST_P(ZSetCommands, StoreFormsReplaceOrDeleteTheTarget) {
  run("ZADD a 1 x 2 y");
  run("ZADD b 1 y 2 z");
  events(), changes();
  EXPECT_EQ(run("ZUNIONSTORE a 2 a b"), number(3));
  EXPECT_EQ(run("ZRANGE a 0 -1 WITHSCORES"), bulks({"x", "1", "z", "2", "y", "3"}));
  EXPECT_EQ(encoding("a"), "listpack");
  EXPECT_EQ(run("ZINTERSTORE t 2 a b WEIGHTS 1 10"), number(2));
  EXPECT_EQ(run("ZDIFFSTORE t 2 a a"), number(0));
  EXPECT_EQ(entry("t"), nullptr);
  EXPECT_EQ(run("ZINTERSTORE t 2 a missing"), number(0));
  EXPECT_EQ(events(), "zunionstore a, zinterstore t, del t");
  EXPECT_EQ(changes(), 3);
}

TEST_P(ZSetCommands, OperationsNameTheFaultOfTheirArguments) {
  EXPECT_EQ(run("ZUNION 0 a"), error("ERR at least 1 input key is needed for 'zunion' command"));
  EXPECT_EQ(run("ZINTERSTORE t 0 a"), error("ERR at least 1 input key is needed for 'zinterstore' command"));
  EXPECT_EQ(run("ZUNION x a"), kNotInteger);
  EXPECT_EQ(run("ZUNION 3 a b"), kSyntax);
  EXPECT_EQ(run("ZUNION 1 a WEIGHTS x"), error("ERR weight value is not a float"));
  EXPECT_EQ(run("ZUNION 2 a b WEIGHTS 1"), kSyntax);
  EXPECT_EQ(run("ZUNION 1 a AGGREGATE avg"), kSyntax);
  EXPECT_EQ(run("ZUNIONSTORE t 1 a WITHSCORES"), kSyntax);
  EXPECT_EQ(run("ZDIFF 1 a WEIGHTS 1"), kSyntax);
  EXPECT_EQ(run("ZINTERCARD 1 a LIMIT -1"), error("ERR LIMIT can't be negative"));
  EXPECT_EQ(run("ZINTERCARD 1 a WITHSCORES"), kSyntax);
}

TEST_P(ZSetCommands, ScanPrintsScoresOfLargeSetsWithSeventeenDigits) {
  run("ZADD z 0.1 a 2 b");
  EXPECT_EQ(run("ZSCAN z 0"), "*2\r\n" + bulk("0") + bulks({"a", "0.1", "b", "2"}));
  EXPECT_EQ(run("ZSCAN z 0 MATCH b"), "*2\r\n" + bulk("0") + bulks({"b", "2"}));
  fill("large", 500);
  run("ZADD large 0.1 m0001");
  std::set<std::string> seen;
  std::string cursor = "0";
  do {
    std::vector<std::string> reply = members("ZSCAN large " + cursor + " COUNT 20");
    cursor = reply[0];
    for (size_t i = 1; i < reply.size(); i += 2) {
      seen.insert(reply[i]);
      if (reply[i] == "m0001") {
        EXPECT_EQ(reply[i + 1], "0.10000000000000001");
      }
    }
  } while (cursor != "0");
  EXPECT_EQ(seen.size(), 500u);
}

}  // namespace
}  // namespace ringwood
