#include "engine/exec/drop_slots.h"

#include <vector>

#include "engine/exec/call.h"
#include "engine/exec/executor.h"

namespace ringwood {

bool drop_slot(Executor& here, uint16_t slot, int database, size_t most) {
  Shard& s = here.engine().shard_of(slot);
  Database& d = s.database(database);
  std::vector<OwnedBytes> keys;
  for (uint64_t cursor = 0; keys.size() < most;) {
    cursor = d.scan_slot(slot, cursor, [&](Entry* e) { keys.emplace_back(e->key()); });
    if (!cursor) break;
  }
  for (const OwnedBytes& key : keys) {
    const KeyRef k(key);
    Entry* e = d.detach(k);
    if (!e) continue;  // the scan may show a key twice
    s.stats.dirty.add();
    s.key_modified(k, database);
    announce_event(here, nullptr, s, kNotifyGeneric, "del", key, database);
    here.effects().propagate_deletion(database, key, here.options().lazyfree_lazy_server_del);
    d.discard(e);
  }
  return d.slot_size(slot) == 0;
}

}  // namespace ringwood
