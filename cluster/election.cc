// Who follows a dead master: its replicas ask all masters for a vote, in an epoch of their own, the one with the most data first. And manual failover, in which
// master and replica agree on an offset first.
#include <algorithm>

#include "cluster/cluster_machine.h"

namespace ringwood::cluster {
namespace {

constexpr int64_t kManualTimeoutMs = 5000;
constexpr int64_t kPauseTimes = 2;  // of the above: the master stops writing for longer than the attempt lasts
constexpr int64_t kRankMs = 1000;
constexpr int64_t kLogAgainMs = 10000;
constexpr int64_t kSeatIsOpenFor = 10;  // timeouts

Bytes text_of(NoFailover why) {
  switch (why) {
    case NoFailover::kDataAge:
      return "Disconnected from master for longer than allowed. Please check the 'cluster-replica-validity-factor' configuration option.";
    case NoFailover::kWaitingDelay: return "Waiting the delay before I can start a new failover.";
    case NoFailover::kExpired: return "Failover attempt expired.";
    case NoFailover::kWaitingVotes: return "Waiting for votes, but majority still not reached.";
    case NoFailover::kNone: break;
  }
  return "";
}

}  // namespace

// Said once for each reason, again when it lasts, and not while the failover may still be on its way.
void ClusterMachine::cannot(NoFailover why) {
  if (why == election_.why_not && now_ms_ - election_.why_logged_ms < kLogAgainMs) return;
  election_.why_not = why;
  if (me().master && me().master->failed() && now_ms_ - me().master->failed_ms < config_.node_timeout_ms + 5000) return;
  election_.why_logged_ms = now_ms_;
  Bytes text = text_of(why);
  log(LogLevel::kNotice, "Currently unable to failover: %.*s", static_cast<int>(text.size()), text.data());
  if (why == NoFailover::kWaitingVotes || why == NoFailover::kExpired)
    log(LogLevel::kNotice, "Needed quorum: %zu. Number of votes received so far: %zu", votes_needed(), election_.votes);
}

// Masters may give all their slots away after they have voted, and another replica may ask in the same epoch: the voters are no fewer for that.
size_t ClusterMachine::votes_needed() { return std::max(election_.needed, view_.majority()); }

// How many replicas of our master have more data.
int ClusterMachine::rank() const {
  int n = 0;
  for (const ClusterNode* r : me().master->replicas) n += r != &me() && !r->is(kNodeNoFailover) && r->offset > replication_.offset;
  return n;
}

void ClusterMachine::run_election() {
  ClusterNode* master = me().master;
  const bool manual = manual_.until_ms && manual_.may_start;
  if (!master || (!master->failed() && !manual) || (config_.replica_no_failover && !manual) || !master->slot_count) {
    election_.why_not = NoFailover::kNone;
    return;
  }
  // The time without the master, less what it takes to be declared dead.
  int64_t age = now_ms_ - (replication_.connected ? replication_.last_contact_ms : replication_.down_since_ms);
  if (age > config_.node_timeout_ms) age -= config_.node_timeout_ms;
  if (config_.replica_validity_factor && !manual &&
      age > config_.repl_ping_period_ms + config_.node_timeout_ms * config_.replica_validity_factor)
    return cannot(NoFailover::kDataAge);

  const int64_t timeout = std::max<int64_t>(config_.node_timeout_ms * 2, 2000);
  const int64_t asked_age = now_ms_ - election_.at_ms;
  if (asked_age > timeout * 2) {
    election_.at_ms = now_ms_ + kFailSpreadsMs + static_cast<int64_t>(random_.below(kSpreadMs));
    election_.votes = election_.needed = 0;
    election_.asked = false;
    election_.rank = rank();
    election_.awaited = election_.passed = {};
    election_.at_ms += election_.rank * kRankMs;
    if (manual_.until_ms) {
      election_.at_ms = now_ms_;
      election_.rank = 0;
    }
    log(LogLevel::kNotice, "Start of election delayed for %lld milliseconds (rank #%d, offset %llu).",
        static_cast<long long>(election_.at_ms - now_ms_), election_.rank, static_cast<unsigned long long>(replication_.offset));
    broadcast_pong(true);  // our offset, to the other replicas
    if (manual_.until_ms) ask_for_votes(0, timeout);
    return;
  }
  if (!election_.asked && !manual_.until_ms) {
    if (int now = rank(); now > election_.rank) {
      int64_t more = (now - election_.rank) * kRankMs;
      election_.at_ms += more;
      election_.rank = now;
      log(LogLevel::kNotice, "Replica rank updated to #%d, added %lld milliseconds of delay.", now, static_cast<long long>(more));
    }
    if (others_first()) {
      election_.at_ms = std::max(election_.at_ms, now_ms_);
      return cannot(NoFailover::kWaitingDelay);
    }
  }
  ask_for_votes(now_ms_ - election_.at_ms, timeout);
}

void ClusterMachine::ask_for_votes(int64_t asked_age, int64_t timeout) {
  if (now_ms_ < election_.at_ms) return cannot(NoFailover::kWaitingDelay);
  if (asked_age > timeout) return cannot(NoFailover::kExpired);
  if (!election_.asked) {
    election_.epoch = ++view_.current_epoch;
    election_.needed = view_.majority();
    log(LogLevel::kNotice, "Starting a failover election for epoch %llu.", static_cast<unsigned long long>(election_.epoch));
    BusMessage m = header(BusType::kAuthRequest);
    if (manual_.until_ms) m.message_flags |= kMessageForceAck;
    broadcast(m);
    election_.asked = true;
    return later(kSave | kSync | kHealth);
  }
  if (election_.votes < votes_needed()) return cannot(NoFailover::kWaitingVotes);
  log(LogLevel::kNotice, "Failover election won: I'm the new master.");
  if (me().config_epoch < election_.epoch) {
    me().config_epoch = election_.epoch;
    log(LogLevel::kNotice, "configEpoch set to %llu after successful failover", static_cast<unsigned long long>(election_.epoch));
  }
  take_over();
}

// The replica becomes the master of everything that its master owned. It has an epoch for that already.
void ClusterMachine::take_over() {
  ClusterNode* old = me().master;
  if (me().is_master() || !old) return;
  SlotSet slots = old->slots;
  view_.make_master(me());
  put({.kind = Output::Kind::kStopFollowing});
  slots.for_each([&](int slot) { view_.set_owner(slot, &me()); });
  later(kSave | kSync | kMap);
  judge_health();
  end_manual();
  broadcast_pong(false);
}

// We have voted against it and do not know what came of that: the replica that asked us may be its successor by now, and have told others.
bool ClusterMachine::may_be_replaced(const ClusterNode& master) const {
  const int64_t since = now_ms_ - master.voted_ms;
  if (!master.voted_ms || since > config_.node_timeout_ms * kSeatIsOpenFor) return false;
  if (master.config_epoch > master.voted_epoch) return false;  // it was, and has been elected since
  const ClusterNode* heir = view_.find(master.voted_for);
  const bool lost = heir && heir->is_replica() && heir->data_ms > master.voted_ms + config_.node_timeout_ms;
  return !lost;
}

// A master that has been replaced without hearing of it votes still, as its successor does elsewhere: an epoch could be won here and there. Redis leaves it
// at that. We do not vote where the majority that we see would be none without such masters.
bool ClusterMachine::votes_may_count_twice() const {
  size_t reachable, open = 0;
  const size_t all = view_.size(&reachable);
  for (const ClusterNode* n : view_.nodes()) open += n->has_vote() && n->reachable() && may_be_replaced(*n);
  return open && reachable - open < all / 2 + 1;
}

// One vote an epoch, and never for a replica whose idea of the slots is older than ours.
void ClusterMachine::consider_vote(Arrival& a) {
  ClusterNode& s = *a.sender;
  const BusMessage& m = a.message;
  if (!me().has_vote()) return;
  auto deny = [&](const char* why) {
    log(LogLevel::kWarning, "Failover auth denied to %.40s (%s): %s", s.id.text.data(), s.human_name.c_str(), why);
  };
  auto number = [](uint64_t n) { return std::to_string(n); };
  if (m.current_epoch < view_.current_epoch)
    return deny(("reqEpoch (" + number(m.current_epoch) + ") < curEpoch(" + number(view_.current_epoch) + ")").c_str());
  if (view_.last_vote_epoch == view_.current_epoch) return deny(("already voted for epoch " + number(view_.current_epoch)).c_str());
  if (s.is_master()) return deny("it is a master node");
  if (!s.master) return deny("I don't know its master");
  if (!s.master->failed() && !(m.message_flags & kMessageForceAck)) return deny("its master is up");
  if (int64_t since = now_ms_ - s.master->voted_ms; since < config_.node_timeout_ms * 2) {
    auto left = static_cast<uint64_t>(config_.node_timeout_ms * 2 - since);
    return deny(("can't vote about this master before " + number(left) + " milliseconds").c_str());
  }
  if (votes_may_count_twice()) return deny("a master that would have to vote may have been replaced");
  OwnedBytes newer;
  m.slots.for_each([&](int slot) {
    const ClusterNode* owner = view_.owner(slot);
    if (newer.empty() && owner && !view_.unclaimed_by_owner.test(slot) && owner->config_epoch > m.config_epoch)
      newer = "slot " + std::to_string(slot) + " epoch (" + number(owner->config_epoch) + ") > reqEpoch (" + number(m.config_epoch) + ")";
  });
  if (!newer.empty()) return deny(newer.c_str());
  view_.last_vote_epoch = view_.current_epoch;
  s.master->voted_ms = now_ms_;
  s.master->voted_for = s.id;
  s.master->voted_epoch = view_.current_epoch;
  later(kSave | kSync);
  send(s.link, header(BusType::kAuthAck));
  log(LogLevel::kNotice, "Failover auth granted to %.40s (%s) for epoch %llu", s.id.text.data(), s.human_name.c_str(),
      static_cast<unsigned long long>(view_.current_epoch));
}

void ClusterMachine::count_vote(Arrival& a) {
  if (!a.sender->has_vote() || a.message.current_epoch < election_.epoch || !election_.asked) return;
  election_.votes++;
  later(kElection);
}

// --- manual failover

// At the master: stops writing and says so in its pings, with the offset that the replica must reach.
void ClusterMachine::begin_manual_at_master(Arrival& a) {
  if (a.sender->master != &me()) return;
  end_manual();
  manual_.until_ms = now_ms_ + kManualTimeoutMs;
  manual_.replica = a.sender;
  Output o{.kind = Output::Kind::kPauseWrites};
  o.until_ms = now_ms_ + kManualTimeoutMs * kPauseTimes;
  put(std::move(o));
  log(LogLevel::kNotice, "Manual failover requested by replica %.40s (%s).", a.sender->id.text.data(), a.sender->human_name.c_str());
}

void ClusterMachine::writes_paused(int64_t now_ms) {
  at(now_ms);
  if (!manual_.replica) return;  // it has been called off
  manual_.paused = true;
  if (manual_.replica->link_up) ping(manual_.replica->link, manual_.replica, BusType::kPing);
}

// At the replica: everything that the master had written is here.
void ClusterMachine::manual_progress() {
  if (!manual_.until_ms || manual_.may_start || !manual_.has_offset || !me().is_replica()) return;
  if (manual_.offset != replication_.offset) return;
  manual_.may_start = true;
  log(LogLevel::kNotice, "All master replication stream processed, manual failover can start.");
  later(kElection);
}

void ClusterMachine::end_manual() {
  if (manual_.replica) put({.kind = Output::Kind::kResumeWrites});
  manual_ = {};
}

OwnedBytes ClusterMachine::fail_over(Failover how, int64_t now_ms) {
  at(now_ms);
  ClusterNode* master = me().master;
  if (me().is_master()) return "ERR You should send CLUSTER FAILOVER to a replica";
  if (!master) return "ERR I'm a replica but my master is unknown to me";
  if ((master->failed() || master->link == kNoLink) && how == Failover::kDefault)
    return "ERR Master is down or failed, please use CLUSTER FAILOVER FORCE";
  end_manual();
  manual_.until_ms = now_ms_ + kManualTimeoutMs;
  switch (how) {
    case Failover::kTakeover:
      log(LogLevel::kNotice, "Taking over the master (user request).");
      bump_without_consensus();
      take_over();
      break;
    case Failover::kForce:
      log(LogLevel::kNotice, "Forced failover user request accepted.");
      manual_.may_start = true;
      later(kElection);
      break;
    case Failover::kDefault:
      log(LogLevel::kNotice, "Manual failover user request accepted.");
      send(master->link, header(BusType::kMfStart));
  }
  settle();
  return {};
}

}  // namespace ringwood::cluster
