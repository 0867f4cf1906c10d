#include "engine/base/bit_kernels.h"

#include <array>
#include <bit>

#include "engine/base/bytes.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ringwood::bits {
namespace {

enum class Op : uint8_t { kAnd, kOr, kXor, kNot };

template <Op op, class T>
inline T apply(T a, T b) {
  if constexpr (op == Op::kAnd) return a & b;
  if constexpr (op == Op::kOr) return a | b;
  if constexpr (op == Op::kXor) return a ^ b;
  return ~a;
}

// --- any machine: 16 bytes are a vector of SSE2 and of NEON, of which every x86-64 and arm64 machine has one

using Lane = uint64_t __attribute__((vector_size(16)));

template <Op op>
void combine(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    store(out + i, apply<op>(load<Lane>(a + i), load<Lane>(b + i)));
    store(out + i + 16, apply<op>(load<Lane>(a + i + 16), load<Lane>(b + i + 16)));
  }
  for (; i + 8 <= n; i += 8) store(out + i, apply<op>(load<uint64_t>(a + i), load<uint64_t>(b + i)));
  for (; i < n; i++) out[i] = static_cast<uint8_t>(apply<op>(unsigned{a[i]}, unsigned{b[i]}));
}

inline uint64_t ones(uint64_t w) {
#if defined(__x86_64__) && !defined(__POPCNT__)
  // Without the instruction the compiler would call a function that looks bytes up: sums of 2, 4 and 8 bits are quicker.
  w -= (w >> 1) & 0x5555555555555555u;
  w = (w & 0x3333333333333333u) + ((w >> 2) & 0x3333333333333333u);
  return (((w + (w >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u) >> 56;
#else
  return static_cast<uint64_t>(std::popcount(w));
#endif
}

inline uint64_t last_word(const uint8_t* p, size_t n) {
  uint64_t w = 0;
  std::memcpy(&w, p, n);
  return w;
}

uint64_t count(const uint8_t* p, size_t n) {
  uint64_t sum = 0;
  for (; n >= 8; p += 8, n -= 8) sum += ones(load<uint64_t>(p));
  return n ? sum + ones(last_word(p, n)) : sum;
}

#if defined(__x86_64__)

// --- x86-64 with popcnt

__attribute__((target("popcnt"))) uint64_t count_popcnt(const uint8_t* p, size_t n) {
  uint64_t sum = 0;
  for (; n >= 8; p += 8, n -= 8) sum += static_cast<uint64_t>(__builtin_popcountll(load<uint64_t>(p)));
  return n ? sum + static_cast<uint64_t>(__builtin_popcountll(last_word(p, n))) : sum;
}

// --- AVX2: 32 bytes

template <Op op>
__attribute__((target("avx2"))) void combine_avx2(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i));
    __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i));
    if constexpr (op == Op::kAnd) x = _mm256_and_si256(x, y);
    if constexpr (op == Op::kOr) x = _mm256_or_si256(x, y);
    if constexpr (op == Op::kXor) x = _mm256_xor_si256(x, y);
    if constexpr (op == Op::kNot) x = _mm256_xor_si256(x, _mm256_set1_epi8(-1));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), x);
  }
  combine<op>(out + i, a + i, b + i, n - i);
}

// A shuffle gives the count of each half byte (W. Muła, N. Kurz, D. Lemire: "Faster population counts using AVX2 instructions", 2016).
__attribute__((target("avx2,popcnt"))) uint64_t count_avx2(const uint8_t* p, size_t n) {
  const __m256i of_nibble =
      _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low = _mm256_set1_epi8(15);
  __m256i sums = _mm256_setzero_si256();
  while (n >= 32) {
    __m256i by_byte = _mm256_setzero_si256();
    for (int room = 31; room > 0 && n >= 32; room--, p += 32, n -= 32) {  // 31 times at most 8 fit a byte
      __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
      __m256i lower = _mm256_shuffle_epi8(of_nibble, _mm256_and_si256(v, low));
      __m256i upper = _mm256_shuffle_epi8(of_nibble, _mm256_and_si256(_mm256_srli_epi16(v, 4), low));
      by_byte = _mm256_add_epi8(by_byte, _mm256_add_epi8(lower, upper));
    }
    sums = _mm256_add_epi64(sums, _mm256_sad_epu8(by_byte, _mm256_setzero_si256()));
  }
  alignas(32) uint64_t lanes[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), sums);
  return lanes[0] + lanes[1] + lanes[2] + lanes[3] + count_popcnt(p, n);
}

// --- AVX-512: 64 bytes, and the rest under a mask

template <Op op>
__attribute__((target("avx512f,avx512bw"))) void combine_avx512(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  for (size_t i = 0; i < n; i += 64) {
    __mmask64 mask = n - i >= 64 ? ~__mmask64{0} : (__mmask64{1} << (n - i)) - 1;
    __m512i x = _mm512_maskz_loadu_epi8(mask, a + i);
    __m512i y = _mm512_maskz_loadu_epi8(mask, b + i);
    if constexpr (op == Op::kAnd) x = _mm512_and_si512(x, y);
    if constexpr (op == Op::kOr) x = _mm512_or_si512(x, y);
    if constexpr (op == Op::kXor) x = _mm512_xor_si512(x, y);
    if constexpr (op == Op::kNot) x = _mm512_xor_si512(x, _mm512_set1_epi8(-1));
    _mm512_mask_storeu_epi8(out + i, mask, x);
  }
}

__attribute__((target("avx512f,avx512bw,avx512vpopcntdq"))) uint64_t count_avx512(const uint8_t* p, size_t n) {
  __m512i even = _mm512_setzero_si512(), odd = _mm512_setzero_si512();  // two sums, so that one addition need not wait for the other
  for (; n >= 128; p += 128, n -= 128) {
    even = _mm512_add_epi64(even, _mm512_popcnt_epi64(_mm512_loadu_si512(p)));
    odd = _mm512_add_epi64(odd, _mm512_popcnt_epi64(_mm512_loadu_si512(p + 64)));
  }
  for (size_t i = 0; i < n; i += 64) {
    __mmask64 mask = n - i >= 64 ? ~__mmask64{0} : (__mmask64{1} << (n - i)) - 1;
    even = _mm512_add_epi64(even, _mm512_popcnt_epi64(_mm512_maskz_loadu_epi8(mask, p + i)));
  }
  alignas(64) uint64_t lanes[8];
  _mm512_store_si512(lanes, _mm512_add_epi64(even, odd));
  uint64_t sum = 0;
  for (uint64_t lane : lanes) sum += lane;
  return sum;
}

template <Op op>
void alone_avx2(uint8_t* out, const uint8_t* a, size_t n) {
  combine_avx2<op>(out, a, a, n);
}
template <Op op>
void alone_avx512(uint8_t* out, const uint8_t* a, size_t n) {
  combine_avx512<op>(out, a, a, n);
}

#endif

void invert(uint8_t* out, const uint8_t* a, size_t n) { combine<Op::kNot>(out, a, a, n); }

struct Available {
  std::array<Kernels, 4> list;
  size_t size = 0;
  void add(const Kernels& k) { list[size++] = k; }

  Available() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool popcnt = __builtin_cpu_supports("popcnt"), avx2 = popcnt && __builtin_cpu_supports("avx2");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
    if (avx512)
      add({"avx512", __builtin_cpu_supports("avx512vpopcntdq") ? count_avx512 : count_avx2, combine_avx512<Op::kAnd>,
           combine_avx512<Op::kOr>, combine_avx512<Op::kXor>, alone_avx512<Op::kNot>});
    if (avx2) add({"avx2", count_avx2, combine_avx2<Op::kAnd>, combine_avx2<Op::kOr>, combine_avx2<Op::kXor>, alone_avx2<Op::kNot>});
    if (popcnt) add({"popcnt", count_popcnt, combine<Op::kAnd>, combine<Op::kOr>, combine<Op::kXor>, invert});
#endif
    add({"portable", count, combine<Op::kAnd>, combine<Op::kOr>, combine<Op::kXor>, invert});
  }
};

}  // namespace

std::span<const Kernels> kernels() {
  static const Available available;
  return {available.list.data(), available.size};
}

}  // namespace ringwood::bits
