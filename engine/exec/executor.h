#pragma once
// Runs commands on one thread: takes parsed requests of many clients, runs those of its own shard in one prefetched batch, sends those of other shards as
// messages, takes leases for those of several, and puts every reply in order. Does no I/O and reads no clock: the loop (net/loop.h) or a test drives it,
// turn by turn:
//
//   begin_turn -> take_mail -> { submit ... run } until nothing is resumed -> written() is sent -> background -> end_turn -> sleep if may_sleep()
#include <algorithm>
#include <memory>
#include <vector>

#include "engine/exec/arg_arena.h"
#include "engine/exec/client.h"
#include "engine/exec/command_stats.h"
#include "engine/exec/command_table.h"
#include "engine/exec/effects.h"
#include "engine/exec/engine.h"
#include "engine/exec/error_stats.h"
#include "engine/exec/eviction.h"
#include "engine/exec/lease.h"
#include "engine/exec/mailbox.h"
#include "engine/exec/push.h"
#include "engine/exec/rate.h"
#include "engine/exec/reply.h"
#include "engine/exec/slot_ends.h"
#include "engine/exec/stats.h"
#include "engine/exec/task.h"
#include "engine/exec/timekeeper.h"
#include "engine/exec/tracking.h"
#include "engine/exec/waiting_room.h"

namespace ringwood {

class BusyHost;
struct CommandBatch;
struct CommandLease;
class HotKeys;
struct HotKeysRequest;
struct SlotRequest;
class SlotStats;

// Somebody on this thread who reads the mutation log.
class LogFollower {
 public:
  // There may be more to read than at the last call. At the end of a turn.
  virtual void log_grew(Executor& here) = 0;
  // Unix time at which it wants a turn, or -1. May be too early, never too late.
  virtual int64_t next_due_ms() const { return -1; }

 protected:
  ~LogFollower() = default;
};

class Executor {
 public:
  Executor(Engine& engine, int self);
  ~Executor();
  Executor(const Executor&) = delete;

  Engine& engine() const { return engine_; }
  Shard& shard() const { return shard_; }
  int self() const { return self_; }
  const Options& options() const { return *options_; }
  int64_t now_ms() const { return now_us_ / 1000; }
  int64_t now_us() const { return now_us_; }
  // How many turns have begun.
  uint64_t turns() const { return turns_; }

  // --- the turn
  void begin_turn(int64_t unix_us);
  // Messages that other threads sent: runs their commands, takes their replies. True when there were any.
  bool take_mail();
  // The shard is leased to somebody: submit and run must wait until a later turn's take_mail. Sending and receiving go on.
  // The same while a reader of the mutation log that loses nothing must catch up.
  bool leased_out() const { return lease_desk_.busy() || held_up_; }
  ArgArena& args() { return args_; }
  // Takes one request; args and what they point to stay as they are until run() returns. False: parse nothing more of this client until it
  // is in resumed().
  bool submit(Client& client, std::span<const Bytes> args);
  // The same where all that is submitted of this client in the round can be taken back (halted()); `begin` is where the request's bytes begin. What stands
  // behind a command that may have to wait need not be left for the next round then: most often there is something to answer at once.
  bool submit_from(const char* begin, Client& client, std::span<const Bytes> args);
  void run();
  // Some request of the round was one behind which others of its client may stand.
  bool may_halt() const { return may_halt_; }
  // After run(): clients that wait although they were not told to stop: they parse nothing more until they are in resumed(), and what was submitted from
  // Client::halted_at on has not run. The loop clears it, and both of each client's.
  std::vector<Client*>& halted() { return halted_; }
  // Clients with new bytes in `out` since the list was last cleared; the loop clears it and each client's `listed`.
  std::vector<Client*>& written() { return written_; }
  // Clients that waited and may be parsed again; the loop clears it. A client stands here as well when its last outstanding reply
  // has come (a closing connection can be freed then).
  std::vector<Client*>& resumed() { return resumed_; }
  // Work between turns, within a budget: expiry, timeouts. True when more is due.
  bool background();
  // What has been written leaves now.
  void end_turn() {
    timekeeper_.end_turn();
    if (__builtin_expect(eviction_.limited(), 0)) eviction_.end_turn();
  }
  // Unix time at which background() has something to do again, or -1. May be too early, never too late.
  int64_t next_due_ms() const;
  // What has changed goes to the log and to those who follow it: before replies leave, so that one that waits for no more than that leaves with them.
  void feed_log() {
    hand_over();
    if (!followers_.empty()) tell_followers();
  }
  // Those who follow the log are called by the next feed_log() even if it has not grown.
  void call_followers_again() { log_seen_ = ~uint64_t{0}; }
  // Sends waiting mail; the threads that must be woken are given to wake(thread), after everything has been pushed.
  template <class F>
  void post_mail(F&& wake) {
    feed_log();
    lease_desk_.lend_to_other();
    send_batches();
    pushes_.flush();
    for (size_t i = 0; i < notify_.size(); i++) {
      if (!notify_[i]) continue;
      notify_[i] = !outbox(i).flush();
      // Read-modify-write on both sides: either the sleeper's announcement is seen here, or what was just pushed is seen there.
      if (engine_.executors[i]->sleeping_.fetch_add(0, std::memory_order_acq_rel)) wake(static_cast<int>(i));
    }
  }
  // Announces that this thread is about to wait in the kernel; false when mail has come meanwhile or waits to be sent: do not wait then.
  bool may_sleep();
  void awake() { sleeping_.store(0, std::memory_order_relaxed); }

  // --- for commands
  // The reply of this call comes later by complete(); the handler must write none. The client parses nothing meanwhile.
  OwedReply suspend(Call& call);
  // `write(Reply&)` writes the owed reply. On the client's own thread, outside of run() or inside.
  template <class F>
  void complete(const OwedReply& owed, F&& write) {
    OutBuffer bytes;
    Reply r(bytes, owed.client->resp);
    write(r);
    if (r.failed()) count_error(r);
    finish(owed, bytes.view());
  }
  void finish(const OwedReply& owed, Bytes reply);
  // The reply still takes its time (a file is being written), but what the client has sent behind it may run now: it is answered behind it. Then finish() or
  // complete() as usual. Does nothing for a part of EXEC.
  void let_go_on(OwedReply& owed);
  // EXEC: runs what the client has queued, one command after the other, and writes the array of their replies.
  void run_queue(Call& exec, const Transaction& transaction);
  // A command of the stream that a replica receives, or that a file holds, with every shard held, or those of `held`: past all gates, its reply into `reply`.
  // True when it has been answered; false when that is still to come (OwedReply).
  bool run_streamed(Client& from, const Command& command, std::span<const Bytes> args, OutBuffer& reply, const ShardSet* held = nullptr);
  // Behind each of them, or behind the last of a transaction: those who wait for its keys.
  void serve_after_streamed();
  bool in_exec() const { return exec_ != nullptr; }  // the running command is one of a transaction
  // --- for scripts (engine/commands/script)
  // The shards that the running command holds.
  const ShardSet& held() const { return *holding_; }
  // The running command has answered nothing and changed nothing: it is run again from its beginning with every shard held. Not in EXEC.
  void start_over_with_all_shards(Call& call);
  // Runs a command that a script calls, without the gates. Meanwhile none waits for keys.
  void run_nested(Call& call, bool propagates);
  // The script's command was refused, as the reply says.
  void count_refusal(const Command* command, const Reply& reply);
  bool in_script() const { return in_script_; }
  // A request that has arrived while a script of this thread is busy (`inside`), or while the thread's shard is lent to a busy one: answered at once.
  void run_while_busy(Client& client, std::span<const Bytes> args, bool inside);
  // From inside of a script that has just become busy: what came before it in its round may be seen by others from now on, and what stands behind it there is
  // answered as if it came now, but for the script's own client.
  void stop_round_for(const Call& script);
  // The mail that needs no shard, at such a time, and refusals to what needs this one; all other waits for the next turn.
  void take_mail_while_busy(const Client& running);
  // While the thread's shard is lent to a busy script: commands and leases that wait for it are refused.
  void refuse_while_lent();
  // CommandLease::refused().
  void refuse_lease(CommandLease& lease);
  void set_busy_host(BusyHost* host) { busy_host_ = host; }
  BusyHost* busy_host() const { return busy_host_; }
  // post_mail() inside of a command: nothing is lent.
  template <class F>
  void post_mail_while_busy(F&& wake) {
    send_batches();
    pushes_.flush();
    for (size_t i = 0; i < notify_.size(); i++) {
      if (!notify_[i]) continue;
      notify_[i] = !outbox(i).flush();
      if (engine_.executors[i]->sleeping_.fetch_add(0, std::memory_order_acq_rel)) wake(static_cast<int>(i));
    }
  }
  // may_sleep() inside of a busy script: false when there is mail.
  bool may_sleep_inside() {
    sleeping_.exchange(1, std::memory_order_acq_rel);
    for (size_t i = 0; i < engine_.shards.size(); i++)
      if (!inbox_[i].empty()) return awake(), false;
    return true;
  }
  // Call::block.
  void block(Call& call, const BlockOn& on);
  // WAIT and its like: answers at once where the need is met or nobody may wait, otherwise later.
  void wait_for_acks(Call& call, const AckNeed& need, int64_t deadline_ms);
  WaitingRoom& waiting_room() { return waiting_room_; }
  // Sends a task to another thread (or queues it here when `to` is this one).
  void send_task(int to, Task* task);
  // Runs the job while every shard is leased to this thread, as a Route::kAll command would be. Begins after the running command, if there is one.
  void with_all_shards(LeaseJob* job);
  // The same with the shards that the job names.
  void lease(LeaseJob* job) { lease_desk_.start(job); }
  std::vector<CommandStats>& command_stats() { return command_stats_; }
  ErrorStats& error_stats() { return error_stats_; }
  // --- the mutation log (engine/exec/effects.h)
  Effects& effects() { return effects_; }
  // All threads begin or stop to gather effects, as the log's readers want it: at once, after one has been attached. Every shard is held. (Each thread looks
  // by itself with every turn.)
  void refresh_all_effects();
  // Gives the log what has gathered.
  void hand_over() {
    if (__builtin_expect(effects_.pending(), 0)) hand_over_now();
  }
  // The offset behind the last change of this thread's shard, as far as it has been handed over.
  uint64_t log_end() const { return log_end_.load(std::memory_order_relaxed); }
  // The offset up to which replies may show changes (MutationLog::durable).
  static constexpr uint64_t kAllDurable = ~uint64_t{0};
  uint64_t durable() const { return engine_.mutations ? engine_.mutations->durable() : kAllDurable; }
  // On this thread, between commands.
  void follow_log(LogFollower* follower);
  void unfollow_log(LogFollower* follower);
  // Wakes all others with this turn's mail: they may have waited for a reader of the log.
  void nudge_others() { std::fill(notify_.begin(), notify_.end(), 1); }
  Timekeeper& timekeeper() { return timekeeper_; }
  const Timekeeper& timekeeper() const { return timekeeper_; }
  // Waits in the kernel for something to do, as far as another thread can know.
  bool sleeps() const { return sleeping_.load(std::memory_order_relaxed); }
  // Something that looks at every command: one branch a command while there is none. Of this thread, or while its shard is held.
  enum Observer : uint8_t { kMonitored = 1, kHotKeys = 2, kSlotStats = 4 };
  void set_observed(Observer by, bool on) { observed_ = static_cast<uint8_t>(on ? observed_ | by : observed_ & ~by); }
  // HOTKEYS: this thread's count, anew, for the request (which lives on); null ends it and forgets it.
  void observe_hot_keys(const HotKeysRequest* request);
  HotKeys* hot_keys() { return hot_keys_.get(); }
  // What this thread has counted by slot; null while it never has (cluster-slot-stats-enabled). While its shard is held.
  SlotStats* slot_stats() { return slot_stats_.load(std::memory_order_acquire); }
  // Messages to subscribers.
  PushDesk& pushes() { return pushes_; }
  // Clients that keep copies.
  TrackingDesk& tracking() { return tracking_; }
  // What a command of `by` (0: nobody's) has changed in the shards that it held, and still holds, is told to those whom it concerns. For work that changes keys
  // outside of commands; commands come here by themselves.
  void after_changes(const ShardSet& held, uint64_t by);
  // What a command has read is remembered for a client that tracks (Client::tracks), as far as its keys lie on the shards that are held.
  void remember_reads(const Client& reader, const Command& command, std::span<const Bytes> args, const ShardSet& held);
  // Commands a second, of all threads; the first thread keeps it.
  Rate& command_rate() { return command_rate_; }
  // The slot map has changed: who waits here for keys of slots that another node has now is sent there.
  void redirect_waiters();
  // Likewise who is subscribed to shard channels of such slots.
  void look_at_channels();
  // What has been counted of such slots is forgotten.
  void keep_served_slots();
  // Takes over options that have just been published: at once on the thread that published them, on all others with their next turn.
  void take_options();
  Eviction& eviction() { return eviction_; }
  // Wakes the other threads when this turn ends.
  void rouse_others() {
    for (size_t i = 0; i < notify_.size(); i++) notify_[i] |= static_cast<char>(static_cast<int>(i) != self_);
  }
  // The mail of the thread `i` to this one.
  Mailbox& inbox(size_t i) { return inbox_[i]; }

 private:
  friend class LeaseDesk;
  friend class PushDesk;
  friend class TrackingDesk;
  friend class WaitingRoom;
  static constexpr size_t kWindow = 64;  // requests whose misses overlap; more would only push each other's lines out
  struct Request {
    Client* client;
    const Command* command;  // null: unknown
    Bytes* args;
    const char* begin;  // submit_from()
    uint32_t argc;
    int database;
    bool hashed;  // `key` is the first key
    bool asks;    // `key` is the first key, or the first of those that the command counts, which is only asked for ahead of time
    bool stops;   // nothing behind it has been parsed
    KeyRef key;
    const Table* table;
    const Bucket* chain;  // of the key, where it lies on this shard: as far as has been looked while prefetching
  };
  Mailbox& outbox(size_t to) { return engine_.executors[to]->inbox_[static_cast<size_t>(self_)]; }
  void post(size_t to, Message* m);
  static void drop(Message* m);
  bool dig_graves();
  static Bytes counted_key(const Request& r);
  void hash_keys(Request* first, size_t n);
  void prefetch(Request* first, size_t n);
  void prefetch_values(const Request* first, size_t n, uint64_t asking);
  void prefetch_readers(const Request* first, uint64_t asking);
  void remember_read(const Request& r);
  void execute(Request& r);
  void execute_unless_halted(Request* first, size_t n);
  void refuse(Request& r);
  bool served_here(const Request& r) const;
  bool redirected(const SlotRequest& request, const ShardSet& held, Reply& reply);
  void redirect_exec(Client& c, const ShardSet& held);
  void look_at_map();
  struct ChannelsGone;
  bool channel_stays(Bytes name) const;
  void leave_channels();
  void look_and_run(Request& r);
  void dispatch(Request& r);
  void execute_here(Request& r);
  void route(Request& r);
  int target_of(const Request& r, ShardSet& several);
  void in_transaction(Request& r);
  static void caching_used(Client& c, const Command& command);
  void finish_part(Client& c, size_t part, Bytes reply);
  void call_handler(Call& call, bool may_share);
  void run_handler(Call& call);  // call_handler, not inlined
  void run_recorded(Call& call);
  // Changes counted so far by the shards that the running command holds.
  int64_t dirty() const { return holding_ == &own_ ? shard_.stats.dirty.get() : dirty_of_many(); }
  int64_t dirty_of_many() const;
  void refresh_effects();
  bool writes_locally() const;
  void hand_over_now();
  uint64_t shown_by(const Command& command, bool hashed, const KeyRef& key) const;
  void note_shown(const Request& r, size_t before);
  void wake_log_readers();
  void share_log_end(const ShardSet& shards);
  void set_log_end(uint64_t offset) { log_end_.store(offset, std::memory_order_relaxed); }
  void tell_followers();
  void count_error(const Reply& reply);
  void observe(Call& call, uint64_t began);
  void observe_slots();
  void observe_begin(Call& call);
  void show_script();
  void sample();
  void enqueue_remote(Request& r, int target);
  void start_lease(Request& r, const ShardSet& shards);
  friend struct CommandLease;
  void run_lease(CommandLease& lease);
  void run_batch(CommandBatch* b);
  void run_task(Task* t);
  void run_deferred();
  bool run_any_time(Message* m);
  void give_up(Task* t);
  void run_deferred_any_time();
  void run_guest(Client& c, const Command* command, std::span<const Bytes> args, bool inside);
  void answer_guest(Client& c, Call& call, bool inside);
  template <class F>
  void as_guest(F&& run);
  bool refuse_batch(CommandBatch* b);
  void refuse_deferred();
  void take_while_busy(Message* m, const Client& running);
  void hold_replies(CommandBatch& b, const Client& running);
  void take_replies(CommandBatch* b);
  bool serve(Waiter& w, const ShardSet& held);
  void serve_ready(const ShardSet& held);
  void serve_queue(Shard& shard, const BlockedKeys::Key& key, const ShardSet& held);
  void serve_or_send(Waiter& w, const ShardSet& held);
  void send_home(Waiter& w);
  void count_unserved(Waiter& w, const Reply& reply);
  void uncount(const Command& command);
  void send_batches();
  void count_travelling(CommandBatch& b, size_t bytes);
  // A replica waits for its master to say that a key is gone.
  bool expires() const {
    return shard_.active_expire && !(engine_.state.load(std::memory_order_relaxed) & (kStateReplica | kStatePaused | kStateImport));
  }
  void list(Client* c) {
    if (!c->listed) {
      c->listed = true;
      written_.push_back(c);
    }
  }
  void settled(Client* c);

  Engine& engine_;
  const int self_;
  Shard& shard_;
  const bool alone_;  // the only shard: every key is here
  const Options* options_;
  int64_t now_us_ = 0;
  uint64_t turns_ = 0;
  ArgArena args_;
  CommandTable::Last last_found_;
  std::vector<Request> batch_;  // its first pending_ are this turn's; the others are places to be written over
  Client nobody_;               // of requests that have been answered before their turn in the round
  size_t pending_ = 0;
  std::vector<Client*> written_, resumed_, halted_;
  bool may_halt_ = false;                // some request of the round may have to wait with others of its client behind it
  std::unique_ptr<Mailbox[]> inbox_;     // by sender
  std::vector<char> notify_;             // threads that were sent something this turn
  std::vector<CommandBatch*> outgoing_;  // being filled this turn, by target
  std::vector<CommandBatch*> spare_batches_;
  std::vector<Message*> mail_;            // of this turn, without replies and pushes
  std::vector<Message*> deferred_;        // commands and tasks that came while the shard was leased out
  std::vector<Message*> put_off_;         // mail that came while a script was busy
  std::vector<Request> remote_;           // a window of a batch from another thread, while it runs
  const OwedReply* current_ = nullptr;    // of the lease that is running, for suspend()
  bool suspended_ = false;                // the running command has called suspend()
  Call* exec_ = nullptr;                  // the EXEC whose queue is running
  CommandBatch* remote_batch_ = nullptr;  // that is running, and the place in it
  size_t remote_at_ = 0;
  bool careful_ = false;                  // some slots are open: connections parse request by request, since what they ask may need a lease
  bool serving_ = false;                  // a waiter's command is running again
  bool found_nothing_ = false;            // and has nothing to answer still
  ShardSet own_;                          // this thread's shard
  const ShardSet* holding_ = &own_;       // what the running command holds
  const ShardSet* guests_see_ = nullptr;  // what a busy script of this thread holds, while it serves others
  bool in_script_ = false;
  bool silent_ = false;  // the script wants no effects of what it calls (redis.set_repl)
  BusyHost* busy_host_ = nullptr;
  std::vector<CommandStats> command_stats_;
  ErrorStats error_stats_;
  Timekeeper timekeeper_;
  uint8_t observed_ = 0;
  Call* unshown_script_ = nullptr;  // that runs, while MONITOR is to show it
  std::unique_ptr<HotKeys> hot_keys_;
  std::atomic<SlotStats*> slot_stats_{nullptr};  // ours; once there it stays, since others may be reading
  Rate command_rate_;
  Effects effects_;
  // Of the log: behind this shard's last change (a borrower of the shard writes it while this thread reads it); what the followers have been told of.
  std::atomic<uint64_t> log_end_{0};
  uint64_t log_seen_ = 0;
  SlotEnds slot_ends_;
  std::vector<LogFollower*> followers_;
  std::atomic<bool> follows_log_{false};  // others are to wake this thread when the log has grown
  bool held_up_ = false;
  LeaseDesk lease_desk_;
  PushDesk pushes_;
  TrackingDesk tracking_;
  Eviction eviction_;
  WaitingRoom waiting_room_;
  alignas(64) std::atomic<int> sleeping_{0};
};

}  // namespace ringwood
