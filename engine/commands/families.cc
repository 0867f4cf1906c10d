#include "engine/commands/families.h"

#include "engine/exec/command_table.h"

namespace ringwood {

void add_families(CommandTable& table) {
  for (auto* family : {list_commands, set_commands, hash_commands, zset_commands}) table.add(family());
}

}  // namespace ringwood
