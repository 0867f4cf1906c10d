#pragma once
// Keys in slots that have become another node's, which go a few at a time, so that nobody waits for them however many they are. On the first thread.
#include <functional>

#include "cluster/slot_set.h"
#include "engine/exec/executor.h"

namespace ringwood {

class SlotSweeper final : LeaseJob {
 public:
  // `ours` answers whether the slot has become this node's again: then its keys stay.
  explicit SlotSweeper(std::function<bool(int slot)> ours) : ours_(std::move(ours)) {}
  SlotSweeper(const SlotSweeper&) = delete;

  void add(Executor& home, const cluster::SlotSet& slots);

 private:
  static constexpr size_t kKeysAtOnce = 256;
  static constexpr int64_t kSliceUs = 500;
  void run(Executor& home) override;
  void finished(Executor& home) override;

  std::function<bool(int slot)> ours_;
  cluster::SlotSet left_;
  bool asked_ = false;
};

}  // namespace ringwood
