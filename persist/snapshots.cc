#include "persist/snapshots.h"

#include <utility>

#include "engine/base/crc.h"
#include "engine/base/memory.h"
#include "engine/exec/executor.h"
#include "persist/replication_place.h"
#include "persist/snapshot_format.h"
#include "persist/snapshot_head.h"

namespace ringwood {

Snapshots::Snapshots(Engine& engine, OwnedBytes server_version, const std::vector<OwnedBytes>& functions)
    : engine_(engine), server_version_(std::move(server_version)), functions_(functions), waiting_(engine.shards.size()) {
  for (Shard* s : engine.shards) parts_.push_back(std::make_unique<SnapshotPart>(*this, *s, pace));
}

Snapshots::~Snapshots() {
  for (auto& p : parts_) p->stop();
}

// Entries carry the epochs from that of the last whole snapshot on. Before the number comes round to it again, which takes 16383 failures in a row, all are
// made alike.
uint16_t Snapshots::next_epoch() {
  auto next = static_cast<uint16_t>((epoch_ + 1) & Entry::kEpochMax);
  if (next == oldest_epoch_) {
    for (Shard* s : engine_.shards)
      for (int i = 0; i < s->databases(); i++) s->database(i).for_each([this](Entry* e) { e->set_epoch(epoch_); });
    oldest_epoch_ = epoch_;
  }
  return epoch_ = next;
}

bool Snapshots::start_held(Executor& home, SnapshotSink& sink) {
  if (busy_.exchange(true, std::memory_order_acq_rel)) return false;
  const Options& o = home.options();
  SnapshotInfo info;
  info.write = {o.rdb_version, o.rdbcompression};
  info.access = AccessRule::of(o, home.now_ms());
  info.checksum = o.rdbchecksum;
  info.server_version = server_version_;
  info.now_ms = home.now_ms();
  info.used_memory = memory::used();
  raise_version(info, engine_.shards);
  add_replication_place(info, engine_);
  sink.at_cut(home, info);

  number_++;
  bytes_done_.store(0, std::memory_order_relaxed);
  home_ = home.self();
  sink_ = &sink;
  info_ = info;
  checksum_ = 0;
  open_ = -1;
  shards_left_ = parts_.size();
  given_.clear();
  for (auto& w : waiting_) w.clear();
  uint16_t epoch = next_epoch();
  for (auto& p : parts_) p->begin(number_, home_, epoch, info, o.rdb_key_save_delay);

  // The head goes the way of all chunks, so that the sink hears of nothing inside of the command that made the cut.
  struct Head final : Task {
    Snapshots* owner;
    uint64_t number;
    OutBuffer bytes;
  };
  auto* t = new Head;
  t->owner = this;
  t->number = number_;
  put_head(t->bytes, engine_.shards, functions_, info);
  t->run = [](Task& task, Executor&) {
    auto& h = static_cast<Head&>(task);
    Snapshots& s = *h.owner;
    if (h.number != s.number_ || !s.sink_) return;
    if (s.info_.checksum) s.checksum_ = crc64(0, h.bytes.view());
    if (s.info_.encoder) s.info_.encoder->pack(h.bytes, -1, {});
    s.give(-1, std::move(h.bytes));
  };
  t->done = [](Task& task, Executor&) { delete static_cast<Head*>(&task); };
  home.send_task(home_, t);
  return true;
}

void Snapshots::cancel_held(Executor& here, const SnapshotSink& sink) {
  if (sink_ != &sink) return;
  for (auto& p : parts_) p->stop();
  struct Cancel final : Task {
    Snapshots* owner;
    uint64_t number;
  };
  auto* t = new Cancel;
  t->owner = this;
  t->number = number_;
  t->run = [](Task& task, Executor&) {
    auto& c = static_cast<Cancel&>(task);
    Snapshots& s = *c.owner;
    if (c.number != s.number_ || !s.sink_) return;  // it has come to its end meanwhile
    SnapshotSink* called_off = s.sink_.exchange(nullptr);
    for (auto& w : s.waiting_) w.clear();
    s.busy_.store(false, std::memory_order_release);
    called_off->broken();
  };
  t->done = [](Task& task, Executor&) { delete static_cast<Cancel*>(&task); };
  here.send_task(home_, t);
}

// --- on the snapshot's thread

void Snapshots::arrived(Executor& home, uint64_t number, int shard, SnapshotChunk& chunk) {
  if (number != number_ || !sink_) return;
  waiting_[static_cast<size_t>(shard)].push_back(std::move(chunk));
  hand_on(home);
}

void Snapshots::hand_on(Executor&) {
  for (size_t shard = 0; shard < waiting_.size();) {
    if (open_ >= 0) shard = static_cast<size_t>(open_);
    std::deque<SnapshotChunk>& queue = waiting_[shard];
    if (queue.empty()) {
      if (open_ >= 0) return;  // what others have sent waits
      shard++;
      continue;
    }
    SnapshotChunk chunk = std::move(queue.front());
    queue.pop_front();
    bool was_open = open_ >= 0;
    open_ = chunk.open ? static_cast<int>(shard) : -1;
    if (info_.checksum) checksum_ = crc64_join(checksum_, chunk.checksum, chunk.unpacked);
    shards_left_ -= chunk.last;
    give(static_cast<int>(shard), std::move(chunk.bytes));
    if (!sink_) return;
    if (was_open && open_ < 0) shard = 0;  // the others' turn
  }
  if (shards_left_) return;
  OutBuffer tail;
  put_tail(tail, info_, checksum_);
  if (info_.encoder) info_.encoder->pack(tail, -1, {});
  give(-1, std::move(tail));
  if (!info_.without_keys && !info_.only) oldest_epoch_ = epoch_;  // else no entry has been seen
  SnapshotSink* sink = sink_.exchange(nullptr);
  given_.clear();
  busy_.store(false, std::memory_order_release);
  sink->complete();
}

void Snapshots::give(int shard, OutBuffer bytes) {
  given_.push_back(shard);
  bytes_done_.fetch_add(bytes.size(), std::memory_order_relaxed);
  sink_.load()->take(std::move(bytes));
}

void Snapshots::consumed(const SnapshotSink& sink) {
  if (sink_ != &sink || given_.empty()) return;
  int shard = given_.front();
  given_.pop_front();
  if (shard < 0) return;
  struct Credit final : Task {
    SnapshotPart* part;
    uint64_t number;
  };
  auto* t = new Credit;
  t->part = parts_[static_cast<size_t>(shard)].get();
  t->number = number_;
  t->run = [](Task& task, Executor&) {
    auto& c = static_cast<Credit&>(task);
    c.part->consumed(c.number, 1);
  };
  t->done = [](Task& task, Executor&) { delete static_cast<Credit*>(&task); };
  engine_.executors[static_cast<size_t>(home_)]->send_task(shard, t);
}

int64_t Snapshots::keys_done() const {
  int64_t n = 0;
  if (busy())
    for (const auto& p : parts_) n += p->walk().keys_done();
  return n;
}

int64_t Snapshots::keys_in_all() const {
  int64_t n = 0;
  if (busy())
    for (const auto& p : parts_) n += p->walk().keys_in_all();
  return n;
}

int64_t Snapshots::pre_image_bytes() const {
  int64_t n = 0;
  for (const auto& p : parts_) n += p->walk().pre_image_bytes();
  return n;
}

}  // namespace ringwood
