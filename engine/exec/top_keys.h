#pragma once
// The keys with the greatest sums of something, in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k
// Elements in Data Streams, 2005). A key that has no place takes that of the least and inherits its sum, so a sum is never too low, and too high by no
// more than is noted beside it.
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/hash.h"

namespace ringwood {

class TopKeys {
 public:
  struct Place {
    OwnedBytes key;
    uint64_t sum = 0;
    uint64_t inherited = 0;
  };
  static constexpr size_t kLongestKey = 4096;  // longer keys are not counted

  explicit TopKeys(size_t places) : capacity_(places) {}
  void add(Bytes key, uint64_t weight);
  // In no particular order.
  const std::vector<Place>& places() const { return heap_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(Bytes name) const { return hash_bytes(name); }
  };
  void sink(size_t i);
  void put(size_t i, Place&& p);

  size_t capacity_;
  std::vector<Place> heap_;                                           // the least first
  std::unordered_map<OwnedBytes, size_t, Hash, std::equal_to<>> at_;  // place in the heap, by key
};

}  // namespace ringwood
