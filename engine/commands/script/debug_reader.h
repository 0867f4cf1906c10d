#pragma once
// The commands that a Lua debugger's client sends: RESP arrays of bulk strings, with Redis's limits. Bytes in, words out.
#include <span>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

class DebugReader {
 public:
  static constexpr int64_t kMostWords = 1024;
  static constexpr int64_t kLongestWord = 1024;          // bytes
  static constexpr size_t kMostBytes = size_t{1} << 20;  // that wait to be read

  enum class Status : uint8_t {
    kMore,           // no command is whole yet
    kCommand,        // words() has one
    kProtocolError,  // what follows is not looked at any more
    kTooMuch,        // more than kMostBytes without an end
  };

  void feed(Bytes bytes) { buffer_.append(bytes); }
  Status next();
  // Of the last command; valid until more is fed or asked for.
  std::span<const Bytes> words() const { return words_; }

 private:
  Status parse(size_t& used);
  // "<kind><number>\r\n" at `at`, which moves behind it. A number that is not within 1 and `most` is an error.
  Status take_number(char kind, int64_t most, size_t& at, int64_t& number) const;

  OwnedBytes buffer_;
  size_t used_ = 0;  // of buffer_: the last command
  std::vector<Bytes> words_;
};

}  // namespace ringwood
