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
  table.add(info_commands());
  table.add(command_introspection_commands());
  table.add(config_commands());
  table.add(memory_commands());
  table.add(debug_commands());
  table.add(server_commands());
  table.add(server_record_commands());
}

}  // namespace ringwood
