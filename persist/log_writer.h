#pragma once
// A log's end of the mutation log: writes what is published to the log's file, in the form that the format gives it, and makes it durable as appendfsync says.
// Lives on one thread, follows the log there, and blocks nobody. What a format writes as it is goes from the log's memory to the disk without a copy.
//
// A short write is a copy into the system's cache, and is made at once, in the turn whose replies need it. Where it could have to wait (behind an
// fsync, beside a snapshot, on a disk that was slow just now), or is long, it goes by the ring, and an fsync may be under way beside it. With
// appendfsync always the file's blocks are written ahead (persist/log_ahead.h), and what has come meanwhile is one durable write of the ring's, one
// at a time.
#include <memory>

#include "engine/base/io.h"
#include "engine/exec/executor.h"
#include "engine/exec/mutation_log.h"
#include "persist/log_ahead.h"
#include "persist/log_format.h"
#include "persist/log_patience.h"

namespace ringwood {

class LogWriter final : public LogFollower, private LogAhead::Owner {
 public:
  class Owner {
   public:
    virtual void write_failed(int error) = 0;  // each time; it is tried again
    virtual void write_recovered() = 0;
    // Nothing counts as durable any more, until restored().
    virtual void sync_failed(int error) = 0;
    virtual void file_synced() = 0;
    virtual void file_switched(uint64_t old_size) = 0;
    // The file has reached the size at which another one is wanted; told again and again.
    virtual void file_full() = 0;

   protected:
    ~Owner() = default;
  };

  LogWriter(MutationLog& log, FileIo& io, Owner& owner) : log_(log), io_(io), owner_(owner), ahead_(io, *this) {}
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  struct File {
    int fd = -1;
    int64_t sequence = 0;
    uint64_t size = 0;  // 0: it has not been begun
    OwnedBytes path{};
  };

  bool on() const { return reader_.attached(); }
  // Begins at the end of the mutation log with an open file, that of `place`. Every shard is held.
  void start(Executor& home, std::unique_ptr<LogEncoder> encoder, File file, LogPlace place);
  // What is appended from now on goes into another file, empty still; the old one is sealed, synced and closed. Every shard is held. Not while switching().
  void switch_file(File file);
  // The same, but for no more than that the old file is long enough: no reader begins with the new one.
  void follow_with(File file);
  // Another file is to go on already.
  bool switching() const { return next_.fd >= 0; }
  // Lets go. What has not been written stays unwritten: wait for settled() before.
  void stop(Executor& home);
  // Everything that was in the log by now is written, and with `synced` durable, and the file ends with it.
  bool settled(bool synced) const;
  // Syncs as soon as it has been written, whatever the policy.
  void want_sync();
  // The same, and the file is to end with its content: for a second from now on nothing is written ahead.
  void finish();
  // What has been written until now: the file is about to be followed by another, and what is unsynced then is waited for.
  void sync_ahead() { sync(); }
  // After a failed fsync: what stood in the log until a switch_file() since then has been made durable in another way.
  void restored();
  bool frozen() const { return frozen_; }
  // While it is paced, the file grows by no more than was allowed: what has no room waits, and with it the replies that show it. want_sync() ends the waiting.
  void pace(bool on);
  void allow(uint64_t bytes);
  bool paced() const { return paced_; }
  // Something has waited for room since pace(true).
  bool held_back() const { return held_back_; }
  // How often what was to be synced (everysec) had to wait two seconds for the fsync before.
  uint64_t delayed_syncs() const { return delayed_syncs_; }
  // A few times a second.
  void tick(Executor& home);
  // Every turn: replies that have waited long enough need not wait any more.
  void look_at_patience() {
    if (patience_.waits() && !shows_all_) publish_durable();
  }
  void log_grew(Executor& here) override;
  int64_t next_due_ms() const override;

  // 0: no limit.
  void set_full_at(uint64_t bytes) { full_at_ = bytes; }
  uint64_t size() const { return size_; }  // of the file's content
  // Bytes that the file has behind it.
  uint64_t beyond() const { return ahead_.beyond(size_); }
  bool syncing() const { return syncing_; }
  uint64_t synced_offset() const { return synced_; }
  uint64_t id() const { return encoder_ ? encoder_->place().id : 0; }
  int error() const { return write_error_; }

 private:
  static constexpr int64_t kSyncEveryMs = 1000, kRetryMs = 1000, kDelayedMs = 2000, kAheadAgainMs = 10000;
  static constexpr size_t kAtOnceBytes = 64 << 10;
  static constexpr int64_t kCompanyNs = 300000;  // two or three commits' time (docs/performance.md)
  // A write at once that took longer than this: none for 50 ms, and where that goes on for twice as long each time, up to three seconds. Most often it was the
  // processor that was not there.
  static constexpr int64_t kSlowUs = 3000, kSlowForMs = 50, kSlowForMostMs = 3000;
  static void on_written(IoRequest* r) { static_cast<LogWriter*>(r->context)->written(r->result); }
  static void on_committed(IoRequest* r) { static_cast<LogWriter*>(r->context)->committed(*r); }
  static void on_synced(IoRequest* r) { static_cast<LogWriter*>(r->context)->synced(r->result); }
  static void on_closed(IoRequest* r) { static_cast<LogWriter*>(r->context)->closed(); }
  void pump();
  void follow_restart();
  // A full sync has ended the history that the file holds: nothing that is read comes into it.
  bool superseded() const { return history_ != log_.restarts(); }
  void pass_over(Bytes piece);
  void write_what_can_be();
  bool out_of_patience();
  bool wants_ahead() const;
  bool choose_way();
  void leave_ahead();
  void commit();
  void committed(const IoRequest& r);
  void ahead_moved() override;
  void fit_into_blocks();
  bool shorten();
  void join();
  bool annotate();
  int begin_anew();
  void select_first(int database);
  void put(Bytes bytes, size_t source, bool between = true);
  bool may_write_at_once() const;
  bool gathers() const;
  bool waits_for_company();
  bool write();
  bool write_at_once();
  bool take_written(int64_t result);
  void written(int64_t result);
  void sync();
  void synced(int64_t result);
  void give_up(int error);
  void close();
  void closed();
  void publish_durable();

  MutationLog& log_;
  FileIo& io_;
  Owner& owner_;
  Executor* home_ = nullptr;
  LogReader reader_;
  std::unique_ptr<LogEncoder> encoder_;
  IoRequest write_, sync_, close_;
  LogAhead ahead_;
  OwnedBytes path_;              // of the file
  int64_t ahead_from_ms_ = 0;    // until then the file is not written ahead: it could not be
  int64_t ending_until_ms_ = 0;  // likewise: it is to end
  bool entering_ = false;
  int fd_ = -1;
  uint64_t size_ = 0, synced_size_ = 0, full_at_ = 0;
  bool writing_ = false, syncing_ = false, closing_ = false, sync_wanted_ = false, sealed_ = false;
  bool broken_ = false;                       // an fsync of the file has failed: what the disk holds of it, nobody knows
  bool frozen_ = false;                       // since then nothing counts as durable
  Bytes out_;                                 // what is to be written next
  size_t source_ = 0;                         // bytes of the mutation log that out_ stands for
  bool out_between_ = true, between_ = true;  // the file ends between two commands with out_, and as it is
  OwnedBytes joined_;
  int write_error_ = 0;
  int64_t last_try_ms_ = 0, last_sync_ms_ = 0, last_delay_ms_ = 0, slow_until_ms_ = 0, slow_for_ms_ = 0;
  uint64_t delayed_syncs_ = 0;
  bool paced_ = false, held_back_ = false;
  // Of waits_for_company(): the last commit, in the timekeeper's ticks; the turn it has looked at, and whether that has run a command.
  uint64_t committed_at_ = 0, company_turn_ = 0;
  int64_t commands_seen_ = 0;
  bool company_ = false;
  bool waits_for_room_ = false;  // paced, and there is no room: replies are to wait
  LogPatience patience_;
  bool shows_all_ = false;    // replies do not wait: they have
  int64_t allowed_ = 0;       // bytes; below 0 when the last write has taken more
  uint64_t restarts_ = 0;     // of the log, when out_ was made
  uint64_t synced_ = 0;       // log offset up to which everything is durable
  uint64_t behind_ = 0;       // while frozen, what synced_ will be when it no longer is
  uint64_t sync_target_ = 0;  // of the fsync under way
  uint64_t sync_size_ = 0;    // likewise, of the file
  File next_;                 // the file to go on with from switch_at_ on
  uint64_t switch_at_ = 0;
  uint64_t switch_restarts_ = 0;             // MutationLog::restarts() when that was said
  uint64_t history_ = 0, next_history_ = 0;  // the same, of what this file holds, and of what the next one is to
  bool begun_anew_ = false;                  // the log, since then
  int next_database_ = -1;                   // to be selected at the beginning of that file
  int64_t noted_second_ = 0;
  char note_[64];
  size_t note_size_ = 0;  // of a note that is to be written next
};

}  // namespace ringwood
