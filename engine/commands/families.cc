#include "engine/commands/families.h"

#include "engine/exec/command_table.h"

namespace ringwood {

void add_families(CommandTable& table) {
  for (auto* family : {
           string_commands,       string_number_commands,
           string_lcs_commands,   string_compare_commands,
           bitmap_commands,       bitmap_operation_commands,
           bitmap_field_commands, generic_commands,
           expire_commands,       scan_commands,
           object_commands,       database_commands,
           list_commands,         set_commands,
           hash_commands,         hash_expire_commands,
           zset_commands,         geo_commands,
           hyperloglog_commands,  sort_commands,
           stream_commands,       stream_group_commands,
           info_commands,         command_introspection_commands,
           config_commands,       memory_commands,
           debug_commands,        server_commands,
           transaction_commands,  pubsub_commands,
           acl_commands,          script_commands,
           slowlog_commands,      latency_commands,
           monitor_commands,      hotkeys_commands,
           module_commands,
       })
    table.add(family());
}

}  // namespace ringwood
