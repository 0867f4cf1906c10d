#include <gtest/gtest.h>

#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
Options with_debug() {
  Options o;
  o.enable_debug_command = ProtectedAction::kYes;
  return o;
}

TEST(Debug, IsRefusedUnlessEnabled) {
  InProcess s;
  EXPECT_TRUE(has(s.run({"DEBUG", "JMAP"}), "-ERR DEBUG command not allowed."));
  InProcess enabled(1, with_debug());
  EXPECT_EQ(enabled.run({"DEBUG", "NOSUCH"}), "-ERR unknown subcommand or wrong number of arguments for 'NOSUCH'. Try DEBUG HELP.\r\n");
  EXPECT_EQ(enabled.run({"DEBUG", "SLEEP"}), "-ERR unknown subcommand or wrong number of arguments for 'SLEEP'. Try DEBUG HELP.\r\n");
  EXPECT_EQ(enabled.run({"DEBUG", "SLEEP", "0"}), "+OK\r\n");
}

TEST(Debug, TheDigestDoesNotDependOnTheNumberOfShards) {
  std::string first;
  for (int shards : {1, 2, 5}) {
    InProcess s(shards, with_debug());
    EXPECT_EQ(s.run({"DEBUG", "DIGEST"}), "+" + std::string(40, '0') + "\r\n");
    EXPECT_EQ(s.run({"DEBUG", "POPULATE", "50"}), "+OK\r\n");
    EXPECT_EQ(s.run({"GET", "key:49"}), "$8\r\nvalue:49\r\n");
    EXPECT_EQ(s.run({"DBSIZE"}), ":50\r\n");
    std::string digest = s.run({"DEBUG", "DIGEST"});
    if (first.empty()) first = digest;
    EXPECT_EQ(digest, first);
    s.run({"SET", "key:49", "other"});
    EXPECT_NE(s.run({"DEBUG", "DIGEST"}), first);
    EXPECT_EQ(s.run({"DEBUG", "DIGEST-VALUE", "nosuch"}), "*1\r\n+" + std::string(40, '0') + "\r\n");
  }
}

TEST(Debug, PopulateTakesAPrefixAndASize) {
  InProcess s(2, with_debug());
  s.run({"SET", "x:0", "kept"});
  EXPECT_EQ(s.run({"DEBUG", "POPULATE", "2", "x", "3"}), "+OK\r\n");
  EXPECT_EQ(s.run({"GET", "x:0"}), "$4\r\nkept\r\n");
  EXPECT_EQ(s.run({"GET", "x:1"}), "$3\r\nval\r\n");
  EXPECT_EQ(s.run({"DEBUG", "POPULATE", "-1"}), "-ERR value is out of range, must be positive\r\n");
}

TEST(Debug, ObjectTellsEncodingAndIdleTime) {
  InProcess s(1, with_debug());
  s.run({"SET", "a", "12"});
  s.advance_ms(5000);
  std::string a = s.run({"DEBUG", "OBJECT", "a"});
  EXPECT_TRUE(has(a, " refcount:1 encoding:int ")) << a;
  EXPECT_TRUE(has(a, " lru_seconds_idle:5")) << a;
  EXPECT_EQ(s.run({"DEBUG", "OBJECT", "b"}), "-ERR no such key\r\n");
  s.run({"CONFIG", "SET", "list-max-listpack-size", "2"});
  s.run({"RPUSH", "l", "1", "2", "3", "4", "5"});
  std::string l = s.run({"DEBUG", "OBJECT", "l"});
  EXPECT_TRUE(has(l, "encoding:quicklist")) << l;
  EXPECT_TRUE(has(l, " ql_nodes:3 ql_avg_node:1.67 ql_listpack_max:2 ql_compressed:0 ")) << l;
}

TEST(Debug, ThePackedThresholdOutlivesAConfigSet) {
  InProcess s(2, with_debug());
  EXPECT_EQ(s.run({"DEBUG", "QUICKLIST-PACKED-THRESHOLD", "5gb"}),
            "-ERR argument must be a memory value bigger than 1 and smaller than 4gb\r\n");
  EXPECT_EQ(s.run({"DEBUG", "QUICKLIST-PACKED-THRESHOLD", "100b"}), "+OK\r\n");
  s.run({"CONFIG", "SET", "list-compress-depth", "1"});
  for (size_t i = 0; i < 2; i++) EXPECT_EQ(s.executor(i).shard().limits.list_packed_threshold, 100u);
  EXPECT_EQ(s.run({"DEBUG", "QUICKLIST-PACKED-THRESHOLD", "0"}), "+OK\r\n");
  EXPECT_EQ(s.executor(1).shard().limits.list_packed_threshold, size_t{1} << 30);
}

TEST(Debug, ExpiryByTimeCanBeStopped) {
  InProcess s(2, with_debug());
  EXPECT_EQ(s.run({"DEBUG", "SET-ACTIVE-EXPIRE", "0"}), "+OK\r\n");
  s.run({"PSETEX", "a", "10", "v"});
  s.advance_ms(1000);
  EXPECT_EQ(s.run({"DBSIZE"}), ":1\r\n");
  EXPECT_EQ(s.run({"DEBUG", "SET-ACTIVE-EXPIRE", "1"}), "+OK\r\n");
  s.advance_ms(10);
  EXPECT_EQ(s.run({"DBSIZE"}), ":0\r\n");
}

TEST(Debug, ProtocolGivesEveryType) {
  InProcess s(1, with_debug());
  EXPECT_EQ(s.run3({"DEBUG", "PROTOCOL", "map"}), "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n");
  EXPECT_EQ(s.run({"DEBUG", "PROTOCOL", "map"}), "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n");
  EXPECT_EQ(s.run3({"DEBUG", "PROTOCOL", "double"}), ",3.141\r\n");
  EXPECT_EQ(s.run3({"DEBUG", "PROTOCOL", "verbatim"}), "=29\r\ntxt:This is a verbatim\nstring\r\n");
  EXPECT_EQ(s.run3({"DEBUG", "PROTOCOL", "bignum"}), "(1234567999999999999999999999999999999\r\n");
  EXPECT_EQ(s.run({"DEBUG", "PROTOCOL", "push"}), "-ERR RESP2 is not supported by this command\r\n");
  EXPECT_EQ(s.run({"DEBUG", "ERROR", "MY error\r\nhere"}), "-MY error  here\r\n");
}

TEST(Memory, UsageGrowsWithTheValue) {
  InProcess s(2);
  s.run({"SET", "small", "x"});
  s.run({"SET", "large", std::string(100000, 'x')});
  for (int i = 0; i < 1000; i++) s.run({"HSET", "h", "field" + std::to_string(i), "value"});
  int small = std::stoi(s.run({"MEMORY", "USAGE", "small"}).substr(1)), large = std::stoi(s.run({"MEMORY", "USAGE", "large"}).substr(1));
  int hash = std::stoi(s.run({"MEMORY", "USAGE", "h", "SAMPLES", "0"}).substr(1));
  EXPECT_GT(small, 16);
  EXPECT_LT(small, 100);
  EXPECT_GE(large, 100000);
  EXPECT_GT(hash, 20000);
  EXPECT_EQ(s.run({"MEMORY", "USAGE", "none"}), "$-1\r\n");
  EXPECT_EQ(s.run({"MEMORY", "USAGE", "h", "SAMPLES", "-1"}), "-ERR syntax error\r\n");
  EXPECT_TRUE(has(s.run3({"MEMORY", "STATS"}), "$4\r\ndb.0\r\n%3\r\n$23\r\noverhead.hashtable.main\r\n"));
}

TEST(Server, SmallCommandsAnswer) {
  InProcess s;
  EXPECT_EQ(s.run({"TIME"}), "*2\r\n$10\r\n1700000000\r\n$1\r\n0\r\n");
  EXPECT_TRUE(has(s.run({"LOLWUT"}), "Redis ver. 7.2.6"));
  EXPECT_EQ(s.run({"FUNCTION", "FLUSH"}), "+OK\r\n");
  EXPECT_EQ(s.run({"FUNCTION", "FLUSH", "now"}), "-ERR FUNCTION FLUSH only supports SYNC|ASYNC option\r\n");
  EXPECT_EQ(s.run({"FUNCTION", "LIST"}), "*0\r\n");
  EXPECT_EQ(s.run({"SLOWLOG", "GET", "-2"}), "-ERR count should be greater than or equal to -1\r\n");
  EXPECT_EQ(s.run({"SLOWLOG", "LEN"}), ":0\r\n");
}

}  // namespace
}  // namespace ringwood
