#pragma once
// The libraries that scripts find beside Lua's own. Each function pushes the library's table, as Lua's luaopen_* do.
#include "engine/commands/script/lua.h"

namespace ringwood {

int open_struct(lua_State* l);               // packs and unpacks binary structures by a format
int open_msgpack(lua_State* l);              // MessagePack
int open_bit(lua_State* l);                  // operations on 32 bits
extern "C" int luaopen_cjson(lua_State* l);  // JSON, by lua-cjson

}  // namespace ringwood
