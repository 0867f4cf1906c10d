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

class SlotImport {
 public:
  enum class State : uint8_t { kArriving, kReceivingImage, kReplaying, kTaken, kFailed };
  enum class Do : uint8_t {
    kTake,        // the slots become this node's, under granted_epoch(): at once, while every shard is held
    kDrop,        // what has come goes
    kSayGivenUp,  // tell the source why
    kHangUp,
  };

  SlotImport(const SlotMove& move, int64_t silence_ms, int64_t now_ms)
      : move_(move), silence_ms_(silence_ms), created_ms_(now_ms), updated_ms_(now_ms), heard_ms_(now_ms) {}

  void arrived(int64_t now_ms);  // the source's connection is ours
  void heard(uint64_t bytes, int64_t now_ms) { taken_ += bytes, heard_ms_ = now_ms; }
  void image_over(int64_t now_ms);
  // `greatest`: the greatest epoch that this node has seen. A claim under one that is not above it would not hold.
  void granted(uint64_t epoch, uint64_t greatest, int64_t now_ms);
  void lost(int64_t now_ms);
  // A flush, lack of memory, a stream that cannot be understood, a change of part or of the slots' owner.
  void impossible(Bytes why, int64_t now_ms);
  void tick(int64_t now_ms);

  std::vector<Do> take_orders() {
    std::vector<Do> out;
    out.swap(orders_);
    return out;
  }
  const SlotMove& move() const { return move_; }
  State state() const { return state_; }
  const char* state_name() const;
  const OwnedBytes& message() const { return message_; }
  bool over() const { return state_ >= State::kTaken; }
  uint64_t granted_epoch() const { return epoch_; }
  uint64_t bytes_taken() const { return taken_; }
  int64_t created_ms() const { return created_ms_; }
  int64_t updated_ms() const { return updated_ms_; }
  int64_t heard_ms() const { return heard_ms_; }
  static bool allowed(State from, State to);
  OwnedBytes invariants() const;

 private:
  void enter(State s, int64_t now_ms);
  void give_up(Bytes why, bool tell, int64_t now_ms);

  const SlotMove move_;
  const int64_t silence_ms_;
  State state_ = State::kArriving;
  std::vector<Do> orders_;
  OwnedBytes message_;
  int64_t created_ms_, updated_ms_, heard_ms_;
  uint64_t taken_ = 0, epoch_ = 0;
  bool dropped_ = false, took_ = false;
};

}  // namespace ringwood::cluster
