// What travels between the threads: commands for another shard's keys, their replies, and tasks.
#include <algorithm>
#include <utility>

#include "engine/exec/call.h"
#include "engine/exec/command_batch.h"
#include "engine/exec/executor.h"
#include "engine/exec/monitor.h"
#include "engine/exec/redirect.h"

namespace ringwood {

void Executor::enqueue_remote(Request& r, int target) {
  auto to = static_cast<size_t>(target);
  CommandBatch*& b = outgoing_[to];
  if (!b) {
    if (spare_batches_.empty()) {
      b = new CommandBatch;
    } else {
      b = spare_batches_.back();
      spare_batches_.pop_back();
    }
    notify_[to] = 1;
  }
  Client& c = *r.client;
  if (__builtin_expect(engine_.slot_maps != nullptr, 0) && b->items.empty()) b->map_version = engine_.slot_maps->current().version;
  if (__builtin_expect(observed_ & kMonitored, 0)) show_to_monitors(*this, c, *r.command, {r.args, r.argc}, c.database);
  b->add({&c, c.open_slot(), r.command, c.database, c.resp, r.argc, r.hashed, c.no_touch, c.tracks, c.asking == 1, c.reads_replica,
          r.key.slot, r.key.hash, 0},
         r.args);
  if (r.command->flags & kBlocking) c.waiting = true;
  shard().stats.remote_commands.add();
}

void Executor::count_travelling(CommandBatch& b, size_t bytes) {
  b.travelling += static_cast<int64_t>(bytes);
  eviction_.travel(static_cast<int64_t>(bytes));
}

void Executor::send_batches() {
  // What has come home is on the way until the turn's end, when the clients that it went to have been looked at.
  size_t spare_bytes = 0;
  for (CommandBatch* b : spare_batches_) {
    if (__builtin_expect(b->travelling != 0, 0)) eviction_.travel(-std::exchange(b->travelling, 0));
    spare_bytes += b->memory();
  }
  // One for each other thread is what turns need. What one that was behind has had on its way at once is not needed again soon, and is used memory.
  while (__builtin_expect(spare_batches_.size() > outgoing_.size() - 1, 0)) {
    spare_bytes -= spare_batches_.back()->memory();
    delete spare_batches_.back();
    spare_batches_.pop_back();
  }
  shard().stats.batch_bytes.set(static_cast<int64_t>(spare_bytes));
  for (size_t to = 0; to < outgoing_.size(); to++) {
    CommandBatch* b = outgoing_[to];
    if (!b) continue;
    outgoing_[to] = nullptr;
    if (__builtin_expect(eviction_.limited(), 0)) count_travelling(*b, b->bytes.capacity());
    b->kind = Message::Kind::kCommands;
    b->from = self_;
    post(to, b);
  }
}

// Commands of another thread's clients: the same batched execution, into the batch's own reply buffer. However many have gathered while this thread was
// behind, no more than a window of them is laid out at once.
void Executor::run_batch(CommandBatch* b) {
  remote_.resize(kWindow);
  Bytes bytes = b->bytes.view();
  const uint32_t* size = b->sizes.data();
  const auto next = [&](const CommandBatch::Item& item) {
    Request r{item.client, item.command, args_.take(item.argc), nullptr, item.argc, item.database, item.hashed, item.hashed, false, {}, {},
              {}};
    for (uint32_t i = 0; i < item.argc; i++, size++) {
      r.args[i] = bytes.substr(0, *size);
      bytes.remove_prefix(*size);
    }
    if (r.hashed) r.key = KeyRef(r.args[r.command->first_key], item.key_hash, item.key_slot);
    return r;
  };
  remote_batch_ = b;
  const bool map_changed = engine_.slot_maps && engine_.slot_maps->current().version != b->map_version;
  for (size_t at = 0; at < b->items.size(); at += kWindow) {
    const size_t n = std::min(kWindow, b->items.size() - at);
    for (size_t i = 0; i < n; i++) remote_[i] = next(b->items[at + i]);
    prefetch(remote_.data(), n);
    timekeeper_.start();
    const uint64_t began = timekeeper_.mark();
    for (size_t i = 0; i < n; i++) {
      CommandBatch::Item& item = b->items[at + i];
      Request& r = remote_[i];
      Call call(*this, *r.command, {r.args, r.argc}, nullptr, item.database, Reply(b->replies, item.resp));
      call.set_no_touch(item.no_touch);
      if (r.hashed) call.set_prepared(static_cast<size_t>(r.command->first_key), r.key);
      remote_at_ = at + i;
      if (__builtin_expect(map_changed, 0) && (r.command->refused_in & kStateCluster) &&
          redirected({*r.command, {r.args, r.argc}, nullptr, item.asking, item.reads_replica}, own_, call.reply)) {
        item.reply_end = b->replies.size();
        continue;
      }
      run_handler(call);
      if (__builtin_expect(effects_.on(), 0)) item.log_end = shown_by(*r.command, r.hashed, r.key);
      if (__builtin_expect(item.tracks, 0)) remember_reads(*item.client, *r.command, call.args(), own_);
      item.reply_end = b->replies.size();
      if (__builtin_expect(timekeeper_.has_slow(), 0)) b->slow.push_back({at + i, timekeeper_.take_slow()});
      if (__builtin_expect(shard().attention, 0)) after_changes(own_, item.client->id);
    }
    timekeeper_.commands_took(began);
    args_.reset();
  }
  remote_batch_ = nullptr;
  hand_over();
  b->log_end = log_end();
  if (__builtin_expect(eviction_.limited(), 0)) count_travelling(*b, b->replies.capacity());
  b->kind = Message::Kind::kReplies;
  int home = b->from;
  b->from = self_;
  post(static_cast<size_t>(home), b);
  pushes_.flush();
}

void Executor::take_replies(CommandBatch* b) {
  for (CommandBatch::Slow& s : b->slow) timekeeper_.log_slow(std::move(s.entry), *b->items[s.item].client);
  size_t from = 0;
  for (const CommandBatch::Item& item : b->items) {
    Client* c = item.client;
    if (__builtin_expect(item.command->flags & kBlocking, 0)) {
      if (item.waiter) {
        waiting_room_.enter(item.waiter);
        continue;
      }
      c->waiting = false;
      resumed_.push_back(c);
    }
    const bool known = c->out.empty() ? c->known_out != ~size_t{0} : c->out.size() == c->known_out;
    c->fill_slot(item.slot, b->replies.view().substr(from, item.reply_end - from), &timekeeper_.late());
    from = item.reply_end;
    c->log_end = std::max(c->log_end, item.log_end == SlotEnds::kLater ? b->log_end : item.log_end);
    if (known) c->known_out = c->out.size();
    list(c);
    if (!c->slots_open()) settled(c);
  }
  b->clear();
  spare_batches_.push_back(b);
}

void Executor::send_task(int to, Task* task) {
  task->home = self_;
  task->from = self_;
  task->kind = Message::Kind::kTask;
  if (to == self_)
    deferred_.push_back(task);
  else
    post(static_cast<size_t>(to), task);
}

void Executor::run_task(Task* t) {
  t->run(*t, *this);
  if (t->home == self_) {
    t->done(*t, *this);
    return;
  }
  t->kind = Message::Kind::kTaskDone;
  t->from = self_;
  post(static_cast<size_t>(t->home), t);
}

}  // namespace ringwood
