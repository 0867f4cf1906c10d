#pragma once
// What an image says of itself, and how it is written.
#include <bitset>

#include "engine/base/crc.h"
#include "persist/access_word.h"
#include "persist/rdb_writer.h"

namespace ringwood {

class SnapshotEncoder;

struct SnapshotInfo {
  rdb::WriteOptions write;  // its version is raised where the data need a higher one (rdb_writer.h)
  AccessRule access;
  bool checksum = true;  // the CRC64 of everything stands at the end; otherwise eight zeros, which mean that there is none (rdbchecksum no)
  const std::bitset<kSlots>* only = nullptr;             // keys of these slots of database 0; lives as long as the snapshot. Null: all
  bool without_keys = false, without_functions = false;  // only parts are wanted (REPLCONF rdb-filter-only)
  // What chunks are packed with before the sink has them, and lives as long as the snapshot; null: they stay as they are.
  const SnapshotEncoder* encoder = nullptr;
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

}  // namespace ringwood
