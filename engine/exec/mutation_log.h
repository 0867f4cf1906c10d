#pragma once
// The mutation log: one order for everything that has changed, as the commands that Redis would send to a replica. A ring of bytes whose offset is
// master_repl_offset. DESIGN.md section 5, docs/architecture.md section 11.
//
// Writers are the threads, each with what its executor has gathered (engine/exec/effects.h). It reserves its place by one atomic step, which also decides
// whether a SELECT must stand in front of it; it copies its bytes, and takes its mark away. What lies below the lowest mark is published: readers see no gap.
// Nobody waits for anybody, and no lock is taken by a writer.
//
// Readers (the append-only file, replicas, a slot that migrates) have a position each and hold the bytes from there on. Memory is a window of segments
// that come with the first byte written to them and go when all readers have passed and the backlog does not want them either; so it is bounded by the slowest
// reader: one that may lose its place is dropped by its owner (lag()), one that may not has the writers wait (full()): their threads defer commands.
//
// Offsets are in bytes since the log began, or in the numbering of the master that is followed; an offset names the byte behind it.
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/exec/shard_set.h"

namespace ringwood {

class MutationLog;

// A place in the log. One thread uses it; the log must outlive it.
class LogReader {
 public:
  LogReader() = default;
  ~LogReader();
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  bool attached() const { return log_ != nullptr; }
  uint64_t position() const { return position_.load(std::memory_order_relaxed); }
  // What is published from the position on, as far as it lies in one piece; empty when there is nothing. Valid until advance() or detaching.
  Bytes peek() const;
  void advance(size_t n);
  // Bytes written and not yet read.
  uint64_t lag() const;

 private:
  friend class MutationLog;
  MutationLog* log_ = nullptr;
  bool keeps_ = false;
  std::atomic<uint64_t> position_{0};
};

class MutationLog {
 public:
  static constexpr size_t kSegmentBytes = size_t{512} << 10;
  static constexpr size_t kSegments = size_t{1} << 14;  // the window: 8 GiB
  // Bytes that a reader which loses nothing may be behind before writers wait.
  static constexpr uint64_t kDefaultLimit = uint64_t{64} << 20;

  explicit MutationLog(int threads);
  ~MutationLog();
  MutationLog(const MutationLog&) = delete;
  MutationLog& operator=(const MutationLog&) = delete;

  // --- writing

  // A piece of the stream: commands in RESP. `database` is the one that its first command is for, `last_database` in which it leaves a reader; a SELECT is put
  // at `select_at` where the log is in another one. Ranges that are not for the append-only file (PUBLISH) are `hidden`, ascending.
  struct Range {
    uint64_t begin, end;
  };
  struct Piece {
    Bytes bytes;
    int database;
    int last_database;
    size_t select_at = 0;
    const std::vector<Range>* hidden = nullptr;
  };
  // Appends on behalf of the thread; answers the offset behind it.
  uint64_t append(int thread, const Piece& piece);
  // Appends a stream as it came from a master: whole commands, and of a transaction all, for who writes a file takes the end of what is published for a place
  // where nothing is open. `last_database` -1: not known. One thread does this, and nobody append()s.
  uint64_t append_raw(int thread, Bytes bytes, int last_database);
  // A command for replicas alone that is for no database, on behalf of the thread (PING).
  uint64_t append_between(int thread, Bytes bytes);
  // The next hand-over begins with a SELECT: for a reader that begins now.
  void forget_database();
  // The database in which the log leaves a reader; -1: not known.
  int database() const {
    uint64_t d = state_.load(std::memory_order_relaxed) & kNoDatabase;
    return d == kNoDatabase ? -1 : static_cast<int>(d);
  }

  // --- offsets

  uint64_t end() const { return base_ + (state_.load(std::memory_order_relaxed) >> kDatabaseBits); }
  uint64_t published() const;
  // Continues at that offset, with nothing before it: a replica takes its master's. Every shard is held. Readers are moved there: what they have read before
  // is of another history, which restarts() tells them.
  void restart_at(uint64_t offset);
  uint64_t restarts() const { return restarts_.load(std::memory_order_acquire); }

  // --- reading. Whoever begins to read holds every shard, unless he begins in the backlog of a log that is in use already.

  // Attaches at an offset within [oldest(), published()]; false when that is not there any more. `keeps`: loses nothing, so that writers wait for it.
  bool attach(LogReader& reader, uint64_t from, bool keeps);
  bool attach_at_end(LogReader& reader, bool keeps) { return attach(reader, end(), keeps); }
  void detach(LogReader& reader);

  // The backlog: so many of the last bytes stay readable; 0: none. From any thread.
  void set_backlog(uint64_t bytes);
  uint64_t backlog() const { return backlog_.load(std::memory_order_relaxed); }
  // The first offset of which a new reader can read.
  uint64_t oldest() const;
  // Whether anybody wants what is written. Changes while every shard is held, or it makes no difference when it is seen.
  bool wanted() const { return readers_count_.load(std::memory_order_acquire) != 0 || backlog() != 0; }
  // Whether replicas, or a backlog for them, are there: what is for them alone is written then only.
  bool wanted_by_replicas() const { return backlog() != 0 || droppable_count_.load(std::memory_order_acquire) != 0; }

  // Commands' effects are not gathered: the log is fed with a master's stream, or the data set is being made from a file. Every shard is held.
  void set_silent(bool on) { silent_.store(on, std::memory_order_release); }
  bool silent() const { return silent_.load(std::memory_order_acquire); }

  // --- the file's view

  // The next range at or behind `from` that the file is not to have; {~0, ~0} where none is known. To be asked after published().
  Range next_hidden(uint64_t from);
  // Only while this is on, ranges are noted.
  void note_hidden(bool on);
  bool notes_hidden() const { return notes_hidden_.load(std::memory_order_relaxed); }

  // --- back-pressure

  // A reader that loses nothing is too far behind, or hold_writers: threads should defer commands.
  bool full() const { return keeper_position_.load(std::memory_order_relaxed) + limit_ < end() || held_.load(std::memory_order_relaxed); }
  // The process is about to end: nothing is to be written any more, so that readers come to the end.
  void hold_writers(bool on) { held_.store(on, std::memory_order_relaxed); }
  // The offset up to which replies may show changes: the file's, with appendfsync always. All, where nobody waits for the disk.
  uint64_t durable() const { return durable_.load(std::memory_order_acquire); }
  void set_durable(uint64_t offset) { durable_.store(offset, std::memory_order_release); }
  // The offset up to which the append-only file is on the disk, with all that stood before it; -1: there is no such file (WAITAOF).
  int64_t synced() const { return synced_.load(std::memory_order_acquire); }
  void set_synced(int64_t offset) { synced_.store(offset, std::memory_order_release); }
  void set_limit(uint64_t bytes) { limit_ = bytes; }
  uint64_t limit() const { return limit_; }
  size_t memory() const { return segments_held_.load(std::memory_order_relaxed) * kSegmentBytes; }
  // How often memory() has grown: who has found the same of both twice has seen it stand still.
  uint64_t segments_made() const { return segments_made_.load(std::memory_order_acquire); }
  // Bytes that the slowest reader which loses nothing has still to read; 0 where there is none.
  uint64_t keeper_lag() const {
    const uint64_t at = keeper_position_.load(std::memory_order_relaxed), e = end();
    return at < e ? e - at : 0;
  }
  size_t readers() const { return readers_count_.load(std::memory_order_relaxed); }
  // How far the slowest reader is behind.
  uint64_t worst_lag();

 private:
  friend class LogReader;
  // The word that a hand-over changes in one step: the offset (less base_) above, the database last selected below. Larger databases are always selected.
  static constexpr unsigned kDatabaseBits = 10;
  static constexpr uint64_t kNoDatabase = (uint64_t{1} << kDatabaseBits) - 1;
  static constexpr uint64_t kNotWriting = ~uint64_t{0};
  struct alignas(64) Mark {
    std::atomic<uint64_t> from{kNotWriting};
  };

  static uint64_t database_word(int database) {
    return database >= 0 && static_cast<uint64_t>(database) < kNoDatabase ? static_cast<uint64_t>(database) : kNoDatabase;
  }
  char* segment(uint64_t number);
  void copy_in(uint64_t at, Bytes bytes);
  void hide(uint64_t at, const Piece& piece, size_t select_size);
  void passed(LogReader& reader);
  void trim_locked();
  uint64_t oldest_locked() const;

  const int threads_;
  alignas(64) std::atomic<uint64_t> state_{kNoDatabase};
  uint64_t base_ = 0;
  std::unique_ptr<Mark[]> marks_;
  std::unique_ptr<std::atomic<char*>[]> window_;
  std::atomic<size_t> segments_held_{0};
  std::atomic<uint64_t> segments_made_{0};
  std::atomic<uint64_t> backlog_{0};
  std::atomic<size_t> readers_count_{0}, droppable_count_{0};
  std::atomic<uint64_t> keeper_position_{~uint64_t{0} >> 1};  // of the slowest reader that keeps; far away when there is none
  uint64_t limit_ = kDefaultLimit;

  mutable std::mutex readers_mutex_;  // never taken by a writer
  std::vector<LogReader*> readers_;
  uint64_t start_ = 0;           // where the log began, or began anew
  uint64_t freed_segments_ = 0;  // all below this number are gone
  std::vector<char*> retired_;   // segments of before the last restart
  std::atomic<uint64_t> restarts_{0};

  std::atomic<bool> silent_{false}, notes_hidden_{false}, held_{false};
  std::atomic<uint64_t> durable_{~uint64_t{0}};
  std::atomic<int64_t> synced_{-1};
  std::mutex hidden_mutex_;
  std::deque<Range> hidden_;
};

}  // namespace ringwood
