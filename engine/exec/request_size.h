#pragma once
// How many bytes a request has on the wire.
#include <span>

#include "engine/base/bytes.h"
#include "engine/base/number.h"

namespace ringwood {

inline int64_t request_bytes(std::span<const Bytes> args) {
  size_t n = 3 + decimal_digits(args.size());
  for (Bytes a : args) n += 5 + decimal_digits(a.size()) + a.size();
  return static_cast<int64_t>(n);
}

}  // namespace ringwood
