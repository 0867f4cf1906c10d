#pragma once
// Argument vectors of one round of requests: views, laid one behind the other in blocks that are used again every round.
#include <memory>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

class ArgArena {
 public:
  // Room for n views, stable until reset().
  Bytes* take(size_t n) {
    if (__builtin_expect(used_ + n > capacity_, 0)) next_block(n);
    Bytes* p = block_ + used_;
    used_ += n;
    return p;
  }
  // Gives back the last k of the views taken last.
  void give_back(size_t k) { used_ -= k; }
  void reset() {
    large_.clear();
    if (blocks_.empty()) return;
    index_ = 0;
    block_ = blocks_[0].get();
    capacity_ = kBlock;
    used_ = 0;
  }

 private:
  static constexpr size_t kBlock = 4096;
  void next_block(size_t n);
  std::vector<std::unique_ptr<Bytes[]>> blocks_;  // kBlock views each
  std::vector<std::unique_ptr<Bytes[]>> large_;   // for requests of more; freed at reset
  Bytes* block_ = nullptr;
  size_t index_ = 0, used_ = 0, capacity_ = 0;
};

}  // namespace ringwood
