#pragma once
// What ringwood-cluster does, one function a word of its command line. Each answers the exit status.
#include <string>
#include <vector>

#include "tools/cluster/move.h"
#include "tools/cluster/session.h"

namespace ringwood::cluster_tool {

struct CreateOptions {
  std::vector<std::string> nodes;
  size_t replicas = 0;
};
int create(Session& session, const CreateOptions& options);

struct CheckOptions {
  int64_t lag = 1 << 20;  // bytes that a replica may be behind
  bool map = false;
};
// 0: all is well; 1: something is wrong.
int check(Session& session, const Endpoint& any, const CheckOptions& options);
int show_map(Session& session, const Endpoint& any);

int fix(Session& session, const Endpoint& any, MoveOptions options);

struct ReshardOptions {
  std::vector<std::string> from;  // ids or addresses; empty or "all": every other master
  std::string to;
  size_t slots = 0;
  MoveOptions move;
};
int reshard(Session& session, const Endpoint& any, const ReshardOptions& options);

struct RebalanceOptions {
  std::vector<std::string> weights;  // NODE=WEIGHT
  std::string by = "slots";          // slots, keys, bytes
  double threshold = 2;              // per cent
  bool empty_masters = false;        // masters without slots get some
  MoveOptions move;
};
int rebalance(Session& session, const Endpoint& any, const RebalanceOptions& options);

struct AddOptions {
  std::string node;
  bool replica = false;
  std::string master;  // of the replica; empty: the one with the fewest
};
int add_node(Session& session, const Endpoint& any, const AddOptions& options);
int del_node(Session& session, const Endpoint& any, const std::string& node);

struct CallOptions {
  bool all_nodes = false;  // else the masters
  std::vector<std::string> words;
};
int call(Session& session, const Endpoint& any, const CallOptions& options);

// The view, or nothing after saying why there is none.
bool look(Session& session, const Endpoint& any, ClusterView& view);

}  // namespace ringwood::cluster_tool
