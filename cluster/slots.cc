// Who owns which slots. Each master claims its slots under an epoch of its own; the claim with the greater epoch wins, and whoever is seen to claim what
// a newer configuration gives to another is told so.
#include <algorithm>

#include "cluster/cluster_machine.h"

namespace ringwood::cluster {

// `owner` claims these slots under that epoch.
void ClusterMachine::take_claim(ClusterNode& owner, uint64_t epoch, const SlotSet& claimed) {
  if (&owner == &me()) return log(LogLevel::kNotice, "Discarding UPDATE message about myself.");
  // A question (ask_about) names an epoch that is not its own, and claims nothing: what its owner has stopped to claim waits for the one that has it by now.
  if (epoch < owner.config_epoch) return;
  ClusterNode* const mine = me().is_master() ? &me() : me().master;
  int all = 0, lost = 0;  // claimed; of these, taken from our own master
  SlotSet dropped;        // ours until now: whatever keys are in them belong elsewhere
  bool changed = false;
  claimed.for_each([&](int slot) {
    all++;
    ClusterNode* now = view_.owner(slot);
    if (now == &owner) return;
    // Importing: the slot changes hands by an operator's word alone.
    if (view_.importing_from(slot)) return;
    if (now && !view_.unclaimed_by_owner.test(slot) && now->config_epoch >= epoch) return;
    if (precedes_grant(slot, epoch)) return;
    if (now == &me()) dropped.set(slot);
    lost += now && now == mine;
    view_.set_owner(slot, &owner);
    changed = true;
  });
  note_unclaimed(owner, claimed);
  if (changed) later(kSave | kSync | kHealth | kMap);
  if (changed && me().master && me().master->failed()) later(kElection);  // it may be our turn
  if (lost && mine && !mine->slot_count && (config_.allow_replica_migration || all == lost)) {
    log(LogLevel::kNotice, "Configuration change detected. Reconfiguring myself as a replica of %.40s (%s)", owner.id.text.data(),
        owner.human_name.c_str());
    return follow(owner);
  }
  if (ClusterNode* master = me().master; master && master->master && master->master != &me()) {
    log(LogLevel::kNotice, "I'm a sub-replica! Reconfiguring myself as a replica of grandmaster %.40s (%s)", master->master->id.text.data(),
        master->master->human_name.c_str());
    return follow(*master->master);
  }
  if (!dropped.any()) return;
  Output o{.kind = Output::Kind::kDropSlots};
  o.slots = dropped;
  put(std::move(o));
}

// What it claims no longer, and is nobody else's yet, is kept, so that clients are sent to somebody who knows, but not spread.
void ClusterMachine::note_unclaimed(const ClusterNode& owner, const SlotSet& claimed) {
  owner.slots.for_each([&](int slot) {
    if (claimed.test(slot) != view_.unclaimed_by_owner.test(slot)) return;
    claimed.test(slot) ? view_.unclaimed_by_owner.reset(slot) : view_.unclaimed_by_owner.set(slot);
    later(kSave);
  });
}

// The sender claims slots for which we know a newer owner: one UPDATE about the first of them. The next ping brings the next. Slots that we do not claim
// ourselves, because we have granted them to another, we claim to a former owner, who would serve them.
void ClusterMachine::correct(Arrival& a) {
  ClusterNode& s = *a.sender;
  ClusterNode* newer = nullptr;
  SlotSet granted;
  a.message.slots.for_each([&](int slot) {
    if (precedes_grant(slot, a.message.config_epoch)) granted.set(slot);
    ClusterNode* owner = view_.owner(slot);
    if (newer || !owner || owner == &s || view_.unclaimed_by_owner.test(slot) || owner->config_epoch <= a.message.config_epoch) return;
    newer = owner;
  });
  if (granted.any() && s.link_up) {
    BusMessage m = greeting(BusType::kPong);
    m.slots.add(granted);
    send(s.link, m);
  }
  if (!newer || s.link == kNoLink) return;
  log(LogLevel::kVerbose, "Node %.40s has old slots configuration, sending an UPDATE message about %.40s", s.id.text.data(),
      newer->id.text.data());
  BusMessage m = header(BusType::kUpdate);
  m.about = newer->id;
  m.about_epoch = newer->config_epoch;
  newer->slots.for_each([&](int slot) {
    if (!view_.unclaimed_by_owner.test(slot)) m.about_slots.set(slot);
  });
  send(s.link, m);
}

void ClusterMachine::take_update(Arrival& a) {
  const BusMessage& m = a.message;
  ClusterNode* n = view_.find(m.about);
  if (!n || n->config_epoch >= m.about_epoch) return;
  if (n == &me()) return log(LogLevel::kNotice, "Discarding UPDATE message about myself.");
  if (n->is_replica()) view_.make_master(*n);
  n->config_epoch = m.about_epoch;
  note_epoch(m.about_epoch);
  later(kSave | kSync | kMap);
  take_claim(*n, m.about_epoch, m.about_slots);
}

// Two masters under one epoch: the one with the smaller name moves on, so that of any number of them one stays. A message that names no epoch (ask_about)
// does not make the sender's none.
void ClusterMachine::settle_collision(ClusterNode& sender) {
  if (sender.id <= me().id || sender.config_epoch != me().config_epoch) return;
  me().config_epoch = ++view_.current_epoch;
  log(LogLevel::kVerbose, "WARNING: configEpoch collision with node %.40s (%s). configEpoch set to %llu", sender.id.text.data(),
      sender.human_name.c_str(), static_cast<unsigned long long>(me().config_epoch));
  later(kSave | kSync);
}

// A new greatest epoch without asking anybody: for a slot that an operator has moved, and a failover by force. False when ours is the greatest already.
bool ClusterMachine::bump_without_consensus() {
  uint64_t max = view_.max_epoch();
  if (me().config_epoch && me().config_epoch == max) return false;
  note_epoch(max);
  me().config_epoch = ++view_.current_epoch;
  log(LogLevel::kNotice, "New configEpoch set to %llu", static_cast<unsigned long long>(me().config_epoch));
  later(kSave | kSync);
  return true;
}

// This node becomes a replica of that one. It owns no slot any more.
void ClusterMachine::follow(ClusterNode& master) {
  if (me().is_master()) {
    me().lower(kNodeMaster | kNodeMigrateTo);
    me().raise(kNodeReplica);
    view_.close_slots();
  }
  view_.set_master(me(), &master);
  join_shard(me(), master.shard);
  Output o{.kind = Output::Kind::kFollow};
  o.address = master.address;
  put(std::move(o));
  end_manual();
  later(kSave | kSync | kHealth | kMap);
}

}  // namespace ringwood::cluster
