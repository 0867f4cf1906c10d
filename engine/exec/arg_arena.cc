#include "engine/exec/arg_arena.h"

namespace ringwood {

void ArgArena::next_block(size_t n) {
  used_ = 0;
  if (n > kBlock) {
    large_.push_back(std::make_unique<Bytes[]>(n));
    block_ = large_.back().get();
    capacity_ = n;
    return;
  }
  if (index_ == blocks_.size()) blocks_.push_back(std::make_unique<Bytes[]>(kBlock));
  block_ = blocks_[index_++].get();
  capacity_ = kBlock;
}

// Back to the first block, or to none when only large ones have been used.
void ArgArena::tidy() {
  large_.clear();
  if (blocks_.size() > kKept) blocks_.resize(kKept);
  index_ = blocks_.empty() ? 0 : 1;
  block_ = blocks_.empty() ? nullptr : blocks_[0].get();
  capacity_ = blocks_.empty() ? 0 : kBlock;
}

}  // namespace ringwood
