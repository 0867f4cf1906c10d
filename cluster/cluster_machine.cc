#include "cluster/cluster_machine.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <tuple>

#include "cluster/nodes_conf.h"

namespace ringwood::cluster {

ClusterMachine::ClusterMachine(ClusterConfig config, NodeId self, NodeId shard, Random& random, int64_t now_ms)
    : config_(std::move(config)), random_(random), view_(self, shard, now_ms), now_ms_(now_ms) {
  me().address = config_.announced;
  me().hostname = config_.hostname;
  me().human_name = config_.human_name;
  if (config_.replica_no_failover) me().raise(kNodeNoFailover);
  later(kSave | kSync | kHealth | kMap);
}

void ClusterMachine::set_config(ClusterConfig config, int64_t now_ms) {
  at(now_ms);
  // What the others are told of this node, and nodes.conf: most options are none of that.
  auto said = [this] { return std::tuple(me().address, me().hostname, me().human_name, me().flags); };
  const auto before = said();
  OwnedBytes ip = me().address.ip;
  config_ = std::move(config);
  me().address = config_.announced;
  if (!config_.ip_announced) me().address.ip = ip;
  me().hostname = config_.hostname;
  me().human_name = config_.human_name;
  config_.replica_no_failover ? me().raise(kNodeNoFailover) : me().lower(kNodeNoFailover);
  later(said() == before ? kHealth : kSave | kHealth | kMap);
  settle();
}

void ClusterMachine::log(LogLevel level, const char* format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  std::vsnprintf(text, sizeof text, format, args);
  va_end(args);
  Output o{.kind = Output::Kind::kLog};
  o.text = text;
  o.level = level;
  put(std::move(o));
}

// Ten times a second. The order is Redis's: links first, so that pings find them; then who is silent; then what follows from that.
void ClusterMachine::tick(int64_t now_ms) {
  at(now_ms);
  ticks_++;
  forget_expired();
  reconnect();
  if (ticks_ % 10 == 0) ping_somebody();
  watch_nodes();
  if (manual_.until_ms && manual_.until_ms < now_ms_) {
    log(LogLevel::kWarning, "Manual failover timed out.");
    end_manual();
  }
  if (me().is_replica()) {
    if (!replication_.following && me().master && me().master->has_address()) {
      Output o{.kind = Output::Kind::kFollow};
      o.address = me().master->address;
      put(std::move(o));
    }
    later(kManual | kElection);
  }
  if (!ok_) later(kHealth);
  settle();
}

void ClusterMachine::receive(LinkId link, Bytes frame, Bytes own_ip, Bytes peer_ip, int64_t now_ms) {
  at(now_ms);
  Link* via = find_link(link);
  if (!via) return;  // closed meanwhile
  BusMessage m;
  if (BusError e = decode(frame, m); e != BusError::kNone) {
    dropped_++;
    Bytes why = bus_error_text(e);
    return log(LogLevel::kWarning, "Dropped a message of the cluster bus from %.*s, which is damaged: %.*s",
               static_cast<int>(peer_ip.size()), peer_ip.data(), static_cast<int>(why.size()), why.data());
  }
  received_[static_cast<size_t>(m.type)]++;
  Arrival a{link, via, m, own_ip, peer_ip, sender_of(link, *via, m)};
  if (ClusterNode* s = a.sender) {
    s->data_ms = now_ms_;
    if (!s->in_handshake()) {
      note_epoch(m.current_epoch);
      // A replica says its master's. Whom we have as a master still, with slots, claims these under his own, and learn_role() takes them away.
      if (m.config_epoch > s->config_epoch && (m.master.empty() || s->is_replica())) {
        s->config_epoch = m.config_epoch;
        note_epoch(m.config_epoch);
        // Whatever the message is about: under this epoch it has only what it claims.
        if (s->is_master() && m.master.empty()) note_unclaimed(*s, m.slots);
        later(kSave | kSync);
      }
      s->offset = m.offset;
      if (manual_.until_ms && me().is_replica() && me().master == s && (m.message_flags & kMessagePaused) && !manual_.has_offset) {
        manual_.has_offset = true;
        manual_.offset = m.offset;
        later(kManual);
        log(LogLevel::kNotice, "Received replication offset for paused master manual failover: %llu",
            static_cast<unsigned long long>(m.offset));
      }
    }
  }
  dispatch(a);
  settle();
}

// Except for a ping and its kin, a message from somebody we do not know says nothing.
void ClusterMachine::dispatch(Arrival& a) {
  switch (a.message.type) {
    case BusType::kPing:
    case BusType::kPong:
    case BusType::kMeet: return take_ping(a);
    default: break;
  }
  if (!a.sender) {
    dropped_++;
    return;
  }
  switch (a.message.type) {
    case BusType::kFail: return take_fail(a);
    case BusType::kPublish:
    case BusType::kPublishShard: return take_publish(a);
    case BusType::kAuthRequest: return consider_vote(a);
    case BusType::kAuthAck: return count_vote(a);
    case BusType::kUpdate: return take_update(a);
    case BusType::kMfStart: return begin_manual_at_master(a);
    default: return;
  }
}

void ClusterMachine::take_ping(Arrival& a) {
  const BusMessage& m = a.message;
  if (m.type != BusType::kPong) greet(a);
  if (!shake_hands(a)) return;
  ClusterNode* s = a.sender;
  Link* via = find_link(a.link);
  if (s) {
    s->lower(kNodeNoFailover);
    s->raise(m.flags & kNodeNoFailover);
    if (m.type == BusType::kPing && !s->in_handshake() && update_address(*s, a)) later(kSave | kHealth | kMap);
  }
  if (via && !via->inbound && m.type == BusType::kPong && via->node) answered(*via->node);
  if (!s) return;
  learn_role(*s, m);
  if (s->is_master() && me().is_replica()) note_lost_epoch(m);
  ClusterNode* owner = s->is_master() ? s : s->master;
  if (owner && (owner->slots != m.slots || view_.unclaimed_by_owner.shares_any(m.slots))) {
    if (s->is_master()) take_claim(*s, m.config_epoch, m.slots);
    correct(a);
  }
  if (me().is_master() && s->is_master() && m.config_epoch == me().config_epoch) settle_collision(*s);
  take_gossip(a);
  learn_names(*s, m);
}

void ClusterMachine::take_publish(Arrival& a) {
  Output o{.kind = Output::Kind::kPublish};
  o.text = a.message.channel;
  o.bytes = a.message.payload;
  o.sharded = a.message.type == BusType::kPublishShard;
  put(std::move(o));
}

void ClusterMachine::publish(Bytes channel, Bytes message, bool sharded, int64_t now_ms) {
  at(now_ms);
  BusMessage m = header(sharded ? BusType::kPublishShard : BusType::kPublish);
  m.channel = channel;
  m.payload = message;
  if (!sharded) return broadcast(m);
  OwnedBytes bytes = encode(m);
  for (ClusterNode* n : view_.nodes())
    if (n != &me() && n->shard == me().shard && !n->in_handshake()) send(n->link, m.type, bytes);
}

// What the input has stirred up. Saving comes last here and stands first among this input's outputs: what a message tells others must survive a crash.
void ClusterMachine::settle() {
  if (todo_ & kManual) manual_progress();
  if (todo_ & kElection && me().is_replica()) run_election();
  if (todo_ & kHealth) judge_health();
  if (todo_ & (kSave | kSync)) {
    Output o{.kind = Output::Kind::kPersist};
    o.sync = todo_ & kSync;
    outputs_.insert(outputs_.begin() + static_cast<std::ptrdiff_t>(step_), std::move(o));
  }
  if (todo_ & kMap) put({.kind = Output::Kind::kSlotMap});
  todo_ = 0;
}

OwnedBytes ClusterMachine::nodes_conf() const { return write_nodes_conf(view_); }

}  // namespace ringwood::cluster
