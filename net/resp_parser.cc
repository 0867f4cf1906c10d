#include "net/resp_parser.h"

#include <algorithm>
#include <climits>
#include <cstdio>

#include "engine/base/number.h"
#include "engine/base/resp_head.h"
#include "engine/base/split_args.h"

namespace ringwood {
namespace {

constexpr size_t kMaxLine = 64 * 1024;  // of a header or an inline command
constexpr int64_t kMaxUntrustedArgs = 10;
constexpr int64_t kMaxUntrustedBulk = 16384;

// End of the line that begins at p: the '\r', with one more byte behind it there. A NUL ends the search, as it does in Redis.
const char* line_end(const char* p, const char* end) {
  auto* cr = static_cast<const char*>(std::memchr(p, '\r', static_cast<size_t>(end - p)));
  if (!cr || std::memchr(p, '\0', static_cast<size_t>(cr - p))) return nullptr;
  return cr;
}

}  // namespace

void RequestParser::reset() {
  position_ = 0;
  missing_ = 0;
  bulk_ = -1;
  if (pieces_.capacity() > 64)
    std::vector<Piece>().swap(pieces_);
  else
    pieces_.clear();
}

// The one pass. Gives up, with nothing taken, at whatever is not a whole and regular request within the limits.
inline bool RequestParser::parse_whole(Bytes input, ParseTarget& to) {
  const char* p = input.data();
  const char* end = p + input.size();
  uint32_t n = 0;
  if (input.size() < 4 || *p != '*' || !(p = resp::read_plain(p + 1, end, n)) || n == 0 || !to.trusted) return false;
  // An argument has six bytes at least ("$0\r\n\r\n"): no more room is taken than the bytes that are there can fill.
  if (n > static_cast<size_t>(end - p) / 6) return false;
  const int64_t max_bulk_bytes = to.max_bulk_bytes;
  Bytes* args = to.args.take(n);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t size;
    if (!(p = resp::read_bulk_head(p, end, size)) || size > max_bulk_bytes || static_cast<size_t>(end - p) < size_t{size} + 2) {
      to.args.give_back(n);
      return false;
    }
    args[i] = Bytes(p, size);
    p += size + 2;
  }
  args_ = args;
  argc_ = n;
  consumed_ = static_cast<size_t>(p - input.data());
  return true;
}

RequestParser::Status RequestParser::parse(Bytes input, ParseTarget& to) {
  if (__builtin_expect(position_ == 0 && parse_whole(input, to), 1)) return Status::kRequest;
  return parse_pieces(input, to);
}

RequestParser::Status RequestParser::fail(const char* text) {
  error_ = text;
  return Status::kError;
}

RequestParser::Status RequestParser::parse_pieces(Bytes input, ParseTarget& to) {
  if (position_ == 0) {
    if (input.empty()) return Status::kIncomplete;
    if (input[0] != '*') return parse_inline(input, to);
    Status s = read_count(input, to);
    if (s != Status::kRequest) return s;
    if (missing_ <= 0) {  // "*0" and negative counts are requests of nothing
      consumed_ = position_;
      argc_ = 0;
      reset();
      return Status::kRequest;
    }
  }
  while (missing_ > 0) {
    if (bulk_ < 0) {
      Status s = read_bulk_size(input, to);
      if (s != Status::kRequest) return s;
    }
    auto size = static_cast<size_t>(bulk_);
    if (input.size() - position_ < size + 2) return Status::kIncomplete;
    pieces_.push_back({position_, size});
    position_ += size + 2;
    bulk_ = -1;
    missing_--;
  }
  return finish(input, to);
}

RequestParser::Status RequestParser::finish(Bytes input, ParseTarget& to) {
  argc_ = pieces_.size();
  args_ = to.args.take(argc_);
  for (size_t i = 0; i < argc_; i++) args_[i] = input.substr(pieces_[i].offset, pieces_[i].size);
  consumed_ = position_;
  reset();
  return Status::kRequest;
}

// kRequest means here: read, and position_ moved behind it.
RequestParser::Status RequestParser::read_count(Bytes input, ParseTarget& to) {
  const char* begin = input.data();
  const char* end = begin + input.size();
  const char* cr = line_end(begin, end);
  if (!cr) return input.size() > kMaxLine ? fail("Protocol error: too big mbulk count string") : Status::kIncomplete;
  if (end - cr < 2) return Status::kIncomplete;
  int64_t n;
  if (!parse_int64(Bytes(begin + 1, static_cast<size_t>(cr - begin - 1)), n) || n > INT_MAX)
    return fail("Protocol error: invalid multibulk length");
  if (n > kMaxUntrustedArgs && !to.trusted) return fail("Protocol error: unauthenticated multibulk length");
  missing_ = n;
  position_ = static_cast<size_t>(cr - begin) + 2;
  return Status::kRequest;
}

RequestParser::Status RequestParser::read_bulk_size(Bytes input, ParseTarget& to) {
  const char* begin = input.data() + position_;
  const char* end = input.data() + input.size();
  if (begin == end) return Status::kIncomplete;
  const char* cr = line_end(begin, end);
  if (!cr) return static_cast<size_t>(end - begin) > kMaxLine ? fail("Protocol error: too big bulk count string") : Status::kIncomplete;
  if (end - cr < 2) return Status::kIncomplete;
  if (*begin != '$') {
    std::snprintf(text_, sizeof text_, "Protocol error: expected '$', got '%c'", *begin);
    return fail(text_);
  }
  int64_t n;
  if (!parse_int64(Bytes(begin + 1, static_cast<size_t>(cr - begin - 1)), n) || n < 0 || n > to.max_bulk_bytes)
    return fail("Protocol error: invalid bulk length");
  if (n > kMaxUntrustedBulk && !to.trusted) return fail("Protocol error: unauthenticated bulk length");
  bulk_ = n;
  position_ = static_cast<size_t>(cr - input.data()) + 2;
  return Status::kRequest;
}

RequestParser::Status RequestParser::parse_inline(Bytes input, ParseTarget& to) {
  auto* nl = static_cast<const char*>(std::memchr(input.data(), '\n', input.size()));
  if (nl && std::memchr(input.data(), '\0', static_cast<size_t>(nl - input.data()))) nl = nullptr;
  if (!nl) return input.size() > kMaxLine ? fail("Protocol error: too big inline request") : Status::kIncomplete;
  Bytes line(input.data(), static_cast<size_t>(nl - input.data()));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  auto words = split_args(line);
  if (!words) return fail("Protocol error: unbalanced quotes in request");
  argc_ = words->size();
  args_ = to.args.take(argc_);
  for (size_t i = 0; i < argc_; i++) args_[i] = to.unquoted.emplace_back(std::move((*words)[i]));
  consumed_ = static_cast<size_t>(nl - input.data()) + 1;
  return Status::kRequest;
}

}  // namespace ringwood
