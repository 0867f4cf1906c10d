// EVAL, EVALSHA and SCRIPT, with one shard and with several: what scripts see, what they may do, and keys that they do not declare.
#include <gtest/gtest.h>

#include "engine/base/sha1.h"
#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

class Scripts : public testing::TestWithParam<int> {
 protected:
  using Args = InProcess::Args;
  InProcess server{GetParam()};
  std::string run(const Args& args) { return server.run(args); }
  std::string other(const Args& args) { return server.run_as(1, args); }
  std::string eval(const std::string& script, Args rest = {"0"}) {
    Args args{"EVAL", script};
    args.insert(args.end(), rest.begin(), rest.end());
    return run(args);
  }
  // A key of another shard than `key`'s, where there is one.
  std::string elsewhere(const std::string& key) {
    for (int i = 0;; i++) {
      std::string candidate = key + ":" + std::to_string(i);
      if (GetParam() == 1 || server.engine().mapping.shard(key_slot(candidate)) != server.engine().mapping.shard(key_slot(key)))
        return candidate;
    }
  }
  // The lower of the two shards comes first or last, so that both orders are met.
  std::string key_on(int shard, const std::string& prefix) {
    for (int i = 0;; i++) {
      std::string candidate = prefix + std::to_string(i);
      if (server.engine().mapping.shard(key_slot(candidate)) == shard % GetParam()) return candidate;
    }
  }
};

TEST_P(Scripts, AnswerValuesByRedissRules) {
  EXPECT_EQ(eval("return 'hello'"), "$5\r\nhello\r\n");
  EXPECT_EQ(eval("return 3.99"), ":3\r\n");
  EXPECT_EQ(eval("return -3.99"), ":-3\r\n");
  EXPECT_EQ(eval("return true"), ":1\r\n");
  EXPECT_EQ(eval("return false"), "$-1\r\n");
  EXPECT_EQ(eval("return nil"), "$-1\r\n");
  EXPECT_EQ(eval("return {1, 'a', {2, {}}, nil, 5}"), "*3\r\n:1\r\n$1\r\na\r\n*2\r\n:2\r\n*0\r\n");
  EXPECT_EQ(eval("return {ok='fine\\r\\n'}"), "+fine  \r\n");
  EXPECT_EQ(eval("redis.setresp(3.25) return 1"), ":1\r\n");
  EXPECT_EQ(eval("redis.setresp(4294967299)").substr(0, 37), "-ERR RESP version must be 2 or 3. scr");
  EXPECT_EQ(eval("return {err='MY words'}"), "-MY words\r\n");
  EXPECT_EQ(eval("return {err='MY\\000words'}"), "-MY\r\n");
  EXPECT_EQ(eval("return {err='\\000'}"), "-\r\n");
  EXPECT_EQ(eval("return {double=3.5}"), "$3\r\n3.5\r\n");
  EXPECT_EQ(eval("return {map={a=1}}"), "*2\r\n$1\r\na\r\n:1\r\n");
  EXPECT_EQ(eval("return {set={a=true}}"), "*1\r\n$1\r\na\r\n");
  EXPECT_EQ(eval("return {big_number='123\\n4'}"), "$5\r\n123 4\r\n");
  EXPECT_EQ(eval("return {verbatim_string={string='abc',format='txt'}}"), "$3\r\nabc\r\n");
  EXPECT_EQ(eval("return redis.error_reply('CODE words')"), "-CODE words\r\n");
  EXPECT_EQ(eval("return redis.error_reply('word')"), "-ERR word\r\n");
  EXPECT_EQ(eval("return redis.status_reply('words')"), "+words\r\n");
  EXPECT_EQ(server.run3({"EVAL", "return {map={a=1}}", "0"}), "%1\r\n$1\r\na\r\n:1\r\n");
  EXPECT_EQ(server.run3({"EVAL", "return {double=3.5}", "0"}), ",3.5\r\n");
  EXPECT_EQ(server.run3({"EVAL", "redis.setresp(3) return true", "0"}), "#t\r\n");
  EXPECT_EQ(server.run3({"EVAL", "return nil", "0"}), "_\r\n");
}

TEST_P(Scripts, SeeReplies) {
  run({"SET", "s", "v"});
  run({"RPUSH", "l", "a", "b"});
  run({"HSET", "h", "f", "v"});
  EXPECT_EQ(eval("local r = redis.call('get', KEYS[1]) return {type(r), r}", {"1", "s"}), "*2\r\n$6\r\nstring\r\n$1\r\nv\r\n");
  EXPECT_EQ(eval("return tostring(redis.call('get', KEYS[1]))", {"1", "none"}), "$5\r\nfalse\r\n");
  EXPECT_EQ(eval("local r = redis.call('lrange', KEYS[1], 0, -1) return {#r, r[2]}", {"1", "l"}), "*2\r\n:2\r\n$1\r\nb\r\n");
  EXPECT_EQ(eval("return redis.call('set', KEYS[1], 1.5).ok", {"1", "s"}), "$2\r\nOK\r\n");
  EXPECT_EQ(eval("return redis.pcall('incr', KEYS[1]).err", {"1", "l"}),
            "$65\r\nWRONGTYPE Operation against a key holding the wrong kind of value\r\n");
  EXPECT_EQ(eval("redis.setresp(3) return redis.call('hgetall', KEYS[1]).map.f", {"1", "h"}), "$1\r\nv\r\n");
  EXPECT_EQ(eval("redis.setresp(3) return tostring(redis.call('get', KEYS[1]))", {"1", "none"}), "$3\r\nnil\r\n");
}

TEST_P(Scripts, WriteNumbersWithoutLoss) {
  EXPECT_EQ(eval("redis.call('set', KEYS[1], 9007199254740991) return redis.call('get', KEYS[1])", {"1", "n"}),
            "$16\r\n9007199254740991\r\n");
  EXPECT_EQ(eval("redis.call('set', KEYS[1], 0.1) return redis.call('get', KEYS[1])", {"1", "n"}), "$3\r\n0.1\r\n");
}

TEST_P(Scripts, TellErrorsWithTheirPlace) {
  const std::string script = "\nreturn redis.call('incr', KEYS[1])";
  run({"SET", "s", "v"});
  EXPECT_EQ(eval(script, {"1", "s"}),
            "-ERR value is not an integer or out of range script: " + sha1_hex(script) + ", on @user_script:2.\r\n");
  EXPECT_EQ(eval("return x"), "-ERR user_script:1: Script attempted to access nonexistent global variable 'x' script: " +
                                  sha1_hex("return x") + ", on @user_script:1.\r\n");
  EXPECT_EQ(eval("error('mine')"), "-ERR user_script:1: mine script: " + sha1_hex("error('mine')") + ", on @user_script:1.\r\n");
  EXPECT_EQ(eval("error({err='MINE words'})"), "-MINE words script: " + sha1_hex("error({err='MINE words'})") + ", on @user_script:1.\r\n");
  EXPECT_EQ(eval("error({err=-0.5})"), "--0.5 script: " + sha1_hex("error({err=-0.5})") + ", on @user_script:1.\r\n");
  EXPECT_EQ(eval("error(true)"), "-ERR true script: " + sha1_hex("error(true)") + ", on @user_script:1.\r\n");
  EXPECT_NE(eval("return redis.call('nosuch')").find("-ERR Unknown Redis command called from script script: "), std::string::npos);
  EXPECT_NE(eval("return redis.call('get')").find("-ERR Wrong number of args calling Redis command from script script: "),
            std::string::npos);
  EXPECT_NE(eval("return redis.call('subscribe', 'a')").find("-ERR This Redis command is not allowed from script"), std::string::npos);
  EXPECT_NE(eval("return redis.call()").find("-ERR Please specify at least one argument for this redis lib call"), std::string::npos);
  EXPECT_NE(eval("return redis.call('get', {})").find("-ERR Lua redis lib command arguments must be strings or integers"),
            std::string::npos);
  EXPECT_EQ(eval("return (").substr(0, 44), "-ERR Error compiling script (new function): ");
  EXPECT_EQ(eval("return 1", {"-1"}), "-ERR Number of keys can't be negative\r\n");
  EXPECT_EQ(eval("return 1", {"1"}), "-ERR Number of keys can't be greater than number of args\r\n");
  EXPECT_EQ(eval("return 1", {"x"}), "-ERR value is not an integer or out of range\r\n");
}

TEST_P(Scripts, ALineIsNamedWhereCodeOfLuaChangesASealedTable) {
  for (const char* attempt : {"rawset(_G, 'x', 1)", "setmetatable(_G, {})", "table.insert(redis, 1)"})
    EXPECT_EQ(eval(attempt).find("-ERR Attempt to modify a readonly table script: "), 0u) << attempt;
  EXPECT_EQ(eval("\n_G.x = 1").find("-ERR user_script:2: Attempt to modify a readonly table script: "), 0u);
}

TEST_P(Scripts, CannotLeaveTheSandbox) {
  const std::string refused = "Attempt to modify a readonly table";
  for (const char* attempt : {"x = 1",
                              "redis = 1",
                              "_G = {}",
                              "redis.call = 1",
                              "string.sub = 1",
                              "cjson.encode = 1",
                              "rawset(_G, 'x', 1)",
                              "rawset(redis, 'x', 1)",
                              "setmetatable(_G, {})",
                              "setmetatable(redis, {})",
                              "getmetatable(_G).__index = {}",
                              "getmetatable(redis).__newindex = nil",
                              "getmetatable('').__index = {}",
                              "table.insert(redis, 1)",
                              "setfenv(0, {})",
                              "math.random = 1",
                              "getfenv(1).x = 1",
                              "getfenv(redis.call).x = 1",
                              "_G._G.redis.x = 1",
                              "getmetatable(getmetatable(_G)).x = 1"})
    EXPECT_NE(eval(attempt).find(refused), std::string::npos) << attempt;
  for (const char* name : {"print", "dofile", "loadfile", "io", "os", "debug", "package", "require", "jit", "ffi", "module"})
    EXPECT_NE(eval("return " + std::string(name)).find("nonexistent global variable '" + std::string(name) + "'"), std::string::npos)
        << name;
  EXPECT_NE(eval("return loadstring(string.dump(function() return 1 end))()").find("attempt to call a nil value"), std::string::npos);
  EXPECT_EQ(eval("return loadstring('return 1 + 1')()"), ":2\r\n");
  EXPECT_EQ(eval("local n = 0 for name, f in pairs(redis) do if name == 'call' then n = n + 1 end end return n"), ":1\r\n");
  EXPECT_EQ(eval("return {rawget(redis, 'call') ~= nil, rawget({5}, 1)}"), "*2\r\n:1\r\n:5\r\n");
  EXPECT_EQ(eval("local t = setmetatable({}, {__index = function() return 7 end}) return t.x"), ":7\r\n");
  EXPECT_EQ(eval("local t = {} table.insert(t, 'a') table.insert(t, 1, 'b') return t"), "*2\r\n$1\r\nb\r\n$1\r\na\r\n");
  EXPECT_EQ(eval("local n = 0 for i, v in pairs({1, 2, 3}) do n = n + v end return n"), ":6\r\n");
}

TEST_P(Scripts, CatchErrorsAsText) {
  EXPECT_EQ(eval("local ok, e = pcall(redis.call, 'nosuch') return {tostring(ok), e}"),
            "*2\r\n$5\r\nfalse\r\n$44\r\nERR Unknown Redis command called from script\r\n");
  for (std::string container : {"command", "config"})
    EXPECT_EQ(eval("return redis.pcall('" + container + "', 'nosuch').err"), "$44\r\nERR Unknown Redis command called from script\r\n");
  EXPECT_EQ(eval("local ok, e = pcall(function() return 1, 2 end) return {tostring(ok), e}"), "*2\r\n$4\r\ntrue\r\n:1\r\n");
}

TEST_P(Scripts, AreKnownByTheirSha) {
  const std::string script = "return {KEYS[1], ARGV[1]}", sha = sha1_hex(script);
  EXPECT_EQ(run({"EVALSHA", sha, "0"}), "-NOSCRIPT No matching script. Please use EVAL.\r\n");
  EXPECT_EQ(run({"SCRIPT", "LOAD", script}), "$40\r\n" + sha + "\r\n");
  // Every thread finds it.
  for (size_t client = 0; client < 4; client++)
    EXPECT_EQ(server.run_as(client, {"EVALSHA", sha, "1", "k", "v"}), "*2\r\n$1\r\nk\r\n$1\r\nv\r\n");
  std::string upper = sha;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(run({"EVALSHA_RO", upper, "1", "k", "v"}), "*2\r\n$1\r\nk\r\n$1\r\nv\r\n");
  EXPECT_EQ(run({"SCRIPT", "EXISTS", sha, upper, "x"}), "*3\r\n:1\r\n:1\r\n:0\r\n");
  EXPECT_EQ(run({"SCRIPT", "SHOW", sha}), "$25\r\n" + script + "\r\n");
  EXPECT_EQ(run({"SCRIPT", "FLUSH"}), "+OK\r\n");
  for (size_t client = 0; client < 4; client++)
    EXPECT_EQ(server.run_as(client, {"EVALSHA", sha, "0"}), "-NOSCRIPT No matching script. Please use EVAL.\r\n");
  EXPECT_EQ(run({"EVALSHA", "abc", "0"}), "-NOSCRIPT No matching script. Please use EVAL.\r\n");
}

TEST_P(Scripts, SelectForThemselvesAlone) {
  EXPECT_EQ(eval("redis.call('select', 3) redis.call('set', KEYS[1], 'three') return 1", {"1", "k"}), ":1\r\n");
  EXPECT_EQ(run({"GET", "k"}), "$-1\r\n");
  EXPECT_EQ(run({"SELECT", "3"}), "+OK\r\n");
  EXPECT_EQ(run({"GET", "k"}), "$5\r\nthree\r\n");
}

TEST_P(Scripts, ReadOnlyFormsWriteNothing) {
  EXPECT_NE(run({"EVAL_RO", "return redis.call('set', KEYS[1], 1)", "1", "k"})
                .find("-ERR Write commands are not allowed from read-only scripts."),
            std::string::npos);
  EXPECT_EQ(run({"EVAL_RO", "#!lua\nreturn 1", "0"}), "-ERR Can not execute a script with write flag using *_ro command.\r\n");
  EXPECT_EQ(run({"EVAL_RO", "#!lua flags=no-writes\nreturn 1", "0"}), ":1\r\n");
  EXPECT_EQ(eval("#!lua flags=no-writes,allow-oom\nreturn 2"), ":2\r\n");
  EXPECT_EQ(eval("#!ruby\nreturn 2"), "-ERR Unexpected engine in script shebang: #!ruby\r\n");
  EXPECT_EQ(eval("#!lua x=y\nreturn 2"), "-ERR Unknown lua shebang option: x=y\r\n");
  EXPECT_EQ(eval("#!lua flags=strange\nreturn 2"), "-ERR Unexpected flag in script shebang: strange\r\n");
  EXPECT_EQ(eval("#!lua"), "-ERR Invalid script shebang\r\n");
}

TEST_P(Scripts, DoNotWait) {
  EXPECT_EQ(eval("return redis.call('blpop', KEYS[1], 0)", {"1", "l"}), "$-1\r\n");
  EXPECT_NE(eval("return redis.call('xread', 'BLOCK', 0, 'STREAMS', KEYS[1], '$')", {"1", "s"})
                .find("xread command is not allowed with BLOCK option from scripts"),
            std::string::npos);
}

TEST_P(Scripts, WakeThoseWhoWaitWhenTheyHaveEnded) {
  server.send(1, {"BRPOP", "l", "0"});
  EXPECT_EQ(server.receive(1), "");
  EXPECT_EQ(eval("redis.call('lpush', KEYS[1], 'a') redis.call('lpush', KEYS[1], 'b') return redis.call('llen', KEYS[1])", {"1", "l"}),
            ":2\r\n");
  EXPECT_EQ(server.receive(1), "*2\r\n$1\r\nl\r\n$1\r\na\r\n");
}

// --- keys that were not declared

TEST_P(Scripts, ReachKeysThatTheyDidNotDeclare) {
  std::string a = "a", b = elsewhere(a);
  run({"SET", b, "there"});
  EXPECT_EQ(eval("return redis.call('get', ARGV[1])", {"1", a, b}), "$5\r\nthere\r\n");
  EXPECT_EQ(eval("return redis.call('get', ARGV[1])", {"0", b}), "$5\r\nthere\r\n");
  EXPECT_EQ(eval("return redis.call('dbsize')"), ":1\r\n");
}

TEST_P(Scripts, AreUndoneBeforeTheyStartOver) {
  for (int first = 0; first < GetParam(); first++) {
    run({"FLUSHALL"});
    run({"SCRIPT", "FLUSH"});
    std::string a = key_on(first, "a"), l = key_on(first, "l"), h = key_on(first, "h"), gone = key_on(first, "g");
    std::string b = key_on(first + 1, "b");
    run({"SET", a, "10", "PX", "100000"});
    run({"RPUSH", l, "x"});
    run({"HSET", h, "f", "1"});
    run({"SET", gone, "here"});
    const std::string script =
        "local n = redis.call('incr', KEYS[1]) redis.call('rpush', KEYS[2], 'y') redis.call('hincrby', KEYS[3], 'f', 5) "
        "redis.call('del', KEYS[4]) redis.call('set', ARGV[1], n) return {n, redis.call('llen', KEYS[2]), redis.call('exists', KEYS[4])}";
    EXPECT_EQ(eval(script, {"4", a, l, h, gone, b}), "*3\r\n:11\r\n:2\r\n:0\r\n");
    EXPECT_EQ(run({"GET", b}), "$2\r\n11\r\n");
    EXPECT_EQ(run({"HGET", h, "f"}), "$1\r\n6\r\n");
    EXPECT_EQ(run({"PTTL", a}), ":100000\r\n");
    EXPECT_EQ(run({"EXISTS", gone}), ":0\r\n");
    // Known by now to need more.
    EXPECT_EQ(eval(script, {"4", a, l, h, gone, b}), "*3\r\n:12\r\n:3\r\n:0\r\n");
  }
}

TEST_P(Scripts, AreUndoneWhereAKeyIsNotFoundByItsSpecification) {
  const std::string a = key_on(0, "a"), b = key_on(1, "b");
  const std::string script =
      "local n = redis.call('EXISTS', KEYS[1]) redis.call('PFMERGE', KEYS[1]) redis.call('SET', ARGV[1], 1) return n";
  EXPECT_EQ(eval(script, {"1", a, b}), ":0\r\n");
}

TEST_P(Scripts, PublishOnceAlsoWhenTheyStartOver) {
  std::string a = "a", b = elsewhere(a);
  server.send(1, {"SUBSCRIBE", "news"});
  server.receive(1);
  EXPECT_EQ(eval("redis.call('set', KEYS[1], 1) local n = redis.call('publish', 'news', 'm') redis.call('set', ARGV[1], 2) return n",
                 {"1", a, b}),
            ":1\r\n");
  EXPECT_EQ(server.receive(1), "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\nm\r\n");
}

TEST_P(Scripts, CountAsOneCallWhenTheyStartOver) {
  std::string a = "a", b = elsewhere(a);
  eval("redis.call('set', KEYS[1], 1) return redis.call('set', ARGV[1], 1)", {"1", a, b});
  EXPECT_NE(run({"INFO", "commandstats"}).find("cmdstat_eval:calls=1,"), std::string::npos);
}

TEST_P(Scripts, LargeValuesAreNotCopied) {
  std::string a = "a", b = elsewhere(a);
  InProcess::Args push{"RPUSH", a};
  for (int i = 0; i < 3000; i++) push.push_back("element:" + std::to_string(i));
  run(push);
  EXPECT_EQ(eval("redis.call('rpush', KEYS[1], 'more') redis.call('set', ARGV[1], 1) return redis.call('llen', KEYS[1])", {"1", a, b}),
            ":3001\r\n");
}

TEST_P(Scripts, InTransactions) {
  std::string a = "a", b = elsewhere(a);
  run({"MULTI"});
  EXPECT_EQ(run({"SET", a, "1"}), "+QUEUED\r\n");
  EXPECT_EQ(run({"EVAL", "redis.call('incr', KEYS[1]) return redis.call('set', ARGV[1], 'x')", "1", a, b}), "+QUEUED\r\n");
  EXPECT_EQ(run({"GET", a}), "+QUEUED\r\n");
  EXPECT_EQ(run({"EXEC"}), "*3\r\n+OK\r\n+OK\r\n$1\r\n2\r\n");
  EXPECT_EQ(run({"GET", b}), "$1\r\nx\r\n");
}

TEST_P(Scripts, PipelinedKeepTheirOrder) {
  std::string a = "a", b = elsewhere(a);
  server.send(0, {"SET", b, "1"});
  server.send(0, {"EVAL", "redis.call('incr', KEYS[1]) return redis.call('incr', ARGV[1])", "1", a, b});
  server.send(0, {"GET", b});
  server.send(0, {"EVAL", "return redis.call('incr', ARGV[1])", "0", b});
  EXPECT_EQ(server.receive(0), "+OK\r\n:2\r\n$1\r\n2\r\n:3\r\n");
}

TEST_P(Scripts, TimeStandsStill) {
  EXPECT_EQ(eval("local a = redis.call('time') local b = redis.call('time') return a[1] == b[1] and a[2] == b[2]"), ":1\r\n");
}

TEST_P(Scripts, RandomNumbersFollowTheirSeed) {
  const std::string script = "math.randomseed(ARGV[1]) return tostring(math.random())";
  std::string ten = eval(script, {"0", "10"});
  EXPECT_EQ(eval(script, {"0", "10"}), ten);
  EXPECT_NE(eval(script, {"0", "20"}), ten);
}

INSTANTIATE_TEST_SUITE_P(Shards, Scripts, testing::Values(1, 2, 4));

}  // namespace
}  // namespace ringwood
