// The libraries that scripts are given: struct, cmsgpack, cjson, bit.
#include <gtest/gtest.h>

#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

class ScriptLibraries : public testing::Test {
 protected:
  InProcess server;
  std::string eval(const std::string& script) { return server.run({"EVAL", script, "0"}); }
  // The bytes of the string that the expression gives.
  std::string hex(const std::string& expression) {
    std::string reply = eval("return (string.gsub(" + expression + ", '.', function(c) return string.format('%02x', string.byte(c)) end))");
    size_t from = reply.find("\r\n") + 2;
    return reply[0] == '$' ? reply.substr(from, reply.size() - from - 2) : reply;
  }
  void expect_error(const std::string& script, const std::string& part) {
    std::string reply = eval(script);
    EXPECT_EQ(reply[0], '-') << script << ": " << reply;
    EXPECT_NE(reply.find(part), std::string::npos) << script << ": " << reply;
  }
};

TEST_F(ScriptLibraries, StructPacks) {
  EXPECT_EQ(hex("struct.pack('>I2', 258)"), "0102");
  EXPECT_EQ(hex("struct.pack('<I2', 258)"), "0201");
  EXPECT_EQ(hex("struct.pack('>bBhHi4I4', -1, 255, -2, 65535, -3, 4)"),
            "fffffffeffff"
            "fffffffd"
            "00000004");
  EXPECT_EQ(hex("struct.pack('>l', -2)"), "fffffffffffffffe");
  EXPECT_EQ(hex("struct.pack('>I3', 66051)"), "010203");
  EXPECT_EQ(hex("struct.pack('>f', 1)"), "3f800000");
  EXPECT_EQ(hex("struct.pack('>d', 1)"), "3ff0000000000000");
  EXPECT_EQ(hex("struct.pack('s', 'ab')"), "616200");
  EXPECT_EQ(hex("struct.pack('c0', 'abc')"), "616263");
  EXPECT_EQ(hex("struct.pack('c2', 'abc')"), "6162");
  EXPECT_EQ(hex("struct.pack('!4<bi4', 1, 2)"),
            "01000000"
            "02000000");
  EXPECT_EQ(hex("struct.pack('bxb', 1, 2)"), "010002");
  expect_error("return struct.pack('c4', 'abc')", "string too short");
  expect_error("return struct.pack('?', 1)", "invalid format option '?'");
  expect_error("return struct.pack('i33', 1)", "integral size 33 is larger than limit of 32");
  expect_error("return struct.pack('i99999999999', 1)", "integral size overflow");
  expect_error("return struct.pack('!3', 1)", "alignment 3 is not a power of 2");
  expect_error("return struct.pack('i')", "number expected");
}

TEST_F(ScriptLibraries, StructUnpacks) {
  EXPECT_EQ(eval("return {struct.unpack('>bBhH', '\\255\\255\\255\\254\\255\\255')}"), "*5\r\n:-1\r\n:255\r\n:-2\r\n:65535\r\n:7\r\n");
  EXPECT_EQ(eval("return {struct.unpack('>i3', '\\255\\255\\254')}"), "*2\r\n:-2\r\n:4\r\n");
  EXPECT_EQ(eval("return {struct.unpack('s', 'ab\\0cd')}"), "*2\r\n$2\r\nab\r\n:4\r\n");
  EXPECT_EQ(eval("return {struct.unpack('Bc0', '\\003abcd')}"), "*2\r\n$3\r\nabc\r\n:5\r\n");
  EXPECT_EQ(eval("return {struct.unpack('>I2', 'xx\\001\\002', 3)}"), "*2\r\n:258\r\n:5\r\n");
  EXPECT_EQ(eval("return tostring(struct.unpack('>d', '\\063\\240\\0\\0\\0\\0\\0\\0'))").substr(0, 1), "$");
  EXPECT_EQ(eval("return struct.size('>bi4!8d')"), ":16\r\n");
  expect_error("return struct.unpack('>I4', 'abc')", "data string too short");
  expect_error("return struct.unpack('>I4', 'abcd', 0)", "offset must be 1 or greater");
  expect_error("return struct.unpack('>I4', 'abcd', -5)", "bad argument #2 to 'unpack' (data string too short)");
  expect_error("return struct.unpack('>I4', 'abcd', 2147483647)", "data string too short");
  expect_error("return struct.unpack('s', 'abc')", "unfinished string in data");
  expect_error("return struct.unpack('c0', 'abc')", "format 'c0' needs a previous size");
  expect_error("return struct.unpack('Bc0', '\\009abc')", "data string too short");
  expect_error("return struct.size('s')", "option 's' has no fixed size");
}

TEST_F(ScriptLibraries, MsgpackPacks) {
  EXPECT_EQ(hex("cmsgpack.pack(0)"), "00");
  EXPECT_EQ(hex("cmsgpack.pack(127, 128, 256, 65536, 4294967296)"),
            "7f"
            "cc80"
            "cd0100"
            "ce00010000"
            "cf0000000100000000");
  EXPECT_EQ(hex("cmsgpack.pack(-1, -32, -33, -129, -32769, -2147483649)"),
            "ff"
            "e0"
            "d0df"
            "d1ff7f"
            "d2ffff7fff"
            "d3ffffffff7fffffff");
  EXPECT_EQ(hex("cmsgpack.pack(0.1)"), "cb3fb999999999999a");
  EXPECT_EQ(hex("cmsgpack.pack(1.5)"), "ca3fc00000");
  EXPECT_EQ(hex("cmsgpack.pack('abc', true, false, nil)"),
            "a3616263"
            "c3"
            "c2"
            "c0");
  EXPECT_EQ(hex("cmsgpack.pack({1, 2})"), "920102");
  EXPECT_EQ(hex("cmsgpack.pack({a = 1})"), "81a16101");
  EXPECT_EQ(hex("cmsgpack.pack({[1] = 1, [3] = 1})").substr(0, 2), "82");
  EXPECT_EQ(hex("cmsgpack.pack({})"), "90");
  EXPECT_EQ(hex("string.sub(cmsgpack.pack(string.rep('x', 40)), 1, 3)"), "d92878");
  EXPECT_EQ(hex("string.sub(cmsgpack.pack(string.rep('x', 300)), 1, 3)"), "da012c");
  EXPECT_EQ(hex("string.sub(cmsgpack.pack(string.rep('x', 70000)), 1, 5)"), "db00011170");
  expect_error("return cmsgpack.pack()", "MessagePack pack needs input.");
  EXPECT_EQ(eval("local a = {} a.a = a return #cmsgpack.pack(a)"), ":49\r\n");  // sixteen maps of one, then nil
}

TEST_F(ScriptLibraries, MsgpackUnpacks) {
  EXPECT_EQ(eval("return {cmsgpack.unpack(cmsgpack.pack(1, -40, 'abc', {7, {8}}, 4294967296))}"),
            "*5\r\n:1\r\n:-40\r\n$3\r\nabc\r\n*2\r\n:7\r\n*1\r\n:8\r\n:4294967296\r\n");
  EXPECT_EQ(eval("return cmsgpack.unpack(cmsgpack.pack({a = 'b'})).a"), "$1\r\nb\r\n");
  EXPECT_EQ(eval("return {cmsgpack.unpack_one('\\001\\002', 0)}"), "*2\r\n:1\r\n:1\r\n");
  EXPECT_EQ(eval("return {cmsgpack.unpack_one('\\001\\002', 1)}"), "*2\r\n:-1\r\n:2\r\n");
  EXPECT_EQ(eval("return {cmsgpack.unpack_limit('\\001\\002\\003', 2)}"), "*3\r\n:2\r\n:1\r\n:2\r\n");
  EXPECT_EQ(eval("return cmsgpack.unpack('\\207\\255\\255\\255\\255\\255\\255\\255\\254')"), ":-2\r\n");  // above 2^63, as Redis has it
  EXPECT_EQ(eval("return cmsgpack.unpack('\\206\\255\\255\\255\\254')"), ":4294967294\r\n");
  expect_error("return cmsgpack.unpack('\\205')", "Missing bytes in input.");
  expect_error("return cmsgpack.unpack('\\219\\255\\255\\255\\255')", "Missing bytes in input.");
  expect_error("return cmsgpack.unpack('\\193')", "Bad data format in input.");
  expect_error("return cmsgpack.unpack_one('a', 5)", "Start offset 5 greater than input length 1.");
  expect_error("return cmsgpack.unpack_limit('a', -1)", "Invalid request to unpack with offset of 0 and limit of 1.");
  expect_error("return cmsgpack.unpack('\\129\\192\\001')", "index is nil");  // a map with nil as key
  // Nesting ends where Lua's stack does, not with the server.
  expect_error("return cmsgpack.unpack(string.rep('\\145', 100000))", "");
}

TEST_F(ScriptLibraries, JsonAndBits) {
  EXPECT_EQ(eval("return cjson.encode({1, 2, {a = true}})"), "$16\r\n[1,2,{\"a\":true}]\r\n");
  EXPECT_EQ(eval("return cjson.decode('{\"a\":[1,{\"b\":\"c\"}]}').a[2].b"), "$1\r\nc\r\n");
  EXPECT_EQ(eval("return tostring(cjson.decode('null') == cjson.null)"), "$4\r\ntrue\r\n");
  expect_error("return cjson.decode('[1,')", "Expected value but found");
  EXPECT_EQ(eval("return bit.band(0xff, 0x0f)"), ":15\r\n");
  EXPECT_EQ(eval("return bit.tohex(65535, -2147483648)"), "$8\r\n0000FFFF\r\n");
}

}  // namespace
}  // namespace ringwood
