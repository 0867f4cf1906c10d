#include "persist/append_only.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>

#include "engine/base/number.h"
#include "engine/exec/replication.h"
#include "persist/aof_commands.h"

namespace ringwood {
namespace {

constexpr int64_t kRetryMs = 5000;

OwnedBytes error_text(int error) {
  char room[128];
  return strerror_r(error, room, sizeof room);
}

// Short files, read before the server serves anybody. False with errno.
bool read_file(const OwnedBytes& path, OwnedBytes& out) {
  FILE* f = std::fopen(path.c_str(), "re");
  if (!f) return false;
  char room[4096];
  for (size_t n; (n = std::fread(room, 1, sizeof room, f)) > 0;) out.append(room, n);
  std::fclose(f);
  return true;
}

bool exists(const OwnedBytes& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace

AppendOnly::AppendOnly(Engine& engine, Persistence& persistence, FileIo& io, int process_id)
    : engine_(engine),
      persistence_(persistence),
      process_id_(process_id),
      load_(engine, io),
      writer_(*engine.mutations, io, *this),
      steps_(io),
      base_file_(io, *this) {}

OwnedBytes AppendOnly::folder() const {
  const Options& o = engine_.options->get();
  return o.dir + "/" + o.appenddirname;
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

// --- starting

bool AppendOnly::prepare(Executor& home) {
  home_ = &home;
  bool used = engine_.options->get().appendonly;
  if (used && mkdir(folder().c_str(), 0755) && errno != EEXIST) {
    say(LogLevel::kWarning, "Can't open or create append-only dir %s: %s", folder().c_str(), error_text(errno).c_str());
    return false;
  }
  OwnedBytes path = folder() + "/" + AofManifest::file_name(stem()), text;
  if (!exists(path)) {
    say(LogLevel::kDebug, "The AOF manifest file %s doesn't exist", path.c_str());
    return !used || upgrade_old_file();
  }
  if (!read_file(path, text)) {
    say(LogLevel::kWarning, "Fatal error: can't open the AOF manifest file %s for reading: %s", path.c_str(), error_text(errno).c_str());
    return false;
  }
  auto error = parse_manifest(text, manifest_);
  if (!error) return finish_upgrade();
  if (error->line) {
    say(LogLevel::kWarning, "*** FATAL AOF MANIFEST FILE ERROR ***");
    say(LogLevel::kWarning, "Reading the manifest file, at line %d", error->line);
    say(LogLevel::kWarning, ">>> '%s'", error->text.c_str());
  }
  say(LogLevel::kWarning, "%s", error->reason);
  return false;
}

// Where upgrade_old_file() ended between its two steps, the file that the manifest names is where it was before.
bool AppendOnly::finish_upgrade() {
  OwnedBytes old = engine_.options->get().dir + "/" + stem(), moved = folder() + "/" + stem();
  if (!manifest_.base || !manifest_.incr.empty() || manifest_.base->name != stem() || exists(moved) || !exists(old)) return true;
  if (rename(old.c_str(), moved.c_str()) == 0) return true;
  say(LogLevel::kWarning, "Error trying to move the old AOF file %s into dir %s: %s", stem().c_str(), folder().c_str(),
      error_text(errno).c_str());
  return false;
}

// A single append-only file of before Redis 7 becomes the base of a directory.
bool AppendOnly::upgrade_old_file() {
  const Options& o = engine_.options->get();
  OwnedBytes old = o.dir + "/" + stem(), moved = folder() + "/" + stem();
  struct stat s;
  bool there = stat(old.c_str(), &s) == 0 && S_ISREG(s.st_mode) && s.st_size > 0;
  if (!there && !exists(moved)) return true;
  AofManifest m;
  m.base_seq = 1;
  m.base = AofFile{stem(), 1};
  OwnedBytes path = folder() + "/" + AofManifest::file_name(stem());
  // The manifest first: if we end between the two, the file that it names is found where it was.
  FILE* f = std::fopen(path.c_str(), "we");
  OwnedBytes text = m.text();
  bool written = f && std::fwrite(text.data(), 1, text.size(), f) == text.size() && std::fflush(f) == 0 && fsync(fileno(f)) == 0;
  if (f) std::fclose(f);
  if (!written || (there && rename(old.c_str(), moved.c_str()))) {
    say(LogLevel::kWarning, "Error trying to move the old AOF file %s into dir %s: %s", stem().c_str(), folder().c_str(),
        error_text(errno).c_str());
    unlink(path.c_str());
    return false;
  }
  manifest_ = std::move(m);
  say(LogLevel::kNotice, "Successfully migrated an old-style AOF configuration (%s) into the AOF directory (%s).", stem().c_str(),
      o.appenddirname.c_str());
  return true;
}

void AppendOnly::load(Executor& home, bool verify_checksum, bool again, Done done, void* context) {
  home_ = &home;
  loading_ = true;
  again_ = again;
  done_ = done;
  context_ = context;
  load_.start(home, folder(), manifest_, verify_checksum, loaded, this);
}

void AppendOnly::loaded(void* self, const AofLoad::Result& result) {
  auto& aof = *static_cast<AppendOnly*>(self);
  if (!result.ok) {
    aof.say(LogLevel::kWarning, "%s", result.error.c_str());
    aof.loading_ = false;
    return aof.done_(aof.context_, false);
  }
  if (aof.again_) {
    aof.loading_ = false;
    return aof.done_(aof.context_, true);
  }
  aof.opened_size_ = aof.manifest_.incr.empty() ? 0 : result.last_size;
  aof.base_size_ = static_cast<uint64_t>(aof.load_.figures().loaded.load());
  aof.opening_ = true;
  if (aof.manifest_.empty()) return aof.begin_rewrite(*aof.home_);  // the directory's first files
  aof.open_incr();
}

void AppendOnly::write_manifest(IoSteps::Done then) {
  steps_.replace_file(folder(), AofManifest::file_name(stem()), manifest_.text());
  steps_.run(then, this);
}

// A manifest never names a file that is not there, whenever the process ends.
void AppendOnly::make_file_then_list(const OwnedBytes& path) {
  steps_.open(path, O_WRONLY | O_CREAT | O_TRUNC);
  steps_.close();
  steps_.replace_file(folder(), AofManifest::file_name(stem()), manifest_.text());
}

// The incremental file to go on with, after a start.
void AppendOnly::open_incr() {
  bool fresh = manifest_.incr.empty();
  if (fresh) {
    manifest_.add_incr(stem());
    say(LogLevel::kNotice, "Creating AOF incr file %s on server start", manifest_.incr.back().name.c_str());
    make_file_then_list(folder() + "/" + manifest_.incr.back().name);
  } else {
    say(LogLevel::kNotice, "Opening AOF incr file %s on server start", manifest_.incr.back().name.c_str());
  }
  steps_.open(folder() + "/" + manifest_.incr.back().name, O_WRONLY | O_CREAT);
  steps_.run(incr_opened, this);
}

struct AppendOnly::StartJob final : LeaseJob {
  AppendOnly* aof;
  int fd;
  StartJob(AppendOnly* a, int f) : aof(a), fd(f) {}
  void run(Executor& home) override {
    aof->restarts_ = home.engine().mutations->restarts();
    aof->writer_.start(home, fd, aof->opened_size_);
  }
  void finished(Executor&) override {
    aof->on_ = true;
    aof->base_is_whole();
    aof->opened(true);
    delete this;
  }
};

void AppendOnly::incr_opened(void* self, int error, const char* what) {
  auto& aof = *static_cast<AppendOnly*>(self);
  if (error) {
    aof.say(LogLevel::kWarning, "Can't %s the append-only file %s: %s", what, aof.manifest_.incr.back().name.c_str(),
            error_text(error).c_str());
    return aof.opened(false);
  }
  aof.home_->with_all_shards(new StartJob(&aof, aof.steps_.take_fd()));
}

void AppendOnly::opened(bool ok) {
  opening_ = loading_ = false;
  engine_.state.fetch_and(~uint32_t{kStateLoading});
  done_(context_, ok);
}

// --- each turn

bool AppendOnly::turn(Executor& home, bool cron) {
  home_ = &home;
  if (load_.active()) return load_.advance(home);
  if (!cron && !(rewrite_wanted_ && stage_ == Stage::kIdle)) return false;
  const Options& o = home.options();
  writer_.tick(home);
  size_ = before_ + writer_.size();
  if (opening_) {
    if (stage_ == Stage::kCut) cut(home);
    return false;
  }
  if (o.appendonly != on() && stage_ == Stage::kIdle) follow_option(home);
  if (!o.appendonly && on()) return false;  // not off yet
  if (stage_ == Stage::kCut) cut(home);
  if (on() && restarts_ != engine_.mutations->restarts()) rewrite_wanted_ = true;  // a master's data set has taken the place of ours
  bool may_retry = !last_failure_ms_ || home.now_ms() - last_failure_ms_ > kRetryMs;
  if (stage_ == Stage::kIdle && !persistence_.snapshots().busy() && !steps_.busy() &&
      (rewrite_wanted_ || (rewrite_due(o, home.now_ms()) && may_retry)))
    begin_rewrite(home);
  return false;
}

bool AppendOnly::rewrite_due(const Options& o, int64_t) const {
  if (!on() || !o.auto_aof_rewrite_percentage || size_ <= static_cast<uint64_t>(o.auto_aof_rewrite_min_size)) return false;
  uint64_t base = base_size_ ? base_size_.load() : 1;
  if (size_ < base) return false;
  return (size_ * 100 / base) - 100 >= static_cast<uint64_t>(o.auto_aof_rewrite_percentage);
}

void AppendOnly::follow_option(Executor& home) {
  home_ = &home;
  bool wanted = home.options().appendonly;
  if (wanted == on()) return;
  if (wanted)
    rewrite_wanted_ = true;  // begins to write with the cut of a rewrite
  else
    turn_off(home);
}

void AppendOnly::turn_off(Executor& home) {
  if (!writer_.settled(true)) return writer_.want_sync();  // looked at again by turn()
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
  writer_.want_sync();
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
  switched_ = false;
  const Options& o = home.options();
  if (!on() && !o.appendonly) {  // a base and nothing behind it
    next_ = manifest_;
    next_.retire_incr(0);
    stage_ = Stage::kCut;
    return cut(home);
  }
  stage_ = Stage::kOpenIncr;
  bool listed = on();  // otherwise what stands in the directory is no data set of ours, and the manifest is written at the end
  next_ = manifest_;
  OwnedBytes name = next_.add_incr(stem()).name;
  if (opening_) say(LogLevel::kNotice, "Creating AOF incr file %s on server start", name.c_str());
  if (listed) manifest_ = next_;
  next_.retire_incr(1);
  if (listed) make_file_then_list(folder() + "/" + name);
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

struct AppendOnly::CutJob final : LeaseJob {
  AppendOnly* aof;
  std::vector<OutBuffer> commands;
  bool begun = false;
  explicit CutJob(AppendOnly* a) : aof(a) {}
  void run(Executor& home) override {
    if (home.options().aof_use_rdb_preamble) {
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
      aof->base_file_.end(true);
    }
    delete this;
  }
};

// Tried again by turn() while another snapshot is under way.
void AppendOnly::cut(Executor& home) {
  if (cut_under_way_ || base_file_.busy()) return;
  cut_under_way_ = true;
  from_snapshot_ = true;
  home.with_all_shards(new CutJob(this));
}

void AppendOnly::at_cut(Executor& home, SnapshotInfo& info) {
  stage_ = Stage::kSnapshot;
  restarts_ = engine_.mutations->restarts();
  info.aof_base = true;
  base_file_.begin(folder() + "/temp-rewriteaof-bg-" + int64_text(process_id_) + ".aof");
  if (new_fd_ < 0) return;
  if (on()) {
    before_ += writer_.size();
    writer_.switch_file(new_fd_);
  } else {
    opened_size_ = 0;
    writer_.start(home, new_fd_, 0);
    on_ = true;
  }
  new_fd_ = -1;
  switched_ = true;
}

void AppendOnly::chunk_written() {
  if (from_snapshot_) persistence_.snapshots().consumed(*this);
}

void AppendOnly::file_done(int error) {
  if (error) return rewrite_failed(error == ECANCELED ? "finish" : "write", error);
  stage_ = Stage::kRename;
  bool image = from_snapshot_;
  OwnedBytes name = next_.set_base(stem(), image).name;
  if (opening_) say(LogLevel::kNotice, "Creating AOF base file %s on server start", name.c_str());
  steps_.rename(base_file_.path(), folder() + "/" + name);
  steps_.replace_file(folder(), AofManifest::file_name(stem()), next_.text());
  steps_.run(base_renamed, this);
}

// From here on the new files are the data set.
void AppendOnly::base_renamed(void* self, int error, const char* what) {
  auto& aof = *static_cast<AppendOnly*>(self);
  if (error) return aof.rewrite_failed(what, error);
  aof.manifest_ = aof.next_;
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
  before_ = base_file_.size();
  size_ = base_size_ = before_ + writer_.size();
  rewrites_++;
  failures_ = 0;
  rewrite_ok_ = true;
  last_failure_ms_ = 0;
  last_seconds_ = (engine_.clock->unix_ms() - rewrite_started_ms_) / 1000;
  rewriting_ = false;
  if (on()) base_is_whole();
  if (opening_) return opened(true);
  say(LogLevel::kNotice, "Background AOF rewrite terminated with success");
  say(LogLevel::kNotice, "Background AOF rewrite finished successfully");
}

void AppendOnly::rewrite_failed(const char* what, int error) {
  say(LogLevel::kWarning, "Background AOF rewrite terminated with error: could not %s: %s", what, error_text(error).c_str());
  stage_ = Stage::kIdle;
  rewriting_ = false;
  rewrite_ok_ = false;
  failures_++;
  rewrites_++;
  last_failure_ms_ = engine_.clock->unix_ms();
  last_seconds_ = (engine_.clock->unix_ms() - rewrite_started_ms_) / 1000;
  if (new_fd_ >= 0) ::close(new_fd_);
  new_fd_ = -1;
  if (opening_) return opened(false);
  if (switched_ && !manifest_.base && manifest_.incr.empty()) turn_off(*home_);  // there is no data set that the new file goes on with
}

// --- who waits for the disk (WAITAOF)

void AppendOnly::base_is_whole() {
  whole_ = true;
  file_synced();
}

void AppendOnly::file_synced() {
  if (!whole_) return;
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
  say(LogLevel::kWarning, "AOF write error looks solved. The server can write again.");
  write_ok_ = true;
  engine_.state.fetch_and(~uint32_t{kStateAofFailed}, std::memory_order_relaxed);
}

// What the disk has lost then, nobody knows: the data set is written anew.
void AppendOnly::sync_failed(int error) {
  say(LogLevel::kWarning, "Fail to fsync the AOF file: %s. It will be rewritten.", error_text(error).c_str());
  rewrite_wanted_ = true;
}

// --- INFO

void AppendOnly::write_info(InfoText& out, int64_t now_s) const {
  out.field("aof_enabled", engine_.options->get().appendonly ? 1 : 0);
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
  out.field("aof_delayed_fsync", static_cast<int64_t>(delayed_.load()));
}

}  // namespace ringwood
