#pragma once
// Lua's headers and the few shorthands that the other files of this folder share.
//
// An error in Lua unwinds the C stack down to the nearest lua_pcall without running destructors. So a function that Lua calls keeps no object with a
// destructor on its stack while it calls anything of Lua's that may raise an error; whatever needs memory of its own lives in the Interpreter or the ScriptRun.
#include <lua.hpp>

#include "engine/base/bytes.h"

namespace ringwood::lua {

inline void push(lua_State* l, Bytes b) { lua_pushlstring(l, b.data(), b.size()); }
// The string (or number) at `index`; empty where it is neither. Valid as long as the value stands on the stack.
inline Bytes text(lua_State* l, int index) {
  size_t n = 0;
  const char* p = lua_tolstring(l, index, &n);
  return p ? Bytes(p, n) : Bytes();
}
inline void set_function(lua_State* l, const char* name, lua_CFunction f) {
  lua_pushcfunction(l, f);
  lua_setfield(l, -2, name);
}

// Compiles source text; compiled code, which could do anything, is refused. As luaL_loadbuffer: pushes the function and answers 0, or pushes a message.
int load_text(lua_State* l, Bytes code, const char* chunk_name);

// Pushes a table {err = text} as redis.call raises it. `text` is an error's reply without line break: "-CODE words", or words alone, which get "ERR".
void push_error(lua_State* l, Bytes text);

}  // namespace ringwood::lua
