#include "engine/exec/slot_stats.h"

#include <gtest/gtest.h>

#include "engine/exec/slot_map.h"
#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

Options options(bool enabled) {
  Options o;
  o.cluster_enabled = true;
  o.cluster_slot_stats_enabled = enabled;
  o.cluster_cross_slot = ClusterCrossSlot::kLocal;
  return o;
}

class SlotStatsOf : public testing::TestWithParam<int> {
 protected:
  explicit SlotStatsOf(bool enabled = true)
      : server(GetParam(), options(enabled)), maps(std::make_unique<SlotMap>(), static_cast<size_t>(GetParam())) {
    serve_all();
    server.engine().slot_maps = &maps;
    server.engine().state.fetch_or(kStateCluster);
  }
  void serve_all(Bytes but = {}) {
    auto map = std::make_unique<SlotMap>();
    map->ok = true;
    map->nodes = {{"10.0.0.1", "", 1}, {"10.0.0.2", "", 2}};
    map->owners.assign(kSlots, 0);
    if (!but.empty()) map->owners[key_slot(but)] = 1;
    maps.publish(std::move(map));
  }
  SlotStats::Figures of(Bytes key) {
    SlotStats::Figures sum;
    for (Executor* e : server.engine().executors)
      if (const SlotStats* s = e->slot_stats()) {
        sum.cpu_ns += s->of(key_slot(key)).cpu_ns;
        sum.bytes_in += s->of(key_slot(key)).bytes_in;
        sum.bytes_out += s->of(key_slot(key)).bytes_out;
      }
    return sum;
  }
  void expect(Bytes key, int64_t in, int64_t out) {
    EXPECT_EQ(of(key).bytes_in, in) << key;
    EXPECT_EQ(of(key).bytes_out, out) << key;
  }
  InProcess server;
  SlotMaps maps;
};
struct SlotStatsOff : SlotStatsOf {
  SlotStatsOff() : SlotStatsOf(false) {}
};
INSTANTIATE_TEST_SUITE_P(Shards, SlotStatsOf, testing::Values(1, 2, 4));
INSTANTIATE_TEST_SUITE_P(Shards, SlotStatsOff, testing::Values(1, 2));

int64_t wire(const std::vector<std::string>& words) {
  size_t n = 1 + std::to_string(words.size()).size() + 2;
  for (const std::string& w : words) n += 1 + std::to_string(w.size()).size() + 2 + w.size() + 2;
  return static_cast<int64_t>(n);
}

TEST_P(SlotStatsOff, TakesNoMemory) {
  server.run({"SET", "a", "1"});
  for (Executor* e : server.engine().executors) EXPECT_EQ(e->slot_stats(), nullptr);
}

TEST_P(SlotStatsOf, CountsWhatCameAndWhatWasAnswered) {
  server.run({"SET", "a", "1"});
  server.run({"GET", "a"});
  expect("a", wire({"SET", "a", "1"}) + wire({"GET", "a"}), 5 + 7);
  expect("b", 0, 0);
  server.run({"PING"});
  server.run({"MSET", "a", "1", "b", "2"});  // of several slots: of none
  expect("a", wire({"SET", "a", "1"}) + wire({"GET", "a"}), 5 + 7);
  expect("b", 0, 0);
}

TEST_P(SlotStatsOf, CountsATransactionOnce) {
  for (const std::vector<std::string>& c : {std::vector<std::string>{"MULTI"}, {"INCR", "a"}, {"INCR", "a"}, {"EXEC"}}) server.run(c);
  expect("a", wire({"MULTI"}) + 2 * wire({"INCR", "a"}) + wire({"EXEC"}), 5 + 2 * 9 + 4 + 2 * 4);
}

TEST_P(SlotStatsOf, CountsAScriptByItsOwnKeys) {
  const char* script = "redis.call('SET', KEYS[1], 'x') return redis.call('GET', KEYS[1])";
  server.run({"EVAL", script, "1", "a"});
  expect("a", wire({"EVAL", script, "1", "a"}), 7);
}

TEST_P(SlotStatsOf, CountsTheRequestOfWhoWaitsWhenItIsAnswered) {
  server.send(1, {"BLPOP", "a", "0"});
  EXPECT_EQ(server.receive(1), "");
  expect("a", 0, 0);
  server.run({"RPUSH", "a", "x"});
  server.receive(1);
  expect("a", wire({"BLPOP", "a", "0"}) + wire({"RPUSH", "a", "x"}), 4 + 18);
}

TEST_P(SlotStatsOf, ForgetsASlotThatGoes) {
  server.run({"SET", "a", "1"});
  server.run({"SET", "b", "1"});
  serve_all("a");
  for (Executor* e : server.engine().executors) e->keep_served_slots();
  expect("a", 0, 0);
  EXPECT_GT(of("b").bytes_in, 0);
  server.run({"CONFIG", "RESETSTAT"});
  expect("b", 0, 0);
}

}  // namespace
}  // namespace ringwood
