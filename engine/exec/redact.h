#pragma once
// Arguments that no log and no MONITOR shows: passwords and what stands around them.
#include <span>

#include "engine/base/bytes.h"

namespace ringwood {

struct Command;

inline constexpr Bytes kRedacted = "(redacted)";

// Whether the argument `i` of a call is one of them (Redis: redactClientCommandArgument, called by AUTH, HELLO, MIGRATE, ACL and CONFIG SET).
bool is_secret(const Command& command, std::span<const Bytes> args, size_t i);

}  // namespace ringwood
