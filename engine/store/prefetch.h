#pragma once
// What looking into a key's value will read, for batched execution (engine/exec/executor_prefetch.cc). Always inline: GCC takes a
// function that only prefetches for one without effect, and drops the call.
#include "engine/store/entry.h"
#include "engine/store/hash_table.h"
#include "engine/store/zset.h"

namespace ringwood {

// The first lines of a value that stands in a block of its own.
[[gnu::always_inline]] inline void prefetch_value(const Entry& e) {
  if (!e.has_object()) return;
  const char* block = e.object().as<char>();
  __builtin_prefetch(block);
  __builtin_prefetch(block + 64);
}

// The table in which the value's members are looked up, or null where it has none.
inline const TableCore* member_table_of(const Entry& e) {
  if (!e.has_object()) return nullptr;
  switch (e.encoding()) {
    case Encoding::kHashtable:
      return e.type() == Type::kSet ? static_cast<const TableCore*>(e.object().as<SetTable>()) : e.object().as<HashTable>();
    case Encoding::kSkiplist: return &zset::sorted(e.object()).index;
    default: return nullptr;
  }
}

}  // namespace ringwood
