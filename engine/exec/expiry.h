#pragma once
// Expiry of one shard: the active side, which removes keys and fields of hashes that are due, in the order of their time.
#include "engine/exec/shard.h"

namespace ringwood {

class Executor;
struct Engine;

// The database in which the entry of a node handed out by an index stands: the one that the node names, or, where that one was absorbed, the one in use. Null:
// in none that expires or evicts, since its slot is being imported.
Database* database_of(const Engine& engine, Shard& shard, int number, const Entry* e);

// One piece of work on the shard of `here`, of at most `budget` steps, a key removed or moved nearer to its time being one, or some fields of one hash.
// True when there is more to do at once.
bool run_expiry(Executor& here, int budget);

}  // namespace ringwood
