#pragma once
// Subcommands of CLUSTER for slots that move as one.
#include "engine/exec/command.h"

namespace ringwood {

void cancel_slot_migrations(Call& c);
void get_slot_migrations(Call& c);
void migrate_slots(Call& c);
void sync_slots(Call& c);

constexpr CommandSpec slot_migration_command(const char* name, int arity, Handler run, const char* complexity, const char* summary,
                                             const char* syntax = "") {
  return {.name = name,
          .arity = arity,
          .flags = kNoAsyncLoading | kAdmin | kStale,
          .route = Route::kHere,
          .run = run,
          .may_suspend = true,
          .group = Group::kCluster,
          .since = "9.0.0",
          .complexity = complexity,
          .summary = summary,
          .syntax = syntax};
}

inline constexpr CommandSpec kCancelSlotMigrations =
    slot_migration_command("cancelslotmigrations", 2, cancel_slot_migrations, "O(N) where N is the number of migrations",
                           "Gives up all slot migrations from this node.");
inline constexpr CommandSpec kGetSlotMigrations =
    slot_migration_command("getslotmigrations", 2, get_slot_migrations, "O(N) where N is the number of migrations",
                           "Answers the slot migrations under way, and those of late.");
inline constexpr CommandSpec kMigrateSlots = slot_migration_command(
    "migrateslots", -7, migrate_slots, "O(N) where N is the number of slots", "Moves slots to other nodes, each set of them as one.",
    "(block=SLOTSRANGE (range=start-slot:integer end-slot:integer)... NODE node-id)...");
inline constexpr CommandSpec kSyncSlots = {.name = "syncslots",
                                           .arity = -3,
                                           .flags = kAdmin | kStale | kLoading | kMayReplicate,
                                           .route = Route::kAll,
                                           .run = sync_slots,
                                           .may_suspend = true,
                                           .group = Group::kCluster,
                                           .since = "9.0.0",
                                           .complexity = "Depends on subcommand.",
                                           .summary = "What nodes say to each other while slots move.",
                                           .syntax = "word..."};

}  // namespace ringwood
