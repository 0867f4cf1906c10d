#include "cluster/slot_export.h"

#include <algorithm>

namespace ringwood::cluster {

OwnedBytes SlotMove::ranges() const {
  OwnedBytes text;
  slots.for_each_range([&](int first, int last) {
    if (!text.empty()) text += " ";
    text += std::to_string(first) + "-" + std::to_string(last);
  });
  return text;
}

using State = SlotExport::State;

SlotExport::SlotExport(const SlotMove& move, bool authenticate, Timing timing, int64_t now_ms)
    : SlotMoveMachine(move, State::kConnecting, now_ms), authenticate_(authenticate), timing_(timing), awaited_(move.slots) {
  order(Do::kDial);
}

const char* SlotExport::name(State s) {
  switch (s) {
    case State::kConnecting: return "connecting";
    case State::kAuthenticating: return "reading-auth-response";
    case State::kEstablishing: return "reading-establish-response";
    case State::kWaitingToSnapshot: return "waiting-to-snapshot";
    case State::kSnapshotting: return "snapshotting";
    case State::kReplicating: return "replicating";
    case State::kPausing: return "waiting-to-pause";
    case State::kDraining:
    case State::kGranting: return "failover-paused";
    case State::kGranted:
    case State::kWithheld: return "failover-granted";
    case State::kSuccess: return "success";
    case State::kCancelled: return "cancelled";
    case State::kFailed: return "failed";
  }
  return "";
}

bool SlotExport::allowed(State from, State to) {
  if (from >= State::kSuccess) return false;
  switch (to) {
    case State::kConnecting: return false;
    case State::kAuthenticating: return from == State::kConnecting;
    case State::kEstablishing: return from == State::kConnecting || from == State::kAuthenticating;
    case State::kWaitingToSnapshot: return from == State::kEstablishing;
    case State::kSnapshotting: return from == State::kWaitingToSnapshot;
    case State::kReplicating: return from == State::kSnapshotting || from == State::kPausing || from == State::kDraining;
    case State::kPausing: return from == State::kReplicating;
    case State::kDraining: return from == State::kPausing || from == State::kGranting;
    case State::kGranting: return from == State::kDraining;
    case State::kGranted: return from == State::kGranting;
    case State::kWithheld: return from == State::kGranted;
    case State::kSuccess: return from == State::kGranted || from == State::kWithheld;
    case State::kCancelled: return from < State::kGranting;
    case State::kFailed: return true;
  }
  return false;
}

// To one of the ends.
void SlotExport::end(State to, int64_t now_ms) {
  enter(to, now_ms);
  resume();
  if (granted_ && to != State::kSuccess) order(Do::kTakeBack);
  granted_ = false;
  if (withheld_) order(Do::kRelease);
  withheld_ = false;
  hung_up_ = true;
  order(Do::kHangUp);
}

void SlotExport::give_up(State to, Bytes why, int64_t now_ms) {
  if (over()) return;
  message_ = why;
  end(to, now_ms);
}

void SlotExport::connected(int64_t now_ms) {
  if (state_ != State::kConnecting) return;
  heard_ms_ = now_ms;
  enter(authenticate_ ? State::kAuthenticating : State::kEstablishing, now_ms);
  order(authenticate_ ? Do::kSayPassword : Do::kSayEstablish);
}

void SlotExport::cannot_connect(Bytes why, int64_t now_ms) {
  give_up(State::kFailed, "Unable to connect to target node: " + OwnedBytes(why), now_ms);
}

void SlotExport::answered(Bytes line, int64_t now_ms) {
  heard_ms_ = now_ms;
  const bool refused = line.empty() || line[0] != '+';
  if (state_ == State::kAuthenticating) {
    if (refused) return give_up(State::kFailed, "Failed to AUTH to target node: " + OwnedBytes(line), now_ms);
    enter(State::kEstablishing, now_ms);
    order(Do::kSayEstablish);
  } else if (state_ == State::kEstablishing) {
    if (refused) return give_up(State::kFailed, "Received error during handshake to target: " + OwnedBytes(line), now_ms);
    enter(State::kWaitingToSnapshot, now_ms);
    order(Do::kTakeImage);
  }
}

void SlotExport::image_begun(int64_t now_ms) {
  if (state_ == State::kWaitingToSnapshot) enter(State::kSnapshotting, now_ms);
}

void SlotExport::image_whole(int64_t now_ms) {
  if (state_ != State::kSnapshotting) return;
  enter(State::kReplicating, now_ms);
  gap_grows_ms_ = now_ms + kGapGrowsMs;
}

void SlotExport::image_broken(int64_t now_ms) {
  if (state_ == State::kWaitingToSnapshot || state_ == State::kSnapshotting) give_up(State::kFailed, "Failed to perform snapshot", now_ms);
}

void SlotExport::acknowledged(uint64_t bytes, int64_t now_ms) {
  heard_ms_ = now_ms;
  acked_ = std::max(acked_, bytes);
  look(now_ms);
}

void SlotExport::refused(Bytes why, int64_t now_ms) {
  heard_ms_ = now_ms;
  give_up(State::kFailed, "The target has given up: " + OwnedBytes(why), now_ms);
}

void SlotExport::stream(uint64_t bytes, bool all_out, int64_t now_ms) {
  sent_ = bytes;
  all_out_ = all_out;
  look(now_ms);
}

void SlotExport::look(int64_t now_ms) {
  if (state_ == State::kReplicating) {
    if (now_ms >= gap_grows_ms_) {
      gap_ = std::min(gap_ * 2, kLastGap);
      gap_grows_ms_ = now_ms + kGapGrowsMs;
    }
    if (now_ms < next_pause_ms_ || acked_ > sent_ || sent_ - acked_ > gap_) return;
    enter(State::kPausing, now_ms);
    deadline_ms_ = now_ms + pause_ms_;
    paused_ = true;
    order(Do::kPause);
  } else if (state_ == State::kDraining && all_out_ && acked_ == sent_) {
    enter(State::kGranting, now_ms);
    order(Do::kCheck);
  }
}

void SlotExport::paused(int64_t now_ms) {
  if (state_ != State::kPausing) return;
  enter(State::kDraining, now_ms);
  look(now_ms);
}

void SlotExport::checked(bool everything, int64_t now_ms) {
  if (state_ != State::kGranting) return;
  if (!everything || now_ms - heard_ms_ > kGrantWithinMs) return enter(State::kDraining, now_ms);
  enter(State::kGranted, now_ms);
  deadline_ms_ = now_ms + kGrantedPauseMs;
  granted_ = true;
  order(Do::kSayGranted);
}

void SlotExport::lost(int64_t now_ms) {
  if (undecided()) return;  // what the target has done is still to be learned
  give_up(State::kFailed, "Connection lost to target. Check CLUSTER GETSLOTMIGRATIONS on the target node for more information.", now_ms);
}

void SlotExport::owned(const SlotSet& here, const SlotSet& target, int64_t now_ms) {
  if (over()) return;
  SlotSet gone = awaited_;
  gone.remove(here);
  if (!gone.any()) return;
  constexpr const char* kGone = "Slots are no longer owned by myself";
  if (!undecided()) return give_up(State::kFailed, kGone, now_ms);
  awaited_.remove(gone);
  used_ = true;
  at_target_ |= gone.shares_any(target);
  if (awaited_.any()) return state_ == State::kGranted ? withhold(now_ms) : void();
  at_target_ ? end(State::kSuccess, now_ms) : give_up(State::kFailed, kGone, now_ms);
}

// Writes go on, but for the slots of which it is not known whose they are.
void SlotExport::withhold(int64_t now_ms) {
  enter(State::kWithheld, now_ms);
  withheld_ = true;
  order(Do::kWithhold);
  resume();
  deadline_ms_ = now_ms + timing_.decision_ms;
  next_ask_ms_ = now_ms + kAskAgainMs;
  order(Do::kAsk);
}

void SlotExport::out_of_touch(int64_t now_ms) {
  if (state_ == State::kWithheld) deadline_ms_ = now_ms + timing_.decision_ms;
}

void SlotExport::impossible(Bytes why, int64_t now_ms) {
  if (!undecided()) give_up(State::kFailed, why, now_ms);
}

bool SlotExport::cancel(int64_t now_ms) {
  if (over() || state_ >= State::kGranting) return false;
  give_up(State::kCancelled, {}, now_ms);
  return true;
}

void SlotExport::tick(int64_t now_ms) {
  if (over()) return;
  if (state_ == State::kGranted && now_ms >= deadline_ms_) return withhold(now_ms);
  if (state_ == State::kWithheld) {
    if (now_ms >= next_ask_ms_) {
      next_ask_ms_ = now_ms + kAskAgainMs;
      order(Do::kAsk);
    }
    if (used_ || now_ms < deadline_ms_) return;
    granted_ = false;
    order(Do::kTakeBack);
    order(Do::kReclaim);
    return give_up(State::kFailed, "The target was not heard of when it could have taken the slots: this node has taken them back", now_ms);
  }
  if (state_ == State::kGranted) return;
  if (now_ms - heard_ms_ > timing_.silence_ms) return give_up(State::kFailed, "Timed out after too long with no interaction", now_ms);
  if ((state_ == State::kPausing || state_ == State::kDraining) && now_ms >= deadline_ms_) {
    if (++pauses_ >= kMostPauses) return give_up(State::kFailed, "Timed out before streaming completed", now_ms);
    // Clients have waited long enough; later, and with more patience.
    enter(State::kReplicating, now_ms);
    resume();
    next_pause_ms_ = now_ms + 5 * pause_ms_;
    pause_ms_ = std::min(2 * pause_ms_, kLastPauseMs);
    gap_ = kFirstGap;
    gap_grows_ms_ = next_pause_ms_ + kGapGrowsMs;
    return;
  }
  look(now_ms);
}

OwnedBytes SlotExport::invariants() const {
  const bool may_pause = state_ == State::kPausing || state_ == State::kDraining || state_ == State::kGranting || state_ == State::kGranted;
  if (paused_ != may_pause) return "writes are held in the state " + OwnedBytes(state_name()) + ", or are not";
  if (withheld_ != (state_ == State::kWithheld)) return "slots are withheld in the state " + OwnedBytes(state_name()) + ", or are not";
  if (used_ && !undecided() && !over()) return "a grant was used in the state " + OwnedBytes(state_name());
  if (state_ == State::kSuccess && (awaited_.any() || !at_target_)) return "a success, and not all slots are elsewhere";
  if (granted_ != undecided()) return "slots are granted in the state " + OwnedBytes(state_name()) + ", or are not";
  if (hung_up_ != over()) return "the link is kept in the state " + OwnedBytes(state_name()) + ", or is not";
  if (state_ > State::kReplicating && !over() && acked_ > sent_)
    return "more is acknowledged than was sent";  // not told before the image is out
  if (state_ == State::kFailed && message_.empty()) return "a failure without a reason";
  return {};
}

}  // namespace ringwood::cluster
