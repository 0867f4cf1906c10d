#pragma once
// Expiry of one shard: the active side, which removes keys and fields of hashes that are due, in the order of their time.
#include "engine/exec/shard.h"

namespace ringwood {

// One piece of work of at most `budget` steps, a key removed or moved nearer to its time being one, or some fields of one hash. True when there is more to do
// at once.
bool run_expiry(Shard& shard, int64_t now_ms, int budget);

// Unix time in ms at which run_expiry() should be called next, or -1 when nothing of the shard will expire. May be too early, never too late.
int64_t next_expiry_ms(const Shard& shard);

// `fields` fields of a hash have expired and are gone: counted and announced ("hexpired"). A hash that has nothing left is deleted ("del"), and then false is
// answered.
bool fields_expired(Shard& shard, Database& d, Entry* e, size_t fields);

}  // namespace ringwood
