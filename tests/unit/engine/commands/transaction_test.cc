// MULTI, EXEC, DISCARD, WATCH and UNWATCH, with one shard and with several.
#include <gtest/gtest.h>

#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

class Transactions : public testing::TestWithParam<int> {
 protected:
  using Args = InProcess::Args;
  InProcess server{GetParam()};
  std::string run(const Args& args) { return server.run(args); }
  std::string other(const Args& args) { return server.run_as(1, args); }
  // A watched key has been changed in between: EXEC answers null and runs nothing.
  void expect_touched() {
    EXPECT_EQ(run({"MULTI"}), "+OK\r\n");
    EXPECT_EQ(run({"SET", "ran", "yes"}), "+QUEUED\r\n");
    EXPECT_EQ(run({"EXEC"}), "*-1\r\n");
    EXPECT_EQ(run({"EXISTS", "ran"}), ":0\r\n");
  }
  void expect_untouched() {
    EXPECT_EQ(run({"MULTI"}), "+OK\r\n");
    EXPECT_EQ(run({"PING"}), "+QUEUED\r\n");
    EXPECT_EQ(run({"EXEC"}), "*1\r\n+PONG\r\n");
  }
};

TEST_P(Transactions, RunWhatWasQueued) {
  EXPECT_EQ(run({"MULTI"}), "+OK\r\n");
  EXPECT_EQ(run({"SET", "a", "1"}), "+QUEUED\r\n");
  EXPECT_EQ(run({"INCR", "a"}), "+QUEUED\r\n");
  EXPECT_EQ(run({"MGET", "a", "b", "c"}), "+QUEUED\r\n");
  EXPECT_EQ(run({"LPUSH", "l", "x", "y"}), "+QUEUED\r\n");
  EXPECT_EQ(run({"DBSIZE"}), "+QUEUED\r\n");
  EXPECT_EQ(other({"EXISTS", "a", "l"}), ":0\r\n");
  EXPECT_EQ(run({"EXEC"}), "*5\r\n+OK\r\n:2\r\n*3\r\n$1\r\n2\r\n$-1\r\n$-1\r\n:2\r\n:2\r\n");
  EXPECT_EQ(run({"GET", "a"}), "$1\r\n2\r\n");
}

// Redis tells of XSETID by an event, not as a change of the value.
TEST_P(Transactions, DoNotSeeXsetidAtAWatchedKey) {
  run({"XADD", "s", "1-1", "f", "v"});
  run({"WATCH", "s"});
  EXPECT_EQ(other({"XSETID", "s", "5-1"}), "+OK\r\n");
  expect_untouched();
  run({"WATCH", "s"});
  other({"XADD", "s", "*", "f", "v"});
  expect_touched();
}

TEST_P(Transactions, MayBeEmpty) {
  run({"MULTI"});
  EXPECT_EQ(run({"EXEC"}), "*0\r\n");
}

TEST_P(Transactions, GoOnBehindACommandThatFailsAtRunTime) {
  run({"SET", "s", "text"});
  run({"MULTI"});
  run({"INCR", "s"});
  run({"SET", "behind", "1"});
  EXPECT_EQ(run({"EXEC"}), "*2\r\n-ERR value is not an integer or out of range\r\n+OK\r\n");
  EXPECT_EQ(run({"EXISTS", "behind"}), ":1\r\n");
}

TEST_P(Transactions, AreAbortedByAnErrorWhileQueueing) {
  for (const Args& wrong :
       {Args{"NOSUCH", "x"}, Args{"SET", "only-a-key"}, Args{"CONFIG", "nosuch"}, Args{"COMMAND", "nosuch"}, Args{"SAVE"}}) {
    run({"MULTI"});
    run({"SET", "a", "1"});
    EXPECT_EQ(run(wrong).substr(0, 4), "-ERR") << wrong[0];
    EXPECT_EQ(run({"SET", "b", "1"}), "+QUEUED\r\n");
    EXPECT_EQ(run({"EXEC"}), "-EXECABORT Transaction discarded because of previous errors.\r\n");
    EXPECT_EQ(run({"EXISTS", "a", "b"}), ":0\r\n");
  }
  EXPECT_EQ(run({"PING"}), "+PONG\r\n");
}

TEST_P(Transactions, AreNotNested) {
  EXPECT_EQ(run({"EXEC"}), "-ERR EXEC without MULTI\r\n");
  EXPECT_EQ(run({"DISCARD"}), "-ERR DISCARD without MULTI\r\n");
  run({"MULTI"});
  EXPECT_EQ(run({"MULTI"}), "-ERR MULTI calls can not be nested\r\n");
  EXPECT_EQ(run({"WATCH", "a"}), "-ERR WATCH inside MULTI is not allowed\r\n");
  EXPECT_EQ(run({"SAVE"}), "-ERR Command not allowed inside a transaction\r\n");
  EXPECT_EQ(run({"DISCARD"}), "+OK\r\n");
  EXPECT_EQ(run({"PING"}), "+PONG\r\n");
}

TEST_P(Transactions, AreThrownAwayByDiscardAndReset) {
  run({"MULTI"});
  run({"SET", "a", "1"});
  EXPECT_EQ(run({"DISCARD"}), "+OK\r\n");
  EXPECT_EQ(run({"EXEC"}), "-ERR EXEC without MULTI\r\n");
  run({"WATCH", "w"});
  run({"MULTI"});
  run({"SET", "a", "1"});
  EXPECT_EQ(run({"RESET"}), "+RESET\r\n");
  EXPECT_EQ(run({"EXISTS", "a"}), ":0\r\n");
  other({"SET", "w", "1"});
  expect_untouched();
}

TEST_P(Transactions, SelectInsideMovesWhatIsBehindIt) {
  run({"MULTI"});
  run({"SELECT", "3"});
  run({"SET", "a", "there"});
  EXPECT_EQ(run({"EXEC"}), "*2\r\n+OK\r\n+OK\r\n");
  EXPECT_EQ(run({"GET", "a"}), "$5\r\nthere\r\n");
  EXPECT_EQ(other({"EXISTS", "a"}), ":0\r\n");
  run({"SELECT", "0"});
}

TEST_P(Transactions, AnswerInTheProtocolThatHelloChoosesInside) {
  run({"MULTI"});
  run({"HSET", "h", "f", "v"});
  run({"HELLO", "3"});
  run({"HGETALL", "h"});
  std::string reply = run({"EXEC"});
  EXPECT_EQ(reply.substr(0, 8), "*3\r\n:1\r\n");
  EXPECT_NE(reply.find("%1\r\n$1\r\nf\r\n$1\r\nv\r\n"), std::string::npos);
}

TEST_P(Transactions, WatchedKeysThatChangeInBetweenStopThem) {
  const std::vector<std::vector<Args>> changes = {
      {{"SET", "w", "2"}},
      {{"DEL", "w"}},
      {{"EXPIRE", "w", "100"}},
      {{"APPEND", "w", "x"}},
      {{"RENAME", "w", "v"}},
      {{"MOVE", "w", "1"}},
      {{"FLUSHDB"}},
      {{"FLUSHALL"}},
      {{"SWAPDB", "0", "5"}},
      {{"SWAPDB", "5", "0"}},
      {{"GETDEL", "w"}},
      {{"MSET", "u", "1", "w", "1"}},
      {{"COPY", "src", "w", "REPLACE"}},
      {{"RESTORE", "w", "0", "x"}, {"SET", "w", "3"}},
      {{"MULTI"}, {"SET", "w", "9"}, {"EXEC"}},
  };
  for (const auto& change : changes) {
    run({"FLUSHALL"});
    run({"SET", "w", "1"});
    run({"SET", "src", "1"});
    EXPECT_EQ(run({"WATCH", "v", "w", "x"}), "+OK\r\n");
    for (const Args& step : change) other(step);
    SCOPED_TRACE(change[0][0]);
    expect_touched();
    expect_untouched();  // EXEC has forgotten what was watched
  }
}

TEST_P(Transactions, WatchedKeysThatAreOnlyReadDoNot) {
  run({"SET", "w", "1"});
  run({"WATCH", "w", "absent"});
  other({"GET", "w"});
  other({"SET", "another", "1"});
  other({"SELECT", "1"});
  other({"SET", "w", "1"});
  other({"FLUSHDB"});
  expect_untouched();
}

TEST_P(Transactions, UnwatchForgets) {
  run({"WATCH", "w", "x"});
  other({"SET", "w", "1"});
  EXPECT_EQ(run({"UNWATCH"}), "+OK\r\n");
  expect_untouched();
  EXPECT_EQ(run({"UNWATCH"}), "+OK\r\n");
  run({"WATCH", "w"});
  run({"MULTI"});
  EXPECT_EQ(run({"UNWATCH"}), "+QUEUED\r\n");
  EXPECT_EQ(run({"DISCARD"}), "+OK\r\n");
  other({"SET", "w", "2"});
  expect_untouched();
}

TEST_P(Transactions, AWatchedKeyThatExpiresStopsThem) {
  run({"SET", "w", "1", "PX", "100"});
  run({"WATCH", "w"});
  for (Shard* s : server.engine().shards) s->active_expire = false;
  server.advance_ms(200);
  expect_touched();
}

TEST_P(Transactions, AKeyThatHadExpiredWhenItWasWatchedDoesNot) {
  run({"SET", "w", "1", "PX", "100"});
  for (Shard* s : server.engine().shards) s->active_expire = false;
  server.advance_ms(200);
  run({"WATCH", "w"});
  for (Shard* s : server.engine().shards) s->active_expire = true;
  server.advance_ms(200);
  expect_untouched();
}

TEST_P(Transactions, ExpiredKeysThatSwapdbBringsAreNoChange) {
  for (Shard* s : server.engine().shards) s->active_expire = false;
  for (bool in_both : {false, true}) {
    run({"FLUSHALL"});
    run({"SET", "w", "1", "PX", "100"});
    run({"MULTI"});
    run({"SELECT", "1"});
    if (in_both) run({"SET", "w", "1", "PX", "100"});
    run({"EXEC"});
    server.advance_ms(200);
    run({"WATCH", "w"});
    run({"SWAPDB", "0", "1"});
    expect_untouched();
    run({"SELECT", "0"});
  }
}

TEST_P(Transactions, TheWatcherTouchesItsOwnKeysToo) {
  run({"WATCH", "w"});
  run({"SET", "w", "1"});
  expect_touched();
}

TEST_P(Transactions, OfAPipelineRunInOrder) {
  for (const Args& a : {Args{"SET", "n", "1"}, Args{"MULTI"}, Args{"INCR", "n"}, Args{"MSET", "x", "1", "y", "2"}, Args{"EXEC"},
                        Args{"INCR", "n"}, Args{"GET", "y"}})
    server.send(0, a);
  EXPECT_EQ(server.receive(0), "+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:2\r\n+OK\r\n:3\r\n$1\r\n2\r\n");
}

TEST_P(Transactions, AreRefusedWholeWhereOneOfThemIsRefused) {
  run({"MULTI"});
  run({"SET", "a", "1"});
  other({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_EQ(run({"EXEC"}), "-EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.\r\n");
  EXPECT_EQ(run({"EXEC"}), "-ERR EXEC without MULTI\r\n");
  run({"MULTI"});
  EXPECT_EQ(run({"SET", "a", "1"}), "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
  EXPECT_EQ(run({"EXEC"}), "-EXECABORT Transaction discarded because of previous errors.\r\n");
  run({"MULTI"});
  EXPECT_EQ(run({"GET", "a"}), "-OOM command not allowed when used memory > 'maxmemory'.\r\n");  // a queue needs memory, whatever is in it
  EXPECT_EQ(run({"EXEC"}), "-EXECABORT Transaction discarded because of previous errors.\r\n");
}

// As Redis's rejectCommand: whatever EXEC itself is refused for discards the transaction, and what was watched with it.
TEST_P(Transactions, AreDiscardedWhereExecItselfIsRefused) {
  const std::string arity = "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n";
  run({"WATCH", "w1", "w2", "w3"});
  run({"MULTI"});
  run({"SET", "a", "1"});
  EXPECT_EQ(run({"EXEC", "x"}), arity);
  EXPECT_EQ(run({"EXEC"}), "-ERR EXEC without MULTI\r\n");
  EXPECT_EQ(run({"EXISTS", "a"}), ":0\r\n");
  other({"MSET", "w1", "1", "w2", "1", "w3", "1"});
  expect_untouched();
  run({"WATCH", "w1", "w2", "w3"});
  EXPECT_EQ(run({"EXEC", "x"}), arity);
  other({"MSET", "w1", "2", "w2", "2", "w3", "2"});
  expect_untouched();
  EXPECT_EQ(server.run_as(2, {"EXEC", "x"}), arity);
}

TEST_P(Transactions, AreDiscardedWhereTheUserMayNotExecThem) {
  run({"MULTI"});
  run({"SET", "a", "1"});
  other({"ACL", "SETUSER", "default", "-exec"});
  EXPECT_EQ(run({"EXEC"}),
            "-EXECABORT Transaction discarded because of: NOPERM User default has no permissions to run the 'exec' command\r\n");
  EXPECT_EQ(run({"MULTI"}), "+OK\r\n");
}

TEST_P(Transactions, ScanTheShardThatTheCursorNames) {
  std::string keys;
  for (int i = 0; i < 20; i++) run({"SET", "k" + std::to_string(i), "1"});
  std::string cursor = "0";
  size_t seen = 0;
  do {
    run({"MULTI"});
    run({"SCAN", cursor, "COUNT", "5"});
    std::string reply = run({"EXEC"});
    size_t at = reply.find("\r\n", reply.find('$')) + 2;
    cursor = reply.substr(at, reply.find("\r\n", at) - at);
    for (size_t k = reply.find("\r\nk"); k != std::string::npos; k = reply.find("\r\nk", k + 1)) seen++;
  } while (cursor != "0");
  EXPECT_EQ(seen, 20u);
}

INSTANTIATE_TEST_SUITE_P(Shards, Transactions, testing::Values(1, 2, 4));

}  // namespace
}  // namespace ringwood
