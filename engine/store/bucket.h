#pragma once
// What a key table (table.h) is made of: one cache line with nine places, each a byte of the key's hash and a pointer of 48 bits.
//
//   [count, flags 1][tag 9][entry 9 x 6]
//
// 48 bits are what user space has on x86-64 and arm64, as long as nobody asks mmap for more. What a bucket has no room for stands in a bucket behind it, which
// the last place names. That one is cut from the same cloth but shorter, 32, 48 or 64 bytes for three, six or nine places, as two or three are usual there.
#include <cassert>
#include <cstddef>

#include "engine/base/bytes.h"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ringwood {

class Entry;

// Pointers of six bytes each, one after the other. The two bytes before the first one must be readable.
struct ShortPointers {
  static constexpr size_t kSize = 6;
  static uintptr_t get(const uint8_t* first, size_t i) { return load<uint64_t>(first + i * kSize - 2) >> 16; }
  static void put(uint8_t* first, size_t i, uintptr_t pointer) {
    assert(pointer >> 48 == 0);
    store(first + i * kSize, static_cast<uint32_t>(pointer));
    store(first + i * kSize + 4, static_cast<uint16_t>(pointer >> 32));
  }
};

struct Bucket {
  static constexpr size_t kPlaces = 9;

  uint8_t count : 4;   // entries here
  uint8_t linked : 1;  // the last place names the next bucket of the chain
  uint8_t behind : 2;  // 0 for the first bucket of a chain; else a third of the places that this one has, of which the rest does not exist
  uint8_t unused : 1;
  uint8_t tag[kPlaces];
  uint8_t places[kPlaces * ShortPointers::kSize];

  // Bytes of a bucket behind another one.
  static size_t size_behind(unsigned thirds) { return 16 + 16 * thirds; }
  size_t last_place() const { return (behind ? behind * 3u : kPlaces) - 1; }
  Entry* entry(size_t i) const { return reinterpret_cast<Entry*>(ShortPointers::get(places, i)); }
  void put(size_t i, Entry* e) { ShortPointers::put(places, i, reinterpret_cast<uintptr_t>(e)); }
  void put(size_t i, Entry* e, uint8_t t) {
    tag[i] = t;
    put(i, e);
  }
  void append(Entry* e, uint8_t t) {
    put(count, e, t);
    count = (count + 1u) & 15u;
  }
  Bucket* next() const { return linked ? reinterpret_cast<Bucket*>(ShortPointers::get(places, last_place())) : nullptr; }
  // The entry that stands in the last place has been moved away.
  void link(Bucket* b) {
    ShortPointers::put(places, last_place(), reinterpret_cast<uintptr_t>(b));
    linked = 1;
  }
  // Bit i is set where place i is taken and its tag is `t`.
  unsigned matches(uint8_t t) const {
#if defined(__SSE2__)
    __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(this));
    unsigned m = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(static_cast<char>(t))))) >> 1;
#else
    unsigned m = 0;
    for (size_t i = 0; i < kPlaces; i++) m |= static_cast<unsigned>(tag[i] == t) << i;
#endif
    return m & ((1u << count) - 1);
  }
};
static_assert(sizeof(Bucket) == 64 && offsetof(Bucket, tag) == 1 && offsetof(Bucket, places) == 10);

}  // namespace ringwood
