// FUNCTION, FCALL and FCALL_RO, with one shard and with several.
#include <gtest/gtest.h>

#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

class Functions : public testing::TestWithParam<int> {
 protected:
  using Args = InProcess::Args;
  InProcess server{GetParam()};
  std::string run(const Args& args) { return server.run(args); }
  std::string load(const std::string& name, const std::string& code, bool replace = false) {
    std::string source = "#!lua name=" + name + "\n" + code;
    return replace ? run({"FUNCTION", "LOAD", "REPLACE", source}) : run({"FUNCTION", "LOAD", source});
  }
  void expect_refused(const std::string& code, const std::string& part) {
    std::string reply = load("bad", code);
    EXPECT_EQ(reply[0], '-') << code << ": " << reply;
    EXPECT_NE(reply.find(part), std::string::npos) << code << ": " << reply;
  }
};

TEST_P(Functions, AreKnownToEveryThread) {
  EXPECT_EQ(load("lib", "local n = 20\nredis.register_function('f', function(keys, args) return {keys[1], args[1], n} end)"),
            "$3\r\nlib\r\n");
  for (size_t client = 0; client < 4; client++)
    EXPECT_EQ(server.run_as(client, {"FCALL", "F", "1", "k", "a"}), "*3\r\n$1\r\nk\r\n$1\r\na\r\n:20\r\n");
  EXPECT_EQ(load("lib", "redis.register_function('f', function() return 'new' end)"), "-ERR Library 'lib' already exists\r\n");
  EXPECT_EQ(load("lib", "redis.register_function('f', function() return 'new' end)", true), "$3\r\nlib\r\n");
  for (size_t client = 0; client < 4; client++) EXPECT_EQ(server.run_as(client, {"FCALL", "f", "0"}), "$3\r\nnew\r\n");
  EXPECT_EQ(run({"FUNCTION", "DELETE", "lib"}), "+OK\r\n");
  for (size_t client = 0; client < 4; client++) EXPECT_EQ(server.run_as(client, {"FCALL", "f", "0"}), "-ERR Function not found\r\n");
}

TEST_P(Functions, AreListed) {
  load("one",
       "redis.register_function{function_name='f', callback=function() end, description='says f', flags={'no-writes', 'allow-oom'}}");
  EXPECT_EQ(run({"FUNCTION", "LIST"}),
            "*1\r\n*6\r\n$12\r\nlibrary_name\r\n$3\r\none\r\n$6\r\nengine\r\n$3\r\nLUA\r\n$9\r\nfunctions\r\n*1\r\n*6\r\n$4\r\nname\r\n$"
            "1\r\nf\r\n"
            "$11\r\ndescription\r\n$6\r\nsays f\r\n$5\r\nflags\r\n*2\r\n+no-writes\r\n+allow-oom\r\n");
  EXPECT_EQ(run({"FUNCTION", "LIST", "LIBRARYNAME", "t*"}), "*0\r\n");
  EXPECT_EQ(run({"FUNCTION", "STATS"}),
            "*4\r\n$14\r\nrunning_script\r\n$-1\r\n$7\r\nengines\r\n*2\r\n$3\r\nLUA\r\n*4\r\n$15\r\nlibraries_count\r\n:1\r\n$"
            "15\r\nfunctions_count\r\n:1\r\n");
  EXPECT_EQ(run({"FUNCTION", "KILL"}), "-NOTBUSY No scripts in execution right now.\r\n");
  EXPECT_EQ(run({"FUNCTION", "FLUSH"}), "+OK\r\n");
  EXPECT_EQ(run({"FUNCTION", "LIST"}), "*0\r\n");
}

TEST_P(Functions, AreRefused) {
  EXPECT_EQ(run({"FUNCTION", "Flush", "SYNC", "x"}),
            "-ERR unknown subcommand or wrong number of arguments for 'Flush'. Try FUNCTION HELP.\r\n");
  EXPECT_EQ(run({"FUNCTION", "RESTORE", "x", "FLUSH", "x"}),
            "-ERR unknown subcommand or wrong number of arguments for 'RESTORE'. Try FUNCTION HELP.\r\n");
  EXPECT_EQ(run({"FUNCTION", "LOAD", "return 1"}), "-ERR Missing library metadata\r\n");
  EXPECT_EQ(run({"FUNCTION", "LOAD", "#!lua\nreturn 1"}), "-ERR Library name was not given\r\n");
  EXPECT_EQ(run({"FUNCTION", "LOAD", "#!perl name=a\nreturn 1"}), "-ERR Engine 'perl' not found\r\n");
  EXPECT_EQ(run({"FUNCTION", "LOAD", "#!lua name=a name=b\n"}), "-ERR Invalid metadata value, name argument was given multiple times\r\n");
  EXPECT_EQ(run({"FUNCTION", "LOAD", "#!lua name=a x=y\n"}), "-ERR Invalid metadata value given: x=y\r\n");
  expect_refused("return 1", "No functions registered");
  expect_refused("(", "Error compiling function: ");
  expect_refused("x = 1", "Attempt to modify a readonly table");
  expect_refused("redis.register_function()", "wrong number of arguments to redis.register_function");
  expect_refused("redis.register_function('f')", "calling redis.register_function with a single argument is only applicable to Lua table");
  expect_refused("redis.register_function('f', 1)", "second argument to redis.register_function must be a function");
  expect_refused("redis.register_function('a b', function() end)", "Library names can only contain letters");
  expect_refused("redis.register_function('f', function() end) redis.register_function('f', function() end)",
                 "Function already exists in the library");
  expect_refused("redis.register_function{callback=function() end}", "redis.register_function must get a function name argument");
  expect_refused("redis.register_function{function_name='f'}", "redis.register_function must get a callback argument");
  expect_refused("redis.register_function{function_name='f', callback=function() end, flags={'x'}}", "unknown flag given");
  expect_refused("redis.register_function{function_name='f', callback=function() end, x=1}",
                 "unknown argument given to redis.register_function");
  expect_refused("return redis.call('ping')", "nonexistent global variable 'call'");
  expect_refused("return math.random()", "nonexistent global variable 'math'");
  load("good", "redis.register_function('f', function() return 'good' end)");
  expect_refused("redis.register_function('f', function() end)", "Function f already exists");
  EXPECT_EQ(run({"FCALL", "f", "0"}), "$4\r\ngood\r\n");
}

TEST_P(Functions, CallCommands) {
  load("lib",
       "redis.register_function('set', function(keys, args) return redis.call('set', keys[1], args[1]) end)\n"
       "redis.register_function{function_name='get', callback=function(keys) return redis.call('get', keys[1]) end, flags={'no-writes'}}\n"
       "redis.register_function('late', function() redis.register_function('x', function() end) end)");
  EXPECT_EQ(run({"FCALL", "set", "1", "k", "v"}), "+OK\r\n");
  EXPECT_EQ(run({"FCALL_RO", "get", "1", "k"}), "$1\r\nv\r\n");
  EXPECT_EQ(run({"FCALL_RO", "set", "1", "k", "v"}), "-ERR Can not execute a script with write flag using *_ro command.\r\n");
  EXPECT_EQ(run({"FCALL", "set", "x", "k", "v"}), "-ERR Bad number of keys provided\r\n");
  EXPECT_NE(run({"FCALL", "late", "0"}).find("attempt to call field 'register_function' (a nil value)"), std::string::npos);
}

// A key on each shard, none of them declared.
TEST_P(Functions, ReachKeysThatTheyDidNotDeclare) {
  load("lib",
       "redis.register_function('all', function(keys, args) for i, k in ipairs(args) do redis.call('incr', k) end return #args end)");
  Args call{"FCALL", "all", "0"};
  for (int i = 0; i < 20; i++) call.push_back("k" + std::to_string(i));
  EXPECT_EQ(run(call), ":20\r\n");
  EXPECT_EQ(run(call), ":20\r\n");
  for (int i = 0; i < 20; i++) EXPECT_EQ(run({"GET", "k" + std::to_string(i)}), "$1\r\n2\r\n") << i;
}

INSTANTIATE_TEST_SUITE_P(Shards, Functions, testing::Values(1, 2, 4));

}  // namespace
}  // namespace ringwood
