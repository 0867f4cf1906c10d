#include <algorithm>

#include "tools/cluster/actions.h"

namespace ringwood::cluster_tool {
namespace {

// A node that is alone and has nothing.
bool is_fresh(Session& session, const Endpoint& at) {
  const ClusterView view = session.look(at);
  const NodeView& n = view.nodes[0];
  std::string why;
  if (!n.reachable())
    why = n.error;
  else if (n.members.size() > 1)
    why = "it knows other nodes already";
  else if (n.self.slot_count())
    why = "it has slots already";
  else if (n.keys)
    why = "it has keys";
  if (!why.empty()) complain(at.text() + ": " + why);
  return why.empty();
}

bool done(const Endpoint& at, const Value& v, const char* what) {
  if (v.failed()) complain(at.text() + " answers to " + what + ": " + v.text);
  return !v.failed();
}

}  // namespace

int create(Session& session, const CreateOptions& options) {
  std::vector<Endpoint> nodes;
  std::vector<std::string> hosts;
  for (const std::string& text : options.nodes) {
    Endpoint at;
    if (!client::parse_endpoint(text, "127.0.0.1", at)) return complain(text + " is no host:port"), 2;
    nodes.push_back(at);
    hosts.push_back(at.host);
  }
  const std::vector<Role> roles = plan_roles(hosts, options.replicas);
  const auto masters = static_cast<size_t>(std::count_if(roles.begin(), roles.end(), [](const Role& r) { return r.master < 0; }));
  if (masters < 3) return complain("a cluster needs three masters: these nodes make " + std::to_string(masters)), 2;
  for (const Endpoint& at : nodes)
    if (!is_fresh(session, at)) return 1;

  const std::vector<int> first = divide_slots(masters);
  for (size_t i = 0; i < masters; i++) {
    say("master  " + nodes[roles[i].node].text() + "  slots " + std::to_string(first[i]) + "-" + std::to_string(first[i + 1] - 1));
    for (const Role& r : roles)
      if (r.master == static_cast<int>(i))
        say("  replica " + nodes[r.node].text() +
            (hosts[r.node] == hosts[roles[i].node] && options.replicas ? "  (on its master's host)" : ""));
  }
  if (!session.confirm("Make this cluster?")) return session.common().dry_run ? 0 : 1;

  for (size_t i = 0; i < masters; i++) {
    const Endpoint& at = nodes[roles[i].node];
    Words slots{"CLUSTER", "ADDSLOTS"};  // one by one: servers before 7.0 have no ranges
    for (int s = first[i]; s < first[i + 1]; s++) slots.push_back(std::to_string(s));
    if (!done(at, session.ask(at, slots), "ADDSLOTS")) return 1;
    if (!done(at, session.ask(at, {"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)}), "SET-CONFIG-EPOCH")) return 1;
  }
  const Endpoint& head = nodes[roles[0].node];
  const ClusterView head_view = session.look(head);
  for (const Endpoint& at : nodes)
    if (!(at == head) && !done(at, session.meet(at, head_view.nodes[0]), "MEET")) return 1;
  if (!session.wait_for_agreement(head, nodes.size())) return complain("the nodes do not come together"), 1;
  for (const Role& r : roles) {
    if (r.master < 0) continue;
    const Endpoint& master = nodes[roles[static_cast<size_t>(r.master)].node];
    const Value id = session.ask(master, {"CLUSTER", "MYID"});
    if (!done(master, id, "MYID") || !done(nodes[r.node], session.ask(nodes[r.node], {"CLUSTER", "REPLICATE", id.text}), "REPLICATE"))
      return 1;
  }
  if (!session.wait_for_agreement(head, nodes.size())) return complain("the nodes do not agree"), 1;
  session.wait_until_ready(head);
  return check(session, head, {});
}

}  // namespace ringwood::cluster_tool
