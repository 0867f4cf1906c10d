#pragma once
// Sorting many things by a key of 64 bits, digit by digit from the lowest (LSD): a pass over all of them for each eight bits in which their keys differ,
// without a comparison. For a few hundred things or more.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace ringwood {

// A number that sorts as the double does, which is not NaN; 0 and -0 have the same.
inline uint64_t sortable(double d) {
  d += 0.0;  // makes 0 of -0
  const auto bits = std::bit_cast<uint64_t>(d);
  return bits >> 63 ? ~bits : bits | uint64_t{1} << 63;
}

// Things of one key stay in their order. `other` is room for as many things, which have values afterwards.
template <class T, class KeyOf>
void radix_sort(T* things, T* other, size_t n, KeyOf key_of) {
  uint64_t all = ~uint64_t{0}, any = 0;
  for (size_t i = 0; i < n; i++) {
    const uint64_t key = key_of(things[i]);
    all &= key;
    any |= key;
  }
  T *from = things, *to = other;
  for (uint64_t differ = all ^ any; differ;) {
    const int digit = __builtin_ctzll(differ);
    auto digit_of = [&](const T& t) { return key_of(t) >> digit & 255; };
    size_t places[256] = {};
    for (size_t i = 0; i < n; i++) places[digit_of(from[i])]++;
    size_t before = 0;
    for (size_t& p : places) before += std::exchange(p, before);
    for (size_t i = 0; i < n; i++) to[places[digit_of(from[i])]++] = from[i];
    std::swap(from, to);
    differ &= ~(uint64_t{255} << digit);
  }
  if (from != things)
    for (size_t i = 0; i < n; i++) things[i] = from[i];
}

}  // namespace ringwood
