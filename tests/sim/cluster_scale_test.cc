// What a large cluster costs and how soon it mends itself. RINGWOOD_SIM_NODES=n chooses its size; without it is a small one, which must keep its promises.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "tests/sim/cluster_sim.h"
#include "tests/support/seed.h"

namespace ringwood::cluster {
namespace {

TEST(ClusterScale, AQuarterOfTheMastersDiesAtOnce) {
  Seeded seeded;
  const char* wanted = std::getenv("RINGWOOD_SIM_NODES");
  const size_t nodes = wanted ? std::strtoull(wanted, nullptr, 10) : 40, masters = nodes / 2, killed = masters / 4;
  const int64_t timeout = 15000;
  ClusterSim sim(seeded.seed(), timeout);
  sim.faults.sync_ms = 20;  // of a disk: who votes and who wins writes it down first
  // Were all to start at once, everybody's first pings would be on their way together: 20 GB of them with 1,000 nodes.
  sim.start_known(masters, 1, static_cast<int64_t>(10 * nodes));
  const int64_t started = sim.now();
  auto all_say = [&](auto&& f) {
    for (size_t i = 0; i < sim.size(); i++)
      if (sim.up(i) && !f(i)) return false;
    return true;
  };
  while (!all_say([&](size_t i) { return sim.machine(i).ok(); }) && sim.now() - started < 60000) sim.run(100);
  std::printf("%zu nodes: the cluster serves for all %.1f s after the start\n", nodes, static_cast<double>(sim.now() - started) / 1000);
  ASSERT_EQ(sim.fault(), "");
  sim.run(timeout / 2);  // the pings of the start are over
  const uint64_t bytes = sim.bytes(), messages = sim.messages();
  constexpr int64_t kSteadyMs = 10000;
  sim.run(kSteadyMs);
  const double node_seconds = static_cast<double>(nodes) * kSteadyMs / 1000;
  std::printf("in peace: %.0f bytes and %.1f messages a node and second\n", static_cast<double>(sim.bytes() - bytes) / node_seconds,
              static_cast<double>(sim.messages() - messages) / node_seconds);
  const int64_t killed_at = sim.now();
  for (size_t i = 0; i < killed; i++) sim.crash(i);
  int64_t first = 0, last = 0;
  while (sim.now() - killed_at < 6 * timeout && !last) {
    sim.run(100);
    size_t heirs = 0;
    for (size_t i = 0; i < killed; i++) heirs += sim.is_master(masters + i);
    if (heirs && !first) first = sim.now() - killed_at;
    if (heirs == killed) last = sim.now() - killed_at;
  }
  ASSERT_TRUE(last) << "not all of the dead masters' replicas have taken over";
  std::printf("%zu masters killed at once: the first replica has taken over after %.1f s, the last after %.1f s\n", killed,
              static_cast<double>(first) / 1000, static_cast<double>(last) / 1000);
  auto agree = [&] { return sim.disagreement().empty(); };
  while (!agree() && sim.now() - killed_at < 8 * timeout) sim.run(1000);
  std::printf("all agree after %.1f s\n", static_cast<double>(sim.now() - killed_at) / 1000);
  EXPECT_TRUE(agree()) << sim.disagreement();
  EXPECT_EQ(sim.fault(), "");
  EXPECT_LE(first, timeout + timeout / 2 + 3000);
  // An epoch has one election: of several at once one wins, and the others may ask again after four timeouts. They do not ask at once.
  EXPECT_LE(last, first + timeout / 2 + 3000);
}

}  // namespace
}  // namespace ringwood::cluster
