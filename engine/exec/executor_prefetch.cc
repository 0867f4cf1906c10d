// Asking for cache lines before they are needed: all requests of a window at the same time, so that the misses overlap.
#include "engine/exec/command_table.h"
#include "engine/exec/executor.h"
#include "engine/store/prefetch.h"

namespace ringwood {

// The lines that finding the first keys will read; then, where a command of the window works on a collection, those inside of it.
void Executor::prefetch(Request* first, size_t n) {
  if (n < 2) return;
  Shard& here = shard();
  bool opens = false;
  for (size_t i = 0; i < n; i++) {
    Request& r = first[i];
    r.table = nullptr;
    if (!r.hashed || !(alone_ || engine_.mapping.shard(r.key.slot) == self_)) continue;
    r.table = here.database(r.database).table_of(r.key);
    opens |= r.command->opens_value;
    __builtin_prefetch(r.table);
  }
  for (size_t i = 0; i < n; i++)
    if (first[i].table) first[i].table->prefetch_bucket(first[i].key.hash);
  bool overflows = false;
  for (size_t i = 0; i < n; i++) {
    first[i].overflow = first[i].table ? first[i].table->prefetch_entry(first[i].key.hash) : nullptr;
    overflows |= first[i].overflow != nullptr;
  }
  for (size_t i = 0; overflows && i < n; i++)
    if (first[i].overflow) Table::prefetch_in(first[i].overflow, first[i].key.hash);
  if (__builtin_expect(opens, 0)) prefetch_values(first, n);
}

// The value's first lines, then the bucket of the member that the command names, then the member.
void Executor::prefetch_values(const Request* first, size_t n) {
  const Entry* entries[kWindow];
  const TableCore* tables[kWindow];
  uint64_t hashes[kWindow];
  for (size_t i = 0; i < n; i++) {
    const Request& r = first[i];
    entries[i] = r.table && r.command->opens_value ? r.table->likely_entry(r.key.hash) : nullptr;
    if (entries[i]) prefetch_value(*entries[i]);
  }
  for (size_t i = 0; i < n; i++) {
    const Request& r = first[i];
    tables[i] = entries[i] && r.command->member && r.argc > r.command->member ? member_table_of(*entries[i]) : nullptr;
    if (!tables[i]) continue;
    hashes[i] = hash_bytes(r.args[r.command->member]);
    tables[i]->prefetch(hashes[i]);
  }
  for (size_t i = 0; i < n; i++)
    if (tables[i]) tables[i]->prefetch_item(hashes[i], first[i].args[first[i].command->member].size());
}

}  // namespace ringwood
