#include "engine/exec/expiry.h"

#include "engine/exec/call.h"
#include "engine/exec/executor.h"

namespace ringwood {

bool run_expiry(Executor& here, int budget) {
  Shard& shard = here.shard();
  // A key lives through the whole of its last millisecond (Entry::expired), so those of earlier ones are due.
  return shard.expiry.advance(here.now_ms() - 1, budget, [&here, &shard](ExpiryNode* node) {
    Database& d = shard.physical(static_cast<int>(node->database));
    shard.stats.expire_lag_ms.set(shard.expiry.last_lag_ms());
    expire_key(here, nullptr, shard, d, KeyRef(Entry::from_node(node)->key()));
  });
}

}  // namespace ringwood
