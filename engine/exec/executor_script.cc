// What scripts need of the executor: commands inside of a command, a second start with more shards, and answers for others while a script takes its time.
#include <algorithm>
#include <utility>

#include "engine/exec/call.h"
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

bool Executor::submitted(const Client& client) const {
  return std::any_of(batch_.begin(), batch_.begin() + static_cast<std::ptrdiff_t>(pending_),
                     [&client](const Request& r) { return r.client == &client; });
}

// The request is a guest: it leaves everything that belongs to the running command as it was, serves nobody who waits, and touches no shard, whoever holds it.
void Executor::run_while_busy(Client& c, std::span<const Bytes> args, bool inside) {
  const OwedReply* current = std::exchange(current_, nullptr);
  Call* exec = std::exchange(exec_, nullptr);
  bool suspended = std::exchange(suspended_, false);
  const ShardSet* held = std::exchange(holding_, &own_);
  run_guest(c, engine_.commands->find(args), args, inside);
  holding_ = held;
  suspended_ = suspended;
  exec_ = exec;
  current_ = current;
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
  bool ends_multi = command->spec->ends_multi && c.in_multi;
  bool admitted = admit_fast(engine_, c, command, args.size()) || admit(engine_, *options_, c, command, args, now_ms(), call.reply, {});
  if (admitted && !(inside && alone_)) {
    // What needs a shard would have to wait for the script's end, as WATCH does.
    if (ends_multi) c.transaction->refusal = "BUSY";  // so that it needs none of its queue's
    ShardSet needed;
    add_shards(*command, args, c, engine_.mapping, needed);
    if (ends_multi) c.transaction->refusal.clear();
    if (needed.any()) admitted = admit_states(engine_, engine_.state.load(std::memory_order_relaxed) & kStateBusy, *options_, call.reply);
  }
  if (!admitted) {
    count_refusal(command, call.reply);
    if (c.in_multi) c.transaction->broken = true;
  } else if (ends_multi) {
    OutBuffer text;
    Reply reply(text, c.resp);
    if (!admit_queue(engine_, *options_, *c.transaction, reply)) c.transaction->refusal = text.view().substr(1, text.size() - 3);
    run_handler(call);
  } else if (c.in_multi && !command->spec->runs_in_multi) {
    c.transaction->push(*command, args);
    call.reply.simple("QUEUED");
  } else {
    run_handler(call);
  }
  if (!suspended_) c.end_reply(start);
  list(&c);
}

// A task that needs no shard, run now; true when it was one.
bool Executor::run_any_time(Message* m) {
  if (m->kind != Message::Kind::kTask && m->kind != Message::Kind::kTaskDone) return false;
  auto* t = static_cast<Task*>(m);
  if (!t->any_time) return false;
  m->kind == Message::Kind::kTask ? run_task(t) : t->done(*t, *this);
  return true;
}

void Executor::take_mail_while_busy() {
  run_deferred_any_time();
  for (size_t from = 0; from < engine_.shards.size(); from++)
    while (Message* m = inbox_[from].peek()) {
      inbox_[from].pop();
      if (!run_any_time(m)) put_off_.push_back(m);
    }
}

void Executor::run_deferred_any_time() {
  for (size_t i = 0; i < deferred_.size(); i++) {
    Message* m = deferred_[i];
    if ((m->kind != Message::Kind::kTask && m->kind != Message::Kind::kTaskDone) || !static_cast<Task*>(m)->any_time) continue;
    deferred_.erase(deferred_.begin() + static_cast<std::ptrdiff_t>(i--));
    run_any_time(m);
  }
}

}  // namespace ringwood
