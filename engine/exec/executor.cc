#include "engine/exec/executor.h"

#include <algorithm>
#include <utility>

#include "engine/exec/access.h"
#include "engine/exec/call.h"
#include "engine/exec/command_batch.h"
#include "engine/exec/control.h"
#include "engine/exec/expiry.h"
#include "engine/exec/gates.h"
#include "engine/exec/hot_keys.h"
#include "engine/exec/limits_from_options.h"
#include "engine/exec/monitor.h"
#include "engine/exec/records.h"
#include "engine/exec/redirect.h"
#include "engine/exec/routing.h"
#include "engine/exec/slot_stats.h"

namespace ringwood {

Executor::Executor(Engine& engine, int self)
    : engine_(engine),
      self_(self),
      shard_(*engine.shards[static_cast<size_t>(self)]),
      alone_(engine.shards.size() == 1),
      options_(&engine.options->get()),
      inbox_(new Mailbox[engine.shards.size()]),
      timekeeper_(*this),
      lease_desk_(*this),
      pushes_(*this, engine.shards.size()),
      tracking_(*this),
      eviction_(*this),
      waiting_room_(*this) {
  own_.set(static_cast<size_t>(self));
  nobody_.close_after_reply = true;
  notify_.assign(engine.shards.size(), 0);
  outgoing_.assign(engine.shards.size(), nullptr);
  command_stats_ = std::vector<CommandStats>(engine.commands->ids());
  timekeeper_.take(*options_);
  shard().limits = limits_from(*options_);
  shard().announced = announced_events(*options_);
  eviction_.take_options();
  observe_slots();
}

// Mail that nobody will take any more. What waits for a lease is its client's thread's, and goes with the process.
Executor::~Executor() {
  delete slot_stats();
  for (CommandBatch* b : outgoing_) delete b;
  for (CommandBatch* b : spare_batches_) delete b;
  for (Message* m : deferred_) drop(m);
  for (size_t from = 0; from < engine_.shards.size(); from++)
    while (inbox_[from].flush(), true) {
      Message* m = inbox_[from].pop();
      if (!m) break;
      drop(m);
    }
}

void Executor::drop(Message* m) {
  switch (m->kind) {
    case Message::Kind::kCommands:
    case Message::Kind::kReplies: delete static_cast<CommandBatch*>(m); return;
    case Message::Kind::kTask:
    case Message::Kind::kTaskDone: return;  // the sender's memory
    case Message::Kind::kDelivery: delete static_cast<Delivery*>(m); return;
    case Message::Kind::kWaiter: return;  // its home's
    default: delete static_cast<LeaseHop*>(m);
  }
}

// --- the turn

void Executor::begin_turn(int64_t unix_us) {
  now_us_ = unix_us;
  turns_++;
  timekeeper_.begin_turn();
  shard().access_now = access::fresh(options_->maxmemory_policy, now_ms());
  take_options();
  if (engine_.mutations) refresh_effects();
  if (__builtin_expect(engine_.slot_maps != nullptr, 0)) engine_.slot_maps->turn(static_cast<size_t>(self_));
  if (__builtin_expect(eviction_.limited(), 0) && !leased_out()) eviction_.begin_turn();
  if (self_ == 0 && command_rate_.due(now_us_)) sample();
}

void Executor::take_options() {
  const Options* latest = &engine_.options->get();
  if (latest == options_) return;
  options_ = latest;
  timekeeper_.take(*options_);
  shard().limits = limits_from(*options_, shard().limits);  // read by this thread alone, lent or not (Call::limits)
  shard().announced = announced_events(*options_);
  eviction_.take_options();
  observe_slots();
}

void Executor::observe_slots() {
  const bool on = options_->cluster_slot_stats_enabled && options_->cluster_enabled;
  if (on && !slot_stats()) slot_stats_.store(new SlotStats, std::memory_order_release);
  set_observed(kSlotStats, on);
}

// Ten times a second on the first thread, if it is awake.
void Executor::sample() {
  int64_t commands = 0, turns = 0, turn_ns = 0;
  for (const Shard* s : engine_.shards) commands += s->stats.commands_processed.get();
  for (Executor* e : engine_.executors) turns += e->timekeeper_.turns.get(), turn_ns += e->timekeeper_.turn_ns.get();
  command_rate_.sample(commands, now_us_);
  engine_.records->turns.sample(turns, now_us_);
  engine_.records->turn_ns.sample(turn_ns, now_us_);
  memory::note_peak();
}

bool Executor::take_mail() {
  bool any = false;
  lease_desk_.begin_turn();
  leased_out() ? run_deferred_any_time() : run_deferred();
  // Replies, then pushes, then what runs commands or lets others run them.
  const uint64_t youngest = alone_ ? 0 : pushes_.youngest();
  auto sort = [this](Message* m) {
    switch (m->kind) {
      case Message::Kind::kReplies: return take_replies(static_cast<CommandBatch*>(m));
      case Message::Kind::kDelivery: return pushes_.take(static_cast<Delivery*>(m));
      case Message::Kind::kWaiter: return waiting_room_.take(static_cast<Waiter*>(m));
      default: mail_.push_back(m);
    }
  };
  if (__builtin_expect(!put_off_.empty(), 0)) {
    any = true;
    for (Message* m : put_off_) sort(m);
    put_off_.clear();
  }
  for (size_t from = 0; from < engine_.shards.size(); from++) {
    while (Message* m = inbox_[from].peek()) {
      any = true;
      if (m->number > youngest) break;
      inbox_[from].pop();
      sort(m);
    }
  }
  pushes_.deliver();
  for (size_t i = 0; i < mail_.size(); i++) {  // a script that is busy takes the rest
    Message* m = std::exchange(mail_[i], nullptr);
    if (!m || (leased_out() && run_any_time(m))) continue;
    if (m->kind == Message::Kind::kCommands || m->kind == Message::Kind::kTask || m->kind == Message::Kind::kTaskDone)
      deferred_.push_back(m);
    else
      lease_desk_.take(static_cast<LeaseHop*>(m));
    if (!leased_out()) run_deferred();
  }
  mail_.clear();
  lease_desk_.serve_before();
  if (__builtin_expect(engine_.slot_maps != nullptr, 0)) look_at_map();
  return any;
}

void Executor::run_deferred() {
  // A task may put more in the queue; it is emptied by index.
  for (size_t i = 0; i < deferred_.size(); i++) {
    Message* m = deferred_[i];
    if (m->kind == Message::Kind::kCommands) {
      run_batch(static_cast<CommandBatch*>(m));
    } else {
      auto* t = static_cast<Task*>(m);
      m->kind == Message::Kind::kTask ? run_task(t) : t->done(*t, *this);
    }
  }
  deferred_.clear();
}

bool Executor::submit(Client& client, std::span<const Bytes> args) {
  const Command* command = last_found_.find(*engine_.commands, args);
  auto grow = [this]() __attribute__((noinline, cold)) { batch_.resize(pending_ * 2 + 64); };
  if (__builtin_expect(batch_.data() + pending_ == batch_.data() + batch_.size(), 0)) grow();  // pointers: the size is a division
  Request& r = batch_[pending_++];
  r.client = &client;
  r.command = command;
  r.args = const_cast<Bytes*>(args.data());
  r.argc = static_cast<uint32_t>(args.size());
  r.database = client.database;  // for prefetching; a SELECT may stand before it
  r.stops = command && (command->stops_pipeline | careful_);
  return !r.stops;
}

bool Executor::submit_from(const char* begin, Client& client, std::span<const Bytes> args) {
  const bool goes_on = submit(client, args);
  Request& r = batch_[pending_ - 1];
  r.begin = begin;
  if (goes_on) return true;
  if (!alone_ || !(r.command->flags & kBlocking) || r.command->spec->may_suspend) return false;
  r.stops = false;
  return may_halt_ = true;
}

// The first of the keys that a command such as EVAL counts, or nothing: what stands there is no key when it counts none.
inline Bytes Executor::counted_key(const Request& r) {
  const uint32_t at = r.command ? r.command->counted_key : 0;
  return at && r.argc > at && r.args[at - 1] != "0" ? r.args[at] : Bytes();
}

// Hashes the first key of each request. Pipelines often ask for one key many times: a request for the key of the one before gets that one's, bytes and all.
void Executor::hash_keys(Request* first, size_t n) {
  const KeyRef* before = nullptr;
  for (size_t i = 0; i < n; i++) {
    Request& r = first[i];
    r.hashed = r.command && r.command->first_key > 0 && r.argc > static_cast<uint32_t>(r.command->first_key);
    const Bytes key = r.hashed ? r.args[r.command->first_key] : counted_key(r);
    r.asks = r.hashed || key.data();
    if (!r.asks) continue;
    // The end first: there keys differ.
    if (before && !key.empty() && before->key.size() == key.size() && before->key.back() == key.back() &&
        same_bytes(before->key.data(), key.data(), key.size()))
      r.key = *before;
    else
      r.key = KeyRef(key);
    before = &r.key;
  }
}

// Frees for a fifth of a millisecond at most.
bool Executor::dig_graves() {
  Graveyard& graveyard = shard().graveyard;
  if (__builtin_expect(graveyard.empty(), 1)) return false;
  constexpr int64_t kBudgetNs = 200'000;
  constexpr size_t kBetweenClocks = 200;
  for (int64_t start = engine_.clock->monotonic_ns(); graveyard.dig(kBetweenClocks);)
    if (engine_.clock->monotonic_ns() - start > kBudgetNs) return true;
  return false;
}

bool Executor::background() {
  waiting_room_.run_timeouts(now_ms());
  if (leased_out()) return false;
  Shard& s = shard();
  bool more = tracking_.limit();
  more |= eviction_.background();
  more |= dig_graves();
  if (expires() && s.expiry.size() + s.field_expiry.size()) {
    const uint64_t began = timekeeper_.now();
    more |= run_expiry(*this, 200);
    const int64_t ns = timekeeper_.ns_since(began);
    timekeeper_.expire_ns.add(ns);
    timekeeper_.event("expire-cycle", ns);
  }
  if (__builtin_expect(!s.local_expires.empty(), 0)) more |= run_local_expiry(*this, 200);
  hand_over();
  if (s.attention) after_changes(own_, 0);
  if (__builtin_expect(s.work != nullptr, 0)) more |= s.work->run(*this);
  if (__builtin_expect(s.key_sizes.wanted(), 0)) more |= s.key_sizes.step(s, now_ms());
  return more;
}

int64_t Executor::next_due_ms() const {
  auto earlier = [](int64_t a, int64_t b) { return a < 0 || b < 0 ? std::max(a, b) : std::min(a, b); };
  int64_t timeout = waiting_room_.next_ms();
  for (const LogFollower* f : followers_) timeout = earlier(timeout, f->next_due_ms());
  if (leased_out()) return timeout;
  if (shard_.work) timeout = earlier(timeout, shard_.work->next_due_ms());
  if (!expires()) return timeout;
  return earlier(timeout, earlier(shard_.expiry.next_ms(), shard_.field_expiry.next_ms()));
}

bool Executor::may_sleep() {
  for (char pending : notify_)
    if (pending) return false;
  sleeping_.exchange(1, std::memory_order_acq_rel);
  if (!followers_.empty() && engine_.mutations->published() != log_seen_) return awake(), false;
  if (held_up_ && !engine_.mutations->full()) return awake(), false;
  bool quiet = leased_out() || (deferred_.empty() && !lease_desk_.wanted());
  for (size_t i = 0; quiet && i < engine_.shards.size(); i++) quiet = inbox_[i].empty();
  if (!quiet) awake();
  return quiet;
}

void Executor::post(size_t to, Message* m) {
  m->number = pushes_.youngest();
  outbox(to).push(m);
  notify_[to] = 1;
}

// --- one request. Nothing between run() and the handler is a call where the request is a usual one.

// Bytes that the request takes where it was received.
static inline size_t received_bytes(std::span<const Bytes> args) {
  return static_cast<size_t>(args.back().data() + args.back().size() - args.front().data());
}

// `may_share`: the time may be taken together with that of others of its kind.
__attribute__((always_inline)) inline void Executor::call_handler(Call& call, bool may_share) {
  const Command& c = call.command();
  CommandStats& stats = command_stats_[c.id];
  const bool shares = may_share && c.is_short && timekeeper_.shares() && !observed_ && !shard().work &&
                      received_bytes(call.args()) <= Timekeeper::kLongRequest;
  timekeeper_.before(shares ? &stats : nullptr);
  const uint64_t began = timekeeper_.mark();
  if (__builtin_expect(observed_, 0)) observe_begin(call);
  if (__builtin_expect(effects_.attentive(), 0))
    run_recorded(call);
  else
    c.spec->run(call);
  if (shares)
    timekeeper_.ran_sharing(call, stats, call.reply.written().size());
  else
    timekeeper_.ran(call, stats, began);
  if (__builtin_expect(observed_, 0)) observe(call, began);
  stats.calls.add();
  shard().stats.commands_processed.add();
  if (__builtin_expect(call.reply.failed(), 0)) {
    stats.failed.add();
    if (call.client() && call.client()->role != Client::Role::kClient) shard().stats.unexpected_error_replies.add();
    if (!call.reply.counted()) count_error(call.reply);
  }
}

void Executor::run_handler(Call& call) { call_handler(call, false); }

void Executor::observe(Call& call, uint64_t began) {
  if (observed_ & kHotKeys) hot_keys_->note(call, timekeeper_.ns(began), shard().random);
  if (observed_ & kSlotStats) {
    const auto within = in_script_                ? SlotStats::Within::kScript
                        : exec_ && exec_ != &call ? SlotStats::Within::kExec
                                                  : SlotStats::Within::kNothing;
    slot_stats()->note(call, timekeeper_.ns(began), within);
  }
  if (!(observed_ & kMonitored) || !call.client()) return;
  // A script that starts over with more shards is shown when it has.
  if (call.command().spec->runs_script) return suspended_ ? void(unshown_script_ = nullptr) : show_script();
  show_script();
  show_to_monitors(*this, *call.client(), call.command(), call.args(), in_script_ ? call.database() : call.client()->database, in_script_);
}

// A script is shown before what it calls.
void Executor::observe_begin(Call& call) {
  if ((observed_ & kMonitored) && call.command().spec->runs_script && call.client()) unshown_script_ = &call;
}

void Executor::show_script() {
  if (!unshown_script_) return;
  const Call& script = *unshown_script_;
  unshown_script_ = nullptr;
  show_script_to_monitors(*this, *script.client(), script.args(), script.database());
}

void Executor::observe_hot_keys(const HotKeysRequest* request) {
  hot_keys_ = request ? std::make_unique<HotKeys>(*request) : nullptr;
  set_observed(kHotKeys, request != nullptr);
}

void Executor::count_error(const Reply& reply) {
  shard().stats.total_error_replies.add();
  error_stats_.count(reply.error_code());
}

__attribute__((always_inline)) inline void Executor::execute_here(Request& r) {
  Client& c = *r.client;
  OutBuffer& out = c.reply_buffer();
  size_t start = out.size();
  Call call(*this, *r.command, {r.args, r.argc}, &c, c.database, Reply(out, c.resp));
  call.set_no_touch(c.no_touch);
  if (r.hashed) call.set_prepared(static_cast<size_t>(r.command->first_key), r.key);
  suspended_ = false;
  call_handler(call, true);
  if (!suspended_) {
    if (__builtin_expect(c.in_order(), 1)) timekeeper_.answered(command_stats_[r.command->id], c);
    c.end_reply(start);
  }
  if (__builtin_expect(effects_.on(), 0)) note_shown(r, start);
  list(&c);
  pushes_.command_done();
  if (__builtin_expect(c.tracks, 0)) remember_read(r);
  if (__builtin_expect(shard().attention, 0)) after_changes(own_, c.id);
}

__attribute__((always_inline)) inline void Executor::dispatch(Request& r) {
  if (__builtin_expect(alone_, 1))
    execute_here(r);
  else
    route(r);
  if (__builtin_expect(r.stops, 0) && !r.client->waiting) resumed_.push_back(r.client);
}

__attribute__((always_inline)) inline void Executor::execute(Request& r) {
  // QUIT or a killer has run since it was parsed: a client that is going is not served any more.
  if (__builtin_expect(r.client->close_after_reply || r.client->closing, 0)) return;
  r.client->last_command = r.command;
  if (__builtin_expect(!admit_fast(engine_, *r.client, r.command, r.argc), 0) && !served_here(r) &&
      !admit_by_rules(engine_, *r.client, r.command, {r.args, r.argc}))
    return refuse(r);
  if (__builtin_expect(r.client->in_multi, 0)) return in_transaction(r);
  dispatch(r);
}

// A client of which a request waits: what it has sent behind it goes back.
void Executor::execute_unless_halted(Request* first, size_t n) {
  for (size_t i = 0; i < n; i++) {
    Client& c = *first[i].client;
    if (c.halted) {
      if (!c.halted_at) c.halted_at = first[i].begin;
      continue;
    }
    execute(first[i]);
    if (!c.waiting) continue;
    c.halted = true;
    halted_.push_back(&c);
  }
}

void Executor::run() {
  for (size_t at = 0; at < pending_; at += kWindow) {
    size_t n = std::min(kWindow, pending_ - at);
    hash_keys(&batch_[at], n);
    prefetch(&batch_[at], n);
    timekeeper_.start();
    const uint64_t began = timekeeper_.mark();
    if (__builtin_expect(may_halt_, 0))
      execute_unless_halted(&batch_[at], n);
    else
      for (size_t i = 0; i < n; i++) execute(batch_[at + i]);
    timekeeper_.commands_took(began);
  }
  pending_ = 0;
  may_halt_ = false;
  args_.reset();
  hand_over();
  pushes_.flush();  // before anyone can read the replies
  lease_desk_.end_turn();
  if (__builtin_expect(engine_.slot_maps != nullptr, 0)) look_at_map();
}

void Executor::refuse(Request& r) {
  Client& c = *r.client;
  if (__builtin_expect(c.asking, 0) && !c.in_multi) c.set_asking(c.asking - 1);
  if (r.command && (r.command->refused_in & kStateMemoryLimited) && eviction_.limited()) eviction_.make_room();
  OutBuffer& out = c.reply_buffer();
  size_t start = out.size();
  Reply reply(out, c.resp);
  bool look = false;
  if (admit(engine_, *options_, c, r.command, {r.args, r.argc}, now_ms(), reply, own_, &look)) {
    c.in_multi ? in_transaction(r) : look ? look_and_run(r) : dispatch(r);
    if (c.caching != Client::Caching::kNotGiven && !c.waiting) caching_used(c, *r.command);
    return;
  }
  if (r.command && r.command->spec->ends_multi) {
    OwnedBytes reason = abort_exec(c, out, start);
    Transaction* t = c.transaction.get();
    if (t && !t->watches.empty() && !alone_) {
      // The shards of what it watches are to be held: the handler does the rest.
      t->refusal = reason;
      out.truncate(start);
      return dispatch(r);
    }
    if (t) t->unwatch(engine_);
  }
  if (r.command) command_stats_[r.command->id].rejected.add();
  count_error(reply);
  if (c.in_multi) c.transaction->broken = true;
  c.end_reply(start);
  list(&c);
  if (r.stops) resumed_.push_back(&c);
}

// What CLIENT CACHING said was for this command, or for the transaction that it is a part of.
void Executor::caching_used(Client& c, const Command& command) {
  if (!c.in_multi && !(command.parent && command.parent->full_name == "client")) c.set_caching(Client::Caching::kNotGiven);
}

// MULTI and WATCH are run in a transaction, too, to be told that they may not be there; these end it.
static bool leaves_multi(const Command& command) {
  for (Bytes name : {"discard", "reset", "quit"})
    if (command.full_name == name) return true;
  return false;
}

// An admitted request of a client that has called MULTI.
void Executor::in_transaction(Request& r) {
  Client& c = *r.client;
  Transaction& t = *c.transaction;
  if (r.command->spec->ends_multi) {
    // EXEC needs what its queue needs.
    if ((t.refused_in & kStateMemoryLimited) && eviction_.limited()) eviction_.make_room();
    OutBuffer text;
    Reply reply(text, c.resp);
    if (__builtin_expect(engine_.slot_maps != nullptr, 0)) redirect_exec(c, own_);
    if (!admit_queue(engine_, *options_, t, reply)) t.refusal = error_text(text);
    return dispatch(r);
  }
  const uint32_t state = engine_.state.load(std::memory_order_relaxed);
  // Whatever it is: the queue needs memory. What ends it does not.
  const bool too_much = (state & kStateOutOfMemory) && !leaves_multi(*r.command);
  if (r.command->spec->runs_in_multi && !too_much) return dispatch(r);
  OutBuffer& out = c.reply_buffer();
  size_t start = out.size();
  Reply reply(out, c.resp);
  const uint32_t script =
      r.command->spec->runs_script && engine_.scripting ? engine_.scripting->refused_in(*r.command, {r.args, r.argc}) : 0;
  if (r.command->flags & kNoMulti) {
    reply.error("ERR Command not allowed inside a transaction");
  } else if (too_much) {
    reply.error(kOutOfMemoryError);
  } else if (admit_states(engine_, script & state, *options_, reply)) {
    t.push(*r.command, {r.args, r.argc});
    t.refused_in |= script;
    reply.simple("QUEUED");
  }
  if (reply.failed()) {
    count_error(reply);
    t.broken = true;
  }
  c.end_reply(start);
  list(&c);
  if (r.stops) resumed_.push_back(&c);
}

// The shard that can run the request alone, or -1 with the set of those it needs.
int Executor::target_of(const Request& r, ShardSet& several) {
  if (r.command->single_key && !r.command->spec->needs_client) return r.hashed ? engine_.mapping.shard(r.key.slot) : self_;
  add_shards(*r.command, {r.args, r.argc}, *r.client, engine_.mapping, several);
  size_t n = several.count();
  if (n == 0) return self_;
  if (n > 1) return -1;
  int one = static_cast<int>(several._Find_first());
  return one == self_ || !(r.command->spec->needs_client || r.command->spec->route == Route::kByClient) ? one : -1;
}

// With several shards: to where the keys are.
void Executor::route(Request& r) {
  ShardSet several;
  int target = target_of(r, several);
  if (target == self_) return execute_here(r);
  if (target < 0) return start_lease(r, several);
  enqueue_remote(r, target);
}

}  // namespace ringwood
