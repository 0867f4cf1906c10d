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
    if (__builtin_expect(index_ > 1 || !large_.empty(), 0)) tidy();
    used_ = 0;
  }

 private:
  static constexpr size_t kBlock = 4096;
  static constexpr size_t kKept = 16;  // blocks that stay for the next round: 1 MiB
  void next_block(size_t n);
  void tidy();
  std::vector<std::unique_ptr<Bytes[]>> blocks_;  // kBlock views each
  std::vector<std::unique_ptr<Bytes[]>> large_;   // for requests of more; freed at reset
  Bytes* block_ = nullptr;
  size_t index_ = 0;  // of the next block to be used
  size_t used_ = 0, capacity_ = 0;
};

}  // namespace ringwood
