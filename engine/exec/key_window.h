#pragma once
// A command's many keys, so that the cache misses of finding them overlap (MGET, MSET, DEL, EXISTS, …).
#include <algorithm>

#include "engine/exec/call.h"

namespace ringwood {

// f(argument index, KeyRef) for every `step`-th argument from the first on, in order. f may change the keys.
template <class F>
void for_each_key(Call& c, size_t first, size_t step, F&& f) {
  constexpr size_t kWindow = 16;
  KeyRef keys[kWindow];
  const Table* tables[kWindow];
  const Bucket* chain[kWindow];
  for (size_t at = first; at < c.argc(); at += kWindow * step) {
    const size_t n = std::min(kWindow, (c.argc() - at + step - 1) / step);
    if (n == 1) {
      f(at, c.key(at));
      continue;
    }
    for (size_t i = 0; i < n; i++) {
      keys[i] = c.key(at + i * step);
      tables[i] = c.db(keys[i]).table_of(keys[i]);
      Table::prefetch(tables[i]);
    }
    for (size_t i = 0; i < n; i++) chain[i] = tables[i] ? tables[i]->prefetch_bucket(keys[i].hash) : nullptr;
    for (int pass = 0; pass < 2; pass++)
      for (size_t i = 0; i < n; i++)
        if (chain[i]) chain[i] = Table::prefetch_in(chain[i], keys[i].hash);
    for (size_t i = 0; i < n; i++) f(at + i * step, static_cast<const KeyRef&>(keys[i]));
  }
}

}  // namespace ringwood
