#pragma once
// Binary-safe views and owned strings. A key or value may hold any byte, NUL included.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ringwood {

using Bytes = std::string_view;  // borrowed: never outlives what it points into
using OwnedBytes = std::string;

inline const uint8_t* octets(Bytes b) { return reinterpret_cast<const uint8_t*>(b.data()); }

// Unaligned little-endian access: every format here is little-endian, and so are the machines (asserted below).
template <class T>
inline T load(const void* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
inline void store(void* p, T v) {
  std::memcpy(p, &v, sizeof v);
}
// memcmp(a, b, n) == 0, without a call for the lengths that keys and members have.
inline bool same_bytes(const char* a, const char* b, size_t n) {
  if (n > 32) return std::memcmp(a, b, n) == 0;
  auto differ = [a, b](size_t at) { return load<uint64_t>(a + at) ^ load<uint64_t>(b + at); };
  if (n >= 16) return !(differ(0) | differ(8) | differ(n - 16) | differ(n - 8));
  if (n >= 8) return !(differ(0) | differ(n - 8));
  if (n >= 4) return !((load<uint32_t>(a) ^ load<uint32_t>(b)) | (load<uint32_t>(a + n - 4) ^ load<uint32_t>(b + n - 4)));
  for (size_t i = 0; i < n; i++)
    if (a[i] != b[i]) return false;
  return true;
}
// memcpy(to, from, n) for what does not overlap, likewise.
inline void copy_bytes(char* to, const char* from, size_t n) {
  struct Half {
    uint64_t low, high;
  };
  if (n > 32) {
    std::memcpy(to, from, n);
  } else if (n >= 16) {
    const auto first = load<Half>(from), last = load<Half>(from + n - 16);
    store(to, first);
    store(to + n - 16, last);
  } else if (n >= 8) {
    const auto first = load<uint64_t>(from), last = load<uint64_t>(from + n - 8);
    store(to, first);
    store(to + n - 8, last);
  } else if (n >= 4) {
    const auto first = load<uint32_t>(from), last = load<uint32_t>(from + n - 4);
    store(to, first);
    store(to + n - 4, last);
  } else {
    for (size_t i = 0; i < n; i++) to[i] = from[i];
  }
}
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "formats are read in place, as little-endian");

}  // namespace ringwood
