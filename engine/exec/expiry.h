#pragma once
// The active side of expiry: removes the keys of one shard that are due, in the order of their time.
#include "engine/exec/shard.h"

namespace ringwood {

class Executor;

// Of the shard of `here`. One piece of work of at most `budget` steps, a key removed or moved nearer to its time being one. True when there is more to do at once.
bool run_expiry(Executor& here, int budget);

}  // namespace ringwood
