#pragma once
// The command families of the keyspace. Each has one table, in its own file; those of other planes are in persist/, net/ and cluster/.
#include <span>

#include "engine/exec/command.h"

namespace ringwood {

class CommandTable;

// Adds all families below to the table.
void add_families(CommandTable& table);

}  // namespace ringwood
