#pragma once
// DEBUG DIGEST and DEBUG DIGEST-VALUE: one number for a data set or a value, equal to that of redis-server 7.0 for the same data, whatever the encodings
// and the order
// of unordered collections. The algorithm is Redis's (debug.c): with SHA-1 as H,
//   xor(d, x): d = d ^ H(x)        mix(d, x): d = H(d ^ H(x))
//   value:   mix the type's number, then: a string is mixed; a list's elements are mixed in order; a set's members are xored; of a hash or
//            sorted set each pair makes an own digest (mix key or member, mix value or score as "%.17g"), which is xored; a stream's
//            entries are mixed in order, each as "ms.seq", field, value and so on; an expiry xors "!!expire!!"
//   key:     mix the key's name, then as for its value
//   data:    for each database with keys: mix its number, then xor the digest of each of its keys
// Numbers are 32 bits, big-endian.
#include <array>
#include <span>

#include "engine/base/bytes.h"
#include "engine/store/entry.h"

namespace ringwood {

class Shard;
using Digest = std::array<uint8_t, 20>;

// DIGEST-VALUE: the key's name does not count.
Digest value_digest(const Entry& e);
// DIGEST. Every shard must be held.
Digest data_set_digest(std::span<Shard* const> shards);
// 40 hexadecimal digits, as clients see it.
OwnedBytes digest_text(const Digest& d);

}  // namespace ringwood
