#include "engine/commands/families.h"

#include "engine/exec/command_table.h"

namespace ringwood {

void add_families(CommandTable&) {}

}  // namespace ringwood
