// SLOWLOG.
#include "engine/exec/help_command.h"
#include "engine/exec/slow_log.h"

#include "engine/commands/families.h"
#include "engine/exec/call.h"
#include "engine/exec/records.h"

namespace ringwood {
namespace {

SlowLog& log_of(const Call& c) { return c.engine().records->slow_log; }

void get(Call& c) {
  int64_t count = 10;
  if (c.argc() > 3) return c.reply.bad_subcommand("SLOWLOG", c.arg(1));
  if (c.argc() == 3 && !c.to_int_range(c.arg(2), -1, INT64_MAX, count, "ERR count should be greater than or equal to -1")) return;
  auto write = [&c](const SlowEntry& e) {
    c.reply.array(6);
    c.reply.integer(e.id);
    c.reply.integer(e.unix_s);
    c.reply.integer(e.us);
    c.reply.array(e.args.size());
    for (const OwnedBytes& a : e.args) c.reply.bulk(a);
    c.reply.bulk(e.address);
    c.reply.bulk(e.name);
  };
  log_of(c).newest(
      count < 0 ? SIZE_MAX : static_cast<size_t>(count), [&c](size_t n) { c.reply.array(n); }, write);
}

void len(Call& c) { c.reply.integer(static_cast<int64_t>(log_of(c).size())); }

void reset(Call& c) {
  log_of(c).reset();
  c.reply.ok();
}

void help(Call& c) {
  static constexpr const char* kLines[] = {
      "GET [<count>]",
      "    The newest <count> entries (10 by default, all with -1), each with its",
      "    number, time, duration in microseconds, arguments, and the client's",
      "    address and name.",
      "LEN",
      "    How many entries there are.",
      "RESET",
      "    Forgets them.",
  };
  c.reply.help("SLOWLOG", kLines);
}

constexpr uint32_t kFlags = kAdmin | kLoading | kStale;
constexpr const char* kHistory[] = {"4.0.0|Tells the client's address and name."};

constexpr CommandSpec kSubcommands[] = {
    {.name = "get",
     .arity = -2,
     .flags = kFlags,
     .route = Route::kHere,
     .run = get,
     .group = Group::kServer,
     .since = "2.2.12",
     .complexity = "O(N) where N is the number of entries answered.",
     .summary = "Answers the slow commands that were recorded.",
     .syntax = "[count:integer]",
     .tips = "request_policy:all_nodes nondeterministic_output",
     .history = kHistory},
    help_command(help, Group::kServer, "6.2.0"),
    {.name = "len",
     .arity = 2,
     .flags = kFlags,
     .route = Route::kHere,
     .run = len,
     .group = Group::kServer,
     .since = "2.2.12",
     .complexity = "O(1)",
     .summary = "Answers how many slow commands are recorded.",
     .tips = "request_policy:all_nodes response_policy:agg_sum nondeterministic_output"},
    {.name = "reset",
     .arity = 2,
     .flags = kFlags,
     .route = Route::kHere,
     .run = reset,
     .group = Group::kServer,
     .since = "2.2.12",
     .complexity = "O(N) where N is the number of entries.",
     .summary = "Forgets the slow commands.",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
};

constexpr CommandSpec kCommands[] = {
    {.name = "slowlog",
     .arity = -2,
     .subcommands = kSubcommands,
     .group = Group::kServer,
     .since = "2.2.12",
     .complexity = "Depends on subcommand.",
     .summary = "Slow commands."},
};

}  // namespace

std::span<const CommandSpec> slowlog_commands() { return kCommands; }

}  // namespace ringwood
