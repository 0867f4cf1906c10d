// The `cmsgpack` library: MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), without its ext types. Tables are written to a depth of 16,
// with nil in the place of what is deeper, so that circular ones end.
#include <cstring>

#include "engine/base/bits.h"
#include "engine/commands/script/interpreter.h"
#include "engine/commands/script/libraries.h"
#include "engine/exec/out_buffer.h"

namespace ringwood {
namespace {

constexpr int kDeepest = 16;

enum Tag : uint8_t {
  kFixMap = 0x80,
  kFixArray = 0x90,
  kFixString = 0xa0,
  kNil = 0xc0,
  kFalse = 0xc2,
  kTrue = 0xc3,
  kFloat = 0xca,
  kDouble = 0xcb,
  kUint8 = 0xcc,  // and 16, 32, 64
  kInt8 = 0xd0,   // and 16, 32, 64
  kString8 = 0xd9,
  kString16 = 0xda,
  kString32 = 0xdb,
  kArray16 = 0xdc,
  kArray32 = 0xdd,
  kMap16 = 0xde,
  kMap32 = 0xdf,
};

// --- writing, into the interpreter's scratch buffer

void put_tag(OutBuffer& out, unsigned tag) {
  *out.reserve(1) = static_cast<char>(tag);
  out.commit(1);
}

// The lowest `size` bytes, the highest of them first.
void put_big_endian(OutBuffer& out, uint64_t v, size_t size) {
  char* p = out.reserve(size);
  for (size_t i = 0; i < size; i++) p[i] = static_cast<char>(v >> 8 * (size - 1 - i));
  out.commit(size);
}

void put_integer(OutBuffer& out, int64_t v) {
  auto bits = static_cast<uint64_t>(v);
  if (v >= -32 && v <= 127) return put_tag(out, bits & 255);
  unsigned power = 0;  // of two: how many bytes
  if (v >= 0)
    power = bits <= 0xff ? 0 : bits <= 0xffff ? 1 : bits <= 0xffffffff ? 2 : 3;
  else
    power = v >= INT8_MIN ? 0 : v >= INT16_MIN ? 1 : v >= INT32_MIN ? 2 : 3;
  put_tag(out, (v >= 0 ? kUint8 : kInt8) + power);
  put_big_endian(out, bits, size_t{1} << power);
}

void put_number(OutBuffer& out, double v) {
  if (v >= -0x1p63 && v < 0x1p63 && static_cast<double>(static_cast<int64_t>(v)) == v) return put_integer(out, static_cast<int64_t>(v));
  auto narrow = static_cast<float>(v);
  if (static_cast<double>(narrow) == v) {
    put_tag(out, kFloat);
    return put_big_endian(out, load<uint32_t>(&narrow), 4);
  }
  put_tag(out, kDouble);
  put_big_endian(out, load<uint64_t>(&v), 8);
}

void put_string(OutBuffer& out, Bytes s) {
  if (s.size() < 32) {
    put_tag(out, kFixString | static_cast<unsigned>(s.size()));
  } else if (s.size() <= 0xff) {
    put_tag(out, kString8);
    put_big_endian(out, s.size(), 1);
  } else if (s.size() <= 0xffff) {
    put_tag(out, kString16);
    put_big_endian(out, s.size(), 2);
  } else {
    put_tag(out, kString32);
    put_big_endian(out, s.size(), 4);
  }
  out.append(s);
}

void put_count(OutBuffer& out, size_t n, unsigned fix, unsigned tag16) {
  if (n <= 15) return put_tag(out, fix | static_cast<unsigned>(n));
  put_tag(out, n <= 0xffff ? tag16 : tag16 + 1);
  put_big_endian(out, n, n <= 0xffff ? 2 : 4);
}

// The table on top: whether its keys are 1 to n, and how many they are.
bool is_array(lua_State* l, size_t& count) {
  double largest = 0;
  bool array = true;
  count = 0;
  lua_pushnil(l);
  while (lua_next(l, -2)) {
    lua_pop(l, 1);
    count++;
    double key = lua_type(l, -1) == LUA_TNUMBER ? lua_tonumber(l, -1) : 0;
    if (!(key >= 1 && key <= INT32_MAX && key == static_cast<double>(static_cast<int32_t>(key)))) array = false;
    if (key > largest) largest = key;
  }
  return array && largest == static_cast<double>(count);
}

void put_value(lua_State* l, OutBuffer& out, int depth);

void put_table(lua_State* l, OutBuffer& out, int depth) {
  luaL_checkstack(l, 4, "table nested too deeply");
  size_t n;
  if (is_array(l, n)) {
    put_count(out, n, kFixArray, kArray16);
    for (size_t i = 1; i <= n; i++) {
      lua_pushnumber(l, static_cast<double>(i));
      lua_gettable(l, -2);
      put_value(l, out, depth + 1);
    }
    return;
  }
  put_count(out, n, kFixMap, kMap16);
  lua_pushnil(l);
  while (lua_next(l, -2)) {
    lua_pushvalue(l, -2);
    put_value(l, out, depth + 1);  // the key
    put_value(l, out, depth + 1);
  }
}

// Writes the value on top, and pops it.
void put_value(lua_State* l, OutBuffer& out, int depth) {
  switch (lua_type(l, -1)) {
    case LUA_TSTRING: put_string(out, lua::text(l, -1)); break;
    case LUA_TBOOLEAN: put_tag(out, lua_toboolean(l, -1) ? kTrue : kFalse); break;
    case LUA_TNUMBER: put_number(out, lua_tonumber(l, -1)); break;
    case LUA_TTABLE: depth == kDeepest ? put_tag(out, kNil) : put_table(l, out, depth); break;
    default: put_tag(out, kNil);
  }
  lua_pop(l, 1);
}

int pack_values(lua_State* l) {
  int n = lua_gettop(l);
  if (n == 0) return luaL_argerror(l, 0, "MessagePack pack needs input.");
  luaL_checkstack(l, 4, "Too many arguments for MessagePack pack.");
  OutBuffer& out = Interpreter::of(l).scratch();
  out.clear();
  for (int i = 1; i <= n; i++) {
    lua_pushvalue(l, i);
    put_value(l, out, 0);
  }
  lua::push(l, out.view());
  out.clear();
  out.shrink(Interpreter::kScratchKept);
  return 1;
}

// --- reading

struct Input {
  const uint8_t* at;
  size_t left;
  enum class State : uint8_t { kGood, kShort, kBad } state = State::kGood;

  bool need(size_t n) {
    if (left >= n) return true;
    state = State::kShort;
    return false;
  }
  void skip(size_t n) { at += n, left -= n; }
  // The number of `size` bytes behind the tag; both are skipped. 0 where they are missing.
  uint64_t number(size_t size) {
    if (!need(1 + size)) return 0;
    uint64_t v = 0;
    for (size_t i = 1; i <= size; i++) v = v << 8 | at[i];
    skip(1 + size);
    return v;
  }
  bool good() const { return state == State::kGood; }
};

// Data can nest as deeply as it is long: each level takes two places on Lua's stack, which end at about 4000, and a frame of C's.
void get_value(lua_State* l, Input& in);

void get_string(lua_State* l, Input& in, size_t size) {
  if (!in.good() || !in.need(size)) return;
  lua_pushlstring(l, reinterpret_cast<const char*>(in.at), size);
  in.skip(size);
}

void get_array(lua_State* l, Input& in, size_t n) {
  if (!in.good()) return;
  lua_newtable(l);
  for (size_t i = 1; i <= n; i++) {
    lua_pushnumber(l, static_cast<double>(i));
    get_value(l, in);
    if (!in.good()) return;
    lua_rawset(l, -3);
  }
}

void get_map(lua_State* l, Input& in, size_t n) {
  if (!in.good()) return;
  lua_newtable(l);
  for (size_t i = 0; i < n; i++) {
    get_value(l, in);
    if (!in.good()) return;
    get_value(l, in);
    if (!in.good()) return;
    lua_settable(l, -3);  // a nil or NaN key is an error that Lua raises
  }
}

void get_signed(lua_State* l, Input& in, size_t size) {
  uint64_t v = in.number(size);
  unsigned unused = 64 - 8 * static_cast<unsigned>(size);
  lua_pushnumber(l, static_cast<double>(static_cast<int64_t>(v << unused) >> unused));
}

void get_value(lua_State* l, Input& in) {
  if (!in.need(1)) return;
  luaL_checkstack(l, 4, "too many return values at once; use unpack_one or unpack_limit instead.");
  uint8_t tag = *in.at;
  if (tag < kFixMap || tag >= 0xe0) {
    lua_pushnumber(l, tag < kFixMap ? tag : static_cast<int8_t>(tag));
    return in.skip(1);
  }
  if (tag < kFixArray) return in.skip(1), get_map(l, in, tag & 15u);
  if (tag < kFixString) return in.skip(1), get_array(l, in, tag & 15u);
  if (tag < kNil) return in.skip(1), get_string(l, in, tag & 31u);
  switch (tag) {
    case kNil: lua_pushnil(l); return in.skip(1);
    case kFalse: lua_pushboolean(l, 0); return in.skip(1);
    case kTrue: lua_pushboolean(l, 1); return in.skip(1);
    case kFloat: {
      auto bits = static_cast<uint32_t>(in.number(4));
      return lua_pushnumber(l, static_cast<double>(load<float>(&bits)));
    }
    case kDouble: {
      uint64_t bits = in.number(8);
      return lua_pushnumber(l, load<double>(&bits));
    }
    case kUint8:
    case kUint8 + 1:
    case kUint8 + 2:
    case kUint8 + 3:  // from 2^63 on negative, as in Redis, where Lua takes a signed integer
      return lua_pushnumber(l, static_cast<double>(static_cast<int64_t>(in.number(size_t{1} << (tag - kUint8)))));
    case kInt8:
    case kInt8 + 1:
    case kInt8 + 2:
    case kInt8 + 3: return get_signed(l, in, size_t{1} << (tag - kInt8));
    case kString8: return get_string(l, in, in.number(1));
    case kString16: return get_string(l, in, in.number(2));
    case kString32: return get_string(l, in, in.number(4));
    case kArray16: return get_array(l, in, in.number(2));
    case kArray32: return get_array(l, in, in.number(4));
    case kMap16: return get_map(l, in, in.number(2));
    case kMap32: return get_map(l, in, in.number(4));
    default: in.state = Input::State::kBad;
  }
}

// At most `limit` values from `offset` on, behind the offset of the next one (-1: the end) unless all were wanted.
int unpack_from(lua_State* l, lua_Integer limit, lua_Integer offset) {
  size_t size;
  const char* data = luaL_checklstring(l, 1, &size);
  bool all = limit == 0 && offset == 0;
  if (offset < 0 || limit < 0)
    return luaL_error(l, "Invalid request to unpack with offset of %d and limit of %d.", static_cast<int>(offset), static_cast<int>(size));
  if (static_cast<size_t>(offset) > size)
    return luaL_error(l, "Start offset %d greater than input length %d.", static_cast<int>(offset), static_cast<int>(size));
  if (all) limit = INT32_MAX;
  lua_settop(l, 1);
  if (!all) lua_pushnil(l);  // the place of the offset
  Input in{reinterpret_cast<const uint8_t*>(data) + offset, size - static_cast<size_t>(offset)};
  int count = 0;
  for (; in.left > 0 && count < limit; count++) {
    get_value(l, in);
    if (in.state == Input::State::kShort) return luaL_error(l, "Missing bytes in input.");
    if (in.state == Input::State::kBad) return luaL_error(l, "Bad data format in input.");
  }
  if (all) return count;
  lua_pushinteger(l, in.left == 0 ? -1 : static_cast<lua_Integer>(size - in.left));
  lua_replace(l, 2);
  return count + 1;
}

int unpack_all(lua_State* l) { return unpack_from(l, 0, 0); }
int unpack_one(lua_State* l) { return unpack_from(l, 1, luaL_optinteger(l, 2, 0)); }
int unpack_limit(lua_State* l) { return unpack_from(l, luaL_checkinteger(l, 2), luaL_optinteger(l, 3, 0)); }

}  // namespace

int open_msgpack(lua_State* l) {
  lua_newtable(l);
  lua::set_function(l, "pack", pack_values);
  lua::set_function(l, "unpack", unpack_all);
  lua::set_function(l, "unpack_one", unpack_one);
  lua::set_function(l, "unpack_limit", unpack_limit);
  lua_pushliteral(l, "cmsgpack");
  lua_setfield(l, -2, "_NAME");
  lua_pushliteral(l, "lua-cmsgpack 0.4.0");
  lua_setfield(l, -2, "_VERSION");
  return 1;
}

}  // namespace ringwood
