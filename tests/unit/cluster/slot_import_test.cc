#include "cluster/slot_import.h"

#include <gtest/gtest.h>

#include "tests/support/seed.h"

namespace ringwood::cluster {
namespace {

using State = SlotImport::State;
using Do = SlotImport::Do;
using Orders = std::vector<Do>;

SlotMove move() {
  SlotMove m;
  m.slots.set(7);
  return m;
}

SlotImport come_to(State s) {
  SlotImport m(move(), 1000, 0);
  if (s == State::kArriving) return m;
  m.arrived(1);
  if (s == State::kReceivingImage) return m;
  m.image_over(2);
  return m;
}

constexpr State kUnderWay[] = {State::kArriving, State::kReceivingImage, State::kReplaying};

TEST(SlotImport, TakesWhatItIsGranted) {
  SlotImport m = come_to(State::kReplaying);
  EXPECT_STREQ(m.state_name(), "waiting-for-paused");
  m.granted(12, 11, true, 5);
  EXPECT_EQ(m.take_orders(), Orders{Do::kTake});
  EXPECT_EQ(m.granted_epoch(), 12u);
  EXPECT_EQ(m.invariants(), "");
  // What happens to the link or the source afterwards changes nothing.
  m.lost(6);
  m.impossible("x", 7);
  m.tick(100'000);
  EXPECT_EQ(m.state(), State::kTaken);
  EXPECT_EQ(m.take_orders(), Orders{});
}

TEST(SlotImport, RefusesAnEpochThatWouldNotHold) {
  SlotImport m = come_to(State::kReplaying);
  m.granted(11, 11, true, 5);
  EXPECT_EQ(m.take_orders(), (Orders{Do::kDrop, Do::kSayGivenUp, Do::kHangUp}));
  EXPECT_EQ(m.message(), "The epoch that was granted has been overtaken");
  SlotImport alone = come_to(State::kReplaying);
  alone.granted(12, 11, false, 5);
  EXPECT_EQ(alone.take_orders(), (Orders{Do::kDrop, Do::kSayGivenUp, Do::kHangUp}));
}

// The source may have been started anew since, and serve the slots.
TEST(SlotImport, RefusesAGrantThatHasBeenOnItsWayForLong) {
  SlotImport m = come_to(State::kReplaying);
  m.heard(10, 5000);
  m.granted(12, 11, true, 6001);
  EXPECT_EQ(m.take_orders(), (Orders{Do::kDrop, Do::kSayGivenUp, Do::kHangUp}));
  EXPECT_EQ(m.message(), "The grant has come too late");
  SlotImport soon = come_to(State::kReplaying);
  soon.heard(10, 5000);
  soon.granted(12, 11, true, 6000);
  EXPECT_EQ(soon.take_orders(), Orders{Do::kTake});
}

TEST(SlotImport, IsNotGrantedWhatHasNotComeWhole) {
  for (State s : {State::kArriving, State::kReceivingImage}) {
    SlotImport m = come_to(s);
    m.granted(12, 11, true, 5);
    EXPECT_EQ(m.state(), State::kFailed);
  }
}

TEST(SlotImport, DropsWhatHasComeFromEveryState) {
  for (State s : kUnderWay)
    for (int fault = 0; fault < 3; fault++) {
      SlotImport m = come_to(s);
      if (fault == 0) m.lost(10);
      if (fault == 1) m.impossible("Data was flushed", 10);
      if (fault == 2) m.tick(2000);
      EXPECT_EQ(m.state(), State::kFailed);
      EXPECT_EQ(m.take_orders(), fault == 0 ? (Orders{Do::kDrop, Do::kHangUp}) : (Orders{Do::kDrop, Do::kSayGivenUp, Do::kHangUp}));
      EXPECT_EQ(m.invariants(), "");
    }
}

TEST(SlotImport, KeepsItsInvariantsWhateverHappens) {
  Seeded random;
  for (int round = 0; round < 2000; round++) {
    SlotImport m(move(), 1000, 0);
    int64_t now = 0;
    for (int step = 0; step < 20; step++) {
      const State before = m.state();
      now += static_cast<int64_t>(random.below(100));
      switch (random.below(7)) {
        case 0: m.arrived(now); break;
        case 1: m.image_over(now); break;
        case 2: m.granted(random.below(5), 2, true, now); break;
        case 3: m.heard(10, now); break;
        case 4: m.tick(now); break;
        case 5: random.below(4) ? m.heard(1, now) : m.lost(now); break;
        default: random.below(4) ? m.tick(now) : m.impossible("x", now);
      }
      ASSERT_EQ(m.invariants(), "");
      ASSERT_TRUE(m.state() == before || SlotImport::allowed(before, m.state()));
    }
  }
}

}  // namespace
}  // namespace ringwood::cluster
