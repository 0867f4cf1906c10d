#pragma once
// Counting and combining bits over long strings, once for each width of vector that machines of this kind may have.
#include <cstddef>
#include <cstdint>
#include <span>

namespace ringwood::bits {

struct Kernels {
  using Combine = void (*)(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n);
  const char* name;
  uint64_t (*count)(const uint8_t* p, size_t n);  // the ones among n bytes
  // Of n bytes each, at any alignment. `out` may be `a`; otherwise nothing overlaps.
  Combine and_bytes;
  Combine or_bytes;
  Combine xor_bytes;
  void (*not_bytes)(uint8_t* out, const uint8_t* a, size_t n);
};

// Those that this machine can run, the widest first; the last one needs nothing special.
std::span<const Kernels> kernels();

}  // namespace ringwood::bits
