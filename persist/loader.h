#pragma once
// Loads an RDB image with a budget of time for each turn: a file through the I/O contract, with two buffers, so that the disk reads one piece while the other
// is parsed; or what a master sends, as it comes. Entries are handed to the shards that own them. A file is opened for reading and never touched.
#include <memory>

#include "engine/base/clock.h"
#include "engine/base/io.h"
#include "engine/exec/out_buffer.h"
#include "engine/store/database.h"
#include "persist/access_word.h"
#include "persist/rdb_reader.h"

namespace ringwood {

// Where what is loaded goes.
class LoadTarget {
 public:
  // A key for a shard; the entry is the target's from now on. A key that is there already means a damaged file (a key stands in it twice).
  virtual void deliver(int shard, int database, Entry* entry) = 0;
  virtual void on_function(Bytes source) = 0;
  virtual void on_aux(Bytes name, Bytes value) = 0;
  virtual void on_empty_key(Bytes key, uint64_t n) {
    (void)key;
    (void)n;
  }
  // A key that has been dropped, because it had expired.
  virtual void on_expired(int database, Bytes key) {
    (void)database;
    (void)key;
  }

 protected:
  ~LoadTarget() = default;
};

// For INFO's loading_* fields and the log.
struct LoadProgress {
  int64_t start_ms = 0;  // unix time
  uint64_t bytes_total = 0;
  uint64_t bytes_loaded = 0;
  uint64_t keys = 0;          // handed out
  uint64_t expired_keys = 0;  // in the file, but expired: dropped, as a master does
  uint64_t empty_keys = 0;    // collections without an element: passed over
  uint64_t functions = 0;
};

class Loader final : private rdb::RdbSink {
 public:
  struct Options {
    int databases = 16;
    bool verify_checksum = true;
    bool drop_expired = true;  // false on a replica, which waits for its master to say so
    AccessRule access;
    int64_t now_ms = 0;  // unix time at the beginning; keys are expired as of then
  };
  enum class State : uint8_t {
    kLoading,
    kLoaded,
    kMissing,  // there is no such file
    kFailed,   // error()
  };
  Loader(FileIo& io, const Limits& limits, SlotMapping mapping, Options options, LoadTarget& target);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  void start(Bytes path);
  // Instead of start(): the image is handed in by feed(), and is whole at end_feed(). `what` names it in errors.
  void start_fed(Bytes what);
  void feed(Bytes bytes) { fed_.append(bytes); }
  void end_feed() { fed_whole_ = true; }
  size_t waiting() const { return fed_.size() - fed_used_; }
  // Ends it: kFailed, for this reason.
  void abandon(Bytes reason);
  // For tests, from now on: microseconds to wait behind each key; negative: one microsecond behind one in so many.
  void set_key_delay(int us) { key_delay_us_ = us; }
  // Parses what has been read, until that is done or the budget is spent. True when more could be done at once; false means: wait for
  // completions (or the end). Keys are delivered in here alone.
  bool advance(const Clock& clock, int64_t budget_us);
  // kLoaded, kMissing and kFailed are final, and no request is in flight then.
  State state() const { return closed_ ? outcome_ : State::kLoading; }
  // "Can't load /data/dump.rdb: offset 123: the listpack is damaged".
  const OwnedBytes& error() const { return error_; }
  const LoadProgress& progress() const { return progress_; }
  int rdb_version() const { return reader_.version(); }

 private:
  static constexpr uint32_t kPieceBytes = 1u << 20;
  static constexpr size_t kSliceBytes = size_t{32} << 10;  // parsed between two looks at the clock
  static constexpr size_t kDelayedSliceBytes = 256;        // that hold few keys to wait for
  struct Piece {
    IoRequest request;
    char* data = nullptr;
    uint32_t filled = 0;
    uint32_t used = 0;
    uint64_t offset = 0;  // in the file
    bool reading = false;
    bool ready = false;  // read in full, or to the end of the file
  };

  static void on_open(IoRequest* r);
  static void on_size(IoRequest* r);
  static void on_read(IoRequest* r);
  static void on_close(IoRequest* r);
  void read_into(Piece& piece);
  void submit_read(Piece& piece);
  void stop(State outcome, Bytes reason);
  bool advance_file();
  bool advance_fed();
  bool pay_delay(const Clock& clock, int64_t until_us);
  size_t slice() const { return key_delay_us_ ? kDelayedSliceBytes : kSliceBytes; }
  void close_if_idle();

  void on_aux(Bytes name, Bytes value) override;
  void on_database(int database, uint64_t keys, uint64_t volatile_keys) override;
  void on_function(Bytes source) override;
  void on_key(const rdb::LoadedKey& key) override;
  void on_empty_key(Bytes key, uint64_t n) override { target_.on_empty_key(key, n); }

  FileIo& io_;
  SlotMapping mapping_;
  Options options_;
  LoadTarget& target_;
  rdb::RdbReader reader_;
  OwnedBytes path_;
  IoRequest request_;  // open, size, close
  Piece pieces_[2];
  int next_piece_ = 0;  // to be parsed
  uint64_t next_offset_ = 0;
  int fd_ = -1;
  bool stopped_ = false;
  bool closing_ = false;
  bool closed_ = false;
  State outcome_ = State::kLoading;
  OwnedBytes error_;
  LoadProgress progress_;
  OutBuffer fed_;
  size_t fed_used_ = 0;
  bool fed_mode_ = false, fed_whole_ = false;
  int key_delay_us_ = 0;
  int64_t delay_left_us_ = 0;
  uint64_t delay_keys_ = 0;  // since the last microsecond
};

}  // namespace ringwood
