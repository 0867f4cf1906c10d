// Commands that wait for data: who is served, with what, in which order, and how waiting ends. With one shard and with several, so that keys, waiters
// and writers are on different threads in every way.
#include <gtest/gtest.h>

#include "engine/exec/waiting_room.h"
#include "tests/harness/in_process.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

std::string bulk(const std::string& s) { return "$" + std::to_string(s.size()) + "\r\n" + s + "\r\n"; }
std::string pair(const std::string& a, const std::string& b) { return "*2\r\n" + bulk(a) + bulk(b); }

class Blocking : public testing::TestWithParam<int> {
 protected:
  using Args = InProcess::Args;
  InProcess server{GetParam()};
  std::string run(const Args& args) { return server.run(args); }
  // Client n begins to wait.
  void wait(size_t n, const Args& args) {
    server.send(n, args);
    EXPECT_EQ(server.receive(n), "") << args[0];
    EXPECT_TRUE(server.blocked(n)) << args[0];
  }
  int64_t waiting() {
    int64_t n = 0;
    for (Executor* e : server.engine().executors) n += e->waiting_room().clients.get();
    return n;
  }
  int64_t keys_waited_for() {
    int64_t n = 0;
    for (Shard* s : server.engine().shards) n += s->blocked.keys.get();
    return n;
  }
  void expect_nobody_left() {
    server.settle();
    EXPECT_EQ(waiting(), 0);
    EXPECT_EQ(keys_waited_for(), 0);
  }
};

TEST_P(Blocking, AnswersAtOnceWhenThereIsSomething) {
  run({"RPUSH", "l", "a", "b", "c", "d"});
  EXPECT_EQ(run({"BLPOP", "none", "l", "0"}), pair("l", "a"));
  EXPECT_EQ(run({"BRPOP", "l", "0"}), pair("l", "d"));
  EXPECT_EQ(run({"BLMPOP", "0", "2", "none", "l", "LEFT", "COUNT", "5"}), "*2\r\n" + bulk("l") + pair("b", "c"));
  run({"RPUSH", "l", "x", "y"});
  EXPECT_EQ(run({"BLMOVE", "l", "m", "LEFT", "RIGHT", "0"}), bulk("x"));
  EXPECT_EQ(run({"BRPOPLPUSH", "l", "m", "0"}), bulk("y"));
  EXPECT_EQ(run({"LRANGE", "m", "0", "-1"}), pair("y", "x"));
  run({"ZADD", "z", "1", "a", "2", "b", "3", "c"});
  EXPECT_EQ(run({"BZPOPMIN", "none", "z", "0"}), "*3\r\n" + bulk("z") + bulk("a") + bulk("1"));
  EXPECT_EQ(server.run3({"BZPOPMAX", "z", "0"}), "*3\r\n" + bulk("z") + bulk("c") + ",3\r\n");
  EXPECT_EQ(run({"BZMPOP", "0", "1", "z", "MIN"}), "*2\r\n" + bulk("z") + "*1\r\n" + pair("b", "2"));
  expect_nobody_left();
}

TEST_P(Blocking, IsServedByTheFirstWrite) {
  for (const Args& command : {Args{"BLPOP", "k", "0"}, Args{"BRPOP", "none", "k", "0"}, Args{"BLPOP", "k", "another", "k", "0"}}) {
    wait(1, command);
    EXPECT_EQ(run({"RPUSH", "k", "v"}), ":1\r\n");
    EXPECT_EQ(server.receive(1), pair("k", "v"));
    EXPECT_EQ(run({"EXISTS", "k"}), ":0\r\n");
    expect_nobody_left();
  }
  wait(1, {"BZPOPMIN", "k", "0"});
  run({"ZADD", "k", "5", "m", "4", "n"});
  EXPECT_EQ(server.receive(1), "*3\r\n" + bulk("k") + bulk("n") + bulk("4"));
  wait(2, {"BLMPOP", "0", "2", "a", "b", "RIGHT", "COUNT", "2"});
  run({"RPUSH", "b", "1", "2", "3"});
  EXPECT_EQ(server.receive(2), "*2\r\n" + bulk("b") + pair("3", "2"));
  expect_nobody_left();
}

TEST_P(Blocking, IsServedInTheOrderOfComing) {
  for (size_t n = 1; n <= 5; n++) wait(n, {"BLPOP", "k", "0"});
  run({"RPUSH", "k", "1", "2", "3"});
  for (size_t n = 1; n <= 3; n++) EXPECT_EQ(server.receive(n), pair("k", std::to_string(n)));
  for (size_t n = 4; n <= 5; n++) EXPECT_TRUE(server.blocked(n));
  run({"LPUSH", "k", "4", "5"});
  EXPECT_EQ(server.receive(4), pair("k", "5"));
  EXPECT_EQ(server.receive(5), pair("k", "4"));
  expect_nobody_left();
}

TEST_P(Blocking, MoveIsServedWhereverItsKeysAre) {
  for (const char* target : {"t1", "t2", "t3", "t4", "t5"}) {
    wait(1, {"BLMOVE", "source", target, "LEFT", "RIGHT", "0"});
    wait(2, {"BLPOP", target, "0"});
    run({"RPUSH", "source", "v"});
    EXPECT_EQ(server.receive(1), bulk("v"));
    EXPECT_EQ(server.receive(2), pair(target, "v"));
    EXPECT_EQ(run({"EXISTS", "source", target}), ":0\r\n");
    expect_nobody_left();
  }
}

TEST_P(Blocking, MoveToAKeyOfAnotherTypeFailsAndLosesNothing) {
  for (const char* target : {"t1", "t2", "t3"}) {
    run({"SET", target, "text"});
    wait(1, {"BLMOVE", "source", target, "LEFT", "LEFT", "0"});
    run({"RPUSH", "source", "v"});
    EXPECT_EQ(server.receive(1), "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    EXPECT_EQ(run({"LPOP", "source"}), bulk("v"));
  }
  expect_nobody_left();
}

TEST_P(Blocking, ARingOfMovesTurns) {
  wait(1, {"BLMOVE", "a", "b", "LEFT", "LEFT", "0"});
  wait(2, {"BLMOVE", "b", "c", "LEFT", "LEFT", "0"});
  wait(3, {"BLMOVE", "c", "a", "LEFT", "LEFT", "0"});
  run({"LPUSH", "a", "v"});
  for (size_t n = 1; n <= 3; n++) EXPECT_EQ(server.receive(n), bulk("v"));
  EXPECT_EQ(run({"LRANGE", "a", "0", "-1"}), "*1\r\n" + bulk("v"));
  expect_nobody_left();
}

TEST_P(Blocking, TakesNoNoticeOfOtherTypes) {
  wait(1, {"BLPOP", "k", "0"});
  wait(2, {"BZPOPMIN", "k", "0"});
  run({"SET", "k", "text"});
  run({"DEL", "k"});
  run({"SADD", "k", "m"});
  run({"DEL", "k"});
  EXPECT_TRUE(server.blocked(1) && server.blocked(2));
  run({"ZADD", "k", "1", "m"});
  EXPECT_EQ(server.receive(2), "*3\r\n" + bulk("k") + bulk("m") + bulk("1"));
  run({"RPUSH", "k", "v"});
  EXPECT_EQ(server.receive(1), pair("k", "v"));
  expect_nobody_left();
}

TEST_P(Blocking, IsServedByWhateverPutsAListThere) {
  const std::vector<std::vector<Args>> ways = {
      {{"RPUSH", "other", "v"}, {"RENAME", "other", "k"}},
      {{"RPUSH", "other", "v"}, {"COPY", "other", "k"}, {"DEL", "other"}},
      {{"RPUSH", "other", "v"}, {"LMOVE", "other", "k", "LEFT", "LEFT"}},
      {{"MULTI"}, {"RPUSH", "k", "wrong"}, {"LPOP", "k"}, {"RPUSH", "k", "v"}, {"EXEC"}},
      {{"SELECT", "3"}, {"RPUSH", "k", "v"}, {"MOVE", "k", "0"}, {"SELECT", "0"}},
      {{"SELECT", "3"}, {"RPUSH", "k", "v"}, {"SWAPDB", "3", "0"}, {"SELECT", "0"}},
  };
  for (const auto& way : ways) {
    SCOPED_TRACE(way[1][0]);
    wait(1, {"BLPOP", "k", "0"});
    for (const Args& step : way) run(step);
    EXPECT_EQ(server.receive(1), pair("k", "v"));
    expect_nobody_left();
  }
}

TEST_P(Blocking, ATransactionServesWhenItHasEnded) {
  wait(1, {"BLPOP", "k", "0"});
  run({"MULTI"});
  run({"RPUSH", "k", "v"});
  run({"DEL", "k"});
  run({"EXEC"});
  EXPECT_TRUE(server.blocked(1));
  run({"MULTI"});
  run({"RPUSH", "k", "1", "2"});
  run({"LLEN", "k"});
  EXPECT_EQ(run({"EXEC"}), "*2\r\n:2\r\n:2\r\n");
  EXPECT_EQ(server.receive(1), pair("k", "1"));
  EXPECT_EQ(run({"LLEN", "k"}), ":1\r\n");
  expect_nobody_left();
}

TEST_P(Blocking, InATransactionDoesNotWait) {
  run({"MULTI"});
  for (const Args& a : {Args{"BLPOP", "k", "l", "0"}, Args{"BLMOVE", "k", "l", "LEFT", "LEFT", "0"}, Args{"BLMPOP", "0", "1", "k", "LEFT"},
                        Args{"BZPOPMIN", "k", "0"}, Args{"BRPOPLPUSH", "k", "l", "0"}})
    EXPECT_EQ(run(a), "+QUEUED\r\n");
  EXPECT_EQ(run({"EXEC"}), "*5\r\n*-1\r\n$-1\r\n*-1\r\n*-1\r\n$-1\r\n");
  expect_nobody_left();
}

TEST_P(Blocking, TimesOut) {
  wait(1, {"BLPOP", "a", "b", "c", "0.5"});
  wait(2, {"BLMOVE", "a", "b", "LEFT", "LEFT", "1"});
  server.client(3).resp = 3;
  wait(3, {"BZMPOP", "2", "2", "a", "b", "MIN"});
  server.advance_ms(499);
  EXPECT_EQ(server.receive(1), "");
  server.advance_ms(1);
  EXPECT_EQ(server.receive(1), "*-1\r\n");
  server.advance_ms(500);
  EXPECT_EQ(server.receive(2), "*-1\r\n");
  server.advance_ms(1000);
  EXPECT_EQ(server.receive(3), "_\r\n");
  expect_nobody_left();
  run({"RPUSH", "a", "v"});
  EXPECT_EQ(run({"LLEN", "a"}), ":1\r\n");
}

TEST_P(Blocking, RefusesBadTimeouts) {
  const std::string text = "-ERR timeout is not a float or out of range\r\n", range = "-ERR timeout is out of range\r\n";
  EXPECT_EQ(run({"BLPOP", "k", "x"}), text);
  EXPECT_EQ(run({"BLMOVE", "k", "l", "LEFT", "LEFT", "nan"}), text);
  EXPECT_EQ(run({"BLPOP", "k", "-1"}), "-ERR timeout is negative\r\n");
  EXPECT_EQ(run({"BZPOPMIN", "k", "0x7FFFFFFFFFFFFF"}), range);
  EXPECT_EQ(run({"BLMPOP", "1e300", "1", "k", "LEFT"}), range);
  EXPECT_EQ(run({"BLPOP", "k", "1e400"}), range);  // too much for a double, yet a number
  EXPECT_EQ(run({"BLPOP", "k", "inf"}), range);
  EXPECT_EQ(run({"BLPOP", "k", "1e5000"}), text);
  EXPECT_EQ(run({"BLMPOP", "0", "0", "k", "LEFT"}), "-ERR numkeys should be greater than 0\r\n");
  EXPECT_EQ(run({"BLMPOP", "0", "1", "k", "UP"}), "-ERR syntax error\r\n");
  EXPECT_EQ(run({"BZMPOP", "0", "3", "k", "MIN"}), "-ERR syntax error\r\n");
  run({"SET", "s", "text"});
  EXPECT_EQ(run({"BLPOP", "none", "s", "0"}), "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
  expect_nobody_left();
}

TEST_P(Blocking, EndsWhenItIsToldTo) {
  using End = WaitingRoom::End;
  auto home = [&](size_t n) -> WaitingRoom& { return server.executor(n % server.engine().shards.size()).waiting_room(); };
  wait(1, {"BLPOP", "a", "b", "0"});
  wait(2, {"BZPOPMIN", "a", "0"});
  EXPECT_TRUE(home(1).end(server.client(1), End::kTimeout));
  EXPECT_EQ(waiting(), 1);  // whoever has the reply and looks must not take it for one that waits
  EXPECT_EQ(server.receive(1), "*-1\r\n");
  EXPECT_TRUE(home(2).end(server.client(2), End::kError));
  EXPECT_EQ(server.receive(2), "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
  EXPECT_FALSE(home(2).end(server.client(2), End::kError));
  wait(1, {"BLPOP", "a", "b", "0"});
  server.client(1).closing = true;
  EXPECT_TRUE(home(1).end(server.client(1), End::kDisconnect));
  EXPECT_EQ(waiting(), 0);  // although a key's queue on another shard may know of it still
  EXPECT_EQ(server.receive(1), "");
  EXPECT_FALSE(server.client(1).slots_open());
  expect_nobody_left();
}

TEST_P(Blocking, AKeyThatExpiresBeforeItIsTakenServesNobody) {
  wait(1, {"BLPOP", "k", "0"});
  run({"MULTI"});
  run({"RPUSH", "k", "v"});
  run({"PEXPIRE", "k", "0"});
  run({"EXEC"});
  EXPECT_TRUE(server.blocked(1));
  run({"RPUSH", "k", "w"});
  EXPECT_EQ(server.receive(1), pair("k", "w"));
  expect_nobody_left();
}

std::string entry(const std::string& id) { return "*2\r\n" + bulk(id) + pair("f", "v"); }
std::string entries(const std::string& key, const std::string& id) { return "*1\r\n*2\r\n" + bulk(key) + "*1\r\n" + entry(id); }

TEST_P(Blocking, ReadsOfStreamsAllGetWhatIsAdded) {
  run({"XADD", "s", "1-0", "f", "v"});
  wait(1, {"XREAD", "BLOCK", "0", "STREAMS", "s", "$"});
  wait(2, {"XREAD", "COUNT", "5", "BLOCK", "0", "STREAMS", "other", "s", "none", "0", "1", "$"});
  server.client(3).resp = 3;
  wait(3, {"XREAD", "BLOCK", "0", "STREAMS", "s", "2-5"});
  run({"XADD", "s", "2-0", "f", "v"});
  EXPECT_EQ(server.receive(1), entries("s", "2-0"));
  EXPECT_EQ(server.receive(2), entries("s", "2-0"));
  EXPECT_EQ(server.receive(3), "");
  run({"XADD", "s", "3-0", "f", "v"});
  EXPECT_EQ(server.receive(3), "%1\r\n" + bulk("s") + "*1\r\n" + entry("3-0"));
  wait(1, {"XREAD", "BLOCK", "100", "STREAMS", "s", "$"});
  server.advance_ms(100);
  EXPECT_EQ(server.receive(1), "*-1\r\n");
  expect_nobody_left();
}

TEST_P(Blocking, ReadsOfAGroupGetAnEntryOnce) {
  run({"XGROUP", "CREATE", "s", "g", "$", "MKSTREAM"});
  for (size_t n = 1; n <= 2; n++) wait(n, {"XREADGROUP", "GROUP", "g", "c" + std::to_string(n), "BLOCK", "0", "STREAMS", "s", ">"});
  run({"XADD", "s", "1-0", "f", "v"});
  EXPECT_EQ(server.receive(1), entries("s", "1-0"));
  EXPECT_EQ(server.receive(2), "");
  run({"XADD", "s", "2-0", "f", "v"});
  EXPECT_EQ(server.receive(2), entries("s", "2-0"));
  EXPECT_EQ(run({"XACK", "s", "g", "1-0", "2-0"}), ":2\r\n");
  expect_nobody_left();
}

TEST_P(Blocking, ReadsOfAGroupEndWithTheGroup) {
  const std::vector<Args> ends = {{"DEL", "s"},         {"XGROUP", "DESTROY", "s", "g"}, {"FLUSHALL"}, {"RENAME", "s", "t"},
                                  {"SET", "s", "text"}, {"PEXPIRE", "s", "10"}};
  for (const Args& end : ends) {
    SCOPED_TRACE(end[0]);
    run({"DEL", "s", "t"});
    run({"XGROUP", "CREATE", "s", "g", "$", "MKSTREAM"});
    wait(1, {"XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">"});
    wait(2, {"XREAD", "BLOCK", "1000", "STREAMS", "s", "$"});
    run(end);
    server.advance_ms(20);
    std::string reply = server.receive(1);
    EXPECT_EQ(reply.substr(0, 7), end[0] == "SET" ? "-WRONGT" : "-NOGROU") << reply;
    EXPECT_TRUE(server.blocked(2));
    server.advance_ms(1000);
    EXPECT_EQ(server.receive(2), "*-1\r\n");
    expect_nobody_left();
  }
}

TEST_P(Blocking, CommandsBehindItInThePipelineWait) {
  server.send(1, {"SET", "before", "1"});
  server.send(1, {"BLPOP", "k", "0"});
  server.send(1, {"GET", "before"});
  EXPECT_EQ(server.receive(1), "+OK\r\n");
  run({"SET", "before", "2"});
  run({"RPUSH", "k", "v"});
  EXPECT_EQ(server.receive(1), pair("k", "v") + bulk("2"));
}

TEST_P(Blocking, IsCountedOnceWhenItHasBeenAnswered) {
  auto calls = [&] {
    int64_t n = 0;
    const Command* blpop = server.engine().commands->find("blpop");
    for (Executor* e : server.engine().executors) n += e->command_stats()[blpop->id].calls.get();
    return n;
  };
  wait(1, {"BLPOP", "k", "0"});
  EXPECT_EQ(calls(), 0);
  run({"RPUSH", "k", "v"});
  EXPECT_EQ(server.receive(1), pair("k", "v"));
  EXPECT_EQ(calls(), 1);
  wait(1, {"BLPOP", "k", "1"});
  server.advance_ms(1000);
  EXPECT_EQ(calls(), 2);
}

// Elements are moved about by waiting clients on all threads; none is lost and none is there twice.
TEST_P(Blocking, LosesNothingWhenManyWaitAndPush) {
  Seeded seed;
  auto& random = seed.engine();
  const size_t clients = 12;
  auto key = [&] { return "key" + std::to_string(random() % 5); };
  size_t pushed = 0, popped = 0;
  for (int step = 0; step < 3000; step++) {
    size_t n = 1 + random() % clients;
    if (server.blocked(n)) continue;
    Args a;
    switch (random() % 6) {
      case 0: a = {"BLPOP", key(), key(), random() % 2 ? "0" : "0.05"}; break;
      case 1: a = {"BRPOP", key(), "0.1"}; break;
      case 2: a = {"BLMOVE", key(), key(), "LEFT", "RIGHT", "0"}; break;
      case 3: a = {"BLMPOP", "0", "3", key(), key(), key(), "LEFT", "COUNT", "2"}; break;
      default: a = {"RPUSH", key(), "v", "v"}; pushed += 2;
    }
    server.send(n, a);
    if (random() % 3 == 0) server.advance_ms(10);
    for (size_t i = 1; i <= clients; i++) {
      std::string reply = server.receive(i);
      EXPECT_NE(reply[0], '-') << reply;
      if (reply.substr(0, 2) != "*2") continue;  // RPUSH's length, a move's element, a timeout
      for (size_t at = reply.find("$1\r\nv"); at != std::string::npos; at = reply.find("$1\r\nv", at + 1)) popped++;
    }
  }
  size_t left = 0;
  for (int i = 0; i < 5; i++) left += std::stoul(run({"LLEN", "key" + std::to_string(i)}).substr(1));
  EXPECT_EQ(pushed, popped + left);
  for (size_t i = 1; i <= clients; i++) {
    server.client(i).closing = true;
    server.executor(i % server.engine().shards.size()).waiting_room().end(server.client(i), WaitingRoom::End::kDisconnect);
  }
  expect_nobody_left();
}

INSTANTIATE_TEST_SUITE_P(Shards, Blocking, testing::Values(1, 2, 4));

}  // namespace
}  // namespace ringwood
