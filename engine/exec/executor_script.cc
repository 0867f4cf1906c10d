// What scripts need of the executor: commands inside of a command, a second start with more shards, and answers for others while a script takes its time.
#include <algorithm>
#include <utility>

#include "engine/exec/call.h"
#include "engine/exec/command_batch.h"
#include "engine/exec/command_lease.h"
#include "engine/exec/executor.h"
#include "engine/exec/gates.h"
#include "engine/exec/routing.h"

namespace ringwood {

void Executor::run_nested(Call& call, bool propagates) {
  in_script_ = true;
  silent_ = !propagates;
  run_handler(call);
  in_script_ = silent_ = false;
}

void Executor::count_refusal(const Command* command, const Reply& reply) {
  if (command) command_stats_[command->id].rejected.add();
  count_error(reply);
}

void Executor::start_over_with_all_shards(Call& call) {
  Client& c = *call.client();
  uncount(call.command());
  timekeeper_.command_waits(nullptr);
  auto* lease = new CommandLease(&c, &call.command(), call.args());
  lease->shards = all_shards(engine_.mapping.shards);
  shard().stats.leases.add();
  suspended_ = true;
  c.waiting = true;
  if (current_) {
    lease->owed = *current_;
  } else if (c.slots_open()) {  // what the client asked before comes first
    c.parked = lease;
    return;
  } else {
    lease->owed.slot = c.open_slot();
  }
  lease_desk_.start(lease);
}

// A request is a guest: it leaves everything that belongs to the running command as it was, serves nobody who waits, and touches no shard, whoever holds it.
template <class F>
void Executor::as_guest(F&& run) {
  const OwedReply* current = std::exchange(current_, nullptr);
  Call* exec = std::exchange(exec_, nullptr);
  bool suspended = std::exchange(suspended_, false);
  const ShardSet* held = std::exchange(holding_, &own_);
  const ShardSet* seen = std::exchange(guests_see_, held);
  run();
  guests_see_ = seen;
  holding_ = held;
  suspended_ = suspended;
  exec_ = exec;
  current_ = current;
}

void Executor::run_while_busy(Client& c, std::span<const Bytes> args, bool inside) {
  as_guest([&] { run_guest(c, engine_.commands->find(args), args, inside); });
}

void Executor::run_guest(Client& c, const Command* command, std::span<const Bytes> args, bool inside) {
  OutBuffer& out = c.reply_buffer();
  size_t start = out.size();
  c.last_command = command;
  if (!command) {
    Reply reply(out, c.resp);
    admit(engine_, *options_, c, nullptr, args, now_ms(), reply, {});
    count_refusal(nullptr, reply);
    if (c.in_multi) c.transaction->broken = true;
    c.end_reply(start);
    return list(&c);
  }
  Call call(*this, *command, args, &c, c.database, Reply(out, c.resp));
  answer_guest(c, call, inside);
  if (!suspended_) c.end_reply(start);
  list(&c);
}

void Executor::answer_guest(Client& c, Call& call, bool inside) {
  const Command* command = &call.command();
  const std::span<const Bytes> args = call.args();
  bool ends_multi = command->spec->ends_multi && c.in_multi;
  const size_t start = call.reply.out().size();
  // Whose shards this thread's script holds may be looked at: redirections go before BUSY.
  const ShardSet seen = inside ? *guests_see_ : ShardSet();
  bool admitted = admit_fast(engine_, c, command, args.size()) || admit(engine_, *options_, c, command, args, now_ms(), call.reply, seen);
  if (admitted && !(inside && alone_)) {
    // What needs a shard would have to wait for the script's end, as WATCH does.
    if (ends_multi) c.transaction->refusal = "BUSY";  // so that it needs none of its queue's
    ShardSet needed;
    add_shards(*command, args, c, engine_.mapping, needed);
    if (ends_multi) c.transaction->refusal.clear();
    if (needed.any()) admitted = admit_states(engine_, engine_.state.load(std::memory_order_relaxed) & kStateBusy, *options_, call.reply);
  }
  if (!admitted) {
    if (command->spec->ends_multi) {
      // What is watched stays where its shards may be the script's: that can only make the next EXEC answer null.
      if (c.transaction && inside && alone_) c.transaction->unwatch(engine_);
      abort_exec(c, call.reply.out(), start);
    }
    count_refusal(command, call.reply);
    if (c.in_multi) c.transaction->broken = true;
  } else if (ends_multi) {
    OutBuffer text;
    Reply reply(text, c.resp);
    if (engine_.slot_maps) redirect_exec(c, seen);
    if (!admit_queue(engine_, *options_, *c.transaction, reply)) c.transaction->refusal = error_text(text);
    run_handler(call);
  } else if (c.in_multi && !command->spec->runs_in_multi) {
    c.transaction->push(*command, args);
    call.reply.simple("QUEUED");
  } else {
    run_handler(call);
  }
}

// The round stands still at the script. Those who were answered before it are to know what follows from it: their effects go to the log (and
// where replies wait for that log's file, they do), their requests to other threads leave with the next mail.
void Executor::stop_round_for(const Call& script) {
  if (effects_.ended()) {
    set_log_end(effects_.hand_over_ended(*engine_.mutations, self_));
    slot_ends_.handed_over(log_end(), 0);
    slot_ends_.raise(log_end());
    wake_log_readers();
  }
  if (durable() < log_end())
    for (Client* c : written_) c->log_end = std::max(c->log_end, log_end());
  const Bytes* at = (exec_ ? *exec_ : script).args().data();
  const Client* running = script.client();
  size_t i = 0;
  while (i < pending_ && batch_[i].args != at) i++;
  for (i++; i < pending_; i++) {
    Request& r = batch_[i];
    if (r.client == running || r.client->halted || r.client->close_after_reply || r.client->closing) continue;
    Client* c = std::exchange(r.client, &nobody_);
    const Command* command = std::exchange(r.command, nullptr);
    run_while_busy(*c, {r.args, r.argc}, true);
    if (command && command->stops_pipeline && !c->waiting) resumed_.push_back(c);
  }
}

// A command that waits for a shard that a busy script has.
void Executor::refuse_lease(CommandLease& lease) {
  if (!(engine_.state.load(std::memory_order_relaxed) & kStateBusy)) return lease_desk_.start(&lease);  // the script has just ended
  Client& c = *lease.owed.client;
  OutBuffer bytes;
  Call call(*this, *lease.command, lease.args.view(), &c, c.database, Reply(bytes, c.resp));
  as_guest([&] { answer_guest(c, call, false); });
  finish(lease.owed, bytes.view());
  delete &lease;
}

// The same for commands of another thread's clients.
bool Executor::refuse_batch(CommandBatch* b) {
  const uint32_t busy = engine_.state.load(std::memory_order_relaxed) & kStateBusy;
  if (!busy) return false;
  for (CommandBatch::Item& item : b->items) {
    Reply reply(b->replies, item.resp);
    admit_states(engine_, busy, *options_, reply);
    count_refusal(item.command, reply);
    item.reply_end = b->replies.size();
  }
  b->log_end = 0;
  b->kind = Message::Kind::kReplies;
  auto home = static_cast<size_t>(std::exchange(b->from, self_));
  post(home, b);
  return true;
}

void Executor::refuse_deferred() {
  auto refused = [this](Message* m) { return m->kind == Message::Kind::kCommands && refuse_batch(static_cast<CommandBatch*>(m)); };
  deferred_.erase(std::remove_if(deferred_.begin(), deferred_.end(), refused), deferred_.end());
}

void Executor::refuse_while_lent() {
  refuse_deferred();
  lease_desk_.refuse_waiting();
}

// A task that needs no shard, run now, or one that does not wait for a busy script, given up; true when it was one.
bool Executor::run_any_time(Message* m) {
  if (m->kind != Message::Kind::kTask && m->kind != Message::Kind::kTaskDone) return false;
  auto* t = static_cast<Task*>(m);
  if (t->gives_up && (engine_.state.load(std::memory_order_relaxed) & kStateBusy)) return give_up(t), true;
  if (!t->any_time) return false;
  m->kind == Message::Kind::kTask ? run_task(t) : t->done(*t, *this);
  return true;
}

void Executor::give_up(Task* t) {
  if (t->kind == Message::Kind::kTaskDone) return t->done(*t, *this);
  t->given_up = true;
  t->kind = Message::Kind::kTaskDone;
  t->from = self_;
  post(static_cast<size_t>(t->home), t);
}

void Executor::take_mail_while_busy(const Client& running) {
  run_deferred_any_time();
  refuse_deferred();
  for (Message*& m : mail_)
    if (m) take_while_busy(std::exchange(m, nullptr), running);
  for (size_t from = 0; from < engine_.shards.size(); from++)
    while (Message* m = inbox_[from].pop()) take_while_busy(m, running);
  lease_desk_.refuse_waiting();
}

// The script's own client is in the midst of a reply: those to what it has asked before wait.
void Executor::hold_replies(CommandBatch& b, const Client& running) {
  auto is_held = [&running](const CommandBatch::Item& item) { return item.client == &running; };
  if (std::none_of(b.items.begin(), b.items.end(), is_held)) return;
  for (CommandBatch::Slow& s : b.slow) timekeeper_.log_slow(std::move(s.entry), *b.items[s.item].client);
  b.slow.clear();
  CommandBatch all;
  all.items.swap(b.items);
  all.replies.swap(b.replies);
  auto* held = new CommandBatch;
  size_t from = 0;
  for (const CommandBatch::Item& item : all.items) {
    CommandBatch& to = is_held(item) ? *held : b;
    to.replies.append(all.replies.view().substr(from, item.reply_end - from));
    from = item.reply_end;
    to.items.push_back(item);
    to.items.back().reply_end = to.replies.size();
  }
  held->kind = Message::Kind::kReplies;
  held->log_end = b.log_end;
  put_off_.push_back(held);
}

void Executor::take_while_busy(Message* m, const Client& running) {
  bool taken = false;
  switch (m->kind) {
    case Message::Kind::kReplies: hold_replies(*static_cast<CommandBatch*>(m), running); return take_replies(static_cast<CommandBatch*>(m));
    case Message::Kind::kWaiter: return waiting_room_.take(static_cast<Waiter*>(m));
    case Message::Kind::kCommands: taken = refuse_batch(static_cast<CommandBatch*>(m)); break;
    case Message::Kind::kLeaseWanted:
    case Message::Kind::kLeaseRefused: return lease_desk_.take(static_cast<LeaseHop*>(m));
    case Message::Kind::kLeaseGranted: taken = lease_desk_.refuse_granted(static_cast<LeaseHop*>(m)); break;
    default: taken = run_any_time(m);
  }
  if (!taken) put_off_.push_back(m);
}

void Executor::run_deferred_any_time() {
  for (size_t i = 0; i < deferred_.size(); i++) {
    if (run_any_time(deferred_[i])) deferred_.erase(deferred_.begin() + static_cast<std::ptrdiff_t>(i--));
  }
}

}  // namespace ringwood
