#include "engine/commands/families.h"

#include "engine/exec/command_table.h"

namespace ringwood {

void add_families(CommandTable& table) {
  table.add(string_commands());
  table.add(string_number_commands());
  table.add(string_lcs_commands());
  table.add(generic_commands());
  table.add(expire_commands());
  table.add(scan_commands());
  table.add(object_commands());
  table.add(database_commands());
  for (auto* family : {list_commands, set_commands, hash_commands, zset_commands}) table.add(family());
}

}  // namespace ringwood
