#include "persist/persistence.h"

#include <cerrno>
#include <utility>

#include "engine/exec/executor.h"

namespace ringwood {

namespace {

constexpr int64_t kRetryMs = 5000;

}  // namespace

// The file of SAVE and BGSAVE as a sink. A save is over when the file is, and no more of the image will come.
class Persistence::File final : public SnapshotSink {
 public:
  File(Persistence& owner, FileIo& io) : owner_(owner), saver_(io) {}

  // Of both the image and the file, what is still under way is called off. On the thread of the save.
  void cancel() {
    if (image_ended_ && !file_ended_) saver_.cancel();
  }

  int thread() const { return home_->self(); }

 private:
  void at_cut(Executor& home, SnapshotInfo&) override {
    const Options& o = home.options();
    home_ = &home;
    image_ended_ = file_ended_ = false;
    saver_.start({o.dir, o.dbfilename, owner_.process_id_}, saved, written, this);
    owner_.at_cut(home);
  }
  void take(OutBuffer chunk) override { saver_.add(std::move(chunk)); }
  void complete() override {
    image_ended_ = true;
    saver_.end();
    if (file_ended_) owner_.on_finished(result_);
  }
  void broken() override {
    image_ended_ = true;
    if (!file_ended_) return saver_.cancel();
    owner_.on_finished(result_);
  }
  static void written(void* self) {
    auto& file = *static_cast<File*>(self);
    file.owner_.snapshots_.consumed(file);
  }
  static void saved(void* self, const Saver::Result& result) {
    auto& file = *static_cast<File*>(self);
    file.file_ended_ = true;
    file.result_ = result;
    if (file.image_ended_) return file.owner_.on_finished(result);
    file.owner_.cancel(*file.home_);  // the disk is full, say: the rest of the image is for nobody
  }

  Persistence& owner_;
  Saver saver_;
  Executor* home_ = nullptr;
  bool image_ended_ = true, file_ended_ = true;
  Saver::Result result_;
};

Persistence::Persistence(Engine& engine, const std::vector<FileIo*>& io, int process_id, OwnedBytes server_version, SaveObserver* observer)
    : engine_(engine),
      process_id_(process_id),
      server_version_(std::move(server_version)),
      observer_(observer),
      snapshots_(engine, server_version_, functions_),
      last_save_s_(engine.start_ms / 1000) {
  for (FileIo* i : io) files_.push_back(std::make_unique<File>(*this, *i));
}
Persistence::~Persistence() = default;

bool Persistence::save_held(Executor& home, bool background, Done done, void* context) {
  if (saving_.exchange(true, std::memory_order_acq_rel)) return false;
  File* file = files_[static_cast<size_t>(home.self())].get();
  if (snapshots_.busy()) {
    saving_.store(false, std::memory_order_release);
    return false;
  }
  background_ = background;
  done_ = done;
  context_ = context;
  current_ = file;
  scheduled_ = false;
  started_s_ = home.now_ms() / 1000;
  last_try_ms_ = home.now_ms();
  saves_++;
  if (observer_) observer_->save_started(background);
  return snapshots_.start_held(home, *file);  // every shard is held: nobody came between
}

void Persistence::at_cut(Executor&) {
  for (Shard* s : engine_.shards) {
    unsaved_ += s->stats.dirty.get();
    s->stats.dirty.set(0);
  }
}

void Persistence::on_finished(const Saver::Result& result) {
  int64_t now_s = engine_.clock->unix_ms() / 1000;
  last_seconds_ = now_s - started_s_;
  last_pre_image_bytes_ = snapshots_.pre_image_bytes();
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

Persistence::Cancelled Persistence::cancel_held(Executor& here) {
  bool was_scheduled = scheduled_.exchange(false);
  if (!saving()) return was_scheduled ? Cancelled::kScheduled : Cancelled::kNothing;
  File* file = current_;
  snapshots_.cancel_held(here, *file);
  struct Cancel final : Task {
    File* file;
  };
  auto* t = new Cancel;
  t->file = file;
  t->run = [](Task& task, Executor&) { static_cast<Cancel&>(task).file->cancel(); };
  t->done = [](Task& task, Executor&) { delete static_cast<Cancel*>(&task); };
  here.send_task(file->thread(), t);
  return Cancelled::kUnderWay;
}

struct Persistence::CancelJob final : LeaseJob {
  Persistence* owner = nullptr;
  void run(Executor& here) override { owner->cancel_held(here); }
  void finished(Executor&) override { delete this; }
};

void Persistence::cancel(Executor& here) {
  auto* job = new CancelJob;
  job->owner = this;
  here.with_all_shards(job);
}

bool Persistence::due(const Options& options, int64_t now_ms) const {
  if (saving() || snapshots_.busy()) return false;
  if (!last_ok() && now_ms - last_try_ms_.load(std::memory_order_relaxed) <= kRetryMs) return false;
  if (scheduled_.load(std::memory_order_relaxed)) return true;
  int64_t changes = changes_since_save();
  for (const SavePoint& p : options.save)
    if (changes >= p.changes && now_ms / 1000 - last_save_s() > p.seconds) return true;
  return false;
}

OwnedBytes Persistence::temporary_file(const Options& options) const { return Saver::temporary(options.dir, process_id_); }

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
