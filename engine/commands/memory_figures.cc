#include <cmath>

#include "engine/base/memory.h"
#include "engine/base/process.h"
#include "engine/commands/info_parts.h"
#include "engine/exec/control.h"
#include "engine/exec/engine.h"

namespace ringwood {
namespace {

// Bytes of a database's tables on one shard: one bucket for each slot in use, or as many as the load of long tables asks for (table.h).
size_t estimated_tables(size_t keys, size_t slots) {
  if (!keys) return 0;
  constexpr double kKeysABucket = 5.5;
  double used_slots = static_cast<double>(slots) * (1 - std::exp(-static_cast<double>(keys) / static_cast<double>(slots)));
  double buckets = std::fmax(used_slots, static_cast<double>(keys) / kKeysABucket);
  return slots * sizeof(Table) + static_cast<size_t>(buckets * sizeof(Bucket));
}

}  // namespace

MemoryFigures memory_figures(const Engine& engine) {
  MemoryFigures m{};
  m.used = memory::used();
  m.peak = memory::peak();
  m.startup = engine.startup_memory;
  m.resident = process::resident_bytes();
  m.clients = engine.network ? engine.network->client_memory() : 0;
  m.overhead = m.startup + m.clients;
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
