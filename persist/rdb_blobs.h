#pragma once
// Blobs of RDB values, as they come from outside, made into listpacks that the data structures may trust: sound in every entry, without
// repeated members or fields, scores that are numbers and in order, integers always written as integers.
#include <vector>

#include "engine/store/listpack.h"
#include "persist/rdb_decode.h"

namespace ringwood::rdb {

// What a listpack's elements are.
enum class Shape : uint8_t { kList, kSet, kHash, kZSet, kTimedHash };

class BlobChecker {
 public:
  struct Result {
    uint8_t* lp = nullptr;  // the caller's; null: damaged, `why` says how
    bool ordered = true;    // kZSet, kTimedHash: elements stand in the order of their scores or times
    const char* why = nullptr;
    bool timed = false;  // kTimedHash: a field has a time
  };
  Result take_listpack(Bytes blob, Shape shape);
  Result convert_ziplist(Bytes blob, Shape shape);
  Result convert_zipmap(Bytes blob);
  // Size of the longest element of the last zipmap.
  size_t longest() const { return longest_; }

 private:
  Result check(uint8_t* lp, Shape shape);
  bool repeats(const uint8_t* lp, size_t members, unsigned width);
  size_t longest_ = 0;
  std::vector<uint32_t> places_;  // open addressing over members: offset in the block, 0 = free
};

}  // namespace ringwood::rdb
