#pragma once
// The only door to randomness: a generator is a value that is passed in, seeded from the system once (or by a test).
#include "engine/base/bytes.h"

namespace ringwood {

// Fills n bytes from the kernel's generator (getrandom); fit for secrets. Ends the process if the kernel refuses.
void system_random_bytes(void* out, size_t n);

// xoshiro256** (Blackman and Vigna): fast and even, but predictable to who sees its output. For secrets and names that must be unique in
// the world (node IDs, run IDs) seed it from the system, and let no client see other output of the same generator.
class Random {
 public:
  explicit Random(uint64_t seed);
  static Random from_system();

  uint64_t next() {
    uint64_t result = rotate(state_[1] * 5, 7) * 9;
    uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate(state_[3], 45);
    return result;
  }
  // Even over 0 <= result < n; n > 0.
  uint64_t below(uint64_t n);
  // 0 <= result < 1
  double real() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  void fill(void* out, size_t n);
  // n characters 0-9a-f
  OwnedBytes hex(size_t n);

 private:
  static uint64_t rotate(uint64_t v, int by) { return v << by | v >> (64 - by); }
  uint64_t state_[4];
};

}  // namespace ringwood
