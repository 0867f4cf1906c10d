// Commands that wait for keys: how they begin to wait, and how they are served by whoever makes a key ready.
#include <algorithm>

#include "engine/exec/call.h"
#include "engine/exec/command_batch.h"
#include "engine/exec/executor.h"
#include "engine/exec/gates.h"
#include "engine/exec/replication.h"
#include "engine/exec/routing.h"

namespace ringwood {

// Taken back: what blocks is counted once, when it has been answered.
void Executor::uncount(const Command& command) {
  command_stats_[command.id].calls.add(-1);
  shard().stats.commands_processed.add(-1);
}

void Executor::count_unserved(Waiter& w, const Reply& reply) {
  CommandStats& stats = command_stats_[w.command->id];
  timekeeper_.unserved(w, stats);
  stats.calls.add();
  shard().stats.commands_processed.add();
  if (!reply.failed()) return;
  stats.failed.add();
  count_error(reply);
}

void Executor::block(Call& call, const BlockOn& on) {
  if (exec_ || in_script_) return on.null_bulk ? call.reply.null() : call.reply.null_array();
  uncount(call.command());
  if (serving_) {
    found_nothing_ = true;
    return timekeeper_.command_waits(nullptr);
  }
  auto* w = new Waiter;
  timekeeper_.command_waits(w);
  w->kind = Message::Kind::kWaiter;
  w->command = &call.command();
  w->args = OwnedArgs(on.args.empty() ? call.args() : on.args);
  w->database = call.database();
  w->resp = call.reply.resp();
  w->no_touch = call.no_touch();
  w->tracks = call.client() ? call.client()->tracks : remote_batch_->items[remote_at_].tracks;
  w->type = on.type;
  w->when_gone = on.when_gone;
  w->all_at_once = on.all_at_once;
  w->deadline_ms = on.deadline_ms;
  for (Bytes key : w->args.view().subspan(on.first_key, on.keys)) {
    if (std::any_of(w->links.begin(), w->links.end(), [key](const WaiterLink& l) { return l.key == key; })) continue;
    w->links.push_back({w, key, engine_.mapping.shard(key_slot(key))});
  }
  for (WaiterLink& l : w->links) engine_.shards[static_cast<size_t>(l.shard)]->blocked.add(l);
  if (call.client()) {
    w->home = self_;
    w->owed = suspend(call);
    waiting_room_.enter(w);
  } else {
    CommandBatch::Item& item = remote_batch_->items[remote_at_];
    w->home = remote_batch_->from;
    w->owed = {item.client, item.slot};
    item.waiter = w;
  }
}

void Executor::wait_for_acks(Call& call, const AckNeed& need, int64_t deadline_ms) {
  ReplicationControl* replication = engine_.replication;
  if (exec_ || in_script_ || !replication || WaitingRoom::acks_suffice(engine_, need))
    return WaitingRoom::write_acks(engine_, need, call.reply);
  uncount(call.command());
  auto* w = new Waiter;
  w->kind = Message::Kind::kWaiter;
  w->command = &call.command();
  w->database = call.database();
  w->resp = call.reply.resp();
  w->deadline_ms = deadline_ms;
  w->home = self_;
  w->acks = std::make_unique<AckNeed>(need);
  w->owed = suspend(call);
  replication->ack_waiters.fetch_add(1, std::memory_order_relaxed);
  waiting_room_.enter(w);
  replication->ask_replicas(*this);
}

void Executor::after_changes(const ShardSet& held, uint64_t by) {
  if (alone_ && held.test(0)) {
    Shard& s = shard();
    s.attention = false;
    if (s.tracked.has_news()) tracking_.settle_own(by);
    if (s.blocked.any_ready()) serve_ready(held);
    return;
  }
  for (size_t i = held._Find_first(); i < kMaxShards; i = held._Find_next(i)) engine_.shards[i]->attention = false;
  tracking_.settle(held, by);
  serve_ready(held);
}

// As the tables of readers name a client.
static TrackedKeys::Reader reader_of(const Client& c) { return {c.id, c.tracking ? c.tracking->place : -1}; }

// As remember_reads(), of what has just run here: the one key that most have is hashed already.
void Executor::remember_read(const Request& r) {
  const Command& c = *r.command;
  if (alone_ && r.hashed && c.single_key && (c.flags & kReadOnly) && !(c.flags & kPubSub) && !(c.acl & kAclScripting))
    return shard().tracked.remember(r.key.key, r.key.hash, reader_of(*r.client));
  remember_reads(*r.client, c, {r.args, r.argc}, own_);
}

void Executor::remember_reads(const Client& reader, const Command& command, std::span<const Bytes> args, const ShardSet& held) {
  // A script is no reader, the commands that it runs are; shard channels are no keys.
  if (!(command.flags & kReadOnly) || (command.flags & kPubSub) || (command.acl & kAclScripting)) return;
  auto remember = [&](Bytes key) {
    auto home = static_cast<size_t>(alone_ ? self_ : engine_.mapping.shard(key_slot(key)));
    if (held.test(home)) engine_.shards[home]->tracked.remember(key, reader_of(reader));
  };
  if (command.single_key && args.size() > static_cast<size_t>(command.first_key))
    return remember(args[static_cast<size_t>(command.first_key)]);
  thread_local std::vector<int> indexes;  // kept for its memory
  if (!CommandTable::keys_of(command, args, indexes)) return;
  for (int i : indexes) remember(args[static_cast<size_t>(i)]);
}

// The keys of the held shards that have become ready; serving may make others ready.
void Executor::serve_ready(const ShardSet& held) {
  bool any = false;
  for (size_t i = held._Find_first(); i < kMaxShards && !any; i = held._Find_next(i)) any = engine_.shards[i]->blocked.any_ready();
  if (!any) return;
  now_us_ = engine_.clock->unix_us();  // what has made them ready may have taken long enough for them to expire
  for (bool again = true; again;) {
    again = false;
    for (size_t i = held._Find_first(); i < kMaxShards; i = held._Find_next(i)) {
      Shard& s = *engine_.shards[i];
      while (s.blocked.any_ready()) {
        serve_queue(s, s.blocked.take_ready(), held);
        again = true;
      }
    }
  }
}

// Those who wait for one key, in the order in which they came, as long as there is something for them.
void Executor::serve_queue(Shard& shard, const BlockedKeys::Key& key, const ShardSet& held) {
  BlockedQueue* queue = shard.blocked.find(key);
  if (!queue) return;
  Database& d = shard.database(key.database);
  KeyRef k(key.key);
  for (WaiterLink *l = queue->first, *next; l; l = next) {
    next = l->next;  // serving takes no other waiter out of this queue
    Waiter& w = *l->waiter;
    Entry* e = d.find(k);
    if (e && e->expired(now_ms())) e = nullptr;  // whoever comes to use the key removes it: nobody is served by looking
    if (!w.when_gone && !(e && e->type() == w.type)) {
      if (!e && !queue->wait_for_gone) return;
      continue;
    }
    if (!w.take()) continue;
    uint64_t by = w.owed.client->id;
    serve_or_send(w, held);
    if (!alone_ || shard.tracked.has_news()) tracking_.settle(held, by);  // behind its reply
  }
}

void Executor::serve_or_send(Waiter& w, const ShardSet& held) {
  if (w.all_at_once) {
    ShardSet needed;
    add_shards(*w.command, w.args.view(), *w.owed.client, engine_.mapping, needed);
    if ((needed & ~held).any()) {
      w.retry = true;
      return send_home(w);
    }
  }
  if (serve(w, held)) {
    for (WaiterLink& l : w.links)
      if (held.test(static_cast<size_t>(l.shard))) engine_.shards[static_cast<size_t>(l.shard)]->blocked.remove(l);
    return send_home(w);
  }
  if (!w.release() || !w.take()) return;
  // Somebody had found another of its keys ready at that moment, on another shard.
  w.retry = true;
  send_home(w);
}

// Runs the command again. False when there is nothing for it still.
bool Executor::serve(Waiter& w, const ShardSet& held) {
  Call call(*this, *w.command, w.args.view(), nullptr, w.database, Reply(w.reply, w.resp));
  call.set_no_touch(w.no_touch);
  call.set_held(&held);
  found_nothing_ = false;
  // While it waits the client runs nothing that would change who it is; what its user may do can have changed.
  if (!admit_again(engine_, *w.owed.client, w.home == self_, *w.command, w.args.view(), now_ms(), call.reply)) {
    command_stats_[w.command->id].rejected.add();
    count_error(call.reply);
    return true;
  }
  const ShardSet* before = holding_;
  holding_ = &held;
  serving_ = true;
  timekeeper_.start();
  {
    const EventTimer timer(timekeeper_, "command-unblocking");
    run_handler(call);
  }
  holding_ = before;
  serving_ = false;
  if (w.tracks && !found_nothing_) remember_reads(*w.owed.client, *w.command, w.args.view(), held);
  if (__builtin_expect(timekeeper_.has_slow(), 0)) w.slow = timekeeper_.take_slow();
  return !found_nothing_;
}

void Executor::send_home(Waiter& w) {
  if (w.home == self_) return waiting_room_.take(&w);
  if (!w.retry) waiting_room_.count_out(w);
  hand_over();
  w.log_end = log_end();
  w.from = self_;
  post(static_cast<size_t>(w.home), &w);
}

}  // namespace ringwood
