// Commands that need more than this thread's shard, or more than this turn: leases, replies that come later, and EXEC's queue.
#include "engine/exec/call.h"
#include "engine/exec/command_lease.h"
#include "engine/exec/executor.h"
#include "engine/exec/gates.h"
#include "engine/exec/redirect.h"

namespace ringwood {

namespace {
// In OwedReply::slot: the number is not a slot's but that of a command of an EXEC.
constexpr uint64_t kPartOfExec = uint64_t{1} << 63;
// The client has gone on meanwhile.
constexpr uint64_t kWentOn = uint64_t{1} << 62;
}  // namespace

void Executor::settled(Client* c) {
  if (LeaseJob* job = c->parked) {
    c->parked = nullptr;
    auto* lease = static_cast<CommandLease*>(job);
    lease->owed.slot = c->open_slot();
    lease_desk_.start(lease);
    return;
  }
  if (c->closing) resumed_.push_back(c);
}

void Executor::start_lease(Request& r, const ShardSet& shards) {
  Client& c = *r.client;
  auto* lease = new CommandLease(&c, r.command, {r.args, r.argc});
  lease->shards = shards;
  c.waiting = true;
  shard().stats.leases.add();
  if (c.slots_open()) {  // what the client asked before comes first
    c.parked = lease;
    return;
  }
  lease->owed.slot = c.open_slot();
  lease_desk_.start(lease);
}

void Executor::run_lease(CommandLease& lease) {
  Client& c = *lease.owed.client;
  OutBuffer bytes;
  Call call(*this, *lease.command, lease.args.view(), &c, c.database, Reply(bytes, c.resp));
  call.set_no_touch(c.no_touch);
  if (__builtin_expect(engine_.slot_maps != nullptr, 0) && c.role != Client::Role::kMaster) {
    if (lease.command->spec->ends_multi)
      redirect_exec(c, lease.shards);
    else if ((lease.command->refused_in & kStateCluster) &&
             redirected(slot_request(c, *lease.command, lease.args.view()), lease.shards, call.reply))
      return finish(lease.owed, bytes.view());
  }
  current_ = &lease.owed;
  holding_ = &lease.shards;
  suspended_ = false;
  timekeeper_.start();
  const uint64_t began = timekeeper_.mark();
  run_handler(call);
  holding_ = &own_;
  timekeeper_.commands_took(began);
  current_ = nullptr;
  if (!suspended_) finish(lease.owed, bytes.view());
  pushes_.command_done();
  if (__builtin_expect(c.tracks, 0)) remember_reads(c, *lease.command, lease.args.view(), lease.shards);
  if (c.caching != Client::Caching::kNotGiven) caching_used(c, *lease.command);
  after_changes(lease.shards, c.id);
}

void Executor::with_all_shards(LeaseJob* job) {
  job->shards = all_shards(engine_.mapping.shards);
  lease(job);
}

OwedReply Executor::suspend(Call& call) {
  suspended_ = true;
  Client* c = call.client();
  c->waiting = true;
  if (exec_) {
    if (!c->unfinished_exec) c->unfinished_exec = std::make_unique<UnfinishedExec>();
    UnfinishedExec& u = *c->unfinished_exec;
    u.parts.push_back({exec_->reply.written().size(), {}});
    u.missing++;
    return {c, kPartOfExec | (u.parts.size() - 1)};
  }
  if (current_) return *current_;
  return {c, c->open_slot()};
}

void Executor::finish(const OwedReply& owed, Bytes reply) {
  Client* c = owed.client;
  if (owed.slot & kPartOfExec) return finish_part(*c, owed.slot & ~kPartOfExec, reply);
  c->fill_slot(owed.slot & ~kWentOn, reply, &timekeeper_.late());
  list(c);
  if (owed.slot & kWentOn) {
    if (!c->slots_open()) settled(c);
    return;
  }
  c->waiting = false;
  resumed_.push_back(c);
}

void Executor::let_go_on(OwedReply& owed) {
  if (owed.slot & (kPartOfExec | kWentOn)) return;
  owed.slot |= kWentOn;
  owed.client->waiting = false;
  resumed_.push_back(owed.client);
}

void Executor::run_queue(Call& exec, const Transaction& transaction) {
  Client& c = *exec.client();
  exec.reply.array(transaction.queue.size());
  exec_ = &exec;
  for (const Transaction::Queued& q : transaction.queue) {
    Call call(*this, *q.command, q.args.view(), &c, c.database, Reply(exec.reply.out(), c.resp));
    call.set_no_touch(c.no_touch);
    if (!admit_queued(engine_, c, *q.command, q.args.view(), now_ms(), call.reply)) {
      count_error(call.reply);
      continue;
    }
    run_handler(call);
    if (__builtin_expect(c.tracks, 0)) remember_reads(c, *q.command, q.args.view(), all_shards(engine_.mapping.shards));
  }
  exec_ = nullptr;
  suspended_ = c.unfinished_exec != nullptr;
  if (!suspended_) return;
  UnfinishedExec& u = *c.unfinished_exec;
  u.text.append(exec.reply.written());
  exec.reply.rewind();
  u.owed = current_ ? *current_ : OwedReply{&c, c.open_slot()};
}

bool Executor::run_streamed(Client& from, const Command& command, std::span<const Bytes> args, OutBuffer& reply, const ShardSet* held) {
  Call call(*this, command, args, &from, from.database, Reply(reply, from.resp));
  suspended_ = false;
  if (command.flags & kBlocking) exec_ = &call;  // as in a transaction: nobody waits here
  const ShardSet all = all_shards(engine_.mapping.shards);
  const ShardSet* before = holding_;
  holding_ = held ? held : &all;
  run_handler(call);
  holding_ = before;
  exec_ = nullptr;
  pushes_.command_done();
  return !suspended_;
}

void Executor::serve_after_streamed() { after_changes(all_shards(engine_.mapping.shards), 0); }

void Executor::finish_part(Client& c, size_t part, Bytes reply) {
  UnfinishedExec& u = *c.unfinished_exec;
  u.parts[part].reply = reply;
  if (--u.missing) return;
  OwedReply owed = u.owed;
  OwnedBytes whole = u.whole();
  c.unfinished_exec.reset();
  finish(owed, whole);
}

}  // namespace ringwood
