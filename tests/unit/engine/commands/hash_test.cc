#include <map>

#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

class HashCommands : public CommandTest {};
INSTANTIATE_TEST_SUITE_P(Shards, HashCommands, testing::Values(1, 2));

TEST_P(HashCommands, SettingCountsNewFieldsAndGettingFindsThem) {
  EXPECT_EQ(run("HSET h a 1 b 2"), number(2));
  EXPECT_EQ(run("HSET h a x c 3"), number(1));
  EXPECT_EQ(run("HMSET h d 4"), kOk);
  EXPECT_EQ(run("HSETNX h d 5"), number(0));
  EXPECT_EQ(run("HSETNX h e 5"), number(1));
  EXPECT_EQ(changes(), 6);
  EXPECT_EQ(events(), "hset h, hset h, hset h, hset h");
  EXPECT_EQ(run("HGET h a"), bulk("x"));
  EXPECT_EQ(run("HGET h z"), kNull);
  EXPECT_EQ(run3("HGET missing z"), kNull3);
  EXPECT_EQ(run("HMGET h a z d"), "*3\r\n" + bulk("x") + kNull + bulk("4"));
  EXPECT_EQ(run("HMGET missing a"), "*1\r\n" + kNull);
  EXPECT_EQ(run("HLEN h"), number(5));
  EXPECT_EQ(run("HLEN missing"), number(0));
  EXPECT_EQ(run("HSTRLEN h a"), number(1));
  EXPECT_EQ(run("HSTRLEN h z"), number(0));
  EXPECT_EQ(run("HEXISTS h a"), number(1));
  EXPECT_EQ(run("HEXISTS h z"), number(0));
  EXPECT_EQ(run("HEXISTS missing z"), number(0));
}

TEST_P(HashCommands, PairsMustBeWhole) {
  EXPECT_EQ(run("HSET h a 1 b"), error("ERR wrong number of arguments for 'hset' command"));
  EXPECT_EQ(run("HMSET h a 1 b"), error("ERR wrong number of arguments for 'hmset' command"));
  EXPECT_EQ(entry("h"), nullptr);
}

TEST_P(HashCommands, OtherTypesAreRefused) {
  run("SADD s 1");
  for (const char* line :
       {"HSET s a 1", "HMSET s a 1", "HSETNX s a 1", "HGET s a", "HMGET s a", "HGETALL s", "HKEYS s", "HVALS s", "HLEN s", "HSTRLEN s a",
        "HEXISTS s a", "HDEL s a", "HINCRBY s a 1", "HINCRBYFLOAT s a 1", "HRANDFIELD s", "HRANDFIELD s 1", "HSCAN s 0"})
    EXPECT_EQ(run(line), kWrongType) << line;
}

TEST_P(HashCommands, WholeHashIsAMapInResp3) {
  run("HSET h a 1 b 2");
  EXPECT_EQ(run("HGETALL h"), bulks({"a", "1", "b", "2"}));
  EXPECT_EQ(run3("HGETALL h"), "%2\r\n" + bulk("a") + bulk("1") + bulk("b") + bulk("2"));
  EXPECT_EQ(run3("HGETALL missing"), "%0\r\n");
  EXPECT_EQ(run("HGETALL missing"), kEmpty);
  EXPECT_EQ(run3("HKEYS h"), bulks({"a", "b"}));
  EXPECT_EQ(run("HVALS h"), bulks({"1", "2"}));
  EXPECT_EQ(run("HVALS missing"), kEmpty);
}

TEST_P(HashCommands, DeletingTheLastFieldDeletesTheKey) {
  run("HSET h a 1 b 2 c 3");
  events(), changes();
  EXPECT_EQ(run("HDEL h a z"), number(1));
  EXPECT_EQ(run("HDEL h z"), number(0));
  EXPECT_EQ(run("HDEL h b c b"), number(2));
  EXPECT_EQ(entry("h"), nullptr);
  EXPECT_EQ(events(), "hdel h, hdel h, del h");
  EXPECT_EQ(changes(), 3);
}

TEST_P(HashCommands, IntegersAreAddedAndOverflowIsRefused) {
  EXPECT_EQ(run("HINCRBY h n 5"), number(5));
  EXPECT_EQ(run("HINCRBY h n -7"), number(-2));
  EXPECT_EQ(run("HGET h n"), bulk("-2"));
  EXPECT_EQ(run("HINCRBY h n x"), kNotInteger);
  run("HSET h text abc max 9223372036854775807 min -9223372036854775808");
  EXPECT_EQ(run("HINCRBY h text 1"), error("ERR hash value is not an integer"));
  EXPECT_EQ(run("HINCRBY h max 1"), error("ERR increment or decrement would overflow"));
  EXPECT_EQ(run("HINCRBY h min -1"), error("ERR increment or decrement would overflow"));
  EXPECT_EQ(run("HINCRBY h max -1"), number(9223372036854775806));
}

TEST_P(HashCommands, FloatsAreAddedInLongDouble) {
  EXPECT_EQ(run("HINCRBYFLOAT h f 10.50"), bulk("10.5"));
  EXPECT_EQ(run("HINCRBYFLOAT h f 0.1"), bulk("10.6"));
  EXPECT_EQ(run("HINCRBYFLOAT h g 5.0e3"), bulk("5000"));
  EXPECT_EQ(events(), "hincrbyfloat h, hincrbyfloat h, hincrbyfloat h");
  EXPECT_EQ(run("HINCRBYFLOAT h f x"), kNotFloat);
  EXPECT_EQ(run("HINCRBYFLOAT h f +inf"), error("ERR value is NaN or Infinity"));
  run("HSET h text abc");
  EXPECT_EQ(run("HINCRBYFLOAT h text 1"), error("ERR hash value is not a float"));
}

TEST_P(HashCommands, EncodingFollowsNumberAndLength) {
  run("HSET h a 1");
  EXPECT_EQ(encoding("h"), "listpack");
  server.run({"HSET", "h", "b", std::string(65, 'x')});
  EXPECT_EQ(encoding("h"), "hashtable");
  EXPECT_EQ(run("HSTRLEN h b"), number(65));
  std::vector<std::string> args{"HSET", "many"};
  for (int i = 0; i < 513; i++) args.insert(args.end(), {"f" + std::to_string(i), "v"});
  EXPECT_EQ(server.run(args), number(513));
  EXPECT_EQ(encoding("many"), "hashtable");
}

TEST_P(HashCommands, RandomFieldsComeWithTheirValues) {
  for (int size : {5, 600}) {
    std::vector<std::string> args{"HSET", "h"};
    for (int i = 0; i < size; i++) args.insert(args.end(), {"f" + std::to_string(i), "v" + std::to_string(i)});
    server.run(args);
    for (int count : {1, 3, size / 2, size, size + 1}) {
      std::vector<std::string> reply = members("HRANDFIELD h " + std::to_string(count) + " WITHVALUES");
      ASSERT_EQ(reply.size(), 2u * static_cast<size_t>(std::min(count, size)));
      std::map<std::string, std::string> pairs;
      for (size_t i = 0; i < reply.size(); i += 2) pairs[reply[i]] = reply[i + 1];
      EXPECT_EQ(pairs.size(), reply.size() / 2);
      for (const auto& [field, value] : pairs) EXPECT_EQ("f" + value.substr(1), field);
    }
    EXPECT_EQ(members("HRANDFIELD h -1500").size(), 1500u);
    EXPECT_EQ(members("HRANDFIELD h").size(), 1u);
  }
  run("HSET one a 1");
  EXPECT_EQ(run3("HRANDFIELD one 2 WITHVALUES"), "*1\r\n*2\r\n" + bulk("a") + bulk("1"));
  EXPECT_EQ(run("HRANDFIELD one -2 WITHVALUES"), bulks({"a", "1", "a", "1"}));
  EXPECT_EQ(run("HRANDFIELD missing"), kNull);
  EXPECT_EQ(run("HRANDFIELD missing 2"), kEmpty);
  EXPECT_EQ(run("HRANDFIELD one 0"), kEmpty);
}

TEST_P(HashCommands, RandomFieldsNameTheFaultOfTheirCount) {
  EXPECT_EQ(run("HRANDFIELD h x"), kNotInteger);
  EXPECT_EQ(run("HRANDFIELD h 1 VALUES"), kSyntax);
  EXPECT_EQ(run("HRANDFIELD h 1 WITHVALUES x"), kSyntax);
  EXPECT_EQ(run("HRANDFIELD h -9223372036854775807 WITHVALUES"), error("ERR value is out of range"));
  EXPECT_EQ(run("HRANDFIELD h -9223372036854775808"),
            error("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"));
}

TEST_P(HashCommands, ScanGivesFieldsAndValuesWithAMatchOnFields) {
  run("HSET h aa 1 ab 2 b 3");
  EXPECT_EQ(run("HSCAN h 0 MATCH a*"), "*2\r\n" + bulk("0") + bulks({"aa", "1", "ab", "2"}));
  EXPECT_EQ(run("HSCAN missing 0"), "*2\r\n$1\r\n0\r\n*0\r\n");
  std::vector<std::string> args{"HSET", "large"};
  for (int i = 0; i < 1000; i++) args.insert(args.end(), {std::to_string(i), "v" + std::to_string(i)});
  server.run(args);
  std::map<std::string, std::string> seen;
  std::string cursor = "0";
  do {
    std::vector<std::string> reply = members("HSCAN large " + cursor);
    cursor = reply[0];
    for (size_t i = 1; i < reply.size(); i += 2) seen[reply[i]] = reply[i + 1];
  } while (cursor != "0");
  EXPECT_EQ(seen.size(), 1000u);
  for (const auto& [field, value] : seen) EXPECT_EQ("v" + field, value);
}

}  // namespace
}  // namespace ringwood
