// Does the cluster serve: is every slot covered, and are we among the majority.
#include <algorithm>

#include "cluster/cluster_machine.h"

namespace ringwood::cluster {
namespace {
// A master that comes back waits before it serves again: others may have replaced it, and must have time to say so.
constexpr int64_t kRebootDelayMs = 2000, kRejoinMinMs = 500, kRejoinMaxMs = 5000;
}  // namespace

bool ClusterMachine::reaches_majority() const {
  size_t reachable;
  const size_t all = view_.size(&reachable);
  return reachable >= all / 2 + 1;
}

int64_t ClusterMachine::rejoin_delay() const { return std::clamp(config_.node_timeout_ms, kRejoinMinMs, kRejoinMaxMs); }

void ClusterMachine::judge_health() {
  if (!first_judged_ms_) first_judged_ms_ = now_ms_;
  if (me().is_master() && !ok_ && now_ms_ - first_judged_ms_ < kRebootDelayMs) return;
  bool ok = true;
  if (config_.require_full_coverage) {
    int covered = 0;
    for (const ClusterNode* n : view_.nodes()) covered += n->failed() ? 0 : n->slot_count;
    ok = covered == kSlots;
  }
  if (!reaches_majority()) {
    ok = false;
    minority_ms_ = now_ms_;
  }
  if (ok == ok_) return;
  if (ok && me().is_master() && now_ms_ - minority_ms_ < rejoin_delay()) return;
  log(ok ? LogLevel::kNotice : LogLevel::kWarning, "Cluster state changed: %s", ok ? "ok" : "fail");
  ok_ = ok;
  later(kMap);
}

// For as long as it takes to be told of newer claims than one's own. Whoever raises its epoch before that may claim anew what others have served since.
bool ClusterMachine::in_touch(int64_t now_ms) const {
  return reaches_majority() && first_judged_ms_ && now_ms - first_judged_ms_ >= kRebootDelayMs && now_ms - minority_ms_ >= rejoin_delay();
}

}  // namespace ringwood::cluster
