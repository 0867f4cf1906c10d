// CONFIG: the options, one immutable value that CONFIG SET replaces whole.
#include "engine/base/log.h"
#include "engine/base/options_set.h"
#include "engine/commands/families.h"
#include "engine/exec/acl.h"
#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "engine/exec/control.h"
#include "engine/exec/evict_everywhere.h"
#include "engine/exec/executor.h"
#include "engine/exec/help_command.h"

namespace ringwood {
namespace {

// What has been published, though this thread's turn may have begun before it.
const Options& latest(Call& c) { return c.engine().options->get(); }

void get(Call& c) {
  auto found = get_options(latest(c), c.args().subspan(2));
  c.reply.map(found.size());
  for (const auto& [name, value] : found) {
    c.reply.bulk(name);
    c.reply.bulk(value);
  }
}

// tracking-table-max-keys: clients hear of what is forgotten before anybody hears that the option has changed, as far as that is quick. (The rest is each
// thread's, TrackingDesk::limit().) Every shard is held.
void forget_tracked(Call& c) {
  constexpr int kAtOnce = 100;
  if (c.executor().in_exec()) return;
  int64_t surplus = c.executor().tracking().surplus();
  int left = kAtOnce;
  for (Shard* s : c.engine().shards)
    for (; left > 0 && surplus > 0 && s->tracked.evict_any(); left--) surplus--;
  if (left < kAtOnce) c.executor().tracking().settle(c.executor().held(), 0);
}

// Under a lease of all shards, so that two clients' changes cannot overwrite each other.
void set(Call& c) {
  if (c.argc() % 2) return c.reply.syntax_error();
  std::vector<NameValue> pairs;
  for (size_t i = 2; i < c.argc(); i += 2) pairs.push_back({c.arg(i), c.arg(i + 1)});
  SetContext context;
  context.local_client = c.client() && c.client()->local;
  context.loading = c.engine().state.load(std::memory_order_relaxed) & (kStateLoading | kStateAsyncLoading);
  SetResult result = set_options(latest(c), pairs, context);
  if (result.status == SetResult::Status::kLoading) return c.reply.error("LOADING Redis is loading the dataset in memory");
  if (result.status == SetResult::Status::kError) return c.reply.error("ERR " + result.error);
  if (ProcessControl* process = c.engine().process) {
    const Directive* at_fault = nullptr;
    OwnedBytes reason = process->apply(latest(c), result.options, result.changed, at_fault);
    if (!reason.empty()) return c.reply.error("ERR " + set_failure(at_fault ? at_fault->name : pairs[0].name, reason));
  }
  if (result.options.requirepass != latest(c).requirepass) c.engine().acl->set_default_password(result.options.requirepass);
  c.engine().options->publish(std::move(result.options));
  c.executor()
      .take_options();  // the other threads take them at the beginning of their next turn, before any command that comes after the answer
  if (c.engine().mutations) c.executor().refresh_all_effects();  // a turn that begins while its shard is lent does not (replica-read-only)
  forget_tracked(c);
  if (others_must_evict(c)) return reply_when_evicted(c);
  c.reply.ok();
}

void rewrite(Call& c) {
  if (c.engine().config_file.empty() || !c.engine().process) return c.reply.error("ERR The server is running without a config file");
  OwnedBytes error = c.engine().process->rewrite_config(latest(c), false);
  if (Log* log = c.engine().log) {
    if (error.empty())
      log->write(LogLevel::kNotice, "CONFIG REWRITE executed with success.");
    else
      log->write(LogLevel::kWarning, "CONFIG REWRITE failed: %s", error.c_str());
  }
  if (!error.empty()) return c.reply.error("ERR Rewriting config file: " + error);
  c.reply.ok();
}

void resetstat(Call& c) {
  c.engine().info.reset({c.engine(), c.executor()});
  c.reply.ok();
}

void help(Call& c) {
  static constexpr const char* kLines[] = {
      "GET <pattern>",
      "    The options whose names match <pattern>, and their values.",
      "RESETSTAT",
      "    Sets the counters that INFO shows to zero.",
      "REWRITE",
      "    Brings the configuration file up to date.",
      "SET <directive> <value> [<directive> <value> ...]",
      "    Changes options: all of these or none.",
  };
  c.reply.help("CONFIG", kLines);
}

constexpr uint32_t kFlags = kAdmin | kNoScript | kLoading | kStale;
constexpr const char* kEach = "O(N) when N is the number of configuration parameters provided";
constexpr const char* kOnAllNodes = "request_policy:all_nodes response_policy:all_succeeded";
constexpr const char* kGetHistory[] = {"7.0.0|Takes several patterns."};
constexpr const char* kSetHistory[] = {"7.0.0|Sets several options at once."};

constexpr CommandSpec kSubcommands[] = {
    {.name = "get",
     .arity = -3,
     .flags = kFlags,
     .route = Route::kHere,
     .run = get,
     .group = Group::kServer,
     .since = "2.0.0",
     .complexity = kEach,
     .summary = "Answers options and their values.",
     .syntax = "parameter...",
     .history = kGetHistory},
    help_command(help, Group::kServer, "5.0.0"),
    {.name = "resetstat",
     .arity = 2,
     .flags = kFlags,
     .route = Route::kAll,
     .run = resetstat,
     .group = Group::kServer,
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Sets the server's counters to zero.",
     .tips = kOnAllNodes},
    {.name = "rewrite",
     .arity = 2,
     .flags = kFlags,
     .route = Route::kAll,
     .run = rewrite,
     .group = Group::kServer,
     .since = "2.8.0",
     .complexity = "O(1)",
     .summary = "Writes the options in effect to the configuration file.",
     .tips = kOnAllNodes},
    {.name = "set",
     .arity = -4,
     .flags = kFlags,
     .route = Route::kAll,
     .run = set,
     .may_suspend = true,
     .group = Group::kServer,
     .since = "2.0.0",
     .complexity = kEach,
     .summary = "Changes options.",
     .syntax = "(parameter value)...",
     .tips = kOnAllNodes,
     .history = kSetHistory},
};

constexpr CommandSpec kCommands[] = {
    {.name = "config",
     .arity = -2,
     .subcommands = kSubcommands,
     .group = Group::kServer,
     .since = "2.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "Shows and changes the server's options."},
};

}  // namespace

std::span<const CommandSpec> config_commands() { return kCommands; }

}  // namespace ringwood
