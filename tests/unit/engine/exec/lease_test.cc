#include "engine/exec/lease.h"

#include <gtest/gtest.h>

#include "engine/exec/executor.h"
#include "tests/support/seed.h"
#include "tests/unit/engine/exec/rig.h"

namespace ringwood {
namespace {

using rig::bulk;
using rig::Rig;
using rig::TestClient;

struct LoggingJob final : LeaseJob {
  std::string name;
  std::vector<std::string>* log = nullptr;
  int ran = 0, ended = 0;
  void run(Executor& home) override {
    for (size_t i = 0; i < home.engine().executors.size(); i++) EXPECT_TRUE(home.engine().executors[i]->leased_out()) << i;
    ran++;
    log->push_back(name);
  }
  void finished(Executor&) override { ended++; }
};

TEST(Lease, GivesAShardFirstComeFirstServed) {
  Rig r(3);
  std::vector<std::string> log;
  std::vector<LoggingJob> jobs(9);
  for (size_t i = 0; i < jobs.size(); i++) {
    jobs[i].name = std::to_string(i);
    jobs[i].log = &log;
    r.executor(i % 3).with_all_shards(&jobs[i]);
    // The wish reaches shard 0, the first of all, before the next one is uttered.
    r.executor(i % 3).post_mail([](int) {});
    if (i % 3) r.executor(0).take_mail();
  }
  r.settle();
  EXPECT_EQ(log, (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8"}));
  for (const LoggingJob& j : jobs) {
    EXPECT_EQ(j.ran, 1);
    EXPECT_EQ(j.ended, 1);
  }
}

TEST(Lease, OfAnIdleThreadKeepsItAwakeUntilTheJobHasBegun) {
  for (int shards : {1, 2}) {
    Rig r(shards);
    std::vector<std::string> log;
    LoggingJob job;
    job.log = &log;
    job.name = "job";
    r.executor(0).with_all_shards(&job);
    EXPECT_FALSE(r.executor(0).may_sleep());
    r.settle();
    EXPECT_EQ(log.size(), 1u);
    EXPECT_TRUE(r.executor(0).may_sleep());
  }
}

// As long as others always want the shard, its own thread's clients still get a turn between two of them.
TEST(Lease, DoesNotStarveTheClientsOfTheThreadThatLends) {
  Rig r(2);
  TestClient& own = r.client(0);
  std::vector<TestClient*> borrowers;
  for (int i = 0; i < 4; i++) borrowers.push_back(&r.client(1));
  int turns_without = 0, worst = 0;
  for (int turn = 0; turn < 400; turn++) {
    for (TestClient* b : borrowers)
      while (b->requests.size() < 2) b->requests.push_back({"several", r.key_on(0), r.key_on(1), "x"});
    if (own.requests.empty()) own.requests.push_back({"here", "mine"});
    size_t before = own.received.size();
    r.turn(1);
    r.turn(0, 1);
    turns_without = own.received.size() > before ? 0 : turns_without + 1;
    worst = std::max(worst, turns_without);
  }
  for (TestClient* b : borrowers) b->requests.clear();
  r.settle();  // what is under way ends: a lease belongs to whoever began it
  EXPECT_LT(worst, 10);
  EXPECT_GT(own.received.size(), 40 * bulk("mine").size());
  EXPECT_GT(borrowers[0]->received.size(), 10u);
}

// What other threads send to a thread whose shard is lent waits: commands, tasks and the ends of tasks.
// As who applies a master's stream, or drops the keys of slots that have gone.
struct LongWork final : LeaseJob {
  int ran = 0;
  void run(Executor&) override { ran++; }
  void finished(Executor& home) override {
    if (ran < 100) home.with_all_shards(this);
  }
};

TEST(Lease, OfAJobThatBeginsAnewAtOnceLeavesTheClientsTheirTurns) {
  for (int shards : {1, 2}) {
    Rig r(shards);
    LongWork job;
    r.executor(0).with_all_shards(&job);
    TestClient& own = r.client(0);
    for (int turn = 0, before = 0; job.ran < 100 && turn < 1000; turn++, before = job.ran) {
      if (own.requests.empty()) own.requests.push_back({"here", "mine"});
      for (int i = 0; i < shards; i++) r.turn(static_cast<size_t>(i));
      EXPECT_LE(job.ran - before, 2) << "once before the requests, and once behind them";
    }
    EXPECT_EQ(job.ran, 100);
    EXPECT_GE(own.received.size(), 5u);
  }
}

TEST(Lease, DefersWorkOnTheShardThatIsLent) {
  Rig r(2);
  TestClient& borrower = r.client(1);
  TestClient& reader = r.client(1);
  borrower.requests = {{"several", r.key_on(0), r.key_on(1), "lease"}};
  r.turn(1);
  r.turn(0);  // lends
  ASSERT_TRUE(r.executor(0).leased_out());
  reader.requests = {{"one", r.key_on(0), "one"}};
  struct Note : Task {
    std::vector<std::string>* log = nullptr;
  } there, back;
  there.run = back.run = [](Task&, Executor&) {};
  there.done = back.done = [](Task&, Executor&) {};
  there.log = back.log = &r.log;
  there.run = [](Task& t, Executor& e) {
    EXPECT_FALSE(e.leased_out());
    static_cast<Note&>(t).log->push_back("task");
  };
  r.executor(1).send_task(0, &there);
  r.executor(1).post_mail([](int) {});
  back.done = [](Task& t, Executor& e) {
    EXPECT_FALSE(e.leased_out());
    static_cast<Note&>(t).log->push_back("done");
  };
  r.executor(0).send_task(1, &back);
  r.turn(0);
  EXPECT_TRUE(r.log.empty());
  EXPECT_TRUE(r.executor(0).may_sleep());  // it can do nothing but wait for the return
  r.executor(0).awake();
  r.settle();
  EXPECT_EQ(r.log.size(), 4u);
  EXPECT_EQ(borrower.received + reader.received, bulk("lease") + bulk("one"));
}

TEST(Lease, NeverDeadlocksUnderRandomTurns) {
  Seeded random;
  for (int round = 0; round < 30; round++) {
    int shards = 2 + static_cast<int>(random.below(4));
    Rig r(shards);
    std::vector<TestClient*> clients;
    for (size_t i = 0; i < 12; i++) {
      TestClient& c = r.client(random.below(r.threads()));
      clients.push_back(&c);
      for (int n = 0; n < 30; n++) {
        if (random.chance(10))
          c.requests.push_back({"all", "x"});
        else if (random.chance(70))
          c.requests.push_back({"several", r.key_on(random.below(r.threads())), r.key_on(random.below(r.threads()), 1), "x"});
        else
          c.requests.push_back({"one", r.key_on(random.below(r.threads())), "x"});
      }
    }
    // One thread may be slow: the others must not hang on more than its next turn.
    for (int i = 0; i < 500; i++) r.turn(random.below(r.threads()), 1 + random.below(5));
    r.settle();
    for (TestClient* c : clients) {
      ASSERT_TRUE(c->requests.empty()) << "round " << round;
      ASSERT_EQ(c->received.size(), 30 * bulk("x").size());
    }
    for (size_t t = 0; t < r.threads(); t++) EXPECT_FALSE(r.executor(t).leased_out());
  }
}

}  // namespace
}  // namespace ringwood
