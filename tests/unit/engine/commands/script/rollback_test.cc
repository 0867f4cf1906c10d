// SCRIPT DEBUG YES: after the session everything is as it was, whatever the script has written.
#include "engine/commands/script/rollback.h"

#include <gtest/gtest.h>

#include "engine/exec/digest.h"
#include "tests/harness/random_writes.h"
#include "tests/unit/engine/commands/script/debug_host.h"

namespace ringwood {
namespace {

constexpr size_t kAsking = 4;

// What is to be seen of the data set: values, times to live, and how much there is of them.
std::string state_of(InProcess& server) {
  std::string state;
  for (Shard* s : server.engine().shards) {
    state += "shard " + std::to_string(s->id()) + " dirty " + std::to_string(s->stats.dirty.get()) + " timed " +
             std::to_string(s->expiry.size()) + "+" + std::to_string(s->field_expiry.size()) + "\n";
    for (int database : {0, 3})
      state += "database " + std::to_string(database) + " keys " + std::to_string(s->database(database).size()) + "\n";
  }
  for (int database : {0, 3}) {
    for (const char* type : {"s", "h", "l", "t", "z", "x", "p"}) {
      for (int i = 0; i < 6; i++) {
        const std::string key = type + std::to_string(i);
        KeyRef k(key);
        const Entry* e = server.engine().shard_of(k.slot).database(database).find(k);
        if (e) state += key + " " + digest_text(value_digest(*e)) + " until " + std::to_string(e->expiry_ms()) + "\n";
      }
    }
  }
  return state;
}

// Runs the commands that its arguments hold, each with its length in front; what fails, fails.
constexpr const char* kRunAll = R"(local i = 1
while i <= #ARGV do
  local command = {}
  for j = 1, tonumber(ARGV[i]) do command[j] = ARGV[i + j] end
  redis.pcall(unpack(command))
  i = i + 1 + #command
end
return 'done')";

void run_rounds(int shards, int rounds) {
  Seeded random;
  InProcess server(shards);
  ScriptedDebugger debugger(server);
  RandomWrites writes(random, server, kAsking);
  ASSERT_EQ(std::vector<std::string>{}, writes.missing) << "writing commands that this test does not know";
  for (int round = 0; round < rounds; round++) {
    writes.populate();
    server.propagated();
    std::string log;
    InProcess::Args eval{"EVAL", kRunAll, "0"};
    for (size_t i = 0; i < 60; i++) {
      InProcess::Args args = writes.next();
      eval.push_back(std::to_string(args.size()));
      for (const std::string& a : args) log += a.size() < 50 ? a + " " : "... ";
      log += "\n";
      eval.insert(eval.end(), args.begin(), args.end());
    }
    const std::string before = state_of(server);
    ASSERT_EQ("$4\r\ndone\r\n", debugger.run("yes", eval, {{"c"}}));
    ASSERT_EQ(before, state_of(server)) << "after\n" << log;
    ASSERT_EQ("", server.propagated()) << "after\n" << log;
    server.advance_ms(static_cast<int64_t>(random.below(50)));
  }
}

TEST(Rollback, PutsBackWhatEveryCommandWritesWithOneShard) { run_rounds(1, 8); }
TEST(Rollback, PutsBackWhatEveryCommandWritesWithThreeShards) { run_rounds(3, 8); }

class RollbackOf : public testing::TestWithParam<int> {
 protected:
  InProcess server{GetParam()};
  ScriptedDebugger debugger{server};
  std::string yes(const std::string& script) { return debugger.run("yes", {"EVAL", script, "0"}, {{"c"}}); }
};

TEST_P(RollbackOf, LargeValuesAndThoseOfOtherDatabases) {
  InProcess::Args add{"RPUSH", "big"};
  for (int i = 0; i < 3000; i++) add.push_back("element " + std::to_string(i));
  server.run(add);
  server.run({"SET", "x", std::string(200000, 'x'), "PX", "100000"});
  server.run({"SELECT", "3"});
  server.run({"SET", "copy", "old"});
  server.run({"SELECT", "0"});
  EXPECT_EQ("*3\r\n:1\r\n:1\r\n$3\r\nnew\r\n", yes(R"(redis.call('LTRIM', 'big', 0, 0)
    local copied = redis.call('COPY', 'big', 'copy', 'DB', '3', 'REPLACE')
    local moved = redis.call('MOVE', 'x', 3)
    redis.call('SELECT', 3)
    redis.call('SET', 'there', 'new')
    return {copied, moved, redis.call('GET', 'there')})"));
  EXPECT_EQ(":3000\r\n", server.run({"LLEN", "big"}));
  EXPECT_EQ(":200000\r\n", server.run({"STRLEN", "x"}));
  EXPECT_EQ(":100000\r\n", server.run({"PTTL", "x"}));
  server.run({"SELECT", "3"});
  EXPECT_EQ("$3\r\nold\r\n", server.run({"GET", "copy"}));
  EXPECT_EQ(":1\r\n", server.run({"DBSIZE"}));
}

TEST_P(RollbackOf, ADisturbanceOfNobody) {
  server.run({"SET", "k", "old"});
  server.run_as(2, {"WATCH", "k"});
  server.send(3, {"BLPOP", "list", "0"});
  server.settle();
  server.run_as(4, {"SUBSCRIBE", "news"});
  EXPECT_EQ(":1\r\n", yes("redis.call('SET', 'k', 'new') redis.call('RPUSH', 'list', 'x') return redis.call('PUBLISH', 'news', 'x')"));
  EXPECT_TRUE(server.blocked(3));
  EXPECT_EQ("", server.receive(4));
  server.run_as(2, {"MULTI"});
  server.run_as(2, {"GET", "k"});
  EXPECT_EQ("*1\r\n$3\r\nold\r\n", server.run_as(2, {"EXEC"}));
  server.run({"RPUSH", "list", "y"});
  EXPECT_EQ("*2\r\n$4\r\nlist\r\n$1\r\ny\r\n", server.receive(3));
  server.run({"PUBLISH", "news", "z"});
  EXPECT_NE(std::string::npos, server.receive(4).find("z"));
}

TEST_P(RollbackOf, NothingThatCannotBeUndone) {
  server.run({"SET", "k", "v"});
  for (const char* command : {"'FLUSHALL'", "'FLUSHDB', 'ASYNC'", "'SWAPDB', 0, 1", "'SLOWLOG', 'RESET'"}) {
    EXPECT_EQ(0u, yes(std::string("return redis.call(") + command + ")").find("-ERR This command cannot be rolled back")) << command;
    EXPECT_EQ("$1\r\nv\r\n", server.run({"GET", "k"}));
  }
  EXPECT_EQ("+PONG\r\n", yes("return redis.call('PING')"));
  EXPECT_EQ("$1\r\nv\r\n", yes("return redis.call('GET', 'k')"));
}

TEST_P(RollbackOf, KeysThatHaveExpired) {
  server.propagated();
  server.run({"SET", "k", "v", "PX", "10"});
  server.propagated();
  for (Shard* s : server.engine().shards) s->active_expire = false;
  server.advance_ms(20);
  EXPECT_EQ("*2\r\n$-1\r\n+OK\r\n", yes("return {redis.call('GET', 'k'), redis.call('SET', 'k', 'new')}"));
  EXPECT_EQ("", server.propagated()) << "it has not happened yet";
  EXPECT_EQ("$-1\r\n", server.run({"GET", "k"}));
  EXPECT_EQ("DEL k", server.propagated().substr(0, 5));
}

INSTANTIATE_TEST_SUITE_P(Shards, RollbackOf, testing::Values(1, 2, 4));

}  // namespace
}  // namespace ringwood
