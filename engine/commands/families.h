#pragma once
// The command families of the keyspace. Each has one table, in its own file; those of other planes are in persist/, net/ and cluster/.
#include <span>

#include "engine/exec/command.h"

namespace ringwood {

class CommandTable;

std::span<const CommandSpec> acl_commands();
std::span<const CommandSpec> string_commands();
std::span<const CommandSpec> string_number_commands();
std::span<const CommandSpec> string_lcs_commands();
std::span<const CommandSpec> string_compare_commands();
std::span<const CommandSpec> bitmap_commands();
std::span<const CommandSpec> bitmap_operation_commands();
std::span<const CommandSpec> bitmap_field_commands();
std::span<const CommandSpec> generic_commands();
std::span<const CommandSpec> expire_commands();
std::span<const CommandSpec> scan_commands();
std::span<const CommandSpec> object_commands();
std::span<const CommandSpec> database_commands();
std::span<const CommandSpec> list_commands();
std::span<const CommandSpec> set_commands();
std::span<const CommandSpec> hash_commands();
std::span<const CommandSpec> hash_expire_commands();
std::span<const CommandSpec> zset_commands();
std::span<const CommandSpec> geo_commands();
std::span<const CommandSpec> hyperloglog_commands();
std::span<const CommandSpec> sort_commands();
std::span<const CommandSpec> stream_commands();
std::span<const CommandSpec> stream_group_commands();
std::span<const CommandSpec> pubsub_commands();
std::span<const CommandSpec> info_commands();
std::span<const CommandSpec> command_introspection_commands();
std::span<const CommandSpec> config_commands();
std::span<const CommandSpec> memory_commands();
std::span<const CommandSpec> debug_commands();
std::span<const CommandSpec> server_commands();
std::span<const CommandSpec> slowlog_commands();
std::span<const CommandSpec> latency_commands();
std::span<const CommandSpec> module_commands();
std::span<const CommandSpec> monitor_commands();
std::span<const CommandSpec> hotkeys_commands();
std::span<const CommandSpec> transaction_commands();
std::span<const CommandSpec> script_commands();

// Adds all families above to the table.
void add_families(CommandTable& table);

}  // namespace ringwood
