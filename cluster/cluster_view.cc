#include "cluster/cluster_view.h"

#include <algorithm>

namespace ringwood::cluster {

ClusterView::ClusterView(NodeId self, NodeId shard, int64_t now_ms) : owners_(kSlots, nullptr) {
  myself_ = &add(self, shard, kNodeMyself | kNodeMaster, now_ms);
}

ClusterNode* ClusterView::find(const NodeId& id) const {
  auto i = nodes_.find(id);
  return i == nodes_.end() ? nullptr : i->second.get();
}

ClusterNode& ClusterView::add(const NodeId& id, const NodeId& shard, uint16_t flags, int64_t now_ms) {
  auto n = std::make_unique<ClusterNode>();
  n->id = id;
  n->shard = shard;
  n->flags = flags;
  n->created_ms = now_ms;
  n->place = list_.size();
  list_.push_back(n.get());
  return *nodes_.emplace(id, std::move(n)).first->second;
}

void ClusterView::remove(ClusterNode& n) {
  release_slots(n);
  std::erase_if(migrating_, [&](auto& b) { return b.second == &n; });
  std::erase_if(importing_, [&](auto& b) { return b.second == &n; });
  for (ClusterNode* other : list_) std::erase_if(other->reports, [&](const ClusterNode::Report& r) { return r.from == &n; });
  set_master(n, nullptr);
  while (!n.replicas.empty()) set_master(*n.replicas.back(), nullptr);
  list_[n.place] = list_.back();
  list_[n.place]->place = n.place;
  list_.pop_back();
  nodes_.erase(NodeId(n.id));  // a copy: the key must not be a part of what goes
}

void ClusterView::rename(ClusterNode& n, const NodeId& id) {
  auto handle = nodes_.extract(n.id);
  handle.key() = n.id = id;
  nodes_.insert(std::move(handle));
}

void ClusterView::set_owner(int slot, ClusterNode* owner) {
  ClusterNode*& now = owners_[static_cast<size_t>(slot)];
  if (now == owner) return;
  if (now) {
    now->slots.reset(slot);
    now->slot_count--;
  }
  now = owner;
  unclaimed_by_owner.reset(slot);
  withheld.reset(slot);
  if (!owner) return;
  owner->slots.set(slot);
  // A master that gets its first slot among masters with replicas is one to which replicas may move.
  if (!owner->slot_count++ &&
      std::any_of(list_.begin(), list_.end(), [](const ClusterNode* m) { return m->is_master() && !m->replicas.empty(); }))
    owner->raise(kNodeMigrateTo);
}

void ClusterView::release_slots(ClusterNode& n) {
  SlotSet had = n.slots;
  had.for_each([&](int slot) { set_owner(slot, nullptr); });
}

void ClusterView::bequeath_slots(ClusterNode& n) {
  if (n.slot_count) bequests_.push_back(n.slots);
  release_slots(n);
}

// Whether none of the slots has an owner.
bool ClusterView::is_open(const SlotSet& bequest) const {
  bool open = true;
  bequest.for_each([&](int slot) { open &= !owner(slot); });
  return open;
}

size_t ClusterView::heirs_unknown() {
  std::erase_if(bequests_, [this](const SlotSet& b) { return !is_open(b); });
  return bequests_.size();
}

void ClusterView::set_master(ClusterNode& replica, ClusterNode* master) {
  if (replica.master == master) return;
  if (ClusterNode* old = replica.master) {
    std::erase(old->replicas, &replica);
    if (old->replicas.empty()) old->lower(kNodeMigrateTo);
  }
  replica.master = master;
  if (!master) return;
  master->replicas.push_back(&replica);
  master->raise(kNodeMigrateTo);
}

void ClusterView::make_master(ClusterNode& n) {
  if (n.is_master()) return;
  if (n.master) {
    set_master(n, nullptr);
    if (&n != myself_) n.raise(kNodeMigrateTo);
  }
  n.lower(kNodeReplica);
  n.raise(kNodeMaster);
}

uint64_t ClusterView::max_epoch() const {
  uint64_t max = current_epoch;
  for (const ClusterNode* n : list_) max = std::max(max, n->config_epoch);
  return max;
}

size_t ClusterView::size(size_t* reachable) const {
  size_t all = 0, up = 0;
  for (const ClusterNode* n : list_) {
    all += n->has_vote();
    up += n->has_vote() && n->reachable();
  }
  if (reachable) *reachable = up;
  return all;
}

OwnedBytes ClusterView::invariants() const {
  std::vector<int> counts(list_.size());
  for (int slot = 0; slot < kSlots; slot++) {
    ClusterNode* n = owner(slot);
    if (!n) continue;
    if (n->place >= list_.size() || list_[n->place] != n) return "a slot belongs to a node that is not known";
    if (!n->slots.test(slot)) return "a slot's owner does not have it among its slots";
    counts[n->place]++;
  }
  for (const ClusterNode* n : list_) {
    if (n->slot_count != counts[n->place] || n->slots.count() != n->slot_count) return "a node counts slots that it does not own";
    if (n->is_master() && n->is_replica()) return "a node is master and replica";
    if (n->is_master() && n->master) return "a master has a master";
    if (n->is_replica() && n->slot_count) return "a replica owns slots";
    if (n->failed() && n->timed_out()) return "a node has failed and may have failed";
    if (n->master && std::find(n->master->replicas.begin(), n->master->replicas.end(), n) == n->master->replicas.end())
      return "a master does not know its replica";
    if (n->master == n) return "a node is its own master";
    if (n->is_master() && n->config_epoch > current_epoch && !n->in_handshake()) return "a node's epoch is beyond the current one";
  }
  if (!myself_->is(kNodeMyself) || myself_->in_handshake()) return "this node does not know itself";
  for (const Bonds* bonds : {&migrating_, &importing_})
    for (auto& [slot, n] : *bonds)
      if (find(n->id) != n) return "a slot is under way to a node that is not known";
  return {};
}

}  // namespace ringwood::cluster
