#include "engine/commands/script/sandbox.h"

#include <cmath>

#include "engine/commands/script/interpreter.h"
#include "engine/commands/script/libraries.h"

namespace ringwood {

int lua::load_text(lua_State* l, Bytes code, const char* chunk_name) {
  if (!code.starts_with(LUA_SIGNATURE[0])) return luaL_loadbuffer(l, code.data(), code.size(), chunk_name);
  lua_pushliteral(l, "compiled code is not accepted");
  return LUA_ERRSYNTAX;
}

namespace sandbox {
namespace {

// In a sealed table's metatable, under the address of this variable: the real table.
char g_real_table;

int refuse_change(lua_State* l) { return luaL_error(l, "Attempt to modify a readonly table"); }

int refuse_missing(lua_State* l) {
  const char* name = lua_isstring(l, 2) ? lua_tostring(l, 2) : luaL_typename(l, 2);
  return luaL_error(l, "Script attempted to access nonexistent global variable '%s'", name);
}

// For functions of C, in which Lua itself would refuse and name no line.
void check_changeable(lua_State* l, int index) {
  if (!is_sealed(l, index)) return;
  lua_pushliteral(l, "Attempt to modify a readonly table");
  lua_error(l);
}

// Puts the real table in the place of a sealed one.
void unseal(lua_State* l, int index) {
  if (!lua_getmetatable(l, index)) return;
  lua_pushlightuserdata(l, &g_real_table);
  lua_rawget(l, -2);
  if (lua_istable(l, -1))
    lua_replace(l, index);
  else
    lua_pop(l, 1);
  lua_pop(l, 1);
}

// --- replacements of Lua's own

int raw_set(lua_State* l) {
  luaL_checktype(l, 1, LUA_TTABLE);
  luaL_checkany(l, 2);
  luaL_checkany(l, 3);
  check_changeable(l, 1);
  lua_settop(l, 3);
  lua_rawset(l, 1);
  return 1;
}

int raw_get(lua_State* l) {
  luaL_checktype(l, 1, LUA_TTABLE);
  luaL_checkany(l, 2);
  lua_settop(l, 2);
  unseal(l, 1);
  lua_rawget(l, 1);
  return 1;
}

int set_metatable(lua_State* l) {
  luaL_checktype(l, 1, LUA_TTABLE);
  int type = lua_type(l, 2);
  luaL_argcheck(l, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table expected");
  check_changeable(l, 1);
  if (luaL_getmetafield(l, 1, "__metatable")) return luaL_error(l, "cannot change a protected metatable");
  lua_settop(l, 2);
  lua_setmetatable(l, 1);
  return 1;
}

// As `next`, for a sealed table. The plain `next` is upvalue 1.
int next_of_sealed(lua_State* l) {
  lua_settop(l, 2);
  unseal(l, 1);
  if (lua_next(l, 1)) return 2;
  lua_pushnil(l);
  return 1;
}

// pairs(t): of a plain table what Lua gives, whose loops are quick; of a sealed one its own `next`. Upvalue 1 is Lua's `next`.
int pairs(lua_State* l) {
  luaL_checkany(l, 1);
  luaL_checktype(l, 1, LUA_TTABLE);
  if (is_sealed(l, 1))
    lua_pushcfunction(l, next_of_sealed);
  else
    lua_pushvalue(l, lua_upvalueindex(1));
  lua_pushvalue(l, 1);
  lua_pushnil(l);
  return 3;
}

// The thread's globals belong to all scripts.
int set_environment(lua_State* l) {
  if (lua_isnumber(l, 1) && lua_tonumber(l, 1) == 0) return refuse_change(l);
  int n = lua_gettop(l);
  if (lua_isnumber(l, 1)) {
    // The level counts from the caller; through this function it is one more. Only functions of scripts can be changed, so it is looked up here.
    lua_Debug where;
    int level = static_cast<int>(lua_tonumber(l, 1));
    luaL_argcheck(l, level > 0 && lua_getstack(l, level, &where), 1, "invalid level");
    lua_getinfo(l, "f", &where);
  } else {
    luaL_checktype(l, 1, LUA_TFUNCTION);
    lua_pushvalue(l, 1);
  }
  luaL_argcheck(l, n >= 2 && lua_istable(l, 2), 2, "table expected");
  lua_pushvalue(l, 2);
  if (lua_iscfunction(l, -2) || !lua_setfenv(l, -2)) return luaL_error(l, "'setfenv' cannot change environment of given object");
  return 1;
}

int load_function(lua_State* l, Bytes code, const char* name) {
  if (lua::load_text(l, code, name) == 0) return 1;
  lua_pushnil(l);
  lua_insert(l, -2);
  return 2;
}

int load_string(lua_State* l) {
  size_t n;
  const char* code = luaL_checklstring(l, 1, &n);
  return load_function(l, Bytes(code, n), luaL_optstring(l, 2, code));
}

// load(f [, name]): the pieces that f answers are gathered at stack index 3.
int load_pieces(lua_State* l) {
  const char* name = luaL_optstring(l, 2, "=(load)");
  luaL_checktype(l, 1, LUA_TFUNCTION);
  lua_settop(l, 2);
  lua_pushliteral(l, "");
  for (;;) {
    lua_pushvalue(l, 1);
    lua_call(l, 0, 1);
    if (lua_isnil(l, -1)) break;
    if (!lua_isstring(l, -1)) return luaL_error(l, "reader function must return a string");
    if (lua_objlen(l, -1) == 0) break;
    lua_concat(l, 2);
  }
  lua_settop(l, 3);
  size_t n;
  const char* code = lua_tolstring(l, 3, &n);
  return load_function(l, Bytes(code, n), name);
}

// table.insert, which writes past metatables.
int insert(lua_State* l) {
  luaL_checktype(l, 1, LUA_TTABLE);
  check_changeable(l, 1);
  int end = static_cast<int>(lua_objlen(l, 1)) + 1;
  switch (lua_gettop(l)) {
    case 2: break;
    case 3: {
      int at = static_cast<int>(luaL_checkinteger(l, 2));
      if (at > end) end = at;
      for (; end > at; end--) {
        lua_rawgeti(l, 1, end - 1);
        lua_rawseti(l, 1, end);
      }
      break;
    }
    default: return luaL_error(l, "wrong number of arguments to 'insert'");
  }
  lua_rawseti(l, 1, end);
  return 0;
}

// Redis 7 raises tables as errors; those who call pcall are given the text alone, as before.
int protected_call(lua_State* l) {
  luaL_checkany(l, 1);
  int status = lua_pcall(l, lua_gettop(l) - 1, LUA_MULTRET, 0);
  lua_pushboolean(l, status == 0);
  lua_insert(l, 1);
  if (status && lua_istable(l, -1)) {
    lua_getfield(l, -1, "err");
    if (lua_isstring(l, -1))
      lua_replace(l, -2);
    else
      lua_pop(l, 1);
  }
  return lua_gettop(l);
}

// --- random numbers: POSIX's drand48, so that a seed gives the same numbers everywhere, and those that it gives in Redis

constexpr int64_t kLargestRandom = INT32_MAX;

int math_random(lua_State* l) {
  double r = static_cast<double>(Interpreter::of(l).lrand48() % kLargestRandom) / static_cast<double>(kLargestRandom);
  switch (lua_gettop(l)) {
    case 0: lua_pushnumber(l, r); return 1;
    case 1: {
      lua_Integer high = luaL_checkinteger(l, 1);
      luaL_argcheck(l, high >= 1, 1, "interval is empty");
      lua_pushnumber(l, std::floor(r * static_cast<double>(high)) + 1);
      return 1;
    }
    case 2: {
      lua_Integer low = luaL_checkinteger(l, 1), high = luaL_checkinteger(l, 2);
      luaL_argcheck(l, low <= high, 2, "interval is empty");
      lua_pushnumber(l, std::floor(r * static_cast<double>(high - low + 1)) + static_cast<double>(low));
      return 1;
    }
    default: return luaL_error(l, "wrong number of arguments");
  }
}

int math_randomseed(lua_State* l) {
  Interpreter::of(l).srand48(static_cast<uint32_t>(luaL_checkinteger(l, 1)));
  return 0;
}

void open_library(lua_State* l, const char* name, lua_CFunction library) {
  lua_pushcfunction(l, library);
  lua_pushstring(l, name);
  lua_call(l, 1, 0);
}

constexpr const char* kFunctions[] = {"assert", "collectgarbage", "error",  "gcinfo",   "getfenv",  "getmetatable", "ipairs", "newproxy",
                                      "next",   "rawequal",       "select", "tonumber", "tostring", "type",         "unpack", "xpcall"};

}  // namespace

bool is_sealed(lua_State* l, int index) {
  if (!lua_getmetatable(l, index)) return false;
  lua_pushlightuserdata(l, &g_real_table);
  lua_rawget(l, -2);
  bool sealed = !lua_isnil(l, -1);
  lua_pop(l, 2);
  return sealed;
}

void seal(lua_State* l) {
  int real = lua_gettop(l);
  lua_newtable(l);  // the view
  lua_newtable(l);  // its metatable
  lua_pushlightuserdata(l, &g_real_table);
  lua_pushvalue(l, real);
  lua_rawset(l, -3);
  lua_pushvalue(l, real);
  lua_setfield(l, -2, "__index");
  lua::set_function(l, "__newindex", refuse_change);
  // getmetatable() shows another sealed table, which is empty: one that seals itself.
  lua_newtable(l);
  lua_newtable(l);
  lua_pushlightuserdata(l, &g_real_table);
  lua_pushboolean(l, 1);
  lua_rawset(l, -3);
  lua::set_function(l, "__newindex", refuse_change);
  lua_pushvalue(l, -2);
  lua_setfield(l, -2, "__metatable");
  lua_setmetatable(l, -2);
  lua_setfield(l, -2, "__metatable");
  lua_setmetatable(l, -2);
  lua_replace(l, real);
}

void forbid_missing(lua_State* l) {
  lua_newtable(l);
  lua::set_function(l, "__index", refuse_missing);
  lua_setmetatable(l, -2);
}

void push_globals(lua_State* l) {
  open_library(l, "", luaopen_base);
  open_library(l, LUA_TABLIBNAME, luaopen_table);
  open_library(l, LUA_STRLIBNAME, luaopen_string);
  open_library(l, LUA_MATHLIBNAME, luaopen_math);
  lua_newtable(l);
  for (const char* name : kFunctions) {
    lua_getglobal(l, name);
    lua_setfield(l, -2, name);
  }
  lua_getglobal(l, "next");
  lua_pushcclosure(l, pairs, 1);
  lua_setfield(l, -2, "pairs");
  lua::set_function(l, "rawget", raw_get);
  lua::set_function(l, "rawset", raw_set);
  lua::set_function(l, "setmetatable", set_metatable);
  lua::set_function(l, "setfenv", set_environment);
  lua::set_function(l, "loadstring", load_string);
  lua::set_function(l, "load", load_pieces);
  lua::set_function(l, "pcall", protected_call);
  lua_getglobal(l, "_VERSION");
  lua_setfield(l, -2, "_VERSION");

  for (const char* name : {LUA_STRLIBNAME, LUA_MATHLIBNAME, LUA_TABLIBNAME, LUA_COLIBNAME}) {
    lua_getglobal(l, name);
    if (Bytes(name) == LUA_MATHLIBNAME) {
      lua::set_function(l, "random", math_random);
      lua::set_function(l, "randomseed", math_randomseed);
    }
    if (Bytes(name) == LUA_TABLIBNAME) lua::set_function(l, "insert", insert);
    seal(l);
    lua_setfield(l, -2, name);
  }
  constexpr struct {
    const char* name;
    lua_CFunction open;
  } kOurs[] = {{"cjson", luaopen_cjson}, {"struct", open_struct}, {"bit", open_bit}, {"cmsgpack", open_msgpack}};
  for (const auto& library : kOurs) {
    lua_pushcfunction(l, library.open);
    lua_call(l, 0, 1);
    seal(l);
    lua_setfield(l, -2, library.name);
  }
  // All strings share one metatable.
  lua_pushliteral(l, "");
  lua_getmetatable(l, -1);
  lua_newtable(l);
  seal(l);
  lua_setfield(l, -2, "__metatable");
  lua_pop(l, 2);
}

}  // namespace sandbox
}  // namespace ringwood
