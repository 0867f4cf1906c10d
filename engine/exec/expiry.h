#pragma once
// Expiry of one shard: the active side, which removes keys and fields of hashes that are due, in the order of their time.
#include "engine/exec/shard.h"

namespace ringwood {

class Executor;

// One piece of work on the shard of `here`, of at most `budget` steps, a key removed or moved nearer to its time being one, or some fields of one hash.
// True when there is more to do at once.
bool run_expiry(Executor& here, int budget);

}  // namespace ringwood
