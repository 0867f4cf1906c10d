// The `bit` library: operations on 32 bits, with Lua's numbers taken modulo 2^32 and answered as signed ones (https://bitop.luajit.org).
#include <bit>

#include "engine/commands/script/libraries.h"

namespace ringwood {
namespace {

// Adding 2^52 + 2^51 leaves the integer part of a double, rounded, in the lowest bits of its representation.
uint32_t bits_at(lua_State* l, int index) {
  double shifted = luaL_checknumber(l, index) + 6755399441055744.0;
  return static_cast<uint32_t>(load<uint64_t>(&shifted));
}

int answer(lua_State* l, uint32_t bits) {
  lua_pushnumber(l, static_cast<int32_t>(bits));
  return 1;
}

int tobit(lua_State* l) { return answer(l, bits_at(l, 1)); }
int bnot(lua_State* l) { return answer(l, ~bits_at(l, 1)); }
int bswap(lua_State* l) { return answer(l, __builtin_bswap32(bits_at(l, 1))); }

template <class F>
int fold(lua_State* l, F&& f) {
  uint32_t bits = bits_at(l, 1);
  for (int i = lua_gettop(l); i > 1; i--) bits = f(bits, bits_at(l, i));
  return answer(l, bits);
}
int band(lua_State* l) {
  return fold(l, [](uint32_t a, uint32_t b) { return a & b; });
}
int bor(lua_State* l) {
  return fold(l, [](uint32_t a, uint32_t b) { return a | b; });
}
int bxor(lua_State* l) {
  return fold(l, [](uint32_t a, uint32_t b) { return a ^ b; });
}

int distance(lua_State* l) { return static_cast<int>(bits_at(l, 2) & 31); }
int lshift(lua_State* l) { return answer(l, bits_at(l, 1) << distance(l)); }
int rshift(lua_State* l) { return answer(l, bits_at(l, 1) >> distance(l)); }
int arshift(lua_State* l) { return answer(l, static_cast<uint32_t>(static_cast<int32_t>(bits_at(l, 1)) >> distance(l))); }
int rol(lua_State* l) { return answer(l, std::rotl(bits_at(l, 1), distance(l))); }
int ror(lua_State* l) { return answer(l, std::rotr(bits_at(l, 1), distance(l))); }

// tohex(x [, digits]): a negative number of digits asks for upper case.
int tohex(lua_State* l) {
  uint32_t bits = bits_at(l, 1);
  int64_t digits = lua_isnone(l, 2) ? 8 : static_cast<int32_t>(bits_at(l, 2));
  const char* symbols = digits < 0 ? "0123456789ABCDEF" : "0123456789abcdef";
  if (digits < 0) digits = -digits;
  if (digits > 8) digits = 8;
  char text[8];
  for (int64_t i = digits; i-- > 0; bits >>= 4) text[i] = symbols[bits & 15];
  lua_pushlstring(l, text, static_cast<size_t>(digits));
  return 1;
}

}  // namespace

int open_bit(lua_State* l) {
  lua_newtable(l);
  constexpr luaL_Reg kFunctions[] = {{"tobit", tobit}, {"bnot", bnot},     {"band", band},     {"bor", bor},
                                     {"bxor", bxor},   {"lshift", lshift}, {"rshift", rshift}, {"arshift", arshift},
                                     {"rol", rol},     {"ror", ror},       {"bswap", bswap},   {"tohex", tohex}};
  for (const luaL_Reg& f : kFunctions) lua::set_function(l, f.name, f.func);
  return 1;
}

}  // namespace ringwood
