#pragma once
// Intset: a sorted row of different integers in one block, byte for byte as Redis stores and saves it.
//   u32 bytes a member (2, 4 or 8) | u32 members | members, ascending, little-endian
// The width is that of the member that needs most, and never shrinks again.
//
// The block is owned by who holds the pointer (memory::allocate, memory::release); functions that take it by reference may move it.
// Nothing here checks the block itself: bytes from outside must pass validate() first.
#include "engine/base/bytes.h"
#include "engine/base/memory.h"
#include "engine/base/random.h"

namespace ringwood::intset {

constexpr size_t kHeaderBytes = 8;

uint8_t* create();
uint8_t* duplicate(const uint8_t* is);
// A copy of bytes that validate() accepted.
uint8_t* adopt_copy(Bytes blob);
inline void release(uint8_t* is) { memory::release(is); }

inline size_t width(const uint8_t* is) { return load<uint32_t>(is); }
inline size_t length(const uint8_t* is) { return load<uint32_t>(is + 4); }
inline size_t bytes(const uint8_t* is) { return kHeaderBytes + width(is) * length(is); }
inline Bytes blob(const uint8_t* is) { return Bytes(reinterpret_cast<const char*>(is), bytes(is)); }

// The member at index i < length, in ascending order.
int64_t get(const uint8_t* is, size_t i);
bool contains(const uint8_t* is, int64_t v);
// Index of the first member >= v; length when there is none.
size_t lower_bound(const uint8_t* is, int64_t v);
// These need a member to be there.
inline int64_t min(const uint8_t* is) { return get(is, 0); }
inline int64_t max(const uint8_t* is) { return get(is, length(is) - 1); }
inline int64_t random_member(const uint8_t* is, Random& random) { return get(is, random.below(length(is))); }

// True when v was not there yet.
bool add(uint8_t*& is, int64_t v);
// True when v was there.
bool remove(uint8_t*& is, int64_t v);
void remove_at(uint8_t*& is, size_t i);

// True when the header fits the size, there is a member (Redis never saves an empty set) and, with `deep`, members ascend without repeats.
bool validate(Bytes blob, bool deep);

}  // namespace ringwood::intset
