#include "engine/commands/script/debug_print.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/exec/reply.h"

namespace ringwood {
namespace {

std::string reply(Bytes bytes) {
  std::string out;
  append_reply_text(bytes, out);
  return out;
}

class LuaValues : public testing::Test {
 protected:
  lua_State* l = luaL_newstate();
  ~LuaValues() override { lua_close(l); }
  std::string shown(const std::string& expression) {
    EXPECT_EQ(0, luaL_loadstring(l, ("return " + expression).c_str())) << expression;
    EXPECT_EQ(0, lua_pcall(l, 0, 1, 0)) << expression;
    std::string out;
    append_lua_value(l, -1, out);
    EXPECT_EQ(1, lua_gettop(l)) << "nothing is left on the stack";
    lua_settop(l, 0);
    return out;
  }
};

TEST_F(LuaValues, AreShownAsInRedis) {
  EXPECT_EQ("nil", shown("nil"));
  EXPECT_EQ("true", shown("true"));
  EXPECT_EQ("false", shown("false"));
  EXPECT_EQ("1", shown("1"));
  EXPECT_EQ("0.333333", shown("1/3"));
  EXPECT_EQ("1e+300", shown("1e300"));
  EXPECT_EQ("\"a\\x00b\\r\\n\\\"\\\\\\xc8\"", shown("'a\\0b\\r\\n\"\\\\\\200'"));
  EXPECT_EQ("{}", shown("{}"));
  EXPECT_EQ("{1; \"two\"; {3; {4}}}", shown("{1, 'two', {3, {4}}}"));
  EXPECT_EQ("{[\"a\"]=1}", shown("{a = 1}"));
  EXPECT_EQ("{[1]=1; [3]=3}", shown("{1, nil, 3}"));
  EXPECT_EQ("{[{}]={[true]=false}}", shown("{[{}] = {[true] = false}}"));
  EXPECT_EQ(0u, shown("{double = 1.5}").find("{[\"double\"]=1.5}"));
  EXPECT_EQ(0u, shown("function() end").find("\"function@0x"));
  lua_pushcfunction(l, luaopen_base);
  lua_setglobal(l, "f");
  lua_newthread(l);
  lua_setglobal(l, "t");
  lua_newuserdata(l, 1);
  lua_setglobal(l, "u");
  lua_pushlightuserdata(l, l);
  lua_setglobal(l, "lu");
  EXPECT_EQ(0u, shown("f").find("\"function@0x"));
  EXPECT_EQ(0u, shown("t").find("\"thread@0x"));
  EXPECT_EQ(0u, shown("u").find("\"userdata@0x"));
  EXPECT_EQ(0u, shown("lu").find("\"light-userdata@0x"));
}

TEST_F(LuaValues, EndTenDeep) {
  const std::string end = "<max recursion level reached! Nested table?>";
  std::string value = "0";
  for (int depth = 1; depth <= 9; depth++) value = "{" + value + "}";
  EXPECT_EQ(value, shown(value));
  EXPECT_EQ("{{{{{{{{{{" + end + "}}}}}}}}}}", shown("{" + value + "}"));
  EXPECT_EQ("{{{{{{{{{{" + end + "}}}}}}}}}}", shown("(function() local t = {} t[1] = t return t end)()"));
}

TEST(DebugReplies, AreShownInBothProtocols) {
  EXPECT_EQ("12", reply(":12\r\n"));
  EXPECT_EQ("\"+OK\"", reply("+OK\r\n"));
  EXPECT_EQ("\"-ERR no\"", reply("-ERR no\r\n"));
  EXPECT_EQ("NULL", reply("$-1\r\n"));
  EXPECT_EQ("NULL", reply("*-1\r\n"));
  EXPECT_EQ("\"a\\r\\nb\"", reply("$4\r\na\r\nb\r\n"));
  EXPECT_EQ("[1,[\"x\",NULL],[]]", reply("*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n*0\r\n"));
  EXPECT_EQ("~(1,2)", reply("~2\r\n:1\r\n:2\r\n"));
  EXPECT_EQ("{\"f\" => 1,\"g\" => [2]}", reply("%2\r\n$1\r\nf\r\n:1\r\n$1\r\ng\r\n*1\r\n:2\r\n"));
  EXPECT_EQ("(null)", reply("_\r\n"));
  EXPECT_EQ("#true", reply("#t\r\n"));
  EXPECT_EQ("#false", reply("#f\r\n"));
  EXPECT_EQ("(double) 1.5", reply(",1.5\r\n"));
  EXPECT_EQ("(big number) 12345678901234567890", reply("(12345678901234567890\r\n"));
  EXPECT_EQ("\"txt:hello\"", reply("=9\r\ntxt:hello\r\n"));
  EXPECT_EQ("[1]", reply(">1\r\n:1\r\n"));
  EXPECT_EQ("7", reply("|1\r\n+a\r\n:1\r\n:7\r\n"));
}

}  // namespace
}  // namespace ringwood
