#pragma once
// What one node knows of another (or of itself).
#include <vector>

#include "cluster/bus_message.h"

namespace ringwood::cluster {

// A connection, as the carrier numbers it; never used twice.
using LinkId = uint64_t;
constexpr LinkId kNoLink = 0;

struct Address {
  OwnedBytes ip;  // empty: not known
  uint16_t port = 0, second_port = 0, cluster_port = 0;
  bool operator==(const Address&) const = default;
};

struct ClusterNode {
  NodeId id, shard;
  int64_t created_ms = 0;
  uint16_t flags = 0;  // NodeFlag
  uint64_t config_epoch = 0;
  Address address;
  OwnedBytes hostname, human_name;
  SlotSet slots;
  int slot_count = 0;
  ClusterNode* master = nullptr;       // of a replica; may be null while its master is not known
  std::vector<ClusterNode*> replicas;  // of a master

  // --- liveness, unix ms; 0: never
  int64_t ping_sent_ms = 0;  // of the ping that has not been answered yet
  int64_t pong_ms = 0, data_ms = 0;
  int64_t failed_ms = 0;  // when it got its FAIL flag
  int64_t voted_ms = 0;   // when we voted for one of its replicas, which, and in what epoch
  NodeId voted_for;
  uint64_t voted_epoch = 0;
  int64_t orphaned_ms = 0;  // since when it has no working replica
  uint64_t offset = 0;      // of replication, as it last said
  struct Report {
    ClusterNode* from;
    int64_t at_ms;
  };
  std::vector<Report> reports;  // masters that think it has failed
  uint64_t told_in = 0;         // number of the last ping in which it was gossiped about

  // --- links
  LinkId link = kNoLink;  // ours to it
  bool link_up = false;   // connected
  int64_t link_since_ms = 0;
  LinkId inbound = kNoLink;  // its to us

  size_t place = 0;  // in ClusterView's list

  bool is(NodeFlag f) const { return flags & f; }
  bool is_master() const { return is(kNodeMaster); }
  bool is_replica() const { return is(kNodeReplica); }
  bool failed() const { return is(kNodeFail); }
  bool timed_out() const { return is(kNodePfail); }
  bool reachable() const { return !failed() && !timed_out(); }  // as far as we know
  bool has_vote() const { return is_master() && slot_count; }
  bool in_handshake() const { return is(kNodeHandshake); }
  bool has_address() const { return !is(kNodeNoAddress); }
  void raise(uint16_t f) { flags = static_cast<uint16_t>(flags | f); }
  void lower(uint16_t f) { flags = static_cast<uint16_t>(flags & ~f); }
  // The master of its shard, itself where it is one.
  ClusterNode* head() { return is_replica() && master ? master : this; }
  size_t working_replicas() const {
    size_t n = 0;
    for (const ClusterNode* r : replicas) n += !r->failed();
    return n;
  }
};

}  // namespace ringwood::cluster
