// A node of a cluster with cluster-cross-slot local: commands, transactions and scripts over several of its slots, with one shard and with several.
#include <gtest/gtest.h>

#include "engine/exec/slot_map.h"
#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

// Every slot is this node's, but that of "elsewhere".
std::unique_ptr<SlotMap> map_of_two() {
  auto map = std::make_unique<SlotMap>();
  map->ok = true;
  map->nodes = {{"10.0.0.1", "", 1}, {"10.0.0.2", "", 2}};
  map->owners.assign(kSlots, 0);
  map->owners[key_slot("elsewhere")] = 1;
  return map;
}

Options options(ClusterCrossSlot across) {
  Options o;
  o.cluster_enabled = true;
  o.cluster_cross_slot = across;
  return o;
}

class CrossSlot : public testing::TestWithParam<int> {
 protected:
  explicit CrossSlot(ClusterCrossSlot across = ClusterCrossSlot::kLocal)
      : server(GetParam(), options(across)), maps(map_of_two(), static_cast<size_t>(GetParam())) {
    server.engine().slot_maps = &maps;
    server.engine().state.fetch_or(kStateCluster);
  }
  InProcess server;
  SlotMaps maps;
};
struct OneSlot : CrossSlot {
  OneSlot() : CrossSlot(ClusterCrossSlot::kNo) {}
};
INSTANTIATE_TEST_SUITE_P(Shards, CrossSlot, testing::Values(1, 2, 4));
INSTANTIATE_TEST_SUITE_P(Shards, OneSlot, testing::Values(1, 2, 4));

constexpr const char* kCrossSlotError = "-CROSSSLOT Keys in request don't hash to the same slot\r\n";

TEST_P(OneSlot, IsTheRuleOfACluster) {
  EXPECT_EQ(server.run({"MSET", "a", "1", "b", "2"}), kCrossSlotError);
  EXPECT_EQ(server.run({"EVAL", "return 1", "2", "a", "b"}), kCrossSlotError);
}

TEST_P(CrossSlot, CommandsWithSeveralKeysSpanSlots) {
  EXPECT_EQ(server.run({"MSET", "a", "1", "b", "2", "c", "3"}), "+OK\r\n");
  EXPECT_EQ(server.run({"MGET", "a", "b", "c"}), "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n");
  EXPECT_EQ(server.run({"RENAME", "a", "d"}), "+OK\r\n");
  EXPECT_EQ(server.run({"DEL", "b", "c", "d"}), ":3\r\n");
  EXPECT_EQ(server.run({"MSET", "a", "1", "elsewhere", "2"}), kCrossSlotError);
  EXPECT_EQ(server.run({"EXISTS", "a"}), ":0\r\n");
}

TEST_P(CrossSlot, TransactionsSpanSlots) {
  EXPECT_EQ(server.run({"MULTI"}), "+OK\r\n");
  for (const char* key : {"a", "b", "c"}) EXPECT_EQ(server.run({"INCR", key}), "+QUEUED\r\n");
  EXPECT_EQ(server.run({"EXEC"}), "*3\r\n:1\r\n:1\r\n:1\r\n");
}

TEST_P(CrossSlot, ASlotThatLivesElsewhereIsNotQueued) {
  EXPECT_EQ(server.run({"MULTI"}), "+OK\r\n");
  EXPECT_EQ(server.run({"INCR", "a"}), "+QUEUED\r\n");
  EXPECT_EQ(server.run({"INCR", "elsewhere"}), "-MOVED " + std::to_string(key_slot("elsewhere")) + " 10.0.0.2:2\r\n");
  EXPECT_EQ(server.run({"EXEC"}), "-EXECABORT Transaction discarded because of previous errors.\r\n");
  EXPECT_EQ(server.run({"EXISTS", "a"}), ":0\r\n");
}

TEST_P(CrossSlot, ATransactionWhoseSlotHasGoneMeanwhileIsRefusedWhole) {
  EXPECT_EQ(server.run({"MULTI"}), "+OK\r\n");
  for (const char* key : {"a", "b"}) EXPECT_EQ(server.run({"INCR", key}), "+QUEUED\r\n");
  auto next = map_of_two();
  next->owners[key_slot("b")] = 1;
  maps.publish(std::move(next));
  EXPECT_EQ(server.run({"EXEC"}), kCrossSlotError);
  EXPECT_EQ(server.run({"EXISTS", "a"}), ":0\r\n");
}

TEST_P(CrossSlot, ScriptsSpanSlots) {
  const char* declared = "for i, k in ipairs(KEYS) do redis.call('INCRBY', k, i) end return redis.call('MGET', KEYS[1], KEYS[2])";
  EXPECT_EQ(server.run({"EVAL", declared, "2", "a", "b"}), "*2\r\n$1\r\n1\r\n$1\r\n2\r\n");
  const char* undeclared = "#!lua\nreturn redis.call('INCR', 'c')";
  EXPECT_EQ(server.run({"EVAL", undeclared, "1", "a"}), ":1\r\n");
  const char* elsewhere = "redis.call('SET', KEYS[1], 'x') return redis.call('GET', 'elsewhere')";
  EXPECT_TRUE(server.run({"EVAL", elsewhere, "1", "b"}).starts_with("-ERR Script attempted to access a non local key in a cluster node"));
}

TEST_P(CrossSlot, AMigratingSlotAmongThemIsTriedAgain) {
  auto next = map_of_two();
  next->open[key_slot("b")] = {.migrating_to = 1};
  maps.publish(std::move(next));
  EXPECT_EQ(server.run({"SET", "a", "1"}), "+OK\r\n");
  EXPECT_EQ(server.run({"MGET", "a", "b"}), "-TRYAGAIN Multiple keys request during rehashing of slot\r\n");
  EXPECT_EQ(server.run({"MGET", "b", "a"}), "-TRYAGAIN Multiple keys request during rehashing of slot\r\n");
  EXPECT_EQ(server.run({"MGET", "a", "c"}), "*2\r\n$1\r\n1\r\n$-1\r\n");
}

TEST_P(CrossSlot, WhoWaitsForKeysOfSeveralSlotsIsToldWhenOneGoes) {
  server.send(1, {"BLPOP", "a", "b", "0"});
  EXPECT_EQ(server.receive(1), "");
  EXPECT_EQ(server.run({"RPUSH", "b", "x"}), ":1\r\n");
  EXPECT_EQ(server.receive(1), "*2\r\n$1\r\nb\r\n$1\r\nx\r\n");
  server.send(1, {"BLPOP", "a", "b", "0"});
  EXPECT_EQ(server.receive(1), "");
  auto next = map_of_two();
  next->owners[key_slot("b")] = 1;
  maps.publish(std::move(next));
  for (Executor* e : server.engine().executors) e->redirect_waiters();
  EXPECT_EQ(server.receive(1), kCrossSlotError);
}

}  // namespace
}  // namespace ringwood
