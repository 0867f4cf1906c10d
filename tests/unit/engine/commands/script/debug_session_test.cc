// A whole session without sockets: what the script's thread hears and says, and who ends it.
#include "engine/commands/script/debug_session.h"

#include <gtest/gtest.h>

#include "tests/unit/engine/commands/script/debug_host.h"

namespace ringwood {
namespace {

using Words = ScriptedDebugger::Words;

class DebugSessions : public testing::TestWithParam<int> {
 protected:
  InProcess server{GetParam()};
  ScriptedDebugger client{server};
  bool said(const std::string& text) const { return client.said.find(text) != std::string::npos; }
};

TEST_P(DebugSessions, SpeakWithTheirClient) {
  EXPECT_EQ("$1\r\nv\r\n",
            client.run("sync", {"EVAL", "local a = 1\nredis.call('SET', KEYS[1], 'v')\nreturn redis.call('GET', KEYS[1])", "1", "k"},
                       {{"s"}, {"p"}, {"s"}, {"s"}}));
  EXPECT_EQ(
      "*2\r\n+* Stopped at 1, stop reason = step over\r\n+-> 1   local a = 1\r\n"
      "*2\r\n+* Stopped at 2, stop reason = step over\r\n+-> 2   redis.call('SET', KEYS[1], 'v')\r\n"
      "*1\r\n+<value> a = 1\r\n"
      "*4\r\n+<redis> SET k v\r\n+<reply> \"+OK\"\r\n+* Stopped at 3, stop reason = step over\r\n+-> 3   return redis.call('GET', "
      "KEYS[1])\r\n"
      "*3\r\n+<redis> GET k\r\n+<reply> \"v\"\r\n+<endsession>\r\n",
      client.said);
  EXPECT_TRUE(client.closed);
  EXPECT_EQ("$1\r\nv\r\n", server.run({"GET", "k"}));
}

TEST_P(DebugSessions, EndWithTheirClient) {
  const Words script = {"EVAL", "local a\nredis.call('SET', 'k', 'v')\nredis.breakpoint()\nreturn 'end'", "0"};
  EXPECT_EQ("$3\r\nend\r\n", client.run("sync", script, {{"s"}}));
  EXPECT_EQ("$1\r\nv\r\n", server.run({"GET", "k"}));
  server.run({"DEL", "k"});
  EXPECT_EQ(0u, client.run("yes", script, {{"s"}, {"s"}}).find("-ERR the debugger's client has gone"));
  EXPECT_EQ("$-1\r\n", server.run({"GET", "k"}));
  client.slow_word = "c";
  client.when_busy = [this] { server.clock().advance_ms(10000); };
  EXPECT_EQ(0u, client.run("sync", {"EVAL", "local a\nwhile true do a = 1 end", "0"}, {{"c"}})
                    .find("-ERR timeout during Lua debugging with client closing connection script: "));
}

TEST_P(DebugSessions, AreEndedByWhatTheyCannotRead) {
  const std::string script = "pcall(function()\n local a = 1\n end)\nreturn 'on'";
  auto error = [&](Words command) { return client.run("sync", {"EVAL", script, "0"}, {{"s"}, std::move(command)}); };
  EXPECT_EQ(0u, error({"abort"}).find("-ERR script aborted for user request script: "));
  EXPECT_EQ(0u, error({std::string(1025, 'x')}).find("-ERR protocol error script: "));
  EXPECT_EQ(0u, error(Words(1024, std::string(1024, 'x'))).find("-ERR max client buffer reached script: "));
}

TEST_P(DebugSessions, RunCodeThatMayBeEnded) {
  client.slow_word = "eval";
  // Its own hook looks at the time, and a script that is killed there is given up.
  client.when_busy = [this] { EXPECT_EQ("+OK\r\n", client.ask_while_busy({"SCRIPT", "KILL"})); };
  EXPECT_EQ(0u, client.run("yes", {"EVAL", "redis.call('SET', 'k', 1)\nreturn 1", "0"}, {{"s"}, {"eval", "while true do end"}})
                    .find("-ERR Script killed by user with SCRIPT KILL..."));
  EXPECT_EQ("$-1\r\n", server.run({"GET", "k"}));
}

TEST_P(DebugSessions, RunWithoutAnybodyWhereThereIsNoNetwork) {
  for (size_t i = 0; i < static_cast<size_t>(GetParam()); i++) server.executor(i).set_busy_host(nullptr);
  EXPECT_EQ("+OK\r\n", server.run_as(5, {"SCRIPT", "DEBUG", "SYNC"}));
  EXPECT_EQ(":1\r\n", server.run_as(5, {"EVAL", "local a = 1\nreturn a", "0"}));
}

TEST_P(DebugSessions, BeginWhereTheyMay) {
  auto as = [&](const InProcess::Args& args) { return server.run_as(6, args); };
  EXPECT_EQ("-ERR Use SCRIPT DEBUG YES/SYNC/NO\r\n", as({"SCRIPT", "DEBUG", "maybe"}));
  EXPECT_EQ("+OK\r\n", as({"SCRIPT", "DEBUG", "YES"}));
  EXPECT_EQ("-ERR Please use EVAL instead of EVALSHA for debugging\r\n", as({"EVALSHA", std::string(40, 'a'), "0"}));
  as({"MULTI"});
  as({"EVAL", "return 1", "0"});
  as({"SCRIPT", "DEBUG", "NO"});
  EXPECT_EQ("*2\r\n-ERR A script cannot be debugged inside a transaction\r\n-ERR SCRIPT DEBUG must be called outside a pipeline\r\n",
            as({"EXEC"}));
  EXPECT_EQ("+OK\r\n", as({"SCRIPT", "DEBUG", "NO"}));
  EXPECT_EQ(":1\r\n", as({"EVAL", "return 1", "0"}));
  server.send(6, {"PING"});
  server.send(6, {"SCRIPT", "DEBUG", "YES"});
  EXPECT_EQ("+PONG\r\n-ERR SCRIPT DEBUG must be called outside a pipeline\r\n", server.receive(6));
}

INSTANTIATE_TEST_SUITE_P(Shards, DebugSessions, testing::Values(1, 2, 4));

}  // namespace
}  // namespace ringwood
