// Commands on a whole database or all of them. They run under a lease of every shard.
#include <climits>

#include "engine/base/glob.h"
#include "engine/commands/families.h"
#include "engine/exec/call.h"
#include "engine/exec/cluster.h"
#include "engine/exec/control.h"

namespace ringwood {
namespace {

void dbsize(Call& c) {
  size_t n = 0;
  for (Shard* s : c.engine().shards) n += s->database(c.database()).size();
  c.reply.integer(static_cast<int64_t>(n));
}

void keys(Call& c) {
  Bytes pattern = c.arg(1);
  bool all = pattern == "*";
  size_t mark = c.reply.begin(), n = 0;
  for (Shard* s : c.engine().shards)
    s->database(c.database()).for_each([&](Entry* e) {
      if (e->expired(c.now_ms()) || (!all && !glob_match(pattern, e->key()))) return;
      c.reply.bulk(e->key());
      n++;
    });
  c.reply.end_array(mark, n);
}

// The shard of a key drawn at random from the whole database, or null when it is empty.
Shard* random_shard(Call& c) {
  uint64_t total = 0;
  for (Shard* s : c.engine().shards) total += s->database(c.database()).size();
  if (!total) return nullptr;
  uint64_t at = c.random().below(total);
  for (Shard* s : c.engine().shards) {
    size_t n = s->database(c.database()).size();
    if (at < n) return s;
    at -= n;
  }
  return nullptr;
}

bool all_volatile(Call& c) {
  for (Shard* s : c.engine().shards) {
    const Database& d = s->database(c.database());
    if (d.volatile_keys() != d.size()) return false;
  }
  return true;
}

// An expired key that is drawn goes, so the loop ends. On a replica and during a pause it stands, and perhaps no other does: after so
// many draws it is answered.
void randomkey(Call& c) {
  const bool stand = c.engine().state.load(std::memory_order_relaxed) & (kStateReplica | kStatePaused);
  int tries = 100;
  while (Shard* s = random_shard(c)) {
    Entry* e = s->database(c.database()).random_entry([&c] { return c.random().next(); });
    if (c.peek(KeyRef(e->key())) || (stand && --tries <= 0 && all_volatile(c))) return c.reply.bulk(e->key());
  }
  c.reply.null();
}

// SYNC and ASYNC both are taken.
bool flush_mode_valid(Call& c) {
  if (c.argc() == 1 || (c.argc() == 2 && (Call::is_word(c.arg(1), "sync") || Call::is_word(c.arg(1), "async")))) return true;
  c.reply.syntax_error();
  return false;
}

void flush(Call& c, int database) {
  for (Shard* s : c.engine().shards) {
    Database& d = s->database(database);
    s->stats.dirty.add(static_cast<int64_t>(d.size()));
    s->database_emptied(database);
    d.clear();
  }
}

// What is being moved from or to this node is given up.
void tell_cluster(Call& c) {
  if (c.engine().cluster) c.engine().cluster->flushed();
}

void flushdb(Call& c) {
  if (!flush_mode_valid(c)) return;
  flush(c, c.database());
  tell_cluster(c);
  c.force_propagation();  // an empty database here may have keys elsewhere
  c.reply.ok();
}

void flushall(Call& c) {
  if (!flush_mode_valid(c)) return;
  for (int i = 0; i < c.here().databases(); i++) flush(c, i);
  tell_cluster(c);
  c.force_propagation();
  ReloadControl* persistence = c.engine().reload;
  if (!persistence || !persistence->flushed(c)) c.reply.ok();
}

void swapdb(Call& c) {
  if (c.options().cluster_enabled) return c.reply.error("ERR SWAPDB is not allowed in cluster mode");
  int64_t a, b;
  if (!c.to_int_range(c.arg(1), INT_MIN, INT_MAX, a, "ERR invalid first DB index")) return;
  if (!c.to_int_range(c.arg(2), INT_MIN, INT_MAX, b, "ERR invalid second DB index")) return;
  int64_t n = c.here().databases();
  if (a < 0 || a >= n || b < 0 || b >= n) return c.reply.error("ERR DB index is out of range");
  int first = static_cast<int>(a), second = static_cast<int>(b);
  if (first != second)
    for (Shard* s : c.engine().shards) {
      // Expired keys that are still there are no keys: they go, so that a watcher is told of what really changes.
      for (int watched_in : {first, second})
        s->watched.for_each_key(watched_in, [&](Bytes key) {
          for (int d : {first, second}) c.in_database(d).peek(KeyRef(key));
        });
      s->swap_databases(first, second);
    }
  c.here().stats.dirty.add();
  c.reply.ok();
}

constexpr const char* kFlushHistory[] = {"4.0.0|Added the `ASYNC` flushing mode modifier.",
                                         "6.2.0|Added the `SYNC` flushing mode modifier."};

constexpr CommandSpec kCommands[] = {
    {.name = "dbsize",
     .arity = 1,
     .flags = kReadOnly | kFast,
     .acl = kAclKeyspace,
     .route = Route::kAll,
     .run = dbsize,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers the number of keys in the database.",
     .tips = "request_policy:all_shards response_policy:agg_sum"},
    {.name = "flushall",
     .arity = -1,
     .flags = kWrite,
     .acl = kAclKeyspace | kAclDangerous,
     .route = Route::kAll,
     .run = flushall,
     .may_suspend = true,  // where there are save points
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys in all databases.",
     .summary = "Removes all keys of all databases.",
     .syntax = "[ASYNC|SYNC]",
     .tips = "request_policy:all_shards response_policy:all_succeeded",
     .history = kFlushHistory},
    {.name = "flushdb",
     .arity = -1,
     .flags = kWrite,
     .acl = kAclKeyspace | kAclDangerous,
     .route = Route::kAll,
     .run = flushdb,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys in the database.",
     .summary = "Removes all keys of the current database.",
     .syntax = "[ASYNC|SYNC]",
     .tips = "request_policy:all_shards response_policy:all_succeeded",
     .history = kFlushHistory},
    {.name = "keys",
     .arity = 2,
     .flags = kReadOnly,
     .acl = kAclKeyspace | kAclDangerous,
     .route = Route::kAll,
     .run = keys,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys in the database.",
     .summary = "Lists all keys that match a pattern.",
     .syntax = "pattern:pattern",
     .tips = "request_policy:all_shards nondeterministic_output_order"},
    {.name = "randomkey",
     .arity = 1,
     .flags = kReadOnly | kTouchesArbitraryKeys,
     .route = Route::kAll,
     .run = randomkey,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers a key of the database, chosen at random.",
     .tips = "request_policy:all_shards response_policy:special nondeterministic_output"},
    {.name = "swapdb",
     .arity = 3,
     .flags = kWrite | kFast,
     .acl = kAclKeyspace | kAclDangerous,
     .route = Route::kAll,
     .run = swapdb,
     .group = Group::kServer,
     .since = "4.0.0",
     .complexity = "O(S) where S is the number of shards, and what watching clients cost.",
     .summary = "Lets two databases change places.",
     .syntax = "index1:integer index2:integer"},
};

}  // namespace

std::span<const CommandSpec> database_commands() { return kCommands; }

}  // namespace ringwood
