#pragma once
// One shard's part in a running snapshot: lets the walk go on in the background phase, within a budget of time, and sends what it writes to the snapshot's
// thread in chunks. Pauses while too many of them are under way, so that a slow disk or replica costs no memory but what changes meanwhile.
#include "engine/exec/shard_work.h"
#include "persist/snapshot_walk.h"

namespace ringwood {

class Snapshots;

// How finely the work is cut; tests make it finer.
struct SnapshotPace {
  size_t chunk_bytes = size_t{64} << 10;
  int chunks_under_way = 8;  // of one shard
  int64_t slice_us = 60;     // of a turn: a request that comes meanwhile waits for its end
  int slice_steps = 1 << 20;
};

struct SnapshotChunk {
  OutBuffer bytes;
  uint64_t checksum = 0;  // CRC64 of the bytes alone, before they were packed
  size_t unpacked = 0;    // of so many
  bool open = false;      // a value goes on in this shard's next chunk, which must follow at once
  bool last = false;      // of this shard
};

class SnapshotPart final : public ShardWork {
 public:
  SnapshotPart(Snapshots& owner, Shard& shard, const SnapshotPace& pace) : owner_(owner), shard_(shard), walk_(shard), pace_(pace) {}

  // The cut: the shard is held. `number` names the snapshot, `home` is its thread, `key_delay_us` the option rdb-key-save-delay.
  void begin(uint64_t number, int home, uint16_t epoch, const SnapshotInfo& info, int key_delay_us);
  // Called off: the shard is held.
  void stop();
  // So many chunks have been consumed. On the shard's thread.
  void consumed(uint64_t number, int chunks) {
    if (number == number_) under_way_ -= chunks;
  }
  const SnapshotWalk& walk() const { return walk_; }

 private:
  bool run(Executor& here) override;
  int64_t next_due_ms() const override { return resume_ms_; }
  bool paused(Executor& here);
  void delay_after_new_keys(Executor& here);
  void send(Executor& here, bool last);

  Snapshots& owner_;
  Shard& shard_;
  SnapshotWalk walk_;
  const SnapshotPace& pace_;
  SnapshotInfo info_;
  uint64_t number_ = 0;
  int home_ = 0;
  int under_way_ = 0;  // chunks sent and not consumed
  int key_delay_us_ = 0;
  int64_t resume_us_ = 0;     // rdb-key-save-delay: nothing more until then (monotonic) ...
  int64_t delayed_keys_ = 0;  // for which there has been a rest
  int64_t resume_ms_ = -1;    // ... which is this time on the other clock
};

}  // namespace ringwood
