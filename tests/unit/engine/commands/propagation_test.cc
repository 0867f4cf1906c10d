// What every family of commands gives the mutation log: the stream that a replica or the append-only file reads, command by command.
#include <gtest/gtest.h>

#include <sstream>

#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> all;
  for (std::string w; in >> w;) all.push_back(w);
  return all;
}

struct Case {
  std::vector<const char*> before;  // commands that prepare
  const char* command;
  std::vector<const char*> expected;  // "@+N": the time of the test in ms, plus N
};

// The harness's clock stands still while a case runs.
std::string expand(InProcess& server, std::string line) {
  for (size_t at; (at = line.find("@+")) != std::string::npos;) {
    size_t end = line.find_first_not_of("0123456789", at + 2);
    if (end == std::string::npos) end = line.size();
    line.replace(at, end - at, std::to_string(server.now_ms() + std::stoll(line.substr(at + 2, end - at - 2))));
  }
  return line;
}

const Case kCases[] = {
    // --- strings
    {{}, "SET k v", {"SET k v"}},
    {{}, "set k v", {"set k v"}},
    {{"SET k v"}, "SET k w NX", {}},
    {{}, "SET k v NX", {"SET k v NX"}},
    {{}, "SET k v EX 10", {"SET k v PXAT @+10000"}},
    {{}, "SET k v PX 10", {"SET k v PXAT @+10"}},
    {{}, "SET k v EXAT 33177117420", {"SET k v PXAT 33177117420000"}},
    {{}, "SET k v PXAT 33177117420000", {"SET k v PXAT 33177117420000"}},
    {{}, "SET k v KEEPTTL", {"SET k v KEEPTTL"}},
    {{"SET k v"}, "SET k w GET", {"SET k w"}},
    {{"SET k v"}, "SET k w IFEQ v", {"SET k w"}},
    {{"SET k v"}, "SET k w IFEQ x", {}},
    {{}, "SETEX k 10 v", {"SET k v PXAT @+10000"}},
    {{}, "PSETEX k 10 v", {"SET k v PXAT @+10"}},
    {{}, "SETNX k v", {"SETNX k v"}},
    {{"SET k v"}, "SETNX k v", {}},
    {{}, "GETSET k v", {"SET k v"}},
    {{"SET k v"}, "GETDEL k", {"DEL k"}},
    {{}, "GETDEL k", {}},
    {{"SET k v"}, "GETEX k", {}},
    {{"SET k v"}, "GETEX k EX 10", {"PEXPIREAT k @+10000"}},
    {{"SET k v"}, "GETEX k EXAT 1", {"DEL k"}},
    {{"SET k v EX 10"}, "GETEX k PERSIST", {"PERSIST k"}},
    {{"SET k v"}, "GETEX k PERSIST", {}},
    {{}, "MSET {k}1 a {k}2 b", {"MSET {k}1 a {k}2 b"}},
    {{}, "MSET a 1 b 2 c 3", {"MSET a 1 b 2 c 3"}},
    {{}, "MSETNX a 1 b 2", {"MSETNX a 1 b 2"}},
    {{"SET b 1"}, "MSETNX a 1 b 2", {}},
    {{}, "MSETEX 2 a 1 b 2", {"MULTI", "SET a 1", "SET b 2", "EXEC"}},
    {{}, "MSETEX 1 a 1 PX 10", {"SET a 1 PXAT @+10"}},
    {{}, "MSETEX 1 a 1 KEEPTTL", {"SET a 1 KEEPTTL"}},
    {{"SET k v"}, "DELIFEQ k v", {"DEL k"}},
    {{"SET k v"}, "DELIFEQ k w", {}},
    {{"SET k v"}, "DELEX k IFEQ v", {"DEL k"}},
    {{}, "APPEND k v", {"APPEND k v"}},
    {{}, "SETRANGE k 2 v", {"SETRANGE k 2 v"}},
    {{}, "INCR k", {"INCR k"}},
    {{"SET k 10.5"}, "INCRBYFLOAT k 0.1", {"SET k 10.6 KEEPTTL"}},
    {{}, "GET k", {}},
    {{"SET k abc"}, "INCR k", {}},
    // --- keys
    {{"SET a 1", "SET b 1"}, "DEL a b c", {"DEL a b c"}},
    {{}, "DEL a", {}},
    {{"SET a 1"}, "UNLINK a", {"UNLINK a"}},
    {{"SET a 1"}, "RENAME a b", {"RENAME a b"}},
    {{"SET a 1"}, "COPY a b", {"COPY a b"}},
    {{"SET a 1"}, "MOVE a 3", {"MOVE a 3"}},
    {{"SET a 1"}, "EXPIRE a 100", {"PEXPIREAT a @+100000"}},
    {{"SET a 1"}, "EXPIRE a 100 NX", {"PEXPIREAT a @+100000 NX"}},
    {{"SET a 1"}, "PEXPIRE a 100", {"PEXPIREAT a @+100"}},
    {{"SET a 1"}, "EXPIREAT a 33177117420", {"PEXPIREAT a 33177117420000"}},
    {{"SET a 1"}, "pexpireat a 33177117420000", {"pexpireat a 33177117420000"}},
    {{"SET a 1"}, "EXPIRE a -1", {"DEL a"}},
    {{"SET a 1"}, "EXPIRE a 0 XX", {}},
    {{"SET a 1 EX 10"}, "PERSIST a", {"PERSIST a"}},
    {{}, "FLUSHDB", {"FLUSHDB"}},
    {{}, "FLUSHALL ASYNC", {"FLUSHALL ASYNC"}},
    {{}, "SWAPDB 0 1", {"SWAPDB 0 1"}},
    {{"RPUSH l 3 1 2"}, "SORT l STORE {l}2", {"SORT l STORE {l}2"}},
    {{"RPUSH l 3 1 2"}, "SORT l", {}},
    // --- lists
    {{}, "RPUSH l a b", {"RPUSH l a b"}},
    {{}, "RPUSHX l a", {}},
    {{"RPUSH l a b"}, "LPOP l", {"LPOP l"}},
    {{"RPUSH l a b"}, "LPOP l 5", {"LPOP l 5"}},
    {{"RPUSH l a b"}, "LMPOP 2 m l RIGHT COUNT 5", {"RPOP l 2"}},
    {{"RPUSH l a b"}, "BLMPOP 0 2 m l LEFT", {"LPOP l 1"}},
    {{"RPUSH l a b"}, "BLPOP l 0", {"LPOP l"}},
    {{"RPUSH l a b"}, "BRPOP m l 0", {"RPOP l"}},
    {{"RPUSH l a b"}, "LMOVE l m LEFT RIGHT", {"LMOVE l m LEFT RIGHT"}},
    {{"RPUSH l a b"}, "BLMOVE l m LEFT RIGHT 0", {"LMOVE l m LEFT RIGHT"}},
    {{"RPUSH l a b"}, "BRPOPLPUSH l m 0", {"RPOPLPUSH l m"}},
    {{"RPUSH l a b"}, "LSET l 0 z", {"LSET l 0 z"}},
    {{"RPUSH l a b"}, "LTRIM l 0 0", {"LTRIM l 0 0"}},
    // --- sets
    {{}, "SADD s a b", {"SADD s a b"}},
    {{"SADD s a"}, "SADD s a", {}},
    {{"SADD s a"}, "SPOP s", {"SREM s a"}},
    {{"SADD s a b"}, "SPOP s 5", {"DEL s"}},
    {{"SADD s a"}, "SPOP s 0", {}},
    {{"SADD s a"}, "SMOVE s t a", {"SMOVE s t a"}},
    {{"SADD s a", "SADD t b"}, "SUNIONSTORE u s t", {"SUNIONSTORE u s t"}},
    // --- sorted sets
    {{}, "ZADD z 1 a", {"ZADD z 1 a"}},
    {{"ZADD z 1 a"}, "ZADD z 1 a", {}},
    {{"ZADD z 1 a 2 b"}, "ZPOPMIN z", {"ZPOPMIN z"}},
    {{"ZADD z 1 a 2 b"}, "ZMPOP 2 y z MAX COUNT 9", {"ZPOPMAX z 2"}},
    {{"ZADD z 1 a 2 b"}, "BZMPOP 0 2 y z MIN", {"ZPOPMIN z 1"}},
    {{"ZADD z 1 a 2 b"}, "BZPOPMAX z 0", {"ZPOPMAX z"}},
    {{"ZADD z 1 a 2 b"}, "ZRANGESTORE y z 0 -1", {"ZRANGESTORE y z 0 -1"}},
    {{"GEOADD g 13 38 a"}, "GEORADIUS g 13 38 10 km STORE h", {"GEORADIUS g 13 38 10 km STORE h"}},
    // --- hashes
    {{}, "HSET h f v", {"HSET h f v"}},
    {{}, "HINCRBY h f 2", {"HINCRBY h f 2"}},
    {{"HSET h f 1"}, "HINCRBYFLOAT h f 0.5", {"HSET h f 1.5"}},
    {{"HSET h f 1", "HPEXPIRE h 1000 FIELDS 1 f"}, "HINCRBYFLOAT h f 0.5", {"HSETEX h KEEPTTL FIELDS 1 f 1.5"}},
    {{"HSET h f 1 g 2"}, "HEXPIRE h 10 FIELDS 2 f x", {"HPEXPIREAT h @+10000 FIELDS 1 f"}},
    {{"HSET h f 1 g 2"}, "HEXPIRE h 0 FIELDS 1 f", {"HDEL h f"}},
    {{"HSET h f 1", "HPEXPIRE h 1000 FIELDS 1 f"}, "HPERSIST h FIELDS 1 f", {"HPERSIST h FIELDS 1 f"}},
    {{"HSET h f 1 g 2"}, "HGETEX h EX 10 FIELDS 1 f", {"HPEXPIREAT h @+10000 FIELDS 1 f"}},
    {{"HSET h f 1 g 2"}, "HGETEX h FIELDS 1 f", {}},
    {{"HSET h f 1 g 2"}, "HGETDEL h FIELDS 2 f x", {"HDEL h f"}},
    {{}, "HSETEX h EX 10 FIELDS 1 f 1", {"MULTI", "HSET h f 1", "HPEXPIREAT h @+10000 FIELDS 1 f", "EXEC"}},
    {{}, "HSETEX h FNX FIELDS 1 f 1", {"HSET h f 1"}},
    // --- streams
    {{}, "XADD x 1-1 f v", {"XADD x 1-1 f v"}},
    {{}, "XADD x * f v", {"XADD x @+0-0 f v"}},
    {{}, "XADD x 5-* f v", {"XADD x 5-0 f v"}},
    {{"XADD x 1-1 f v", "XADD x 1-2 f v"}, "XADD x MAXLEN ~ 1 LIMIT 1 1-3 f v", {"XADD x MAXLEN = 3 1-3 f v"}},
    {{"XADD x 1-1 f v", "XADD x 1-2 f v"}, "XADD x MINID ~ 1-2 1-3 f v", {"XADD x MINID = 1-1 1-3 f v"}},
    {{"XADD x 1-1 f v", "XADD x 1-2 f v"}, "XADD x MAXLEN 1 1-3 f v", {"XADD x MAXLEN 1 1-3 f v"}},
    {{"XADD x 1-1 f v", "XADD x 1-2 f v"}, "XTRIM x MAXLEN = 1", {"XTRIM x MAXLEN = 1"}},
    {{"XADD x 1-1 f v", "XADD x 1-2 f v"}, "XTRIM x MAXLEN ~ 1", {}},
    {{"XADD x 1-1 f v"}, "XDEL x 1-1", {"XDEL x 1-1"}},
    {{}, "XGROUP CREATE x g $ MKSTREAM", {"XGROUP CREATE x g $ MKSTREAM"}},
    {{"XADD x 1-1 f v", "XGROUP CREATE x g 0"},
     "XREADGROUP GROUP g c STREAMS x >",
     {"XCLAIM x g c 0 1-1 TIME @+0 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1"}},
    {{"XADD x 1-1 f v", "XGROUP CREATE x g 0"},
     "XREADGROUP GROUP g c NOACK STREAMS x >",
     {"MULTI", "XGROUP CREATECONSUMER x g c", "XGROUP SETID x g 1-1 ENTRIESREAD 1", "EXEC"}},
    {{"XADD x 1-1 f v", "XGROUP CREATE x g 0", "XREADGROUP GROUP g c STREAMS x >"}, "XREADGROUP GROUP g c STREAMS x 0", {}},
    {{"XADD x 1-1 f v", "XGROUP CREATE x g 0", "XREADGROUP GROUP g c STREAMS x >"}, "XACK x g 1-1", {"XACK x g 1-1"}},
    {{"XADD x 1-1 f v", "XGROUP CREATE x g 0", "XREADGROUP GROUP g c STREAMS x >"},
     "XCLAIM x g d 0 1-1",
     {"XCLAIM x g d 0 1-1 TIME @+0 RETRYCOUNT 2 FORCE JUSTID LASTID 1-1"}},
    {{"XADD x 1-1 f v", "XGROUP CREATE x g 0", "XREADGROUP GROUP g c STREAMS x >"},
     "XAUTOCLAIM x g d 0 0",
     {"XCLAIM x g d 0 1-1 TIME @+0 RETRYCOUNT 2 FORCE JUSTID LASTID 1-1"}},
    {{"XADD x 1-1 f v"}, "XSETID x 5-1", {"XSETID x 5-1"}},
    // --- the rest
    {{}, "PFADD p a", {"PFADD p a"}},
    {{"PFADD p a"}, "PFCOUNT p", {"PFCOUNT p"}},
    {{"PFADD p a", "PFCOUNT p"}, "PFCOUNT p", {}},
    {{}, "SETBIT b 7 1", {"SETBIT b 7 1"}},
    {{}, "PUBLISH ch hello", {"PUBLISH ch hello"}},
    {{}, "SPUBLISH ch hello", {"SPUBLISH ch hello"}},
};

Options debuggable(bool lazy_expire = false) {
  Options o;
  o.enable_debug_command = ProtectedAction::kYes;
  o.lazyfree_lazy_expire = lazy_expire;
  return o;
}

class Propagation : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Shards, Propagation, testing::Values(1, 2, 5));

TEST_P(Propagation, EachCommandGivesTheLogWhatAnyCopyCanRepeat) {
  for (const Case& test : kCases) {
    InProcess server(GetParam());
    for (const char* line : test.before) ASSERT_NE(server.run(words(line))[0], '-') << line;
    server.propagated();
    server.run(words(test.command));
    std::string expected = test.expected.empty() ? "" : "SELECT 0\n";
    for (const char* line : test.expected) expected += expand(server, line) + "\n";
    std::string got = server.propagated();
    // The SELECT stands within a MULTI.
    if (!test.expected.empty() && !std::strcmp(test.expected[0], "MULTI")) expected.replace(0, 15, "MULTI\nSELECT 0\n");
    EXPECT_EQ(got, expected) << test.command;
  }
}

// A stream's effects, run on an empty server, make the same data.
TEST_P(Propagation, TheStreamMakesACopy) {
  InProcess server(GetParam(), debuggable());
  InProcess copy(GetParam() == 1 ? 3 : 1, debuggable());
  server.propagated();
  for (const Case& test : kCases) {
    for (const char* line : test.before) server.run(words(line));
    server.run(words(test.command));
  }
  std::istringstream stream(server.propagated());
  for (std::string line; std::getline(stream, line);) ASSERT_NE(copy.run(words(line))[0], '-') << line;
  ASSERT_EQ(server.run({"DEBUG", "DIGEST"})[0], '+');
  EXPECT_EQ(server.run({"DEBUG", "DIGEST"}), copy.run({"DEBUG", "DIGEST"}));
}

TEST_P(Propagation, DatabasesAreSelectedWhereTheyChange) {
  InProcess server(GetParam());
  server.propagated();
  server.run({"SET", "{a}1", "1"});
  server.run({"SELECT", "3"});
  server.run({"SET", "{a}1", "1"});
  server.run({"SET", "{a}2", "1"});
  server.run({"SELECT", "0"});
  server.run({"SET", "{a}3", "1"});
  EXPECT_EQ(server.propagated(), "SELECT 0\nSET {a}1 1\nSELECT 3\nSET {a}1 1\nSET {a}2 1\nSELECT 0\nSET {a}3 1\n");
}

TEST_P(Propagation, ATransactionIsOneBlock) {
  InProcess server(GetParam());
  server.propagated();
  for (const char* line : {"MULTI", "SET a 1", "GET a", "SELECT 2", "INCR b", "PUBLISH c d", "EXEC"}) server.run(words(line));
  EXPECT_EQ(server.propagated(), "MULTI\nSELECT 0\nSET a 1\nSELECT 2\nINCR b\nPUBLISH c d\nEXEC\n");
  for (const char* line : {"MULTI", "GET a", "EXEC"}) server.run(words(line));
  EXPECT_EQ(server.propagated(), "");
  for (const char* line : {"MULTI", "GET b", "SET b 5", "EXEC"}) server.run(words(line));
  EXPECT_EQ(server.propagated(), "SET b 5\n");
  for (const char* line : {"MULTI", "SET b 5", "LPUSH b 5", "EXEC"}) server.run(words(line));
  EXPECT_EQ(server.propagated(), "SET b 5\n");
}

TEST_P(Propagation, ExpiredKeysGoAsDeletions) {
  for (bool by_unlink : {false, true}) {
    InProcess server(GetParam(), debuggable(by_unlink));
    std::string word = by_unlink ? "UNLINK" : "DEL";
    server.propagated();
    ASSERT_EQ(server.run({"DEBUG", "SET-ACTIVE-EXPIRE", "0"}), "+OK\r\n");
    for (const char* k : {"{t}a", "{t}b", "{t}c"}) server.run({"SET", k, "1", "PX", "10"});
    server.propagated();
    server.advance_ms(50);
    EXPECT_EQ(server.run({"GET", "{t}a"}), "$-1\r\n");
    EXPECT_EQ(server.propagated(), word + " {t}a\n");
    server.run({"SET", "{t}b", "2"});
    EXPECT_EQ(server.propagated(), "MULTI\n" + word + " {t}b\nSET {t}b 2\nEXEC\n");
    server.run({"DEBUG", "SET-ACTIVE-EXPIRE", "1"});
    server.advance_ms(1);
    EXPECT_EQ(server.propagated(), word + " {t}c\n");
  }
}

TEST_P(Propagation, ExpiredFieldsGoAsHdel) {
  InProcess server(GetParam());
  for (const char* h : {"h", "big"}) {
    bool large = h[0] == 'b';
    server.run({"HSET", h, "f", "1", "g", "2", "n", "3"});
    for (int i = 0; large && i < 600; i++) server.run({"HSET", h, "field" + std::to_string(i), "v"});
    server.run({"HPEXPIRE", h, "10", "FIELDS", "1", "f"});
    server.run({"HPEXPIRE", h, "20", "FIELDS", "1", "g"});
    server.propagated();
    server.advance_ms(50);
    EXPECT_EQ(server.propagated(), (large ? "" : "SELECT 0\n") + std::string("HDEL ") + h + " f g\n");
  }
}

TEST_P(Propagation, WaitingCommandsAreWhatTheyDoInTheEnd) {
  InProcess server(GetParam());
  server.propagated();
  server.send(1, {"BLPOP", "l", "0"});
  server.send(2, {"BLMOVE", "m", "n", "LEFT", "RIGHT", "0"});
  server.settle();
  EXPECT_EQ(server.propagated(), "");
  server.run({"RPUSH", "l", "a"});
  EXPECT_EQ(server.propagated(), "SELECT 0\nRPUSH l a\nLPOP l\n");
  server.run({"RPUSH", "m", "a"});
  EXPECT_EQ(server.propagated(), "RPUSH m a\nLMOVE m n LEFT RIGHT\n");
}

TEST_P(Propagation, NothingIsGatheredWhileNobodyReads) {
  InProcess server(GetParam());
  server.run({"SET", "a", "1"});
  EXPECT_EQ(server.log().end(), 0u);
  server.propagated();
  server.run({"SET", "a", "1"});
  EXPECT_GT(server.log().end(), 0u);
}

}  // namespace
}  // namespace ringwood
