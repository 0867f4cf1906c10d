#pragma once
// A place within a whole reply, in RESP2 or RESP3, of which everything is there and well-formed: our own commands have written it.
#include "engine/base/bytes.h"
#include "engine/base/number.h"

namespace ringwood {

class ReplyCursor {
 public:
  explicit ReplyCursor(Bytes reply) : rest_(reply) {}

  // Up to the line break, which is skipped.
  Bytes line() {
    const size_t end = rest_.find('\r');
    const Bytes found = rest_.substr(0, end);
    rest_.remove_prefix(end + 2);
    return found;
  }
  // So many bytes, and the line break behind them.
  Bytes take(size_t n) {
    const Bytes found = rest_.substr(0, n);
    rest_.remove_prefix(n + 2);
    return found;
  }
  static int64_t integer(Bytes text) {
    int64_t v = 0;
    parse_int64(text, v);
    return v;
  }

 private:
  Bytes rest_;
};

}  // namespace ringwood
