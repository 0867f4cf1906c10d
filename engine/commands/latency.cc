// LATENCY: events that took long, and how long each command takes.
#include "engine/commands/families.h"
#include "engine/commands/latency_report.h"
#include "engine/exec/call.h"
#include "engine/exec/command_table.h"
#include "engine/exec/executor.h"
#include "engine/exec/help_command.h"
#include "engine/exec/records.h"

namespace ringwood {
namespace {

LatencyEvents& events_of(const Call& c) { return c.engine().records->latency; }

int64_t now_s(const Call& c) { return c.now_ms() / 1000; }

void latest(Call& c) {
  auto all = events_of(c).all();
  c.reply.array(all.size());
  for (const auto& [name, series] : all) {
    c.reply.array(4);
    c.reply.bulk(name);
    c.reply.integer(series.samples.back().unix_s);
    c.reply.integer(series.samples.back().ms);
    c.reply.integer(series.highest_ms);
  }
}

void history(Call& c) {
  auto all = events_of(c).all();
  auto found = all.find(OwnedBytes(c.arg(2)));
  if (found == all.end()) return c.reply.array(0);
  c.reply.array(found->second.samples.size());
  for (const LatencySample& s : found->second.samples) {
    c.reply.array(2);
    c.reply.integer(s.unix_s);
    c.reply.integer(s.ms);
  }
}

void graph(Call& c) {
  auto all = events_of(c).all();
  auto found = all.find(OwnedBytes(c.arg(2)));
  if (found == all.end()) return c.reply.error("ERR No samples available for event '" + OwnedBytes(c.arg(2)) + "'");
  c.reply.verbatim(latency_graph(found->first, found->second, now_s(c)), "txt");
}

void doctor(Call& c) { c.reply.verbatim(latency_report(events_of(c).all(), c.options(), now_s(c)), "txt"); }

void reset(Call& c) {
  if (c.argc() == 2) return c.reply.integer(events_of(c).reset());
  int n = 0;
  for (Bytes name : c.args().subspan(2)) n += events_of(c).reset(name);
  c.reply.integer(n);
}

// --- histograms

using Measure = LazyHistogram CommandStats::*;

// One command's, where it has run; answers how many were written.
size_t write_one(Call& c, const Command& command, Measure measure) {
  HistogramSum sum;
  for (Executor* e : c.engine().executors) sum.add((e->command_stats()[command.id].*measure).get());
  if (!sum.count()) return 0;
  c.reply.bulk(command.full_name);
  c.reply.map(2);
  c.reply.bulk("calls");
  c.reply.integer(sum.count());
  c.reply.bulk("histogram_usec");
  size_t mark = c.reply.begin(), n = 0;
  sum.for_each_doubling([&](uint64_t highest, int64_t count) {
    c.reply.integer(static_cast<int64_t>(highest / 1000));
    c.reply.integer(count);
    n++;
  });
  c.reply.end_map(mark, n);
  return 1;
}

size_t write_with_subcommands(Call& c, const Command& command, Measure measure) {
  size_t n = write_one(c, command, measure);
  for (const auto& s : command.subcommands) n += write_with_subcommands(c, *s, measure);
  return n;
}

// "config" or "config|get"
const Command* command_named(const Call& c, Bytes name) {
  size_t bar = name.find('|');
  const Command* command = c.engine().commands->find(name.substr(0, bar));
  return command && bar != Bytes::npos ? command->find_subcommand(name.substr(bar + 1)) : command;
}

void write_histograms(Call& c, Measure measure) {
  size_t mark = c.reply.begin(), n = 0;
  if (c.argc() == 2)
    for (const auto& command : c.engine().commands->all()) n += write_with_subcommands(c, *command, measure);
  for (Bytes name : c.args().subspan(2))
    if (const Command* command = command_named(c, name)) n += write_with_subcommands(c, *command, measure);
  c.reply.end_map(mark, n);
}

void histogram(Call& c) { write_histograms(c, &CommandStats::execution); }
void service(Call& c) { write_histograms(c, &CommandStats::service); }

void help(Call& c) {
  static constexpr const char* kLines[] = {
      "DOCTOR",
      "    What took long, and what may help, in words.",
      "GRAPH <event>",
      "    The samples of <event> as a picture.",
      "HISTORY <event>",
      "    The samples of <event>: time and milliseconds.",
      "LATEST",
      "    The last sample of each event, and its highest.",
      "RESET [<event> ...]",
      "    Forgets the samples of these events, or of all.",
      "HISTOGRAM [COMMAND ...]",
      "    How long these commands ran, or all: in how many calls at most how many",
      "    microseconds.",
      "SERVICE [COMMAND ...]",
      "    The same of the time from the request to its reply, waiting included.",
  };
  c.reply.help("LATENCY", kLines);
}

constexpr uint32_t kFlags = kAdmin | kNoScript | kLoading | kStale;
constexpr const char* kOneTips = "nondeterministic_output request_policy:all_nodes response_policy:special";
constexpr const char* kHistogramTips = "nondeterministic_output request_policy:all_nodes response_policy:special";

constexpr CommandSpec kSubcommands[] = {
    {.name = "doctor",
     .arity = 2,
     .flags = kFlags,
     .route = Route::kHere,
     .run = doctor,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Answers what took long and what may help, in words.",
     .tips = kOneTips},
    {.name = "graph",
     .arity = 3,
     .flags = kFlags,
     .route = Route::kHere,
     .run = graph,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Answers the samples of an event as a picture.",
     .syntax = "event",
     .tips = kOneTips},
    help_command(help, Group::kServer, "2.8.13"),
    {.name = "histogram",
     .arity = -2,
     .flags = kFlags,
     .route = Route::kHere,
     .run = histogram,
     .group = Group::kServer,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of commands with latency information being retrieved.",
     .summary = "Answers how long commands ran, as cumulative distributions.",
     .syntax = "[command...]",
     .tips = kHistogramTips},
    {.name = "history",
     .arity = 3,
     .flags = kFlags,
     .route = Route::kHere,
     .run = history,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Answers the samples of an event.",
     .syntax = "event",
     .tips = kOneTips},
    {.name = "latest",
     .arity = 2,
     .flags = kFlags,
     .route = Route::kHere,
     .run = latest,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Answers the last delay of each kind.",
     .tips = kOneTips},
    {.name = "reset",
     .arity = -2,
     .flags = kFlags,
     .route = Route::kHere,
     .run = reset,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Forgets the delays.",
     .syntax = "[event...]",
     .tips = "request_policy:all_nodes response_policy:agg_sum"},
    {.name = "service",
     .arity = -2,
     .flags = kFlags,
     .route = Route::kHere,
     .run = service,
     .group = Group::kServer,
     .since = "7.2.0",
     .complexity = "O(N) where N is the number of commands that are answered.",
     .summary = "Answers how long clients waited for commands, as cumulative distributions. Ringwood's own.",
     .syntax = "[command...]",
     .tips = kHistogramTips},
};

constexpr CommandSpec kCommands[] = {
    {.name = "latency",
     .arity = -2,
     .subcommands = kSubcommands,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "Depends on subcommand.",
     .summary = "Delays that the server noticed."},
};

}  // namespace

std::span<const CommandSpec> latency_commands() { return kCommands; }

}  // namespace ringwood
