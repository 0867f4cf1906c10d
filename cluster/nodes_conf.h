#pragma once
// nodes.conf, and the lines of CLUSTER NODES, which are nearly the same: Redis 7.2's format, read from Redis and readable by it.
//
//   <id> <ip>:<port>@<cluster port>,<hostname>,<name>=<value>... <flags> <master or -> <ping sent> <pong received> <epoch> <link> <slot or range>...
//   vars currentEpoch <n> lastVoteEpoch <n> unclaimed <slot or range>,...
//
// `unclaimed`, where there are any: others' slots that their owners have stopped to claim (ClusterView::unclaimed_by_owner). Redis passes over it.
#include <vector>

#include "cluster/cluster_view.h"

namespace ringwood::cluster {

// One node's line, without a line break. `for_file`: with the fields that clients are not shown.
OwnedBytes describe(const ClusterView& view, const ClusterNode& n, bool for_file);
// All nodes that have none of these flags, a line each.
OwnedBytes describe_all(const ClusterView& view, uint16_t without, bool for_file);
OwnedBytes write_nodes_conf(const ClusterView& view);
// "myself,master"
OwnedBytes flags_text(uint16_t flags);

// A file as it stands, before anything is made of it.
struct SavedNode {
  NodeId id, master;
  std::optional<NodeId> shard;
  Address address;
  OwnedBytes hostname, human_name;
  uint16_t flags = 0;
  bool ping_pending = false, answered = false;
  uint64_t epoch = 0;
  SlotSet slots;
  std::vector<std::pair<int, NodeId>> migrating, importing;
};
struct SavedCluster {
  uint64_t current_epoch = 0, last_vote_epoch = 0;
  SlotSet unclaimed_by_owner;
  std::vector<SavedNode> nodes;  // exactly one of them is flagged kNodeMyself
};

// Empty, or what is wrong with the text and in which line.
OwnedBytes read_nodes_conf(Bytes text, SavedCluster& out);

}  // namespace ringwood::cluster
