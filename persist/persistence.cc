#include "persist/persistence.h"

#include <cerrno>
#include <utility>

#include "engine/base/memory.h"
#include "engine/exec/executor.h"
#include "persist/replication_place.h"
#include "persist/snapshot.h"

namespace ringwood {

namespace {

constexpr int64_t kRetryMs = 5000;

}  // namespace

Persistence::Persistence(Engine& engine, const std::vector<FileIo*>& io, int process_id, OwnedBytes server_version, SaveObserver* observer)
    : engine_(engine),
      process_id_(process_id),
      server_version_(std::move(server_version)),
      observer_(observer),
      snapshots_(engine, server_version_, functions_),
      last_save_s_(engine.start_ms / 1000) {
  for (FileIo* i : io) savers_.push_back(std::make_unique<Saver>(*i));
}
Persistence::~Persistence() = default;

bool Persistence::save_held(Executor& home, bool background, Done done, void* context) {
  if (saving_.exchange(true, std::memory_order_acq_rel)) return false;
  const Options& o = home.options();
  background_ = background;
  done_ = done;
  context_ = context;
  started_s_ = home.now_ms() / 1000;
  last_try_ms_ = home.now_ms();
  saves_++;
  if (observer_) observer_->save_started(background);

  SnapshotInfo info;
  info.write = {o.rdb_version, o.rdbcompression};
  info.access = {o.maxmemory_policy, home.now_ms(), static_cast<int>(o.lfu_decay_time)};
  info.server_version = server_version_;
  info.now_ms = home.now_ms();
  info.used_memory = memory::used();
  add_replication_place(info, engine_);
  Saver::Job job;
  job.folder = o.dir;
  job.file = o.dbfilename;
  job.process_id = process_id_;
  job.compute_checksum = o.rdbchecksum;
  job.chunks = encode_data_set(engine_.shards, functions_, info);
  for (Shard* s : engine_.shards) {
    unsaved_ += s->stats.dirty.get();
    s->stats.dirty.set(0);
  }
  savers_[static_cast<size_t>(home.self())]->start(std::move(job), finished, this);
  return true;
}

void Persistence::finished(void* context, const Saver::Result& result) { static_cast<Persistence*>(context)->on_finished(result); }

void Persistence::on_finished(const Saver::Result& result) {
  int64_t now_s = engine_.clock->unix_ms() / 1000;
  last_seconds_ = now_s - started_s_;
  if (!result.error) {
    last_save_s_ = now_s;
    unsaved_ = 0;
  }
  // As in Redis a failure counts in the background alone, where nobody reads an answer. A save that was called off says nothing about the disk.
  if (!result.error || (background_ && !result.cancelled)) last_ok_ = result.error == 0;
  refresh_gate(engine_.options->get());
  if (observer_) observer_->save_finished(background_, result);
  Done done = done_;
  void* context = context_;
  saving_.store(false, std::memory_order_release);
  if (done) done(context, result);
}

// Waits for the lease, then saves.
struct Persistence::SaveJob final : LeaseJob {
  Persistence* owner = nullptr;
  bool background = false;
  Done done = nullptr;
  void* context = nullptr;
  bool begun = false;
  void run(Executor& home) override { begun = owner->save_held(home, background, done, context); }
  void finished(Executor&) override {
    if (!begun && done) {
      Saver::Result busy;
      busy.error = EBUSY;
      busy.step = "begin a save while another is under way";
      done(context, busy);
    }
    delete this;
  }
};

void Persistence::save(Executor& home, bool background, Done done, void* context) {
  auto* job = new SaveJob;
  job->owner = this;
  job->background = background;
  job->done = done;
  job->context = context;
  for (size_t i = 0; i < engine_.shards.size(); i++) job->shards.set(i);
  home.with_all_shards(job);
}

void Persistence::cancel(Executor& home) {
  Saver& saver = *savers_[static_cast<size_t>(home.self())];
  if (saver.busy()) saver.cancel();
}

bool Persistence::due(const Options& options, int64_t now_ms) const {
  if (saving()) return false;
  if (!last_ok() && now_ms - last_try_ms_.load(std::memory_order_relaxed) <= kRetryMs) return false;
  int64_t changes = changes_since_save();
  for (const SavePoint& p : options.save)
    if (changes >= p.changes && now_ms / 1000 - last_save_s() > p.seconds) return true;
  return false;
}

int64_t Persistence::changes_since_save() const {
  int64_t n = unsaved_.load(std::memory_order_relaxed);
  for (const Shard* s : engine_.shards) n += s->stats.dirty.get();
  return n;
}

void Persistence::refresh_gate(const Options& options) {
  if (!last_ok() && options.stop_writes_on_bgsave_error && !options.save.empty())
    engine_.state.fetch_or(kStateSaveFailed, std::memory_order_relaxed);
  else
    engine_.state.fetch_and(~uint32_t{kStateSaveFailed}, std::memory_order_relaxed);
}

void Persistence::loaded() {
  unsaved_ = 0;
  for (Shard* s : engine_.shards) s->stats.dirty.set(0);
}

}  // namespace ringwood
