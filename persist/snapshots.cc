#include "persist/snapshots.h"

#include <utility>

#include "engine/base/crc.h"
#include "engine/base/memory.h"
#include "engine/exec/executor.h"
#include "persist/replication_place.h"
#include "persist/snapshot.h"

namespace ringwood {

Snapshots::Snapshots(Engine& engine, OwnedBytes server_version, const std::vector<OwnedBytes>& functions)
    : engine_(engine), server_version_(std::move(server_version)), functions_(functions) {}

bool Snapshots::start_held(Executor& home, SnapshotSink& sink) {
  if (busy_.exchange(true, std::memory_order_acq_rel)) return false;
  const Options& o = home.options();
  SnapshotInfo info;
  info.write = {o.rdb_version, o.rdbcompression};
  info.access = {o.maxmemory_policy, home.now_ms(), static_cast<int>(o.lfu_decay_time)};
  info.checksum = o.rdbchecksum;
  info.server_version = server_version_;
  info.now_ms = home.now_ms();
  info.used_memory = memory::used();
  add_replication_place(info, engine_);
  sink.at_cut(home, info);

  std::vector<OutBuffer> chunks = encode_data_set(engine_.shards, functions_, info);
  uint64_t checksum = 0;
  if (info.checksum)
    for (const OutBuffer& c : chunks) checksum = crc64(checksum, c.view());
  store<uint64_t>(chunks.back().reserve(sizeof checksum), checksum);
  chunks.back().commit(sizeof checksum);
  // The sink hears of its chunks after the command that made the cut.
  struct HandOver final : Task {
    Snapshots* owner;
    SnapshotSink* sink;
    std::vector<OutBuffer> chunks;
  };
  auto* t = new HandOver;
  t->owner = this;
  t->sink = &sink;
  t->chunks = std::move(chunks);
  t->run = [](Task& task, Executor&) {
    auto& h = static_cast<HandOver&>(task);
    for (OutBuffer& c : h.chunks) h.sink->take(std::move(c));
    h.owner->busy_.store(false, std::memory_order_release);
    h.sink->complete();
  };
  t->done = [](Task& task, Executor&) { delete static_cast<HandOver*>(&task); };
  home.send_task(home.self(), t);
  return true;
}

void Snapshots::cancel_held(Executor&) {}
void Snapshots::consumed() {}

}  // namespace ringwood
