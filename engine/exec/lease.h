#pragma once
// Leases: a command that needs several shards borrows them from their threads, in ascending order (so that two borrowers can never wait for each other),
// runs as
// plain code on its own thread, and gives them back. A thread whose shard is lent defers keyspace work and goes on with its network. The
// messages of granting and returning order memory. DESIGN.md section 3.
#include <deque>
#include <vector>

#include "engine/exec/mailbox.h"
#include "engine/exec/shard_set.h"

namespace ringwood {

class Executor;

struct LeaseJob;

// One shard's part in a job. Travels to the shard's thread and back.
struct LeaseHop : Message {
  LeaseJob* job = nullptr;
  int shard = 0;
};

// What runs when all the shards are held. Owned by the thread that started it, which calls both functions, each once.
struct LeaseJob {
  ShardSet shards;
  std::vector<LeaseHop*> hops;                // of the shards held so far
  virtual void run(Executor& home) = 0;       // with every shard of `shards` held
  virtual void finished(Executor& home) = 0;  // all given back; the job may be freed here
  // A shard that it wants runs a busy script. True: what it has held is given back, and refused() follows instead of the two above. False: it waits.
  virtual bool may_be_refused() const { return false; }
  virtual void refused(Executor&) {}  // holds nothing; the job may be freed here, or started anew

 protected:
  ~LeaseJob() = default;
};

// One thread's desk: lends its shard, first come first served, and drives the jobs that this thread has started.
class LeaseDesk {
 public:
  explicit LeaseDesk(Executor& executor) : executor_(executor) {}
  ~LeaseDesk();
  LeaseDesk(const LeaseDesk&) = delete;
  bool busy() const { return lent_ != nullptr; }
  // Begins a job of this thread: asks for its first shard.
  void start(LeaseJob* job);
  // A hop has come by mail: wanted, granted or returned.
  void take(LeaseHop* hop);
  // When the shard is free it is lent to the first who waits, at these points of a turn, between batches: before the turn's own requests, unless
  // it has just come back (then they have their turn first, so that many borrowers cannot starve this thread's clients), and after them.
  void begin_turn() { returned_ = false; }
  void serve_before() {
    if (!returned_ && wanted()) serve();
  }
  void end_turn() {
    if (wanted()) serve();
  }
  // At the very end of a turn, when replies have been sent: to another thread only, since a job of this one would write replies.
  void lend_to_other();
  // A busy script has this thread's shard, or is at home here: whoever waits for the shard and may be refused is.
  void refuse_waiting();
  // The same for a grant that has come at such a time. False: it may not be refused.
  bool refuse_granted(LeaseHop* hop);
  // Somebody waits for the shard, and it is free.
  bool wanted() const { return !lent_ && !waiting_.empty(); }

 private:
  void serve();
  void advance(LeaseJob* job, int after);
  void complete(LeaseJob* job);
  void want(LeaseJob* job, int shard);
  void grant(LeaseHop* hop);
  void give_back(LeaseJob* job);
  void refuse(LeaseJob* job);
  Executor& executor_;
  LeaseHop* lent_ = nullptr;       // to whom the shard is lent now
  bool returned_ = false;          // in this turn, so that it is the turn of this thread's own requests
  std::deque<LeaseHop*> waiting_;  // for this shard
};

}  // namespace ringwood
