#include "persist/aof_parser.h"

#include "engine/base/number.h"
#include "engine/base/resp_head.h"

namespace ringwood {
namespace {

constexpr int64_t kMostArgs = 1 << 30, kLongest = int64_t{1} << 32;

bool digit(char c) { return c >= '0' && c <= '9'; }

OwnedBytes shown(uint8_t c) {
  static constexpr char kHex[] = "0123456789abcdef";
  if (c == '\r') return "\\r";
  if (c == '\n') return "\\n";
  if (c >= 32 && c < 127) return OwnedBytes(1, static_cast<char>(c));
  return OwnedBytes("\\x") + kHex[c >> 4] + kHex[c & 15];
}

}  // namespace

void AofParser::note_got(Bytes input, size_t at) {
  for (size_t i = 0; i < 2; i++) stop_.got[i] = at + i < input.size() ? static_cast<uint8_t>(input[at + i]) : 0;
}

// A line "*3\r\n" at at_. kCommand: at_ stands behind it.
AofParser::Status AofParser::take_number(Bytes input, char mark, int64_t& number) {
  stop_.mark = mark;
  if (at_ == input.size()) return stopped(Status::kMore, Fault::kNothing, at_);
  stop_.got[0] = static_cast<uint8_t>(input[at_]);
  if (input[at_] != mark) return stopped(Status::kBad, Fault::kMark, at_);
  size_t begin = at_ + 1, end = begin;
  if (end < input.size() && input[end] == '-') end++;
  while (end < input.size() && digit(input[end]) && end - begin <= kMaxIntChars) end++;
  note_got(input, end);
  Bytes tail = input.substr(end, 2);
  if (tail != "\r\n") return stopped(tail.empty() || tail == "\r" ? Status::kMore : Status::kBad, Fault::kLineEnd, at_);
  if (!parse_int64(input.substr(begin, end - begin), number)) {
    note_got(input, begin);
    return stopped(Status::kBad, Fault::kLineEnd, at_);
  }
  stop_.number = number;
  at_ = end + 2;
  lines_++;
  return Status::kCommand;
}

AofParser::Status AofParser::take_argument(Bytes input, int64_t size) {
  auto n = static_cast<size_t>(size);
  if (input.size() - at_ < n + 2) {
    stop_.number = size + 2;
    stop_.present = static_cast<int64_t>(input.size() - at_);
    return stopped(Status::kMore, Fault::kBytes, at_);
  }
  if (input[at_ + n] != '\r' || input[at_ + n + 1] != '\n') {
    note_got(input, at_ + n);
    return stopped(Status::kBad, Fault::kTerminator, at_);
  }
  args_.push_back(input.substr(at_, n));
  at_ += n + 2;
  lines_++;
  return Status::kCommand;
}

// A whole command as servers write them, in one pass. Whatever else there is comes to parse_steps(), which says what is wrong with it.
bool AofParser::parse_whole(Bytes input) {
  const char* p = input.data();
  const char* end = p + input.size();
  uint32_t n = 0;
  if (input.size() < 4 || *p != '*' || !(p = resp::read_plain(p + 1, end, n)) || n == 0) return false;
  args_.clear();
  for (uint32_t i = 0; i < n; i++) {
    uint32_t size;
    if (!(p = resp::read_bulk_head(p, end, size)) || static_cast<size_t>(end - p) < size_t{size} + 2 ||
        load<uint16_t>(p + size) != resp::kLineEnd)
      return false;
    args_.emplace_back(p, size);
    p += size + 2;
  }
  consumed_ = static_cast<size_t>(p - input.data());
  lines_ = 1 + 2 * int64_t{n};
  stop_.fault = Fault::kNone;
  return true;
}

AofParser::Status AofParser::parse(Bytes input) { return parse_whole(input) ? Status::kCommand : parse_steps(input); }

AofParser::Status AofParser::parse_steps(Bytes input) {
  args_.clear();
  at_ = 0;
  lines_ = 0;
  stop_ = {};
  if (input.empty()) return stopped(Status::kMore, Fault::kNothing, 0);
  if (input[0] == '#') {
    size_t end = input.find('\n');
    if (end == Bytes::npos) return stopped(Status::kMore, Fault::kNote, 0);
    consumed_ = end + 1;
    return Status::kNote;
  }
  if (input[0] != '*') {
    note_got(input, 0);
    return stopped(Status::kBad, Fault::kNoCommand, 0);
  }
  int64_t argc = 0, size = 0;
  if (Status s = take_number(input, '*', argc); s != Status::kCommand) return s;
  if (argc < 1 || argc > kMostArgs) return stopped(Status::kBad, Fault::kCount, 0);
  for (; argc; argc--) {
    size_t line = at_;
    if (Status s = take_number(input, '$', size); s != Status::kCommand) return s;
    if (size < 0 || size > kLongest) return stopped(Status::kBad, Fault::kSize, line);
    if (Status s = take_argument(input, size); s != Status::kCommand) return s;
  }
  consumed_ = at_;
  return Status::kCommand;
}

OwnedBytes describe(const AofParser::Stop& stop) {
  using Fault = AofParser::Fault;
  switch (stop.fault) {
    case Fault::kNone: return "nothing is wrong";
    case Fault::kNothing: return "a command breaks off before its next line";
    case Fault::kNote: return "a note breaks off";
    case Fault::kNoCommand: return "no command begins with '" + shown(stop.got[0]) + "'";
    case Fault::kMark: return "a line begins with '" + shown(stop.got[0]) + "' in place of '" + stop.mark + "'";
    case Fault::kLineEnd:
    case Fault::kTerminator:
      return OwnedBytes(stop.fault == Fault::kLineEnd ? "behind a number" : "behind an argument") + " stands '" + shown(stop.got[0]) +
             shown(stop.got[1]) + "' in place of '\\r\\n'";
    case Fault::kCount: return "a command of " + int64_text(stop.number) + " arguments";
    case Fault::kSize: return "an argument of " + int64_text(stop.number) + " bytes";
    case Fault::kBytes:
      return "an argument breaks off: " + int64_text(stop.present) + " of " + int64_text(stop.number) + " bytes are there";
  }
  return {};
}

}  // namespace ringwood
