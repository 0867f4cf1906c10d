// Slots that move as one, by seed, with everything that may go wrong at every state of both ends. RINGWOOD_SEED=n runs that one alone; RINGWOOD_SIM_SEEDS=n
// so many of them; RINGWOOD_LONG=1 the nightly number.
#include "tests/sim/slot_move_sim.h"
#include "tests/sim/seed_range.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>

namespace ringwood::cluster {
namespace {

constexpr int64_t kTimeout = 1000;
constexpr auto kLastState = static_cast<size_t>(SlotExportState::kWithheld);

// A cluster with one move that has come to the state; false when it never did.
bool come_to(SlotMoveSim& sim, SlotExportState state, size_t masters = 3) {
  sim.start(masters, 12);
  sim.faults.delay_ms = 3;
  if (!sim.move(0, 1)) return false;
  for (int i = 0; i < 20000 && sim.fault().empty(); i++) {
    if (sim.last_export()->state() == state) return true;
    if (sim.last_export()->over()) return false;
    sim.live(1);
  }
  return false;
}

std::string rest(SlotMoveSim& sim, int64_t ms = 60000) {
  std::string wrong;
  for (int64_t i = 0; i < ms; i += 100) {
    sim.live(100);
    wrong = sim.unrest();
    if (wrong.empty() || !sim.fault().empty()) break;
  }
  return wrong;
}

// At every state that a move comes to, `f` happens; then everybody comes back, and all is to be well.
// RINGWOOD_SIM_SEEDS means fewer here as well, of what is usual, but as many as it takes for every state to be reached.
void at_every_state(const std::function<void(SlotMoveSim&, SlotExportState)>& f, uint64_t usual = 24) {
  const char* wanted = std::getenv("RINGWOOD_SIM_SEEDS");
  const uint64_t seeds = wanted ? std::clamp<uint64_t>(std::strtoull(wanted, nullptr, 10) / 10, 6, usual) : usual;
  for (size_t i = 0; i <= kLastState; i++) {
    const auto state = static_cast<SlotExportState>(i);
    size_t reached = 0;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
      SlotMoveSim sim(seed * 100 + i, kTimeout);
      if (!come_to(sim, state)) continue;
      reached++;
      f(sim, state);
      sim.live(static_cast<int64_t>(sim.random().below(4 * kTimeout)));
      for (size_t n = 0; n < sim.size(); n++) sim.come_back(n);
      ASSERT_EQ(rest(sim), "") << "state " << SlotExport::name(state) << ", seed " << seed * 100 + i;
      ASSERT_EQ(sim.excused(), 0u) << "nobody was without a majority";
    }
    // Nothing withholds slots where nothing goes wrong, and some states pass within a millisecond.
    if (state != SlotExportState::kAuthenticating && state != SlotExportState::kWithheld && state != SlotExportState::kWaitingToSnapshot &&
        state != SlotExportState::kEstablishing) {
      ASSERT_GT(reached, 0u) << SlotExport::name(state);
    }
  }
}

TEST(SlotMoveSim, SlotsMoveUnderWrites) {
  SlotMoveSim sim(1, kTimeout);
  sim.start(3, 12);
  ASSERT_TRUE(sim.move(0, 1));
  sim.live(100);
  ASSERT_TRUE(sim.move(1, 2));
  ASSERT_TRUE(sim.move(2, 0));
  EXPECT_EQ(rest(sim), "");
  EXPECT_EQ(sim.succeeded(), 3u);
  EXPECT_GT(sim.writes(), 500u);
}

// As when it takes slots over itself just then, or two nodes settle that they have the same.
TEST(SlotMoveSim, AnEpochThatTheSourceComesToAfterTheGrantDoesNotVoidIt) {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    SlotMoveSim sim(seed, kTimeout);
    ASSERT_TRUE(come_to(sim, SlotExportState::kGranted));
    sim.machine(0).bump_epoch(sim.now());
    sim.live(static_cast<int64_t>(sim.random().below(10)));
    ASSERT_EQ(rest(sim), "") << seed;
    ASSERT_EQ(sim.succeeded(), 1u);
  }
}

// The source hears of it late, when a part of what it has granted is the target's no longer: that part is not its own again.
TEST(SlotMoveSim, ATargetPassesOnAPartBeforeTheSourceHasHeardOfItsClaim) {
  size_t succeeded = 0;
  for (int64_t from_third : {0, 200, 4000})
    for (uint64_t seed = 1; seed <= 20; seed++) {
      SlotMoveSim sim(seed, kTimeout);
      ASSERT_TRUE(come_to(sim, SlotExportState::kGranted));
      sim.slow_down(1, 0, 60000);  // what it says just then is as good as lost
      sim.slow_down(2, 0, from_third);
      for (const size_t before = sim.serving(1); sim.serving(1) == before;) sim.live(1);
      sim.live(20);
      ASSERT_TRUE(sim.move(1, 2));
      for (int i = 0; i < 350 && !sim.last_export()->over(); i++) sim.live(1);
      sim.slow_down(1, 0, 0);
      sim.live(5 * kTimeout);
      sim.slow_down(2, 0, 0);
      ASSERT_EQ(rest(sim), "") << "seed " << seed << ", third " << from_third;
      ASSERT_EQ(sim.excused(), 0u);
      // The first calls itself failed where the source never saw the target with any of its slots.
      ASSERT_EQ(sim.succeeded() + sim.failed(), 2u) << "seed " << seed << ", third " << from_third;
      succeeded += sim.succeeded();
    }
  EXPECT_GT(succeeded, 100u);
}

// Its claim has been heard by the third alone.
TEST(SlotMoveSim, TheTargetDiesWhenOnlyOthersHaveHeardItsClaim) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    SlotMoveSim sim(seed, kTimeout);
    ASSERT_TRUE(come_to(sim, SlotExportState::kGranted));
    sim.slow_down(1, 0, 60000);
    for (const size_t before = sim.serving(1); sim.serving(1) == before;) sim.live(1);
    sim.live(50);
    sim.die(1, true);
    sim.slow_down(1, 0, 0);
    sim.live(5 * kTimeout);
    ASSERT_EQ(sim.fault(), "") << "seed " << seed;
    EXPECT_EQ(sim.succeeded(), 1u) << "the source has asked";
    sim.come_back(1);
    ASSERT_EQ(rest(sim), "") << "seed " << seed;
    ASSERT_EQ(sim.excused(), 0u) << "seed " << seed;
  }
}

// It died when it had granted them, and comes back when the one that took them has granted them to a third, whose answer is awaited.
TEST(SlotMoveSim, AFormerOwnerComesBackWhileNobodyClaims) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    SlotMoveSim sim(seed, kTimeout);
    ASSERT_TRUE(come_to(sim, SlotExportState::kGranted, 5));
    sim.live(1);
    sim.die(0, true);
    sim.live(50);
    ASSERT_TRUE(sim.move(1, 2));
    while (sim.last_export()->state() != SlotExportState::kGranted) {
      ASSERT_FALSE(sim.last_export()->over()) << sim.last_export()->message();
      sim.live(1);
    }
    sim.die(2, true);
    sim.come_back(0);
    sim.live(5 * kTimeout);
    ASSERT_EQ(sim.fault(), "") << "seed " << seed;
    sim.come_back(2);
    ASSERT_EQ(rest(sim), "") << "seed " << seed;
    ASSERT_EQ(sim.excused(), 0u) << "seed " << seed;
  }
}

// It has heard that the former owner claims the slots no more, and of its greater epoch, which the new owner has not; but nothing of the new owner until it
// has been started anew.
TEST(SlotMoveSim, AThirdThatHasNotHeardTheNewOwnerIsStartedAnew) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    SlotMoveSim sim(seed, kTimeout);
    sim.start(3, 12);
    sim.slow_down(1, 2, -1);
    ASSERT_TRUE(sim.move(0, 1));
    for (int i = 0; i < 5000 && !sim.last_export()->over(); i++) sim.live(1);
    ASSERT_EQ(sim.succeeded(), 1u) << sim.last_export()->message();
    sim.slow_down(0, 1, 60000);
    sim.machine(0).bump_epoch(sim.now());
    sim.live(kTimeout);
    sim.die(2, true);
    sim.slow_down(1, 2, 0);
    sim.slow_down(0, 2, 400);  // the new owner is heard first
    sim.come_back(2);
    sim.live(kTimeout);
    for (size_t n : {1, 2}) sim.slow_down(0, n, 0);
    ASSERT_EQ(rest(sim), "") << "seed " << seed;
    ASSERT_EQ(sim.excused(), 0u) << "seed " << seed;
  }
}

// A node that has granted slots away dies, comes back with its old nodes.conf, and hears nobody. A new epoch would make its old claims the newest.
TEST(SlotMoveSim, WhoHearsNobodyTakesNothingOver) {
  size_t moves = 0;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    SlotMoveSim sim(seed, kTimeout);
    ASSERT_TRUE(come_to(sim, SlotExportState::kGranted));
    for (size_t n : {1, 2}) sim.slow_down(n, 0, 60000);
    sim.live(100);
    sim.die(0, true);
    sim.live(100);
    sim.come_back(0);
    sim.live(4 * kTimeout);
    moves += sim.move(2, 0);
    sim.live(kTimeout);
    for (size_t n : {1, 2}) sim.slow_down(n, 0, 0);
    ASSERT_EQ(rest(sim), "") << "seed " << seed;
    ASSERT_EQ(sim.excused(), 0u) << "seed " << seed;
  }
  EXPECT_GT(moves, 10u);
}

// The source does not know of it any more when it has been started anew, and serves the slots.
TEST(SlotMoveSim, AGrantArrivesWhenTheSourceHasDiedAndServesAgain) {
  for (int64_t late : {100, 1000, 2500, 5000, 20000})
    for (uint64_t seed = 1; seed <= 12; seed++) {
      SlotMoveSim sim(seed, kTimeout);
      ASSERT_TRUE(come_to(sim, SlotExportState::kGranted));
      sim.delay_streams(late);
      sim.die(0, true);
      sim.live(static_cast<int64_t>(sim.random().below(100)));
      sim.come_back(0);
      sim.live(late + 5 * kTimeout);
      ASSERT_EQ(rest(sim), "") << "seed " << seed << ", late by " << late;
      ASSERT_EQ(sim.excused(), 0u) << "seed " << seed << ", late by " << late;
    }
}

TEST(SlotMoveSim, CancelledAtEveryState) {
  at_every_state([](SlotMoveSim& sim, SlotExportState state) { EXPECT_EQ(sim.cancel_last(), state < SlotExportState::kGranting); });
}

TEST(SlotMoveSim, TheSourceDiesAtEveryState) {
  at_every_state([](SlotMoveSim& sim, SlotExportState) {
    sim.live(static_cast<int64_t>(sim.random().below(12)));
    sim.die(sim.last_source(), true);
  });
}

TEST(SlotMoveSim, TheTargetDiesAtEveryState) {
  at_every_state([](SlotMoveSim& sim, SlotExportState) {
    sim.live(static_cast<int64_t>(sim.random().below(12)));
    sim.die(sim.last_target(), true);
  });
}

TEST(SlotMoveSim, TheStreamBreaksAtEveryState) {
  at_every_state([](SlotMoveSim& sim, SlotExportState) { sim.cut_streams(); });
}

TEST(SlotMoveSim, BothEndsDieAtEveryState) {
  at_every_state([](SlotMoveSim& sim, SlotExportState) {
    sim.live(static_cast<int64_t>(sim.random().below(12)));
    sim.die(sim.last_target(), true);
    sim.die(sim.last_source(), true);
  });
}

// The target takes the slots and loses the others at once, the source loses them, both do: writes go where a majority is, and stay.
TEST(SlotMoveSim, ThePartiesAreCutOffAtEveryState) {
  for (int who = 0; who < 3; who++)
    at_every_state(
        [who](SlotMoveSim& sim, SlotExportState) {
          sim.live(static_cast<int64_t>(sim.random().below(12)));
          std::set<size_t> side;
          if (who != 1) side.insert(sim.last_source());
          if (who != 0) side.insert(sim.last_target());
          sim.partition(side);
          if (side.size() == 1) {
            const size_t alone = *side.begin();
            sim.reachable = {0, 1, 2};
            sim.reachable.erase(alone);
          } else {
            sim.reachable = side;
          }
          sim.live(static_cast<int64_t>(sim.random().below(12 * kTimeout)));
          sim.partition({});
          sim.live(5 * kTimeout);
          sim.reachable.clear();
        },
        12);
}

// Everything at once, and then peace.
std::string torment(uint64_t seed, size_t& succeeded, size_t& failed, uint64_t& fingerprint) {
  SlotMoveSim sim(seed, kTimeout);
  Random& r = sim.random();
  const size_t masters = 3 + r.below(3);
  bool cut_off = false;
  sim.start(masters, 8);
  for (int round = 0; round < 25 && sim.fault().empty(); round++) {
    sim.faults.delay_ms = 1 + static_cast<int64_t>(r.below(r.below(4) ? 10 : 200));
    sim.faults.lose = r.below(3) ? 0 : r.real() * 0.05;
    switch (r.below(10)) {
      case 8:
      case 9: {
        const size_t from = r.below(masters);
        const size_t to = r.below(masters);
        // Not as long as it takes until a node that is not heard is given up.
        const uint64_t how = r.below(3);
        cut_off |= how == 1;
        sim.slow_down(from, to, how == 0 ? 0 : how == 1 ? -1 : static_cast<int64_t>(r.below(kTimeout / 2)));
        break;
      }
      case 0: sim.die(r.below(masters), true); break;
      case 1: sim.cut_streams(); break;
      case 2:
        if (sim.last_export()) sim.cancel_last();
        break;
      case 3: sim.come_back(r.below(masters)); break;
      default: {
        const size_t from = r.below(masters);
        const size_t to = r.below(masters);
        sim.move(from, to);
      }
    }
    sim.live(static_cast<int64_t>(r.below(r.below(2) ? 100 : 2 * kTimeout)));
  }
  sim.faults.lose = 0;
  sim.faults.delay_ms = 5;
  for (size_t a = 0; a < masters; a++)
    for (size_t b = 0; b < masters; b++) sim.slow_down(a, b, 0);
  for (size_t n = 0; n < masters; n++) sim.come_back(n);
  std::string wrong = rest(sim);
  succeeded += sim.succeeded();
  failed += sim.failed();
  fingerprint = fingerprint * 31 + sim.fingerprint();
  if (wrong.empty() && sim.excused() && !cut_off) return "a write was given up for a partition that there was not";
  return wrong;
}

TEST(SlotMoveSim, NothingIsLostWhateverHappens) {
  const auto [all, first, count] = SeedRange(60);
  size_t succeeded = 0, failed = 0;
  uint64_t fingerprint = 0;
  for (uint64_t i = 0; i < count; i++) ASSERT_EQ(torment(first + i, succeeded, failed, fingerprint), "") << "RINGWOOD_SEED=" << first + i;
  std::printf("%llu seeds: %zu moves have succeeded, %zu not, fingerprint %016llx\n", static_cast<unsigned long long>(count), succeeded,
              failed, static_cast<unsigned long long>(fingerprint));
  if (all) {
    EXPECT_GT(succeeded, count);
    EXPECT_GT(failed, count / 4);
  }
}

}  // namespace
}  // namespace ringwood::cluster
