#pragma once
// A replica as its master sees it: a pure machine. What it can do it has said by REPLCONF; PSYNC begins it.
//
//                 the cut of a snapshot       the image is sent
//   kWaiting ---------------------------> kImage -------------> kOnline
//      |                                     |                     ^
//      |                                     | (an image with a    | it has acknowledged
//      |                                     v  mark at its end)   |
//      |                                 kAwaitsAck ---------------+
//      +--- the stream can go on from its place: kOnline at once
// A replica that wants the image alone ends in kSent.
#include <cstdint>

#include "cluster/replication_history.h"
#include "engine/base/bytes.h"

namespace ringwood {

// What REPLCONF has told.
struct ReplicaTraits {
  int port = 0;
  OwnedBytes address;  // empty: the socket's
  bool eof = false, psync2 = false;
  bool frames = false;  // cluster/stream_frame.h
  bool image_only = false;
  bool without_keys = false, without_functions = false;  // of the image
  // One image does for both.
  bool wants_as(const ReplicaTraits& other) const {
    return without_keys == other.without_keys && without_functions == other.without_functions;
  }
};

class ReplicaPeer {
 public:
  enum class State : uint8_t { kWaiting, kImage, kAwaitsAck, kOnline, kSent };
  enum class Event : uint8_t { kCut, kImageSent, kMarkedImageSent, kAcknowledged };

  State state() const { return state_; }
  bool wants_stream() const { return state_ == State::kOnline; }
  // Its place in the stream was good: nothing else is needed.
  void go_on() { state_ = State::kOnline; }
  // True when the event has a meaning in this state, and has led to another one.
  bool on(Event event, bool image_only);

 private:
  State state_ = State::kWaiting;
};

// What a master answers to PSYNC.
enum class PartialVerdict : uint8_t { kContinue, kAsked, kOtherHistory, kTooLateForPrevious, kOutOfBacklog };
struct StreamRange {
  bool any = false;
  int64_t first = 0, end = 0;  // offsets of bytes that can be read again: [first, end]
};
// `from`: the first byte that is wanted.
PartialVerdict judge_partial(const ReplicationHistory& history, const StreamRange& backlog, Bytes asked_id, int64_t from);

}  // namespace ringwood
