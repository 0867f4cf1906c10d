#include "cluster/slot_import.h"

namespace ringwood::cluster {

const char* SlotImport::state_name() const {
  switch (state_) {
    case State::kArriving: return "waiting-for-ack";
    case State::kReceivingImage: return "receiving-snapshot";
    case State::kReplaying: return "waiting-for-paused";
    case State::kTaken: return "success";
    case State::kFailed: return "failed";
  }
  return "";
}

bool SlotImport::allowed(State from, State to) {
  switch (to) {
    case State::kArriving: return false;
    case State::kReceivingImage: return from == State::kArriving;
    case State::kReplaying: return from == State::kReceivingImage;
    case State::kTaken: return from == State::kReplaying;
    case State::kFailed: return from < State::kTaken;
  }
  return false;
}

void SlotImport::give_up(Bytes why, bool tell, int64_t now_ms) {
  if (over()) return;
  enter(State::kFailed, now_ms);
  message_ = why;
  dropped_ = true;
  order(Do::kDrop);
  if (tell) order(Do::kSayGivenUp);
  order(Do::kHangUp);
}

void SlotImport::arrived(int64_t now_ms) {
  if (state_ == State::kArriving) enter(State::kReceivingImage, now_ms);
}

void SlotImport::image_over(int64_t now_ms) {
  if (state_ != State::kReceivingImage) return impossible("Unexpected state machine transition", now_ms);
  enter(State::kReplaying, now_ms);
}

void SlotImport::granted(uint64_t epoch, uint64_t greatest, bool in_touch, int64_t now_ms) {
  if (over()) return;
  if (state_ != State::kReplaying) return impossible("Unexpected state machine transition", now_ms);
  if (!in_touch) return impossible("This node does not hear from a majority of the masters", now_ms);
  if (now_ms - heard_ms_ > kGrantLastsMs) return impossible("The grant has come too late", now_ms);
  if (epoch <= greatest) return impossible("The epoch that was granted has been overtaken", now_ms);
  enter(State::kTaken, now_ms);
  epoch_ = epoch;
  took_ = true;
  order(Do::kTake);
}

void SlotImport::lost(int64_t now_ms) {
  give_up("Connection lost to source. Check CLUSTER GETSLOTMIGRATIONS on the source node for more information.", false, now_ms);
}

void SlotImport::impossible(Bytes why, int64_t now_ms) { give_up(why, true, now_ms); }

void SlotImport::tick(int64_t now_ms) {
  if (!over() && now_ms - heard_ms_ > silence_ms_) impossible("Timed out after too long with no interaction", now_ms);
}

OwnedBytes SlotImport::invariants() const {
  if (dropped_ != (state_ == State::kFailed)) return "what has come is dropped in the state " + OwnedBytes(state_name()) + ", or is not";
  if (took_ != (state_ == State::kTaken)) return "the slots are taken in the state " + OwnedBytes(state_name()) + ", or are not";
  if (took_ && !epoch_) return "slots taken without an epoch";
  if (state_ == State::kFailed && message_.empty()) return "a failure without a reason";
  return {};
}

}  // namespace ringwood::cluster
