// Asking for cache lines before they are needed: all requests of a window at the same time, so that the misses overlap.
#include "engine/exec/command_table.h"
#include "engine/exec/executor.h"
#include "engine/store/prefetch.h"

namespace ringwood {

// The lines that finding the first keys will read; then, where a command of the window works on a collection, those inside of it. What the request before asks
// for, with the same key (hash_keys), is not asked for again.
void Executor::prefetch(Request* first, size_t n) {
  if (n < 2) return;
  static_assert(kWindow <= 64);
  Shard& here = shard();
  bool opens = false;
  uint64_t asking = 0;  // a bit for each request with a key of its own
  const Request* before = nullptr;
  for (size_t i = 0; i < n; i++) {
    Request& r = first[i];
    r.table = nullptr;
    if (!r.asks || !(alone_ || engine_.mapping.shard(r.key.slot) == self_)) continue;
    opens |= r.command->opens_value;
    if (before && before->key.key.data() == r.key.key.data() && before->database == r.database) {
      r.table = before->table;
    } else {
      r.table = here.database(r.database).table_of(r.key);
      Table::prefetch(r.table);
      asking |= uint64_t{r.table != nullptr} << i;
    }
    before = &r;
  }
  for (uint64_t left = asking; left; left &= left - 1) {
    Request& r = first[__builtin_ctzll(left)];
    r.chain = r.table->prefetch_bucket(r.key.hash);
  }
  uint64_t overflows = 0;
  for (uint64_t left = asking; left; left &= left - 1) {
    Request& r = first[__builtin_ctzll(left)];
    if (r.chain) r.chain = Table::prefetch_in(r.chain, r.key.hash);
    if (__builtin_expect(r.chain != nullptr, 0)) overflows |= left & -left;
  }
  for (; overflows; overflows &= overflows - 1) {
    const Request& r = first[__builtin_ctzll(overflows)];
    Table::prefetch_in(r.chain, r.key.hash);
  }
  // Behind which offset of the log the replies may be shown (note_shown).
  if (effects_.on() && slot_ends_.by_slot())
    for (uint64_t left = asking; left; left &= left - 1) slot_ends_.prefetch(first[__builtin_ctzll(left)].key.slot);
  if (opens) prefetch_values(first, n, asking);
  if (__builtin_expect(here.tracked.on(), 0)) prefetch_readers(first, asking);
}

// Who has read the keys before.
void Executor::prefetch_readers(const Request* first, uint64_t asking) {
  asm volatile("");  // GCC takes a function that only prefetches for one without effect, and drops the calls of it
  const TrackedKeys& tracked = shard().tracked;
  for (uint64_t left = asking; left; left &= left - 1) tracked.prefetch(first[__builtin_ctzll(left)].key.hash);
  for (; asking; asking &= asking - 1) {
    const KeyRef& key = first[__builtin_ctzll(asking)].key;
    tracked.prefetch_readers(key.hash, key.key.size());
  }
}

// The value's first lines, then the bucket of the member that the command names, then the member.
void Executor::prefetch_values(const Request* first, size_t n, uint64_t asking) {
  asm volatile("");  // GCC takes a function that only prefetches for one without effect, and drops the calls of it
  const Entry* entries[kWindow];
  const TableCore* tables[kWindow];
  uint64_t hashes[kWindow];
  for (uint64_t left = asking; left; left &= left - 1) {
    const auto i = static_cast<size_t>(__builtin_ctzll(left));
    const Request& r = first[i];
    // Behind a full bucket it is looked for in earnest: one large collection may be all that is asked for, and its key stands where it stands.
    entries[i] = __builtin_expect(r.chain != nullptr, 0) ? r.table->find_hash(r.key.hash) : r.table->likely_entry(r.key.hash);
    if (entries[i]) prefetch_value(*entries[i]);
  }
  uint64_t members = 0;
  const TableCore* table = nullptr;  // of the last key
  for (size_t i = 0; i < n; i++) {
    const Request& r = first[i];
    if (!r.table) continue;
    if (asking >> i & 1) table = entries[i] ? member_table_of(*entries[i]) : nullptr;
    if (!table || !r.command->member || r.argc <= r.command->member) continue;
    tables[i] = table;
    hashes[i] = hash_bytes(r.args[r.command->member]);
    table->prefetch(hashes[i]);
    members |= uint64_t{1} << i;
  }
  auto member_size = [first](size_t i) { return first[i].args[first[i].command->member].size(); };
  const void* overflow[kWindow];
  uint64_t overflows = 0;
  for (; members; members &= members - 1) {
    const auto i = static_cast<size_t>(__builtin_ctzll(members));
    overflow[i] = tables[i]->prefetch_item(hashes[i], member_size(i));
    if (overflow[i]) overflows |= members & -members;
  }
  for (; overflows; overflows &= overflows - 1) {
    const auto i = static_cast<size_t>(__builtin_ctzll(overflows));
    tables[i]->prefetch_item(hashes[i], member_size(i), overflow[i]);
  }
}

}  // namespace ringwood
