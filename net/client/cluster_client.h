#pragma once
// A client of a cluster over sockets: net/client/router.h decides, this carries. It waits for what it is asked; many commands at once overlap on all nodes.
#include <memory>
#include <string>
#include <vector>

#include "net/client/link.h"
#include "net/client/router.h"

namespace ringwood::client {

class ClusterClient {
 public:
  struct Settings {
    Credentials who;
    int64_t timeout_ms = 5000;  // to connect, and without any answer
  };
  explicit ClusterClient(Settings settings) : settings_(std::move(settings)) {}
  ClusterClient(const ClusterClient&) = delete;

  // Learns commands and slots from the first of the nodes that answers; false, with the reason of the last, when none does.
  bool open(const std::vector<Endpoint>& seeds, std::string& error);

  Value call(const Router::Words& words, Target target = {}) { return call_detailed(words, target).value; }
  Router::Done call_detailed(const Router::Words& words, Target target = {});
  // All of them at once; the replies in the order of the commands.
  std::vector<Value> call_all(const std::vector<Router::Words>& commands);

  const SlotMap& map() const { return router_.map(); }
  Router& router() { return router_; }
  // Asks for the map anew; false when no node gives one.
  bool refresh();

 private:
  bool learn(int node, std::string& error);
  void turn();
  void flush();
  void gather();
  void lose(int node, const std::string& why, bool unsent);
  Link& link(int node);

  Settings settings_;
  Router router_;
  std::vector<std::unique_ptr<Link>> links_;  // by node
  Link control_;                              // for the map: what is asked there stands behind nothing else
  int control_node_ = SlotMap::kNobody;
  int64_t progress_ms_ = 0;  // monotonic
  int64_t refreshed_ms_ = 0;
};

}  // namespace ringwood::client
