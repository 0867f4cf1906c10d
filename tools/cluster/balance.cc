// Slots change hands for the sake of order: reshard says how many, rebalance evens out.
#include <algorithm>
#include <cstdlib>
#include <tuple>

#include "tools/cluster/actions.h"

namespace ringwood::cluster_tool {
namespace {

// The index of a reachable master, or -1 after saying what is wrong with the name.
int master_named(const ClusterView& view, const std::string& name) {
  const NodeView* n = view.find(name);
  if (!n || !n->reachable() || !n->self.is_master()) return complain(name + " is none of the masters"), -1;
  return static_cast<int>(n - view.nodes.data());
}

bool in_order(const ClusterView& view) {
  if (open_slots(view).empty() && std::none_of(view.nodes.begin(), view.nodes.end(), [&](const NodeView& n) {
        return n.reachable() && n.signature() != view.nodes[0].signature();
      }))
    return true;
  complain("slots are half on their way, or the nodes do not agree: 'fix' comes first");
  return false;
}

int carry_out(Session& session, const Endpoint& any, const ClusterView& view, std::vector<Move> plan, const MoveOptions& options) {
  // Neighbours together, a source and a target after the other.
  std::sort(plan.begin(), plan.end(),
            [](const Move& a, const Move& b) { return std::tie(a.from, a.to, a.slot) < std::tie(b.from, b.to, b.slot); });
  std::printf("%s", plan_text(plan, view).c_str());
  if (!session.confirm("Move " + std::to_string(plan.size()) + " slots?")) return session.common().dry_run ? 0 : 1;
  Mover mover(session, view, options);
  if (!mover.run(plan)) return 1;
  say(std::to_string(plan.size()) + " slots with " + std::to_string(mover.keys_moved()) + " keys have been moved.");
  if (session.wait_for_agreement(any, 1)) return 0;
  complain("the nodes do not agree yet");
  return 1;
}

// Keys by slot, or bytes as a sample of each slot's keys lets expect.
bool loads(Session& session, const ClusterView& view, const std::vector<int>& owner, const std::string& by, std::vector<double>& out) {
  constexpr int kSample = 5;
  out.assign(kSlots, 1);
  if (by == "slots") return true;
  for (size_t i = 0; i < view.nodes.size(); i++) {
    std::vector<uint16_t> slots;
    for (size_t s = 0; s < kSlots; s++)
      if (owner[s] == static_cast<int>(i)) slots.push_back(static_cast<uint16_t>(s));
    std::vector<Words> counts, samples, sizes;
    for (uint16_t s : slots) counts.push_back({"CLUSTER", "COUNTKEYSINSLOT", std::to_string(s)});
    const std::vector<Value> keys = session.ask_all(view.nodes[i].at, counts);
    for (size_t j = 0; j < slots.size(); j++) {
      if (keys[j].failed()) return complain(view.nodes[i].at.text() + ": " + keys[j].text), false;
      out[slots[j]] = static_cast<double>(keys[j].integer);
    }
    if (by != "bytes") continue;
    for (uint16_t s : slots) samples.push_back({"CLUSTER", "GETKEYSINSLOT", std::to_string(s), std::to_string(kSample)});
    const std::vector<Value> some = session.ask_all(view.nodes[i].at, samples);
    std::vector<size_t> of;  // which slot each size is of
    for (size_t j = 0; j < slots.size(); j++)
      for (const Value& k : some[j].items) sizes.push_back({"MEMORY", "USAGE", k.text}), of.push_back(j);
    const std::vector<Value> bytes = session.ask_all(view.nodes[i].at, sizes);
    std::vector<double> sum(slots.size()), n(slots.size());
    for (size_t k = 0; k < bytes.size(); k++) sum[of[k]] += static_cast<double>(bytes[k].integer), n[of[k]] += 1;
    for (size_t j = 0; j < slots.size(); j++)
      if (n[j] > 0) out[slots[j]] *= sum[j] / n[j];
  }
  return true;
}

}  // namespace

int reshard(Session& session, const Endpoint& any, const ReshardOptions& options) {
  ClusterView view;
  if (!look(session, any, view) || !in_order(view)) return 1;
  const int to = master_named(view, options.to);
  if (to < 0) return 2;
  std::vector<size_t> sources;
  const bool all = options.from.empty() || (options.from.size() == 1 && options.from[0] == "all");
  for (const NodeView* m : view.masters())
    if (all && m != &view.nodes[static_cast<size_t>(to)]) sources.push_back(static_cast<size_t>(m - view.nodes.data()));
  for (const std::string& name : options.from) {
    if (all) break;
    const int from = master_named(view, name);
    if (from < 0) return 2;
    if (from == to) return complain(name + " cannot give to itself"), 2;
    sources.push_back(static_cast<size_t>(from));
  }
  const std::vector<Move> plan = plan_reshard(view.owners(), sources, static_cast<size_t>(to), options.slots);
  if (plan.size() < options.slots) return complain("they have " + std::to_string(plan.size()) + " slots only"), 1;
  return carry_out(session, any, view, plan, options.move);
}

int rebalance(Session& session, const Endpoint& any, const RebalanceOptions& options) {
  ClusterView view;
  if (!look(session, any, view) || !in_order(view)) return 1;
  std::vector<double> weights(view.nodes.size(), 0);
  for (const NodeView* m : view.masters())
    if (m->self.slot_count() || options.empty_masters) weights[static_cast<size_t>(m - view.nodes.data())] = 1;
  for (const std::string& text : options.weights) {
    const size_t equals = text.rfind('=');
    const int node = equals == std::string::npos ? -1 : master_named(view, text.substr(0, equals));
    char* end = nullptr;
    const double weight = equals == std::string::npos ? -1 : std::strtod(text.c_str() + equals + 1, &end);
    if (node < 0 || weight < 0 || !end || *end) return complain(text + " is no NODE=WEIGHT"), 2;
    weights[static_cast<size_t>(node)] = weight;
  }
  std::vector<Share> shares;
  for (const NodeView* m : view.masters())
    if (const auto i = static_cast<size_t>(m - view.nodes.data()); weights[i] > 0 || m->self.slot_count())
      shares.push_back({i, weights[i]});
  const std::vector<int> owner = view.owners();
  std::vector<double> load;
  if (!loads(session, view, owner, options.by, load)) return 1;
  const std::vector<Move> plan = plan_rebalance(owner, load, shares, options.threshold / 100);
  for (const Share& s : shares) {
    double before = 0, after = 0;
    for (size_t i = 0; i < kSlots; i++)
      if (owner[i] == static_cast<int>(s.node)) before += load[i];
    after = before;
    for (const Move& m : plan) after += m.to == s.node ? load[m.slot] : m.from == s.node ? -load[m.slot] : 0;
    char line[160];
    std::snprintf(line, sizeof line, "%-22s weight %-5g %14.0f -> %14.0f %s", view.nodes[s.node].at.text().c_str(), s.weight, before, after,
                  options.by.c_str());
    say(line);
  }
  if (plan.empty())
    return say("Every master is within " + std::to_string(options.threshold).substr(0, 4) + " % of its share: nothing to do."), 0;
  return carry_out(session, any, view, plan, options.move);
}

}  // namespace ringwood::cluster_tool
