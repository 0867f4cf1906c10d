#pragma once
// An image for replicas that understand frames: each shard packs its own chunks (cluster/stream_frame.h), which go over the link as they are.
#include "persist/snapshot_format.h"

namespace ringwood {

class FrameEncoder final : public SnapshotEncoder {
 public:
  // Before a snapshot: whether its chunks are compressed.
  void set_packs(bool on) { packs_ = on; }

  OutBuffer begin() override { return {}; }
  void pack(OutBuffer& chunk, int shard, const SlotBits& slots) const override;
  void place(OutBuffer&) override {}
  bool wants_slots() const override { return false; }
  OutBuffer end() override { return {}; }

 private:
  bool packs_ = true;
};

}  // namespace ringwood
