#include "persist/snapshot_head.h"

#include <algorithm>

#include "engine/base/crc.h"

namespace ringwood {
namespace {

void put_fields(OutBuffer& out, const SnapshotInfo& info) {
  rdb::put_aux(out, "redis-ver", info.server_version);
  rdb::put_aux(out, "redis-bits", 64);
  rdb::put_aux(out, "ctime", info.now_ms / 1000);
  rdb::put_aux(out, "used-mem", static_cast<int64_t>(info.used_memory));
  if (info.with_replication) {
    rdb::put_aux(out, "repl-stream-db", info.replication_database);
    rdb::put_aux(out, "repl-id", info.replication_id);
    rdb::put_aux(out, "repl-offset", info.replication_offset);
  }
  rdb::put_aux(out, "aof-base", info.aof_base ? 1 : 0);
}

}  // namespace

void raise_version(SnapshotInfo& info, std::span<Shard* const> shards) {
  for (Shard* s : shards)
    for (int db = 0; db < s->databases(); db++)
      if (s->database(db).hashes_with_times()) info.write.version = std::max(info.write.version, rdb::kFirstWithFieldTimes);
}

void put_head(OutBuffer& out, std::span<Shard* const> shards, std::span<const OwnedBytes> functions, const SnapshotInfo& info) {
  rdb::put_header(out, info.write);
  put_fields(out, info);
  if (!info.without_functions)
    for (const OwnedBytes& source : functions) rdb::put_function(out, source, info.write);
  if (info.without_keys) return;
  // The numbers are hints for who loads. Each is told once; the shards' chunks name the database alone.
  int databases = shards.empty() ? 0 : shards[0]->databases();
  for (int db = 0; db < databases; db++) {
    uint64_t keys = 0, volatile_keys = 0;
    for (Shard* s : shards) {
      keys += s->database(db).size();
      volatile_keys += s->database(db).volatile_keys();
    }
    if (keys) rdb::put_database(out, db, keys, volatile_keys);
  }
}

void put_tail(OutBuffer& out, const SnapshotInfo& info, uint64_t sum_before) {
  size_t start = out.size();
  rdb::put_end(out);
  uint64_t sum = info.checksum ? crc64(sum_before, out.view().substr(start)) : 0;
  store<uint64_t>(out.reserve(sizeof sum), sum);
  out.commit(sizeof sum);
}

}  // namespace ringwood
