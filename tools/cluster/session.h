#pragma once
// The tool's connections to the nodes of one cluster, and what is asked of all of them.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/client/link.h"
#include "tools/cluster/view.h"

namespace ringwood::cluster_tool {

using client::Value;
using Words = std::vector<std::string>;

struct Common {
  client::Credentials who;
  int64_t timeout_ms = 5000;
  bool yes = false;      // nobody is asked
  bool dry_run = false;  // only the plan is shown
  bool progress = true;
};

class Session {
 public:
  explicit Session(const Common& common) : common_(common) {}
  const Common& common() const { return common_; }

  // One command. An error "IOERR …" where the node cannot be asked.
  Value ask(const Endpoint& node, const Words& words);
  // Many, without waiting for each.
  std::vector<Value> ask_all(const Endpoint& node, const std::vector<Words>& commands);
  // The same commands to several nodes at once: the replies of each node, in the order of the nodes.
  std::vector<std::vector<Value>> ask_each(const std::vector<Endpoint>& nodes, const std::vector<Words>& commands);
  // What every node that `any` knows says of itself and the others. The view holds one node, with an error, where `any` cannot be asked.
  ClusterView look(const Endpoint& any);
  // Waits until all of these nodes agree, and know each other. False when they do not within a minute.
  bool wait_for_agreement(const Endpoint& any, size_t nodes);
  // The same until every node takes part, and replicas have synchronised for the first time; not longer than half a minute.
  void wait_until_ready(const Endpoint& any);
  // CLUSTER MEET: the node gets to know the other one.
  Value meet(const Endpoint& node, const NodeView& other);
  // Shows the plan's last line and asks; true where it may go on. Without a terminal and without --yes it may not.
  bool confirm(const std::string& question) const;

 private:
  client::Link* link(const Endpoint& node, std::string& error);
  NodeView look_at(const Endpoint& node);
  Common common_;
  std::map<std::string, std::unique_ptr<client::Link>> links_;
};

// One line to standard output; a fault to standard error.
void say(const std::string& line);
void complain(const std::string& line);

}  // namespace ringwood::cluster_tool
