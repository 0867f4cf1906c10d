#pragma once
// One node's view of its cluster: the nodes it knows and who owns each slot. Plain data with the few operations that keep its parts in agreement; the decisions
// are made elsewhere, one a file (ClusterMachine).
#include <memory>
#include <unordered_map>

#include "cluster/cluster_node.h"

namespace ringwood::cluster {

class ClusterView {
 public:
  ClusterView(NodeId self, NodeId shard, int64_t now_ms);
  ClusterView(const ClusterView&) = delete;

  ClusterNode& myself() const { return *myself_; }
  ClusterNode* find(const NodeId& id) const;
  // In the order of their arrival, which changes when one goes.
  const std::vector<ClusterNode*>& nodes() const { return list_; }
  ClusterNode* owner(int slot) const { return owners_[static_cast<size_t>(slot)]; }

  // A node that is not there yet.
  ClusterNode& add(const NodeId& id, const NodeId& shard, uint16_t flags, int64_t now_ms);
  // Forgets it: its slots, its replicas' bond, what it reported and what is planned with it. Its links are the caller's. Not myself.
  void remove(ClusterNode& n);
  void rename(ClusterNode& n, const NodeId& id);

  // `owner` may be null: nobody.
  void set_owner(int slot, ClusterNode* owner);
  void release_slots(ClusterNode& n);
  void set_master(ClusterNode& replica, ClusterNode* master);
  void make_master(ClusterNode& n);

  // Slots under way, by CLUSTER SETSLOT: only of this node.
  ClusterNode* migrating_to(int slot) const { return find_bond(migrating_, slot); }
  ClusterNode* importing_from(int slot) const { return find_bond(importing_, slot); }
  void set_migrating(int slot, ClusterNode* to) { set_bond(migrating_, slot, to); }
  void set_importing(int slot, ClusterNode* from) { set_bond(importing_, slot, from); }
  void close_slots() { migrating_.clear(), importing_.clear(); }
  bool any_open() const { return !migrating_.empty() || !importing_.empty(); }

  // Owners that have stopped to claim a slot which nobody else has claimed yet: what we know of it is not to be spread.
  SlotSet unclaimed_by_owner;

  // Own slots that nobody is to serve before it is known whose they are (handover.cc).
  SlotSet withheld;

  uint64_t current_epoch = 0, last_vote_epoch = 0;
  // The greatest epoch in sight.
  uint64_t max_epoch() const;
  // Masters that serve at least one slot; `reachable` of them without a failure flag.
  size_t size(size_t* reachable = nullptr) const;
  // A master that has become a replica, and whose slots nobody has claimed yet, has an heir of whom we have not heard: that one votes.
  size_t majority() { return (size() + heirs_unknown()) / 2 + 1; }
  // Its slots have no owner from now on, until the heir claims them.
  void bequeath_slots(ClusterNode& n);

  // Empty, or what is wrong with this view. Run after every step by tests and the simulator.
  OwnedBytes invariants() const;

 private:
  size_t heirs_unknown();
  bool is_open(const SlotSet& bequest) const;
  using Bonds = std::unordered_map<int, ClusterNode*>;
  static ClusterNode* find_bond(const Bonds& b, int slot) {
    auto i = b.find(slot);
    return i == b.end() ? nullptr : i->second;
  }
  static void set_bond(Bonds& b, int slot, ClusterNode* n) {
    if (n)
      b[slot] = n;
    else
      b.erase(slot);
  }
  std::unordered_map<NodeId, std::unique_ptr<ClusterNode>, NodeIdHash> nodes_;
  std::vector<ClusterNode*> list_;
  std::vector<ClusterNode*> owners_;
  Bonds migrating_, importing_;
  std::vector<SlotSet> bequests_;  // what masters had that have become replicas
  ClusterNode* myself_;
};

}  // namespace ringwood::cluster
