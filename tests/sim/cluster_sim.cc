#include "tests/sim/cluster_sim.h"

#include <algorithm>

#include "cluster/nodes_conf.h"
#include "engine/base/hash.h"

namespace ringwood::cluster {

ClusterConfig ClusterSim::config(size_t node) const {
  ClusterConfig c;
  c.node_timeout_ms = timeout_;
  c.replica_validity_factor = 0;  // how old data may be is not the question here
  c.announced = {ip(node), 6379, 0, 16379};
  c.ip_announced = true;
  return c;
}

size_t ClusterSim::node_at(const Address& a) const {
  auto i = by_ip_.find(a.ip);
  return i == by_ip_.end() ? SIZE_MAX : i->second;
}

void ClusterSim::push(int64_t delay, Event::Kind kind, size_t node, uint64_t connection, int end, std::shared_ptr<OwnedBytes> bytes) {
  events_.push({now_ + delay, order_++, kind, node, nodes_[node].life, connection, end, std::move(bytes)});
}

void ClusterSim::make(size_t node, const OwnedBytes& conf, int64_t over_ms) {
  Node& n = nodes_[node];
  n.life++;
  n.random = std::make_unique<Random>(random_.next());
  n.replication = {};
  n.following = SIZE_MAX;
  n.waiting.clear();
  n.held_back = false;
  NodeId id = n.id, shard = NodeId::random(random_);
  SavedCluster saved;
  if (!conf.empty())
    if (OwnedBytes wrong = read_nodes_conf(conf, saved); !wrong.empty()) fault_ = "a node cannot read its own nodes.conf: " + wrong;
  n.machine = std::make_unique<ClusterMachine>(config(node), id, shard, *n.random, clock(node));
  n.machine->set_replication(n.replication);
  if (!conf.empty()) n.machine->restore(saved, clock(node));
  // What it comes back with it has not won just now: an operator's move may have given two nodes one epoch, which they settle when they meet.
  n.was_master = n.machine->view().myself().is_master() && n.machine->view().myself().slot_count;
  push(static_cast<int64_t>(random_.below(static_cast<uint64_t>(over_ms))) + 1, Event::Kind::kTick, node);
  carry_out(node);
}

bool ClusterSim::create(size_t masters, size_t replicas_each) {
  nodes_.resize(masters * (1 + replicas_each));
  for (size_t i = 0; i < nodes_.size(); i++) {
    nodes_[i].id = NodeId::random(random_);
    by_ip_[ip(i)] = i;
    make(i, {});
    nodes_[i].machine->set_config_epoch(static_cast<int64_t>(i) + 1, clock(i));
    if (i >= masters) continue;
    SlotSet slots;
    for (size_t s = i * kSlots / masters; s < (i + 1) * kSlots / masters; s++) slots.set(static_cast<int>(s));
    nodes_[i].machine->add_slots(slots, clock(i));
  }
  for (size_t i = 1; i < nodes_.size(); i++) {
    nodes_[i].machine->meet(ip(0), 6379, 16379, clock(i));
    carry_out(i);
  }
  auto all_known = [&] {
    return std::all_of(nodes_.begin(), nodes_.end(), [&](const Node& n) {
      const auto& known = n.machine->view().nodes();
      return known.size() == nodes_.size() &&
             std::none_of(known.begin(), known.end(), [](const ClusterNode* k) { return k->in_handshake(); });
    });
  };
  for (int i = 0; i < 600 && !all_known(); i++) run(100);
  if (!all_known()) return false;
  for (size_t i = masters; i < nodes_.size(); i++) {
    if (!nodes_[i].machine->replicate(nodes_[i % masters].id, true, clock(i)).empty()) return false;
    carry_out(i);
  }
  // Everybody knows everybody's part, not only who owns what.
  auto roles_known = [&] {
    return std::all_of(nodes_.begin(), nodes_.end(), [&](const Node& n) {
      size_t bonds = 0;
      for (const ClusterNode* k : n.machine->view().nodes()) bonds += k->replicas.size();
      return bonds == nodes_.size() - masters;
    });
  };
  for (int i = 0; i < 600 && !roles_known(); i++) run(100);
  return roles_known() && converge(60000);
}

void ClusterSim::start_known(size_t masters, size_t replicas_each, int64_t over_ms) {
  nodes_.resize(masters * (1 + replicas_each));
  for (size_t i = 0; i < nodes_.size(); i++) {
    nodes_[i].id = NodeId::random(random_);
    by_ip_[ip(i)] = i;
  }
  std::vector<OwnedBytes> lines;
  for (size_t i = 0; i < nodes_.size(); i++) {
    auto name = [&](size_t node) { return OwnedBytes(nodes_[node].id.view()); };
    const bool master = i < masters;
    OwnedBytes line = name(i) + " " + ip(i) + ":6379@16379,,shard-id=" + name(i % masters) +
                      (master ? " master - " : " slave " + name(i % masters) + " ") + "0 0 " + std::to_string(i % masters + 1) +
                      " connected";
    if (master) line += " " + std::to_string(i * kSlots / masters) + "-" + std::to_string((i + 1) * kSlots / masters - 1);
    lines.push_back(line + "\n");
  }
  const OwnedBytes vars = "vars currentEpoch " + std::to_string(masters) + " lastVoteEpoch 0\n";
  for (size_t i = 0; i < nodes_.size(); i++) {
    OwnedBytes conf;
    for (size_t k = 0; k < lines.size(); k++) {
      OwnedBytes line = lines[k];
      if (k == i) line.insert(line.find(k < masters ? " master" : " slave") + 1, "myself,");
      conf += line;
    }
    make(i, conf + vars, over_ms);
  }
}

void ClusterSim::run(int64_t ms) {
  const int64_t end = now_ + ms;
  while (fault_.empty() && !events_.empty() && events_.top().at <= end) {
    Event e = events_.top();
    events_.pop();
    now_ = std::max(now_, e.at);
    if (nodes_[e.node].life == e.life && nodes_[e.node].machine) handle(e);
  }
  now_ = end;
}

bool ClusterSim::converge(int64_t ms) {
  for (int64_t waited = 0; waited < ms && fault_.empty(); waited += 100) {
    if (disagreement().empty()) return true;
    run(100);
  }
  return fault_.empty() && disagreement().empty();
}

void ClusterSim::handle(const Event& e) {
  const uint64_t what[] = {fingerprint_, static_cast<uint64_t>(e.at), static_cast<uint64_t>(e.kind), e.node,
                           e.bytes ? hash_bytes(*e.bytes) : 0};
  fingerprint_ = hash_bytes({reinterpret_cast<const char*>(what), sizeof what});
  Node& n = nodes_[e.node];
  auto c = connections_.find(e.connection);
  switch (e.kind) {
    case Event::Kind::kTick:
      replicate(e.node);
      n.machine->tick(clock(e.node));
      push(kTickMs, Event::Kind::kTick, e.node);
      break;
    case Event::Kind::kConnected: {
      if (c == connections_.end()) return;
      size_t to = c->second.ends[1];
      // What is cut off answers nothing, and the system tries again after 1 s, 2 s, 4 s ... ; a machine whose process has died refuses at once.
      if (!hears(e.node, to) && c->second.tries < 7) {
        push(int64_t{1000} << c->second.tries++, Event::Kind::kConnected, e.node, e.connection);
        return;
      }
      if (!nodes_[to].machine || !hears(e.node, to)) {
        LinkId link = c->second.links[0];
        close(e.connection, SIZE_MAX);
        n.machine->link_down(link, clock(e.node));
        break;
      }
      c->second.links[1] = next_inbound_ += 2;
      c->second.accepted = true;
      by_link_[{to, c->second.links[1]}] = {e.connection, 1};
      nodes_[to].machine->link_accepted(c->second.links[1], ip(e.node), clock(to));
      carry_out(to);
      for (std::shared_ptr<OwnedBytes>& bytes : c->second.waiting) push(1, Event::Kind::kDeliver, to, e.connection, 1, std::move(bytes));
      c->second.waiting.clear();
      n.machine->link_up(c->second.links[0], clock(e.node));
      break;
    }
    case Event::Kind::kDeliver: {
      if (c == connections_.end() || !c->second.open) return;
      size_t from = c->second.ends[1 - e.end];
      if (!hears(from, e.node)) return;
      n.machine->receive(c->second.links[e.end], *e.bytes, ip(e.node), ip(from), clock(e.node));
      break;
    }
    case Event::Kind::kClosed: {
      n.machine->link_down(e.connection, clock(e.node));  // a link's number here
      break;
    }
    case Event::Kind::kSynced:
      n.conf = n.machine->nodes_conf();
      n.held_back = false;
      break;
    case Event::Kind::kHungUp: close(e.connection, SIZE_MAX); break;
  }
  carry_out(e.node);
}

// Both ends lose it; `by` knows already.
void ClusterSim::close(uint64_t connection, size_t by) {
  auto i = connections_.find(connection);
  if (i == connections_.end()) return;
  Connection c = i->second;
  for (int end = 0; end < 2; end++) {
    if (end == 1 && !c.accepted) continue;
    auto own = by_link_.find({c.ends[end], c.links[end]});
    if (own == by_link_.end() || own->second.first != i->first) continue;  // it has crashed, and may have a link of that number again
    by_link_.erase(own);
    if (c.ends[end] != by && nodes_[c.ends[end]].machine) push(1, Event::Kind::kClosed, c.ends[end], c.links[end]);
  }
  connections_.erase(i);
}

// As net/cluster_plane.h does: the slot map changes at once, everything else in its order, and not before what is to be durable is.
void ClusterSim::carry_out(size_t node) {
  Node& n = nodes_[node];
  bool changed = false;
  for (Output& o : n.machine->take_outputs()) o.kind == Output::Kind::kSlotMap ? void(changed = true) : n.waiting.push_back(std::move(o));
  while (!n.waiting.empty() && !n.held_back) {
    Output o = std::move(n.waiting.front());
    n.waiting.pop_front();
    carry_out(node, o);
  }
  check(node, changed);
}

void ClusterSim::carry_out(size_t node, Output& o) {
  Node& n = nodes_[node];
  switch (o.kind) {
    case Output::Kind::kPersist:
      if (o.sync && faults.sync_ms) {
        n.held_back = true;
        push(1 + static_cast<int64_t>(random_.below(static_cast<uint64_t>(faults.sync_ms))), Event::Kind::kSynced, node);
      } else {
        n.conf = n.machine->nodes_conf();
      }
      break;
    case Output::Kind::kConnect: {
      size_t to = node_at(o.address);
      if (to == SIZE_MAX || to == node) {
        push(1, Event::Kind::kClosed, node, o.link);
        break;
      }
      connections_[next_connection_] = {{node, to}, {o.link, 0}};
      by_link_[{node, o.link}] = {next_connection_, 0};
      push(1 + static_cast<int64_t>(random_.below(5)), Event::Kind::kConnected, node, next_connection_++);
      break;
    }
    case Output::Kind::kClose:
      if (auto i = by_link_.find({node, o.link}); i != by_link_.end()) close(i->second.first, node);
      break;
    case Output::Kind::kSend: {
      auto i = by_link_.find({node, o.link});
      if (i == by_link_.end()) break;
      auto [connection, end] = i->second;
      messages_++;
      bytes_ += o.bytes.size();
      if (random_.real() < faults.lose) break;
      if (random_.real() < faults.cut) {
        close(connection, SIZE_MAX);
        break;
      }
      Connection& over = connections_[connection];
      if (!over.accepted) {
        over.waiting.push_back(std::make_shared<OwnedBytes>(std::move(o.bytes)));
        break;
      }
      size_t to = over.ends[1 - end];
      auto lag = lag_.find({node, to});
      if (lag != lag_.end() && lag->second < 0) break;
      const int64_t delay = 1 + static_cast<int64_t>(random_.below(static_cast<uint64_t>(faults.delay_ms)));
      push(delay + (lag == lag_.end() ? 0 : lag->second), Event::Kind::kDeliver, to, connection, 1 - end,
           std::make_shared<OwnedBytes>(std::move(o.bytes)));
      break;
    }
    case Output::Kind::kFollow: n.following = node_at(o.address); break;
    case Output::Kind::kStopFollowing: n.following = SIZE_MAX; break;
    case Output::Kind::kDropSlots: lost_slots(node, o.slots); break;
    case Output::Kind::kPauseWrites: n.machine->writes_paused(clock(node)); break;
    default: break;
  }
}

// Data flows at once where master and replica hear each other; a master's offset grows with time.
void ClusterSim::replicate(size_t node) {
  Node& n = nodes_[node];
  ReplicationState& r = n.replication;
  if (n.machine->view().myself().is_master() || n.following == SIZE_MAX) {
    r.following = n.following != SIZE_MAX;
    r.offset += n.machine->manual_failover() ? 0 : random_.below(100);
    r.connected = false;
  } else {
    r.following = true;
    bool reaches = nodes_[n.following].machine && hears(node, n.following);
    if (reaches) {
      r.offset = nodes_[n.following].replication.offset;
      r.last_contact_ms = clock(node);
    } else if (r.connected) {
      r.down_since_ms = clock(node);
    }
    r.connected = reaches;
  }
  n.machine->set_replication(r);
}

// After every step: that no two nodes have won the same epoch. The machine's own invariants, which cost more than the step, whenever what it publishes has
// changed, and now and then.
void ClusterSim::check(size_t node, bool changed) {
  Node& n = nodes_[node];
  if (changed || ++steps_ % 64 == 0)
    if (OwnedBytes wrong = n.machine->invariants(); !wrong.empty() && fault_.empty())
      fault_ = "node " + std::to_string(node) + ": " + wrong;
  const ClusterNode& me = n.machine->view().myself();
  if (me.is_master() && !n.was_master && me.slot_count) {
    // It has just become a master of slots: by an election, and no other election may have had its epoch.
    auto [winner, fresh] = winners_.emplace(me.config_epoch, node);
    if (!fresh && winner->second != node && fault_.empty())
      fault_ = "nodes " + std::to_string(winner->second) + " and " + std::to_string(node) + " have both won epoch " +
               std::to_string(me.config_epoch);
  }
  n.was_master = me.is_master() && me.slot_count;
}

std::string ClusterSim::disagreement() const {
  const ClusterMachine* first = nullptr;
  for (size_t i = 0; i < nodes_.size(); i++) {
    const ClusterMachine* m = nodes_[i].machine.get();
    if (!m) continue;
    if (!m->ok()) return "for node " + std::to_string(i) + " the cluster does not serve";
    if (!first) first = m;
    int covered = 0;
    for (const ClusterNode* owner : m->view().nodes()) {
      if (!owner->slot_count) continue;
      covered += owner->slot_count;
      const ClusterNode* same = first->view().find(owner->id);
      if (!same || same->slots != owner->slots) return "node " + std::to_string(i) + " has other owners of slots than the first one";
      // Whoever is named as an owner lives, and agrees.
      auto it = std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& n) { return n.id == owner->id; });
      if (it == nodes_.end() || !it->machine) return "slots belong to a dead node";
      if (it->machine->view().myself().slots != owner->slots) return "an owner of slots thinks otherwise";
    }
    if (covered != kSlots) return "for node " + std::to_string(i) + " some slots belong to nobody";
  }
  return {};
}

void ClusterSim::crash(size_t node, bool sent_arrives) {
  Node& n = nodes_[node];
  if (!n.machine) return;
  n.machine.reset();
  n.was_master = n.held_back = false;
  n.waiting.clear();
  std::vector<uint64_t> gone;
  for (auto& [number, c] : connections_)
    if (c.ends[0] == node || c.ends[1] == node) gone.push_back(number);
  for (uint64_t number : gone) {
    if (!sent_arrives) {
      close(number, node);
      continue;
    }
    const Connection& c = connections_[number];
    const size_t other = c.ends[0] == node ? 1 : 0;
    by_link_.erase({node, c.links[1 - other]});
    push(faults.delay_ms + 1, Event::Kind::kHungUp, c.ends[other], number);
  }
}

void ClusterSim::restart(size_t node) {
  if (!nodes_[node].machine) make(node, nodes_[node].conf);
}

void ClusterSim::move_slot() {
  size_t from = random_.below(nodes_.size()), to = random_.below(nodes_.size());
  if (from == to || !is_master(from) || !is_master(to)) return;
  int slot = static_cast<int>(random_.below(kSlots));
  const ClusterNode* owner = nodes_[from].machine->view().owner(slot);
  if (!owner || owner->id != nodes_[from].id) return;
  NodeId source = nodes_[from].id, target = nodes_[to].id;
  bool good = nodes_[to].machine->set_slot_importing(slot, source, clock(to)).empty() &&
              nodes_[from].machine->set_slot_migrating(slot, target, clock(from)).empty();
  if (good) good = nodes_[to].machine->set_slot_node(slot, target, false, clock(to)).empty();
  if (good) {
    nodes_[from].machine->set_slot_node(slot, target, false, clock(from));
  } else {  // a slot left open is the operator's to close: it takes no news by itself
    nodes_[to].machine->set_slot_stable(slot, clock(to));
    nodes_[from].machine->set_slot_stable(slot, clock(from));
  }
  carry_out(to);
  carry_out(from);
}

bool ClusterSim::fail_over(size_t replica) {
  bool good = nodes_[replica].machine->fail_over(ClusterMachine::Failover::kDefault, clock(replica)).empty();
  carry_out(replica);
  return good;
}

}  // namespace ringwood::cluster
