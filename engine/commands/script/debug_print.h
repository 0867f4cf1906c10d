#pragma once
// Values of Lua and replies in the form in which the debugger of scripts shows them, which is Redis's.
#include "engine/commands/script/lua.h"

namespace ringwood {

// Appends the value at `index`, which stays. Tables are shown as lists where they are such, and ten deep. Raises no error of Lua's.
void append_lua_value(lua_State* l, int index, OwnedBytes& out);

// Appends a whole reply, in RESP2 or RESP3.
void append_reply_text(Bytes reply, OwnedBytes& out);

}  // namespace ringwood
