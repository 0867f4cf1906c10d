// What an operator orders by CLUSTER. Errors are Redis's texts; who calls has parsed the arguments and knows which slots hold keys.
#include "cluster/cluster_machine.h"

#include <arpa/inet.h>

namespace ringwood::cluster {
namespace {

constexpr int64_t kForgetSeconds = 60;
constexpr const char* kTargetNotMaster = "ERR Target node is not a master";

OwnedBytes unknown(const NodeId& id) { return "ERR Unknown node " + OwnedBytes(id.view()); }
OwnedBytes do_not_know(const NodeId& id) { return "ERR I don't know about node " + OwnedBytes(id.view()); }

// An IP address as everybody writes it, or nothing where that is none.
OwnedBytes normal_ip(Bytes text) {
  unsigned char binary[sizeof(in6_addr)];
  char out[INET6_ADDRSTRLEN];
  OwnedBytes z(text);
  for (int family : {AF_INET, AF_INET6})
    if (inet_pton(family, z.c_str(), binary) == 1) return inet_ntop(family, binary, out, sizeof out);
  return {};
}

}  // namespace

OwnedBytes ClusterMachine::meet(Bytes ip, int64_t port, int64_t cluster_port, int64_t now_ms) {
  at(now_ms);
  OwnedBytes normal = normal_ip(ip);
  if (normal.empty() || port <= 0 || port > 65535 || cluster_port <= 0 || cluster_port > 65535)
    return "ERR Invalid node address specified: " + OwnedBytes(ip) + ":" + std::to_string(port);
  for (const ClusterNode* n : view_.nodes())
    if (n->in_handshake() && n->address.ip == normal && n->address.cluster_port == cluster_port) return {};  // under way
  ClusterNode& n = add_stranger(kNodeHandshake | kNodeMeet);
  n.address = {normal, static_cast<uint16_t>(port), 0, static_cast<uint16_t>(cluster_port)};
  settle();
  return {};
}

OwnedBytes ClusterMachine::forget(const NodeId& id, int64_t now_ms) {
  at(now_ms);
  ClusterNode* n = view_.find(id);
  if (!n) return forgotten(id) ? OwnedBytes() : unknown(id);
  if (n == &me()) return "ERR I tried hard but I can't forget myself...";
  if (n == me().master) return "ERR Can't forget my master!";
  forget_for(id, kForgetSeconds);
  remove_node(*n);
  later(kHealth | kSave);
  settle();
  return {};
}

OwnedBytes ClusterMachine::add_slots(const SlotSet& slots, int64_t now_ms) {
  at(now_ms);
  OwnedBytes busy;
  slots.for_each([&](int s) {
    if (busy.empty() && view_.owner(s)) busy = "ERR Slot " + std::to_string(s) + " is already busy";
  });
  if (!busy.empty()) return busy;
  slots.for_each([&](int s) {
    view_.set_importing(s, nullptr);
    view_.set_owner(s, &me());
  });
  later(kHealth | kSave | kMap);
  settle();
  return {};
}

OwnedBytes ClusterMachine::delete_slots(const SlotSet& slots, int64_t now_ms) {
  at(now_ms);
  OwnedBytes free;
  slots.for_each([&](int s) {
    if (free.empty() && !view_.owner(s)) free = "ERR Slot " + std::to_string(s) + " is already unassigned";
  });
  if (!free.empty()) return free;
  slots.for_each([&](int s) {
    view_.set_importing(s, nullptr);
    view_.set_owner(s, nullptr);
  });
  later(kHealth | kSave | kMap);
  settle();
  return {};
}

OwnedBytes ClusterMachine::flush_slots(bool empty, int64_t now_ms) {
  at(now_ms);
  if (!empty) return "ERR DB must be empty to perform CLUSTER FLUSHSLOTS.";
  view_.release_slots(me());
  later(kHealth | kSave | kMap);
  settle();
  return {};
}

OwnedBytes ClusterMachine::set_slot_migrating(int slot, const NodeId& to, int64_t now_ms) {
  at(now_ms);
  if (me().is_replica()) return "ERR Please use SETSLOT only with masters.";
  if (view_.owner(slot) != &me()) return "ERR I'm not the owner of hash slot " + std::to_string(slot);
  ClusterNode* n = view_.find(to);
  if (!n) return do_not_know(to);
  if (n->is_replica()) return kTargetNotMaster;
  view_.set_migrating(slot, n);
  later(kHealth | kSave | kMap);
  settle();
  return {};
}

OwnedBytes ClusterMachine::set_slot_importing(int slot, const NodeId& from, int64_t now_ms) {
  at(now_ms);
  if (me().is_replica()) return "ERR Please use SETSLOT only with masters.";
  if (view_.owner(slot) == &me()) return "ERR I'm already the owner of hash slot " + std::to_string(slot);
  ClusterNode* n = view_.find(from);
  if (!n) return do_not_know(from);
  if (n->is_replica()) return kTargetNotMaster;
  view_.set_importing(slot, n);
  later(kHealth | kSave | kMap);
  settle();
  return {};
}

OwnedBytes ClusterMachine::set_slot_stable(int slot, int64_t now_ms) {
  at(now_ms);
  if (me().is_replica()) return "ERR Please use SETSLOT only with masters.";
  view_.set_importing(slot, nullptr);
  view_.set_migrating(slot, nullptr);
  later(kHealth | kSave | kMap);
  settle();
  return {};
}

OwnedBytes ClusterMachine::set_slot_node(int slot, const NodeId& owner, bool has_keys, int64_t now_ms) {
  at(now_ms);
  if (me().is_replica()) return "ERR Please use SETSLOT only with masters.";
  ClusterNode* n = view_.find(owner);
  if (!n) return unknown(owner);
  if (n->is_replica()) return kTargetNotMaster;
  const bool was_mine = view_.owner(slot) == &me();
  if (was_mine && n != &me() && has_keys)
    return "ERR Can't assign hashslot " + std::to_string(slot) + " to a different node while I still hold keys for this hash slot.";
  if (!has_keys) view_.set_migrating(slot, nullptr);
  view_.set_owner(slot, n);
  later(kHealth | kSave | kMap);
  if (was_mine && n != &me() && !me().slot_count && config_.allow_replica_migration) {
    log(LogLevel::kNotice, "Configuration change detected. Reconfiguring myself as a replica of %.40s (%s)", n->id.text.data(),
        n->human_name.c_str());
    follow(*n);
  } else if (n == &me() && view_.importing_from(slot)) {
    // The slot was moved by hand: a new epoch lets the others believe it.
    if (bump_without_consensus()) log(LogLevel::kNotice, "configEpoch updated after importing slot %d", slot);
    view_.set_importing(slot, nullptr);
    broadcast_pong(false);
  }
  settle();
  return {};
}

OwnedBytes ClusterMachine::replicate(const NodeId& master, bool empty, int64_t now_ms) {
  at(now_ms);
  ClusterNode* n = view_.find(master);
  if (!n) return unknown(master);
  if (n == &me()) return "ERR Can't replicate myself";
  if (n->is_replica()) return "ERR I can only replicate a master, not a replica.";
  if (me().is_master() && (me().slot_count || !empty)) return "ERR To set a master the node must be empty and without assigned slots.";
  follow(*n);
  settle();
  return {};
}

OwnedBytes ClusterMachine::reset(bool hard, bool empty, int64_t now_ms) {
  at(now_ms);
  if (me().is_master() && !empty) return "ERR CLUSTER RESET can't be called with master nodes containing keys";
  if (me().is_replica()) {
    view_.make_master(me());
    put({.kind = Output::Kind::kStopFollowing});
    put({.kind = Output::Kind::kDropData});
  }
  view_.close_slots();
  end_manual();
  for (int slot = 0; slot < kSlots; slot++) view_.set_owner(slot, nullptr);
  std::vector<ClusterNode*> others = view_.nodes();
  std::erase(others, &me());
  for (ClusterNode* n : others) remove_node(*n);
  forgetting_.clear();
  if (hard) {
    view_.current_epoch = view_.last_vote_epoch = me().config_epoch = 0;
    log(LogLevel::kNotice, "configEpoch set to 0 via CLUSTER RESET HARD");
    view_.rename(me(), NodeId::random(random_));
    me().shard = NodeId::random(random_);
    log(LogLevel::kNotice, "Node hard reset, now I'm %.40s", me().id.text.data());
  }
  later(kHealth | kSave | kSync | kMap);
  settle();
  return {};
}

OwnedBytes ClusterMachine::set_config_epoch(int64_t epoch, int64_t now_ms) {
  at(now_ms);
  if (epoch < 0) return "ERR Invalid config epoch specified: " + std::to_string(epoch);
  if (view_.nodes().size() > 1) return "ERR The user can assign a config epoch only when the node does not know any other node.";
  if (me().config_epoch) return "ERR Node config epoch is already non-zero";
  me().config_epoch = static_cast<uint64_t>(epoch);
  note_epoch(me().config_epoch);
  log(LogLevel::kNotice, "configEpoch set to %llu via CLUSTER SET-CONFIG-EPOCH", static_cast<unsigned long long>(me().config_epoch));
  later(kHealth | kSave);
  settle();
  return {};
}

OwnedBytes ClusterMachine::bump_epoch(int64_t now_ms) {
  at(now_ms);
  OwnedBytes text = bump_without_consensus() ? "BUMPED " : "STILL ";
  settle();
  return text + std::to_string(me().config_epoch);
}

}  // namespace ringwood::cluster
