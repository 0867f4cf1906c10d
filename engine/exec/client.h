#pragma once
// A client as the executor sees it: the state of its session and its replies, in the order of its requests. net::Connection adds the socket; tests and
// benches use it bare.
//
// Order: as long as nothing is outstanding, replies are written straight into `out`. A request that is answered later (by another shard, under
// a lease, after a wait) opens a slot; replies behind it gather in a side buffer until it is filled.
#include <atomic>
#include <memory>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/exec/out_buffer.h"
#include "engine/exec/transaction.h"

namespace ringwood {

class AclUser;
struct Command;
struct LeaseJob;
struct Subscriptions;
struct TrackedClient;
struct Waiter;

// A request whose reply stands in `out` at last.
struct Answered {
  const Command* command;
  uint64_t arrived;
};

class Client {
 public:
  Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  virtual ~Client() = default;

  // --- session
  uint64_t id = 0;
  int database = 0;
  int resp = 2;
  // What is at the other end: a client, the master whose stream we apply, a replica that we feed, or a link that commands do not see.
  enum class Role : uint8_t { kClient, kMaster, kReplica, kLink } role = Role::kClient;
  bool close_after_reply = false;  // QUIT, protocol errors: nothing more is parsed, the connection closes when `out` has been sent
  bool no_touch = false;           // CLIENT NO-TOUCH
  bool no_evict = false;
  bool local = true;  // connected over loopback or a UNIX socket
  // SCRIPT DEBUG: what EVAL does is put back at the session's end (YES), or stays (SYNC).
  enum class Debugging : uint8_t { kNo, kRollsBack, kKeeps } debugging = Debugging::kNo;
  enum class ReplyMode : uint8_t { kOn, kOff, kSkipNext, kSkip } reply_mode = ReplyMode::kOn;
  OwnedBytes name, library_name, library_version;
  const Command* last_command = nullptr;
  bool in_multi = false;                     // between MULTI and EXEC: requests are queued
  std::unique_ptr<Transaction> transaction;  // null until the first MULTI or WATCH
  bool monitor = false;                      // MONITOR: PubSub's
  Subscriptions* subscriptions = nullptr;    // PubSub's; null: none, so that the client is no subscriber
  int64_t created_ms = 0, last_active_ms = 0;
  // When the bytes that are being parsed came (Timekeeper::turn_began of that turn); 0: in this turn.
  uint64_t arrived = 0;
  // Where the peer is, as CLIENT LIST shows it; empty where there is no socket.
  virtual OwnedBytes address() { return {}; }

  // --- who it is (engine/exec/acl.h)
  std::shared_ptr<AclUser> user;  // null: nobody in particular, to whom nothing is refused
  // A client that has logged in as this user, or has not and would have to be let in as "default".
  void become(std::shared_ptr<AclUser> who, bool has_logged_in);
  // Nothing is admitted but what lets it log in.
  bool must_log_in() const;
  // The word of its rights, 0 where nothing is refused to it: read with every request, so that a change of the user is seen by all its clients at once.
  const std::atomic<uint32_t>* gate = &kNoGate;
  // The same without what `gate` may be set to besides: to have the next requests looked at for another reason (CLIENT CACHING).
  const std::atomic<uint32_t>* rights = &kNoGate;

  // --- client-side caching (engine/exec/tracking.h)
  enum class Caching : uint8_t { kNotGiven, kYes, kNo };
  const TrackedClient* tracking = nullptr;  // Tracking's; null: off
  Caching caching = Caching::kNotGiven;     // CLIENT CACHING: for one command, or one transaction
  bool tracks = false;                      // what the next command reads is remembered
  bool redirect_broken = false;             // the client that it redirects to has gone
  bool known_to_trackers = false;           // stands in its thread's TrackingDesk
  void set_caching(Caching given);
  void update_tracks();

  // --- in a cluster (engine/exec/redirect.h)
  bool reads_replica = false;  // READONLY
  uint8_t asking = 0;          // ASKING: 2 until the next command, during which (or during a transaction that begins with it) it is 1
  void set_asking(uint8_t n);

  // --- output, in order; the loop sends it
  OutBuffer out;
  uint64_t log_end =
      0;  // of the mutation log: what is in `out` may show changes up to there, and waits until they are durable (appendfsync always)
  // log_end is right for so many bytes of `out`. Where there are others, it is to be the shard's last change (Loop::waits_for_disk).
  size_t known_out = 0;

  // --- owned by the executor
  bool waiting = false;    // a request stops the pipeline: nothing behind it is parsed until it has been answered
  bool listed = false;     // already in Executor::written()
  bool closing = false;    // set by the owner: wants to stand in Executor::resumed() when its last outstanding reply has come
  bool departing = false;  // in a job of Departures
  // A request of the round waits; stands in Executor::halted(). Where requests behind it were in the round as well: where the first of them begins.
  bool halted = false;
  const char* halted_at = nullptr;
  std::unique_ptr<UnfinishedExec> unfinished_exec;
  Waiter* waiter = nullptr;    // the blocked command, while it is WaitingRoom's
  LeaseJob* parked = nullptr;  // begins when what this client has outstanding on other shards has been answered

  // As if MULTI had not been called. What is watched stays.
  void leave_multi() {
    in_multi = false;
    if (transaction) transaction->discard();
  }

  bool slots_open() const { return open_ > 0; }
  // Replies go straight into `out`.
  bool in_order() const { return slots_.empty(); }
  // Other threads are at work on requests of this client, and will answer as soon as they come to it.
  bool replies_due() const { return open_ > 0 && !waiting; }
  // Bytes of what keeps replies in order while some are outstanding.
  size_t side_memory() const { return side_.capacity() + slots_.capacity() * sizeof(Slot); }
  // Where the next reply goes; end_reply(start) when it has been written, with out_buffer().size() from before.
  OutBuffer& reply_buffer() { return slots_.empty() ? out : side_; }
  [[gnu::always_inline]] void end_reply(size_t start) {
    if (__builtin_expect(reply_mode != ReplyMode::kOn, 0)) silence(start);
    if (!slots_.empty()) close_local(start);
  }
  // A reply that will come later; the number is for fill_slot.
  uint64_t open_slot() {
    bool silent = reply_mode != ReplyMode::kOn && reply_mode != ReplyMode::kSkipNext && !replies_anyway();
    if (reply_mode == ReplyMode::kSkip) reply_mode = ReplyMode::kOn;
    slots_.push_back({0, 0, false, silent, {last_command, arrived}});
    open_++;
    return first_slot_ + slots_.size() - 1 - head_;
  }
  // The reply of an open slot has come. Whatever is in order now moves to `out`; the requests that this answers are added to `answered`.
  void fill_slot(uint64_t number, Bytes reply, std::vector<Answered>* answered = nullptr);

 private:
  struct Slot {
    size_t offset, size;  // in side_
    bool filled, silent;
    Answered request;
  };
  void update_gate();
  static constexpr std::atomic<uint32_t> kNoGate{0}, kSlowGate{4};
  void close_local(size_t start) { slots_.push_back({start, side_.size() - start, true, false, {last_command, arrived}}); }
  void silence(size_t start);
  bool replies_anyway() const;
  void tidy();
  std::vector<Slot> slots_;  // [head_, end): outstanding, oldest first
  size_t head_ = 0;
  uint64_t first_slot_ = 0;  // number of slots_[head_]
  int open_ = 0;
  OutBuffer side_;
  size_t side_moved_ = 0;  // bytes of side_ that are in `out` already
};

}  // namespace ringwood
