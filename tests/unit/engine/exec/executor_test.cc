#include "engine/exec/executor.h"

#include <gtest/gtest.h>

#include "engine/base/memory.h"
#include "tests/harness/in_process.h"
#include "tests/support/seed.h"
#include "tests/unit/engine/exec/rig.h"

namespace ringwood {
namespace {

using rig::Args;
using rig::bulk;
using rig::Rig;
using rig::TestClient;

// A random request whose reply is known beforehand.
Args random_request(Seeded& random, Rig& r, const std::string& text, std::string& expected) {
  expected = bulk(text);
  size_t shards = r.threads();
  std::string key = r.key_on(random.below(shards), static_cast<int>(random.below(3)));
  switch (random.below(12)) {
    case 0: return {"HERE", text};
    case 1: return {"all", text};
    case 2: return {"At", std::to_string(random.below(shards)), text};
    case 3: return {"wait", text};
    case 4: return {"waitall", text};
    case 5: expected = "-ERR " + text + "\r\n"; return {"fail", text};
    case 6: expected = "-ERR unknown command 'nothing', with args beginning with: '" + text + "' \r\n"; return {"nothing", text};
    case 7: expected = "-ERR wrong number of arguments for 'several' command\r\n"; return {"several", key, text};
    case 8:
    case 9: return {"several", key, r.key_on(random.below(shards), 7), text};
    default: return {"one", key, text};
  }
}

TEST(Executor, KeepsEachClientsRepliesInOrderWhateverTheInterleavingOfTurns) {
  Seeded random;
  for (int shards : {1, 2, 3, 4})
    for (int round = 0; round < 12; round++) {
      Rig r(shards);
      std::vector<TestClient*> clients;
      std::vector<std::string> expected(6);
      for (size_t i = 0; i < expected.size(); i++) {
        TestClient& c = r.client(i % r.threads());
        clients.push_back(&c);
        for (int n = 0; n < 60; n++) {
          std::string reply;
          c.requests.push_back(random_request(random, r, std::to_string(i) + ":" + std::to_string(n), reply));
          expected[i] += reply;
        }
      }
      for (int steps = 0; steps < 2000; steps++) {
        size_t thread = random.below(r.threads());
        r.turn(thread, 1 + random.below(20));
        if (size_t n = r.waiting(thread); n && random.chance(50)) r.wake(thread, random.below(n));
      }
      for (bool woken = true; woken;) {
        r.settle();
        woken = false;
        for (size_t t = 0; t < r.threads(); t++)
          while (r.wake(t)) woken = true;
      }
      for (size_t i = 0; i < expected.size(); i++) {
        EXPECT_EQ(clients[i]->received, expected[i]) << shards << " shards, round " << round << ", client " << i;
        EXPECT_FALSE(clients[i]->slots_open());
        EXPECT_FALSE(clients[i]->waiting);
        EXPECT_EQ(clients[i]->parked, nullptr);
      }
    }
}

TEST(Executor, RunsOneConnectionsCommandsForOneShardInOrder) {
  Rig r(3);
  TestClient& c = r.client(0);
  std::string key = r.key_on(2), expected, value;
  for (char ch = 'a'; ch <= 'z'; ch++) {
    c.requests.push_back({"append", key, std::string(1, ch)});
    expected += bulk(value += ch);
  }
  r.settle();
  EXPECT_EQ(c.received, expected);
}

TEST(Executor, RunsWhatConcernsSeveralShardsAfterAllThatCameBefore) {
  Rig r(3);
  TestClient& c = r.client(0);
  c.requests = {
      {"one", r.key_on(2), "1"}, {"one", r.key_on(1), "2"}, {"several", r.key_on(0), r.key_on(2), "3"}, {"one", r.key_on(0), "4"}};
  r.settle();
  ASSERT_EQ(r.log.size(), 4u);
  EXPECT_EQ(r.log[2], "3");
  EXPECT_EQ(r.log[3], "4");
  EXPECT_EQ(c.received, bulk("1") + bulk("2") + bulk("3") + bulk("4"));
}

TEST(Executor, ParsesNothingBehindACommandThatWaits) {
  Rig r(1);
  TestClient& c = r.client(0);
  c.requests = {{"wait", "w"}, {"here", "behind"}};
  r.settle();
  EXPECT_EQ(c.requests.size(), 1u);
  EXPECT_TRUE(c.waiting);
  EXPECT_EQ(c.received, "");
  EXPECT_TRUE(r.wake(0));
  r.settle();
  EXPECT_EQ(c.received, bulk("w") + bulk("behind"));
}

TEST(Executor, SendsARouteThatTheCommandCannotNameToItself) {
  Rig r(2, rig::commands());
  TestClient& c = r.client(1);
  c.requests = {{"at", "1", "x"}};
  r.settle();
  EXPECT_EQ(c.received, bulk("x"));
}

TEST(Executor, FindsTheShardOfAnEmptyKey) {
  for (size_t home : {0u, 1u}) {
    Rig r(2);
    TestClient& c = r.client(home);
    EXPECT_EQ(r.run(c, {"one", "", "x"}), bulk("x"));  // the command itself checks where it runs
  }
}

TEST(Executor, ServesNoMoreOfAClientThatIsLeaving) {
  for (int shards : {1, 2}) {
    Rig r(shards);
    TestClient& c = r.client(0);
    TestClient& other = r.client(0);
    c.requests = {{"here", "a"}, {"quit"}, {"here", "b"}, {"one", r.key_on(static_cast<size_t>(shards - 1)), "c"}, {"all", "d"}};
    other.requests = {{"here", "e"}};
    r.settle();
    EXPECT_EQ(c.received, bulk("a") + "+OK\r\n");
    EXPECT_EQ(r.log, (std::vector<std::string>{"a", "e"}));
    EXPECT_FALSE(c.slots_open());
  }
}

TEST(Executor, TellsWhenTheLastReplyOfAClosingClientHasCome) {
  Rig r(2);
  TestClient& c = r.client(0);
  c.requests = {{"one", r.key_on(1), "1"}, {"one", r.key_on(1), "2"}};
  r.turn(0);
  ASSERT_TRUE(c.slots_open());
  c.closing = true;
  EXPECT_TRUE(r.resumed.empty());
  r.settle();
  EXPECT_FALSE(c.slots_open());
  ASSERT_EQ(r.resumed.size(), 1u);
  EXPECT_EQ(r.resumed[0], &c);
}

TEST(Executor, FinishesTheParkedLeaseOfAClosingClientBeforeItLetsGo) {
  Rig r(3);
  TestClient& c = r.client(0);
  c.requests = {{"one", r.key_on(1), "1"}, {"several", r.key_on(1), r.key_on(2), "2"}};
  r.turn(0);
  ASSERT_NE(c.parked, nullptr);
  c.closing = true;
  r.turn(1);
  EXPECT_TRUE(c.slots_open());
  r.settle();
  EXPECT_EQ(r.log, (std::vector<std::string>{"1", "2"}));
  EXPECT_FALSE(c.slots_open());
  ASSERT_FALSE(r.resumed.empty());
}

TEST(Executor, CarriesTheDatabaseAndTheProtocolToTheOtherShard) {
  InProcess server(2);
  for (size_t client : {0u, 1u}) {
    for (int key = 0; key < 8; key++) {
      std::string k = "k" + std::to_string(key) + "c" + std::to_string(client);
      server.client(client).database = 3;
      EXPECT_EQ(server.run_as(client, {"SET", k, "three"}), "+OK\r\n");
      server.client(client).database = 0;
      EXPECT_EQ(server.run_as(client, {"GET", k}), "$-1\r\n");
      server.client(client).resp = 3;
      EXPECT_EQ(server.run_as(client, {"GET", k}), "_\r\n");
      server.client(client).resp = 2;
    }
  }
  EXPECT_EQ(server.run({"DBSIZE"}), ":0\r\n");
  server.client(0).database = 3;
  EXPECT_EQ(server.run({"DBSIZE"}), ":16\r\n");
}

// CLIENT NO-TOUCH: also where the key lies on another shard.
TEST(Executor, LeavesAccessTimesAloneForAClientThatAsksForIt) {
  for (int shards : {1, 2}) {
    InProcess server(shards);
    for (int key = 0; key < 6; key++) {
      std::string k = "k" + std::to_string(key);
      server.run({"SET", k, "v"});
      server.advance_ms(5000);
      server.client(0).no_touch = true;
      server.run({"GET", k});
      EXPECT_EQ(server.run({"OBJECT", "IDLETIME", k}), ":5\r\n") << k;
      server.client(0).no_touch = false;
      server.run({"GET", k});
      EXPECT_EQ(server.run({"OBJECT", "IDLETIME", k}), ":0\r\n") << k;
    }
  }
}

TEST(Executor, RefusesInRedissOrder) {
  Rig r(2);
  TestClient& c = r.client(0);
  c.become(std::make_shared<AclUser>("somebody", AclRules{}), false);
  EXPECT_EQ(r.run(c, {"here"}), "-ERR wrong number of arguments for 'here' command\r\n");
  EXPECT_EQ(r.run(c, {"here", "x"}), "-NOAUTH Authentication required.\r\n");
  c.user = nullptr;
  c.gate = c.rights = TestClient().gate;
  r.bare().engine().state = kStateLoading;
  EXPECT_EQ(r.run(c, {"one", r.key_on(1), "x"}), "-LOADING Redis is loading the dataset in memory\r\n");
  r.bare().engine().state = 0;
  EXPECT_EQ(r.run(c, {"one", r.key_on(1), "x"}), bulk("x"));
}

TEST(Executor, CountsCallsAndFailures) {
  Rig r(2);
  TestClient& c = r.client(0);
  c.requests = {{"one", r.key_on(0), "a"}, {"one", r.key_on(1), "b"}, {"fail", "x"}, {"one", "too few"}};
  r.settle();
  const Command* one = r.bare().engine().commands->find(Bytes("one"));
  const Command* fail = r.bare().engine().commands->find(Bytes("fail"));
  EXPECT_EQ(r.executor(0).command_stats()[one->id].calls.get(), 1);
  EXPECT_EQ(r.executor(1).command_stats()[one->id].calls.get(), 1);
  EXPECT_EQ(r.executor(0).command_stats()[one->id].rejected.get(), 1);
  EXPECT_EQ(r.executor(0).command_stats()[fail->id].failed.get(), 1);
  EXPECT_EQ(r.bare().shard(0).stats.total_error_replies.get(), 2);
  EXPECT_EQ(r.bare().shard(0).stats.remote_commands.get(), 1);
  EXPECT_EQ(c.last_command, one);
}

// The real commands give the same replies with any number of shards.
TEST(Executor, AnswersTheSameWithEveryNumberOfShards) {
  Seeded random;
  std::vector<Args> requests;
  auto key = [&random] { return "k" + std::to_string(random.below(12)); };
  auto number = [&random] { return std::to_string(random.below(50)); };
  for (int i = 0; i < 1500; i++) {
    switch (random.below(14)) {
      case 0: requests.push_back({"SET", key(), number()}); break;
      case 1: requests.push_back({"GET", key()}); break;
      case 2: requests.push_back({"MSET", key(), number(), key(), number(), key(), number()}); break;
      case 3: requests.push_back({"MGET", key(), key(), key()}); break;
      case 4: requests.push_back({"INCR", key()}); break;
      case 5: requests.push_back({"DEL", key(), key()}); break;
      case 6: requests.push_back({"RPUSH", "l" + key(), number()}); break;
      case 7: requests.push_back({"LMOVE", "l" + key(), "l" + key(), "LEFT", "RIGHT"}); break;
      case 8: requests.push_back({"LRANGE", "l" + key(), "0", "-1"}); break;
      case 9: requests.push_back({"SADD", "s" + key(), number()}); break;
      case 10: requests.push_back({"SMOVE", "s" + key(), "s" + key(), number()}); break;
      case 11: requests.push_back({"RENAME", key(), key()}); break;
      case 12: requests.push_back({"DBSIZE"}); break;
      default: requests.push_back({"SCARD", "s" + key()}); break;
    }
  }
  std::string first;
  for (int shards : {1, 2, 3, 4}) {
    InProcess server(shards);
    std::string got;
    for (const Args& request : requests) got += server.run(request);
    if (shards == 1) first = got;
    EXPECT_EQ(got, first) << shards << " shards";
  }
}

struct CountingTask : Task {
  int ran_on = -1, done_on = -1;
  std::vector<std::string>* log = nullptr;
};

TEST(Executor, RunsATaskThereAndItsEndAtHome) {
  Rig r(3);
  std::vector<std::unique_ptr<CountingTask>> tasks;
  for (int from = 0; from < 3; from++)
    for (int to = 0; to < 3; to++) {
      tasks.push_back(std::make_unique<CountingTask>());
      tasks.back()->run = [](Task& t, Executor& there) { static_cast<CountingTask&>(t).ran_on = there.self(); };
      tasks.back()->done = [](Task& t, Executor& home) { static_cast<CountingTask&>(t).done_on = home.self(); };
      r.executor(static_cast<size_t>(from)).send_task(to, tasks.back().get());
    }
  EXPECT_FALSE(r.executor(0).may_sleep());
  r.settle();
  for (int i = 0; i < 9; i++) {
    EXPECT_EQ(tasks[static_cast<size_t>(i)]->ran_on, i % 3);
    EXPECT_EQ(tasks[static_cast<size_t>(i)]->done_on, i / 3);
  }
}

// A thread that has been behind gets all at once what others have sent it meanwhile. What is measured besides is at most what idle batches and clients keep.
TEST(Executor, KeepsNoRoomForALargeBatchOfAnotherThread) {
  Rig rig(2);
  TestClient& c = rig.client(0);
  const Args request{"one", rig.key_on(1), "x"};
  const auto run = [&](size_t n) {
    for (size_t i = 0; i < n; i++) c.requests.push_back(request);
    rig.settle();
    EXPECT_EQ(n * bulk("x").size(), c.received.size());
    c.received = std::string();
    std::vector<std::string>().swap(rig.log);
  };
  run(1000);
  const size_t before = memory::used();
  run(50'000);
  EXPECT_LT(memory::used(), before + (3 << 20));
}

// Batches that wait to be used again are used memory, which the evictions and whoever asks INFO go by.
TEST(Executor, KeepsOneModestBatchForEachOtherThread) {
  Rig rig(2);
  TestClient& c = rig.client(0);
  const size_t turns = 10, requests = 200;
  for (size_t i = 0; i < turns * requests; i++) c.requests.push_back({"one", rig.key_on(1), std::string(150, 'x')});
  for (size_t i = 0; i < turns; i++) rig.turn(0, requests);  // the other thread is behind
  rig.settle();
  EXPECT_TRUE(c.requests.empty());
  const Counter& kept = rig.bare().shard(0).stats.batch_bytes;
  EXPECT_GT(kept.get(), 0);
  EXPECT_LT(kept.get(), 150'000);
}

}  // namespace
}  // namespace ringwood
