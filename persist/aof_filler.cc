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

// --- where commands begin

void aof::Frames::begin(uint64_t at) {
  *this = {};
  at_ = at;
}

void aof::Frames::take(Bytes bytes) {
  while (!bytes.empty()) {
    size_t n = 1;
    switch (state_) {
      case State::kBetween:
        if (bytes[0] == '#') note_ = at_;
        state_ = bytes[0] == '#' ? State::kNote : bytes[0] == '*' ? State::kCount : State::kLost;
        number_ = arguments_ = 0;
        break;
      case State::kNote:
        n = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
        if (bytes[n - 1] == '\n') state_ = State::kBetween;
        break;
      case State::kCount:
      case State::kSize: take_digit(bytes[0]); break;
      case State::kBytes:
        n = static_cast<size_t>(std::min<uint64_t>(bytes_, bytes.size()));
        bytes_ -= n;
        if (!bytes_) state_ = --arguments_ ? State::kSize : State::kBetween;
        break;
      case State::kLost: n = bytes.size(); break;
    }
    at_ += n;
    bytes.remove_prefix(n);
  }
}

// Of a line of a number. What is wrong in it is told by who reads the commands.
void aof::Frames::take_digit(char c) {
  constexpr uint64_t kMost = uint64_t{1} << 33;
  if (c >= '0' && c <= '9') {
    number_ = number_ * 10 + static_cast<uint64_t>(c - '0');
    if (number_ > kMost) state_ = State::kLost;
  } else if (c == '\n') {
    if (state_ == State::kCount) {
      arguments_ = number_;
      state_ = arguments_ ? State::kSize : State::kLost;
    } else {
      bytes_ = number_ + 2;
      state_ = State::kBytes;
    }
    number_ = 0;
  } else if (c != '\r' && c != '$') {
    state_ = State::kLost;
  }
}

// --- the content

void AofContent::begin(Bytes tail, uint64_t size, uint64_t from) {
  line_.clear();
  held_.clear();
  frames_.begin(from);
  framed_ = given_ = 0;
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
  framed_ -= std::min(framed_, given_);
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
      if (framed_ < end) frames_.take(Bytes(held_).substr(framed_, end - framed_));
      framed_ = std::max(framed_, end);
      size_t content = 0;
      switch (mark_of_end(end, last, content)) {
        case Mark::kUnknown: return sector;
        case Mark::kEnd: over_ = true; return content;
        case Mark::kNone: break;
      }
      sector = end;
      continue;
    }
    over_ = true;
    in = in.substr(0, whole);
    while (in.ends_with(line_)) in.remove_suffix(kFillerLine);
    if (in.ends_with("#\n")) {
      const size_t line = in.size() - std::min(in.size(), kFillerLine - 1);  // its first byte is content
      in.remove_suffix(1);
      while (in.size() > line && in.ends_with('#')) in.remove_suffix(1);
    } else if (in.ends_with('#')) {
      in.remove_suffix(1);
    }
    return sector + in.size();
  }
}

// Whether the sector that ends at `end` of held_ ends with the note that says so, from `content` on.
AofContent::Mark AofContent::mark_of_end(size_t end, bool last, size_t& content) const {
  const uint64_t note = frames_.last_note(), behind = at_ + end;
  if (note == ~uint64_t{0} || note < at_ || note + kFillerLine <= behind || note >= behind) return Mark::kNone;
  content = static_cast<size_t>(note - at_);
  Bytes text = Bytes(held_).substr(content, end - content);
  if (text.size() > 1 && text.ends_with('\n')) text.remove_suffix(1);
  if (text.find_first_not_of('#') != Bytes::npos) return Mark::kNone;
  const Bytes next = Bytes(held_).substr(end, kFillerLine);
  if (next.size() < kFillerLine) return last ? Mark::kNone : Mark::kUnknown;
  if (next == line_) return Mark::kEnd;
  // Where one byte is left it may be the first of a note of the time, too.
  return is_line(next) || (end - content == 1 && next.starts_with("TS:")) ? Mark::kNone : Mark::kEnd;
}

}  // namespace ringwood
