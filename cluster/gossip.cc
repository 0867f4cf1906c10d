// What pings carry: the sender's own state in the header, and what it knows of a few others.
#include <algorithm>

#include "cluster/cluster_machine.h"

namespace ringwood::cluster {
namespace {

// Flags of a third node that are somebody's opinion or nobody's business: not taken over with a new node.
constexpr uint16_t kTaken = kNodeMaster | kNodeReplica | kNodeFail | kNodeNoFailover;
constexpr int64_t kClockToleranceMs = 500;

}  // namespace

// This node's state; of a replica, its master's slots and epoch.
BusMessage ClusterMachine::header(BusType type) const {
  BusMessage m;
  ClusterNode& my = me();
  const ClusterNode& owner = *my.head();
  m.type = type;
  m.sender = my.id;
  if (my.master) m.master = my.master->id;
  m.slots = owner.slots;
  if (my.is_master()) m.slots.remove(view_.unclaimed_by_owner);  // granted to another
  m.config_epoch = owner.config_epoch;
  m.current_epoch = view_.current_epoch;
  if (config_.ip_announced) m.ip = config_.announced.ip;
  m.port = my.address.port;
  m.second_port = my.address.second_port;
  m.cluster_port = my.address.cluster_port;
  m.flags = my.flags;
  m.cluster_ok = ok_;
  m.offset = replication_.offset;
  if (my.is_master() && manual_.paused) m.message_flags |= kMessagePaused;
  return m;
}

// What a ping, a pong or a MEET says.
BusMessage ClusterMachine::greeting(BusType type) {
  BusMessage m = header(type);
  add_gossip(m);
  m.hostname = me().hostname;
  m.human_name = me().human_name;
  m.shard = me().shard;
  for (const Forgetting& f : forgetting_)
    if (f.until_ms >= now_ms_) m.forgotten.push_back({f.id, static_cast<uint64_t>(f.until_ms - now_ms_) / 1000});
  return m;
}

void ClusterMachine::ping(LinkId link, ClusterNode* to, BusType type) {
  Link* l = find_link(link);
  if (!l) return;
  if (type == BusType::kPing && !l->inbound && to) to->ping_sent_ms = now_ms_;
  send(link, greeting(type));
}

// A tenth of the nodes, three at least, drawn at random: with four pings to and from each node in a timeout that makes about eight reports of a silent
// node from each master within the time that reports count, far more than a majority needs. And all that we cannot reach, so that the word spreads fast.
void ClusterMachine::add_gossip(BusMessage& m) {
  const std::vector<ClusterNode*>& nodes = view_.nodes();
  const uint64_t number = ++pings_;
  auto tell = [&](const ClusterNode& n) {
    m.gossip.push_back({n.id, static_cast<uint32_t>(n.ping_sent_ms / 1000), static_cast<uint32_t>(n.pong_ms / 1000), n.address.ip,
                        n.address.port, n.address.cluster_port, n.flags, n.address.second_port});
  };
  int64_t fresh = static_cast<int64_t>(nodes.size()) - 2;  // without us and the receiver
  int64_t wanted = std::min(std::max<int64_t>(static_cast<int64_t>(nodes.size()) / 10, 3), fresh);
  for (int64_t tries = wanted * 3; tries > 0 && wanted > 0 && fresh > 0; tries--) {
    ClusterNode& n = *nodes[random_.below(nodes.size())];
    if (&n == &me() || n.timed_out()) continue;
    if (n.in_handshake() || !n.has_address() || (!n.link_up && !n.slot_count)) {
      fresh--;
      continue;
    }
    if (n.told_in == number) continue;
    n.told_in = number;
    tell(n);
    fresh--;
    wanted--;
  }
  if (!possibly_failed_) return;
  for (const ClusterNode* n : nodes)
    if (n->timed_out() && !n->in_handshake() && n->has_address()) tell(*n);
}

// Once a second: of five drawn at random, the one that we have not heard of for the longest time.
void ClusterMachine::ping_somebody() {
  ClusterNode* oldest = nullptr;
  for (int i = 0; i < 5; i++) {
    ClusterNode& n = *view_.nodes()[random_.below(view_.nodes().size())];
    if (!n.link_up || n.ping_sent_ms || n.flags & (kNodeMyself | kNodeHandshake)) continue;
    if (!oldest || n.pong_ms < oldest->pong_ms) oldest = &n;
  }
  if (oldest) ping(oldest->link, oldest, BusType::kPing);
}

void ClusterMachine::take_gossip(Arrival& a) {
  for (const Gossip& g : a.message.gossip) {
    if (ClusterNode* n = view_.find(g.id)) {
      gossip_about(*n, g, a.sender);
      continue;
    }
    // By its name, not by greeting the address: that may be somebody else's by now, even another cluster's.
    if (!a.sender || g.flags & (kNodeNoAddress | kNodeHandshake) || forgotten(g.id)) continue;
    uint16_t flags = g.flags & kTaken;
    if (flags & kNodeMaster) flags = static_cast<uint16_t>(flags & ~kNodeReplica);
    ClusterNode& n = view_.add(g.id, NodeId::random(random_), flags, now_ms_);
    if (n.failed()) n.failed_ms = now_ms_;
    n.address = {g.ip, g.port, g.second_port, g.cluster_port};
    later(kSave | kMap);
  }
}

void ClusterMachine::gossip_about(ClusterNode& n, const Gossip& g, ClusterNode* sender) {
  const bool down = g.flags & (kNodeFail | kNodePfail);
  if (sender && sender->is_master() && &n != &me()) report_failure(n, *sender, down);
  // Who is well spares us a ping. Whom we hold for failed must answer a ping of ours to be well again: were he spared, by clocks that are a little ahead,
  // we might never ask him.
  if (!down && !n.failed() && !n.timed_out() && !n.ping_sent_ms && failure_reports(n, now_ms_) == 0) {
    int64_t pong = int64_t{g.pong_received_s} * 1000;
    if (pong <= now_ms_ + kClockToleranceMs && pong > n.pong_ms) n.pong_ms = std::min(pong, now_ms_);
  }
  // We cannot reach it, and somebody who can knows it under another address.
  Address seen{g.ip, g.port, g.second_port, g.cluster_port};
  if ((n.failed() || n.timed_out()) && !down && !(g.flags & kNodeNoAddress) && !(n.address == seen)) {
    drop_link(n.link);
    n.address = seen;
    n.lower(kNodeNoAddress);
    later(kMap);
  }
}

void ClusterMachine::send(LinkId link, const BusMessage& m) { send(link, m.type, encode(m)); }

void ClusterMachine::send(LinkId link, BusType type, Bytes bytes) {
  if (link == kNoLink) return;
  sent_[static_cast<size_t>(type)]++;
  Output o{.kind = Output::Kind::kSend};
  o.link = link;
  o.bytes = bytes;
  put(std::move(o));
}

// What is said over a link that does not stand yet waits for it.
void ClusterMachine::broadcast(const BusMessage& m) {
  OwnedBytes bytes = encode(m);
  for (ClusterNode* n : view_.nodes())
    if (n != &me() && !n->in_handshake()) send(n->link, m.type, bytes);
}

// To tell at once what a ping would tell later.
void ClusterMachine::broadcast_pong(bool shard_only) {
  for (ClusterNode* n : view_.nodes()) {
    if (n == &me() || !n->link_up || n->in_handshake()) continue;
    if (shard_only && !(n->is_replica() && n->master && (n->master == &me() || n->master == me().master))) continue;
    ping(n->link, n, BusType::kPong);
  }
}

}  // namespace ringwood::cluster
