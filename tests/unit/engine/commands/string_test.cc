#include <gtest/gtest.h>

#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

const std::string kOk = "+OK\r\n", kNull = "$-1\r\n", kSyntax = "-ERR syntax error\r\n";

std::string bulk(const std::string& s) { return "$" + std::to_string(s.size()) + "\r\n" + s + "\r\n"; }
std::string number(int64_t n) { return ":" + std::to_string(n) + "\r\n"; }

class Strings : public testing::TestWithParam<int> {
 protected:
  InProcess server{GetParam()};
  std::string run(const InProcess::Args& a) { return server.run(a); }
};
INSTANTIATE_TEST_SUITE_P(Shards, Strings, testing::Values(1, 3));

TEST_P(Strings, SetAndGetGiveBackEveryByte) {
  for (size_t n : {0, 1, 44, 45, 64, 8192, 8193, 100000}) {
    std::string v(n, '\0');
    for (size_t i = 0; i < n; i++) v[i] = static_cast<char>(i * 7);
    EXPECT_EQ(run({"SET", "k", v}), kOk);
    EXPECT_EQ(run({"get", "k"}), bulk(v));
    EXPECT_EQ(run({"STRLEN", "k"}), number(static_cast<int64_t>(n)));
  }
  EXPECT_EQ(run({"GET", "absent"}), kNull);
  EXPECT_EQ(server.run3({"GET", "absent"}), "_\r\n");
  EXPECT_EQ(run({"SET", "k"}), "-ERR wrong number of arguments for 'set' command\r\n");
}

TEST_P(Strings, EncodingsAreThoseOfRedis) {
  run({"SET", "a", "12"});
  EXPECT_EQ(run({"OBJECT", "ENCODING", "a"}), bulk("int"));
  run({"SET", "a", "012"});
  EXPECT_EQ(run({"OBJECT", "ENCODING", "a"}), bulk("embstr"));
  run({"SET", "a", std::string(44, 'x')});
  EXPECT_EQ(run({"OBJECT", "ENCODING", "a"}), bulk("embstr"));
  run({"SET", "a", std::string(45, 'x')});
  EXPECT_EQ(run({"OBJECT", "ENCODING", "a"}), bulk("raw"));
  run({"SET", "a", "12"});
  run({"APPEND", "a", "3"});
  EXPECT_EQ(run({"GET", "a"}), bulk("123"));
  EXPECT_EQ(run({"OBJECT", "ENCODING", "a"}), bulk("raw"));
}

TEST_P(Strings, SetTakesItsOptionsInAnyCaseAndOrder) {
  EXPECT_EQ(run({"SET", "a", "1", "XX"}), kNull);
  EXPECT_EQ(run({"SET", "a", "1", "nx"}), kOk);
  EXPECT_EQ(run({"SET", "a", "2", "NX"}), kNull);
  EXPECT_EQ(run({"SET", "a", "2", "xx", "Get"}), bulk("1"));
  EXPECT_EQ(run({"SET", "a", "3", "NX", "GET"}), bulk("2"));
  EXPECT_EQ(run({"GET", "a"}), bulk("2"));
  EXPECT_EQ(run({"SET", "b", "3", "NX", "GET"}), kNull);
  EXPECT_EQ(run({"GET", "b"}), bulk("3"));
  EXPECT_EQ(run({"SET", "a", "4", "EX", "100"}), kOk);
  EXPECT_EQ(run({"TTL", "a"}), number(100));
  EXPECT_EQ(run({"SET", "a", "5", "KEEPTTL"}), kOk);
  EXPECT_EQ(run({"TTL", "a"}), number(100));
  EXPECT_EQ(run({"SET", "a", "some longer text", "KEEPTTL"}), kOk);
  EXPECT_EQ(run({"TTL", "a"}), number(100));
  EXPECT_EQ(run({"SET", "a", "6"}), kOk);
  EXPECT_EQ(run({"TTL", "a"}), number(-1));
  EXPECT_EQ(run({"SET", "a", "7", "PX", "1500", "EX"}), kSyntax);
  EXPECT_EQ(run({"SET", "a", "7", "PX", "1500", "EX", "3"}), kSyntax);
  EXPECT_EQ(run({"SET", "a", "7", "PX", "1500", "KEEPTTL"}), kSyntax);
  EXPECT_EQ(run({"SET", "a", "7", "KEEPTTL", "PX", "1500"}), kSyntax);
  EXPECT_EQ(run({"SET", "a", "7", "NX", "XX"}), kSyntax);
  EXPECT_EQ(run({"SET", "a", "7", "PERSIST"}), kSyntax);
  EXPECT_EQ(run({"SET", "a", "7", "PX", "1500", "xx"}), kOk);
  EXPECT_EQ(run({"PTTL", "a"}), number(1500));
  EXPECT_EQ(run({"SET", "a", "7", "PXAT", std::to_string(server.now_ms() + 77)}), kOk);
  EXPECT_EQ(run({"PTTL", "a"}), number(77));
  EXPECT_EQ(run({"SET", "a", "7", "EXAT", std::to_string(server.now_ms() / 1000 + 9)}), kOk);
  EXPECT_EQ(run({"TTL", "a"}), number(9));
}

TEST_P(Strings, BadExpireTimesAreRefused) {
  for (const char* t : {"0", "-1", "9223372036854775807", "9223372036854776"}) {
    EXPECT_EQ(run({"SET", "a", "1", "EX", t}), "-ERR invalid expire time in 'set' command\r\n") << t;
    EXPECT_EQ(run({"SETEX", "a", t, "1"}), "-ERR invalid expire time in 'setex' command\r\n") << t;
  }
  EXPECT_EQ(run({"PSETEX", "a", "9223372036854775807", "1"}), "-ERR invalid expire time in 'psetex' command\r\n");
  EXPECT_EQ(run({"SET", "a", "1", "EX", "x"}), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(run({"EXISTS", "a"}), number(0));
  EXPECT_EQ(run({"SETEX", "a", "10", "1"}), kOk);
  EXPECT_EQ(run({"PSETEX", "a", "10000", "2"}), kOk);
  EXPECT_EQ(run({"TTL", "a"}), number(10));
  EXPECT_EQ(run({"GETEX", "a", "EX", "0"}), "-ERR invalid expire time in 'getex' command\r\n");
}

TEST_P(Strings, GetexChangesTheExpiryAlone) {
  run({"SET", "a", "1"});
  EXPECT_EQ(run({"GETEX", "a"}), bulk("1"));
  EXPECT_EQ(run({"GETEX", "a", "EX", "10"}), bulk("1"));
  EXPECT_EQ(run({"TTL", "a"}), number(10));
  EXPECT_EQ(run({"GETEX", "a", "PERSIST"}), bulk("1"));
  EXPECT_EQ(run({"TTL", "a"}), number(-1));
  EXPECT_EQ(run({"GETEX", "a", "KEEPTTL"}), kSyntax);
  EXPECT_EQ(run({"GETEX", "a", "PERSIST", "EX", "1"}), kSyntax);
  EXPECT_EQ(run({"GETEX", "a", "PXAT", "1000"}), bulk("1"));
  EXPECT_EQ(run({"EXISTS", "a"}), number(0));
  EXPECT_EQ(run({"GETEX", "a", "EX", "10"}), kNull);
}

TEST_P(Strings, OlderFormsOfSetAndGet) {
  EXPECT_EQ(run({"SETNX", "a", "1"}), number(1));
  EXPECT_EQ(run({"SETNX", "a", "2"}), number(0));
  EXPECT_EQ(run({"GETSET", "a", "3"}), bulk("1"));
  EXPECT_EQ(run({"GETSET", "b", "3"}), kNull);
  EXPECT_EQ(run({"GETDEL", "a"}), bulk("3"));
  EXPECT_EQ(run({"GETDEL", "a"}), kNull);
  EXPECT_EQ(run({"EXISTS", "a", "b", "b"}), number(2));
}

TEST_P(Strings, SeveralKeysAtOnce) {
  EXPECT_EQ(run({"MSET", "a", "1", "b", "2", "c", "3"}), kOk);
  EXPECT_EQ(run({"MGET", "a", "x", "c", "b"}), "*4\r\n" + bulk("1") + kNull + bulk("3") + bulk("2"));
  EXPECT_EQ(run({"MSET", "a", "1", "b"}), "-ERR wrong number of arguments for 'mset' command\r\n");
  EXPECT_EQ(run({"MSETNX", "d", "1", "a", "9"}), number(0));
  EXPECT_EQ(run({"EXISTS", "d"}), number(0));
  EXPECT_EQ(run({"MSETNX", "d", "1", "d", "2", "e", "3"}), number(1));
  EXPECT_EQ(run({"MGET", "d", "e"}), "*2\r\n" + bulk("2") + bulk("3"));
  EXPECT_EQ(run({"DEL", "a", "b", "c", "d", "e", "f"}), number(5));
}

TEST_P(Strings, CountingStopsAtTheEndsOfTheRange) {
  EXPECT_EQ(run({"INCR", "n"}), number(1));
  EXPECT_EQ(run({"DECRBY", "n", "3"}), number(-2));
  EXPECT_EQ(run({"INCRBY", "n", "9223372036854775807"}), number(9223372036854775805));
  EXPECT_EQ(run({"INCRBY", "n", "3"}), "-ERR increment or decrement would overflow\r\n");
  EXPECT_EQ(run({"DECRBY", "n", "-9223372036854775808"}), "-ERR decrement would overflow\r\n");
  EXPECT_EQ(run({"INCRBY", "n", "x"}), "-ERR value is not an integer or out of range\r\n");
  run({"SET", "n", " 1"});
  EXPECT_EQ(run({"DECR", "n"}), "-ERR value is not an integer or out of range\r\n");
  run({"SET", "n", "1", "EX", "10"});
  EXPECT_EQ(run({"INCR", "n"}), number(2));
  EXPECT_EQ(run({"TTL", "n"}), number(10));
  run({"APPEND", "n", "0"});
  EXPECT_EQ(run({"INCR", "n"}), number(21));
  EXPECT_EQ(run({"OBJECT", "ENCODING", "n"}), bulk("int"));
}

TEST_P(Strings, FloatingPointCounting) {
  EXPECT_EQ(run({"INCRBYFLOAT", "f", "10.5"}), bulk("10.5"));
  EXPECT_EQ(run({"INCRBYFLOAT", "f", "0.1"}), bulk("10.6"));
  EXPECT_EQ(run({"INCRBYFLOAT", "f", "-5"}), bulk("5.6"));
  run({"SET", "f", "5.0e3"});
  EXPECT_EQ(run({"INCRBYFLOAT", "f", "2.0e2"}), bulk("5200"));
  EXPECT_EQ(run({"INCRBYFLOAT", "f", "abc"}), "-ERR value is not a valid float\r\n");
  EXPECT_EQ(run({"OBJECT", "ENCODING", "f"}), bulk("embstr"));  // a sum stays text
  run({"SET", "n", "7"});
  EXPECT_EQ(run({"INCRBYFLOAT", "n", "1"}), bulk("8"));
  EXPECT_EQ(run({"OBJECT", "ENCODING", "n"}), bulk("embstr"));
  EXPECT_EQ(run({"INCR", "n"}), number(9));
  EXPECT_EQ(run({"OBJECT", "ENCODING", "n"}), bulk("int"));
  EXPECT_EQ(run({"INCRBYFLOAT", "f", "+inf"}), "-ERR increment would produce NaN or Infinity\r\n");
}

TEST_P(Strings, PartsOfAString) {
  EXPECT_EQ(run({"APPEND", "s", "Hello"}), number(5));
  EXPECT_EQ(run({"APPEND", "s", " World"}), number(11));
  EXPECT_EQ(run({"SETRANGE", "s", "6", "Redis"}), number(11));
  EXPECT_EQ(run({"GETRANGE", "s", "0", "-1"}), bulk("Hello Redis"));
  EXPECT_EQ(run({"SUBSTR", "s", "-5", "-1"}), bulk("Redis"));
  EXPECT_EQ(run({"GETRANGE", "s", "5", "3"}), bulk(""));
  EXPECT_EQ(run({"GETRANGE", "s", "-1", "-5"}), bulk(""));
  EXPECT_EQ(run({"GETRANGE", "s", "-100", "3"}), bulk("Hell"));
  EXPECT_EQ(run({"GETRANGE", "s", "0", "-100"}), bulk("H"));
  EXPECT_EQ(run({"GETRANGE", "s", "3", "9223372036854775807"}), bulk("lo Redis"));
  EXPECT_EQ(run({"GETRANGE", "s", "-9223372036854775808", "9223372036854775807"}), bulk("Hello Redis"));
  EXPECT_EQ(run({"GETRANGE", "absent", "0", "-1"}), bulk(""));
  EXPECT_EQ(run({"SETRANGE", "p", "3", "x"}), number(4));
  EXPECT_EQ(run({"GET", "p"}), bulk(std::string("\0\0\0x", 4)));
  EXPECT_EQ(run({"SETRANGE", "q", "3", ""}), number(0));
  EXPECT_EQ(run({"EXISTS", "q"}), number(0));
  EXPECT_EQ(run({"SETRANGE", "p", "-1", "x"}), "-ERR offset is out of range\r\n");
  EXPECT_EQ(run({"SETRANGE", "p", "536870912", "x"}), "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n");
  EXPECT_EQ(run({"SETRANGE", "p", "9223372036854775807", "x"}), "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n");
}

TEST_P(Strings, LcsInAllForms) {
  run({"MSET", "{x}1", "ohmytext", "{x}2", "mynewtext", "{x}e", ""});
  EXPECT_EQ(run({"LCS", "{x}1", "{x}2"}), bulk("mytext"));
  EXPECT_EQ(run({"LCS", "{x}1", "{x}2", "LEN"}), number(6));
  EXPECT_EQ(run({"LCS", "{x}1", "{x}2", "IDX"}),
            "*4\r\n$7\r\nmatches\r\n*2\r\n*2\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n*2\r\n*2\r\n:2\r\n:3\r\n*2\r\n:0\r\n:1\r\n$"
            "3\r\nlen\r\n:6\r\n");
  EXPECT_EQ(server.run3({"LCS", "{x}1", "{x}2", "IDX", "MINMATCHLEN", "4", "WITHMATCHLEN"}),
            "%2\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n$3\r\nlen\r\n:6\r\n");
  EXPECT_EQ(run({"LCS", "{x}1", "{x}e"}), bulk(""));
  EXPECT_EQ(run({"LCS", "{x}1", "{x}absent", "LEN"}), number(0));
  EXPECT_EQ(run({"LCS", "{x}1", "{x}2", "LEN", "IDX"}), "-ERR If you want both the length and indexes, please just use IDX.\r\n");
  EXPECT_EQ(run({"LCS", "{x}1", "{x}2", "MINMATCHLEN"}), kSyntax);
  run({"MSET", "{x}1", std::string(30000, 'a'), "{x}2", std::string(30000, 'b')});
  EXPECT_EQ(run({"LCS", "{x}1", "{x}2"}), "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len\r\n");
}

TEST_P(Strings, EveryChangeIsCounted) {
  auto dirty = [this] {
    int64_t n = 0;
    for (Shard* s : server.engine().shards) n += s->stats.dirty.get();
    return n;
  };
  int64_t before = dirty();
  run({"SET", "a", "1"});
  run({"SET", "a", "1", "NX"});
  run({"MSET", "b", "1", "c", "2"});
  run({"INCR", "a"});
  run({"APPEND", "a", "x"});
  run({"GET", "a"});
  run({"GETEX", "a"});
  run({"GETDEL", "a"});
  run({"DEL", "a", "b"});
  EXPECT_EQ(dirty() - before, 7);
}

}  // namespace
}  // namespace ringwood
