#pragma once
// The active side of expiry: removes the keys of one shard that are due, in the order of their time.
#include "engine/exec/shard.h"

namespace ringwood {

class Executor;

// Of the shard of `here`. One piece of work of at most `budget` steps, a key removed or moved nearer to its time being one. True when there is more to do at once.
bool run_expiry(Executor& here, int budget);

// Unix time in ms at which run_expiry() should be called next, or -1 when no key of the shard will expire. May be too early, never too late.
int64_t next_expiry_ms(const Shard& shard);

}  // namespace ringwood
