#include "cluster/replica_peer.h"

namespace ringwood {

bool ReplicaPeer::on(Event event, bool image_only) {
  struct Rule {
    State from;
    Event event;
    State to;
  };
  static constexpr Rule kRules[] = {
      {State::kWaiting, Event::kCut, State::kImage},
      {State::kImage, Event::kImageSent, State::kOnline},
      {State::kImage, Event::kMarkedImageSent, State::kAwaitsAck},
      {State::kAwaitsAck, Event::kAcknowledged, State::kOnline},
  };
  for (const Rule& r : kRules) {
    if (r.from != state_ || r.event != event) continue;
    state_ = image_only && r.from == State::kImage ? State::kSent : r.to;
    return true;
  }
  return false;
}

PartialVerdict judge_partial(const ReplicationHistory& history, const StreamRange& backlog, Bytes asked_id, int64_t from) {
  if (!history.shares(asked_id, from)) {
    if (asked_id.starts_with('?')) return PartialVerdict::kAsked;
    return ReplicationHistory::same(asked_id, history.previous_id) ? PartialVerdict::kTooLateForPrevious : PartialVerdict::kOtherHistory;
  }
  // `from` may be the byte that comes next.
  if (!backlog.any || from < backlog.first + 1 || from > backlog.end + 1) return PartialVerdict::kOutOfBacklog;
  return PartialVerdict::kContinue;
}

}  // namespace ringwood
