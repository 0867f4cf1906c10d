// OBJECT: how a value is stored and when it was used.
#include "engine/commands/families.h"
#include "engine/exec/access.h"
#include "engine/exec/call.h"
#include "engine/exec/help_command.h"

namespace ringwood {
namespace {

// The entry, looked up without a trace but in the statistics; null, and a null replied, when there is none.
Entry* look(Call& c) {
  const KeyRef k = c.key(2);
  Entry* e = c.peek(k);
  auto& stats = c.shard(k).stats;
  (e ? stats.keyspace_hits : stats.keyspace_misses).add();
  if (!e) c.reply.null();
  return e;
}

void encoding(Call& c) {
  if (Entry* e = look(c)) c.reply.bulk(encoding_name(e->encoding()));
}

// Redis shares the objects of small integers and answers the largest int for them, unless its eviction needs an access time for each key.
void refcount(Call& c) {
  Entry* e = look(c);
  if (!e) return;
  MaxmemoryPolicy p = c.options().maxmemory_policy;
  bool lru = p == MaxmemoryPolicy::kAllkeysLru || p == MaxmemoryPolicy::kVolatileLru;
  bool shares = c.options().maxmemory == 0 || !(lru || access::is_lfu(p));
  c.reply.integer(shares && e->is_int() && e->int_value() >= 0 && e->int_value() < 10000 ? INT32_MAX : 1);
}

void idletime(Call& c) {
  Entry* e = look(c);
  if (!e) return;
  if (access::is_lfu(c.options().maxmemory_policy))
    return c.reply.error(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU "
        "and LFU data will take "
        "some time to adjust.");
  c.reply.integer(access::idle_seconds(e->access(), access::lru_clock(c.now_ms())));
}

void freq(Call& c) {
  Entry* e = look(c);
  if (!e) return;
  if (!access::is_lfu(c.options().maxmemory_policy))
    return c.reply.error(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at "
        "runtime LRU and LFU data "
        "will take some time to adjust.");
  c.reply.integer(access::lfu_counter(e->access(), c.now_ms(), c.options().lfu_decay_time));
}

void help(Call& c) {
  static constexpr const char* kLines[] = {
      "ENCODING <key>", "    How the value of <key> is stored.",
      "FREQ <key>",     "    How often <key> is used: the logarithmic counter of the LFU policies.",
      "IDLETIME <key>", "    Seconds since <key> was last used.",
      "REFCOUNT <key>", "    Number of references to the value of <key>.",
  };
  c.reply.help("OBJECT", kLines);
}

constexpr KeySpec kKey[] = {{.flags = kKeyRO, .index = 2}};

constexpr CommandSpec kSubcommands[] = {
    {.name = "encoding",
     .arity = 3,
     .flags = kReadOnly,
     .run = encoding,
     .keys = kKey,
     .since = "2.2.3",
     .complexity = "O(1)",
     .summary = "Answers the name of a value's encoding.",
     .syntax = "key:key",
     .tips = "nondeterministic_output"},
    {.name = "freq",
     .arity = 3,
     .flags = kReadOnly,
     .run = freq,
     .keys = kKey,
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Answers a key's access counter, with an LFU policy.",
     .syntax = "key:key",
     .tips = "nondeterministic_output"},
    help_command(help, Group::kGeneric, "6.2.0"),
    {.name = "idletime",
     .arity = 3,
     .flags = kReadOnly,
     .run = idletime,
     .keys = kKey,
     .since = "2.2.3",
     .complexity = "O(1)",
     .summary = "Answers the seconds since a key was last used.",
     .syntax = "key:key",
     .tips = "nondeterministic_output"},
    {.name = "refcount",
     .arity = 3,
     .flags = kReadOnly,
     .run = refcount,
     .keys = kKey,
     .since = "2.2.3",
     .complexity = "O(1)",
     .summary = "Answers the number of references to a value.",
     .syntax = "key:key",
     .tips = "nondeterministic_output"},
};

constexpr CommandSpec kCommands[] = {
    {.name = "object",
     .arity = -2,
     .subcommands = kSubcommands,
     .since = "2.2.3",
     .complexity = "Depends on subcommand.",
     .summary = "Tells how values are stored and used."},
};

}  // namespace

std::span<const CommandSpec> object_commands() { return kCommands; }

}  // namespace ringwood
