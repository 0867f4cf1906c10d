// MEMORY: what keys and the server cost.
#include "engine/base/memory.h"

#include <algorithm>

#include "engine/commands/families.h"
#include "engine/commands/info_parts.h"
#include "engine/exec/call.h"
#include "engine/exec/control.h"
#include "engine/exec/engine.h"
#include "engine/exec/help_command.h"
#include "engine/store/object_free.h"

namespace ringwood {
namespace {

constexpr int64_t kDefaultSamples = 5;

// The entry, its value, and its share of the key's table.
size_t key_memory(const Entry& e, size_t samples) {
  size_t bytes = e.shell_memory() + sizeof(Entry*) + 1;
  if (e.has_block()) return bytes + memory::usable(e.object().as<StringBlock>());
  return e.has_object() ? bytes + object_memory(e.type(), e.object(), samples) : bytes;
}

void usage(Call& c) {
  int64_t samples = kDefaultSamples;
  for (size_t i = 3; i < c.argc(); i += 2) {
    if (!Call::is_word(c.arg(i), "samples") || i + 1 == c.argc()) return c.reply.syntax_error();
    if (!c.to_int(c.arg(i + 1), samples)) return;
    if (samples < 0) return c.reply.syntax_error();
  }
  const Entry* e = c.db(c.key(2)).find(c.key(2));
  if (!e) return c.reply.null();
  c.reply.integer(static_cast<int64_t>(key_memory(*e, static_cast<size_t>(samples))));
}

class StatsWriter {
 public:
  explicit StatsWriter(Reply& r) : r_(r), mark_(r.begin()) {}
  void integer(Bytes name, int64_t v) { r_.bulk(name), r_.integer(v), n_++; }
  void bytes(Bytes name, size_t v) { integer(name, static_cast<int64_t>(v)); }
  void ratio(Bytes name, double v) { r_.bulk(name), r_.number(v), n_++; }
  void database(int i, size_t tables) {
    r_.bulk("db." + std::to_string(i));
    r_.map(3);
    r_.bulk("overhead.hashtable.main");
    r_.integer(static_cast<int64_t>(tables));
    r_.bulk("overhead.hashtable.expires");  // expiry times stand in the keys' entries
    r_.integer(0);
    r_.bulk("overhead.hashtable.slot-to-keys");  // the tables are those of slots
    r_.integer(0);
    n_++;
  }
  void end() { r_.end_map(mark_, n_); }

 private:
  Reply& r_;
  size_t mark_, n_ = 0;
};

// Under a lease of all shards: the tables are measured, not estimated.
void stats(Call& c) {
  MemoryFigures m = memory_figures(c.engine());
  m.overhead = m.startup + m.clients + m.backlog + m.replicas + m.append_only;
  StatsWriter w(c.reply);
  w.bytes("peak.allocated", m.peak);
  w.bytes("total.allocated", m.used);
  w.bytes("startup.allocated", m.startup);
  w.bytes("replication.backlog", m.backlog);
  w.bytes("clients.slaves", m.replicas);
  w.bytes("clients.normal", m.clients);
  w.bytes("cluster.links", 0);
  w.bytes("aof.buffer", m.append_only);
  ScriptingControl::Figures scripts = c.engine().scripting ? c.engine().scripting->figures() : ScriptingControl::Figures();
  w.bytes("lua.caches", scripts.script_memory);
  w.bytes("functions.caches", scripts.library_memory);
  for (int i = 0; i < c.here().databases(); i++) {
    size_t tables = 0, keys = 0;
    for (Shard* s : c.engine().shards) tables += s->database(i).table_memory(), keys += s->database(i).size();
    m.overhead += tables;
    if (keys) w.database(i, tables);
  }
  w.bytes("overhead.total", m.overhead);
  w.bytes("keys.count", m.keys);
  w.bytes("keys.bytes-per-key", m.keys && m.used > m.startup ? (m.used - m.startup) / m.keys : 0);
  w.bytes("dataset.bytes", m.dataset());
  w.ratio("dataset.percentage", m.dataset_percent());
  w.ratio("peak.percentage", m.peak_percent());
  w.bytes("allocator.allocated", m.used);
  w.bytes("allocator.active", m.resident);
  w.bytes("allocator.resident", m.resident);
  w.ratio("allocator-fragmentation.ratio", m.fragmentation());
  w.integer("allocator-fragmentation.bytes", m.fragmentation_bytes());
  w.ratio("allocator-rss.ratio", 1);
  w.integer("allocator-rss.bytes", 0);
  w.ratio("rss-overhead.ratio", 1);
  w.integer("rss-overhead.bytes", 0);
  w.ratio("fragmentation", m.fragmentation());
  w.integer("fragmentation.bytes", m.fragmentation_bytes());
  w.end();
}

// Findings by the rules of thumb that Redis applies, where they mean something here.
void doctor(Call& c) {
  MemoryFigures m = memory_figures(c.engine());
  constexpr size_t kTooSmallToTell = 5 << 20;
  if (m.used < kTooSmallToTell) return c.reply.verbatim("Less than 5 MB are in use: too little for a finding to mean anything.\n", "txt");
  OwnedBytes text;
  if (m.used * 3 < m.peak * 2)
    text +=
        " * Peak memory: at its peak the server used more than one and a half times what it uses now. What was freed may still count as "
        "resident; MEMORY PURGE gives back what can be given back.\n";
  if (m.fragmentation() > 1.4 && m.fragmentation_bytes() > (10 << 20))
    text += " * Fragmentation: resident memory is more than 1.4 times what is in use.\n";
  c.reply.verbatim(text.empty() ? OwnedBytes("No problem with memory was found.\n") : "Findings:\n" + text, "txt");
}

#ifndef RINGWOOD_SYSTEM_MALLOC
void malloc_stats(Call& c) {
  constexpr size_t kMost = 1 << 20;
  OwnedBytes text;
  mi_stats_print_out(
      [](const char* line, void* to) {
        auto* all = static_cast<OwnedBytes*>(to);
        if (all->size() < kMost) all->append(line);
      },
      &text);
  c.reply.verbatim(text, "txt");
}
#else
void malloc_stats(Call& c) { c.reply.bulk("Stats not supported for the current allocator"); }
#endif

// This thread now, the others within a tenth of a second.
void purge(Call& c) {
  memory::ask_all_to_give_back();
  memory::give_back();
  c.reply.ok();
}

void help(Call& c) {
  static constexpr const char* kLines[] = {
      "DOCTOR",
      "    What looks wrong with memory, in words.",
      "MALLOC-STATS",
      "    The allocator's own statistics.",
      "PURGE",
      "    Gives unused memory back to the system.",
      "STATS",
      "    What the server's memory is used for.",
      "USAGE <key> [SAMPLES <count>]",
      "    Bytes that <key> and its value take; of a large collection <count>",
      "    elements are measured (5 by default; 0: all).",
  };
  c.reply.help("MEMORY", kLines);
}

constexpr KeySpec kKey[] = {{.flags = kKeyRO, .index = 2}};
constexpr const char* kReportTips = "nondeterministic_output request_policy:all_shards response_policy:special";
constexpr const char* kAllocated = "Depends on how much memory is allocated, could be slow";

constexpr CommandSpec kSubcommands[] = {
    {.name = "doctor",
     .arity = 2,
     .route = Route::kHere,
     .run = doctor,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Answers what looks wrong with memory.",
     .tips = kReportTips},
    help_command(help, Group::kServer, "4.0.0"),
    {.name = "malloc-stats",
     .arity = 2,
     .route = Route::kHere,
     .run = malloc_stats,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = kAllocated,
     .summary = "Answers the allocator's statistics.",
     .tips = kReportTips},
    {.name = "purge",
     .arity = 2,
     .route = Route::kHere,
     .run = purge,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = kAllocated,
     .summary = "Gives unused memory back to the system.",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "stats",
     .arity = 2,
     .route = Route::kAll,
     .run = stats,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Answers what memory is used for.",
     .tips = kReportTips},
    {.name = "usage",
     .arity = -3,
     .flags = kReadOnly,
     .run = usage,
     .keys = kKey,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "O(N) where N is the number of samples.",
     .summary = "Answers the bytes that a key and its value take.",
     .syntax = "key:key [SAMPLES count:integer]"},
};

constexpr CommandSpec kCommands[] = {
    {.name = "memory",
     .arity = -2,
     .subcommands = kSubcommands,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "Tells what memory is used for."},
};

}  // namespace

std::span<const CommandSpec> memory_commands() { return kCommands; }

}  // namespace ringwood
