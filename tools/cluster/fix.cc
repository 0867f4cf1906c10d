#include <algorithm>

#include "tools/cluster/actions.h"

namespace ringwood::cluster_tool {
namespace {

class Fixer {
 public:
  Fixer(Session& session, const ClusterView& view, const MoveOptions& options)
      : session_(session), view_(view), mover_(session, view, options) {}

  bool run() {
    bool good = true;
    for (const OpenSlot& o : open_slots(view_)) good &= close(o);
    const std::vector<int> owners = view_.owners();
    const std::vector<OpenSlot> open = open_slots(view_);
    for (size_t s = 0; s < kSlots; s++) {
      if (owners[s] >= 0 || std::any_of(open.begin(), open.end(), [s](const OpenSlot& o) { return o.slot == s; })) continue;
      good &= cover(static_cast<uint16_t>(s));
    }
    return good;
  }

 private:
  int64_t keys_in(const NodeView& n, uint16_t slot) {
    return session_.ask(n.at, {"CLUSTER", "COUNTKEYSINSLOT", std::to_string(slot)}).integer;
  }
  void stable(const NodeView& n, uint16_t slot) { session_.ask(n.at, {"CLUSTER", "SETSLOT", std::to_string(slot), "STABLE"}); }

  // The master with the most keys of the slot; among equals that with the fewest slots.
  const NodeView* best_for(uint16_t slot, int64_t* keys) {
    const NodeView* best = nullptr;
    for (const NodeView* m : view_.masters()) {
      const int64_t n = keys_in(*m, slot);
      if (!best || n > *keys || (n == *keys && m->self.slot_count() < best->self.slot_count())) best = m, *keys = n;
    }
    return best;
  }

  // Whatever the others have of the slot goes to its owner. A node that does not own it serves MIGRATE for it only while it is importing it.
  bool bring_home(uint16_t slot, const NodeView& owner) {
    bool good = true;
    for (const NodeView* m : view_.masters()) {
      if (m == &owner || keys_in(*m, slot) == 0) continue;
      session_.ask(m->at, {"CLUSTER", "SETSLOT", std::to_string(slot), "IMPORTING", owner.self.id});
      good &= mover_.move_keys(slot, m->at, owner.at);
      stable(*m, slot);
    }
    return good;
  }

  bool close(const OpenSlot& o) {
    const std::string name = "slot " + std::to_string(o.slot);
    std::vector<const NodeView*> owners;
    for (const NodeView* m : view_.masters())
      if (m->self.slots[o.slot]) owners.push_back(m);
    // A migration that was cut off, both ends of which know of it: it is carried on.
    if (owners.size() == 1 && o.migrating.size() == 1 && o.importing.size() == 1 && owners[0] == &view_.nodes[o.migrating[0]]) {
      const NodeView &from = *owners[0], &to = view_.nodes[o.importing[0]];
      say(name + ": goes on from " + from.at.text() + " to " + to.at.text());
      return mover_.move_keys(o.slot, from.at, to.at) && mover_.assign(o.slot, to, &from);
    }
    int64_t keys = 0;
    const NodeView* owner = owners.size() == 1 ? owners[0] : best_for(o.slot, &keys);
    if (!owner) return complain(name + ": there is no master"), false;
    say(name + ": is " + owner->at.text() + "'s; what others have of it goes there");
    if (owners.size() != 1) return settle(o.slot, *owner);
    const bool good = bring_home(o.slot, *owner);
    for (size_t i : o.migrating) stable(view_.nodes[i], o.slot);
    for (size_t i : o.importing) stable(view_.nodes[i], o.slot);
    return good;
  }

  // Nobody's, or several nodes': it becomes this one's, with an epoch that everybody yields to.
  bool settle(uint16_t slot, const NodeView& owner) {
    const std::string number = std::to_string(slot);
    for (const NodeView* m : view_.masters()) {
      stable(*m, slot);
      if (m != &owner && m->self.slots[slot]) session_.ask(m->at, {"CLUSTER", "DELSLOTS", number});
    }
    if (!owner.self.slots[slot]) {
      // It may think that the slot is somebody's who has gone.
      session_.ask(owner.at, {"CLUSTER", "DELSLOTS", number});
      const Value v = session_.ask(owner.at, {"CLUSTER", "ADDSLOTS", number});
      if (v.failed()) return complain("slot " + number + ": " + owner.at.text() + ": " + v.text), false;
    }
    session_.ask(owner.at, {"CLUSTER", "BUMPEPOCH"});
    for (const NodeView* m : view_.masters())
      if (m != &owner) session_.ask(m->at, {"CLUSTER", "SETSLOT", number, "NODE", owner.self.id});
    return bring_home(slot, owner);
  }

  bool cover(uint16_t slot) {
    int64_t keys = 0;
    const NodeView* owner = best_for(slot, &keys);
    if (!owner) return complain("there is no master"), false;
    covered_++;
    if (covered_ <= 5)
      say("slot " + std::to_string(slot) + ": becomes " + owner->at.text() + "'s, which has " + std::to_string(keys) + " keys of it");
    if (covered_ == 6) say("and so on");
    return settle(slot, *owner);
  }

  Session& session_;
  const ClusterView& view_;
  Mover mover_;
  size_t covered_ = 0;
};

}  // namespace

int fix(Session& session, const Endpoint& any, MoveOptions options) {
  ClusterView view;
  if (!look(session, any, view)) return 1;
  for (const NodeView& n : view.nodes)
    if (!n.reachable() && n.self.is_master()) {
      complain(n.at.text() + " cannot be asked (" + n.error + "): what it has cannot be known, so nothing is done");
      return 1;
    }
  const std::vector<int> owners = view.owners();
  const size_t open = open_slots(view).size(),
               odd = static_cast<size_t>(std::count_if(owners.begin(), owners.end(), [](int o) { return o < 0; }));
  if (!open && !odd) {
    say("There is nothing to mend.");
    return check(session, any, {});
  }
  say(std::to_string(open) + " slots half on their way, " + std::to_string(odd) + " slots without one owner.");
  if (!session.confirm("Mend them?")) return session.common().dry_run ? 0 : 1;
  options.replace = true;
  const bool good = Fixer(session, view, options).run();
  if (!session.wait_for_agreement(any, 1)) complain("the nodes do not agree yet");
  const int found = check(session, any, {});
  return good ? found : 1;
}

}  // namespace ringwood::cluster_tool
