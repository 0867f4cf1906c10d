#pragma once
// The `redis` table of scripts.
#include "engine/commands/script/lua.h"

namespace ringwood {

enum class RedisApi : uint8_t {
  kEval,
  kFunction,  // without what only EVAL's debugger knows
  kLoad,      // while a library is loaded: register_function, the log and the version
};

// Pushes a new table.
void push_redis_api(lua_State* l, RedisApi api);

}  // namespace ringwood
