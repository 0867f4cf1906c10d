#include "tools/cluster/plan.h"

#include <algorithm>
#include <map>

namespace ringwood::cluster_tool {

std::vector<Move> plan_reshard(const std::vector<int>& owner, const std::vector<size_t>& sources, size_t to, size_t count) {
  std::vector<std::vector<uint16_t>> has(sources.size());
  size_t all = 0;
  for (size_t s = 0; s < owner.size(); s++)
    for (size_t i = 0; i < sources.size(); i++)
      if (sources[i] != to && owner[s] == static_cast<int>(sources[i])) has[i].push_back(static_cast<uint16_t>(s)), all++;
  count = std::min(count, all);
  // Whole shares first, what rounding leaves over from those that have most.
  std::vector<size_t> give(sources.size());
  size_t given = 0;
  for (size_t i = 0; i < sources.size(); i++) given += give[i] = all ? count * has[i].size() / all : 0;
  while (given < count) {
    size_t most = sources.size();
    for (size_t i = 0; i < sources.size(); i++)
      if (give[i] < has[i].size() && (most == sources.size() || has[i].size() - give[i] > has[most].size() - give[most])) most = i;
    give[most]++;
    given++;
  }
  std::vector<Move> out;
  for (size_t i = 0; i < sources.size(); i++)
    for (size_t j = 0; j < give[i]; j++) out.push_back({has[i][j], sources[i], to});
  return out;
}

std::vector<Move> plan_rebalance(const std::vector<int>& owner, const std::vector<double>& load, const std::vector<Share>& shares,
                                 double threshold) {
  struct Node {
    size_t number;
    double weight;
    double target = 0, present = 0;
    std::vector<uint16_t> slots;
    double surplus() const { return present - target; }
  };
  std::vector<Node> nodes;
  double weights = 0, total = 0;
  for (const Share& s : shares) {
    nodes.push_back({s.node, s.weight, 0, 0, {}});
    weights += s.weight;
  }
  for (size_t s = 0; s < owner.size(); s++)
    for (Node& n : nodes)
      if (owner[s] == static_cast<int>(n.number)) n.present += load[s], n.slots.push_back(static_cast<uint16_t>(s)), total += load[s];
  if (weights <= 0) return {};
  for (Node& n : nodes) n.target = total * n.weight / weights;
  // A node that is to have nothing gives everything, its empty slots too.
  auto within = [&](const Node& n) { return n.weight <= 0 ? n.slots.empty() : std::abs(n.surplus()) <= n.target * threshold; };
  if (std::all_of(nodes.begin(), nodes.end(), within)) return {};

  std::vector<Move> out;
  for (Node& from : nodes) {
    // The heaviest first: what is left is then evened out with light ones. Among equals those with the highest numbers.
    std::stable_sort(from.slots.begin(), from.slots.end(),
                     [&](uint16_t a, uint16_t b) { return load[a] != load[b] ? load[a] > load[b] : a > b; });
    for (uint16_t slot : from.slots) {
      const double weight = load[slot];
      Node* to = nullptr;
      for (Node& n : nodes)
        if (&n != &from && n.weight > 0 && (!to || n.surplus() < to->surplus())) to = &n;
      if (!to) break;
      // It must do good: afterwards the two are closer to their shares than before.
      const double room = std::min(from.surplus(), -to->surplus());
      if (from.weight > 0 && (weight <= 0 || weight >= 2 * room)) continue;
      out.push_back({slot, from.number, to->number});
      from.present -= weight;
      to->present += weight;
    }
  }
  return out;
}

std::vector<int> divide_slots(size_t masters) {
  std::vector<int> out;
  for (size_t i = 0; i <= masters; i++) out.push_back(static_cast<int>(i * kSlots / masters));
  return out;
}

std::vector<Role> plan_roles(const std::vector<std::string>& hosts, size_t replicas) {
  const size_t masters = hosts.size() / (replicas + 1);
  // One node of each host after the other.
  std::map<std::string, std::vector<size_t>> by_host;
  std::vector<std::string> order;
  for (size_t i = 0; i < hosts.size(); i++) {
    if (!by_host.count(hosts[i])) order.push_back(hosts[i]);
    by_host[hosts[i]].push_back(i);
  }
  std::vector<size_t> turn;
  for (size_t round = 0; turn.size() < hosts.size(); round++)
    for (const std::string& h : order)
      if (round < by_host[h].size()) turn.push_back(by_host[h][round]);
  std::vector<Role> out;
  for (size_t i = 0; i < masters; i++) out.push_back({turn[i], -1});
  std::vector<size_t> left(turn.begin() + static_cast<ptrdiff_t>(masters), turn.end());
  if (!masters) return out;
  for (size_t i = 0; i < left.size(); i++) out.push_back({left[i], static_cast<int>(i % masters)});
  // Exchanged two by two as long as that takes groups apart that share a host: worst with the master, less so among replicas.
  auto crowding = [&](size_t i) {
    int sum = hosts[out[i].node] == hosts[out[static_cast<size_t>(out[i].master)].node] ? 3 : 0;
    for (size_t j = masters + static_cast<size_t>(out[i].master); j < out.size(); j += masters)  // its group
      sum += j != i && hosts[out[j].node] == hosts[out[i].node];
    return sum;
  };
  for (bool better = true; better;) {
    better = false;
    for (size_t i = masters; i < out.size(); i++)
      for (size_t j = masters; j < i && crowding(i); j++) {
        if (out[i].master == out[j].master) continue;
        const int now = crowding(i) + crowding(j);
        std::swap(out[i].node, out[j].node);
        if (crowding(i) + crowding(j) < now)
          better = true;
        else
          std::swap(out[i].node, out[j].node);
      }
  }
  return out;
}

}  // namespace ringwood::cluster_tool
