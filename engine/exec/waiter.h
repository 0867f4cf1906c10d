#pragma once
// A blocked command (BLPOP and its like), from the moment at which it found nothing until it has been answered: what is needed to run it again, anywhere.
//
// It stands in the queue of each key that it waits for, on the shards of those keys. Whoever holds a shard and makes one of its keys ready takes the
// waiter, runs the command, and sends the waiter home with the reply. A timeout, CLIENT UNBLOCK or the end of the connection are takers as well, at
// home. Then home has it forgotten on all shards, and frees it.
#include <atomic>
#include <memory>
#include <vector>

#include "engine/exec/mailbox.h"
#include "engine/exec/out_buffer.h"
#include "engine/exec/owned_args.h"
#include "engine/exec/slow_log.h"
#include "engine/exec/task.h"
#include "engine/exec/transaction.h"
#include "engine/store/object.h"

namespace ringwood {

struct BlockedQueue;
struct Waiter;

// Its place in the queue of one key. Belongs to the shard of the key.
struct WaiterLink {
  Waiter* waiter;
  Bytes key;  // in the waiter's arguments
  int shard;
  BlockedQueue* queue = nullptr;  // null: in none
  WaiterLink *previous = nullptr, *next = nullptr;
};

// What WAIT and WAITAOF wait for: that the changes up to an offset are in so many other places.
struct AckNeed {
  int64_t offset = 0;
  int replicas = 0;
  bool on_disk = false;  // WAITAOF: on the replicas' disks, and on ours where `local` is 1
  int local = 0;
};

struct Waiter : Message {
  // Takes its links out of the queues of one shard.
  struct Forget : Task {
    Waiter* waiter;
  };

  OwedReply owed;  // on the thread `home`
  int home;
  const Command* command;
  OwnedArgs args;
  int database, resp;
  bool no_touch;
  bool tracks = false;  // what it reads is remembered
  Type type;            // of value that it waits for
  bool when_gone;       // runs again also when a key has gone or holds another type
  bool all_at_once;     // cannot run with some of its keys alone
  int64_t deadline_ms;
  int64_t ran_ns = 0;  // when it found nothing
  std::vector<WaiterLink> links;
  std::unique_ptr<AckNeed> acks;  // waits for replicas and the disk, not for keys

  // True for the one taker. Who comes later leaves a note, since what he has seen may be what the taker lacks.
  bool take() {
    for (State s = state_.load(std::memory_order_relaxed);;) {
      State next = s == State::kFree ? State::kTaken : State::kMissed;
      if (state_.compare_exchange_weak(s, next, std::memory_order_acq_rel)) return s == State::kFree;
    }
  }
  // The taker could not serve it. True when somebody else has come meanwhile.
  bool release() { return state_.exchange(State::kFree, std::memory_order_acq_rel) == State::kMissed; }

  // --- the taker's, until it has come home
  bool counted = true;  // among those who wait
  bool retry = false;   // could not run where it was taken: home is to take a lease
  OutBuffer reply;
  uint64_t log_end = 0;             // what the reply may show (Client::log_end)
  std::unique_ptr<SlowEntry> slow;  // that it was slow
  // --- home's
  bool known = false;      // home has been told that it waits
  bool came_home = false;  // before it was known
  bool timed_out = false;  // while it was taken
  size_t place = 0;        // among home's waiters
  std::vector<Forget> forgets;
  size_t forgetting = 0;

 private:
  enum class State : uint8_t { kFree, kTaken, kMissed };
  std::atomic<State> state_{State::kFree};
};

}  // namespace ringwood
