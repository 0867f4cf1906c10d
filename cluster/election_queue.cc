// Elections one behind the other, where several masters have died together. An epoch has one election: of replicas that ask in the same one all but
// one go without, or all, and whoever has voted for them does not vote for them again within two timeouts (so it is in Redis, which leaves it to
// chance). Here the dead masters stand in a queue, in the order of their names, which all nodes know: replicas of the first ask, and when it has been
// replaced, which the others hear at once, those of the next.
#include <algorithm>

#include "cluster/cluster_machine.h"

namespace ringwood::cluster {
namespace {

constexpr int64_t kTurnMs = 300;  // more than an election takes

// Somebody may be about to follow it.
bool awaits_heir(const ClusterNode& n) {
  return n.is_master() && n.failed() && n.slot_count &&
         std::any_of(n.replicas.begin(), n.replicas.end(), [](const ClusterNode* r) { return !r->failed() && !r->is(kNodeNoFailover); });
}

}  // namespace

// Another dead master's replica is to ask before us. Whoever has had his turn and has not been replaced is waited for no longer.
bool ClusterMachine::others_first() {
  while (true) {
    const ClusterNode* first = me().master;
    for (const ClusterNode* n : view_.nodes())
      if (n->id < first->id && election_.passed < n->id && awaits_heir(*n)) first = n;
    if (first == me().master) return false;
    if (!(election_.awaited == first->id)) {
      election_.awaited = first->id;
      election_.awaited_since_ms = now_ms_;
    }
    // Clocks may jump: never longer than from now on.
    election_.awaited_since_ms = std::min(election_.awaited_since_ms, now_ms_);
    const int64_t from = std::max(election_.awaited_since_ms, std::min(first->failed_ms, now_ms_) + kFailSpreadsMs + kSpreadMs);
    if (now_ms_ - from < kTurnMs) return true;
    election_.passed = first->id;
  }
}

// The sender has won the epoch in which we have asked too, so we cannot any more. Who voted for it has not voted for us, and is a majority: we may ask
// again at once.
void ClusterMachine::note_lost_epoch(const BusMessage& m) {
  if (!election_.asked || manual_.until_ms || m.config_epoch != election_.epoch) return;
  log(LogLevel::kNotice, "Another replica has won epoch %llu: asking for votes in a later one.",
      static_cast<unsigned long long>(m.config_epoch));
  election_.asked = false;
  election_.votes = 0;
  election_.at_ms = now_ms_;
  later(kElection);
}

}  // namespace ringwood::cluster
