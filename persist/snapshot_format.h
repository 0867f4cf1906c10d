#pragma once
// The contract of a snapshot format: how an image of the data set, which shards write as RDB in chunks, stands in a file. Pure. What reads it back is the
// log format's decoder (persist/log_format.h), which hands the RDB out again.
#include <bitset>

#include "engine/base/crc.h"
#include "engine/exec/out_buffer.h"

namespace ringwood {

using SlotBits = std::bitset<kSlots>;

class SnapshotEncoder {
 public:
  virtual ~SnapshotEncoder() = default;
  // What stands before the first chunk.
  virtual OutBuffer begin() = 0;
  // Packs a chunk, whose keys are of these slots. On any thread, several at the same time. `shard` -1: what stands around the shards' chunks.
  virtual void pack(OutBuffer& chunk, int shard, const SlotBits& slots) const = 0;
  // Gives a packed chunk its place: what it is to be in the file. In the order of the image, on one thread.
  virtual void place(OutBuffer& packed) = 0;
  // Whether pack() is to be told the slots of keys, which costs a hash of each.
  virtual bool wants_slots() const { return true; }
  // What stands behind the last one.
  virtual OutBuffer end() = 0;
};

}  // namespace ringwood
