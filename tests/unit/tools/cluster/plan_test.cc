#include "tools/cluster/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/support/seed.h"

namespace ringwood::cluster_tool {
namespace {

// The slots shared out evenly among n nodes.
std::vector<int> even(int n) {
  std::vector<int> owner(kSlots);
  for (size_t s = 0; s < kSlots; s++) owner[s] = static_cast<int>(s * static_cast<size_t>(n) / kSlots);
  return owner;
}

std::map<int, double> after(std::vector<int> owner, const std::vector<double>& load, const std::vector<Move>& plan) {
  for (const Move& m : plan) {
    EXPECT_EQ(owner[m.slot], static_cast<int>(m.from));
    EXPECT_NE(m.from, m.to);
    owner[m.slot] = static_cast<int>(m.to);
  }
  std::map<int, double> out;
  for (size_t s = 0; s < owner.size(); s++) out[owner[s]] += load[s];
  return out;
}

TEST(PlanReshard, TakesFromEachInProportion) {
  const std::vector<Move> plan = plan_reshard(even(3), {0, 1, 2}, 3, 1000);
  ASSERT_EQ(plan.size(), 1000u);
  std::map<size_t, int> from;
  for (const Move& m : plan) from[m.from]++;
  for (auto [node, n] : from) EXPECT_NEAR(n, 333, 2) << node;
  EXPECT_EQ(plan_reshard(even(3), {0}, 1, 1000).size(), 1000u);
  EXPECT_EQ(plan_reshard(even(3), {0}, 1, 100000).size(), 5462u);
  EXPECT_TRUE(plan_reshard(even(3), {1}, 1, 10).empty());
}

TEST(PlanRebalance, LeavesAloneWhatIsEven) {
  const std::vector<double> ones(kSlots, 1);
  EXPECT_TRUE(plan_rebalance(even(3), ones, {{0, 1}, {1, 1}, {2, 1}}, 0.02).empty());
  EXPECT_TRUE(plan_rebalance(even(3), ones, {{0, 0}, {1, 0}}, 0.02).empty());
}

TEST(PlanRebalance, GivesEverybodyTheShareOfItsWeight) {
  const std::vector<double> ones(kSlots, 1);
  std::map<int, double> has = after(even(3), ones, plan_rebalance(even(3), ones, {{0, 1}, {1, 1}, {2, 1}, {3, 1}}, 0.02));
  for (int i = 0; i < 4; i++) EXPECT_NEAR(has[i], 4096, 1);
  has = after(even(3), ones, plan_rebalance(even(3), ones, {{0, 1}, {1, 2}, {2, 1}}, 0.02));
  EXPECT_NEAR(has[0], 4096, 1);
  EXPECT_NEAR(has[1], 8192, 1);
  has = after(even(3), ones, plan_rebalance(even(3), ones, {{0, 1}, {1, 0}, {2, 1}}, 0.02));
  EXPECT_EQ(has[1], 0);
  EXPECT_NEAR(has[0], 8192, 1);
}

TEST(PlanRebalance, EmptiesANodeWithoutLoad) {
  const std::vector<double> nothing(kSlots, 0);
  const std::vector<Move> plan = plan_rebalance(even(2), nothing, {{0, 0}, {1, 1}}, 0.02);
  EXPECT_EQ(plan.size(), 8192u);
}

TEST(PlanRebalance, EvensOutUnevenLoads) {
  Seeded random;
  for (int round = 0; round < 20; round++) {
    std::vector<double> load(kSlots);
    double total = 0;
    for (double& l : load) total += l = static_cast<double>(random.below(1000));
    const int nodes = 2 + static_cast<int>(random.below(6));
    std::vector<int> owner(kSlots);
    for (int& o : owner) o = static_cast<int>(random.below(static_cast<uint64_t>(nodes)) * random.below(2));
    std::vector<Share> shares;
    for (int i = 0; i < nodes; i++) shares.push_back({static_cast<size_t>(i), 1});
    std::map<int, double> has = after(owner, load, plan_rebalance(owner, load, shares, 0.01));
    for (int i = 0; i < nodes; i++) EXPECT_NEAR(has[i], total / nodes, total / nodes * 0.02);
  }
  // One slot with nearly everything stays where it is: moving it would only turn the tables.
  std::vector<double> load(kSlots, 0.001);
  load[7] = 1000;
  for (const Move& m : plan_rebalance(even(2), load, {{0, 1}, {1, 1}}, 0.02)) EXPECT_NE(m.slot, 7);
}

TEST(PlanRoles, PutReplicasOnOtherHosts) {
  const std::vector<std::string> hosts{"a", "a", "b", "b", "c", "c"};
  const std::vector<Role> roles = plan_roles(hosts, 1);
  ASSERT_EQ(roles.size(), 6u);
  std::vector<std::string> masters;
  for (const Role& r : roles) {
    if (r.master < 0)
      masters.push_back(hosts[r.node]);
    else
      EXPECT_NE(hosts[r.node], hosts[roles[static_cast<size_t>(r.master)].node]);
  }
  std::sort(masters.begin(), masters.end());
  EXPECT_EQ(masters, (std::vector<std::string>{"a", "b", "c"}));
  // Many, with two replicas each, on hosts of ten: no group has two on one host.
  std::vector<std::string> many;
  for (int i = 0; i < 300; i++) many.push_back("host" + std::to_string(i / 10));
  const std::vector<Role> groups = plan_roles(many, 2);
  ASSERT_EQ(groups.size(), 300u);
  std::map<std::pair<int, std::string>, int> met;
  for (size_t i = 0; i < groups.size(); i++) {
    const int master = groups[i].master < 0 ? static_cast<int>(i) : groups[i].master;
    EXPECT_EQ(met[std::pair(master, many[groups[i].node])]++, 0);
  }
  EXPECT_EQ(plan_roles({"a", "a", "a", "a"}, 0).size(), 4u);
  EXPECT_EQ(std::count_if(roles.begin(), roles.end(), [](const Role& r) { return r.master == 0; }), 1);
}

TEST(DivideSlots, CoversAllOfThem) {
  EXPECT_EQ(divide_slots(3), (std::vector<int>{0, 5461, 10922, 16384}));
  EXPECT_EQ(divide_slots(1), (std::vector<int>{0, 16384}));
}

}  // namespace
}  // namespace ringwood::cluster_tool
