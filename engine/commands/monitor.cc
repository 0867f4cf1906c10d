// MONITOR.
#include "engine/exec/monitor.h"

#include "engine/commands/families.h"
#include "engine/exec/call.h"
#include "engine/exec/client.h"

namespace ringwood {
namespace {

void monitor(Call& c) {
  if (c.client()->in_multi) return c.reply.error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  if (c.client()->monitor) return;  // answered once
  start_monitoring(*c.client(), c.executor());
  c.reply.ok();
}

constexpr CommandSpec kCommands[] = {
    {.name = "monitor",
     .arity = 1,
     .flags = kAdmin | kNoScript | kLoading | kStale,
     .route = Route::kAll,
     .run = monitor,
     .may_suspend = true,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "O(1) to begin; from then on O(N) for every command that runs, N being the number of clients that monitor.",
     .summary = "Shows every command that the server runs, from now on."},
};

}  // namespace

std::span<const CommandSpec> monitor_commands() { return kCommands; }

}  // namespace ringwood
