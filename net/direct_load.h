#pragma once
// A replica's data set straight from the socket into the shards, without a file (repl-diskless-load): into the empty databases, or beside those in use, which
// it replaces when it is whole. Lives on the first thread.
//
//   kIdle -> kAsksToBegin -> kLoading -> kAsksToEnd -> kIdle
//                |                                       ^
//                +---- abandoned ------------------------+
// The two leases are of all shards: the first makes the place, the second puts the new data set into use or drops what there is of it.
#include <utility>
#include <vector>

#include "engine/exec/executor.h"
#include "persist/data_load.h"
#include "persist/persistence.h"

namespace ringwood {

class DirectLoadOwner {
 public:
  // What the server has ends here, with its history. Every shard is held.
  virtual void data_set_ends() = 0;
  // It has come to its end: the new data set is in use (kLoaded), or it is as it was before, or empty where it had to make room.
  virtual void loaded_directly(const DataLoad::Result& result) = 0;

 protected:
  ~DirectLoadOwner() = default;
};

class DirectLoad final : LeaseJob {
 public:
  using Place = DataLoad::Place;
  DirectLoad(Executor& home, DataLoad& load, Persistence& persistence, DirectLoadOwner& owner)
      : home_(home), load_(load), persistence_(persistence), owner_(owner) {}
  DirectLoad(const DirectLoad&) = delete;

  bool busy() const { return state_ != State::kIdle; }
  // Not while busy().
  // `in_parts` as DataLoad::start_fed() has it.
  void start(Place place, bool in_parts);
  void append(Bytes image, int part);
  // The image is whole.
  void finish();
  // The rest of it will not come.
  void abandon();
  size_t waiting() const { return state_ == State::kLoading && load_.active() ? load_.waiting() : early_bytes_; }

 private:
  enum class State : uint8_t { kIdle, kAsksToBegin, kLoading, kAsksToEnd };
  void run(Executor& home) override;
  void finished(Executor& home) override;
  void begin(Executor& home);
  void end(Executor& home);
  void put_into_use(Executor& home);
  OwnedBytes swap_functions(Executor& home);
  static void done(void* context, const DataLoad::Result& result);

  Executor& home_;
  DataLoad& load_;
  Persistence& persistence_;
  DirectLoadOwner& owner_;
  State state_ = State::kIdle;
  Place place_ = Place::kInUse;
  bool whole_ = false, abandoned_ = false, over_ = false, in_parts_ = false;
  std::vector<std::pair<int, OwnedBytes>> early_;  // parts and pieces that came before the place was there
  size_t early_bytes_ = 0;
  DataLoad::Result result_;
};

}  // namespace ringwood
