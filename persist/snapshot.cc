#include "persist/snapshot.h"

#include <algorithm>
#include <utility>

namespace ringwood {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;

class Chunks {
 public:
  OutBuffer& current() { return current_; }
  void cut_if_full() {
    if (current_.size() >= kChunkBytes) cut();
  }
  std::vector<OutBuffer> finish() {
    if (!current_.empty()) cut();
    return std::move(done_);
  }

 private:
  void cut() {
    done_.push_back(std::move(current_));
    current_ = OutBuffer();
    current_.reserve(kChunkBytes + kChunkBytes / 8);
  }
  OutBuffer current_;
  std::vector<OutBuffer> done_;
};

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

void put_entry(OutBuffer& out, const Entry& e, const SnapshotInfo& info) {
  rdb::put_key(out, e, info.access.idle_seconds(e.access()), info.access.frequency(e.access()), info.write);
}

int version_needed(std::span<Shard* const> shards) {
  for (Shard* s : shards)
    for (int db = 0; db < s->databases(); db++)
      if (s->database(db).hashes_with_times()) return rdb::kFirstWithFieldTimes;
  return rdb::kMinVersion;
}

}  // namespace

std::vector<OutBuffer> encode_data_set(std::span<Shard* const> shards, std::span<const OwnedBytes> functions, const SnapshotInfo& wanted) {
  SnapshotInfo info = wanted;
  info.write.version = std::max(info.write.version, version_needed(shards));
  Chunks chunks;
  rdb::put_header(chunks.current(), info.write);
  put_fields(chunks.current(), info);
  for (const OwnedBytes& source : functions) rdb::put_function(chunks.current(), source, info.write);
  int databases = shards.empty() ? 0 : shards[0]->databases();
  for (int db = 0; db < databases; db++) {
    uint64_t keys = 0, volatile_keys = 0;
    for (Shard* s : shards) {
      keys += s->database(db).size();
      volatile_keys += s->database(db).volatile_keys();
    }
    if (!keys) continue;
    rdb::put_database(chunks.current(), db, keys, volatile_keys);
    for (Shard* s : shards)
      s->database(db).for_each([&](const Entry* e) {
        put_entry(chunks.current(), *e, info);
        chunks.cut_if_full();
      });
  }
  rdb::put_end(chunks.current());
  return chunks.finish();
}

}  // namespace ringwood
