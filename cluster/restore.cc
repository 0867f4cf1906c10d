// A machine that goes on from what nodes.conf says.
#include <algorithm>

#include "cluster/cluster_machine.h"
#include "cluster/nodes_conf.h"

namespace ringwood::cluster {

void ClusterMachine::restore(const SavedCluster& saved, int64_t now_ms) {
  at(now_ms);
  // Named as somebody's master or the other end of a slot, without a line of its own: known by name alone.
  auto known = [&](const NodeId& id) -> ClusterNode& {
    if (ClusterNode* n = view_.find(id)) return *n;
    return view_.add(id, NodeId::random(random_), kNodeNoAddress, now_ms_);
  };
  for (const SavedNode& s : saved.nodes) {
    ClusterNode& n = known(s.id);
    const bool self = s.flags & kNodeMyself;
    n.flags = s.flags;
    if (!(n.flags & (kNodeMaster | kNodeReplica)) && self) n.raise(kNodeMaster);
    if (n.failed()) n.failed_ms = now_ms_, n.lower(kNodePfail);
    if (!self || n.address.ip.empty()) n.address.ip = s.address.ip;
    if (!self) {
      n.address = s.address;
      n.hostname = s.hostname;
      n.human_name = s.human_name;
    }
    n.config_epoch = s.epoch;
    if (s.shard) n.shard = *s.shard;
    if (s.ping_pending && !self) n.ping_sent_ms = now_ms_;
    if (s.answered && !self) n.pong_ms = now_ms_;
  }
  for (const SavedNode& s : saved.nodes) {
    ClusterNode& n = *view_.find(s.id);
    if (n.is_replica() && !s.master.empty() && s.master != s.id) {
      ClusterNode& master = known(s.master);
      view_.set_master(n, &master);
      if (!s.shard) n.shard = master.shard;
    }
    if (n.is_master()) s.slots.for_each([&](int slot) { view_.set_owner(slot, &n); });
    for (auto& [slot, to] : s.migrating) view_.set_migrating(slot, &known(to));
    for (auto& [slot, from] : s.importing) view_.set_importing(slot, &known(from));
  }
  // Forgotten, they would be defended, and even spread, under whatever epoch their former owner has come to since, against the one that has them.
  saved.unclaimed_by_owner.for_each([&](int slot) {
    if (view_.owner(slot) && view_.owner(slot) != &me()) view_.unclaimed_by_owner.set(slot);
  });
  view_.current_epoch = saved.current_epoch;
  view_.last_vote_epoch = saved.last_vote_epoch;
  view_.current_epoch = view_.max_epoch();
  if (me().is_replica() && me().master && me().master->has_address()) {
    Output o{.kind = Output::Kind::kFollow};
    o.address = me().master->address;
    put(std::move(o));
  }
  log(LogLevel::kNotice, "Node configuration loaded, I'm %.40s", me().id.text.data());
  later(kHealth | kMap);
  settle();
}

}  // namespace ringwood::cluster
