#pragma once
// What a script says of itself: the flags of its first line ("#!lua flags=no-writes,allow-oom"), or of redis.register_function.
#include "engine/base/bytes.h"

namespace ringwood {

enum ScriptFlag : uint32_t {
  kScriptNoWrites = 1u << 0,
  kScriptAllowOom = 1u << 1,
  kScriptAllowStale = 1u << 2,
  kScriptNoCluster = 1u << 3,
  kScriptAllowCrossSlot = 1u << 4,
  kScriptPlain = 1u << 5,  // has no such line: as scripts were before Redis 7, each command is judged by itself
};

struct ScriptFlagName {
  uint32_t flag;
  const char* name;
};
// In the order in which FUNCTION LIST tells them.
inline constexpr ScriptFlagName kScriptFlagNames[] = {
    {kScriptNoWrites, "no-writes"},
    {kScriptAllowOom, "allow-oom"},
    {kScriptAllowStale, "allow-stale"},
    {kScriptNoCluster, "no-cluster"},
    {kScriptAllowCrossSlot, "allow-cross-slot-keys"},
};
// 0 when there is no such flag.
uint32_t script_flag(Bytes name, bool any_case);

// The first line of an EVAL script. `code_at` is where the code begins that Lua is given: at the end of that line, so that lines keep their numbers. Answers
// nothing, or an error's text without code.
OwnedBytes read_shebang(Bytes body, uint32_t& flags, size_t& code_at);

// The same of a function library, which must have one: "#!lua name=mylib".
struct LibraryHeader {
  OwnedBytes engine, name;
  size_t code_at = 0;
};
OwnedBytes read_library_header(Bytes source, LibraryHeader& header);

// Letters, digits and '_', one at least: names of libraries and functions.
bool is_library_name(Bytes name);
inline constexpr const char* kBadLibraryName =
    "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";

}  // namespace ringwood
