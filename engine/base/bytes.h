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
  for (size_t i = 0; i < n; i++)
    if (a[i] != b[i]) return false;
  return true;
}
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "formats are read in place, as little-endian");

}  // namespace ringwood
