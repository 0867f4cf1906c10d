#pragma once
// Binary-safe views and owned strings. A key or value may hold any byte, NUL included.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ringwood {

using Bytes = std::string_view;   // borrowed: never outlives what it points into
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
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "formats are read in place, as little-endian");

}  // namespace ringwood
