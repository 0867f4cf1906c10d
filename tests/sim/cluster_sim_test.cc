// Whole clusters by seed. RINGWOOD_SEED=n runs that one alone; RINGWOOD_SIM_SEEDS=n so many of them; RINGWOOD_LONG=1 the nightly number.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/sim/cluster_sim.h"
#include "tests/sim/seed_range.h"

namespace ringwood::cluster {
namespace {

constexpr int64_t kTimeout = 2000;

TEST(ClusterSim, NodesMeetAndAgree) {
  for (size_t replicas : {0, 1, 2}) {
    ClusterSim sim(7 + replicas, kTimeout);
    ASSERT_TRUE(sim.create(3, replicas)) << sim.fault() << sim.disagreement();
  }
}

TEST(ClusterSim, AReplicaTakesItsDeadMastersPlace) {
  ClusterSim sim(1, kTimeout);
  ASSERT_TRUE(sim.create(3, 1));
  const int64_t start = sim.now();
  sim.crash(0);
  sim.run(200);
  ASSERT_TRUE(sim.converge(60000)) << sim.fault() << sim.disagreement();
  EXPECT_TRUE(sim.is_master(3));
  EXPECT_LE(sim.now() - start, kTimeout + 3000);
  sim.restart(0);
  sim.run(10000);
  EXPECT_FALSE(sim.is_master(0));
  EXPECT_TRUE(sim.disagreement().empty()) << sim.disagreement();
}

TEST(ClusterSim, ManualFailoverChangesRolesAndNothingElse) {
  ClusterSim sim(2, kTimeout);
  ASSERT_TRUE(sim.create(3, 1));
  size_t slots = sim.serving(0);
  ASSERT_TRUE(sim.fail_over(3));
  sim.run(3000);
  EXPECT_TRUE(sim.is_master(3));
  EXPECT_FALSE(sim.is_master(0));
  EXPECT_EQ(sim.serving(3), slots);
  EXPECT_TRUE(sim.converge(5000)) << sim.fault() << sim.disagreement();
}

TEST(ClusterSim, AMinorityDoesNotServe) {
  ClusterSim sim(3, kTimeout);
  ASSERT_TRUE(sim.create(3, 1));
  sim.partition({0});
  sim.run(kTimeout * 4);
  EXPECT_FALSE(sim.machine(0).ok());
  EXPECT_TRUE(sim.is_master(3));
  EXPECT_TRUE(sim.machine(1).ok());
  sim.partition({});
  EXPECT_TRUE(sim.converge(60000)) << sim.fault() << sim.disagreement();
  EXPECT_FALSE(sim.is_master(0));
}

TEST(ClusterSim, AReplicaMovesToAMasterWithout) {
  ClusterSim sim(4, kTimeout);
  ASSERT_TRUE(sim.create(3, 2));
  // Node 0's replicas are 3 and 6; those of the others stay.
  sim.crash(3);
  sim.crash(6);
  sim.run(30000);
  EXPECT_EQ(sim.machine(0).view().myself().working_replicas(), 1u);
  EXPECT_TRUE(sim.disagreement().empty()) << sim.disagreement();
}

// Everything at once, and then peace.
std::string torment(uint64_t seed, size_t masters, size_t replicas, int rounds, uint64_t& fingerprint) {
  ClusterSim sim(seed, kTimeout);
  if (!sim.create(masters, replicas)) return "never came together: " + sim.fault() + sim.disagreement();
  Random& r = sim.random();
  for (int round = 0; round < rounds && sim.fault().empty(); round++) {
    sim.faults = {r.real() < 0.5 ? 0 : r.real() * 0.1, r.real() < 0.5 ? 0 : r.real() * 0.01, 1 + static_cast<int64_t>(r.below(300))};
    switch (r.below(6)) {
      case 0: sim.crash(r.below(sim.size())); break;
      case 1: {
        std::set<size_t> side;
        for (size_t i = 0; i < sim.size(); i++)
          if (r.below(2)) side.insert(i);
        sim.partition(side);
        break;
      }
      case 2: sim.partition({}); break;
      case 3: sim.move_slot(); break;
      case 4: {
        const size_t node = r.below(sim.size());
        sim.jump_clock(node, static_cast<int64_t>(r.below(4000)) - 1000);
        break;
      }
      default: sim.restart(r.below(sim.size()));
    }
    sim.run(static_cast<int64_t>(r.below(3 * kTimeout)));
  }
  sim.faults = {};
  sim.partition({});
  for (size_t i = 0; i < sim.size(); i++) sim.restart(i);
  const bool agree = sim.converge(120000);
  fingerprint = fingerprint * 31 + sim.fingerprint();
  if (!agree) {
    std::string story = "no agreement after peace: " + sim.fault() + sim.disagreement();
    for (size_t i = 0; i < sim.size(); i++) story += "\n--- node " + std::to_string(i) + "\n" + std::string(sim.machine(i).nodes_conf());
    return story;
  }
  return sim.fault();
}

TEST(ClusterSim, SurvivesWhatItMustAndAgreesAfterwards) {
  const auto [all, first, count] = SeedRange(200);
  uint64_t fingerprint = 0;
  for (uint64_t i = 0; i < count; i++) {
    Random shape(first + i);
    size_t masters = 3 + shape.below((first + i) % 50 == 6 ? 30 : 4), replicas = shape.below(3);
    std::string wrong = torment(first + i, masters, replicas, 20, fingerprint);
    ASSERT_EQ(wrong, "") << "RINGWOOD_SEED=" << first + i;
    if ((i + 1) % 200 == 0 || i + 1 == count)
      std::printf("%llu seeds are clean, fingerprint %016llx\n", static_cast<unsigned long long>(i + 1),
                  static_cast<unsigned long long>(fingerprint)),
          std::fflush(stdout);
  }
}

}  // namespace
}  // namespace ringwood::cluster
