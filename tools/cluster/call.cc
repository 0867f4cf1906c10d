// One command on many nodes.
#include <map>

#include "tools/cluster/actions.h"

namespace ringwood::cluster_tool {

int call(Session& session, const Endpoint& any, const CallOptions& options) {
  ClusterView view;
  if (!look(session, any, view)) return 1;
  std::vector<Endpoint> nodes;
  for (const NodeView& n : view.nodes)
    if (options.all_nodes || n.self.is_master()) nodes.push_back(n.at);
  const std::vector<std::vector<Value>> told = session.ask_each(nodes, {options.words});
  // Nodes that say the same stand together, in the order of the first of each.
  std::map<std::string, size_t> places;
  std::vector<std::pair<std::string, std::string>> groups;  // who, what
  bool good = true;
  for (size_t i = 0; i < nodes.size(); i++) {
    good &= !told[i][0].failed();
    const std::string what = client::show(told[i][0], "  "), who = nodes[i].text();
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
