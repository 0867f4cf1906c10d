#include "engine/exec/reply.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace ringwood {
namespace {

std::string written(int resp, const std::function<void(Reply&)>& write) {
  OutBuffer out;
  out.append("before");
  Reply r(out, resp);
  write(r);
  EXPECT_EQ(out.view().substr(0, 6), "before");
  return std::string(r.written());
}

struct Case {
  const char* name;
  std::function<void(Reply&)> write;
  std::string resp2, resp3;
};

const Case kCases[] = {
    {"ok", [](Reply& r) { r.ok(); }, "+OK\r\n", "+OK\r\n"},
    {"simple", [](Reply& r) { r.simple("PONG"); }, "+PONG\r\n", "+PONG\r\n"},
    {"empty simple", [](Reply& r) { r.simple({}); }, "+\r\n", "+\r\n"},
    {"error", [](Reply& r) { r.error("ERR a\r\nb"); }, "-ERR a  b\r\n", "-ERR a  b\r\n"},
    {"zero", [](Reply& r) { r.integer(0); }, ":0\r\n", ":0\r\n"},
    {"nine", [](Reply& r) { r.integer(9); }, ":9\r\n", ":9\r\n"},
    {"minus one", [](Reply& r) { r.integer(-1); }, ":-1\r\n", ":-1\r\n"},
    {"smallest integer", [](Reply& r) { r.integer(INT64_MIN); }, ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"},
    {"largest integer", [](Reply& r) { r.integer(INT64_MAX); }, ":9223372036854775807\r\n", ":9223372036854775807\r\n"},
    {"bulk",
     [](Reply& r) {
       r.bulk({"a\0\r\nb", 5});
     },
     {"$5\r\na\0\r\nb\r\n", 11},
     {"$5\r\na\0\r\nb\r\n", 11}},
    {"empty bulk", [](Reply& r) { r.bulk(""); }, "$0\r\n\r\n", "$0\r\n\r\n"},
    {"null view as bulk", [](Reply& r) { r.bulk({}); }, "$0\r\n\r\n", "$0\r\n\r\n"},
    {"long bulk", [](Reply& r) { r.bulk(std::string(1000, 'x')); }, "$1000\r\n" + std::string(1000, 'x') + "\r\n",
     "$1000\r\n" + std::string(1000, 'x') + "\r\n"},
    {"bulk of digits", [](Reply& r) { r.bulk_int(-120); }, "$4\r\n-120\r\n", "$4\r\n-120\r\n"},
    {"null", [](Reply& r) { r.null(); }, "$-1\r\n", "_\r\n"},
    {"null array", [](Reply& r) { r.null_array(); }, "*-1\r\n", "_\r\n"},
    {"array", [](Reply& r) { r.array(12); }, "*12\r\n", "*12\r\n"},
    {"map", [](Reply& r) { r.map(6); }, "*12\r\n", "%6\r\n"},
    {"set", [](Reply& r) { r.set(3); }, "*3\r\n", "~3\r\n"},
    {"push", [](Reply& r) { r.push(2); }, "*2\r\n", ">2\r\n"},
    {"number", [](Reply& r) { r.number(3.5); }, "$3\r\n3.5\r\n", ",3.5\r\n"},
    {"whole number", [](Reply& r) { r.number(1e15); }, "$16\r\n1000000000000000\r\n", ",1000000000000000\r\n"},
    {"infinity", [](Reply& r) { r.number(-INFINITY); }, "$4\r\n-inf\r\n", ",-inf\r\n"},
    {"true", [](Reply& r) { r.boolean(true); }, ":1\r\n", "#t\r\n"},
    {"false", [](Reply& r) { r.boolean(false); }, ":0\r\n", "#f\r\n"},
    {"verbatim", [](Reply& r) { r.verbatim("text", "txt"); }, "$4\r\ntext\r\n", "=8\r\ntxt:text\r\n"},
    {"verbatim of a short format", [](Reply& r) { r.verbatim("text", "t"); }, "$4\r\ntext\r\n", "=8\r\nt  :text\r\n"},
    {"big number", [](Reply& r) { r.big_number("123456789012345678901"); }, "$21\r\n123456789012345678901\r\n",
     "(123456789012345678901\r\n"},
    {"raw", [](Reply& r) { r.raw(":7\r\n"); }, ":7\r\n", ":7\r\n"},
    {"array counted at its end",
     [](Reply& r) {
       size_t at = r.begin();
       for (int i = 0; i < 11; i++) r.integer(i);
       r.end_array(at, 11);
     },
     "*11\r\n:0\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n:10\r\n",
     "*11\r\n:0\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n:10\r\n"},
    {"map in a set, counted at their ends",
     [](Reply& r) {
       size_t set = r.begin();
       size_t map = r.begin();
       r.bulk("k");
       r.bulk("v");
       r.end_map(map, 1);
       r.end_set(set, 1);
     },
     "*1\r\n*2\r\n$1\r\nk\r\n$1\r\nv\r\n", "~1\r\n%1\r\n$1\r\nk\r\n$1\r\nv\r\n"},
    {"rewound",
     [](Reply& r) {
       r.array(3);
       r.rewind();
       r.null();
     },
     "$-1\r\n", "_\r\n"},
    {"wrong arity", [](Reply& r) { r.wrong_arity("config|get"); }, "-ERR wrong number of arguments for 'config|get' command\r\n",
     "-ERR wrong number of arguments for 'config|get' command\r\n"},
};

TEST(Reply, WritesEveryKindInBothProtocols) {
  for (const Case& c : kCases) {
    EXPECT_EQ(written(2, c.write), c.resp2) << c.name;
    EXPECT_EQ(written(3, c.write), c.resp3) << c.name;
  }
}

TEST(Reply, WritesAnAttributeInFrontOfAReply) {
  EXPECT_EQ(written(3, [](Reply& r) { r.attribute(1), r.simple("k"), r.integer(1), r.ok(); }), "|1\r\n+k\r\n:1\r\n+OK\r\n");
}

TEST(Reply, RemembersThatItFailed) {
  OutBuffer out;
  Reply r(out, 2);
  r.ok();
  EXPECT_FALSE(r.failed());
  r.wrong_type();
  EXPECT_TRUE(r.failed());
}

}  // namespace
}  // namespace ringwood
