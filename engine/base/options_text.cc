#include "engine/base/options_text.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>

namespace ringwood::options_text {
namespace {

char lower_letter(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

struct Unit {
  std::string_view name;
  uint64_t bytes;
};
constexpr Unit kUnits[] = {{"", 1},        {"b", 1},         {"k", 1000},       {"kb", 1u << 10},
                           {"m", 1000000}, {"mb", 1u << 20}, {"g", 1000000000}, {"gb", 1u << 30}};

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower_letter(x) == lower_letter(y); });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower_letter);
  return out;
}

std::optional<uint64_t> parse_memory(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view unit_name = text.substr(digits);
  const Unit* unit =
      std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& u) { return equal_ignoring_case(u.name, unit_name); });
  if (unit == std::end(kUnits)) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text.substr(0, digits)) {
    if (__builtin_mul_overflow(value, uint64_t{10}, &value) || __builtin_add_overflow(value, static_cast<uint64_t>(c - '0'), &value)) {
      return std::nullopt;
    }
  }
  if (__builtin_mul_overflow(value, unit->bytes, &value)) return std::nullopt;
  return value;
}

std::string format_memory(uint64_t bytes) {
  for (const Unit& unit : {kUnits[7], kUnits[5], kUnits[3]}) {
    if (bytes != 0 && bytes % unit.bytes == 0) return std::to_string(bytes / unit.bytes).append(unit.name);
  }
  return std::to_string(bytes);
}

std::optional<int64_t> parse_long(const std::string& text, int base) {
  char* end = nullptr;
  errno = 0;
  const long long value = std::strtoll(text.c_str(), &end, base);
  if (errno == ERANGE || end != text.c_str() + text.size()) return std::nullopt;
  return value;
}

}  // namespace ringwood::options_text
