#pragma once
// The append-only file's end of the mutation log: writes what is published to the incremental file, and makes it durable as appendfsync says. Lives on one
// thread, follows the log there, and blocks nobody: bytes go from the log's memory to the disk without a copy, a write and an fsync may be under way together.
#include "engine/base/io.h"
#include "engine/exec/executor.h"
#include "engine/exec/mutation_log.h"

namespace ringwood {

class AofWriter final : public LogFollower {
 public:
  class Owner {
   public:
    virtual void write_failed(int error) = 0;  // each time; it is tried again
    virtual void write_recovered() = 0;
    virtual void sync_failed(int error) = 0;
    virtual void file_synced() = 0;
    virtual void file_switched() = 0;

   protected:
    ~Owner() = default;
  };

  AofWriter(MutationLog& log, FileIo& io, Owner& owner) : log_(log), io_(io), owner_(owner) {}
  AofWriter(const AofWriter&) = delete;
  AofWriter& operator=(const AofWriter&) = delete;

  bool on() const { return reader_.attached(); }
  // Begins at the end of the log with an open file of that size. Every shard is held.
  void start(Executor& home, int fd, uint64_t size);
  // What is appended from now on goes into another file, empty still; the old one is synced and closed. Every shard is held.
  void switch_file(int fd);
  // Lets go. What has not been written stays unwritten: wait for settled() before.
  void stop(Executor& home);
  // Everything that was in the log by now is written, and with `synced` durable.
  bool settled(bool synced) const;
  // Syncs as soon as it has been written, whatever the policy.
  void want_sync();
  // A few times a second.
  void tick(Executor& home);
  void log_grew(Executor& here) override;

  uint64_t size() const { return size_; }  // of the file
  bool syncing() const { return syncing_; }
  uint64_t unsynced() const { return reader_.attached() ? reader_.position() - synced_ : 0; }
  uint64_t synced_offset() const { return synced_; }
  int error() const { return write_error_; }

 private:
  static constexpr int64_t kSyncEveryMs = 1000, kRetryMs = 1000;
  static void on_written(IoRequest* r) { static_cast<AofWriter*>(r->context)->written(r->result); }
  static void on_synced(IoRequest* r) { static_cast<AofWriter*>(r->context)->synced(r->result); }
  static void on_closed(IoRequest* r) { static_cast<AofWriter*>(r->context)->closed(); }
  void pump();
  bool annotate(uint64_t at);
  int begin_anew();
  void select_first(int database);
  void write(Bytes piece);
  void written(int64_t result);
  void sync();
  void synced(int64_t result);
  void closed();
  void publish_durable();

  MutationLog& log_;
  FileIo& io_;
  Owner& owner_;
  Executor* home_ = nullptr;
  LogReader reader_;
  IoRequest write_, sync_, close_;
  int fd_ = -1;
  uint64_t size_ = 0;
  bool writing_ = false, syncing_ = false, closing_ = false, note_in_flight_ = false, sync_wanted_ = false;
  int write_error_ = 0;
  int64_t last_try_ms_ = 0, last_sync_ms_ = 0;
  uint64_t restarts_ = 0;     // of the log, when the write under way began
  uint64_t synced_ = 0;       // log offset up to which everything is durable
  uint64_t sync_target_ = 0;  // of the fsync under way
  int next_fd_ = -1;          // the file to go on with from switch_at_ on
  uint64_t switch_at_ = 0;
  int next_database_ = -1;  // to be selected at the beginning of that file
  // aof-timestamp-enabled: a note stands where a command ends, which is known of the offsets that were seen as the end of the log.
  uint64_t boundary_ = 0;
  int64_t noted_second_ = 0;
  char note_[64];
  size_t note_size_ = 0, note_at_ = 0;
};

}  // namespace ringwood
