#pragma once
// Loading a data set into a running engine: a Loader whose entries travel to the threads that own them, in batches with a bound on how many are under
// way. Commands that need the data are answered with LOADING meanwhile (kStateLoading), unless the one in use is served on (kStateAsyncLoading). Runs on one
// thread, a portion a turn.
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "engine/exec/executor.h"
#include "persist/image_parts.h"
#include "persist/loader.h"

namespace ringwood {

class DataLoad final : private LoadTarget {
 public:
  struct Result {
    Loader::State state = Loader::State::kFailed;  // kLoaded, kMissing or kFailed
    OwnedBytes error;
    LoadProgress progress;
    int rdb_version = 0;
    // Of a file written by a part of a replication (AUX fields).
    OwnedBytes replication_id;
    int64_t replication_offset = -1;
    int replication_database = -1;
    // Keys of such a file that had expired and are not in the data set: who has an older copy of it is to be told.
    std::vector<std::pair<int, OwnedBytes>> expired;
    std::vector<OwnedBytes> functions;  // of an image that was loaded beside: their sources, not loaded yet
  };
  using Done = void (*)(void* context, const Result& result);

  DataLoad(Engine& engine, FileIo& io);
  ~DataLoad();
  DataLoad(const DataLoad&) = delete;
  DataLoad& operator=(const DataLoad&) = delete;

  // `merge`: a key that is there already is overwritten; otherwise it is an error; and so with libraries of functions. `done` runs inside
  // advance(), once. Not while active().
  struct Merge {
    bool keys = false, libraries = false;
  };
  void start(Executor& home, bool verify_checksum, Merge merge, Done done, void* context);
  // The image comes by feed(). Every shard is held at this moment. kBeside: into Shard::incoming(), with the data set in use as it is;
  // kBesideServing: which is served on.
  enum class Place : uint8_t { kInUse, kBeside, kBesideServing };
  // `in_parts`: feed() tells its parts apart, which are decoded by as many threads where there are several; they are proven already, its checksum
  // is not looked at.
  void start_fed(Executor& home, bool verify_checksum, Place place, bool in_parts, Done done, void* context);
  // The next bytes of the image; `part` as in cluster/stream_frame.h.
  void feed(Bytes bytes, int part = 0);
  void end_feed() { loader_->end_feed(); }
  size_t waiting() const { return loader_->waiting() + (parts_ ? parts_->waiting() : 0); }
  // `done` will hear that it has failed.
  void abandon(Bytes reason) {
    if (loader_) loader_->abandon(reason);
    if (parts_) parts_->abandon();
  }
  bool active() const { return loader_ != nullptr; }
  bool serving() const { return place_ == Place::kBesideServing; }
  // Works for at most budget_us. True when more could be done at once.
  bool advance(Executor& home, int64_t budget_us);

  // For INFO, any thread: what is being loaded, in bytes and unix seconds.
  struct Figures {
    std::atomic<int64_t> start_s{0}, total{0}, loaded{0};
    std::atomic<int64_t> last_keys{0}, last_expired{0};  // of the last file that was loaded
  };
  const Figures& figures() const { return figures_; }

 private:
  struct Delivery;
  static constexpr size_t kBatch = 512;     // entries a message
  static constexpr int kMostUnderWay = 64;  // messages: what a slow shard may have waiting
  void deliver(int shard, int database, Entry* entry) override;
  void on_function(Bytes source) override;
  void on_aux(Bytes name, Bytes value) override;
  void on_expired(int database, Bytes key) override;
  void on_empty_key(Bytes key, uint64_t n) override;
  void send(int shard);
  bool parts_are_done(Loader::State state);
  void finish(Loader::State state);
  void begin(Executor& home, bool verify_checksum, Merge merge, Place place, Done done, void* context);
  static bool adopt(Database& d, Entry* entry, bool merge, OwnedBytes& duplicate);
  static Database& target(Shard& shard, int database, Place place) {
    return place == Place::kInUse ? shard.database(database) : shard.incoming(database);
  }

  Engine& engine_;
  FileIo& io_;
  Executor* home_ = nullptr;
  std::unique_ptr<Loader> loader_;
  std::unique_ptr<ImageParts> parts_;  // of an image that comes in parts
  bool in_parts_ = false, parts_ended_ = false;
  OwnedBytes head_;                                 // the first bytes of such an image, which tell its version
  std::vector<std::unique_ptr<Delivery>> filling_;  // by shard
  int under_way_ = 0;
  Merge merge_;
  Place place_ = Place::kInUse;
  Result result_;
  OwnedBytes duplicate_;       // a key that stood in the file twice
  OwnedBytes function_error_;  // why a library could not be loaded
  Done done_ = nullptr;
  void* context_ = nullptr;
  Figures figures_;
};

}  // namespace ringwood
