#pragma once
// The thresholds of the encodings, out of the options.
#include "engine/base/options.h"
#include "engine/store/limits.h"

namespace ringwood {

// `before` gives what no option tells (DEBUG QUICKLIST-PACKED-THRESHOLD).
inline Limits limits_from(const Options& o, const Limits& before = {}) {
  Limits l = before;
  l.hash_max_listpack_entries = o.hash_max_listpack_entries;
  l.hash_max_listpack_value = o.hash_max_listpack_value;
  l.set_max_intset_entries = o.set_max_intset_entries;
  l.set_max_listpack_entries = o.set_max_listpack_entries;
  l.set_max_listpack_value = o.set_max_listpack_value;
  l.zset_max_listpack_entries = o.zset_max_listpack_entries;
  l.zset_max_listpack_value = o.zset_max_listpack_value;
  l.list_max_listpack_size = o.list_max_listpack_size;
  l.list_compress_depth = o.list_compress_depth;
  return l;
}

}  // namespace ringwood
