#include <gtest/gtest.h>

#include "engine/exec/records.h"
#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

Options options(int64_t slower_than_us, int64_t most = 128) {
  Options o;
  o.slowlog_log_slower_than = slower_than_us;
  o.slowlog_max_len = most;
  return o;
}

std::string command_of(const SlowEntry& e) {
  std::string text;
  for (const OwnedBytes& a : e.args) text += (text.empty() ? "" : " ") + a;
  return text;
}

// The commands that are logged, newest first.
std::vector<std::string> logged(InProcess& s) {
  std::vector<std::string> all;
  s.engine().records->slow_log.newest(
      SIZE_MAX, [](size_t) {}, [&](const SlowEntry& e) { all.push_back(command_of(e)); });
  return all;
}

std::vector<std::string> keys_on_all_shards(InProcess& s) {
  std::vector<std::string> keys;
  for (int shard = 0; shard < s.engine().mapping.shards; shard++)
    for (int i = 0;; i++) {
      std::string key = "k" + std::to_string(i);
      if (s.engine().mapping.shard(key_slot(key)) != shard) continue;
      keys.push_back(key);
      break;
    }
  return keys;
}

TEST(Slowlog, LogsWhatIsSlowerThanTheThresholdOnWhicheverShardItRan) {
  for (int shards : {1, 3}) {
    InProcess s(shards, options(0));
    s.client(0).name = "someone";
    std::vector<std::string> expected;
    for (const std::string& key : keys_on_all_shards(s)) {
      s.run({"SET", key, "v"});
      expected.insert(expected.begin(), "SET " + key + " v");
    }
    EXPECT_EQ(logged(s), expected);
    s.engine().records->slow_log.newest(
        1, [](size_t n) { EXPECT_EQ(n, 1u); },
        [&](const SlowEntry& e) {
          EXPECT_EQ(e.name, "someone");
          EXPECT_EQ(e.unix_s, s.now_ms() / 1000);
          EXPECT_EQ(e.id, shards - 1);
        });
    EXPECT_EQ(s.run({"SLOWLOG", "LEN"}), ":" + std::to_string(shards) + "\r\n");
    EXPECT_EQ(s.run({"SLOWLOG", "RESET"}), "+OK\r\n");
    EXPECT_EQ(logged(s), std::vector<std::string>{"SLOWLOG RESET"});
  }
}

TEST(Slowlog, GetAnswersTheNewestWithTheirNumbers) {
  InProcess s(1, options(0));
  s.run({"SET", "a", "1"});
  EXPECT_EQ(s.run({"SLOWLOG", "GET", "1"}),
            "*1\r\n*6\r\n:0\r\n:1700000000\r\n:0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n$0\r\n\r\n$0\r\n\r\n");
  EXPECT_EQ(s.run({"SLOWLOG", "GET", "-2"}), "-ERR count should be greater than or equal to -1\r\n");
  EXPECT_EQ(s.run({"SLOWLOG", "GET", "0"}), "*0\r\n");
}

TEST(Slowlog, IsOffBelowZeroAndKeepsNoMoreThanItMay) {
  InProcess off(1, options(-1));
  off.run({"SET", "a", "1"});
  EXPECT_TRUE(logged(off).empty());
  InProcess few(1, options(0, 3));
  for (int i = 0; i < 10; i++) few.run({"PING", std::to_string(i)});
  EXPECT_EQ(logged(few), (std::vector<std::string>{"PING 9", "PING 8", "PING 7"}));
}

TEST(Slowlog, CutsLongArgumentsAndLongLists) {
  InProcess s(1, options(0));
  InProcess::Args many{"SADD", "set"};
  for (int i = 0; i < 31; i++) many.push_back(std::to_string(i));
  s.run(many);
  s.run({"ECHO", std::string(129, 'A')});
  std::vector<std::string> all = logged(s);
  EXPECT_EQ(all[0], "ECHO " + std::string(128, 'A') + "... (1 more bytes)");
  EXPECT_TRUE(all[1].ends_with(" 28 ... (2 more arguments)")) << all[1];
}

TEST(Slowlog, ShowsNoSecrets) {
  InProcess s(1, options(0));
  s.run({"CONFIG", "SET", "masterauth", "secret", "maxclients", "100"});
  s.run({"AUTH", "user", "secret"});
  s.run({"HELLO", "2", "AUTH", "user", "secret", "SETNAME", "me"});
  std::vector<std::string> all = logged(s);
  EXPECT_EQ(all[0], "HELLO 2 AUTH (redacted) (redacted) SETNAME me");
  EXPECT_EQ(all[1], "AUTH (redacted) (redacted)");
  EXPECT_EQ(all[2], "CONFIG SET masterauth (redacted) maxclients 100");
}

TEST(Slowlog, LogsTheCommandsOfATransactionButNotExec) {
  InProcess s(2, options(0));
  s.run({"MULTI"});
  s.run({"SET", "a", "1"});
  s.run({"SET", "b", "1"});
  s.run({"EXEC"});
  EXPECT_EQ(logged(s), (std::vector<std::string>{"SET b 1", "SET a 1", "MULTI"}));
}

TEST(Slowlog, LogsAWaitingCommandOnceWhenItHasBeenAnswered) {
  for (int shards : {1, 2, 3}) {
    InProcess s(shards, options(0));
    s.send(0, {"BLPOP", "list", "0"});
    s.settle();
    EXPECT_TRUE(logged(s).empty());
    s.run_as(1, {"LPUSH", "list", "x"});
    std::vector<std::string> all = logged(s);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(std::count(all.begin(), all.end(), "BLPOP list 0"), 1);
    s.send(0, {"BLPOP", "list", "1"});
    s.settle();
    s.advance_ms(2000);
    EXPECT_EQ(logged(s)[0], "BLPOP list 1");
  }
}

}  // namespace
}  // namespace ringwood
