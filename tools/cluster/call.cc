// One command on many nodes.
#include <map>

#include "net/client/cluster_client.h"
#include "tools/cluster/actions.h"

namespace ringwood::cluster_tool {

int call(Session& session, const Endpoint& any, const CallOptions& options) {
  client::ClusterClient all({session.common().who, session.common().timeout_ms});
  std::string error;
  if (!all.open({any}, error)) return complain(any.text() + ": " + error), 1;
  const client::Target to{options.all_nodes ? client::Target::Kind::kAllNodes : client::Target::Kind::kMasters};
  const client::Router::Done done = all.call_detailed(options.words, to);
  if (done.nodes.empty()) return complain(done.value.text), 1;
  // Nodes that say the same stand together, in the order of the first of each.
  std::map<std::string, size_t> places;
  std::vector<std::pair<std::string, std::string>> groups;  // who, what
  bool good = true;
  for (const client::Router::ByNode& n : done.nodes) {
    good &= !n.value.failed();
    const std::string what = client::show(n.value, "  "), who = all.map().endpoint(n.node).text();
    auto [it, fresh] = places.try_emplace(what, groups.size());
    if (fresh)
      groups.push_back({who, what});
    else
      groups[it->second].first += ", " + who;
  }
  for (const auto& [who, what] : groups) std::printf("%s:\n%s", who.c_str(), what.c_str());
  return good ? 0 : 1;
}

}  // namespace ringwood::cluster_tool
