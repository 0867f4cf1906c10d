#include "tools/files/words.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "engine/base/number.h"
#include "engine/base/split_args.h"

namespace ringwood {

OwnedBytes size_text(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return counted(bytes, "byte", "bytes");
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (value /= 1024; value >= 1024; value /= 1024) unit++;
  char room[32];
  std::snprintf(room, sizeof room, "%.*f %s", value < 100 ? 1 : 0, value, kUnits[unit]);
  return room;
}

OwnedBytes count_text(uint64_t n) {
  char digits[kMaxIntChars];
  OwnedBytes out(digits, format_uint64(digits, n));
  for (size_t at = out.size(); at > 3;) out.insert(at -= 3, 1, ',');
  return out;
}

OwnedBytes seconds_text(double seconds) {
  auto s = static_cast<long long>(std::clamp(seconds, 0.0, 3.6e9));
  char room[40];
  if (s < 3600)
    std::snprintf(room, sizeof room, "%lld:%02lld", s / 60, s % 60);
  else
    std::snprintf(room, sizeof room, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  return room;
}

OwnedBytes time_text(int64_t unix_s) {
  time_t t = unix_s;
  tm parts;
  char room[64];
  if (!gmtime_r(&t, &parts) || !std::strftime(room, sizeof room, "%Y-%m-%d %H:%M:%S UTC", &parts)) return int64_text(unix_s);
  return room;
}

OwnedBytes shown(Bytes name, size_t most) {
  Bytes part = name.substr(0, most);
  OwnedBytes out;
  if (!part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c > ' ' && c < 127 && c != '"' && c != '\\'; }))
    out = part;
  else
    append_quoted(out, part);
  return part.size() < name.size() ? out + "..." : out;
}

OwnedBytes counted(uint64_t n, const char* one, const char* many) { return count_text(n) + " " + (n == 1 ? one : many); }

void TextTable::print() const {
  std::vector<size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); i++) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows_) {
    OwnedBytes line = "  ";
    for (size_t i = 0; i < row.size(); i++) {
      OwnedBytes gap(widths[i] - row[i].size(), ' ');
      line += i ? "  " + gap + row[i] : row[i] + gap;
    }
    while (line.back() == ' ') line.pop_back();
    std::printf("%s\n", line.c_str());
  }
}

}  // namespace ringwood
