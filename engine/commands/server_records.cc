// What servers are commonly asked for at start by tools and tests although it belongs to later issues: SLOWLOG and LATENCY of one that records nothing.
#include "engine/commands/families.h"
#include "engine/exec/call.h"

namespace ringwood {
namespace {

void empty_array(Call& c) { c.reply.array(0); }
void zero(Call& c) { c.reply.integer(0); }
void ok(Call& c) { c.reply.ok(); }

void slowlog_get(Call& c) {
  int64_t count = 10;
  if (c.argc() > 3) return c.reply.error("ERR unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP.");
  if (c.argc() == 3 && !c.to_int_range(c.arg(2), -1, INT64_MAX, count, "ERR count should be greater than or equal to -1")) return;
  c.reply.array(0);
}

constexpr uint32_t kAdminFlags = kAdmin | kLoading | kStale;
constexpr const char* kToAll = "request_policy:all_nodes response_policy:all_succeeded";
constexpr const char* kSlowlogHistory[] = {"4.0.0|Tells the client's address and name."};

constexpr CommandSpec kSlowlog[] = {
    {.name = "get",
     .arity = -2,
     .flags = kAdminFlags,
     .route = Route::kHere,
     .run = slowlog_get,
     .group = Group::kServer,
     .since = "2.2.12",
     .complexity = "O(N) where N is the number of entries answered.",
     .summary = "Answers the slow commands that were recorded.",
     .syntax = "[count:integer]",
     .tips = "request_policy:all_nodes nondeterministic_output",
     .history = kSlowlogHistory},
    {.name = "len",
     .arity = 2,
     .flags = kAdminFlags,
     .route = Route::kHere,
     .run = zero,
     .group = Group::kServer,
     .since = "2.2.12",
     .complexity = "O(1)",
     .summary = "Answers how many slow commands are recorded.",
     .tips = "request_policy:all_nodes response_policy:agg_sum nondeterministic_output"},
    {.name = "reset",
     .arity = 2,
     .flags = kAdminFlags,
     .route = Route::kHere,
     .run = ok,
     .group = Group::kServer,
     .since = "2.2.12",
     .complexity = "O(N) where N is the number of entries.",
     .summary = "Forgets the slow commands.",
     .tips = kToAll},
};
constexpr CommandSpec kLatency[] = {
    {.name = "latest",
     .arity = 2,
     .flags = kAdminFlags | kNoScript,
     .route = Route::kHere,
     .run = empty_array,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Answers the last delay of each kind.",
     .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"},
    {.name = "reset",
     .arity = -2,
     .flags = kAdminFlags | kNoScript,
     .route = Route::kHere,
     .run = zero,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Forgets the delays.",
     .syntax = "[event...]",
     .tips = "request_policy:all_nodes response_policy:agg_sum"},
};

constexpr CommandSpec kCommands[] = {
    {.name = "latency",
     .arity = -2,
     .subcommands = kLatency,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "Depends on subcommand.",
     .summary = "Delays that the server noticed."},
    {.name = "slowlog",
     .arity = -2,
     .subcommands = kSlowlog,
     .group = Group::kServer,
     .since = "2.2.12",
     .complexity = "Depends on subcommand.",
     .summary = "Slow commands."},
};

}  // namespace

std::span<const CommandSpec> server_record_commands() { return kCommands; }

}  // namespace ringwood
