#pragma once
// A string as a row of bits, in Redis's order: bit 0 is the highest bit of the first byte.
#include <span>

#include "engine/base/bytes.h"

namespace ringwood::bits {

inline bool test(Bytes s, uint64_t at) { return at / 8 < s.size() && (octets(s)[at / 8] >> (7 - at % 8) & 1); }

// The ones in a string, and those from bit `first` to bit `last`, both counted and inside the string.
uint64_t count(Bytes s);
uint64_t count(Bytes s, uint64_t first, uint64_t last);

// The first bit of that value from bit `first` to bit `last`, both looked at and inside the string; -1 when there is none.
int64_t find(Bytes s, uint64_t first, uint64_t last, bool value);

enum class Op : uint8_t { kAnd, kOr, kXor, kNot };
// Writes `size` bytes: the sources combined, those that are shorter lengthened with zeros. At least one source, none longer than `size`, none
// overlapping `out`; kNot takes one.
void combine(Op op, std::span<const Bytes> sources, char* out, size_t size);

// An unsigned number of 1 to 64 bits at any bit, its highest bit first. Reading finds zeros behind the end of the string.
uint64_t get(Bytes s, uint64_t at, unsigned width);
// The number's bits must lie inside the `size` bytes; bits of `value` above its width are left out.
void set(char* s, size_t size, uint64_t at, unsigned width, uint64_t value);

}  // namespace ringwood::bits
