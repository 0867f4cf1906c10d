#pragma once
// The best candidates for eviction that samples have found so far, as Redis's pool (evict.c), with two differences: a candidate is remembered by its
// hash instead of a copy of its key, so that the pool can be larger; and its worth is measured again before it is evicted, so that a key that was used
// in the meantime stays.
#include <cstddef>
#include <cstdint>

#include "engine/base/options.h"
#include "engine/exec/access.h"
#include "engine/store/database.h"

namespace ringwood {

// How much an entry is worth evicting under a policy: the greater, the sooner it goes. Comparable over time, so that what was measured a while ago can stand
// beside what is measured now.
struct EvictionScore {
  MaxmemoryPolicy policy = MaxmemoryPolicy::kNoeviction;
  int64_t now_ms = 0;
  int lfu_decay_minutes = 1;

  uint64_t of(const Entry& e) const;
};

class EvictionPool {
 public:
  static constexpr size_t kSize = 32;
  struct Candidate {
    uint64_t score;
    uint64_t hash;
    uint16_t slot;
    uint16_t database;  // the Database object's number
  };

  void clear() { size_ = 0; }
  bool empty() const { return size_ == 0; }
  // Room for a candidate of this score, or a worse one that it would push out. Ask before computing what a Candidate needs.
  bool wants(uint64_t score) const { return size_ < kSize || score > candidates_[0].score; }
  // Keeps the pool in order; the same key stands in it once, with the score given last.
  void add(const Candidate& c);
  // Takes out the best. The pool is not empty.
  Candidate take_best() { return candidates_[--size_]; }

 private:
  size_t size_ = 0;
  Candidate candidates_[kSize];  // ascending by score
};

}  // namespace ringwood
