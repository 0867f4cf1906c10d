#pragma once
// CLUSTER SLOT-STATS: how many keys the slots of this shard have and, with cluster-slot-stats-enabled, what they cost (Valkey 8's command).

namespace ringwood {

class Call;

// With every shard held.
void slot_stats(Call& c);

}  // namespace ringwood
