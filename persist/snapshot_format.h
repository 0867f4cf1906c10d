#pragma once
// The contract of a snapshot format: how an image of the data set, which shards write as RDB in chunks, stands in a file. Pure. What reads it back is the
// log format's decoder (persist/log_format.h), which hands the RDB out again.
#include "engine/exec/out_buffer.h"

namespace ringwood {

class SnapshotEncoder {
 public:
  virtual ~SnapshotEncoder() = default;
  // What stands before the first chunk.
  virtual OutBuffer begin() = 0;
  // Packs a chunk. On any thread, several at the same time. `shard` -1: what stands around the shards' chunks.
  virtual void pack(OutBuffer& chunk, int shard) const = 0;
  // Gives a packed chunk its place. In the order of the image, on one thread.
  virtual void place(OutBuffer& packed) = 0;
  // What stands behind the last one.
  virtual OutBuffer end() = 0;
};

}  // namespace ringwood
