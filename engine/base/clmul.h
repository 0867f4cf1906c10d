#pragma once
// Carry-less multiplication, where this processor has it: functions that use it are compiled for it one by one, and called when kHasClmul says so.
#if defined(__x86_64__)
#include <immintrin.h>

namespace ringwood {

inline const bool kHasClmul = [] {
  __builtin_cpu_init();
  return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
}();

}  // namespace ringwood
#endif
