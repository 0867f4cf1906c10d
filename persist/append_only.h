#pragma once
// The log on disk as a whole, in one of the log formats (persist/log_format.h): the directory with its manifest, loading it, writing on, rewriting it. Lives on
// the first thread; made and wired by tools/server, Engine::append_only points to it. Names are those of the append-only file, which it was first, and which
// INFO, WAITAOF and the options go by.
//
// A rewrite has no child process: a new incremental file is opened and entered into the manifest; then, at one cut under the lease of every shard, the log goes
// on into that file and a snapshot of the data set begins, which becomes the next base; when that is durable the manifest is replaced, and what stood before is
// removed. Until then the old base and both incremental files are the data set.
// A format may want its files to be short: a full one is followed by the next, in the manifest first.
//
// When a full sync has replaced the data set of a replica, what the directory holds is of another history, and nothing of the new one may come behind it: the
// old file gets nothing more, and the new ones are in no manifest before their base is complete. What is streamed until the cut is in that base.
#include <atomic>
#include <vector>

#include "engine/base/log.h"
#include "engine/exec/info.h"
#include "engine/exec/lease.h"
#include "persist/aof_manifest.h"
#include "persist/chunk_file.h"
#include "persist/disk_bound.h"
#include "persist/io_steps.h"
#include "persist/log_load.h"
#include "persist/log_writer.h"
#include "persist/persistence.h"
#include "persist/snapshot_sink.h"

namespace ringwood {

class AppendOnly final : private LogWriter::Owner, private ChunkFile::Owner, private SnapshotSink {
 public:
  using Done = void (*)(void* context, bool ok);

  AppendOnly(Engine& engine, Persistence& persistence, FileIo& io, int process_id);
  AppendOnly(const AppendOnly&) = delete;
  AppendOnly& operator=(const AppendOnly&) = delete;

  // --- the first thread's

  // At the start of a server with appendonly yes: reads the manifest, or takes over a file of before Redis 7. False: it cannot be, and the log says why.
  // With appendonly no only what the manifest names is noted, if there is one.
  bool prepare(Executor& home);
  // After prepare(): there is no log yet, and nothing from which it would begin.
  bool fresh() const { return manifest_.empty() && inherited_.empty(); }
  // Loads what the manifest names, and then opens the incremental file, or makes the directory's first files. kStateLoading is on until `done`.
  // `again` (DEBUG LOADAOF): the data set is empty, and nothing is opened afterwards; kStateLoading stays on for the caller to take off.
  void load(Executor& home, bool verify_checksum, bool again, Done done, void* context);
  bool loading() const { return loading_; }
  // Once a turn, and with `cron` about ten times a second. True when more could be done at once.
  bool turn(Executor& home, bool cron);
  // CONFIG SET appendonly.
  void follow_option(Executor& home);
  // BGREWRITEAOF: begins as soon as it can.
  void rewrite() { rewrite_wanted_ = true; }
  // Everything written and durable: asked again and again by who ends the process. True when it is.
  bool flush();
  // What the log holds is written.
  bool settled() const { return writer_.settled(false); }

  // --- any thread
  bool on() const { return on_.load(std::memory_order_relaxed); }
  // Under way, or about to begin.
  // The first rewrite since it was switched on has not ended: the file cannot be loaded alone. First thread.
  bool initial() const {
    if (!engine_.options->get().keeps_log() || (whole_ && !outdated())) return false;
    return rewriting_.load(std::memory_order_relaxed) || (wanted() && rewrite_ok_.load(std::memory_order_relaxed));
  }
  bool rewriting() const { return rewriting_.load(std::memory_order_relaxed) || (wanted() && !persistence_.saving()); }
  // To begin when the save that is under way has ended.
  bool rewrite_scheduled() const { return !rewriting_.load(std::memory_order_relaxed) && wanted() && persistence_.saving(); }
  bool write_ok() const { return write_ok_.load(std::memory_order_relaxed); }
  void write_info(InfoText& out, int64_t now_s) const;
  // CONFIG RESETSTAT, under a lease of all shards.
  void reset_info() { delayed_base_ = delayed_.load(); }
  const DataLoad::Figures& figures() const { return load_.figures(); }
  int64_t rewrites() const { return rewrites_.load(std::memory_order_relaxed); }

 private:
  enum class Stage : uint8_t { kIdle, kOpenIncr, kCut, kSnapshot, kRename, kRetire };
  struct CutJob;
  struct StartJob;

  // Asked for, or needed because appendonly was switched on.
  bool wanted() const { return rewrite_wanted_.load(std::memory_order_relaxed) || (engine_.options->get().keeps_log() && !on()); }
  OwnedBytes folder() const;
  OwnedBytes stem() const { return format_.stem(engine_.options->get()); }
  OwnedBytes manifest_name() const { return AofManifest::file_name(stem()); }
  void say(LogLevel level, const char* format, ...) __attribute__((format(printf, 3, 4)));
  bool read_manifest(const LogFormat& format, const OwnedBytes& path, AofManifest& out);
  void look_for_strays();
  bool inherit();
  bool upgrade_old_file();
  bool finish_upgrade();
  static void loaded(void* self, const LogLoad::Result& result);
  void open_incr(size_t unbegun);
  void make_file_then_list(const OwnedBytes& path);
  void list_files();
  void remove_unbegun(size_t files);
  static void next_ready(void* self, int error, const char* what);
  LogPlace first_place();
  void write_manifest(IoSteps::Done then);
  static void incr_opened(void* self, int error, const char* what);
  void opened(bool ok);

  void begin_rewrite(Executor& home);
  bool begin_again(Executor& home);
  bool may_cut(Executor& home) const;
  static void new_incr_ready(void* self, int error, const char* what);
  static void base_renamed(void* self, int error, const char* what);
  static void history_removed(void* self, int error, const char* what);
  void cut(Executor& home);
  void rewrite_failed(const char* what, int error);
  void rewrite_done();
  void make_up_for_sync();
  bool rewrite_due(const Options& o) const;
  DiskBound::Sizes sizes() const;
  void begin_pace(bool beside_save = false);
  bool pace_beside_save();
  void end_image();
  uint64_t data_bytes() const;
  void turn_off(Executor& home);
  void base_is_whole();
  // A master's data set has taken the place of the one that the files hold.
  bool outdated() const { return on() && restarts_ != engine_.mutations->restarts(); }
  void wake_waiters();

  // LogWriter::Owner
  void write_failed(int error) override;
  void write_recovered() override;
  void sync_failed(int error) override;
  void file_synced() override;
  void file_switched(uint64_t old_size) override;
  void file_full() override;
  // ChunkFile::Owner
  void chunk_written() override;
  void file_done(int error, const char* what) override;
  // SnapshotSink
  void at_cut(Executor& home, SnapshotInfo& info) override;
  void take(OutBuffer chunk) override;
  void complete() override;
  void broken() override { base_file_.cancel(); }

  Engine& engine_;
  Persistence& persistence_;
  const int process_id_;
  const LogFormat& format_;
  Executor* home_ = nullptr;
  AofManifest manifest_;
  AofManifest inherited_;  // of an append-only directory that a log of another format begins from
  LogLoad load_;
  LogWriter writer_;
  IoSteps steps_;
  ChunkFile base_file_;
  std::unique_ptr<SnapshotEncoder> image_;  // of the base under way; null: it is written as it comes
  OutBuffer image_head_;                    // what is to stand before its first chunk
  std::atomic<bool> loading_{false};
  bool opening_ = false, again_ = false;
  bool whole_ = false;  // a base with all that stood before the first incremental file is on the disk
  Done done_ = nullptr;
  void* context_ = nullptr;

  Stage stage_ = Stage::kIdle;
  bool cut_under_way_ = false, from_snapshot_ = false;
  bool listed_ = false;           // the manifest names the incremental file of the rewrite
  std::vector<AofFile> unnamed_;  // what the log has been written to since it goes on from no base that the manifest names
  AofFile rolled_;                // the next file, while rolling_
  int new_fd_ = -1;               // of the incremental file that a rewrite has opened
  uint64_t opened_size_ = 0;      // of the last incremental file, when it is opened
  bool opened_sealed_ = false;
  LogPlace place_;                               // where the log ends, when it is opened
  bool rolling_ = false, base_waiting_ = false;  // the next file is being made; the base is complete meanwhile
  int64_t roll_failed_ms_ = 0;
  AofManifest next_;       // what the manifest will be when the rewrite has succeeded
  uint64_t restarts_ = 0;  // of the log, when the base, or the one under way, was begun
  int64_t rewrite_started_ms_ = 0, last_failure_ms_ = 0, last_error_log_ms_ = 0;

  std::atomic<bool> on_{false}, rewriting_{false}, rewrite_wanted_{false}, write_ok_{true}, rewrite_ok_{true};
  std::atomic<int64_t> rewrites_{0}, failures_{0}, last_seconds_{-1}, started_s_{0};
  std::atomic<uint64_t> before_{0},  // bytes of all files but the one being written
      base_size_{0};                 // bytes after the last rewrite
  uint64_t image_size_ = 0;          // of the base
  uint64_t image_data_ = 0;          // bytes of the data set when it was cut
  uint64_t since_cut_ = 0;           // of before_, bytes of files begun since the cut
  DiskBound bound_;
  bool beside_save_ = false;    // the log is paced by it because compaction cannot begin
  bool cut_restores_ = false;   // an fsync had failed before the cut: the rewrite makes up for it
  bool cut_file_open_ = false;  // the file from before the cut is still being written
  std::atomic<uint64_t> size_{0}, delayed_{0}, delayed_base_{0};
};

}  // namespace ringwood
