#pragma once
// Numbers to text and back, with exactly the rules of Redis 7.2 (src/util.c), because clients see every digit of them.
// Formatters write no terminating zero, need the stated room and answer the position after their last character.
#include <bit>

#include "engine/base/bytes.h"

namespace ringwood {

constexpr size_t kMaxIntChars = 20;     // "-9223372036854775808", "18446744073709551615"
constexpr size_t kMaxDoubleChars = 32;  // every double formatter below but fixed point
constexpr size_t kMaxFixedPointChars = 40;
constexpr size_t kMaxLongDoubleChars = 5120;  // the longest text that counts as a long double, and the room to print one

namespace number_detail {
inline constexpr auto kPairs = [] {
  struct {
    char at[200];
  } t{};
  for (int i = 0; i < 100; i++) {
    t.at[2 * i] = static_cast<char>('0' + i / 10);
    t.at[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return t;
}();
inline constexpr uint64_t kPowers[20] = {0,
                                         10,
                                         100,
                                         1000,
                                         10000,
                                         100000,
                                         1000000,
                                         10000000,
                                         100000000,
                                         1000000000,
                                         10000000000,
                                         100000000000,
                                         1000000000000,
                                         10000000000000,
                                         100000000000000,
                                         1000000000000000,
                                         10000000000000000,
                                         100000000000000000,
                                         1000000000000000000,
                                         10000000000000000000u};
bool parse_int64_digits(Bytes text, int64_t& value);
}  // namespace number_detail

// "00" to "99" as the two characters that they are.
inline uint16_t digit_pair(uint64_t v) { return load<uint16_t>(number_detail::kPairs.at + 2 * v); }

// How many decimal digits v has; 1 for 0.
inline unsigned decimal_digits(uint64_t v) {
  unsigned guess = static_cast<unsigned>(std::bit_width(v | 1)) * 1233 >> 12;  // 1233/4096 is log10(2), close enough for 64 bits
  return guess + 1 - (v < number_detail::kPowers[guess]);
}

inline char* format_uint64(char* out, uint64_t v) {
  if (v < 10) {
    *out = static_cast<char>('0' + v);
    return out + 1;
  }
  char* end = out + decimal_digits(v);
  char* p = end;
  while (v >= 100) {
    uint64_t q = v / 100;
    p -= 2;
    std::memcpy(p, number_detail::kPairs.at + (v - q * 100) * 2, 2);
    v = q;
  }
  if (v >= 10)
    std::memcpy(p - 2, number_detail::kPairs.at + v * 2, 2);
  else
    p[-1] = static_cast<char>('0' + v);
  return end;
}

inline char* format_int64(char* out, int64_t v) {
  uint64_t magnitude = static_cast<uint64_t>(v);
  if (v < 0) {
    *out++ = '-';
    magnitude = 0 - magnitude;
  }
  return format_uint64(out, magnitude);
}
OwnedBytes int64_text(int64_t v);

// Only the one spelling that format_int64 would give is a number: no '+', space, leading zero or "-0". On false `value` is untouched.
inline bool parse_int64(Bytes text, int64_t& value) {
  if (text.empty() || text.size() > kMaxIntChars || static_cast<unsigned char>(text[0]) > '9') return false;
  return number_detail::parse_int64_digits(text, value);
}

// Laxer, as stream IDs need it: white space in front, a '+' and leading zeros pass. No minus sign passes (strtoull, which Redis
// asks here, lets "-05" wrap around to a huge number: that is refused).
bool parse_uint64(Bytes text, uint64_t& value);

// All that strtod accepts ("1e3", "0x1p3", "+inf", "Infinity") when it accepts the whole text; refuses the empty text, space in front,
// nan, and what overflows to infinity or underflows to zero. On false `value` is untouched.
bool parse_double(Bytes text, double& value);
// The same for long double, for INCRBYFLOAT and HINCRBYFLOAT; texts of kMaxLongDoubleChars or more are refused.
bool parse_long_double(Bytes text, long double& value);

// True when v is an integer whose cast is exact and |v| <= 2^62; Redis stores and prints such doubles as integers.
bool double_to_int64(double v, int64_t& value);

// A double in a reply, and a score in a listpack: "inf", "-inf", "nan", "-0", integers up to 2^62 in full, all others as format_double_digits.
char* format_double(char* out, double v);
// The same without the integer rule: 1e15 gives "1e+15". Used by DEBUG DIGEST, by RDB's textual scores and by Lua numbers.
// Exponents appear when the number has 8 or more zeros to fill at its right end, or, with more than 6 decimals, is below 0.001 or at least 10000.
char* format_double_digits(char* out, double v);
// printf's "%.17g", which ZSCAN gives for scores.
char* format_double_17g(char* out, double v);
// `decimals` (1 to 17) digits after the point, rounded by binary value: GEODIST. |v| must stay below 2^63 / 10^decimals.
char* format_fixed_point(char* out, double v, int decimals);
// "%.17Lf" without its trailing zeros: INCRBYFLOAT, HINCRBYFLOAT, GEOPOS. Needs kMaxLongDoubleChars of room.
char* format_long_double_human(char* out, long double v);

}  // namespace ringwood
