// Who belongs to the cluster, under which name and address; links.
#include <algorithm>

#include "cluster/cluster_machine.h"

namespace ringwood::cluster {

ClusterMachine::Link* ClusterMachine::find_link(LinkId link) {
  auto i = links_.find(link);
  return i == links_.end() ? nullptr : &i->second;
}

void ClusterMachine::link_accepted(LinkId link, Bytes, int64_t now_ms) {
  at(now_ms);
  links_[link] = {nullptr, true};
}

// Connected: the first message is a ping, or MEET to who does not know us. A ping that a lost link has left unanswered goes on counting: a
// node that accepts connections and says nothing must not look alive.
void ClusterMachine::link_up(LinkId link, int64_t now_ms) {
  at(now_ms);
  Link* l = find_link(link);
  if (!l || !l->node) return;
  ClusterNode& n = *l->node;
  n.link_up = true;
  int64_t unanswered = n.ping_sent_ms;
  ping(link, &n, n.is(kNodeMeet) ? BusType::kMeet : BusType::kPing);
  if (unanswered) n.ping_sent_ms = unanswered;
  n.lower(kNodeMeet);
  settle();
}

void ClusterMachine::link_down(LinkId link, int64_t now_ms) {
  at(now_ms);
  Link* l = find_link(link);
  if (!l) return;
  if (ClusterNode* n = l->node) {
    if (n->link == link) {
      // Nobody there: as if a ping had been sent that is not answered, so that the silence is counted.
      if (!n->link_up && !n->ping_sent_ms) n->ping_sent_ms = now_ms_;
      n->link = kNoLink;
      n->link_up = false;
    }
    if (n->inbound == link) n->inbound = kNoLink;
  }
  links_.erase(link);
  settle();
}

// Closes it from our side.
void ClusterMachine::drop_link(LinkId link) {
  Link* l = find_link(link);
  if (!l) return;
  if (ClusterNode* n = l->node) {
    if (n->link == link) n->link = kNoLink, n->link_up = false;
    if (n->inbound == link) n->inbound = kNoLink;
  }
  links_.erase(link);
  Output o{.kind = Output::Kind::kClose};
  o.link = link;
  put(std::move(o));
}

void ClusterMachine::kill_links(ClusterNode& n, bool to, bool from, int64_t now_ms) {
  at(now_ms);
  if (to) drop_link(n.link);
  if (from) drop_link(n.inbound);
}

void ClusterMachine::remove_node(ClusterNode& n) {
  drop_link(n.link);
  drop_link(n.inbound);
  if (manual_.replica == &n) end_manual();
  view_.remove(n);
  later(kMap);
}

void ClusterMachine::open_link(ClusterNode& n) {
  n.link = next_link_;
  next_link_ += 2;
  n.link_up = false;
  n.link_since_ms = now_ms_;
  links_[n.link] = {&n, false};
  Output o{.kind = Output::Kind::kConnect};
  o.link = n.link;
  o.address = n.address;
  put(std::move(o));
}

// Opens what is not open; gives up handshakes that nobody has answered, and connections that do not come about: the system, which waits ever longer from try to
// try, would find a node that can be reached again only after a minute.
void ClusterMachine::reconnect() {
  possibly_failed_ = 0;
  const int64_t patience = std::max<int64_t>(config_.node_timeout_ms, 1000);
  std::vector<ClusterNode*> stale;
  for (ClusterNode* n : view_.nodes()) {
    if (n->is(kNodeMyself) || !n->has_address()) continue;
    possibly_failed_ += n->timed_out();
    if (n->in_handshake() && now_ms_ - n->created_ms > patience) {
      stale.push_back(n);
      continue;
    }
    if (n->link != kNoLink && !n->link_up && now_ms_ - n->link_since_ms > config_.node_timeout_ms) {
      drop_link(n->link);
      if (!n->ping_sent_ms) n->ping_sent_ms = now_ms_;
    }
    if (n->link == kNoLink) open_link(*n);
  }
  for (ClusterNode* n : stale) remove_node(*n);
}

// A link that we have opened leads to the node that we meant, once its name is known; one that was accepted is its sender's.
ClusterNode* ClusterMachine::sender_of(LinkId link, Link& via, const BusMessage& m) {
  if (via.node && !via.node->in_handshake()) return via.node;
  ClusterNode* n = view_.find(m.sender);
  if (n && !via.node) {
    if (n->inbound != kNoLink) drop_link(n->inbound);  // it has connected anew before we saw the old link end
    n->inbound = link;
    via.node = n;
  }
  return n;
}

// PING and MEET are answered. MEET tells us our own address too, since whoever sent it was given it by somebody who can reach us.
void ClusterMachine::greet(Arrival& a) {
  const BusMessage& m = a.message;
  if ((m.type == BusType::kMeet || me().address.ip.empty()) && !config_.ip_announced && !a.own_ip.empty() && me().address.ip != a.own_ip) {
    me().address.ip = a.own_ip;
    log(LogLevel::kNotice, "IP address for this node updated to %s", me().address.ip.c_str());
    later(kSave | kMap);
  }
  if (!a.sender && m.type == BusType::kMeet) {
    ClusterNode& n = add_stranger(kNodeHandshake);
    n.address = {m.ip.empty() ? OwnedBytes(a.peer_ip) : m.ip, m.port, m.second_port, m.cluster_port};
    later(kSave);
    take_gossip(a);  // who is sent MEET trusts the sender
  }
  ping(a.link, a.via->node, BusType::kPong);
}

// Under a name of our making, until it says its own. One draw a statement: in what order arguments are worked out is the compiler's affair.
ClusterNode& ClusterMachine::add_stranger(uint16_t flags) {
  const NodeId id = NodeId::random(random_);
  const NodeId shard = NodeId::random(random_);
  return view_.add(id, shard, flags, now_ms_);
}

// The answer over a link of ours to a node whose name we did not know, or thought we did. False when nothing more is to be done with the message.
bool ClusterMachine::shake_hands(Arrival& a) {
  Link* via = find_link(a.link);
  if (!via) return false;
  if (via->inbound || !via->node) return true;
  ClusterNode& n = *via->node;
  const BusMessage& m = a.message;
  if (n.in_handshake()) {
    if (a.sender) {  // known already: perhaps under another address
      if (update_address(*a.sender, a)) later(kSave | kHealth | kMap);
      remove_node(n);
      return false;
    }
    view_.rename(n, m.sender);
    n.lower(kNodeHandshake);
    n.raise(m.flags & (kNodeMaster | kNodeReplica));
    if (n.is_master()) n.lower(kNodeReplica);
    later(kSave | kMap);
    return true;
  }
  if (n.id == m.sender) return true;
  // Somebody else lives there now.
  n.raise(kNodeNoAddress);
  n.address = {};
  drop_link(a.link);
  later(kSave | kMap);
  return false;
}

// True when its address is another than we knew.
bool ClusterMachine::update_address(ClusterNode& n, const Arrival& a) {
  if (n.link == a.link) return false;
  const BusMessage& m = a.message;
  Address seen{m.ip.empty() ? OwnedBytes(a.peer_ip) : m.ip, m.port, m.second_port, m.cluster_port};
  if (seen.ip.empty() || seen == n.address) return false;
  n.address = seen;
  drop_link(n.link);
  n.lower(kNodeNoAddress);
  log(LogLevel::kNotice, "Address updated for node %.40s (%s), now %s:%d", n.id.text.data(), n.human_name.c_str(), n.address.ip.c_str(),
      n.address.port);
  if (me().is_replica() && me().master == &n) {
    Output o{.kind = Output::Kind::kFollow};
    o.address = n.address;
    put(std::move(o));
  }
  return true;
}

void ClusterMachine::learn_role(ClusterNode& s, const BusMessage& m) {
  if (m.master.empty()) {
    if (s.is_master()) return;
    view_.make_master(s);
    return later(kSave | kHealth | kMap);
  }
  if (!s.is_replica()) {
    view_.bequeath_slots(s);
    s.lower(kNodeMaster | kNodeMigrateTo);
    s.raise(kNodeReplica);
    later(kSave | kHealth | kMap);
  }
  ClusterNode* master = view_.find(m.master);
  if (!master || master == &s || s.master == master) return;
  view_.set_master(s, master);
  join_shard(s, master->shard);
  later(kSave | kMap);
}

void ClusterMachine::join_shard(ClusterNode& n, const NodeId& shard) {
  if (n.shard == shard) return;
  n.shard = shard;
  later(kSave | kMap);
}

// The extensions of a ping: names, shard, and whom the sender has been told to forget.
void ClusterMachine::learn_names(ClusterNode& s, const BusMessage& m) {
  if (s.hostname != m.hostname || s.human_name != m.human_name) {
    s.hostname = m.hostname;
    s.human_name = m.human_name;
    later(kSave | kMap);
  }
  join_shard(s, m.shard ? *m.shard : s.head()->shard);
  if (&s == me().master) join_shard(me(), s.shard);
  for (const Forgotten& f : m.forgotten) {
    ClusterNode* n = view_.find(f.id);
    if (!n || n == &me() || n == &s || me().master == n) continue;
    forget_for(f.id, static_cast<int64_t>(std::min<uint64_t>(f.seconds, 24 * 3600)));
    remove_node(*n);
    later(kSave | kHealth);
  }
}

void ClusterMachine::forget_for(const NodeId& id, int64_t seconds) {
  std::erase_if(forgetting_, [&](const Forgetting& f) { return f.id == id; });
  forgetting_.push_back({id, now_ms_ + seconds * 1000});
}

bool ClusterMachine::forgotten(const NodeId& id) const {
  return std::any_of(forgetting_.begin(), forgetting_.end(), [&](const Forgetting& f) { return f.id == id && f.until_ms >= now_ms_; });
}

void ClusterMachine::forget_expired() {
  std::erase_if(forgetting_, [&](const Forgetting& f) { return f.until_ms < now_ms_; });
}

}  // namespace ringwood::cluster
