#pragma once
// The whole data set as one RDB image in memory: the simple way to a consistent file without fork. Call it while every shard is held (a lease of all);
// writing the image to disk comes after (persist/saver.h).
#include <span>
#include <vector>

#include "engine/exec/out_buffer.h"
#include "engine/exec/shard.h"
#include "persist/access_word.h"
#include "persist/rdb_writer.h"

namespace ringwood {

struct SnapshotInfo {
  rdb::WriteOptions write;  // its version is raised where the data need a higher one (rdb_writer.h)
  AccessRule access;
  // AUX fields of the file.
  OwnedBytes server_version;  // redis-ver: the version of Redis that we say we are
  int64_t now_ms = 0;         // ctime
  uint64_t used_memory = 0;   // used-mem
  bool aof_base = false;      // aof-base
  bool with_replication = false;
  int replication_database = -1;   // repl-stream-db
  OwnedBytes replication_id;       // repl-id
  int64_t replication_offset = 0;  // repl-offset
};

// The file up to and with its end mark, without its checksum, in chunks of about a megabyte (a large value makes a large chunk).
std::vector<OutBuffer> encode_data_set(std::span<Shard* const> shards, std::span<const OwnedBytes> functions, const SnapshotInfo& info);

}  // namespace ringwood
