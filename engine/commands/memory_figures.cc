#include <algorithm>
#include <cmath>

#include "engine/base/memory.h"
#include "engine/base/process.h"
#include "engine/commands/info_parts.h"
#include "engine/exec/engine.h"
#include "engine/exec/eviction.h"
#include "engine/exec/mutation_log.h"
#include "engine/exec/replication.h"

namespace ringwood {
namespace {

// Bytes of a database's tables on one shard: one bucket for each slot in use, or as many as the load of long tables asks for (table.h).
size_t estimated_tables(size_t keys, size_t slots) {
  if (!keys) return 0;
  constexpr double kKeysABucket = 9;
  double used_slots = static_cast<double>(slots) * (1 - std::exp(-static_cast<double>(keys) / static_cast<double>(slots)));
  double buckets = std::fmax(used_slots, static_cast<double>(keys) / kKeysABucket);
  return static_cast<size_t>(used_slots * sizeof(Table) + buckets * sizeof(Bucket));
}

}  // namespace

MemoryFigures memory_figures(const Engine& engine) {
  MemoryFigures m{};
  const MemoryNow now = memory_now(engine);
  m.used = now.used;
  m.not_counted = now.not_counted;
  m.peak = memory::peak();
  m.startup = engine.startup_memory;
  m.resident = process::resident_bytes();
  m.clients = client_bytes(engine);
  // What the mutation log holds for replicas: the backlog, and what the slowest of them has not been sent; and for the file.
  m.replica_stream = engine.replication ? static_cast<size_t>(engine.replication->status().backlog_bytes) : 0;
  m.backlog = engine.mutations ? std::min(m.replica_stream, static_cast<size_t>(engine.mutations->backlog())) : 0;
  m.replicas = m.replica_stream - m.backlog;
  m.append_only = engine.mutations ? static_cast<size_t>(engine.mutations->keeper_lag()) : 0;
  m.overhead = m.startup + m.clients + m.backlog + m.replicas + m.append_only;
  for (Shard* s : engine.shards) {
    for (int i = 0; i < s->databases(); i++) {
      size_t keys = s->physical(i).size();
      m.keys += keys;
      m.overhead += estimated_tables(keys, static_cast<size_t>(engine.mapping.slots_of(s->id())));
    }
  }
  return m;
}

const char* memory_allocator_name() {
#ifdef RINGWOOD_SYSTEM_MALLOC
  return "libc";
#else
  return "mimalloc";
#endif
}

}  // namespace ringwood
