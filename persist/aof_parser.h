#pragma once
// The stream of commands as a file holds it: RESP arrays of bulk strings, and notes (lines that begin with #).
#include <span>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

// Cuts commands off the stream. Strict, as nobody has typed them.
class AofParser {
 public:
  enum class Status : uint8_t { kCommand, kNote, kMore, kBad };
  // `input` begins where a command begins. kCommand and kNote: consumed() bytes were understood; the arguments point into the input.
  Status parse(Bytes input);
  std::span<const Bytes> args() const { return args_; }
  size_t consumed() const { return consumed_; }

 private:
  std::vector<Bytes> args_;
  size_t consumed_ = 0;
};

}  // namespace ringwood
