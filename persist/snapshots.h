#pragma once
// Snapshots of the whole data set for a sink (persist/snapshot_sink.h), one at a time for the process. Persistence owns it: Persistence::snapshots().
//
// start_held() makes the cut: every shard's walk begins (persist/snapshot_walk.h), which takes microseconds. Then each shard writes its own keys in
// the background and sends chunks to the snapshot's thread, which puts them behind one another as they come, any shard's in any order, and hands them
// to the sink.
#include <atomic>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "engine/exec/engine.h"
#include "persist/snapshot_part.h"
#include "persist/snapshot_sink.h"

namespace ringwood {

class Snapshots {
 public:
  // `functions`: sources of the libraries that an image holds, read at each cut. Both live longer.
  Snapshots(Engine& engine, OwnedBytes server_version, const std::vector<OwnedBytes>& functions);
  ~Snapshots();
  Snapshots(const Snapshots&) = delete;
  Snapshots& operator=(const Snapshots&) = delete;

  // Makes the cut and begins. False, and nothing happens, while another snapshot is under way. The caller holds every shard; the sink's calls come on `home`'s
  // thread, and the sink lives until it was told the end.
  bool start_held(Executor& home, SnapshotSink& sink);
  // Calls the one under way off, if it is this sink's: which is told on its thread, later. The caller holds every shard.
  void cancel_held(Executor& here, const SnapshotSink& sink);
  // The sink has done with one chunk of the snapshot under way. On the snapshot's thread. Not needed, and without effect, after complete() or broken().
  void consumed(const SnapshotSink& sink);

  // Within SnapshotSink::take: whose chunk it is (-1: what stands around the shards' chunks), and whether a value goes on in the next one.
  int giving() const { return given_.back(); }
  bool value_open() const { return open_ >= 0; }

  // --- any thread
  bool busy() const { return busy_.load(std::memory_order_acquire); }
  // The one under way is for replicas: INFO calls it a BGSAVE, as it is in Redis.
  std::atomic<bool> for_replicas{false};
  // Of the one under way, 0 while there is none.
  int64_t keys_done() const;
  int64_t keys_in_all() const;
  // Bytes of the image that its sink has been given, of the one under way or the last.
  uint64_t bytes_done() const { return bytes_done_.load(std::memory_order_relaxed); }
  // Bytes written because of changes, of the one under way or the last.
  int64_t pre_image_bytes() const;

  // For tests; while none is under way.
  SnapshotPace pace;

 private:
  friend class SnapshotPart;
  struct Arrived {
    int shard;
    SnapshotChunk chunk;
  };
  void arrived(Executor& home, uint64_t number, int shard, SnapshotChunk& chunk);
  void hand_on(Executor& home);
  void give(int shard, OutBuffer bytes);
  uint16_t next_epoch();

  Engine& engine_;
  const OwnedBytes server_version_;
  const std::vector<OwnedBytes>& functions_;
  std::vector<std::unique_ptr<SnapshotPart>> parts_;  // by shard
  std::atomic<bool> busy_{false};
  std::atomic<uint64_t> bytes_done_{0};
  // Changed at the cut, with every shard held.
  uint64_t number_ = 0;
  uint16_t epoch_ = 0;
  uint16_t oldest_epoch_ = 0;  // no entry carries an earlier one
  int home_ = 0;

  // Of the snapshot's thread.
  std::atomic<SnapshotSink*> sink_{nullptr};  // null when it has been told the end; consumed() may come late, on another thread
  SnapshotInfo info_;
  uint64_t checksum_ = 0;
  std::vector<std::deque<SnapshotChunk>> waiting_;  // by shard: behind another one's value that goes on
  int open_ = -1;                                   // the shard whose value goes on
  size_t shards_left_ = 0;
  std::deque<int> given_;  // to the sink and not consumed: whose chunks they are, -1 for none
};

}  // namespace ringwood
