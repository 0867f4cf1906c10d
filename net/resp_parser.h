#pragma once
// Cuts a stream of bytes into requests: RESP arrays of bulk strings, or inline commands (https://redis.io/docs/reference/protocol-spec; limits, errors and
// oddities as Redis 7.2's networking.c). Pure: no I/O, no copying; arguments are views into the input.
//
// Usually a request is there as a whole, and parse() reads it in one pass. Where it is not, the parser remembers how far it came and parses on
// from there when more has arrived, so a large request costs its length once, in however many pieces it comes.
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/exec/arg_arena.h"

namespace ringwood {

// Where parsed arguments go, and the limits that apply.
struct ParseTarget {
  ArgArena& args;
  std::deque<OwnedBytes>& unquoted;  // arguments of inline commands, which are no plain views; they must live as long as the views
  int64_t max_bulk_bytes = 512 << 20;
  bool trusted = true;  // false before AUTH: small requests only
};

class RequestParser {
 public:
  enum class Status : uint8_t {
    kRequest,     // args() and consumed(); no args for an empty request, which is to be skipped
    kIncomplete,  // call again with the same bytes and more behind them (they may have moved)
    kError,       // error(): to be replied; nothing behind it can be understood
  };

  // `input` begins with the request: the same bytes as before after kIncomplete.
  Status parse(Bytes input, ParseTarget& to);

  std::span<const Bytes> args() const { return {args_, argc_}; }
  size_t consumed() const { return consumed_; }
  const char* error() const { return error_; }
  // Forgets how far it came: the next input begins elsewhere.
  void start_over() { reset(); }
  // After kIncomplete: how long the input must be at least for the argument that is missing, or 0 when that is not known yet.
  size_t wanted() const { return bulk_ >= 0 ? position_ + static_cast<size_t>(bulk_) + 2 : 0; }

  // The same of a large argument: how many bytes stand in front of it, which Redis would not keep in its query buffer. 0 for a small one.
  size_t before_large_argument() const { return bulk_ >= 32 * 1024 ? position_ : 0; }

 private:
  struct Piece {
    size_t offset, size;
  };
  void reset();
  bool parse_whole(Bytes input, ParseTarget& to);
  Status parse_pieces(Bytes input, ParseTarget& to);
  Status parse_inline(Bytes input, ParseTarget& to);
  Status read_count(Bytes input, ParseTarget& to);
  Status read_bulk_size(Bytes input, ParseTarget& to);
  Status fail(const char* text);
  Status finish(Bytes input, ParseTarget& to);

  Bytes* args_ = nullptr;
  size_t argc_ = 0;
  size_t consumed_ = 0;
  const char* error_ = nullptr;
  // A request that has not come as a whole:
  size_t position_ = 0;        // of what is read next; 0: at the beginning
  int64_t missing_ = 0;        // arguments still to come
  int64_t bulk_ = -1;          // announced size of the next one; -1: not read yet
  std::vector<Piece> pieces_;  // those that have come
  char text_[48];              // an error that names a character
};

}  // namespace ringwood
