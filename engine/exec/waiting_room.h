#pragma once
// The blocked clients of one thread: their timeouts, and the ways in which their waiting ends. Part of the executor.
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "engine/exec/stats.h"
#include "engine/exec/waiter.h"

namespace ringwood {

struct Engine;
class Executor;
class Reply;
class Shard;

// What a command waits for that has found nothing.
struct BlockOn {
  size_t first_key, keys;  // arguments: those that it waits for
  Type type;
  int64_t deadline_ms;               // unix time; 0: none
  bool when_gone = false;            // runs again also when a key goes or changes its type (XREADGROUP)
  bool all_at_once = false;          // needs all keys of its arguments together (BLMOVE)
  bool null_bulk = false;            // where it may not wait it answers a null that is no array
  std::span<const Bytes> args = {};  // to run again with, where they are not the call's own
};

class WaitingRoom {
 public:
  enum class End { kTimeout, kError, kDisconnect, kNoFile };

  explicit WaitingRoom(Executor& home) : home_(home) {}
  ~WaitingRoom();
  WaitingRoom(const WaitingRoom&) = delete;

  // A client of this thread waits.
  void enter(Waiter* w);
  // A client of whichever thread waits no more, though its home has yet to hear of it: who reads INFO behind the command that served it finds it so.
  void count_out(Waiter& w);
  // A waiter has come home: with its reply, or to be run under a lease.
  void take(Waiter* w);
  // Ends the waiting of those whose time has come.
  void run_timeouts(int64_t now_ms);
  // Unix time of the next timeout, or -1.
  int64_t next_ms() const { return deadlines_.empty() ? -1 : deadlines_.begin()->first; }
  // Ends a client's waiting. False when it does not wait, or is being served at this moment.
  bool end(Client& client, End how);
  // Ends everybody's waiting with this error, and their connections: the server has become a replica.
  void end_all(Bytes error);
  // Ends the waiting of those for whom `why` writes an error.
  void end_where(const std::function<void(const Waiter&, Reply&)>& why);
  // Replicas have told how far they are: those who waited for that are answered.
  void serve_acks();

  // Whether the need is met, and the reply that says how far.
  static bool acks_suffice(const Engine& engine, const AckNeed& need);
  static void write_acks(const Engine& engine, const AckNeed& need, Reply& reply);

  // This thread's that wait now, less those of others that it has served: the sum counts. Queues elsewhere may know of one for a moment longer.
  Counter clients;
  Counter in_timeouts;  // of them, with a deadline

 private:
  struct Retry;
  friend struct Retry;
  void retried(Waiter* w, bool served);
  void answer(Waiter* w, End how);
  void leave(Waiter* w, Bytes reply);
  void forget(Waiter* w);
  static void forget_on(Waiter& w, Shard& shard);
  void free(Waiter* w);
  Executor& home_;
  std::vector<Waiter*> waiters_;  // of this thread's clients, those that are being forgotten too
  std::set<std::pair<int64_t, Waiter*>> deadlines_;
};

}  // namespace ringwood
