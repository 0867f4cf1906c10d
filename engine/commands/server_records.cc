// What servers are commonly asked for at start by tools and tests although it belongs to later issues: FUNCTION of a server that has no function,
// SLOWLOG and LATENCY of one that records nothing.
#include "engine/commands/families.h"
#include "engine/exec/call.h"
#include "engine/exec/control.h"
#include "engine/exec/engine.h"

namespace ringwood {
namespace {

void empty_array(Call& c) { c.reply.array(0); }
void zero(Call& c) { c.reply.integer(0); }
void ok(Call& c) { c.reply.ok(); }

void function_flush(Call& c) {
  if (c.argc() == 3 && !Call::is_word(c.arg(2), "sync") && !Call::is_word(c.arg(2), "async"))
    return c.reply.error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  if (c.argc() > 3) return c.reply.error("ERR unknown subcommand or wrong number of arguments for 'flush'. Try FUNCTION HELP.");
  if (ReloadControl* files = c.engine().reload) files->drop_functions();
  c.reply.ok();
}

void function_list(Call& c) {
  bool with_code = false, with_name = false;
  for (size_t i = 2; i < c.argc(); i++) {
    if (!with_code && Call::is_word(c.arg(i), "withcode")) {
      with_code = true;
    } else if (!with_name && Call::is_word(c.arg(i), "libraryname")) {
      if (i + 1 == c.argc()) return c.reply.error("ERR library name argument was not given");
      with_name = true;
      i++;
    } else {
      OwnedBytes text = "ERR Unknown argument ";
      return c.reply.error(text.append(c.arg(i)));
    }
  }
  c.reply.array(0);
}

void slowlog_get(Call& c) {
  int64_t count = 10;
  if (c.argc() > 3) return c.reply.error("ERR unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP.");
  if (c.argc() == 3 && !c.to_int_range(c.arg(2), -1, INT64_MAX, count, "ERR count should be greater than or equal to -1")) return;
  c.reply.array(0);
}

constexpr uint32_t kAdminFlags = kAdmin | kLoading | kStale;
constexpr const char* kToAll = "request_policy:all_nodes response_policy:all_succeeded";
constexpr const char* kSlowlogHistory[] = {"4.0.0|Tells the client's address and name."};

constexpr CommandSpec kFunction[] = {
    {.name = "flush",
     .arity = -2,
     .flags = kNoScript | kWrite,
     .acl = kAclScripting,
     .route = Route::kAll,
     .run = function_flush,
     .group = Group::kScripting,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of functions.",
     .summary = "Removes all functions.",
     .syntax = "[flush-type=ASYNC|SYNC]",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "list",
     .arity = -2,
     .flags = kNoScript,
     .acl = kAclScripting,
     .route = Route::kHere,
     .run = function_list,
     .group = Group::kScripting,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of functions.",
     .summary = "Answers the libraries of functions.",
     .syntax = "[LIBRARYNAME library-name-pattern] [WITHCODE]",
     .tips = "nondeterministic_output_order"},
};
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
    {.name = "function",
     .arity = -2,
     .subcommands = kFunction,
     .group = Group::kScripting,
     .since = "7.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "Functions that run on the server."},
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
