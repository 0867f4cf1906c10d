#include "engine/exec/eviction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/memory.h"
#include "engine/exec/mutation_log.h"
#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

const std::string kOom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

std::string field(const std::string& info, const std::string& name) {
  size_t at = info.find("\r\n" + name + ":");
  if (at == std::string::npos) return "none";
  at += name.size() + 3;
  return info.substr(at, info.find("\r\n", at) - at);
}

// A server in whose maxmemory there is room for some 100 KiB more than it uses. The parameter is the number of shards.
class Evicting : public testing::TestWithParam<int> {
 protected:
  static constexpr size_t kRoom = 100 * 1024;
  Evicting() : s(GetParam()) {}
  void limit(const std::string& policy) {
    s.run({"CONFIG", "SET", "maxmemory-policy", policy});
    for (int i = 0; i < 50; i++) s.run({"SET", "first" + std::to_string(i), "x"});  // the tables of every shard are made
    for (int i = 0; i < 50; i++) s.run({"DEL", "first" + std::to_string(i)});
    s.run({"SET", "first", "x"});
    limit_ = memory::used() + kRoom;
    ASSERT_EQ(s.run({"CONFIG", "SET", "maxmemory", std::to_string(limit_)}), "+OK\r\n");
  }
  int64_t evicted() { return std::stoll(field(s.run({"INFO", "stats"}), "evicted_keys")); }
  int64_t keys() { return std::stoll(s.run({"DBSIZE"}).substr(1)); }
  bool has(const std::string& key) { return s.run({"EXISTS", key}) == ":1\r\n"; }
  std::string value = std::string(200, 'v');
  size_t limit_ = 0;
  InProcess s;
};

TEST_P(Evicting, TheLimitIsKeptUnderEveryPolicyThatMayTakeAnyKey) {
  for (const char* policy : {"allkeys-lru", "allkeys-lfu", "allkeys-random"}) {
    limit(policy);
    int64_t before = evicted();
    for (int i = 0; i < 3000; i++) ASSERT_EQ(s.run({"SET", policy + std::to_string(i), value}), "+OK\r\n");
    EXPECT_LE(memory::used(), limit_ + 4096) << policy;
    EXPECT_GT(evicted(), before + 1000) << policy;
    EXPECT_GT(keys(), 200) << policy;
    s.run({"CONFIG", "SET", "maxmemory", "0"});
    s.run({"FLUSHALL"});
  }
}

TEST_P(Evicting, VolatilePoliciesTakeVolatileKeysAlone) {
  for (const char* policy : {"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"}) {
    limit(policy);
    for (int i = 0; i < 50; i++) s.run({"SET", "keep" + std::to_string(i), value});
    for (int i = 0; i < 1000; i++) ASSERT_EQ(s.run({"SET", "go" + std::to_string(i), value, "EX", "10000"}), "+OK\r\n") << policy;
    EXPECT_LE(memory::used(), limit_ + 4096) << policy;
    for (int i = 0; i < 50; i++) EXPECT_TRUE(has("keep" + std::to_string(i))) << policy;
    // Without any left nothing more is taken in.
    std::string reply = "+OK\r\n";
    for (int i = 0; i < 3000 && reply == "+OK\r\n"; i++) reply = s.run({"SET", "more" + std::to_string(i), value});
    EXPECT_EQ(reply, kOom) << policy;
    EXPECT_FALSE(has("go999")) << policy;
    s.run({"CONFIG", "SET", "maxmemory", "0"});
    s.run({"FLUSHALL"});
  }
}

TEST_P(Evicting, FewVolatileKeysAmongManyAreFound) {
  for (const char* policy : {"volatile-lru", "volatile-random", "volatile-ttl"}) {
    for (int i = 0; i < 20000; i++) s.run({"SET", "keep" + std::to_string(i), "x"});
    for (int i = 0; i < 20; i++) s.run({"SET", "go" + std::to_string(i), value, "EX", "10000"});
    limit(policy);
    std::string reply = "+OK\r\n";
    for (int i = 0; i < 3000 && reply == "+OK\r\n"; i++) reply = s.run({"SET", "more" + std::to_string(i), value});
    EXPECT_EQ(reply, kOom) << policy;
    for (int i = 0; i < 20; i++) EXPECT_FALSE(has("go" + std::to_string(i))) << policy;
    EXPECT_TRUE(has("keep19999"));
    s.run({"CONFIG", "SET", "maxmemory", "0"});
    s.run({"FLUSHALL"});
  }
}

TEST_P(Evicting, WithoutEvictionWhatNeedsMemoryIsRefusedAndTheRestRuns) {
  limit("noeviction");
  std::string reply = "+OK\r\n";
  int n = 0;
  for (; n < 3000 && reply == "+OK\r\n"; n++) reply = s.run({"SET", "k" + std::to_string(n), value});
  EXPECT_EQ(reply, kOom);
  EXPECT_EQ(s.run({"GET", "first"}), "$1\r\nx\r\n");
  EXPECT_EQ(s.run({"MULTI"}), "+OK\r\n");
  s.run_as(1, {"CONFIG", "SET", "maxmemory", std::to_string(limit_ - kRoom)});
  EXPECT_EQ(s.run({"GET", "first"}), kOom);  // a queue needs memory, whatever is in it
  EXPECT_EQ(s.run({"EXEC"}), "-EXECABORT Transaction discarded because of previous errors.\r\n");
  s.run({"CONFIG", "SET", "maxmemory", std::to_string(limit_)});
  EXPECT_NE(field(s.run({"INFO", "stats"}), "current_eviction_exceeded_time"), "none");
  for (int i = 0; i < 200; i++) EXPECT_EQ(s.run({"DEL", "k" + std::to_string(i)}), ":1\r\n");
  EXPECT_EQ(s.run({"SET", "again", "x"}), "+OK\r\n");
  EXPECT_EQ(evicted(), 0);
}

TEST_P(Evicting, ExecIsRefusedWhenItsQueueNeedsMemoryThatHasGone) {
  limit("noeviction");
  s.run_as(1, {"MULTI"});
  EXPECT_EQ(s.run_as(1, {"SET", "in", "x"}), "+QUEUED\r\n");
  s.run({"SET", "large", std::string(50'000, 'v')});
  s.run({"CONFIG", "SET", "maxmemory", std::to_string(limit_ - kRoom)});
  EXPECT_EQ(s.run_as(1, {"EXEC"}),
            "-EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.\r\n");
  EXPECT_FALSE(has("in"));
  s.run_as(1, {"MULTI"});  // one that only reads runs
  EXPECT_EQ(s.run_as(1, {"DISCARD"}), "+OK\r\n");
}

TEST_P(Evicting, TheLeastRecentlyUsedGoFirst) {
  limit("allkeys-lru");
  s.run({"CONFIG", "SET", "maxmemory-samples", "10"});
  for (int i = 0; i < 150; i++) s.run({"SET", "old" + std::to_string(i), value});
  s.advance_ms(60'000);
  for (int i = 0; i < 75; i++) s.run({"GET", "old" + std::to_string(i)});
  s.advance_ms(60'000);
  const int64_t before = evicted();
  int n = 0;
  for (; n < 3000 && evicted() < before + 60; n++) s.run({"SET", "new" + std::to_string(n), value});
  int used_left = 0, unused_left = 0, new_left = 0;
  for (int i = 0; i < 150; i++) (i < 75 ? used_left : unused_left) += has("old" + std::to_string(i));
  for (int i = 0; i < n; i++) new_left += has("new" + std::to_string(i));
  // Each shard chooses among its own keys, and of so few one may have a third more than another that were used.
  EXPECT_GE(used_left, GetParam() == 1 ? 65 : 50);
  EXPECT_LE(unused_left, GetParam() == 1 ? 30 : 45);
  EXPECT_GE(new_left, n - 2);
}

TEST_P(Evicting, EveryShardLosesItsPart) {
  limit("allkeys-random");
  std::vector<size_t> keys(static_cast<size_t>(GetParam()));  // summed over many moments: chance moves the sizes of each
  for (int i = 0; i < 6000; i++) {
    s.run_as(static_cast<size_t>(i % GetParam()), {"SET", "k" + std::to_string(i), value});
    if (i < 1000 || i % 50) continue;
    for (size_t n = 0; n < keys.size(); n++) keys[n] += s.engine().shards[n]->database(0).size();
  }
  const auto [least, most] = std::minmax_element(keys.begin(), keys.end());
  EXPECT_LE(*most, *least * 3 / 2);
}

TEST_P(Evicting, WhatExpiresSoonestGoesFirstUnderVolatileTtl) {
  limit("volatile-ttl");
  for (int i = 0; i < 200; i++) s.run({"SET", "k" + std::to_string(i), value, "EX", std::to_string(10'000 + 100 * i)});
  int64_t before = evicted();
  for (int n = 0; n < 3000 && evicted() < before + 100; n++) s.run({"SET", "later" + std::to_string(n), value, "EX", "1000000"});
  int soon = 0, late = 0;
  for (int i = 0; i < 200; i++) (i < 100 ? soon : late) += has("k" + std::to_string(i));
  EXPECT_LE(soon, GetParam() == 1 ? 15 : 30);
  EXPECT_GE(late, GetParam() == 1 ? 85 : 70);
}

TEST_P(Evicting, ALimitBelowWhatIsUsedEmptiesTheServerAndThenRefuses) {
  s.run({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  for (int i = 0; i < 3000; i++) s.run({"SET", "k" + std::to_string(i), value});
  s.run({"CONFIG", "SET", "maxmemory", "1"});
  s.settle();
  EXPECT_EQ(keys(), 0);
  EXPECT_EQ(evicted(), 3000);
  EXPECT_EQ(s.run({"SET", "k", "v"}), kOom);
  s.run({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(s.run({"SET", "k", "v"}), "+OK\r\n");
}

// The states of the engine are bits of one word, and must not be one another's.
TEST_P(Evicting, ALimitDoesNotKeepKeysFromExpiring) {
  s.run({"CONFIG", "SET", "maxmemory", "1gb"});
  s.run({"SET", "k", "v", "PX", "100"});
  s.advance_ms(200);
  EXPECT_EQ(keys(), 0);
}

TEST_P(Evicting, EvictionsAreAnnounced) {
  s.run({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "notify-keyspace-events", "Ee"});
  s.run({"SET", "k", "v"});
  s.run_as(1, {"SUBSCRIBE", "__keyevent@0__:evicted"});
  s.run({"CONFIG", "SET", "maxmemory", "1"});
  s.settle();
  EXPECT_EQ(s.receive(1), "*3\r\n$7\r\nmessage\r\n$22\r\n__keyevent@0__:evicted\r\n$1\r\nk\r\n");
  EXPECT_EQ(s.run({"EXISTS", "k"}), ":0\r\n");
}

INSTANTIATE_TEST_SUITE_P(Shards, Evicting, testing::Values(1, 3));

// The log's segments come and go on another thread, in bursts: who adds up what is used and takes off what does not count must not see some of
// them in the one sum alone.
TEST(MemoryNow, IsOfOneMomentWhileAnotherThreadAllocatesAndFrees) {
  InProcess s(1);
  const Engine& engine = s.engine();
  MutationLog& log = *engine.mutations;
  LogReader slow;
  ASSERT_TRUE(log.attach_at_end(slow, true));
  const std::string piece(MutationLog::kSegmentBytes / 2, 'p');
  log.append(0, {piece, 0, 0});
  const int64_t before = memory_now(engine).counted();
  std::atomic<bool> ended{false};
  std::thread other([&] {
    for (int round = 0; round < 300; round++) {
      for (int i = 0; i < 30; i++) log.append(0, {piece, 0, 0});
      for (Bytes read; !(read = slow.peek()).empty();) slow.advance(read.size());
    }
    ended = true;
  });
  int64_t most = INT64_MIN;
  while (!ended) most = std::max(most, memory_now(engine).counted());
  other.join();
  EXPECT_LT(most, before + static_cast<int64_t>(MutationLog::kSegmentBytes / 2));
  log.detach(slow);
}

}  // namespace
}  // namespace ringwood
