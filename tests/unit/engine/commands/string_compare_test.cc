#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

class StringCompare : public CommandTest {};
INSTANTIATE_TEST_SUITE_P(Shards, StringCompare, testing::Values(1, 2));

TEST_P(StringCompare, SetAsksForTheValueThatIsThere) {
  EXPECT_EQ(run("SET k new IFEQ old"), kNull);
  EXPECT_EQ(run3("SET k new IFEQ old"), kNull3);
  EXPECT_EQ(entry("k"), nullptr);
  EXPECT_EQ(run("SET k 1 IFNE old"), kOk);  // an absent key is equal to nothing
  EXPECT_EQ(run("SET k 2 IFNE 1"), kNull);
  EXPECT_EQ(run("SET k 2 ifeq 1 EX 100"), kOk);
  EXPECT_EQ(run("TTL k"), number(100));
  EXPECT_EQ(run("SET k 3 KEEPTTL IFEQ 2"), kOk);
  EXPECT_EQ(run("TTL k"), number(100));
  EXPECT_EQ(run("SET k 4 IFEQ 3 GET"), bulk("3"));
  EXPECT_EQ(run("SET k 5 GET IFEQ 3"), bulk("4"));
  EXPECT_EQ(run("SET no 5 GET IFEQ 3"), kNull);
  EXPECT_EQ(run("GET k"), bulk("4"));
  EXPECT_EQ(events(), "set k, set k, expire k, set k, set k");
  run("SADD s 1");
  EXPECT_EQ(run("SET s 5 IFEQ 3"), kWrongType);
  EXPECT_EQ(run("SET s 5 IFNE 3"), kWrongType);
  for (const char* line :
       {"SET k 1 IFEQ", "SET k 1 IFEQ 1 NX", "SET k 1 XX IFEQ 1", "SET k 1 IFEQ 1 IFNE 2", "SET k 1 IFEQ 1 IFEQ 1", "GETEX k IFEQ 1"})
    EXPECT_EQ(run(line), kSyntax) << line;
}

TEST_P(StringCompare, DigestsStandForValues) {
  server.run({"SET", "k", "Hello world"});
  EXPECT_EQ(run("DIGEST k"), bulk("b6acb9d84a38ff74"));  // the example of Redis's documentation
  EXPECT_EQ(run3("DIGEST no"), kNull3);
  // The example of https://github.com/redis/redis/issues/14496: leading zeros are shown.
  run("SET z v8lf0c11xh8ymlqztfd3eeq16kfn4sspw7fqmnuuq3k3t75em5wdizgcdw7uc26nnf961u2jkfzkjytls2kwlj7626sd");
  EXPECT_EQ(run("DIGEST z"), bulk("00006c38adf31777"));
  run("SADD s 1");
  EXPECT_EQ(run("DIGEST s"), kWrongType);
  EXPECT_EQ(run("SET k 1 IFDEQ b6acb9d84a38ff75"), kNull);
  EXPECT_EQ(run("SET k 1 IFDNE b6acb9d84a38ff74"), kNull);
  EXPECT_EQ(run("SET k 1 IFDEQ B6ACB9D84A38FF74"), kOk);
  EXPECT_EQ(run("SET k 2 IFDNE b6acb9d84a38ff74"), kOk);
  EXPECT_EQ(run("SET new 2 IFDEQ b6acb9d84a38ff74"), kNull);
  EXPECT_EQ(run("SET new 2 IFDNE b6acb9d84a38ff74"), kOk);
  EXPECT_EQ(run("SET k 2 IFDEQ 6c38adf31777"), error("ERR must be exactly 16 hexadecimal characters"));
  EXPECT_EQ(run("DELEX k IFDNE 6c38adf31777"), error("ERR must be exactly 16 hexadecimal characters"));
  EXPECT_EQ(run("DELEX z IFDNE 00006c38adf31777"), number(0));
  EXPECT_EQ(run("DELEX z IFDEQ 00006C38ADF31777"), number(1));
}

TEST_P(StringCompare, DeletesByValue) {
  run("SET k 7");
  events(), changes();
  EXPECT_EQ(run("DELIFEQ k 8"), number(0));
  EXPECT_EQ(run("DELIFEQ no 8"), number(0));
  EXPECT_EQ(run("DELEX k IFNE 7"), number(0));
  EXPECT_EQ(run("DELEX no IFNE 7"), number(0));
  EXPECT_EQ(run("DELEX no"), number(0));
  EXPECT_EQ(events(), "");
  EXPECT_EQ(run("DELIFEQ k 7"), number(1));
  run("SET k x");
  EXPECT_EQ(run("DELEX k ifeq x"), number(1));
  EXPECT_EQ(events(), "del k, set k, del k");
  EXPECT_EQ(changes(), 3);
  run("SADD s 1");
  EXPECT_EQ(run("DELIFEQ s 1"), kWrongType);
  EXPECT_EQ(run("DELEX s IFEQ 1"), kWrongType);
  EXPECT_EQ(run("DELEX s"), number(1));
  EXPECT_EQ(run("DELEX k NX 1"), kSyntax);
  EXPECT_EQ(run("DELEX k IFEQ"), error("ERR wrong number of arguments for 'delex' command"));
  EXPECT_EQ(run("DELEX k IFEQ 1 2"), error("ERR wrong number of arguments for 'delex' command"));
}

TEST_P(StringCompare, SeveralKeysAreSetWithOneExpiry) {
  EXPECT_EQ(run("MSETEX 2 a 1 b 2 EX 100"), number(1));
  EXPECT_EQ(events(), "set a, expire a, set b, expire b");
  EXPECT_EQ(changes(), 2);
  EXPECT_EQ(run("TTL b"), number(100));
  EXPECT_EQ(run("MSETEX 2 a 3 c 4 NX"), number(0));
  EXPECT_EQ(run("MSETEX 2 a 3 c 4 XX PX 5"), number(0));
  EXPECT_EQ(run("MSETEX 2 a 3 b 4 KEEPTTL xx"), number(1));
  EXPECT_EQ(run("TTL a"), number(100));
  EXPECT_EQ(run("MGET a b c"), "*3\r\n" + bulk("3") + bulk("4") + kNull);
  EXPECT_EQ(run("MSETEX 2 c 1 d 2 nx PXAT " + std::to_string(server.now_ms() + 5)), number(1));
  EXPECT_EQ(run("PTTL d"), number(5));
  EXPECT_EQ(run("MSETEX 1 a 5 EXAT " + std::to_string(server.now_ms() / 1000 + 9)), number(1));
  EXPECT_EQ(run("EXPIRETIME a"), number(server.now_ms() / 1000 + 9));
  EXPECT_EQ(run("MSETEX 1 a 5"), number(1));
  EXPECT_EQ(run("TTL a"), number(-1));
  run("SADD s 1");
  EXPECT_EQ(run("MSETEX 1 s 5"), number(1));  // of any type
}

TEST_P(StringCompare, SeveralKeysWithWrongArgumentsAreRefused) {
  EXPECT_EQ(run("MSETEX 0 a 1"), error("ERR invalid numkeys value"));
  EXPECT_EQ(run("MSETEX x a 1"), error("ERR invalid numkeys value"));
  EXPECT_EQ(run("MSETEX 9999999999 a 1"), error("ERR invalid numkeys value"));
  EXPECT_EQ(run("MSETEX 2 a 1 b"), error("ERR wrong number of key-value pairs"));
  EXPECT_EQ(run("MSETEX 2 a 1"), error("ERR wrong number of key-value pairs"));
  for (const char* line : {"MSETEX 1 a 1 NX XX", "MSETEX 1 a 1 EX 1 PX 1", "MSETEX 1 a 1 KEEPTTL EX 1", "MSETEX 1 a 1 EX",
                           "MSETEX 1 a 1 b 2", "MSETEX 1 a 1 GET"})
    EXPECT_EQ(run(line), kSyntax) << line;
  EXPECT_EQ(run("MSETEX 1 a 1 EX 0"), error("ERR invalid expire time in 'msetex' command"));
  EXPECT_EQ(run("MSETEX 1 a 1 EX x"), kNotInteger);
  EXPECT_EQ(entry("a"), nullptr);
  EXPECT_EQ(run("COMMAND GETKEYS MSETEX 3 a 1 b 2 c 3 EX 10"), bulks({"a", "b", "c"}));
}

}  // namespace
}  // namespace ringwood
