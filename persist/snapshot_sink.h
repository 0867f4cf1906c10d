#pragma once
// Where a snapshot goes: a file, a replica, a new base of the append-only file. The same snapshot code serves them all (persist/snapshots.h).
//
//   Snapshots::start -> at_cut() under the lease of every shard -> take(chunk)... -> complete(), or broken() at any point after at_cut()
//
// All of it runs on the thread that started the snapshot. A sink may be used again when complete() or broken() has been called; both may start the next
// snapshot.
#include "engine/exec/out_buffer.h"
#include "persist/snapshot_info.h"

namespace ringwood {

class Executor;

class SnapshotSink {
 public:
  // The cut: every shard is held, and what stands in them now is what the image will hold, whatever is written afterwards. Here a log is switched, an
  // offset noted. `info` comes filled with what every image says of itself, and may be completed.
  virtual void at_cut(Executor& home, SnapshotInfo& info) = 0;
  // A chunk of the image, in order. The sink owns it, and says Snapshots::consumed() when its bytes are written, sent or dropped: shards pause when too
  // many chunks are under way. consumed() may be called inside.
  virtual void take(OutBuffer chunk) = 0;
  // The image is whole: everything, with the end mark and the checksum behind it, has been given to take().
  virtual void complete() = 0;
  // The snapshot was called off (Snapshots::cancel): no more will come.
  virtual void broken() = 0;

 protected:
  ~SnapshotSink() = default;
};

}  // namespace ringwood
