#include "engine/exec/drop_slots.h"

#include <vector>

#include "engine/exec/call.h"
#include "engine/exec/executor.h"

namespace ringwood {

void drop_slot(Executor& here, uint16_t slot) {
  Shard& s = here.engine().shard_of(slot);
  Database& d = s.database(0);
  std::vector<OwnedBytes> keys;
  keys.reserve(d.slot_size(slot));
  for (uint64_t cursor = 0;;) {
    cursor = d.scan_slot(slot, cursor, [&](Entry* e) { keys.emplace_back(e->key()); });
    if (!cursor) break;
  }
  for (const OwnedBytes& key : keys) {
    Entry* e = d.detach(KeyRef(key));
    if (!e) continue;  // the scan may show a key twice
    s.stats.dirty.add();
    s.key_modified(key, 0);
    announce_event(here, nullptr, s, kNotifyGeneric, "del", key, 0);
    here.effects().propagate_deletion(0, key, here.options().lazyfree_lazy_server_del);
    d.discard(e);
  }
}

}  // namespace ringwood
