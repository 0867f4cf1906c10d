#pragma once
// The command families of the keyspace. Each has one table, in its own file; those of other planes are in persist/, net/ and cluster/.
#include <span>

#include "engine/exec/command.h"

namespace ringwood {

class CommandTable;

std::span<const CommandSpec> list_commands();
std::span<const CommandSpec> set_commands();
std::span<const CommandSpec> hash_commands();
std::span<const CommandSpec> zset_commands();

// Adds all families above to the table.
void add_families(CommandTable& table);

}  // namespace ringwood
