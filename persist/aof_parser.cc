#include "persist/aof_parser.h"

#include "engine/base/number.h"

namespace ringwood {
namespace {

// "*3\r\n": the number behind the mark; false: there is no whole line. -1 for what is no number.
bool take_line(Bytes input, size_t& at, char mark, int64_t& n) {
  size_t end = input.find('\n', at);
  if (end == Bytes::npos) return false;
  Bytes line = input.substr(at, end - at);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  n = -1;
  if (line.empty() || line[0] != mark || !parse_int64(line.substr(1), n)) n = -1;
  at = end + 1;
  return true;
}

}  // namespace

AofParser::Status AofParser::parse(Bytes input) {
  args_.clear();
  if (input.empty()) return Status::kMore;
  if (input[0] == '#') {
    size_t end = input.find('\n');
    if (end == Bytes::npos) return Status::kMore;
    consumed_ = end + 1;
    return Status::kNote;
  }
  if (input[0] != '*') return Status::kBad;
  constexpr int64_t kMostArgs = 1 << 30, kLongest = int64_t{1} << 32;
  size_t at = 0;
  int64_t argc, size;
  if (!take_line(input, at, '*', argc)) return Status::kMore;
  if (argc < 1 || argc > kMostArgs) return Status::kBad;
  for (; argc; argc--) {
    if (at < input.size() && input[at] != '$') return Status::kBad;
    if (!take_line(input, at, '$', size)) return Status::kMore;
    if (size < 0 || size > kLongest) return Status::kBad;
    if (input.size() - at < static_cast<size_t>(size) + 2) return Status::kMore;
    args_.push_back(input.substr(at, static_cast<size_t>(size)));
    at += static_cast<size_t>(size) + 2;
  }
  consumed_ = at;
  return Status::kCommand;
}

}  // namespace ringwood
