#pragma once
// Replies as Lua values, and Lua values as replies, by Redis's rules (https://redis.io/docs/interact/programmability/lua-api, "Data type conversion").
#include "engine/commands/script/lua.h"
#include "engine/exec/reply.h"

namespace ringwood {

// Pushes the value of a whole reply, in RESP2 or RESP3, as our own handlers have written it. True when it is an error. May raise Lua's errors.
bool push_reply(lua_State* l, Bytes reply);

// What an error value of Lua tells: a table {err, source, line, …} or a string.
struct ScriptError {
  Bytes text, source;    // the first with its code; both as long as the value stays where it is
  int line = 0;          // 0: not known
  bool counted = false;  // in the statistics: the command whose error it is has been
};
ScriptError error_at(lua_State* l, int index);

// Replies with the value on top of the stack, and pops it. Booleans become numbers and null where the script speaks RESP2.
void reply_value(lua_State* l, Reply& reply, int script_resp);

}  // namespace ringwood
