#pragma once
// Snapshots of the whole data set for a sink (persist/snapshot_sink.h), one at a time for the process. Persistence owns it: Persistence::snapshots().
#include <atomic>
#include <span>
#include <vector>

#include "engine/exec/engine.h"
#include "persist/snapshot_sink.h"

namespace ringwood {

class Snapshots {
 public:
  // `functions`: sources of the libraries that an image holds, read at each cut. Both live longer.
  Snapshots(Engine& engine, OwnedBytes server_version, const std::vector<OwnedBytes>& functions);
  Snapshots(const Snapshots&) = delete;
  Snapshots& operator=(const Snapshots&) = delete;

  // Makes the cut and begins. False, and nothing happens, while another snapshot is under way. The caller holds every shard; the sink's calls come on `home`'s
  // thread, and the sink lives until it was told the end.
  bool start_held(Executor& home, SnapshotSink& sink);
  // Calls the one under way off, if there is one: its sink is told on its thread. The caller holds every shard.
  void cancel_held(Executor& here);
  // The sink has done with one chunk. On the snapshot's thread.
  void consumed();
  // Any thread.
  bool busy() const { return busy_.load(std::memory_order_acquire); }

 private:
  Engine& engine_;
  const OwnedBytes server_version_;
  const std::vector<OwnedBytes>& functions_;
  std::atomic<bool> busy_{false};
};

}  // namespace ringwood
