#include "cluster/slot_export.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/seed.h"

namespace ringwood::cluster {
namespace {

using State = SlotExport::State;
using Do = SlotExport::Do;
using Orders = std::vector<Do>;

constexpr SlotExport::Timing kTiming{1000, 400};

SlotSet slots(std::initializer_list<int> which) {
  SlotSet s;
  for (int slot : which) s.set(slot);
  return s;
}

SlotMove move() {
  SlotMove m;
  m.slots = slots({3, 4, 9});
  return m;
}

// A machine that has come to some state by the usual way, with the time in `now`.
struct Rig {
  SlotExport m{move(), false, kTiming, 0};
  int64_t now = 0;
  Orders last;

  Orders& orders() {
    EXPECT_EQ(m.invariants(), "");
    last = m.take_orders();
    return last;
  }
  Rig& to(State s) {
    orders();
    if (s == State::kConnecting) return *this;
    m.connected(++now);
    orders();
    if (s == State::kEstablishing) return *this;
    m.answered("+OK", ++now);
    orders();
    if (s == State::kWaitingToSnapshot) return *this;
    m.image_begun(++now);
    if (s == State::kSnapshotting) return *this;
    m.stream(10 << 20, true, ++now);
    m.image_whole(++now);
    if (s == State::kReplicating) return *this;
    m.acknowledged((10 << 20) - 100, ++now);
    orders();
    if (s == State::kPausing) return *this;
    m.paused(++now);
    if (s == State::kDraining) return *this;
    m.acknowledged(10 << 20, ++now);
    orders();
    if (s == State::kGranting) return *this;
    m.checked(true, ++now);
    orders();
    if (s == State::kGranted) return *this;
    m.tick(now += 1000);
    orders();
    return *this;
  }
};

constexpr State kUnderWay[] = {State::kConnecting,  State::kEstablishing, State::kWaitingToSnapshot, State::kSnapshotting,
                               State::kReplicating, State::kPausing,      State::kDraining,          State::kGranting,
                               State::kGranted,     State::kWithheld};

TEST(SlotExport, GoesTheWholeWay) {
  Rig r;
  EXPECT_EQ(r.orders(), Orders{Do::kDial});
  r.m.connected(1);
  EXPECT_EQ(r.orders(), Orders{Do::kSayEstablish});
  r.m.answered("+OK", 2);
  EXPECT_EQ(r.orders(), Orders{Do::kTakeImage});
  r.m.image_begun(3);
  EXPECT_STREQ(r.m.state_name(), "snapshotting");
  r.m.stream(1 << 20, true, 4);
  r.m.image_whole(5);
  r.m.acknowledged(1000, 6);
  EXPECT_EQ(r.orders(), Orders{});  // too far behind for a pause
  r.m.acknowledged((1 << 20) - 1000, 7);
  EXPECT_EQ(r.orders(), Orders{Do::kPause});
  r.m.paused(8);
  EXPECT_EQ(r.orders(), Orders{});
  r.m.stream((1 << 20) + 50, false, 9);
  r.m.acknowledged((1 << 20) + 50, 10);
  EXPECT_EQ(r.orders(), Orders{});  // the log has more
  r.m.stream((1 << 20) + 80, true, 11);
  r.m.acknowledged((1 << 20) + 80, 12);
  EXPECT_EQ(r.orders(), Orders{Do::kCheck});
  r.m.checked(false, 13);
  EXPECT_EQ(r.m.state(), State::kDraining);
  r.m.stream((1 << 20) + 80, true, 14);
  EXPECT_EQ(r.orders(), Orders{Do::kCheck});
  r.m.checked(true, 15);
  EXPECT_EQ(r.orders(), Orders{Do::kSayGranted});
  r.m.owned({}, move().slots, 16);
  EXPECT_EQ(r.orders(), (Orders{Do::kResume, Do::kHangUp}));
  EXPECT_EQ(r.m.state(), State::kSuccess);
}

// Every shard was a script's for a while: the target would not take a grant that follows so late.
TEST(SlotExport, GrantsUponWhatTheTargetHasJustAcknowledged) {
  Rig r;
  r.to(State::kGranting);
  r.m.checked(true, r.now += 501);
  EXPECT_EQ(r.m.state(), State::kDraining);
  EXPECT_EQ(r.orders(), Orders{});
  r.m.acknowledged(10 << 20, ++r.now);
  EXPECT_EQ(r.orders(), Orders{Do::kCheck});
  r.m.checked(true, r.now += 500);
  EXPECT_EQ(r.orders(), Orders{Do::kSayGranted});
}

TEST(SlotExport, SaysItsPasswordFirst) {
  SlotExport m(move(), true, kTiming, 0);
  m.take_orders();
  m.connected(1);
  EXPECT_EQ(m.take_orders(), Orders{Do::kSayPassword});
  m.answered("-WRONGPASS no", 2);
  EXPECT_EQ(m.state(), State::kFailed);
  EXPECT_EQ(m.message(), "Failed to AUTH to target node: -WRONGPASS no");
}

// Whatever goes wrong before the target may have the slots ends it, and leaves nothing behind.
TEST(SlotExport, FailsFromEveryState) {
  for (State s : kUnderWay) {
    if (s >= State::kGranted) continue;
    for (int fault = 0; fault < 6; fault++) {
      Rig r;
      r.to(s);
      const bool paused = s == State::kPausing || s == State::kDraining || s == State::kGranting;
      switch (fault) {
        case 0: r.m.lost(r.now); break;
        case 1: r.m.refused("it is full", r.now); break;
        case 2: r.m.impossible("Data was flushed", r.now); break;
        case 3: r.m.owned(slots({4}), {}, r.now); break;
        case 4: r.m.owned({}, move().slots, r.now); break;  // not by our grant
        default:
          for (int i = 0; i < 400 && !r.m.over(); i++) r.m.tick(r.now += 500);
      }
      EXPECT_EQ(r.m.state(), State::kFailed) << SlotExport::name(s) << " " << fault;
      r.orders();
      EXPECT_EQ(std::count(r.last.begin(), r.last.end(), Do::kHangUp), 1) << SlotExport::name(s) << " " << fault;
      if (paused && fault < 5) {
        EXPECT_EQ(std::count(r.last.begin(), r.last.end(), Do::kResume), 1) << SlotExport::name(s) << " " << fault;
      }
    }
  }
}

TEST(SlotExport, CanBeCancelledUntilTheTargetMayHaveTheSlots) {
  for (State s : kUnderWay) {
    Rig r;
    r.to(s);
    const bool early = s < State::kGranting;
    EXPECT_EQ(r.m.cancel(r.now), early) << SlotExport::name(s);
    EXPECT_EQ(r.m.state(), early ? State::kCancelled : s);
    r.orders();
  }
}

TEST(SlotExport, WaitsForTheTruthAboutAGrant) {
  // The link is lost just then: the bus tells.
  Rig r;
  r.to(State::kGranted).m.lost(r.now);
  EXPECT_EQ(r.m.state(), State::kGranted);
  r.m.owned({}, move().slots, r.now);
  EXPECT_EQ(r.m.state(), State::kSuccess);
  EXPECT_EQ(r.orders(), (Orders{Do::kResume, Do::kHangUp}));
  // The target says no.
  Rig no;
  no.to(State::kGranted).m.refused("The epoch that was granted has been overtaken", no.now);
  EXPECT_EQ(no.m.state(), State::kFailed);
  EXPECT_EQ(no.orders(), (Orders{Do::kResume, Do::kTakeBack, Do::kHangUp}));
  // Nobody says anything: others are not kept waiting for long, and in the end the slots are taken back.
  Rig dead;
  dead.to(State::kGranted).m.lost(dead.now);
  dead.m.tick(dead.now += 600);
  EXPECT_EQ(dead.orders(), (Orders{Do::kWithhold, Do::kResume, Do::kAsk}));
  dead.m.tick(dead.now += 300);
  EXPECT_EQ(dead.orders(), Orders{});
  dead.m.tick(dead.now += 101);
  EXPECT_EQ(dead.orders(), (Orders{Do::kTakeBack, Do::kReclaim, Do::kRelease, Do::kHangUp}));
  EXPECT_EQ(dead.m.state(), State::kFailed);
  // Not while this node is the one that hears nobody: then for as long again.
  Rig alone;
  alone.to(State::kWithheld).m.out_of_touch(alone.now += 350);
  alone.m.tick(alone.now += 399);
  EXPECT_EQ(alone.orders(), Orders{Do::kAsk});
  alone.m.tick(alone.now += 1);
  EXPECT_EQ(alone.orders(), (Orders{Do::kTakeBack, Do::kReclaim, Do::kRelease, Do::kHangUp}));
  // It comes to light in between.
  Rig late;
  late.to(State::kWithheld).m.owned({}, move().slots, late.now);
  EXPECT_EQ(late.orders(), (Orders{Do::kRelease, Do::kHangUp}));
  EXPECT_EQ(late.m.state(), State::kSuccess);
}

// The target has them all, and has passed on what is neither seen there nor with its next owner.
TEST(SlotExport, ASlotThatIsSeenElsewhereShowsThatTheGrantWasUsed) {
  Rig r;
  r.to(State::kGranted).m.owned(slots({1, 3, 4, 9}), {}, ++r.now);
  EXPECT_EQ(r.m.state(), State::kGranted);
  r.m.owned(slots({1, 3, 9}), slots({4}), ++r.now);
  EXPECT_EQ(r.orders(), (Orders{Do::kWithhold, Do::kResume, Do::kAsk}));
  r.m.tick(r.now += 100 * kTiming.decision_ms);
  EXPECT_EQ(r.orders(), Orders{Do::kAsk}) << "they are not this node's to take back";
  r.m.owned(slots({1, 4, 9}), {}, ++r.now);
  EXPECT_TRUE(r.m.awaited() == slots({9})) << "what has come back is another move's";
  r.m.owned(slots({1, 4}), {}, ++r.now);
  EXPECT_EQ(r.orders(), (Orders{Do::kRelease, Do::kHangUp}));
  EXPECT_EQ(r.m.state(), State::kSuccess);
  // The target was never seen to have one.
  Rig other;
  other.to(State::kGranted).m.owned(slots({9}), {}, ++other.now);
  EXPECT_EQ(other.orders(), (Orders{Do::kWithhold, Do::kResume, Do::kAsk}));
  other.m.owned({}, {}, ++other.now);
  EXPECT_EQ(other.m.message(), "Slots are no longer owned by myself");
  // It says itself that it did not take them: the others are an operator's doing.
  Rig no;
  no.to(State::kGranted).m.owned(slots({3, 4}), {}, ++no.now);
  no.m.refused("Slots were unexpectedly assigned to myself during import", ++no.now);
  EXPECT_EQ(no.orders(), (Orders{Do::kWithhold, Do::kResume, Do::kAsk, Do::kTakeBack, Do::kRelease, Do::kHangUp}));
  EXPECT_TRUE(no.m.awaited() == slots({3, 4}));
}

TEST(SlotExport, AFlushAfterTheGrantDecidesNothing) {
  for (State s : {State::kGranted, State::kWithheld}) {
    Rig r;
    r.to(s).m.impossible("Data was flushed", r.now);
    EXPECT_EQ(r.orders(), Orders{});
    EXPECT_EQ(r.m.state(), s);
  }
}

TEST(SlotExport, LetsClientsGoOnWhenTheEndTakesTooLong) {
  Rig r;
  r.to(State::kDraining);
  int pauses = 1;
  for (int i = 0; i < 100'000 && !r.m.over(); i++) {
    r.m.acknowledged((10 << 20) - 100, r.now);
    r.m.tick(r.now += 5);
    for (Do what : r.orders()) {
      pauses += what == Do::kPause;
      if (what == Do::kPause) r.m.paused(r.now);
    }
  }
  EXPECT_EQ(r.m.message(), "Timed out before streaming completed");
  EXPECT_EQ(pauses, 12);
}

TEST(SlotExport, KeepsItsInvariantsWhateverHappens) {
  Seeded random;
  for (int round = 0; round < 3000; round++) {
    SlotExport m(move(), random.below(2), kTiming, 0);
    int64_t now = 0;
    uint64_t sent = 0, acked = 0;
    bool held = false, withheld = false;
    for (int step = 0; step < 60; step++) {
      const State before = m.state();
      now += static_cast<int64_t>(random.below(40));
      switch (random.below(random.below(3) ? 11 : 17)) {
        case 0: m.connected(now); break;
        case 1:
        case 2: m.answered("+OK", now); break;
        case 3: m.image_begun(now); break;
        case 4: m.image_whole(now); break;
        case 5: m.stream(sent += random.below(1000), random.below(2), now); break;
        case 6:
        case 7: m.acknowledged(acked = sent, now); break;
        case 8: m.paused(now); break;
        case 9: m.checked(random.below(3) != 0, now); break;
        case 10: m.tick(now); break;
        case 11: m.lost(now); break;
        case 12: m.refused("x", now); break;
        case 13: {
          SlotSet here, target;
          move().slots.for_each([&](int slot) {
            const uint64_t whose = random.below(3);
            if (whose == 0) here.set(slot);
            if (whose == 1) target.set(slot);
          });
          m.owned(here, target, now);
          break;
        }
        case 14: m.cancel(now); break;
        case 15: m.tick(now += 700); break;
        default: m.answered("-ERR no", now);
      }
      for (Do what : m.take_orders()) {
        if (what == Do::kPause || what == Do::kResume) {
          ASSERT_EQ(held, what == Do::kResume);
          held = !held;
        }
        if (what == Do::kWithhold || what == Do::kRelease) {
          ASSERT_EQ(withheld, what == Do::kRelease);
          withheld = !withheld;
        }
      }
      ASSERT_EQ(m.invariants(), "");
      if (m.over()) {
        ASSERT_FALSE(held || withheld);
      }
      // Two steps of the table can be one of the world.
      if (m.state() != before) {
        bool two = false;
        for (int s = 0; s <= static_cast<int>(State::kFailed); s++)
          two |= SlotExport::allowed(before, static_cast<State>(s)) && SlotExport::allowed(static_cast<State>(s), m.state());
        ASSERT_TRUE(two || SlotExport::allowed(before, m.state())) << SlotExport::name(before) << " -> " << m.state_name() << ", ";
      }
    }
    ASSERT_LE(acked, sent);
  }
}

TEST(SlotMove, NamesItsRanges) { EXPECT_EQ(move().ranges(), "3-4 9-9"); }

}  // namespace
}  // namespace ringwood::cluster
