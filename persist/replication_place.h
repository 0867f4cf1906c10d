#pragma once
// The place of a data set in a history of writes, as AUX fields of its file: after a restart a replica, or the replicas of a master, go on from there.
#include "engine/exec/engine.h"
#include "engine/exec/replication.h"
#include "persist/snapshot_info.h"

namespace ringwood {

// Every shard is held.
inline void add_replication_place(SnapshotInfo& info, const Engine& engine) {
  if (!engine.replication) return;
  ReplicationStatus s = engine.replication->status();
  if (!s.replica && !s.backlog) return;  // nobody has seen this history
  info.with_replication = true;
  info.replication_id = s.id;
  info.replication_offset = s.offset;
  info.replication_database = s.stream_database;
}

}  // namespace ringwood
