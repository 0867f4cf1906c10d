#pragma once
// Saving as a whole: one save at a time for the process, begun on any thread, from a cut under a lease of all shards; what INFO, LASTSAVE and the gate for
// writes want to know of it. Made and wired by tools/server; Engine::persistence points to it.
#include <atomic>
#include <memory>
#include <vector>

#include "engine/base/io.h"
#include "engine/exec/engine.h"
#include "engine/exec/lease.h"
#include "persist/saver.h"
#include "persist/snapshots.h"

namespace ringwood {

// Told of saves, on the thread that runs them: for the log.
class SaveObserver {
 public:
  virtual void save_started(bool background) = 0;
  virtual void save_finished(bool background, const Saver::Result& result) = 0;

 protected:
  ~SaveObserver() = default;
};

class Persistence {
 public:
  using Done = Saver::Done;

  // `io[i]` is the thread i's; `server_version` is written into files. The observer may be null.
  Persistence(Engine& engine, const std::vector<FileIo*>& io, int process_id, OwnedBytes server_version, SaveObserver* observer);
  ~Persistence();
  Persistence(const Persistence&) = delete;
  Persistence& operator=(const Persistence&) = delete;

  // Cuts and begins to write; `done` (may be null) runs on this thread when the file is safe, or is not going to be. False: a save is under way already, and
  // nothing happens. The caller holds every shard.
  bool save_held(Executor& home, bool background, Done done, void* context);
  // The same from outside of commands: takes the lease first. `done` is told with EBUSY when a save is under way by then.
  void save(Executor& home, bool background, Done done, void* context);
  // Calls the save that is under way off, or else forgets one that was scheduled; answers which. The caller holds every shard.
  enum class Cancelled : uint8_t { kNothing, kScheduled, kUnderWay };
  Cancelled cancel_held(Executor& here);
  // The same from outside of commands.
  void cancel(Executor& here);
  // The next save begins as soon as it can (BGSAVE SCHEDULE while an image goes elsewhere, FLUSHALL).
  void schedule() { scheduled_ = true; }
  // Whether a save point of the options asks for a save now, or one is scheduled. After a failure, not sooner than five seconds.
  bool due(const Options& options, int64_t now_ms) const;

  // --- for INFO and LASTSAVE; any thread
  bool saving() const { return saving_.load(std::memory_order_relaxed); }
  bool saving_in_background() const { return saving() && background_.load(std::memory_order_relaxed); }
  int64_t last_save_s() const { return last_save_s_.load(std::memory_order_relaxed); }  // unix time of the last success, or of the start
  bool last_ok() const { return last_ok_.load(std::memory_order_relaxed); }
  int64_t last_seconds() const { return last_seconds_.load(std::memory_order_relaxed); }  // how long the last one took, -1: none yet
  int64_t started_s() const { return started_s_.load(std::memory_order_relaxed); }        // the one under way
  int64_t saves() const { return saves_.load(std::memory_order_relaxed); }
  // What the last save wrote because of changes while it was under way.
  int64_t last_pre_image_bytes() const { return last_pre_image_bytes_.load(std::memory_order_relaxed); }
  int64_t changes_since_save() const;
  // What a save writes to before it is finished.
  OwnedBytes temporary_file(const Options& options) const;
  // Sets or clears kStateSaveFailed (stop-writes-on-bgsave-error); after every save, and whenever options may have changed.
  void refresh_gate(const Options& options);
  // After loading: the data set is what stands on disk. Every shard is held.
  void loaded();

  // Images of the data set for other sinks than the file of SAVE.
  Snapshots& snapshots() { return snapshots_; }
  const Snapshots& snapshots() const { return snapshots_; }

  const OwnedBytes& server_version() const { return server_version_; }

  // Function libraries that a file brought, kept to be saved again. Written while loading only.
  std::vector<OwnedBytes>& functions() { return functions_; }

 private:
  class File;
  struct SaveJob;
  struct CancelJob;
  void at_cut(Executor& home);
  void on_finished(const Saver::Result& result);

  Engine& engine_;
  const int process_id_;
  const OwnedBytes server_version_;
  SaveObserver* observer_;
  std::vector<OwnedBytes> functions_;
  Snapshots snapshots_;
  std::vector<std::unique_ptr<File>> files_;  // one a thread
  std::atomic<File*> current_{nullptr};       // the one of the save under way
  std::atomic<bool> saving_{false}, background_{false}, last_ok_{true}, scheduled_{false};
  std::atomic<int64_t> last_save_s_, last_try_ms_{0}, last_seconds_{-1}, started_s_{0}, saves_{0}, last_pre_image_bytes_{0};
  // Changes that the shards no longer count because a save has begun since, and that are not on disk: those of the save under way, and of failed ones.
  std::atomic<int64_t> unsaved_{0};
  Done done_ = nullptr;  // of the save under way; touched by its thread alone, as long as saving_ is true
  void* context_ = nullptr;
};

}  // namespace ringwood
