#pragma once
// When a small encoding becomes a large one: the values of Redis's directives of the same names, handed to each function that may convert.
#include <cstddef>

namespace ringwood {

struct Limits {
  size_t hash_max_listpack_entries = 128;
  size_t hash_max_listpack_value = 64;
  size_t set_max_intset_entries = 512;
  size_t set_max_listpack_entries = 128;
  size_t set_max_listpack_value = 64;
  size_t zset_max_listpack_entries = 128;
  size_t zset_max_listpack_value = 64;
  int list_max_listpack_size = -2;                 // -1..-5: 4, 8, 16, 32, 64 KB a node; else elements a node
  int list_compress_depth = 0;                     // accepted; nodes are never compressed
  size_t list_packed_threshold = size_t{1} << 30;  // an element of so many bytes gets a node of its own (DEBUG QUICKLIST-PACKED-THRESHOLD)
};

}  // namespace ringwood
