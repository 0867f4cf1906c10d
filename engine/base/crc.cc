#include "engine/base/crc.h"

#include <array>

#include "engine/base/clmul.h"
#include "engine/base/hash.h"

namespace ringwood {

uint64_t g_hash_seed = 0x9e3779b97f4a7c15ull;

namespace {

// Slicing by 8: table k gives the effect of a byte that stands k places before the end of an 8-byte block.
struct Tables16 {
  std::array<std::array<uint16_t, 256>, 8> t{};
  constexpr Tables16() {
    for (unsigned i = 0; i < 256; i++) {
      uint16_t c = static_cast<uint16_t>(i << 8);
      for (int j = 0; j < 8; j++) c = static_cast<uint16_t>(c & 0x8000 ? (c << 1) ^ 0x1021 : c << 1);
      t[0][i] = c;
    }
    for (unsigned k = 1; k < 8; k++)
      for (unsigned i = 0; i < 256; i++) t[k][i] = static_cast<uint16_t>((t[k - 1][i] << 8) ^ t[0][t[k - 1][i] >> 8]);
  }
};
constexpr Tables16 k16;

}  // namespace

__attribute__((always_inline)) static inline uint16_t crc16_inline(Bytes data) {
  const uint8_t* p = octets(data);
  size_t n = data.size();
  unsigned c = 0;
  const auto& t = k16.t;
  for (; n >= 8; p += 8, n -= 8)
    c = t[7][p[0] ^ (c >> 8)] ^ t[6][p[1] ^ (c & 255)] ^ t[5][p[2]] ^ t[4][p[3]] ^ t[3][p[4]] ^ t[2][p[5]] ^ t[1][p[6]] ^ t[0][p[7]];
  while (n--) c = ((c << 8) & 0xffff) ^ t[0][(c >> 8) ^ *p++];
  return static_cast<uint16_t>(c);
}

uint16_t crc16(Bytes data) { return crc16_inline(data); }

// Whether a '{' is among the bytes: cheaper for the length of a usual key than a call of memchr.
static bool has_brace(Bytes key) {
  const char* p = key.data();
  size_t n = key.size();
#if defined(__SSE2__)
  if (n >= 16) {
    const __m128i brace = _mm_set1_epi8('{');
    auto found = [p, brace](size_t at) { return _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + at)), brace); };
    __m128i any = found(n - 16);  // overlaps the one before
    for (size_t i = 0; i + 16 < n; i += 16) any = _mm_or_si128(any, found(i));
    return _mm_movemask_epi8(any) != 0;
  }
#endif
  return n && std::memchr(p, '{', n);
}

// What of the key is hashed, where it has a '{'.
__attribute__((noinline, cold)) static Bytes hash_tag(Bytes key) {
  size_t start = key.find('{') + 1;
  size_t end = key.find('}', start);
  return end != Bytes::npos && end > start ? key.substr(start, end - start) : key;
}

#if defined(__x86_64__)
namespace {

// The remainder of x^n by the CRC's polynomial, and the lower 64 bits of the quotient of x^80 (its highest bit stands for x^64).
constexpr uint64_t remainder_of_power(unsigned n) {
  uint32_t r = 1;
  for (; n; n--) r = (r << 1) ^ (r & 0x8000 ? 0x11021 : 0);
  return r;
}
constexpr uint64_t quotient_of_x80() {
  uint64_t quotient = 0;
  uint32_t r = 1;
  for (int i = 0; i < 80; i++) {
    const bool divides = r & 0x8000;
    r = (r << 1) ^ (divides ? 0x11021 : 0);
    quotient = quotient << 1 | divides;
  }
  return quotient;
}

// key_slot() by carry-less multiplication, eight bytes a step: acc, a polynomial of degree 63, stands for the bytes until now. A step multiplies it by x^64,
// modulo the CRC's polynomial, and adds the next bytes; the end multiplies by x^16 and takes the remainder (Barrett's reduction, exact here since nothing
// carries). `brace`: whether there is a '{' among the bytes.
__attribute__((target("pclmul,sse4.1"))) inline uint16_t crc16_clmul(Bytes data, bool& brace) {
  constexpr uint64_t kEach = 0x0101010101010101ull;
  const char* p = data.data();
  const size_t n = data.size();
  uint64_t acc = 0, braces = 0;
  auto look = [&braces](uint64_t w) {  // the highest bit of each byte that is a '{', and perhaps of bytes above one
    const uint64_t x = w ^ kEach * '{';
    braces |= (x - kEach) & ~x;
  };
  auto word = [ p, &look ](size_t at) __attribute__((always_inline)) {
    const auto w = load<uint64_t>(p + at);
    look(w);
    return __builtin_bswap64(w);
  };
  size_t at = n & 7;
  if (n < 8) {
    if (n >= 4)
      acc = uint64_t{__builtin_bswap32(load<uint32_t>(p))} << 8 * (n - 4) | __builtin_bswap32(load<uint32_t>(p + n - 4));
    else
      for (size_t i = 0; i < n; i++) acc = acc << 8 | static_cast<uint8_t>(p[i]);
    look(acc);
    at = n;
  } else if (at) {
    acc = word(0) >> (64 - 8 * at);
  } else {
    acc = word(0);
    at = 8;
  }
  const __m128i x64 = _mm_cvtsi64_si128(static_cast<int64_t>(remainder_of_power(64)));
  for (; at < n; at += 8) {
    const __m128i moved = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<int64_t>(acc)), x64, 0x00);
    const __m128i above = _mm_clmulepi64_si128(moved, x64, 0x01);
    acc = static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_xor_si128(moved, above))) ^ word(at);
  }
  brace = braces & kEach << 7;
  const __m128i all = _mm_cvtsi64_si128(static_cast<int64_t>(acc));
  const __m128i high = _mm_clmulepi64_si128(all, _mm_cvtsi64_si128(static_cast<int64_t>(quotient_of_x80())), 0x00);
  const __m128i quotient = _mm_xor_si128(_mm_unpackhi_epi64(high, high), all);
  return static_cast<uint16_t>(_mm_cvtsi128_si32(_mm_clmulepi64_si128(quotient, _mm_cvtsi64_si128(0x1021), 0x00)));
}

__attribute__((target("pclmul,sse4.1"))) uint16_t key_slot_clmul(Bytes key) {
  bool brace;
  const uint16_t crc = crc16_clmul(key, brace);
  if (__builtin_expect(brace, 0)) return crc16(hash_tag(key)) & (kSlots - 1);
  return crc & (kSlots - 1);
}

}  // namespace
#endif

__attribute__((noinline)) static uint16_t key_slot_by_tables(Bytes key) {
  if (__builtin_expect(has_brace(key), 0)) key = hash_tag(key);
  return crc16_inline(key) & (kSlots - 1);
}

uint16_t key_slot(Bytes key) {
#if defined(__x86_64__)
  if (__builtin_expect(kHasClmul, 1)) return key_slot_clmul(key);
#endif
  return key_slot_by_tables(key);
}

}  // namespace ringwood
