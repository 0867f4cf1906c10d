// A reply waits for the disk as long as what it shows may be lost, and no longer.
#include "engine/exec/slot_ends.h"

#include <gtest/gtest.h>

#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

TEST(SlotEnds, KnowsASlotWhenItsEffectsStandInTheLog) {
  SlotEnds ends;
  EXPECT_EQ(ends.of(5, 0), 0u);
  ends.changed(5, 30);
  EXPECT_EQ(ends.of(5, 30), SlotEnds::kLater);
  EXPECT_EQ(ends.of(6, 30), 0u);
  ends.handed_over(100, 30);
  EXPECT_EQ(ends.of(5, 0), 100u);
  EXPECT_EQ(ends.of(6, 0), 0u);
}

TEST(SlotEnds, CountsForAllSlotsWhatIsOfNone) {
  SlotEnds ends;
  ends.changed(5, 30);
  EXPECT_EQ(ends.of(6, 50), SlotEnds::kLater);
  ends.handed_over(100, 50);
  EXPECT_EQ(ends.of(6, 0), 100u);
  ends.changed(7, 10);
  ends.handed_over(110, 10);
  EXPECT_EQ(ends.of(6, 0), 100u);
  EXPECT_EQ(ends.of(7, 0), 110u);
  ends.raise(105);
  EXPECT_EQ(ends.of(6, 0), 105u);
  EXPECT_EQ(ends.of(7, 0), 110u);
  ends.forget();
  EXPECT_EQ(ends.of(7, 0), 0u);
}

class ShownOf : public testing::TestWithParam<int> {
 protected:
  ShownOf() : server(GetParam()) {
    server.propagated();
    server.log().set_durable(0);  // somebody waits for the disk: otherwise nothing is noted by slot
  }
  // The offset that a reply to this command waits for, asked by a client that has asked for nothing before.
  uint64_t of(const InProcess::Args& command) {
    const size_t i = next_++;
    server.run_as(i, command);
    Client& c = server.client(i);
    return c.known_out ? c.log_end : server.log().end();  // of what is not known the loop takes the last change
  }
  InProcess server;

 private:
  size_t next_ = 10;
};

INSTANTIATE_TEST_SUITE_P(Shards, ShownOf, testing::Values(1, 3));

TEST_P(ShownOf, AReadIsBoundByTheChangesOfItsSlotAlone) {
  server.run({"SET", "a", "1"});
  const uint64_t a = server.log().end();
  server.run({"SET", "b", "1"});
  const uint64_t b = server.log().end();
  for (int i = 0; i < 20; i++) server.run({"SET", "other" + std::to_string(i), "1"});
  EXPECT_EQ(of({"GET", "a"}), a);
  EXPECT_EQ(of({"STRLEN", "b"}), b);
  EXPECT_EQ(of({"GET", "never written"}), 0u);
  server.run({"APPEND", "a", "2"});
  EXPECT_EQ(of({"GET", "a"}), server.log().end());
}

TEST_P(ShownOf, WhatChangesMoreBindsEveryRead) {
  for (const InProcess::Args& command :
       std::vector<InProcess::Args>{{"MSET", "a", "1", "b", "1", "c", "1"}, {"RENAME", "a", "d"}, {"FLUSHALL"}}) {
    server.run(command);
    const uint64_t end = server.log().end();
    EXPECT_EQ(of({"GET", "a"}), end) << command[0];
    server.run({"SET", "unrelated", "1"});
    EXPECT_EQ(of({"GET", "b"}), end) << command[0];
  }
  server.run({"MULTI"});
  server.run({"SET", "x", "1"});
  server.run({"EXEC"});
  EXPECT_EQ(of({"GET", "x"}), server.log().end());
  server.run({"SET", "short", "1", "PX", "5"});
  server.advance_ms(50);
  EXPECT_EQ(of({"GET", "short"}), server.log().end());
}

TEST_P(ShownOf, WhatHasChangedWhileNobodyWaitedForTheDiskBindsEveryReadAfterwards) {
  server.run({"SET", "a", "1"});
  server.log().set_durable(Executor::kAllDurable);
  server.run({"SET", "a", "2"});
  const uint64_t end = server.log().end();
  server.log().set_durable(0);
  EXPECT_EQ(of({"GET", "a"}), end);
}

TEST_P(ShownOf, AReadBehindAWriteOfItsPipelineWaitsForIt) {
  server.send(5, {"SET", "a", "1"});
  server.send(5, {"GET", "b"});
  server.receive(5);
  const uint64_t known = server.client(5).known_out ? server.client(5).log_end : server.log().end();
  EXPECT_EQ(known, server.log().end());
}

}  // namespace
}  // namespace ringwood
