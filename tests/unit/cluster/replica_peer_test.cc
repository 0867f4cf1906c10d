#include "cluster/replica_peer.h"

#include <gtest/gtest.h>

namespace ringwood {
namespace {

using State = ReplicaPeer::State;
using Event = ReplicaPeer::Event;

TEST(ReplicaPeer, TransitionTable) {
  struct Case {
    std::vector<Event> events;
    bool image_only;
    State end;
  };
  const Case cases[] = {
      {{Event::kCut, Event::kImageSent}, false, State::kOnline},
      {{Event::kCut, Event::kMarkedImageSent}, false, State::kAwaitsAck},
      {{Event::kCut, Event::kMarkedImageSent, Event::kAcknowledged}, false, State::kOnline},
      {{Event::kCut, Event::kImageSent}, true, State::kSent},
      {{Event::kCut, Event::kMarkedImageSent}, true, State::kSent},
      // What has no meaning changes nothing.
      {{Event::kAcknowledged, Event::kImageSent}, false, State::kWaiting},
      {{Event::kCut, Event::kCut, Event::kAcknowledged}, false, State::kImage},
      {{Event::kCut, Event::kImageSent, Event::kCut, Event::kAcknowledged}, false, State::kOnline},
  };
  for (const Case& c : cases) {
    ReplicaPeer peer;
    for (Event e : c.events) peer.on(e, c.image_only);
    EXPECT_EQ(peer.state(), c.end);
  }
}

TEST(ReplicaPeer, PartialResync) {
  ReplicationHistory h;
  h.id = OwnedBytes(40, 'a');
  h.branch(OwnedBytes(40, 'b'), 100);
  const OwnedBytes a(40, 'a'), b(40, 'b'), c(40, 'c');
  StreamRange all{true, 50, 200};
  EXPECT_EQ(judge_partial(h, all, b, 201), PartialVerdict::kContinue);  // has everything
  EXPECT_EQ(judge_partial(h, all, b, 51), PartialVerdict::kContinue);
  EXPECT_EQ(judge_partial(h, all, b, 50), PartialVerdict::kOutOfBacklog);
  EXPECT_EQ(judge_partial(h, all, b, 202), PartialVerdict::kOutOfBacklog);
  EXPECT_EQ(judge_partial(h, all, OwnedBytes(40, 'B'), 201), PartialVerdict::kContinue);  // digits of either case
  EXPECT_EQ(judge_partial(h, all, OwnedBytes(40, 'A'), 102), PartialVerdict::kTooLateForPrevious);
  EXPECT_EQ(judge_partial(h, all, a, 101), PartialVerdict::kContinue);
  EXPECT_EQ(judge_partial(h, all, a, 102), PartialVerdict::kTooLateForPrevious);
  EXPECT_EQ(judge_partial(h, all, c, 60), PartialVerdict::kOtherHistory);
  EXPECT_EQ(judge_partial(h, all, "?", -1), PartialVerdict::kAsked);
  EXPECT_EQ(judge_partial(h, {}, b, 201), PartialVerdict::kOutOfBacklog);
}

}  // namespace
}  // namespace ringwood
