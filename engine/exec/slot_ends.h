#pragma once
// Behind which offset of the mutation log the last change of each slot of a shard stands: a reply to a read waits for the disk as long as what it shows may
// still be lost, and no longer. Changes that are not known by slot count for all of them.
//
// A change is noted when its command has run, and its offset is known when the thread hands its effects over. Touched by whoever holds the shard.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/base/crc.h"

namespace ringwood {

class SlotEnds {
 public:
  static constexpr uint64_t kLater = ~uint64_t{0};  // not handed over yet

  // A command has changed keys of that slot alone, with so many bytes of effects.
  void changed(uint16_t slot, size_t bytes) {
    if (ends_.empty()) ends_.resize(kSlots);
    ends_[slot] = kLater;
    waiting_.push_back(slot);
    accounted_ += bytes;
  }
  // What a read of the slot may show, while effects of `gathered` bytes wait to be handed over.
  uint64_t of(uint16_t slot, size_t gathered) const {
    if (gathered != accounted_) return kLater;
    return by_slot() ? std::max(floor_, ends_[slot]) : floor_;
  }
  // Whether each slot has its own; prefetch() only then.
  bool by_slot() const { return !ends_.empty(); }
  void prefetch(uint16_t slot) const { __builtin_prefetch(&ends_[slot]); }
  // Effects of `gathered` bytes stand in the log now, before `end`.
  void handed_over(uint64_t end, size_t gathered) {
    if (gathered != accounted_) floor_ = end;
    for (uint16_t s : waiting_) ends_[s] = end;
    waiting_.clear();
    accounted_ = 0;
  }
  // Any slot may have changed before that offset.
  void raise(uint64_t end) { floor_ = std::max(floor_, end); }
  // The log counts anew.
  void forget() {
    std::fill(ends_.begin(), ends_.end(), 0);
    floor_ = 0;
  }

 private:
  std::vector<uint64_t> ends_;  // from the first change on
  std::vector<uint16_t> waiting_;
  uint64_t floor_ = 0;
  size_t accounted_ = 0;  // bytes of the effects that changed() was told of
};

}  // namespace ringwood
