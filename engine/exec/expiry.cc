#include "engine/exec/expiry.h"

#include "engine/exec/call.h"

namespace ringwood {

bool run_expiry(Shard& shard, int64_t now_ms, int budget) {
  // A key lives through the whole of its last millisecond (Entry::expired), so those of earlier ones are due.
  return shard.expiry.advance(now_ms - 1, budget, [&shard](ExpiryNode* node) {
    Database& d = shard.physical(static_cast<int>(node->database));
    shard.stats.expire_lag_ms.set(shard.expiry.last_lag_ms());
    expire_key(shard, d, KeyRef(Entry::from_node(node)->key()));
  });
}

}  // namespace ringwood
