// MULTI, EXEC, DISCARD, WATCH, UNWATCH. Queueing stands before the commands (Executor::in_transaction); here is what opens and ends it.
#include "engine/commands/families.h"
#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "engine/exec/executor.h"
#include "engine/exec/gates.h"

namespace ringwood {
namespace {

Transaction& transaction_of(Client& c) {
  if (!c.transaction) c.transaction = std::make_unique<Transaction>();
  return *c.transaction;
}

void multi(Call& c) {
  Client& client = *c.client();
  if (client.in_multi) return c.reply.error("ERR MULTI calls can not be nested");
  transaction_of(client);
  client.in_multi = true;
  c.reply.ok();
}

void watch(Call& c) {
  Client& client = *c.client();
  if (client.in_multi) return c.reply.error("ERR WATCH inside MULTI is not allowed");
  Transaction& t = transaction_of(client);
  if (t.touched.load(std::memory_order_relaxed)) return c.reply.ok();  // EXEC will fail whatever else is watched
  for (size_t i = 1; i < c.argc(); i++) {
    KeyRef k = c.key(i);
    if (t.watching(client.database, k.key)) continue;
    c.peek(k);  // an expired key goes now, so that its going later is no change
    t.watches.push_back({client.database, k.slot, OwnedBytes(k.key)});
    c.shard(k).watched.add(client.database, k.key, &t.touched);
  }
  c.reply.ok();
}

void unwatch(Call& c) {
  if (Transaction* t = c.client()->transaction.get()) t->unwatch(c.engine());
  c.reply.ok();
}

void discard(Call& c) {
  Client& client = *c.client();
  if (!client.in_multi) return c.reply.error("ERR DISCARD without MULTI");
  client.transaction->unwatch(c.engine());
  client.leave_multi();
  c.reply.ok();
}

// A watched key whose time has come has changed, although nobody has removed it yet.
void expire_watched(Call& c, const Transaction& t) {
  for (const Transaction::Watch& w : t.watches) c.in_database(w.database).peek(KeyRef(w.key));
}

// An EXEC that is refused lets go of what is watched also where there was no MULTI.
bool runs_or_refuses(const Client& client) { return client.in_multi || (client.transaction && !client.transaction->refusal.empty()); }

void exec(Call& c) {
  Client& client = *c.client();
  if (!runs_or_refuses(client)) return c.reply.error("ERR EXEC without MULTI");
  Transaction& t = *client.transaction;
  expire_watched(c, t);
  bool touched = t.touched.load(std::memory_order_relaxed);
  t.unwatch(c.engine());
  if (!t.redirection.empty())
    c.reply.error(t.redirection);
  else if (!t.refusal.empty())
    c.reply.error(abort_text(t.refusal));
  else if (t.broken)
    c.reply.error("EXECABORT Transaction discarded because of previous errors.");
  else if (touched)
    c.reply.null_array();
  else
    c.executor().run_queue(c, t);
  client.leave_multi();
}

void shards_of_watches(const Client& client, const SlotMapping& mapping, ShardSet& out) {
  if (client.transaction) client.transaction->add_watched_shards(mapping, out);
}

void shards_of_exec(const Client& client, const SlotMapping& mapping, ShardSet& out) {
  if (!runs_or_refuses(client)) return;
  client.transaction->add_watched_shards(mapping, out);
  if (client.transaction->refusal.empty() && client.transaction->redirection.empty())
    client.transaction->add_queued_shards(client, mapping, out);
}

constexpr uint32_t kFlags = kNoScript | kLoading | kStale;
constexpr KeySpec kWatchKeys[] = {{.flags = kKeyRO, .index = 1, .last = -1}};

constexpr CommandSpec kCommands[] = {
    {.name = "discard",
     .arity = 1,
     .flags = kFlags | kFast | kAllowBusy,
     .route = Route::kByClient,
     .run = discard,
     .shards_of_client = shards_of_watches,
     .runs_in_multi = true,
     .group = Group::kTransactions,
     .since = "2.0.0",
     .complexity = "O(N) for N commands queued",
     .summary = "Throws the transaction away."},
    {.name = "exec",
     .arity = 1,
     .flags = kFlags | kSkipSlowlog,
     .route = Route::kByClient,
     .run = exec,
     .shards_of_client = shards_of_exec,
     .ends_multi = true,
     .may_suspend = true,
     .group = Group::kTransactions,
     .since = "1.2.0",
     .complexity = "That of the commands queued",
     .summary = "Runs all commands of the transaction, with nothing in between."},
    {.name = "multi",
     .arity = 1,
     .flags = kFlags | kFast | kAllowBusy,
     .route = Route::kHere,
     .run = multi,
     .runs_in_multi = true,
     .group = Group::kTransactions,
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Begins a transaction: commands are queued until EXEC."},
    {.name = "unwatch",
     .arity = 1,
     .flags = kFlags | kFast | kAllowBusy,
     .route = Route::kByClient,
     .run = unwatch,
     .shards_of_client = shards_of_watches,
     .group = Group::kTransactions,
     .since = "2.2.0",
     .complexity = "O(N) for N keys watched",
     .summary = "Forgets all keys that the connection watches."},
    {.name = "watch",
     .arity = -2,
     .flags = kFlags | kFast | kAllowBusy,
     .run = watch,
     .keys = kWatchKeys,
     .needs_client = true,
     .runs_in_multi = true,
     .group = Group::kTransactions,
     .since = "2.2.0",
     .complexity = "O(1) for each key",
     .summary = "Makes the next EXEC do nothing if one of the keys changes until then.",
     .syntax = "key:key..."},
};

}  // namespace

std::span<const CommandSpec> transaction_commands() { return kCommands; }

}  // namespace ringwood
