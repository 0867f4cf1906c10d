#include "persist/aof_filler.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace ringwood {
namespace {

using aof::kFillerLine;
using aof::kSector;

constexpr Bytes kBegin{"#ahead "};
constexpr size_t kDigits = 16;

void put_line(char* to, uint64_t id) {
  char room[32];
  std::snprintf(room, sizeof room, "#ahead %016llx", static_cast<unsigned long long>(id));
  std::memset(to, '#', kFillerLine);
  std::memcpy(to, room, kBegin.size() + kDigits);
  to[kFillerLine - 1] = '\n';
}

bool is_line(Bytes line) {
  return line.starts_with(kBegin) && line.find_first_not_of("0123456789abcdef", kBegin.size()) == kBegin.size() + kDigits &&
         line.find_first_not_of('#', kBegin.size() + kDigits) == kFillerLine - 1 && line.back() == '\n';
}

}  // namespace

void aof::fill(char* to, size_t n, uint64_t offset, uint64_t id) {
  if (const size_t rest = std::min<size_t>((kFillerLine - offset % kFillerLine) % kFillerLine, n); rest) {
    std::memset(to, '#', rest);
    if (rest > 1) to[rest - 1] = '\n';
    to += rest;
    n -= rest;
  }
  char line[kFillerLine];
  put_line(line, id);
  for (; n; to += std::min(n, sizeof line), n -= std::min(n, sizeof line)) std::memcpy(to, line, std::min(n, sizeof line));
}

// A single byte would be no line: then the next one is begun as well, but is not that of the filler.
size_t aof::pad(char* to, uint64_t offset) {
  const size_t rest = kSector - offset % kSector;
  if (rest >= kFillerLine) return 0;
  const size_t n = rest > 1 ? rest : kFillerLine - 1;
  std::memset(to, '#', n);
  to[n - 1] = '\n';
  return n;
}

void AofContent::begin(Bytes tail, uint64_t size, uint64_t from) {
  line_.clear();
  held_.clear();
  given_ = 0;
  at_ = from;
  over_ = torn_ = false;
  const uint64_t end = size / kFillerLine * kFillerLine, begin = size - tail.size();
  if (end < kFillerLine || end - kFillerLine < begin) return;
  Bytes line = tail.substr(end - kFillerLine - begin, kFillerLine);
  if (is_line(line) && line.starts_with(tail.substr(end - begin))) line_ = line;
}

Bytes AofContent::take(Bytes bytes, bool last) {
  if (line_.empty()) return bytes;
  held_.erase(0, given_);
  at_ += given_;
  given_ = 0;
  if (over_) {
    look_behind(bytes);
    return {};
  }
  held_.append(bytes);
  given_ = find_end(last);
  if (!over_) return Bytes(held_).substr(0, given_);
  at_ += given_;
  const size_t rest = std::min<size_t>((kFillerLine - at_ % kFillerLine) % kFillerLine, held_.size() - given_);
  at_ += rest;
  look_behind(Bytes(held_).substr(given_ + rest));
  held_.resize(given_);
  at_ -= given_;
  return held_;
}

void AofContent::look_behind(Bytes bytes) {
  while (!bytes.empty() && !torn_) {
    const size_t in_line = at_ % kFillerLine, n = std::min(bytes.size(), kFillerLine - in_line);
    torn_ = bytes.substr(0, n) != Bytes(line_).substr(in_line, n);
    bytes.remove_prefix(n);
    at_ += n;
  }
}

// How much of held_ is known to be content. The last line of a sector tells.
size_t AofContent::find_end(bool last) {
  size_t sector = 0;
  for (;;) {
    const size_t end = sector + kSector - (at_ + sector) % kSector;
    if (end > held_.size() && !last) return sector;
    Bytes in = Bytes(held_).substr(sector, end - sector);
    if (in.empty()) return sector;
    const size_t whole = in.size() - (at_ + sector + in.size()) % kFillerLine;  // where the file ends within a line, that is filler
    if (whole > in.size() || !in.substr(0, whole).ends_with(line_)) {
      if (in.size() < end - sector) return held_.size();
      sector = end;
      continue;
    }
    over_ = true;
    in = in.substr(0, whole);
    while (in.ends_with(line_)) in.remove_suffix(kFillerLine);
    if (in.ends_with("#\n")) {
      in.remove_suffix(1);
      while (in.ends_with('#')) in.remove_suffix(1);
    } else if (in.ends_with('#')) {
      in.remove_suffix(1);
    }
    return sector + in.size();
  }
}

}  // namespace ringwood
