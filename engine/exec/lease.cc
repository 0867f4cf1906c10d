#include "engine/exec/lease.h"

#include "engine/exec/executor.h"

namespace ringwood {

LeaseDesk::~LeaseDesk() {
  for (LeaseHop* hop : waiting_) delete hop;
}

void LeaseDesk::start(LeaseJob* job) { advance(job, -1); }

// Asks for the lowest shard above `after`; when there is none, everything is held.
void LeaseDesk::advance(LeaseJob* job, int after) {
  size_t next = after < 0 ? job->shards._Find_first() : job->shards._Find_next(static_cast<size_t>(after));
  if (next >= kMaxShards)
    complete(job);
  else
    want(job, static_cast<int>(next));
}

void LeaseDesk::want(LeaseJob* job, int shard) {
  auto* hop = new LeaseHop;
  hop->kind = Message::Kind::kLeaseWanted;
  hop->from = executor_.self();
  hop->job = job;
  hop->shard = shard;
  if (shard == executor_.self())
    waiting_.push_back(hop);  // serve() lends it between batches
  else
    executor_.post(static_cast<size_t>(shard), hop);
}

void LeaseDesk::take(LeaseHop* hop) {
  switch (hop->kind) {
    case Message::Kind::kLeaseWanted: waiting_.push_back(hop); return;
    case Message::Kind::kLeaseGranted: {  // its shard is ours until we return the hop
      LeaseJob* job = hop->job;
      int shard = hop->shard;
      job->hops.push_back(hop);
      advance(job, shard);
      return;
    }
    case Message::Kind::kLeaseRefused: {
      LeaseJob* job = hop->job;
      delete hop;
      return refuse(job);
    }
    default:  // returned: the shard is at home again
      lent_ = nullptr;
      returned_ = true;
      delete hop;
      return;
  }
}

// What they ask for when they have run waits for the next of these points: a job that begins anew as soon as it has ended would let no client have its turn.
void LeaseDesk::serve() {
  for (size_t n = waiting_.size(); n && wanted(); n--) {
    LeaseHop* hop = lent_ = waiting_.front();
    waiting_.pop_front();
    if (hop->from != executor_.self()) return grant(hop);
    hop->job->hops.push_back(hop);
    advance(hop->job, hop->shard);  // may run the job and return the hop at once
  }
}

void LeaseDesk::lend_to_other() {
  if (!wanted() || waiting_.front()->from == executor_.self()) return;
  lent_ = waiting_.front();
  waiting_.pop_front();
  grant(lent_);
}

void LeaseDesk::grant(LeaseHop* hop) {
  executor_.hand_over();
  executor_.pushes().flush();  // whoever changes the subscriptions finds nothing on its way
  int borrower = hop->from;
  hop->kind = Message::Kind::kLeaseGranted;
  hop->from = executor_.self();
  executor_.post(static_cast<size_t>(borrower), hop);
}

void LeaseDesk::complete(LeaseJob* job) {
  job->run(executor_);
  executor_.hand_over();
  executor_.share_log_end(job->shards);
  executor_.pushes().flush();
  give_back(job);
  job->finished(executor_);
}

void LeaseDesk::give_back(LeaseJob* job) {
  for (LeaseHop* hop : job->hops) {
    if (hop->shard == executor_.self()) {
      lent_ = nullptr;
      delete hop;
      continue;
    }
    hop->kind = Message::Kind::kLeaseReturned;
    hop->from = executor_.self();
    executor_.post(static_cast<size_t>(hop->shard), hop);
  }
  job->hops.clear();
}

// --- while a script is busy

void LeaseDesk::refuse(LeaseJob* job) {
  give_back(job);
  job->refused(executor_);
}

void LeaseDesk::refuse_waiting() {
  std::deque<LeaseHop*> all;
  all.swap(waiting_);
  for (LeaseHop* hop : all) {
    if (!hop->job->may_be_refused()) {
      waiting_.push_back(hop);
    } else if (hop->from == executor_.self()) {
      LeaseJob* job = hop->job;
      delete hop;
      refuse(job);
    } else {
      auto home = static_cast<size_t>(hop->from);
      hop->kind = Message::Kind::kLeaseRefused;
      hop->from = executor_.self();
      executor_.post(home, hop);
    }
  }
}

bool LeaseDesk::refuse_granted(LeaseHop* hop) {
  if (!hop->job->may_be_refused()) return false;
  hop->job->hops.push_back(hop);
  refuse(hop->job);
  return true;
}

}  // namespace ringwood
