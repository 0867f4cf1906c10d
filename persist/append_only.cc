#include "persist/append_only.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>

#include "engine/base/error_text.h"
#include "engine/base/memory.h"
#include "engine/base/number.h"
#include "engine/exec/cluster.h"
#include "engine/exec/eviction.h"
#include "engine/exec/replication.h"
#include "persist/aof_commands.h"

namespace ringwood {
namespace {

constexpr int64_t kRetryMs = 5000;
constexpr uint64_t kOnItsWay = 6 << 20;   // what a log takes beyond its bound: it is acknowledged, or being written, when that is reached
constexpr uint64_t kLookBytes = 1 << 20;  // by which a log grows before somebody looks whether it has become too big

}  // namespace

AppendOnly::AppendOnly(Engine& engine, Persistence& persistence, FileIo& io, int process_id)
    : engine_(engine),
      persistence_(persistence),
      process_id_(process_id),
      format_(engine.options->get().persistence == PersistenceKind::kWal ? wal_format() : aof_format()),
      load_(engine, io),
      writer_(*engine.mutations, io, *this),
      steps_(io, "aof-rename"),
      base_file_(io, *this) {}

OwnedBytes AppendOnly::folder() const {
  const Options& o = engine_.options->get();
  return o.dir + "/" + format_.folder(o);
}

void AppendOnly::say(LogLevel level, const char* format, ...) {
  if (!engine_.log) return;
  char text[1000];
  va_list args;
  va_start(args, format);
  std::vsnprintf(text, sizeof text, format, args);
  va_end(args);
  engine_.log->write(level, "%s", text);
}

// --- each turn

bool AppendOnly::turn(Executor& home, bool cron) {
  home_ = &home;
  if (load_.active()) return load_.advance(home);
  writer_.look_at_patience();
  const bool freed = format_.bounds_disk() && on() && pace_beside_save();
  if (stage_ == Stage::kIdle && outdated()) rewrite_wanted_ = true;
  const bool grown = format_.bounds_disk() && before_ + writer_.size() >= size_ + kLookBytes;
  const bool paces_on = writer_.paced() && !beside_save_;  // an image has ended: the next one may be due at once
  if (!cron && !freed && !((rewrite_wanted_ || grown || paces_on) && stage_ == Stage::kIdle)) return false;
  const Options& o = home.options();
  writer_.set_full_at(format_.segment_bytes(o));
  writer_.tick(home);
  delayed_ = writer_.delayed_syncs();
  size_ = before_ + writer_.size();
  if (opening_) {
    if (stage_ == Stage::kCut) cut(home);
    return false;
  }
  make_up_for_sync();
  if (o.keeps_log() != on() && stage_ == Stage::kIdle) follow_option(home);
  if (!o.keeps_log() && on()) return false;  // not off yet
  if (stage_ == Stage::kCut) {
    if (persistence_.snapshots().busy() && !beside_save_) writer_.pace(false);  // for as long as a replica takes nobody is held back
    cut(home);
  }
  bool may_retry = !last_failure_ms_ || home.now_ms() - last_failure_ms_ > kRetryMs;
  if (stage_ == Stage::kIdle && !persistence_.snapshots().busy() && !steps_.busy() &&
      ((rewrite_wanted_ && (may_retry || !writer_.frozen())) || (rewrite_due(o) && may_retry)))
    begin_rewrite(home);
  if (stage_ == Stage::kIdle && paces_on) writer_.pace(false);
  return false;
}

uint64_t AppendOnly::data_bytes() const {
  const uint64_t used = memory::used(), besides = engine_.startup_memory + engine_.mutations->memory() + client_bytes(engine_);
  return used > besides ? used - besides : 0;
}

// The next image will be to the data set what the last one was.
DiskBound::Sizes AppendOnly::sizes() const {
  const uint64_t data = data_bytes();
  const double grown = image_data_ ? static_cast<double>(data) / static_cast<double>(image_data_) : 1.0;
  const double percent = engine_.options->get().wal_disk_percentage;
  const auto limit = static_cast<uint64_t>(static_cast<double>(data) * percent / 100);
  return {size_ + writer_.beyond() + engine_.mutations->keeper_lag(), image_size_,
          static_cast<uint64_t>(static_cast<double>(image_size_) * grown), limit - std::min(kOnItsWay, limit / 10)};
}

bool AppendOnly::rewrite_due(const Options& o) const {
  if (!on() || !o.auto_aof_rewrite_percentage || size_ <= static_cast<uint64_t>(o.auto_aof_rewrite_min_size)) return false;
  if (format_.bounds_disk() && o.wal_disk_percentage && bound_.due(sizes())) return true;
  uint64_t base = base_size_ ? base_size_.load() : 1;
  if (size_ < base) return false;
  return (size_ * 100 / base) - 100 >= static_cast<uint64_t>(o.auto_aof_rewrite_percentage);
}

void AppendOnly::follow_option(Executor& home) {
  home_ = &home;
  bool wanted = home.options().keeps_log();
  if (wanted == on()) return;
  if (wanted)
    rewrite_wanted_ = true;  // begins to write with the cut of a rewrite
  else
    turn_off(home);
}

void AppendOnly::turn_off(Executor& home) {
  if (!writer_.settled(true)) return writer_.finish();  // looked at again by turn()
  writer_.stop(home);
  on_ = whole_ = false;
  engine_.mutations->set_synced(-1);
  wake_waiters();
  write_ok_ = true;
  engine_.state.fetch_and(~uint32_t{kStateAofFailed}, std::memory_order_relaxed);
}

bool AppendOnly::flush() {
  if (!writer_.on()) return true;
  engine_.mutations->hold_writers(true);
  if (writer_.settled(true)) return true;
  writer_.finish();
  return false;
}

// --- rewriting

void AppendOnly::begin_rewrite(Executor& home) {
  if (mkdir(folder().c_str(), 0755) && errno != EEXIST) return rewrite_failed("create the directory", errno);
  rewriting_ = true;
  rewrite_wanted_ = false;
  rewrite_started_ms_ = home.now_ms();
  started_s_ = home.now_ms() / 1000;
  if (!opening_) say(LogLevel::kNotice, "Background append only file rewriting started");
  listed_ = false;
  const Options& o = home.options();
  if (!on() && !o.keeps_log()) {  // a base and nothing behind it
    next_ = manifest_;
    next_.retire_incr(0);
    stage_ = Stage::kCut;
    return cut(home);
  }
  stage_ = Stage::kOpenIncr;
  // Otherwise what stands in the directory is no data set of ours, or of another history, and the manifest is written at the end.
  listed_ = on() && !outdated() && unnamed_.empty();
  next_ = manifest_;
  OwnedBytes name = next_.add_incr(stem(), format_.log_suffix()).name;
  if (opening_) say(LogLevel::kNotice, "Creating AOF incr file %s on server start", name.c_str());
  manifest_.incr_seq = next_.incr_seq;  // no name is used twice
  if (listed_) manifest_ = next_;
  next_.retire_incr(1);
  next_.history.insert(next_.history.end(), unnamed_.begin(), unnamed_.end());
  if (listed_) {
    make_file_then_list(folder() + "/" + name);
    writer_.sync_ahead();
    begin_pace();
  }
  steps_.open(folder() + "/" + name, O_WRONLY | O_CREAT | O_TRUNC);
  steps_.run(new_incr_ready, this);
}

void AppendOnly::new_incr_ready(void* self, int error, const char* what) {
  auto& aof = *static_cast<AppendOnly*>(self);
  if (error) return aof.rewrite_failed(what, error);
  aof.new_fd_ = aof.steps_.take_fd();
  aof.stage_ = Stage::kCut;
  aof.cut(*aof.home_);
}

// A full sync has come since the file was entered into the manifest, where nothing may be written to it any more: there is to be another.
bool AppendOnly::begin_again(Executor& home) {
  if (!listed_ || !outdated()) return false;
  ::close(std::exchange(new_fd_, -1));
  begin_rewrite(home);
  return true;
}

struct AppendOnly::CutJob final : LeaseJob {
  AppendOnly* aof;
  std::vector<OutBuffer> commands;
  bool begun = false;
  explicit CutJob(AppendOnly* a) : aof(a) {}
  void run(Executor& home) override {
    if (!aof->may_cut(home)) return;  // again by turn()
    if (!aof->format_.base_as_commands(home.options())) {
      begun = aof->persistence_.snapshots().start_held(home, *aof);
      return;
    }
    begun = true;
    SnapshotInfo info;
    aof->from_snapshot_ = false;
    aof->at_cut(home, info);
    if (home.options().aof_timestamp_enabled) {
      commands.emplace_back();
      commands.back().append("#TS:" + int64_text(home.now_ms() / 1000) + "\r\n");
    }
    for (OutBuffer& c : commands_of_data_set(aof->engine_.shards, aof->persistence_.functions(), home.now_ms()))
      commands.push_back(std::move(c));
  }
  void finished(Executor&) override {
    aof->cut_under_way_ = false;
    if (begun && !aof->from_snapshot_) {
      for (OutBuffer& c : commands) aof->base_file_.add(std::move(c));
      aof->base_file_.end();
    }
    delete this;
  }
};

// With every shard held. A data set that is being loaded is not there yet.
bool AppendOnly::may_cut(Executor& home) const {
  const Engine& engine = home.engine();
  if (engine.cluster && engine.cluster->value_arrives()) return false;
  if (!opening_ && (engine.state.load(std::memory_order_relaxed) & kStateLoading)) return false;
  return !(listed_ && outdated());
}

// Tried again by turn() while another snapshot is under way.
void AppendOnly::cut(Executor& home) {
  if (cut_under_way_ || base_file_.busy() || writer_.switching() || begin_again(home)) return;
  cut_under_way_ = true;
  from_snapshot_ = true;
  home.with_all_shards(new CutJob(this));
}

void AppendOnly::at_cut(Executor& home, SnapshotInfo& info) {
  if (outdated()) whole_ = false;
  restarts_ = engine_.mutations->restarts();
  info.aof_base = true;
  base_file_.begin(folder() + "/temp-rewriteaof-bg-" + int64_text(process_id_) + ".aof");
  const int64_t sequence = next_.incr.empty() ? -1 : next_.incr.back().seq;
  since_cut_ = 0;
  size_ = before_ + writer_.size();
  if (on()) begin_pace();
  image_data_ = data_bytes();
  cut_restores_ = writer_.frozen();
  cut_file_open_ = on();
  if (new_fd_ >= 0) {
    LogWriter::File file{new_fd_, sequence, 0, folder() + "/" + next_.incr.back().name};
    if (on()) {
      writer_.switch_file(std::move(file));
    } else {
      opened_size_ = 0;
      writer_.start(home, format_.encoder(*engine_.commands), std::move(file), first_place());
      on_ = true;
    }
    new_fd_ = -1;
    if (!listed_) unnamed_.push_back(next_.incr.back());
  }
  stage_ = Stage::kSnapshot;  // not before: until the next file has been told to the writer, a full one would ask for another (file_full)
  image_ = format_.image({0, writer_.id()}, sequence, home.now_ms());
  if (!image_) return;
  image_head_ = image_->begin();
  info.checksum = false;  // every block has its own
  info.encoder = image_.get();
  info.write = {rdb::kMaxWriteVersion, false};
}

void AppendOnly::take(OutBuffer chunk) {
  if (image_) {
    image_->place(chunk);
    if (!image_head_.empty()) {
      image_head_.append(chunk.view());
      chunk.clear();
      chunk.swap(image_head_);
    }
  }
  base_file_.add(std::move(chunk));
}

void AppendOnly::complete() {
  if (image_) {
    OutBuffer tail = image_->end();
    if (!tail.empty()) base_file_.add(std::move(tail));
  }
  if (writer_.paced()) writer_.allow(bound_.room_at_end());
  base_file_.end();
}

void AppendOnly::chunk_written() {
  if (writer_.paced()) writer_.allow(bound_.room_at(base_file_.size()));
  if (from_snapshot_) persistence_.snapshots().consumed(*this);
}

void AppendOnly::file_done(int error, const char* what) {
  image_.reset();
  if (rolling_ && !error) {
    base_waiting_ = true;  // the manifest is in work
    return;
  }
  if (error) return rewrite_failed(what, error);
  stage_ = Stage::kRename;
  bool image = from_snapshot_;
  OwnedBytes name = next_.set_base(stem(), format_.base_suffix(image)).name;
  if (opening_) say(LogLevel::kNotice, "Creating AOF base file %s on server start", name.c_str());
  steps_.rename(base_file_.path(), folder() + "/" + name);
  steps_.replace_file(folder(), manifest_name(), format_.manifest_text(next_));
  steps_.run(base_renamed, this);
}

// --- the next file of the log

void AppendOnly::file_full() {
  if (rolling_ || steps_.busy() || (stage_ != Stage::kIdle && stage_ != Stage::kSnapshot)) return;
  if (roll_failed_ms_ && engine_.clock->unix_ms() - roll_failed_ms_ < kRetryMs) return;
  rolling_ = true;
  rolled_ = manifest_.add_incr(stem(), format_.log_suffix());
  const OwnedBytes path = folder() + "/" + rolled_.name;
  if (unnamed_.empty())
    make_file_then_list(path);
  else
    manifest_.incr.pop_back();
  writer_.sync_ahead();
  steps_.open(path, O_WRONLY | O_CREAT | O_TRUNC);
  steps_.run(next_ready, this);
}

void AppendOnly::next_ready(void* self, int error, const char* what) {
  auto& aof = *static_cast<AppendOnly*>(self);
  aof.rolling_ = false;
  aof.roll_failed_ms_ = error ? aof.engine_.clock->unix_ms() : 0;
  if (error) {  // the file that is full goes on meanwhile
    aof.say(LogLevel::kWarning, "Can't %s the next file of the log, %s: %s", what, aof.rolled_.name.c_str(), error_text(error).c_str());
    if (aof.unnamed_.empty()) aof.manifest_.incr.pop_back();
  } else {
    const AofFile& file = aof.rolled_;
    if (!aof.unnamed_.empty()) aof.unnamed_.push_back(file);
    if (aof.stage_ == Stage::kSnapshot) {  // it belongs to what goes on from the new base as well
      aof.next_.incr.push_back(file);
      aof.next_.incr_seq = aof.manifest_.incr_seq;
    }
    aof.writer_.follow_with({aof.steps_.take_fd(), file.seq, 0, aof.folder() + "/" + file.name});
  }
  if (std::exchange(aof.base_waiting_, false)) aof.file_done(0, "");
}

void AppendOnly::file_switched(uint64_t old_size) {
  before_ += old_size;
  if (!std::exchange(cut_file_open_, false)) since_cut_ += old_size;
}

// Of a log that has no file yet, or of what goes on behind the files that were read.
LogPlace AppendOnly::first_place() {
  while (!place_.id) place_.id = home_->shard().random.next();
  return place_;
}

// From here on the new files are the data set.
void AppendOnly::base_renamed(void* self, int error, const char* what) {
  auto& aof = *static_cast<AppendOnly*>(self);
  if (error) return aof.rewrite_failed(what, error);
  aof.manifest_ = aof.next_;
  aof.unnamed_.clear();
  aof.stage_ = Stage::kRetire;
  if (aof.engine_.options->get().aof_disable_auto_gc || aof.manifest_.history.empty()) return aof.rewrite_done();
  for (const AofFile& f : aof.manifest_.history) {
    aof.say(LogLevel::kNotice, "Removing the history file %s in the background", f.name.c_str());
    aof.steps_.unlink(aof.folder() + "/" + f.name);
  }
  aof.manifest_.history.clear();
  aof.write_manifest(history_removed);
}

void AppendOnly::history_removed(void* self, int error, const char* what) {
  auto& aof = *static_cast<AppendOnly*>(self);
  if (error) aof.say(LogLevel::kWarning, "Can't %s an AOF history file: %s", what, error_text(error).c_str());
  aof.rewrite_done();
}

void AppendOnly::rewrite_done() {
  stage_ = Stage::kIdle;
  end_image();
  image_size_ = base_file_.size();
  before_ = image_size_ + since_cut_;
  size_ = base_size_ = before_ + writer_.size();
  rewrites_++;
  failures_ = 0;
  rewrite_ok_ = true;
  last_failure_ms_ = 0;
  last_seconds_ = (engine_.clock->unix_ms() - rewrite_started_ms_) / 1000;
  rewriting_ = false;
  if (on()) base_is_whole();
  make_up_for_sync();
  if (opening_) return opened(true);
  say(LogLevel::kNotice, "Background AOF rewrite terminated with success");
  say(LogLevel::kNotice, "Background AOF rewrite finished successfully");
}

// Small data sets are nobody's trouble. Begun when the image is wanted, and anew with its first byte, when it is known what the log has taken until then.
void AppendOnly::begin_pace(bool beside_save) {
  const Options& o = engine_.options->get();
  size_ = before_ + writer_.size();
  if (!format_.bounds_disk() || !o.wal_disk_percentage || size_ <= static_cast<uint64_t>(o.auto_aof_rewrite_min_size)) {
    if (writer_.paced()) writer_.pace(false);
    return;
  }
  beside_save ? bound_.begin_elsewhere(sizes()) : bound_.begin(sizes());
  writer_.pace(true);
  writer_.allow(engine_.mutations->keeper_lag() + bound_.room_at_once());
}

// The image of a save keeps compaction from beginning: the log goes on in step with that. True when it has ended.
bool AppendOnly::pace_beside_save() {
  const bool beside = persistence_.saving() && persistence_.snapshots().busy() && (stage_ == Stage::kIdle || stage_ == Stage::kCut);
  if (beside && !beside_save_) begin_pace(true);
  if (beside && writer_.paced()) writer_.allow(bound_.room_at(persistence_.snapshots().bytes_done()));
  return std::exchange(beside_save_, beside) && !beside;
}

// Writers are held back until turn() has seen whether the next one is due: where they outrun the disk it is.
void AppendOnly::end_image() {
  if (writer_.paced()) bound_.end(since_cut_ + writer_.size(), writer_.held_back());
}

void AppendOnly::rewrite_failed(const char* what, int error) {
  say(LogLevel::kWarning, "Background AOF rewrite terminated with error: could not %s: %s", what, error_text(error).c_str());
  if (listed_ && stage_ == Stage::kOpenIncr) manifest_.incr.pop_back();  // nothing will ever stand in it
  stage_ = Stage::kIdle;
  rewriting_ = false;
  rewrite_ok_ = false;
  end_image();
  failures_++;
  rewrites_++;
  cut_restores_ = false;
  if (writer_.frozen() || !unnamed_.empty()) rewrite_wanted_ = true;
  last_failure_ms_ = engine_.clock->unix_ms();
  last_seconds_ = (engine_.clock->unix_ms() - rewrite_started_ms_) / 1000;
  if (new_fd_ >= 0) ::close(new_fd_);
  new_fd_ = -1;
  if (opening_) opened(false);
}

// A rewrite that was cut after an fsync had failed has succeeded: as soon as the file from before the cut is gone the log counts again.
void AppendOnly::make_up_for_sync() {
  if (!cut_restores_ || stage_ != Stage::kIdle || writer_.switching()) return;
  cut_restores_ = false;
  writer_.restored();
  write_recovered();
}

// --- who waits for the disk (WAITAOF)

void AppendOnly::base_is_whole() {
  whole_ = !outdated();
  file_synced();
}

void AppendOnly::file_synced() {
  if (!whole_ || outdated()) return;
  engine_.mutations->set_synced(static_cast<int64_t>(writer_.synced_offset()));
  wake_waiters();
}

void AppendOnly::wake_waiters() {
  if (!engine_.replication || !engine_.replication->ack_waiters.load(std::memory_order_relaxed)) return;
  for (Executor* e : engine_.executors) {
    auto* t = new Task;
    t->run = [](Task&, Executor& there) { there.waiting_room().serve_acks(); };
    t->done = [](Task& task, Executor&) { delete &task; };
    home_->send_task(e->self(), t);
  }
}

// --- trouble

void AppendOnly::write_failed(int error) {
  if (write_ok_ || engine_.clock->unix_ms() - last_error_log_ms_ > 30000) {
    say(LogLevel::kWarning, "Error writing to the AOF file: %s", error_text(error).c_str());
    last_error_log_ms_ = engine_.clock->unix_ms();
  }
  write_ok_ = false;
  engine_.append_error.store(error, std::memory_order_relaxed);
  engine_.state.fetch_or(kStateAofFailed, std::memory_order_relaxed);
}

void AppendOnly::write_recovered() {
  if (writer_.frozen()) return;
  say(LogLevel::kWarning, "AOF write error looks solved. The server can write again.");
  write_ok_ = true;
  engine_.state.fetch_and(~uint32_t{kStateAofFailed}, std::memory_order_relaxed);
}

// What the disk has lost then, nobody knows: the data set is written anew.
void AppendOnly::sync_failed(int error) {
  say(LogLevel::kWarning, "Fail to fsync the AOF file: %s. It will be rewritten.", error_text(error).c_str());
  write_ok_ = false;
  cut_restores_ = false;  // what a rewrite that is under way has not in its image may be lost
  engine_.append_error.store(error, std::memory_order_relaxed);
  engine_.state.fetch_or(kStateAofFailed, std::memory_order_relaxed);
  rewrite_wanted_ = true;
}

// --- INFO

void AppendOnly::write_info(InfoText& out, int64_t now_s) const {
  out.field("aof_enabled", engine_.options->get().keeps_log() ? 1 : 0);
  out.field("aof_rewrite_in_progress", rewriting() ? 1 : 0);
  out.field("aof_rewrite_scheduled", rewrite_scheduled() ? 1 : 0);
  out.field("aof_last_rewrite_time_sec", last_seconds_.load());
  out.field("aof_current_rewrite_time_sec", rewriting() ? now_s - started_s_.load() : int64_t{-1});
  out.field("aof_last_bgrewrite_status", rewrite_ok_ ? "ok" : "err");
  out.field("aof_rewrites", rewrites_.load());
  out.field("aof_rewrites_consecutive_failures", failures_.load());
  out.field("aof_last_write_status", write_ok_ ? "ok" : "err");
  out.field("aof_last_cow_size", 0);
  if (!on()) return;
  out.field("aof_current_size", static_cast<int64_t>(size_.load()));
  out.field("aof_base_size", static_cast<int64_t>(base_size_.load()));
  out.field("aof_pending_rewrite", 0);
  out.field("aof_buffer_length", static_cast<int64_t>(engine_.mutations->worst_lag()));
  out.field("aof_pending_bio_fsync", writer_.syncing() ? 1 : 0);
  out.field("aof_delayed_fsync", static_cast<int64_t>(delayed_.load() - delayed_base_.load()));
  // Ours: what is written and not yet in the file, as far as nothing may be lost of it, and whether that is so much that commands wait.
  const MutationLog& log = *engine_.mutations;
  out.field("mutation_log_memory", static_cast<int64_t>(log.memory()));
  out.field("mutation_log_lag", static_cast<int64_t>(log.keeper_lag()));
  out.field("mutation_log_limit", static_cast<int64_t>(log.limit()));
  out.field("mutation_log_writers_held", log.full() ? 1 : 0);
}

}  // namespace ringwood
