// FAILOVER (cluster/planned_failover.h): the pause, the exchange of parts on this side, and the same on the side of the replica that takes over.
#include <climits>

#include "engine/exec/call.h"
#include "net/client_info.h"
#include "net/replication.h"

namespace ringwood {

// Becomes a master or a replica with every shard held, on the first thread.
struct Replication::PartSwitch final : LeaseJob {
  Replication* owner = nullptr;
  OwnedBytes host;  // empty: a master
  int port = 0;
  bool only_if_synced = false;
  bool changed = false;
  // Of a replica that takes over: who has asked, and for what.
  uint64_t asker = 0;
  OwnedBytes id;
  int64_t from = 0;

  void run(Executor& here) override {
    if (host.empty() && !owner->replica_) return;
    // Something may have been written since a replica was found to have all: then it is waited for again.
    if (only_if_synced &&
        owner->failover_.look(here.now_ms(), owner->offset(), owner->replicas_known()) != PlannedFailover::Verdict::kSynced)
      return;
    owner->change_part(here, host, port);
    changed = true;
  }
  void finished(Executor&) override {
    owner->switched(*this);
    delete this;
  }
};

std::vector<PlannedFailover::Replica> Replication::replicas_known() const {
  std::vector<PlannedFailover::Replica> known;
  for (const ReplicationStatus::Replica& r : status_.replicas)  // this thread alone changes them
    known.push_back({r.address, r.port, r.state == ReplicationStatus::Replica::State::kOnline, r.acknowledged});
  return known;
}

// --- the command: carried to the first thread, and the answer back

struct Replication::FailoverCall final : Task {
  Replication* owner;
  FailoverWish wish;
  bool abort;
  OwedReply owed;
  OwnedBytes error;
};

void Replication::failover(Call& call, const FailoverWish& wish) { send_failover(call, wish, false); }
void Replication::abort_failover(Call& call) { send_failover(call, {}, true); }

void Replication::send_failover(Call& call, const FailoverWish& wish, bool abort) {
  auto* t = new FailoverCall;
  t->owner = this;
  t->wish = wish;
  t->abort = abort;
  t->owed = call.executor().suspend(call);
  t->run = [](Task& task, Executor&) {
    auto& f = static_cast<FailoverCall&>(task);
    Replication& r = *f.owner;
    if (!f.abort)
      f.error = r.begin_failover(f.wish);
    else if (r.failover_.active())
      r.give_up_failover("Failover manually aborted");
    else
      f.error = "ERR No failover in progress.";
  };
  t->done = [](Task& task, Executor& home) {
    auto& f = static_cast<FailoverCall&>(task);
    home.complete(f.owed, [&f](Reply& reply) { f.error.empty() ? reply.ok() : reply.error(f.error); });
    delete &f;
  };
  call.executor().send_task(0, t);
}

OwnedBytes Replication::begin_failover(const FailoverWish& wish) {
  OwnedBytes refusal = failover_.refusal(wish, replica_, replicas_known());
  if (!refusal.empty()) return refusal;
  if (wish.to_one)
    log_.write(LogLevel::kNotice, "FAILOVER requested to %s:%lld.", wish.host.c_str(), static_cast<long long>(wish.port));
  else
    log_.write(LogLevel::kNotice, "FAILOVER requested to any replica.");
  failover_.begin(wish, loop_->executor().now_ms());
  failing_over_ = true;
  show_failover();
  desk_->ask();
  loop_->network().pause(Network::Pause::kFailover, INT64_MAX, false);
  settling_.begin(loop_->executor());
  return {};
}

void Replication::look_at_failover(int64_t now_ms) {
  using Verdict = PlannedFailover::Verdict;
  if (failover_.state() != PlannedFailover::State::kWaiting || switching_) return;
  Verdict verdict = failover_.look(now_ms, offset(), replicas_known());
  if (verdict == Verdict::kTimedOut) return give_up_failover("Replica never caught up before timeout");
  if (verdict == Verdict::kWait || (verdict == Verdict::kSynced && !settling_.done())) return;
  if (verdict == Verdict::kForced)
    log_.write(LogLevel::kNotice, "FAILOVER to %s:%d time out exceeded, failing over.", failover_.host().c_str(), failover_.port());
  auto* s = new PartSwitch;
  s->owner = this;
  s->host = failover_.host();
  s->port = failover_.port();
  s->only_if_synced = verdict == Verdict::kSynced;
  if (verdict == Verdict::kForced) failover_.start();
  switching_ = true;
  loop_->executor().with_all_shards(s);
}

void Replication::switched(const PartSwitch& s) {
  if (s.asker) {
    if (s.changed) lead();
    return admit_successor(s);
  }
  switching_ = false;
  if (s.host.empty()) {
    if (s.changed) lead();
    return end_failover();
  }
  if (!s.changed) return failover_.active() ? void() : end_failover();
  if (!failover_.active()) return become_master();  // given up meanwhile
  if (failover_.state() == PlannedFailover::State::kWaiting) {
    log_.write(LogLevel::kNotice, "Failover target %s:%d is synced, failing over.", s.host.c_str(), s.port);
    failover_.start();
  }
  show_failover();
  desk_->disconnect_all();
  follow(s.host, s.port);
}

void Replication::give_up_failover(const char* why) {
  if (failover_.has_target())
    log_.write(LogLevel::kNotice, "FAILOVER to %s:%d aborted: %s", failover_.host().c_str(), failover_.port(), why);
  else
    log_.write(LogLevel::kNotice, "FAILOVER to any replica aborted: %s", why);
  const bool in_progress = failover_.state() == PlannedFailover::State::kInProgress;
  failover_.end();
  if (!in_progress && !switching_) return end_failover();
  link_->stop();
  if (!switching_) become_master();
}

void Replication::become_master() {
  auto* s = new PartSwitch;
  s->owner = this;
  switching_ = true;
  loop_->executor().with_all_shards(s);
}

// Clients go on, whatever this server is now.
void Replication::end_failover() {
  failover_.end();
  failing_over_ = false;
  show_failover();
  loop_->end_pause(Network::Pause::kFailover);
}

void Replication::show_failover() {
  std::lock_guard lock(status_mutex_);
  status_.failover = failover_.name();
}

void Replication::handed_over(bool taken) {
  if (!failover_.active()) return;
  if (taken) return end_failover();
  give_up_failover("Failover target rejected psync request");
}

// --- the replica that takes over

void Replication::take_part_of(Connection& master, const OwnedBytes& id, int64_t from) {
  auto* s = new PartSwitch;
  s->owner = this;
  s->asker = master.id;
  s->id = id;
  s->from = from;
  loop_->executor().with_all_shards(s);
}

void Replication::admit_successor(const PartSwitch& s) {
  for (Connection* c : loop_->connections()) {
    if (c->id != s.asker || c->dying) continue;
    log_.write(LogLevel::kNotice, "MASTER MODE enabled (failover request from '%s')",
               client_line(*c, loop_->executor().now_ms(), nullptr).c_str());
    return desk_->admit(*c, false, s.id, s.from);
  }
}

// --- before the server ends

bool Replication::replicas_have_all() const {
  for (const ReplicationStatus::Replica& r : status_.replicas)
    if (r.acknowledged != offset()) return false;
  return true;
}

void Replication::log_lagging() const {
  size_t lagging = 0;
  for (const ReplicationStatus::Replica& r : status_.replicas) {
    if (r.acknowledged == offset()) continue;
    lagging++;
    const bool online = r.state == ReplicationStatus::Replica::State::kOnline;
    log_.write(LogLevel::kNotice, "Lagging replica %s:%d reported offset %lld behind master, lag=%lld, state=%s.", r.address.c_str(),
               r.port, static_cast<long long>(offset() - r.acknowledged),
               static_cast<long long>(online ? (loop_->executor().now_ms() - r.ack_ms) / 1000 : 0),
               r.state == ReplicationStatus::Replica::State::kWaiting        ? "wait_bgsave"
               : r.state == ReplicationStatus::Replica::State::kSendingImage ? "send_bulk"
                                                                             : "online");
  }
  if (!status_.replicas.empty())
    log_.write(LogLevel::kNotice, "%zu of %zu replicas are in sync when shutting down.", status_.replicas.size() - lagging,
               status_.replicas.size());
}

}  // namespace ringwood
