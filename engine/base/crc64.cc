#include <array>

#include "engine/base/clmul.h"
#include "engine/base/crc.h"

namespace ringwood {
namespace {

// 0xad93d23594c935a9 reflected: the highest bit is the coefficient of x^0, here and below.
constexpr uint64_t kPolynomial = 0x95ac9329ac4bc9b5ull;

// Slicing by 8: table k gives the effect of a byte that stands k places before the end of an 8-byte block.
struct Tables {
  std::array<std::array<uint64_t, 256>, 8> t{};
  constexpr Tables() {
    for (unsigned i = 0; i < 256; i++) {
      uint64_t c = i;
      for (int j = 0; j < 8; j++) c = c & 1 ? (c >> 1) ^ kPolynomial : c >> 1;
      t[0][i] = c;
    }
    for (unsigned k = 1; k < 8; k++)
      for (unsigned i = 0; i < 256; i++) t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 255];
  }
};
constexpr Tables kTables;

uint64_t crc64_by_tables(uint64_t crc, const uint8_t* p, size_t n) {
  const auto& t = kTables.t;
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t x = crc ^ load<uint64_t>(p);
    crc = t[7][x & 255] ^ t[6][(x >> 8) & 255] ^ t[5][(x >> 16) & 255] ^ t[4][(x >> 24) & 255] ^ t[3][(x >> 32) & 255] ^
          t[2][(x >> 40) & 255] ^ t[1][(x >> 48) & 255] ^ t[0][x >> 56];
  }
  while (n--) crc = (crc >> 8) ^ t[0][(crc ^ *p++) & 255];
  return crc;
}

// The product of two polynomials modulo that of the CRC.
constexpr uint64_t multiply(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  for (; b; b <<= 1) {
    if (b >> 63) product ^= a;
    a = a & 1 ? (a >> 1) ^ kPolynomial : a >> 1;
  }
  return product;
}

// x^n modulo the polynomial.
constexpr uint64_t power_of_x(uint64_t n) {
  uint64_t power = uint64_t{1} << 63;
  for (uint64_t square = uint64_t{1} << 62; n; n >>= 1, square = multiply(square, square))
    if (n & 1) power = multiply(power, square);
  return power;
}

#if defined(__x86_64__)
constexpr size_t kLane = 16, kBlock = 4 * kLane;

// What moves a lane on by so many bits: for its lower half, which is 64 bits ahead of the upper one, and for that. A product of two reflected numbers of 64
// bits has 127 of them, and reads as one power of x more than it is: these are one less.
struct Factors {
  uint64_t lower, upper;
  constexpr explicit Factors(uint64_t bits) : lower(power_of_x(bits + 63)), upper(power_of_x(bits - 1)) {}
};
constexpr Factors kByBlock{8 * kBlock}, kByLane{8 * kLane};

__attribute__((target("pclmul,sse4.1"))) inline __m128i moved(__m128i lane, const Factors& f) {
  const __m128i by = _mm_set_epi64x(static_cast<int64_t>(f.upper), static_cast<int64_t>(f.lower));
  return _mm_xor_si128(_mm_clmulepi64_si128(lane, by, 0x00), _mm_clmulepi64_si128(lane, by, 0x11));
}

// By carry-less multiplication (Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", 2009). Each of four lanes of 128
// bits stands for all bytes that have gone into it: a step multiplies it by the power of x by which the lane moves on, modulo the CRC's polynomial,
// and adds the next bytes. The end brings the lanes together, and the tables take the 16 bytes that are left for a message of their own.
__attribute__((target("pclmul,sse4.1"))) uint64_t crc64_clmul(uint64_t crc, const uint8_t*& p, size_t& n) {
  auto next = [](const uint8_t* from) __attribute__((always_inline)) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); };
  __m128i lanes[4] = {_mm_xor_si128(next(p), _mm_cvtsi64_si128(static_cast<int64_t>(crc))), next(p + kLane), next(p + 2 * kLane),
                      next(p + 3 * kLane)};
  for (p += kBlock, n -= kBlock; n >= kBlock; p += kBlock, n -= kBlock)
    for (size_t i = 0; i < 4; i++) lanes[i] = _mm_xor_si128(moved(lanes[i], kByBlock), next(p + i * kLane));
  __m128i all = lanes[0];
  for (size_t i = 1; i < 4; i++) all = _mm_xor_si128(moved(all, kByLane), lanes[i]);
  uint8_t rest[kLane];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), all);
  return crc64_by_tables(0, rest, sizeof rest);
}
#endif

}  // namespace

uint64_t crc64(uint64_t crc, Bytes data) {
  const uint8_t* p = octets(data);
  size_t n = data.size();
#if defined(__x86_64__)
  if (n >= 2 * kBlock && kHasClmul) crc = crc64_clmul(crc, p, n);
#endif
  return crc64_by_tables(crc, p, n);
}

// Bytes behind a text multiply its polynomial by x^8 each; with a start value of 0 and nothing added at the end, the rest is addition.
uint64_t crc64_join(uint64_t first, uint64_t second, uint64_t second_bytes) {
  uint64_t power = power_of_x(8);
  for (; second_bytes; second_bytes >>= 1) {
    if (second_bytes & 1) first = multiply(first, power);
    power = multiply(power, power);
  }
  return first ^ second;
}

}  // namespace ringwood
