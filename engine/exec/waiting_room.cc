#include "engine/exec/waiting_room.h"

#include <algorithm>

#include "engine/exec/executor.h"
#include "engine/exec/replication.h"
#include "engine/exec/routing.h"

namespace ringwood {

// Runs a waiter's command with all the shards that it needs.
struct WaitingRoom::Retry final : LeaseJob {
  Waiter* waiter;
  bool served = false;
  explicit Retry(Waiter* w) : waiter(w) {}

  void run(Executor& home) override {
    if (!waiter->owed.client->closing) served = home.serve(*waiter, shards);
    // While the shards are held, so that whoever makes a key ready from now on finds the waiter free.
    bool goes = waiter->timed_out || waiter->owed.client->closing;
    if (!served && !goes) waiter->release();
    home.after_changes(shards, waiter->owed.client->id);
  }
  void finished(Executor& home) override {
    home.waiting_room().retried(waiter, served);
    delete this;
  }
};

WaitingRoom::~WaitingRoom() {
  for (Waiter* w : waiters_) delete w;
}

void WaitingRoom::enter(Waiter* w) {
  w->known = true;
  w->place = waiters_.size();
  waiters_.push_back(w);
  w->owed.client->waiter = w;
  clients.add();
  if (w->deadline_ms) {
    deadlines_.emplace(w->deadline_ms, w);
    in_timeouts.add();
  }
  if (w->came_home) return take(w);
  if (w->owed.client->closing) end(*w->owed.client, End::kDisconnect);
}

void WaitingRoom::count_out(Waiter& w) {
  if (!w.counted) return;
  w.counted = false;
  clients.add(-1);
}

void WaitingRoom::take(Waiter* w) {
  if (!w->known) {  // the batch in which it began to wait is still on its way
    w->came_home = true;
    return;
  }
  if (!w->retry) return leave(w, w->reply.view());
  w->retry = false;
  auto* job = new Retry(w);
  add_shards(*w->command, w->args.view(), *w->owed.client, home_.engine().mapping, job->shards);
  home_.lease(job);
}

void WaitingRoom::retried(Waiter* w, bool served) {
  if (served) return leave(w, w->reply.view());
  w->reply.clear();
  if (w->owed.client->closing)
    answer(w, End::kDisconnect);
  else if (w->timed_out)
    answer(w, End::kTimeout);
}

void WaitingRoom::run_timeouts(int64_t now_ms) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_ms) {
    Waiter* w = deadlines_.begin()->second;
    if (w->take()) {
      answer(w, End::kTimeout);
      continue;
    }
    w->timed_out = true;  // for the case that who has taken it cannot serve it
    deadlines_.erase(deadlines_.begin());
    in_timeouts.add(-1);
  }
}

bool WaitingRoom::end(Client& client, End how) {
  Waiter* w = client.waiter;
  if (!w || !w->take()) return false;
  answer(w, how);
  return true;
}

void WaitingRoom::end_all(Bytes error) {
  std::vector<Waiter*> all = waiters_;
  for (Waiter* w : all) {
    if (w->owed.client->waiter != w || !w->take()) continue;
    OutBuffer bytes;
    Reply r(bytes, w->owed.client->resp);
    r.error(error);
    home_.count_unserved(*w, r);
    w->owed.client->close_after_reply = true;
    leave(w, bytes.view());
  }
}

void WaitingRoom::end_where(const std::function<void(const Waiter&, Reply&)>& why) {
  std::vector<Waiter*> all = waiters_;
  for (Waiter* w : all) {
    if (w->owed.client->waiter != w || w->links.empty()) continue;
    OutBuffer bytes;
    Reply r(bytes, w->owed.client->resp);
    why(*w, r);
    if (!r.failed() || !w->take()) continue;
    home_.count_unserved(*w, r);
    leave(w, bytes.view());
  }
}

namespace {

AckCount acks_of(const Engine& engine, const AckNeed& need) {
  return engine.replication ? engine.replication->acknowledged_by(need.offset) : AckCount{};
}

// As soon as CONFIG SET says that no log is kept, although the file may still be open.
bool on_own_disk(const Engine& engine, const AckNeed& need) {
  return engine.options->get().keeps_log() && engine.mutations->synced() >= need.offset;
}

}  // namespace

bool WaitingRoom::acks_suffice(const Engine& engine, const AckNeed& need) {
  AckCount n = acks_of(engine, need);
  return (!need.local || on_own_disk(engine, need)) && (need.on_disk ? n.on_disk : n.replicas) >= need.replicas;
}

void WaitingRoom::write_acks(const Engine& engine, const AckNeed& need, Reply& reply) {
  AckCount n = acks_of(engine, need);
  if (!need.on_disk) return reply.integer(n.replicas);
  reply.array(2);
  reply.integer(on_own_disk(engine, need));
  reply.integer(n.on_disk);
}

void WaitingRoom::serve_acks() {
  std::vector<Waiter*> all = waiters_;
  for (Waiter* w : all) {
    if (!w->acks || w->owed.client->waiter != w) continue;
    bool file_gone = w->acks->local && !home_.engine().options->get().keeps_log();
    if ((file_gone || acks_suffice(home_.engine(), *w->acks)) && w->take()) answer(w, file_gone ? End::kNoFile : End::kTimeout);
  }
}

void WaitingRoom::answer(Waiter* w, End how) {
  OutBuffer bytes;
  Reply r(bytes, w->owed.client->resp);
  if (how == End::kTimeout && w->acks)
    write_acks(home_.engine(), *w->acks, r);
  else if (how == End::kTimeout)
    r.null_array();
  if (how == End::kNoFile) r.error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
  if (how == End::kError) r.error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
  home_.count_unserved(*w, r);
  leave(w, bytes.view());
}

void WaitingRoom::leave(Waiter* w, Bytes reply) {
  in_timeouts.add(-static_cast<int64_t>(deadlines_.erase({w->deadline_ms, w})));
  w->owed.client->waiter = nullptr;
  count_out(*w);
  if (w->acks) home_.engine().replication->ack_waiters.fetch_sub(1, std::memory_order_relaxed);
  w->owed.client->log_end = std::max(w->owed.client->log_end, w->log_end);
  if (w->slow) home_.timekeeper().log_slow(std::move(w->slow), *w->owed.client);
  home_.finish(w->owed, reply);
  forget(w);
}

// Takes it out of the queues in which it stands still. Others may see it there until then, but not take it.
void WaitingRoom::forget(Waiter* w) {
  ShardSet shards;
  for (const WaiterLink& l : w->links)
    if (l.queue) shards.set(static_cast<size_t>(l.shard));
  auto here = static_cast<size_t>(home_.self());
  if (shards.test(here) && !home_.leased_out()) {
    forget_on(*w, home_.shard());
    shards.reset(here);
  }
  w->forgetting = shards.count();
  if (!w->forgetting) return free(w);
  w->forgets.reserve(w->forgetting);
  for (size_t s = shards._Find_first(); s < kMaxShards; s = shards._Find_next(s)) {
    Waiter::Forget& f = w->forgets.emplace_back();
    f.waiter = w;
    f.run = [](Task& t, Executor& there) { forget_on(*static_cast<Waiter::Forget&>(t).waiter, there.shard()); };
    f.done = [](Task& t, Executor& home) {
      Waiter* forgotten = static_cast<Waiter::Forget&>(t).waiter;
      if (--forgotten->forgetting == 0) home.waiting_room().free(forgotten);
    };
    home_.send_task(static_cast<int>(s), &f);
  }
}

void WaitingRoom::forget_on(Waiter& w, Shard& shard) {
  for (WaiterLink& l : w.links)
    if (l.shard == shard.id()) shard.blocked.remove(l);
}

void WaitingRoom::free(Waiter* w) {
  waiters_[w->place] = waiters_.back();
  waiters_[w->place]->place = w->place;
  waiters_.pop_back();
  delete w;
}

}  // namespace ringwood
