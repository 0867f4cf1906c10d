// Nodes come and go.
#include <algorithm>
#include <chrono>
#include <thread>

#include "tools/cluster/actions.h"

namespace ringwood::cluster_tool {
namespace {

bool done(const Endpoint& at, const Value& v, const char* what) {
  if (v.failed()) complain(at.text() + " answers to " + what + ": " + v.text);
  return !v.failed();
}

// Of the masters with slots that with the fewest replicas.
const NodeView* neediest(const ClusterView& view, const NodeView* except) {
  const NodeView* best = nullptr;
  for (const NodeView* m : view.masters())
    if (m != except && m->self.slot_count() && (!best || view.replicas_of(m->self.id).size() < view.replicas_of(best->self.id).size()))
      best = m;
  return best;
}

}  // namespace

int add_node(Session& session, const Endpoint& any, const AddOptions& options) {
  Endpoint at;
  if (!client::parse_endpoint(options.node, "127.0.0.1", at)) return complain(options.node + " is no host:port"), 2;
  ClusterView view;
  if (!look(session, any, view)) return 1;
  const ClusterView fresh = session.look(at);
  if (!fresh.nodes[0].reachable()) return complain(at.text() + ": " + fresh.nodes[0].error), 1;
  if (fresh.nodes[0].members.size() > 1 || fresh.nodes[0].keys || fresh.nodes[0].self.slot_count())
    return complain(at.text() + " knows other nodes, or has keys or slots: CLUSTER RESET makes it a new one"), 1;
  const NodeView* master = nullptr;
  if (options.replica) {
    master = options.master.empty() ? neediest(view, nullptr) : view.find(options.master);
    if (!master || !master->reachable() || !master->self.is_master())
      return complain(options.master.empty() ? "there is no master with slots" : options.master + " is none of the masters"), 2;
  }
  say(at.text() + " joins " + any.text() + (master ? " as a replica of " + master->at.text() : " as a master without slots"));
  if (!session.confirm("Add it?")) return session.common().dry_run ? 0 : 1;
  if (!done(at, session.meet(at, view.nodes[0]), "MEET")) return 1;
  const size_t members =
      static_cast<size_t>(std::count_if(view.nodes.begin(), view.nodes.end(), [](const NodeView& n) { return n.reachable(); })) + 1;
  if (!session.wait_for_agreement(any, members)) return complain("the nodes do not come together"), 1;
  if (master) {
    if (!done(at, session.ask(at, {"CLUSTER", "REPLICATE", master->self.id}), "REPLICATE")) return 1;
    if (!session.wait_for_agreement(any, members)) return complain("the nodes do not agree"), 1;
  }
  session.wait_until_ready(any);
  say("done");
  return 0;
}

int del_node(Session& session, const Endpoint& any, const std::string& name) {
  ClusterView view;
  if (!look(session, any, view)) return 1;
  const NodeView* going = view.find(name);
  if (!going) return complain(name + " is none of the nodes"), 2;
  if (going->reachable() && going->self.slot_count()) {
    complain(going->at.text() + " has " + std::to_string(going->self.slot_count()) + " slots still: 'rebalance --weight " +
             short_id(going->self.id) + "=0' moves them");
    return 1;
  }
  say(going->at.text() + " leaves the cluster");
  if (!session.confirm("Remove it?")) return session.common().dry_run ? 0 : 1;
  // Its replicas find another master; then all forget it at the same time, or they would tell each other of it again.
  for (const NodeView* r : view.replicas_of(going->self.id)) {
    const NodeView* master = neediest(view, going);
    if (!master) return complain("there is no master for " + r->at.text()), 1;
    say(r->at.text() + " becomes a replica of " + master->at.text());
    if (!done(r->at, session.ask(r->at, {"CLUSTER", "REPLICATE", master->self.id}), "REPLICATE")) return 1;
  }
  bool good = true;
  for (const NodeView& n : view.nodes) {
    if (&n == going || !n.reachable()) continue;
    Value v = session.ask(n.at, {"CLUSTER", "FORGET", going->self.id});
    // A replica forgets its master when it has understood that it has another.
    for (int i = 0; i < 50 && v.failed() && v.text.find("forget my master") != std::string::npos; i++) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      v = session.ask(n.at, {"CLUSTER", "FORGET", going->self.id});
    }
    good &= done(n.at, v, "FORGET");
  }
  if (going->reachable()) good &= done(going->at, session.ask(going->at, {"CLUSTER", "RESET", "SOFT"}), "RESET");
  return good ? 0 : 1;
}

}  // namespace ringwood::cluster_tool
