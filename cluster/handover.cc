// Slots that change hands as one, by an order of the two nodes to each other (slot_export.h, slot_import.h): the part that the view and the epochs play.
#include <algorithm>

#include "cluster/cluster_machine.h"

namespace ringwood::cluster {

// The epoch that the target is to claim the slots under: above all that is known here, and nobody here takes it. From now on this node does not claim the
// slots, so that the target's claim holds whatever epoch this node comes to have meanwhile: it may itself claim slots that another has granted to it.
uint64_t ClusterMachine::grant(const SlotSet& slots, int64_t now_ms) {
  at(now_ms);
  slots.for_each([&](int s) {
    if (view_.owner(s) == &me()) view_.unclaimed_by_owner.set(s);
  });
  note_epoch(view_.max_epoch());
  view_.current_epoch++;
  std::erase_if(grants_, [&](const Grant& g) { return !g.slots.shares_any(view_.unclaimed_by_owner) || !g.slots.shares_any(me().slots); });
  grants_.push_back({slots, view_.current_epoch});
  later(kSave);
  settle();
  return view_.current_epoch;
}

// A claim to a slot that this node has granted, and does not claim, by somebody whom it was not granted to: a former owner that has been away.
bool ClusterMachine::precedes_grant(int slot, uint64_t epoch) const {
  if (view_.owner(slot) != &me() || !view_.unclaimed_by_owner.test(slot) || epoch > me().config_epoch) return false;
  const auto last = std::find_if(grants_.rbegin(), grants_.rend(), [slot](const Grant& g) { return g.slots.test(slot); });
  return last != grants_.rend() && epoch < last->epoch;
}

void ClusterMachine::take_back(const SlotSet& slots, int64_t now_ms) {
  at(now_ms);
  slots.for_each([&](int s) {
    if (view_.owner(s) == &me()) view_.unclaimed_by_owner.reset(s);
  });
}

void ClusterMachine::claim_granted(const SlotSet& slots, uint64_t epoch, int64_t now_ms) {
  at(now_ms);
  note_epoch(epoch);
  me().config_epoch = epoch;
  slots.for_each([&](int s) {
    view_.set_importing(s, nullptr);
    view_.set_owner(s, &me());
  });
  log(LogLevel::kNotice, "%d slots have been taken over, under the new configEpoch %llu", slots.count(),
      static_cast<unsigned long long>(epoch));
  later(kHealth | kSave | kSync | kMap);
  broadcast_pong(false);
  settle();
}

void ClusterMachine::withhold(const SlotSet& slots, bool on, int64_t now_ms) {
  at(now_ms);
  slots.for_each([&](int s) { on ? view_.withheld.set(s) : view_.withheld.reset(s); });
  later(kMap);
  settle();
}

// Whoever knows a newer owner of slots that a node claims tells that node so (slots.cc; Redis does the same). To be told, and nothing else, this node claims
// them under no epoch.
void ClusterMachine::ask_about(const SlotSet& slots, int64_t now_ms) {
  at(now_ms);
  BusMessage m = greeting(BusType::kPong);
  m.config_epoch = 0;
  m.slots.add(slots);
  const OwnedBytes bytes = encode(m);
  for (const ClusterNode* n : view_.nodes())
    if (n != &me() && n->is_master() && n->link_up && !n->in_handshake()) send(n->link, m.type, bytes);
  settle();
}

// They are ours still; a claim under an epoch up to that one is void from now on.
void ClusterMachine::reclaim(uint64_t granted, int64_t now_ms) {
  at(now_ms);
  if (!me().is_master()) return;
  note_epoch(granted);
  note_epoch(view_.max_epoch());
  me().config_epoch = ++view_.current_epoch;
  log(LogLevel::kNotice, "New configEpoch set to %llu", static_cast<unsigned long long>(me().config_epoch));
  later(kSave | kSync);
  broadcast_pong(false);
  settle();
}

}  // namespace ringwood::cluster
