#include "engine/exec/arg_arena.h"

namespace ringwood {

void ArgArena::next_block(size_t n) {
  if (n > kBlock) {
    large_.push_back(std::make_unique<Bytes[]>(n));
    block_ = large_.back().get();
    capacity_ = n;
    used_ = 0;
    return;
  }
  if (block_) index_++;
  if (index_ >= blocks_.size()) {
    index_ = blocks_.size();
    blocks_.push_back(std::make_unique<Bytes[]>(kBlock));
  }
  block_ = blocks_[index_].get();
  capacity_ = kBlock;
  used_ = 0;
}

}  // namespace ringwood
