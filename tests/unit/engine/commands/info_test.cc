#include <gtest/gtest.h>

#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
// The value of a field, or "none".
std::string field(const std::string& info, const std::string& name) {
  size_t at = info.find("\r\n" + name + ":");
  if (at == std::string::npos) return "none";
  at += name.size() + 3;
  return info.substr(at, info.find("\r\n", at) - at);
}

TEST(Info, SectionsAreChosenByName) {
  InProcess s;
  EXPECT_TRUE(has(s.run({"INFO"}), "# Server\r\nredis_version:7.2.6\r\n"));
  EXPECT_FALSE(has(s.run({"INFO"}), "# Commandstats"));
  EXPECT_TRUE(has(s.run({"INFO", "all"}), "cmdstat_info:calls=2,"));
  EXPECT_TRUE(has(s.run({"INFO", "everything"}), "# Commandstats"));
  std::string cpu = s.run({"INFO", "CPU"});
  EXPECT_TRUE(has(cpu, "# CPU\r\nused_cpu_sys:"));
  EXPECT_FALSE(has(cpu, "used_memory"));
  EXPECT_EQ(s.run({"INFO", "nothing"}), "$0\r\n\r\n");
  std::string several = s.run({"INFO", "keyspace", "cpu", "cpu"});
  EXPECT_LT(several.find("# CPU"), several.find("# Keyspace"));
  EXPECT_EQ(several.find("# CPU"), several.rfind("# CPU"));
  EXPECT_TRUE(has(several, "\r\n\r\n# Keyspace\r\n"));
}

TEST(Info, IsVerbatimTextInResp3) {
  InProcess s;
  EXPECT_EQ(s.run3({"INFO", "cluster"}), "=34\r\ntxt:# Cluster\r\ncluster_enabled:0\r\n\r\n");
}

TEST(Info, KeyspaceCountsKeysOfAllShards) {
  for (int shards : {1, 3}) {
    InProcess s(shards);
    EXPECT_EQ(s.run({"INFO", "keyspace"}), "$12\r\n# Keyspace\r\n\r\n");
    for (int i = 0; i < 100; i++) s.run({"SET", "k" + std::to_string(i), "v"});
    for (int i = 0; i < 10; i++) s.run({"PEXPIRE", "k" + std::to_string(i), "100000"});
    std::string db0 = field(s.run({"INFO", "keyspace"}), "db0");
    EXPECT_TRUE(has(db0, "keys=100,expires=10,avg_ttl=")) << db0;
    int ttl = std::stoi(db0.substr(db0.find("avg_ttl=") + 8));
    EXPECT_NEAR(ttl, 100000, 16);
    EXPECT_TRUE(has(db0, ",subexpiry=0")) << db0;
    for (const char* key : {"h1", "h2"}) s.run({"HSETEX", key, "PX", "100000", "FIELDS", "1", "f", "v"});
    s.run({"HSET", "h3", "f", "v"});
    EXPECT_TRUE(has(field(s.run({"INFO", "keyspace"}), "db0"), "keys=103,expires=10,avg_ttl="));
    EXPECT_TRUE(has(field(s.run({"INFO", "keyspace"}), "db0"), ",subexpiry=2"));
    s.run({"FLUSHALL"});
    EXPECT_EQ(field(s.run({"INFO", "keyspace"}), "db0"), "none");
  }
}

TEST(Info, KeysizesTellHowLargeValuesAreByPowersOfTwo) {
  for (int shards : {1, 3}) {
    InProcess s(shards);
    s.run({"SET", "s0", ""});
    for (int i = 0; i < 10; i++) s.run({"SET", "s1" + std::to_string(i), "12345"});
    s.run({"SET", "s2", std::string(1500, 'x')});
    s.run({"RPUSH", "l", "a", "b", "c"});
    s.run({"SADD", "set", "a"});
    for (int i = 0; i < 600; i++) s.run({"HSET", "h", std::to_string(i), "v"});
    s.run({"ZADD", "z", "1", "a", "2", "b"});
    s.run({"XADD", "x", "*", "f", "v"});
    // The first to ask hears that nothing has been counted yet.
    EXPECT_EQ(s.run({"INFO", "keysizes"}), "$37\r\n# Keysizes\r\nkeysizes_age_seconds:-1\r\n\r\n");
    s.settle();
    s.advance_ms(500);
    EXPECT_EQ(s.run({"INFO", "keysizes"}).substr(6),
              "# Keysizes\r\nkeysizes_age_seconds:0\r\ndb0_distrib_strings_sizes:0=1,4=10,1K=1\r\ndb0_distrib_lists_items:2=1\r\n"
              "db0_distrib_sets_items:1=1\r\ndb0_distrib_zsets_items:2=1\r\ndb0_distrib_hashes_items:512=1\r\n\r\n");
    s.run({"FLUSHALL"});
    for (int i = 0; i < 5000; i++) s.run({"SET", "k" + std::to_string(i), "123"});
    s.run({"SWAPDB", "0", "3"});
    s.advance_ms(2000);
    s.run({"INFO", "everything"});
    s.settle();
    EXPECT_EQ(field(s.run({"INFO", "keysizes"}), "db3_distrib_strings_sizes"), "2=5000");
    EXPECT_EQ(field(s.run({"INFO"}), "keysizes_age_seconds"), "none");
  }
}

TEST(Info, ErrorsAreCountedByCodeAndCommandsByOutcome) {
  for (int shards : {1, 2}) {
    InProcess s(shards);
    s.run({"SET", "a", "text"});
    s.run({"LPUSH", "a", "1"});
    s.run({"INCR", "a"});
    s.run({"INCR"});
    s.run({"NOSUCH"});
    std::string info = s.run({"INFO", "everything"});
    EXPECT_EQ(field(info, "errorstat_WRONGTYPE"), "count=1");
    EXPECT_EQ(field(info, "errorstat_ERR"), "count=3");
    EXPECT_EQ(field(info, "total_error_replies"), "4");
    EXPECT_TRUE(has(field(info, "cmdstat_incr"), "calls=1,")) << field(info, "cmdstat_incr");
    EXPECT_TRUE(has(field(info, "cmdstat_incr"), ",rejected_calls=1,failed_calls=1"));
    EXPECT_TRUE(has(field(info, "cmdstat_lpush"), "rejected_calls=0,failed_calls=1"));
    EXPECT_EQ(s.run({"CONFIG", "RESETSTAT"}), "+OK\r\n");
    info = s.run({"INFO", "everything"});
    EXPECT_EQ(field(info, "errorstat_ERR"), "none");
    EXPECT_EQ(field(info, "cmdstat_incr"), "none");
    EXPECT_EQ(field(info, "total_error_replies"), "0");
  }
}

TEST(Info, HitsAndMissesAreThoseOfAllShards) {
  InProcess s(2);
  for (int i = 0; i < 20; i++) s.run({"SET", "k" + std::to_string(i), "v"});
  for (int i = 0; i < 30; i++) s.run({"GET", "k" + std::to_string(i)});
  std::string info = s.run({"INFO", "stats"});
  EXPECT_EQ(field(info, "keyspace_hits"), "20");
  EXPECT_EQ(field(info, "keyspace_misses"), "10");
}

}  // namespace
}  // namespace ringwood
