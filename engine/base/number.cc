#include "engine/base/number.h"

#include <cassert>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "engine/base/grisu.h"

namespace ringwood {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

char* put(char* out, Bytes text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

// Calls C's own parser on a terminated copy and applies the rules that double and long double share.
template <class Float, Float (*kParse)(const char*, char**)>
bool parse_with_libc(Bytes text, Float& value) {
  if (text.empty() || is_space(text[0])) return false;
  char buffer[256];
  OwnedBytes large;
  const char* start = buffer;
  if (text.size() < sizeof buffer) {
    *put(buffer, text) = '\0';
  } else {
    large = OwnedBytes(text);
    start = large.c_str();
  }
  errno = 0;
  char* end = nullptr;
  Float v = kParse(start, &end);
  if (static_cast<size_t>(end - start) != text.size() || std::isnan(v)) return false;
  if (errno == ERANGE && (std::isinf(v) || v == 0)) return false;
  value = v;
  return true;
}

char* put_zeros(char* out, int n) {
  std::memset(out, '0', static_cast<size_t>(n));
  return out + n;
}

char* put_scientific(char* out, const Decimal& d) {
  *out++ = d.digits[0];
  if (d.count > 1) {
    *out++ = '.';
    out = put(out, Bytes(d.digits + 1, static_cast<size_t>(d.count - 1)));
  }
  int exponent = d.exponent + d.count - 1;
  *out++ = 'e';
  *out++ = exponent < 0 ? '-' : '+';
  return format_uint64(out, static_cast<uint64_t>(std::abs(exponent)));
}

}  // namespace

bool number_detail::parse_int64_digits(Bytes text, int64_t& value) {
  const char* p = text.data();
  const char* end = p + text.size();
  bool negative = *p == '-';
  if (negative) p++;
  if (p == end || end - p > 19) return false;  // without leading zeros 20 digits never fit
  unsigned first = static_cast<unsigned char>(*p) - unsigned{'0'};
  if (first == 0) {
    if (text.size() != 1) return false;
    value = 0;
    return true;
  }
  uint64_t v = 0;
  for (; p != end; p++) {
    unsigned digit = static_cast<unsigned char>(*p) - unsigned{'0'};
    if (digit > 9) return false;
    v = v * 10 + digit;
  }
  constexpr uint64_t kLimit = uint64_t{1} << 63;
  if (v > kLimit - !negative) return false;
  value = static_cast<int64_t>(negative ? 0 - v : v);
  return true;
}

OwnedBytes int64_text(int64_t v) {
  char text[kMaxIntChars];
  return OwnedBytes(text, format_int64(text, v));
}

bool parse_uint64(Bytes text, uint64_t& value) {
  size_t i = 0;
  while (i < text.size() && is_space(text[i])) i++;
  if (i < text.size() && text[i] == '+') i++;
  if (i == text.size()) return false;
  uint64_t v = 0;
  for (; i < text.size(); i++) {
    unsigned digit = static_cast<unsigned char>(text[i]) - unsigned{'0'};
    if (digit > 9 || __builtin_mul_overflow(v, uint64_t{10}, &v) || __builtin_add_overflow(v, uint64_t{digit}, &v)) return false;
  }
  value = v;
  return true;
}

bool parse_double(Bytes text, double& value) {
  double v = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (std::isnan(v)) return false;
    value = v;
    return true;
  }
  return parse_with_libc<double, std::strtod>(text, value);  // '+', hexadecimal, subnormal, or no number
}

bool parse_long_double(Bytes text, long double& value) {
  return text.size() < kMaxLongDoubleChars && parse_with_libc<long double, std::strtold>(text, value);
}

bool double_to_int64(double v, int64_t& value) {
  constexpr double kLimit = 4611686018427387904.0;  // 2^62
  if (!(v >= -kLimit && v <= kLimit)) return false;
  int64_t n = static_cast<int64_t>(v);
  if (static_cast<double>(n) != v) return false;
  value = n;
  return true;
}

char* format_double(char* out, double v) {
  int64_t n;
  if (v != 0 && double_to_int64(v, n)) return format_int64(out, n);
  if (std::isnan(v)) return put(out, "nan");  // whatever its sign
  return format_double_digits(out, v);
}

char* format_double_digits(char* out, double v) {
  if (std::signbit(v)) *out++ = '-';
  if (std::isnan(v)) return put(out, "nan");
  if (std::isinf(v)) return put(out, "inf");
  if (v == 0) return put(out, "0");
  Decimal d = grisu2(std::fabs(v));
  Bytes digits(d.digits, static_cast<size_t>(d.count));
  int point = d.exponent + d.count;  // digits before the decimal point; negative: zeros behind it
  int magnitude = std::abs(point - 1);
  if (d.exponent >= 0 && magnitude < d.count + 7) return put_zeros(put(out, digits), d.exponent);
  if (d.exponent >= 0 || (d.exponent <= -7 && magnitude >= 4)) return put_scientific(out, d);
  if (point <= 0) return put(put_zeros(put(out, "0."), -point), digits);
  out = put(out, digits.substr(0, static_cast<size_t>(point)));
  *out++ = '.';
  return put(out, digits.substr(static_cast<size_t>(point)));
}

char* format_double_17g(char* out, double v) {
  if (std::isnan(v)) return put(out, "nan");
  if (std::isinf(v)) return put(out, v < 0 ? "-inf" : "inf");
  auto [end, error] = std::to_chars(out, out + kMaxDoubleChars, v, std::chars_format::general, 17);
  assert(error == std::errc());
  return end;
}

char* format_fixed_point(char* out, double v, int decimals) {
  assert(decimals >= 1 && decimals <= 17);
  uint64_t unit = number_detail::kPowers[decimals];
  double scaled = v * static_cast<double>(unit);
  assert(std::fabs(scaled) < 9223372036854775808.0);
  int64_t rounded = std::llrint(scaled);
  uint64_t magnitude = static_cast<uint64_t>(rounded);
  if (rounded < 0) {
    *out++ = '-';
    magnitude = 0 - magnitude;
  }
  out = format_uint64(out, magnitude / unit);
  *out++ = '.';
  uint64_t fraction = magnitude % unit;
  out = put_zeros(out, decimals - static_cast<int>(decimal_digits(fraction)));
  return format_uint64(out, fraction);
}

char* format_long_double_human(char* out, long double v) {
  if (std::isnan(v)) return put(out, "nan");
  if (std::isinf(v)) return put(out, v < 0 ? "-inf" : "inf");
  int n = std::snprintf(out, kMaxLongDoubleChars, "%.17Lf", v);
  assert(n > 0 && static_cast<size_t>(n) < kMaxLongDoubleChars);  // the largest long double has 4933 digits before the point
  char* end = out + n;
  while (end[-1] == '0') end--;  // stops at the point at the latest
  if (end[-1] == '.') end--;
  if (end - out == 2 && out[0] == '-' && out[1] == '0') {
    out[0] = '0';
    end--;
  }
  return end;
}

}  // namespace ringwood
