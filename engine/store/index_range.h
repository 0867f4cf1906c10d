#pragma once
// A part of a row of elements, and Redis's way to state one by two inclusive indices that count from the end where negative.
#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace ringwood {

struct IndexRange {
  size_t from = 0;
  size_t to = 0;  // the first that is not in it; never below from
  size_t size() const { return to - from; }
  bool empty() const { return from == to; }
};

inline IndexRange index_range(int64_t start, int64_t stop, size_t length) {
  int64_t n = static_cast<int64_t>(length);
  if (start < 0) start = std::max<int64_t>(start + n, 0);  // cannot overflow: the two differ in sign
  if (stop < 0) stop += n;
  if (start > stop || start >= n) return {};
  return {static_cast<size_t>(start), static_cast<size_t>(std::min(stop, n - 1)) + 1};
}

}  // namespace ringwood
