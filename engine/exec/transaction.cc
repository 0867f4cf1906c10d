#include "engine/exec/transaction.h"

#include "engine/exec/command_table.h"
#include "engine/exec/engine.h"
#include "engine/exec/routing.h"

namespace ringwood {

void Transaction::push(const Command& command, std::span<const Bytes> args) {
  if (broken || touched.load(std::memory_order_relaxed)) return;  // it will not run: no memory for it
  queue.push_back({&command, OwnedArgs(args)});
  refused_in |= command.refused_in;
  bytes += sizeof(Queued) + queue.back().args.bytes();
}

bool Transaction::watching(int database, Bytes key) const {
  for (const Watch& w : watches)
    if (w.database == database && w.key == key) return true;
  return false;
}

void Transaction::add_watched_shards(const SlotMapping& mapping, ShardSet& out) const {
  for (const Watch& w : watches) out.set(static_cast<size_t>(mapping.shard(w.slot)));
}

void Transaction::add_queued_shards(const Client& client, const SlotMapping& mapping, ShardSet& out) const {
  for (const Queued& q : queue) {
    // What a transaction has written cannot be undone: a script in it is never started again with more shards.
    if (q.command->spec->runs_script && mapping.shards > 1) out |= all_shards(mapping.shards);
    add_shards(*q.command, q.args.view(), client, mapping, out);
  }
}

void Transaction::unwatch(Engine& engine) {
  for (const Watch& w : watches) engine.shard_of(w.slot).watched.remove(w.database, w.key, &touched);
  watches.clear();
  touched.store(false, std::memory_order_relaxed);
}

void Transaction::discard() {
  broken = false;
  refusal.clear();
  redirection.clear();
  queue.clear();
  refused_in = 0;
  bytes = 0;
}

OwnedBytes UnfinishedExec::whole() const {
  OwnedBytes all;
  size_t from = 0;
  for (const Part& p : parts) {
    all.append(text.view().substr(from, p.at - from)).append(p.reply);
    from = p.at;
  }
  return all.append(text.view().substr(from));
}

}  // namespace ringwood
