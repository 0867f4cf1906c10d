#include "engine/commands/script/debug_reader.h"

#include "engine/base/number.h"

namespace ringwood {

DebugReader::Status DebugReader::take_number(char kind, int64_t most, size_t& at, int64_t& number) const {
  if (at == buffer_.size()) return Status::kMore;
  if (buffer_[at] != kind) return Status::kProtocolError;
  const size_t end = buffer_.find("\r\n", at);
  if (end == OwnedBytes::npos) return buffer_.size() - at > 32 ? Status::kProtocolError : Status::kMore;
  if (!parse_int64(Bytes(buffer_).substr(at + 1, end - at - 1), number) || number < 1 || number > most) return Status::kProtocolError;
  at = end + 2;
  return Status::kCommand;
}

DebugReader::Status DebugReader::parse(size_t& used) {
  size_t at = 0;
  int64_t count;
  if (Status s = take_number('*', kMostWords, at, count); s != Status::kCommand) return s;
  for (int64_t i = 0; i < count; i++) {
    int64_t size;
    if (Status s = take_number('$', kLongestWord, at, size); s != Status::kCommand) return s;
    const auto n = static_cast<size_t>(size);
    if (buffer_.size() - at < n + 2) return Status::kMore;
    if (buffer_.compare(at + n, 2, "\r\n") != 0) return Status::kProtocolError;
    words_.push_back(Bytes(buffer_).substr(at, n));
    at += n + 2;
  }
  used = at;
  return Status::kCommand;
}

DebugReader::Status DebugReader::next() {
  buffer_.erase(0, used_);
  used_ = 0;
  words_.clear();
  Status s = parse(used_);
  const size_t size = s == Status::kCommand ? used_ : s == Status::kMore ? buffer_.size() : 0;
  if (size > kMostBytes) s = Status::kTooMuch;
  if (s != Status::kCommand) words_.clear();
  return s;
}

}  // namespace ringwood
