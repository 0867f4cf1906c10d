#include "net/cluster_map.h"

namespace ringwood {

std::unique_ptr<SlotMap> make_slot_map(const cluster::ClusterMachine& machine, const std::vector<cluster::SlotMove>& claims) {
  const cluster::ClusterView& view = machine.view();
  auto map = std::make_unique<SlotMap>();
  auto place = [](const cluster::ClusterNode* n) { return n ? static_cast<SlotMap::Place>(n->place) : SlotMap::kNobody; };
  map->ok = machine.ok();
  map->self = place(&view.myself());
  if (view.myself().is_replica()) map->master = place(view.myself().master);
  map->nodes.reserve(view.nodes().size());
  for (const cluster::ClusterNode* n : view.nodes()) map->nodes.push_back({n->address.ip, n->hostname, n->address.port});
  for (int s = 0; s < kSlots; s++) {
    map->owners[static_cast<size_t>(s)] = view.withheld.test(s) ? SlotMap::kNobody : place(view.owner(s));
    if (!view.any_open()) continue;
    const cluster::ClusterNode *to = view.migrating_to(s), *from = view.importing_from(s);
    if (to || from) map->open[static_cast<uint16_t>(s)] = {place(to), place(from)};
  }
  for (const cluster::SlotMove& c : claims) {
    const cluster::ClusterNode* source = view.find(c.source);
    c.slots.for_each([&](int s) {
      if (view.owner(s) == &view.myself()) map->owners[static_cast<size_t>(s)] = place(source);
    });
  }
  return map;
}

}  // namespace ringwood
