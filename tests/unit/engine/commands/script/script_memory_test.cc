// maxmemory and what scripts, functions and transactions may do beyond it: Redis's rules, word for word, with one shard and with several.
#include <gtest/gtest.h>

#include "engine/base/sha1.h"
#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

const std::string kOom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
const std::string kOomInExec = "-EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.\r\n";
const std::string kEarlierErrors = "-EXECABORT Transaction discarded because of previous errors.\r\n";

class BeyondMaxmemory : public testing::TestWithParam<int> {
 protected:
  using Args = InProcess::Args;
  InProcess server{GetParam()};
  BeyondMaxmemory() {
    run({"SET", "x", "123"});
    EXPECT_EQ(run({"FUNCTION", "LOAD",
                   "#!lua name=lib\n"
                   "local function set(keys) return redis.call('SET', keys[1], '1') end\n"
                   "redis.register_function{function_name='plain', callback=set}\n"
                   "redis.register_function{function_name='reads', callback=function(keys) return redis.call('GET', keys[1]) end, "
                   "flags={'no-writes'}}\n"
                   "redis.register_function{function_name='grows', callback=set, flags={'allow-oom'}}"}),
              "$3\r\nlib\r\n");
  }
  std::string run(const Args& args) { return server.run(args); }
  void fill() { ASSERT_EQ(server.run_as(7, {"CONFIG", "SET", "maxmemory", "1"}), "+OK\r\n"); }
  std::string eval(const std::string& script, const std::string& command = "EVAL") { return run({command, script, "1", "x"}); }
  // The error of a command of a script that did not catch it.
  static std::string in_script(const std::string& script) {
    return kOom.substr(0, kOom.size() - 2) + " script: " + sha1_hex(script) + ", on @user_script:1.\r\n";
  }
  // The reply to EXEC of a transaction of these, queued while there was room.
  std::string exec_of(size_t client, const std::vector<Args>& commands) {
    EXPECT_EQ(server.run_as(client, {"CONFIG", "SET", "maxmemory", "0"}), "+OK\r\n");
    EXPECT_EQ(server.run_as(client, {"MULTI"}), "+OK\r\n");
    for (const Args& a : commands) EXPECT_EQ(server.run_as(client, a), "+QUEUED\r\n");
    fill();
    return server.run_as(client, {"EXEC"});
  }
};

TEST_P(BeyondMaxmemory, AScriptWithoutFlagsIsJudgedCommandByCommand) {
  fill();
  for (const std::string command : {"SET", "APPEND", "LPUSH", "PFADD"}) {
    const std::string script = "return redis.call('" + command + "', KEYS[1], 'v')";
    EXPECT_EQ(eval(script), in_script(script)) << command;
  }
  EXPECT_EQ(eval("return redis.call('GET', KEYS[1])"), "$3\r\n123\r\n");
  EXPECT_EQ(eval("return redis.call('GET', KEYS[1])", "EVAL_RO"), "$3\r\n123\r\n");
  EXPECT_EQ(eval("return redis.call('DEL', 'nothing')"), ":0\r\n");
  EXPECT_EQ(eval("return redis.pcall('SET', KEYS[1], 'v')"), kOom);
  EXPECT_EQ(eval("return redis.pcall('SET', KEYS[1], 'v').err"), "$" + std::to_string(kOom.size() - 3) + "\r\n" + kOom.substr(1));
  EXPECT_EQ(run({"GET", "x"}), "$3\r\n123\r\n");
}

TEST_P(BeyondMaxmemory, AScriptThatHasWrittenMayGoOnWriting) {
  fill();
  EXPECT_EQ(eval("redis.call('DEL', KEYS[1]) return redis.call('SET', KEYS[1], 'new')"), "+OK\r\n");
  EXPECT_EQ(run({"GET", "x"}), "$3\r\nnew\r\n");
}

TEST_P(BeyondMaxmemory, KeysThatNobodyDeclaredFollowTheSameRules) {
  fill();
  for (int i = 0; i < 4; i++) {  // whichever shards they are on
    const std::string key = "undeclared:" + std::to_string(i);
    const std::string script = "return redis.call('SET', '" + key + "', 'v')";
    EXPECT_EQ(eval(script), in_script(script));
    EXPECT_EQ(eval("redis.call('DEL', KEYS[1]) return redis.call('SET', '" + key + "', 'v')"), "+OK\r\n");
    EXPECT_EQ(eval("#!lua flags=allow-oom\nredis.call('SET', '" + key + "', 'w') return redis.call('SET', KEYS[1], '123')"), "+OK\r\n");
    EXPECT_EQ(run({"GET", key}), "$1\r\nw\r\n");
  }
}

TEST_P(BeyondMaxmemory, FlagsSayBeforehandWhetherAScriptMayRun) {
  fill();
  EXPECT_EQ(eval("#!lua\nreturn 1"), kOom);
  EXPECT_EQ(eval("#!lua flags=\nreturn redis.call('GET', KEYS[1])"), kOom);
  EXPECT_EQ(eval("#!lua flags=allow-stale\nreturn 1"), kOom);
  EXPECT_EQ(eval("#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])"), "$3\r\n123\r\n");
  EXPECT_EQ(eval("#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])", "EVAL_RO"), "$3\r\n123\r\n");
  const std::string writes = "#!lua flags=no-writes\nreturn redis.call('SET', KEYS[1], 'v')";
  EXPECT_EQ(eval(writes),
            "-ERR Write commands are not allowed from read-only scripts. script: " + sha1_hex(writes) + ", on @user_script:2.\r\n");
  EXPECT_EQ(eval("#!lua flags=allow-oom\nreturn redis.call('SET', KEYS[1], 'v')"), "+OK\r\n");
  EXPECT_EQ(eval("#!lua flags=allow-oom\nreturn 1", "EVAL_RO"), "-ERR Can not execute a script with write flag using *_ro command.\r\n");
  EXPECT_EQ(run({"SCRIPT", "LOAD", "return 2"}), "$40\r\n" + sha1_hex("return 2") + "\r\n");
  EXPECT_EQ(run({"GET", "x"}), "$1\r\nv\r\n");
}

TEST_P(BeyondMaxmemory, AndSoDoThoseOfFunctions) {
  fill();
  EXPECT_EQ(run({"FCALL", "plain", "1", "x"}), kOom);
  EXPECT_EQ(run({"FCALL_RO", "plain", "1", "x"}), kOom);
  EXPECT_EQ(run({"FCALL", "reads", "1", "x"}), "$3\r\n123\r\n");
  EXPECT_EQ(run({"FCALL_RO", "reads", "1", "x"}), "$3\r\n123\r\n");
  EXPECT_EQ(run({"FCALL", "grows", "1", "x"}), "+OK\r\n");
  EXPECT_EQ(run({"FUNCTION", "LOAD", "#!lua name=more\n"}), kOom);
  EXPECT_EQ(run({"FUNCTION", "DELETE", "lib"}), "+OK\r\n");
}

TEST_P(BeyondMaxmemory, ATransactionIsRefusedWholeForWhatNeedsMemoryInIt) {
  EXPECT_EQ(exec_of(0, {{"GET", "x"}}), "*1\r\n$3\r\n123\r\n");
  EXPECT_EQ(exec_of(0, {{"DEL", "x"}, {"GET", "x"}}), "*2\r\n:1\r\n$-1\r\n");
  for (const Args& a : {Args{"SET", "a", "1"}, Args{"MSET", "a", "1", "b", "2"}, Args{"SUNIONSTORE", "a", "b", "c"},
                        Args{"EVAL", "#!lua\nreturn 1", "0"}, Args{"FCALL", "plain", "1", "a"}}) {
    EXPECT_EQ(exec_of(0, {{"GET", "x"}, a}), kOomInExec) << a[0];
    EXPECT_EQ(run({"EXISTS", "a"}), ":0\r\n") << a[0];
  }
  run({"SCRIPT", "LOAD", "#!lua\nreturn 1"});
  EXPECT_EQ(exec_of(0, {{"EVALSHA", sha1_hex("#!lua\nreturn 1"), "0"}}), kOomInExec);
}

TEST_P(BeyondMaxmemory, AScriptInATransactionIsJudgedByItsFlags) {
  const std::string script = "return redis.call('SET', KEYS[1], 'v')";
  EXPECT_EQ(exec_of(0, {{"EVAL", "return 1", "0"}, {"EVAL", script, "1", "x"}}), "*2\r\n:1\r\n" + in_script(script));
  EXPECT_EQ(exec_of(0, {{"EVAL", "#!lua flags=allow-oom\n" + script, "1", "x"}, {"FCALL", "grows", "1", "y"}}), "*2\r\n+OK\r\n+OK\r\n");
  EXPECT_EQ(exec_of(0, {{"EVAL", "#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])", "1", "x"}, {"FCALL_RO", "reads", "1", "y"}}),
            "*2\r\n$1\r\nv\r\n$1\r\n1\r\n");
}

TEST_P(BeyondMaxmemory, NothingIsQueuedButWhatEndsTheQueue) {
  for (const Args& a : {Args{"SET", "a", "1"}, Args{"GET", "x"}, Args{"DEL", "x"}, Args{"PING"}, Args{"EVAL", "return 1", "0"},
                        Args{"MULTI"}, Args{"WATCH", "x"}, Args{"UNWATCH"}, Args{"INFO"}}) {
    run({"CONFIG", "SET", "maxmemory", "0"});
    EXPECT_EQ(run({"MULTI"}), "+OK\r\n");
    fill();
    EXPECT_EQ(run(a), kOom) << a[0];
    EXPECT_EQ(run({"EXEC"}), kEarlierErrors) << a[0];
  }
  EXPECT_EQ(run({"MULTI"}), "+OK\r\n");
  EXPECT_EQ(run({"DISCARD"}), "+OK\r\n");
  EXPECT_EQ(run({"MULTI"}), "+OK\r\n");
  EXPECT_EQ(run({"RESET"}), "+RESET\r\n");
  EXPECT_EQ(run({"GET", "x"}), "$3\r\n123\r\n");
  EXPECT_EQ(exec_of(0, {}), "*0\r\n");
}

INSTANTIATE_TEST_SUITE_P(Shards, BeyondMaxmemory, testing::Values(1, 2, 3));

}  // namespace
}  // namespace ringwood
