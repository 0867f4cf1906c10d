#pragma once
// Hashing of keys and members: XXH3 with a secret seed drawn once per process, so that nobody outside can aim at one bucket.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/base/bytes.h"

namespace ringwood {

// Set once, before the first table exists (tools/server, tests may leave the default for repeatable runs).
extern uint64_t g_hash_seed;
inline uint64_t hash_bytes(Bytes b) { return XXH3_64bits_withSeed(b.data(), b.size(), g_hash_seed); }

}  // namespace ringwood
