#pragma once
// The source's side of slots that move as one, as a pure machine: what has happened goes in, what is to be done comes out.
//
//   kConnecting -> kAuthenticating -> kEstablishing -> kWaitingToSnapshot -> kSnapshotting -> kReplicating
//   kReplicating -> kPausing -> kDraining -> kGranting -> kGranted -> kWithheld
//   kPausing, kDraining -> kReplicating   it took too long: later again
//   kGranted, kWithheld -> kSuccess       all slots are another's, as the bus tells, and the target's claim was among what it told
//   all -> kFailed                        everything is as before: this node has served, and goes on to serve, the slots
//   all before kGranting -> kCancelled
//
// Up to kDraining this node alone decides, and whatever goes wrong ends in kFailed. In kGranting it makes sure, with every shard held, that the target has all
// there is. With kGranted the target may claim the slots under an epoch that is named to it, and nothing changes here until it is known whether it has: the
// target says no, or the bus shows that it owns them. When neither comes (it has died just then, or the network has) writes go on for all other slots and
// these are withheld (kWithheld): nobody serves them. After a time in which the target, were it alive, would have been heard, this node takes them back under
// an epoch above the granted one, so that a claim which comes to light later is void; but not while this node is the one that hears nobody, and not before
// the others have been asked. A slot that is seen to be another's shows that the grant was used, for all of them: the target may have passed some on before it
// was heard, and news of those is waited for, as long as that takes. Nothing that a client was told is lost on any of these ways.
#include <cstdint>
#include <vector>

#include "cluster/slot_migration.h"

namespace ringwood::cluster {

enum class SlotExportState : uint8_t {
  kConnecting,
  kAuthenticating,
  kEstablishing,
  kWaitingToSnapshot,
  kSnapshotting,
  kReplicating,
  kPausing,
  kDraining,
  kGranting,
  kGranted,
  kWithheld,
  kSuccess,
  kCancelled,
  kFailed,
};
enum class SlotExportDo : uint8_t {
  kDial,
  kSayPassword,
  kSayEstablish,
  kTakeImage,  // an image of the slots and the log behind it; answered by image_begun, image_whole
  kPause,      // hold writes; answered by paused() when none is under way any more
  kResume,     // writes go on
  kCheck,      // with every shard held: has the target got everything? Answered by checked()
  kSayGranted,
  kWithhold,  // nobody is to serve the slots
  kAsk,       // the other masters, who has the slots: the view shows what they answer
  kRelease,   // the end of that
  kTakeBack,  // what was granted will not be claimed: this node claims it again
  kReclaim,   // take them under an epoch above the granted one
  kHangUp,    // the connection, the image and the log are not needed any more
};

class SlotExport : public SlotMoveMachine<SlotExportState, SlotExportDo> {
 public:
  using State = SlotExportState;
  using Do = SlotExportDo;
  struct Timing {
    int64_t silence_ms = 60'000;   // of the target, before the move is given up
    int64_t decision_ms = 15'000;  // after which a target that has been granted the slots and has not been heard has not got them
  };

  SlotExport(const SlotMove& move, bool authenticate, Timing timing, int64_t now_ms);

  void connected(int64_t now_ms);
  void cannot_connect(Bytes why, int64_t now_ms);
  // The line with which the target has answered what was said last.
  void answered(Bytes line, int64_t now_ms);
  void image_begun(int64_t now_ms);
  void image_whole(int64_t now_ms);
  void image_broken(int64_t now_ms);
  // The target has taken so many bytes of the stream.
  void acknowledged(uint64_t bytes, int64_t now_ms);
  // The target gives up.
  void refused(Bytes why, int64_t now_ms);
  // So many bytes of the stream exist by now, `all_out` when nothing waits in the log.
  void stream(uint64_t bytes, bool all_out, int64_t now_ms);
  void paused(int64_t now_ms);
  void checked(bool everything, int64_t now_ms);
  void lost(int64_t now_ms);
  // What the view of the cluster says, when it has changed: all slots that are this node's, and all that are the target's.
  void owned(const SlotSet& here, const SlotSet& target, int64_t now_ms);
  // This node does not hear enough of the others to know whether the target has claimed the slots.
  void out_of_touch(int64_t now_ms);
  // Something that makes the move impossible: a flush, a change of part. Not once the target may have the slots: then it has them, or has not.
  void impossible(Bytes why, int64_t now_ms);
  // False when it is too late.
  bool cancel(int64_t now_ms);
  void tick(int64_t now_ms);

  static const char* name(State s);
  const char* state_name() const { return name(state_); }
  bool over() const { return state_ >= State::kSuccess; }
  // The target may have the slots.
  bool undecided() const { return state_ == State::kGranted || state_ == State::kWithheld; }
  // The slots that may be this node's still; all, before the grant.
  const SlotSet& awaited() const { return awaited_; }
  // Transitions that exist, for the test of the table.
  static bool allowed(State from, State to);
  OwnedBytes invariants() const;

 private:
  static constexpr uint64_t kFirstGap = 128 << 10, kLastGap = 8 << 20;  // bytes behind at which the pause begins
  static constexpr int64_t kGapGrowsMs = 500;
  static constexpr int64_t kFirstPauseMs = 20, kLastPauseMs = 2000;  // until the target must have got everything
  static constexpr int kMostPauses = 12;
  static constexpr int64_t kGrantWithinMs = 500;   // of the target's last acknowledgement: it takes none that is older than twice that
  static constexpr int64_t kGrantedPauseMs = 500;  // for which all writes wait for the target's claim
  static constexpr int64_t kAskAgainMs = 500;

  void end(State to, int64_t now_ms);
  void give_up(State to, Bytes why, int64_t now_ms);
  void look(int64_t now_ms);
  void withhold(int64_t now_ms);
  void resume() {
    if (paused_) order(Do::kResume);
    paused_ = false;
  }

  const bool authenticate_;
  const Timing timing_;
  uint64_t sent_ = 0, acked_ = 0;
  bool all_out_ = false;
  uint64_t gap_ = kFirstGap;
  int64_t gap_grows_ms_ = 0;
  int64_t deadline_ms_ = 0;  // of the pause, of the decision
  int64_t next_ask_ms_ = 0;
  int64_t pause_ms_ = kFirstPauseMs, next_pause_ms_ = 0;
  int pauses_ = 0;
  SlotSet awaited_;
  bool used_ = false, at_target_ = false;  // the grant; a slot has been seen there
  bool paused_ = false, granted_ = false, withheld_ = false, hung_up_ = false;
};

}  // namespace ringwood::cluster
