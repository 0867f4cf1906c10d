#pragma once
// What nodes say of their cluster, as values: CLUSTER NODES of each of them, and what is wrong with it all. Nothing here does I/O.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/client/slot_map.h"

namespace ringwood::cluster_tool {

using client::Endpoint;

// One line of CLUSTER NODES.
struct Member {
  std::string id;
  Endpoint at;
  int bus_port = 0;
  std::vector<std::string> flags;
  std::string master;  // id; empty: it is none's replica
  int64_t epoch = 0;
  bool connected = false;  // its link, as the teller sees it
  std::vector<bool> slots = std::vector<bool>(kSlots);
  std::map<uint16_t, std::string> migrating, importing;  // slot -> the other node's id; the teller's own only
  size_t slot_count() const;
  bool has(const char* flag) const;
  bool is_master() const { return has("master"); }
  bool is_lost() const { return has("fail") || has("fail?") || has("noaddr"); }
};
// Nothing where the text is not CLUSTER NODES. `asked` stands for an address that the teller leaves out.
std::optional<std::vector<Member>> parse_nodes(Bytes text, const Endpoint& asked);

// A node as it describes itself, and the others.
struct NodeView {
  Endpoint at;
  std::string error;  // it could not be asked; all else is empty then
  Member self;
  std::vector<Member> members;  // all that it knows, itself included
  int64_t keys = 0;             // DBSIZE
  bool link_up = true;          // of a replica, to its master
  int64_t offset = 0;           // of replication
  bool reachable() const { return error.empty(); }
  // Whom it believes to have which slots, and who to be whose replica: the same for all nodes of a healthy cluster.
  std::string signature() const;
};

struct ClusterView {
  std::vector<NodeView> nodes;
  const NodeView* find(Bytes id_or_address) const;  // an id's beginning is enough where it is unambiguous
  std::vector<const NodeView*> masters() const;     // reachable ones, whether they have slots or not
  std::vector<const NodeView*> replicas_of(const std::string& id) const;
  // By the nodes' own words: who has the slot. Several: nobody knows. -1 in `owners`.
  std::vector<int> owners() const;  // index in `nodes` by slot, -1 nobody, -2 several
};

struct OpenSlot {
  uint16_t slot;
  std::vector<size_t> migrating, importing;  // indexes in ClusterView::nodes
};
std::vector<OpenSlot> open_slots(const ClusterView& view);

struct Finding {
  bool fault;  // false: worth knowing
  std::string text;
};
// Everything that `check` looks at: nodes that cannot be asked or are thought lost, views that differ, slots without an owner or with several, migrations that
// stand half-open, replicas without a link or more than `lag` bytes behind, masters without a replica (no fault).
std::vector<Finding> examine(const ClusterView& view, int64_t lag);

// "0-5460 5470": the set as ranges.
std::string ranges(const std::vector<bool>& slots);
std::string short_id(const std::string& id);

}  // namespace ringwood::cluster_tool
