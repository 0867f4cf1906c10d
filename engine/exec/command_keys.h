#pragma once
// The keys of a call with what the command does to each: COMMAND GETKEYSANDFLAGS answers it, ACL key permissions go by it.
#include <span>
#include <vector>

#include "engine/exec/command_table.h"

namespace ringwood {

struct KeyUse {
  size_t index;    // of the argument
  unsigned flags;  // KeyFlag bits
};

// Some form of the command names keys.
bool has_keys(const Command& c);
// In the order of CommandTable::keys_of; false where the arguments are not valid for the command.
bool key_uses(const Command& c, std::span<const Bytes> args, std::vector<KeyUse>& out);

}  // namespace ringwood
