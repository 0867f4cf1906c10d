#pragma once
// What scripts see of Lua: a choice of its globals, none of which they can change. Redis patches Lua so that tables can be made read-only; here a script is
// given a sealed view: an empty table whose metatable reads from the real one and refuses to write. The functions that would go around metatables (rawset,
// setmetatable, table.insert, …) are replaced by ones that know of sealed tables.
#include "engine/commands/script/lua.h"

namespace ringwood::sandbox {

// Replaces the table on top of the stack by a sealed view of it.
void seal(lua_State* l);
// Whether the value at `index` is one.
bool is_sealed(lua_State* l, int index);
// Gives the table on top of the stack a metatable by which reading a name that it lacks is an error.
void forbid_missing(lua_State* l);
// Opens Lua's libraries and ours and pushes a table with the globals that scripts may have, each library sealed. "redis" and _G are missing still.
void push_globals(lua_State* l);

}  // namespace ringwood::sandbox
