#pragma once
// What is to be done, computed before anything is: which slots go where, who becomes whose replica. Pure functions.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "net/client/slot_map.h"

namespace ringwood::cluster_tool {

struct Move {
  uint16_t slot;
  size_t from, to;  // indexes of nodes
  bool operator==(const Move&) const = default;
};

// `count` slots from the sources to one node, from each in proportion to what it has; `owner` by slot, -1 for nobody's.
std::vector<Move> plan_reshard(const std::vector<int>& owner, const std::vector<size_t>& sources, size_t to, size_t count);

// Evens out the load among the nodes by their weights (0: the node is to have nothing). `load` by slot, in whatever unit: 1 each, keys, bytes. Nodes that are
// not listed keep what they have. Nothing is moved where every node is within `threshold` (0.02: 2 %) of its share.
struct Share {
  size_t node;
  double weight;
};
std::vector<Move> plan_rebalance(const std::vector<int>& owner, const std::vector<double>& load, const std::vector<Share>& shares,
                                 double threshold);

// The first slot of each of n masters, and behind the last: even shares.
std::vector<int> divide_slots(size_t masters);

// Of n nodes on these hosts: which become masters, and which of the others their replicas, `replicas` each, what is left over going to the first ones. Hosts
// take turns, and a replica is not on its master's host where that can be had.
struct Role {
  size_t node;
  int master = -1;  // index in the list of roles; -1: it is one
};
std::vector<Role> plan_roles(const std::vector<std::string>& hosts, size_t replicas);

}  // namespace ringwood::cluster_tool
