#pragma once
// Reads the heads of RESP commands ("*3\r\n", "$12\r\n") as programs write them: whole, with a plain number of at most nine digits. All answer the place
// behind what they have read, or null for anything else, whether it is wrong, unusual or breaks off: whoever wants to know goes on with care.
#include <cstdint>

#include "engine/base/bytes.h"

namespace ringwood::resp {

constexpr uint16_t kLineEnd = '\r' | '\n' << 8;

// Up to nine digits and "\r\n".
__attribute__((noinline)) inline const char* read_digits(const char* p, const char* end, uint32_t& value) {
  uint32_t v = 0;
  const char* stop = end - p > 9 ? p + 9 : end;
  const char* digits = p;
  for (; p < stop; p++) {
    auto d = static_cast<uint8_t>(*p - '0');
    if (d > 9) break;
    v = v * 10 + d;
  }
  if (p == digits || end - p < 2 || load<uint16_t>(p) != kLineEnd || (*digits == '0' && p - digits > 1)) return nullptr;
  value = v;
  return p + 2;
}

// The same, without a loop for what most numbers are: one digit, or two.
inline const char* read_plain(const char* p, const char* end, uint32_t& value) {
  if (__builtin_expect(end - p < 4, 0)) return read_digits(p, end, value);
  const auto first = static_cast<uint8_t>(p[0] - '0'), second = static_cast<uint8_t>(p[1] - '0');
  if (first <= 9 && load<uint16_t>(p + 1) == kLineEnd) return value = first, p + 3;
  if (static_cast<uint8_t>(first - 1) < 9 && second <= 9 && load<uint16_t>(p + 2) == kLineEnd) return value = first * 10u + second, p + 4;
  return read_digits(p, end, value);
}

// The same with the '$' in front, where eight bytes can be read: one or two digits without a branch for each of their bytes.
inline const char* read_bulk_head(const char* p, const char* end, uint32_t& value) {
  constexpr uint64_t kOne = '$' | '0' << 8 | '\r' << 16 | uint64_t{'\n'} << 24,
                     kTwo = '$' | '0' << 8 | '0' << 16 | uint64_t{'\r'} << 24 | uint64_t{'\n'} << 32;
  if (__builtin_expect(end - p < 8, 0)) return end - p < 4 || *p != '$' ? nullptr : read_plain(p + 1, end, value);
  const auto word = load<uint64_t>(p);
  const uint64_t two = word ^ kTwo;
  const auto tens = static_cast<uint32_t>(two >> 8 & 0xff), ones = static_cast<uint32_t>(two >> 16 & 0xff);
  if (!(two & 0xffff0000ff) && tens - 1 < 9 && ones <= 9) return value = tens * 10 + ones, p + 5;
  const uint64_t one = word ^ kOne;
  const auto digit = static_cast<uint32_t>(one >> 8 & 0xff);
  if (!(one & 0xffff00ff) && digit <= 9) return value = digit, p + 4;
  return *p != '$' ? nullptr : read_digits(p + 1, end, value);
}

}  // namespace ringwood::resp
