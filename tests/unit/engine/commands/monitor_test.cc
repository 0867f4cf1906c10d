#include <gtest/gtest.h>

#include "engine/exec/departures.h"
#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

// Lines without their times: "[0 ] \"get\" \"a\"".
std::vector<std::string> lines(const std::string& bytes) {
  std::vector<std::string> all;
  for (size_t at = 0; at < bytes.size();) {
    size_t end = bytes.find("\r\n", at);
    std::string line = bytes.substr(at, end - at);
    size_t blank = line.find(' ');
    if (line[0] == '+' && blank != std::string::npos) line = line.substr(blank + 1);
    all.push_back(line);
    at = end + 2;
  }
  return all;
}

using Lines = std::vector<std::string>;

// A key on each shard.
std::vector<std::string> keys(InProcess& s) {
  std::vector<std::string> all;
  for (int shard = 0; shard < s.engine().mapping.shards; shard++)
    for (int i = 0;; i++)
      if (std::string key = "k" + std::to_string(i); s.engine().mapping.shard(key_slot(key)) == shard) {
        all.push_back(key);
        break;
      }
  return all;
}

TEST(Monitor, ShowsCommandsOfAllConnectionsInTheirOrder) {
  for (int shards : {1, 2, 3})
    for (size_t watcher : {0, 1, 2}) {
      InProcess s(shards);
      EXPECT_EQ(s.run_as(watcher, {"MONITOR"}), "+OK\r\n");
      Lines expected;
      for (int round = 0; round < 3; round++)
        for (const std::string& key : keys(s)) {
          s.send(3, {"SET", key, std::to_string(round)});
          expected.push_back("[0 ] \"SET\" \"" + key + "\" \"" + std::to_string(round) + "\"");
        }
      s.receive(3);
      EXPECT_EQ(lines(s.receive(watcher)), expected) << shards;
    }
}

TEST(Monitor, TellsTimeAndDatabase) {
  InProcess s(2);
  s.run_as(1, {"MONITOR"});
  s.run({"SELECT", "9"});
  s.run({"GET", "a"});
  EXPECT_EQ(s.receive(1), "+1700000000.000000 [9 ] \"SELECT\" \"9\"\r\n+1700000000.000000 [9 ] \"GET\" \"a\"\r\n");
}

TEST(Monitor, QuotesWhatIsNoPlainText) {
  InProcess s;
  s.run_as(1, {"MONITOR"});
  s.run({"ECHO", std::string("a\"\\\n\r\t\a\b\0\xffz", 11)});
  EXPECT_EQ(lines(s.receive(1)), Lines{R"([0 ] "ECHO" "a\"\\\n\r\t\a\b\x00\xffz")"});
}

TEST(Monitor, HidesAdministrationAndSecrets) {
  InProcess s(2);
  s.run_as(1, {"MONITOR"});
  s.run({"CONFIG", "SET", "maxclients", "100"});
  s.run({"AUTH", "me", "secret"});
  s.run({"HELLO", "2", "AUTH", "me", "secret"});
  s.run({"nothing"});  // refused: it has not run
  s.run({"GET", "a", "b"});
  EXPECT_EQ(lines(s.receive(1)),
            (Lines{R"x([0 ] "AUTH" "(redacted)" "(redacted)")x", R"x([0 ] "HELLO" "2" "AUTH" "(redacted)" "(redacted)")x"}));
}

TEST(Monitor, ShowsATransactionWhenItRuns) {
  for (int shards : {1, 3}) {
    InProcess s(shards);
    s.run_as(1, {"MONITOR"});
    s.run({"MULTI"});
    Lines expected{R"([0 ] "MULTI")"};
    for (const std::string& key : keys(s)) {
      s.run({"SET", key, "1"});
      expected.push_back("[0 ] \"SET\" \"" + key + "\" \"1\"");
    }
    EXPECT_EQ(lines(s.receive(1)).size(), 1u);
    s.run({"EXEC"});
    s.run({"MSET", "a", "1", "b", "2", "c", "3"});
    expected.push_back(R"([0 ] "EXEC")");
    expected.push_back(R"([0 ] "MSET" "a" "1" "b" "2" "c" "3")");
    expected.erase(expected.begin());
    EXPECT_EQ(lines(s.receive(1)), expected) << shards;
  }
}

TEST(Monitor, ShowsAWaitingCommandOnce) {
  for (int shards : {1, 2}) {
    InProcess s(shards);
    s.run_as(1, {"MONITOR"});
    s.send(0, {"BLPOP", "list", "0"});
    s.settle();
    EXPECT_EQ(lines(s.receive(1)), Lines{R"([0 ] "BLPOP" "list" "0")"});
    s.run_as(2, {"LPUSH", "list", "x"});
    EXPECT_EQ(lines(s.receive(1)), Lines{R"([0 ] "LPUSH" "list" "x")"});
  }
}

TEST(Monitor, SeesItsOwnCommandsBehindTheirRepliesUntilReset) {
  for (int shards : {1, 2}) {
    InProcess s(shards);
    s.run({"MONITOR"});
    EXPECT_EQ(lines(s.run({"PING"})), (Lines{"+PONG", R"([0 ] "PING")"}));
    EXPECT_EQ(lines(s.run({"RESET"}))[0], "+RESET");
    EXPECT_EQ(s.run({"PING"}), "+PONG\r\n");
    EXPECT_EQ(s.run_as(1, {"PING"}), "+PONG\r\n");
    EXPECT_EQ(s.receive(0), "");
  }
}

TEST(Monitor, IsRefusedInATransaction) {
  InProcess s(2);
  s.run({"MULTI"});
  s.run({"MONITOR"});
  EXPECT_EQ(s.run({"EXEC"}), "*1\r\n-ERR MONITOR isn't allowed for DENY BLOCKING client\r\n");
}

TEST(Monitor, IsForgottenWhenItsConnectionEnds) {
  for (int shards : {1, 2}) {
    InProcess s(shards);
    s.run_as(1, {"MONITOR"});
    Executor& home = s.executor(shards == 1 ? 0 : 1);
    Departures departures(home);
    EXPECT_EQ(departures.gone(s.client(1)), shards == 1);
    departures.start();
    s.settle();
    EXPECT_TRUE(departures.gone(s.client(1)));
    s.run({"PING"});
    EXPECT_EQ(s.receive(1), "");
  }
}

}  // namespace
}  // namespace ringwood
