#include "cluster/planned_failover.h"

#include <gtest/gtest.h>

#include <vector>

namespace ringwood {
namespace {

using Replica = PlannedFailover::Replica;
using State = PlannedFailover::State;
using Verdict = PlannedFailover::Verdict;

const std::vector<Replica> kTwo{{"10.0.0.1", 1, true, 90}, {"host", 2, true, 100}};

FailoverWish to(const char* host, int64_t port, int64_t timeout_ms = 0, bool force = false) {
  return {true, host, port, timeout_ms, force};
}

TEST(PlannedFailover, SaysWhyItCannotBegin) {
  PlannedFailover f;
  std::vector<Replica> loading{{"h", 1, false, 0}};
  EXPECT_EQ(f.refusal({}, true, kTwo), "ERR FAILOVER is not valid when server is a replica.");
  EXPECT_EQ(f.refusal({}, false, {}), "ERR FAILOVER requires connected replicas.");
  EXPECT_EQ(f.refusal(to("host", 2, 0, true), false, kTwo),
            "ERR FAILOVER with force option requires both a timeout and target HOST and IP.");
  EXPECT_EQ(f.refusal({false, {}, 0, 5, true}, false, kTwo),
            "ERR FAILOVER with force option requires both a timeout and target HOST and IP.");
  EXPECT_EQ(f.refusal(to("host", 1), false, kTwo), "ERR FAILOVER target HOST and PORT is not a replica.");
  EXPECT_EQ(f.refusal(to("h", 1), false, loading), "ERR FAILOVER target replica is not online.");
  EXPECT_EQ(f.refusal(to("HOST", 2, 5, true), false, kTwo), "");
  EXPECT_EQ(f.refusal({}, false, kTwo), "");
  f.begin({}, 0);
  EXPECT_EQ(f.refusal({}, false, kTwo), "ERR FAILOVER already in progress.");
}

TEST(PlannedFailover, WaitsForItsTargetAlone) {
  PlannedFailover f;
  f.begin(to("10.0.0.1", 1), 0);
  EXPECT_STREQ(f.name(), "waiting-for-sync");
  EXPECT_EQ(f.look(1000000, 100, kTwo), Verdict::kWait);
  EXPECT_EQ(f.look(1000000, 90, kTwo), Verdict::kSynced);
  f.start();
  EXPECT_STREQ(f.name(), "failover-in-progress");
  f.end();
  EXPECT_STREQ(f.name(), "no-failover");
  EXPECT_FALSE(f.has_target());
}

TEST(PlannedFailover, TakesAnyReplicaThatHasEverything) {
  PlannedFailover f;
  f.begin({}, 0);
  EXPECT_EQ(f.look(1, 101, kTwo), Verdict::kWait);
  EXPECT_FALSE(f.has_target());
  EXPECT_EQ(f.look(1, 100, kTwo), Verdict::kSynced);
  EXPECT_EQ(f.host(), "host");
  EXPECT_EQ(f.port(), 2);
}

TEST(PlannedFailover, IsForcedOrGivenUpWhenTimeIsUp) {
  PlannedFailover f;
  f.begin(to("10.0.0.1", 1, 50), 1000);
  EXPECT_EQ(f.look(1049, 100, kTwo), Verdict::kWait);
  EXPECT_EQ(f.look(1050, 100, kTwo), Verdict::kTimedOut);
  f.end();
  f.begin(to("10.0.0.1", 1, 50, true), 1000);
  EXPECT_EQ(f.look(1050, 100, kTwo), Verdict::kForced);
  EXPECT_EQ(f.state(), State::kWaiting);
}

}  // namespace
}  // namespace ringwood
