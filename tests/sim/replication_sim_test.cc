// Replication by seed, with everything that may happen to links, servers and orders. RINGWOOD_SEED=n runs that one alone; RINGWOOD_SIM_SEEDS=n so many of them;
// RINGWOOD_LONG=1 the nightly number.
#include "tests/sim/replication_sim.h"
#include "tests/sim/seed_range.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace ringwood {
namespace {

// All follow one that leads, and come to rest. Empty, or what is wrong.
std::string peace(ReplicationSim& sim, size_t nodes) {
  sim.faults = {};
  size_t root = 0;
  for (int i = 0; i < 600 && sim.fault().empty(); i++) {
    sim.writing = i < 50;
    if (!sim.leads(root) || sim.failing_over(root)) {
      root = 0;
      while (root + 1 < nodes && (!sim.leads(root) || sim.failing_over(root))) root++;
      if (!sim.leads(root)) sim.lead(root);
    }
    for (size_t n = 0; n < nodes; n++)
      if (n != root) sim.follow(n, root);
    sim.run(100);
    if (!sim.writing && sim.settled(root)) return sim.fault();
  }
  return sim.fault().empty() ? "no rest" : sim.fault();
}

std::string rest(ReplicationSim& sim, size_t root) {
  sim.writing = false;
  for (int i = 0; i < 100 && sim.fault().empty(); i++) {
    sim.run(100);
    if (sim.settled(root)) break;
  }
  sim.writing = true;
  return sim.settled(root) ? sim.fault() : "no rest " + sim.fault();
}

TEST(ReplicationSim, OverCutLinksAReplicaGoesOnFromWhereItWas) {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    ReplicationSim sim(seed, 3);
    sim.backlog = 1 << 20;
    sim.follow(1, 0);
    sim.follow(2, seed % 2 ? 0 : 1);
    ASSERT_EQ(rest(sim, 0), "") << seed;
    const size_t full = sim.full_syncs(), partial = sim.partial_syncs();
    sim.faults.cut = 0.005;
    sim.run(20000);
    sim.faults.cut = 0;
    ASSERT_EQ(rest(sim, 0), "") << seed;
    EXPECT_EQ(sim.full_syncs(), full) << seed;
    EXPECT_GT(sim.partial_syncs(), partial + 50) << seed;
    EXPECT_GT(sim.writes(), 1000u);
  }
}

TEST(ReplicationSim, ThePartsAreExchangedWithoutAFullSync) {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    ReplicationSim sim(seed, 3);
    sim.backlog = 1 << 20;
    sim.follow(1, 0);
    sim.follow(2, 0);
    ASSERT_EQ(rest(sim, 0), "") << seed;
    const size_t full = sim.full_syncs();
    for (size_t round = 0, root = 0; round < 10; round++) {
      const size_t next = (root + 1) % 3;
      sim.run(100);
      ASSERT_TRUE(sim.fail_over(root, next, 20000)) << seed << ' ' << round;
      for (int i = 0; i < 200 && (sim.failing_over(root) || !sim.leads(next)); i++) sim.run(100);
      ASSERT_TRUE(sim.leads(next) && !sim.leads(root)) << seed << ' ' << round;
      for (size_t n = 0; n < 3; n++)
        if (n != next) sim.follow(n, next);
      root = next;
      ASSERT_EQ(rest(sim, root), "") << seed << ' ' << round;
      sim.follow((root + 1) % 3, root);
    }
    EXPECT_EQ(sim.full_syncs(), full) << seed;
  }
}

// One turn of fate.
void torment(ReplicationSim& sim, size_t nodes) {
  Random& r = sim.random();
  const size_t node = r.below(nodes), other = r.below(nodes);
  switch (r.below(15)) {
    case 0:
    case 1:
    case 2:
      if (node != other) sim.follow(node, other);
      break;
    case 3: sim.lead(node); break;
    case 4:
    case 5:
    case 6: sim.fail_over(node, other, 1 + static_cast<int64_t>(r.below(500))); break;
    case 7:
    case 8: sim.cut(node); break;
    case 9: sim.stand_still(node, static_cast<int64_t>(r.below(300))); break;
    case 10: sim.save(node); break;
    case 11: sim.restart(node); break;
    case 12: sim.drop_backlog(node); break;
    case 13: sim.faults.cut = r.below(2) ? 0 : 0.01 * r.real(); break;
    default: sim.writing = r.below(4) != 0;
  }
}

TEST(ReplicationSim, WhoStandsAtTheSamePlaceHasTheSameWhateverHappens) {
  const auto [all, first, count] = SeedRange(120);
  size_t full = 0, partial = 0;
  for (uint64_t seed = first; seed < first + count; seed++) {
    Random dice(seed);
    const size_t nodes = 2 + dice.below(4);
    ReplicationSim sim(seed, nodes);
    sim.backlog = 100 + dice.below(3000);
    sim.faults.delay_ms = 1 + static_cast<int64_t>(dice.below(60));
    for (int i = 0; i < 150 && sim.fault().empty(); i++) {
      torment(sim, nodes);
      sim.run(1 + static_cast<int64_t>(sim.random().below(150)));
    }
    ASSERT_EQ(sim.fault(), "") << "RINGWOOD_SEED=" << seed;
    ASSERT_EQ(peace(sim, nodes), "") << "RINGWOOD_SEED=" << seed;
    full += sim.full_syncs();
    partial += sim.partial_syncs();
  }
  std::printf("%llu seeds: %zu full and %zu partial syncs\n", static_cast<unsigned long long>(count), full, partial);
  if (all) {
    EXPECT_GT(full, count);
    EXPECT_GT(partial, count);
  }
}

}  // namespace
}  // namespace ringwood
