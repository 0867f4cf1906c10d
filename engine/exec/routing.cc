#include "engine/exec/routing.h"

#include <vector>

#include "engine/exec/command_table.h"
#include "engine/store/database.h"

namespace ringwood {
namespace {

void add_shards_of_keys(const Command& command, std::span<const Bytes> args, const SlotMapping& mapping, ShardSet& out) {
  auto add = [&](size_t i) { out.set(static_cast<size_t>(mapping.shard(key_slot(args[i])))); };
  if (command.single_key) {
    auto first = static_cast<size_t>(command.first_key);
    if (first < args.size()) add(first);
    return;
  }
  thread_local std::vector<int> indexes;  // kept for its memory
  indexes.clear();
  // Its specifications do not find them (PFMERGE with one key, as in Redis) or its handler will find them wrong, after a look at some of them.
  if (!CommandTable::keys_of(command, args, indexes)) {
    out |= all_shards(mapping.shards);
    return;
  }
  for (int i : indexes) add(static_cast<size_t>(i));
}

}  // namespace

void add_shards(const Command& command, std::span<const Bytes> args, const Client& client, const SlotMapping& mapping, ShardSet& out) {
  const CommandSpec& spec = *command.spec;
  switch (spec.reaches_all && spec.reaches_all(args) ? Route::kAll : spec.route) {
    case Route::kHere: return;
    case Route::kByKeys: return add_shards_of_keys(command, args, mapping, out);
    case Route::kByClient: return spec.shards_of_client(client, mapping, out);
    case Route::kByShard:
      if (int s = spec.shard_of(args, mapping.shards); s >= 0 && s < mapping.shards) out.set(static_cast<size_t>(s));
      return;
    case Route::kAll: out |= all_shards(mapping.shards);
  }
}

}  // namespace ringwood
