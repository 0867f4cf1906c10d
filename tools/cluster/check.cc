#include <algorithm>

#include "tools/cluster/actions.h"
#include "tools/cluster/picture.h"

namespace ringwood::cluster_tool {

bool look(Session& session, const Endpoint& any, ClusterView& view) {
  view = session.look(any);
  if (view.nodes[0].reachable()) return true;
  complain(any.text() + ": " + view.nodes[0].error);
  return false;
}

int check(Session& session, const Endpoint& any, const CheckOptions& options) {
  ClusterView view;
  if (!look(session, any, view)) return 1;
  size_t keys = 0, masters = 0;
  for (const NodeView* m : view.masters()) {
    say("master  " + m->at.text() + "  " + short_id(m->self.id) + "  " + std::to_string(m->self.slot_count()) + " slots, " +
        std::to_string(m->keys) + " keys");
    for (const NodeView* r : view.replicas_of(m->self.id)) say("  replica " + r->at.text() + "  " + short_id(r->self.id));
    keys += static_cast<size_t>(m->keys);
    masters++;
  }
  say(std::to_string(masters) + " masters, " + std::to_string(keys) + " keys");
  if (options.map) std::printf("\n%s\n", slot_picture(view).c_str());
  bool good = true;
  for (const Finding& f : examine(view, options.lag)) {
    say((f.fault ? "FAULT: " : "note: ") + f.text);
    good &= !f.fault;
  }
  if (good) say("All 16384 slots are covered, all nodes agree.");
  return good ? 0 : 1;
}

int show_map(Session& session, const Endpoint& any) {
  ClusterView view;
  if (!look(session, any, view)) return 1;
  std::printf("%s", slot_picture(view).c_str());
  return 0;
}

}  // namespace ringwood::cluster_tool
