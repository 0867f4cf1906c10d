#pragma once
// The target's side of slots that move as one, as a pure machine (the source's: slot_export.h).
//
//   kArriving -> kReceivingImage -> kReplaying -> kTaken
//   all but kTaken -> kFailed: what has come is dropped
//
// What comes stands beside the data set and nobody sees it. A grant is taken at once, or refused; so there is no state in which the slots are half taken.
#include <cstdint>
#include <vector>

#include "cluster/slot_migration.h"

namespace ringwood::cluster {

enum class SlotImportState : uint8_t { kArriving, kReceivingImage, kReplaying, kTaken, kFailed };
enum class SlotImportDo : uint8_t {
  kTake,        // the slots become this node's, under granted_epoch(): at once, while every shard is held
  kDrop,        // what has come goes
  kSayGivenUp,  // tell the source why
  kHangUp,
};

class SlotImport : public SlotMoveMachine<SlotImportState, SlotImportDo> {
 public:
  using State = SlotImportState;
  using Do = SlotImportDo;

  SlotImport(const SlotMove& move, int64_t silence_ms, int64_t now_ms)
      : SlotMoveMachine(move, State::kArriving, now_ms), silence_ms_(silence_ms) {}

  void arrived(int64_t now_ms);  // the source's connection is ours
  void heard(uint64_t bytes, int64_t now_ms) { taken_ += bytes, heard_ms_ = now_ms; }
  void image_over(int64_t now_ms);
  // `greatest`: the greatest epoch that this node has seen. A claim under one that is not above it would not hold. `in_touch`: this node hears of others'
  // claims; under the new epoch it would claim again what it has lost and does not know of. A grant that has been on its way for long is refused, too: the
  // source grants when this node has just told it that it has everything, and knows of it no more, and serves the slots, when it has been started anew since.
  void granted(uint64_t epoch, uint64_t greatest, bool in_touch, int64_t now_ms);
  void lost(int64_t now_ms);
  // A flush, lack of memory, a stream that cannot be understood, a change of part or of the slots' owner.
  void impossible(Bytes why, int64_t now_ms);
  void tick(int64_t now_ms);

  const char* state_name() const;
  bool over() const { return state_ >= State::kTaken; }
  uint64_t granted_epoch() const { return epoch_; }
  uint64_t bytes_taken() const { return taken_; }
  static bool allowed(State from, State to);
  OwnedBytes invariants() const;

 private:
  void give_up(Bytes why, bool tell, int64_t now_ms);

  static constexpr int64_t kGrantLastsMs =
      1000;  // since the source was last heard; no master that starts serves before twice that (health.cc)
  const int64_t silence_ms_;
  uint64_t taken_ = 0, epoch_ = 0;
  bool dropped_ = false, took_ = false;
};

}  // namespace ringwood::cluster
