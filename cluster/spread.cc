// Replicas spread: one of a master with several moves to a master that has lost all of its own.
#include "cluster/cluster_machine.h"

namespace ringwood::cluster {
namespace {
constexpr int64_t kDelayMs = 5000;  // in which a new master's replicas may still find it
}

void ClusterMachine::consider_spreading(const Orphans& o) {
  if (!me().is_replica() || !me().master || !config_.allow_replica_migration || !ok_) return;
  if (!o.masters || o.most_replicas < 2 || o.ours != o.most_replicas) return;
  size_t working = 0;
  for (const ClusterNode* r : me().master->replicas) working += !r->failed() && !r->timed_out();
  if (working <= config_.migration_barrier) return;
  // Of all replicas of masters with the most, the one with the smallest name goes: all agree on it without a word.
  ClusterNode* target = nullptr;
  const ClusterNode* candidate = &me();
  for (ClusterNode* n : view_.nodes()) {
    size_t replicas = n->is_master() ? n->working_replicas() : 0;
    bool orphan = n->is_master() && !n->failed() && n->is(kNodeMigrateTo) && !replicas;
    if (orphan) {
      if (!target && n->slot_count) target = n;
      if (!n->orphaned_ms) n->orphaned_ms = now_ms_;
    } else {
      n->orphaned_ms = 0;
    }
    if (n->is_master() && replicas == o.most_replicas)
      for (const ClusterNode* r : n->replicas)
        if (r->id < candidate->id) candidate = r;
  }
  if (!target || candidate != &me() || now_ms_ - target->orphaned_ms <= kDelayMs) return;
  log(LogLevel::kNotice, "Migrating to orphaned master %.40s", target->id.text.data());
  follow(*target);
}

}  // namespace ringwood::cluster
