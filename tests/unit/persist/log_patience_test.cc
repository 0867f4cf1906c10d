// Replies that wait until the system has their writes, with appendfsync everysec and no: for a while, then they leave; not when what is unwritten has become
// old; and as before when all is written.
#include "persist/log_patience.h"

#include <gtest/gtest.h>

#include "tests/unit/persist/log_rig.h"
#include "tests/unit/persist/temp_folder.h"

namespace ringwood {
namespace {

constexpr int64_t kShort = LogPatience::kPatienceUs, kLong = LogPatience::kLongestUs;

TEST(LogPatience, EndsAfterAWhileAndBeginsAgainWithTheOldest) {
  LogPatience p;
  EXPECT_FALSE(p.waits());
  EXPECT_FALSE(p.over(kLong / 2));
  p.note(100, 200, 1000);
  EXPECT_TRUE(p.waits());
  EXPECT_FALSE(p.over(1000 + kShort - 1));
  EXPECT_TRUE(p.over(1000 + kShort));
  p.note(150, 300, 1000 + kShort);  // of what stood there at first something is left
  EXPECT_TRUE(p.over(1000 + kShort));
  EXPECT_TRUE(p.over(1000 + kLong - 1));
  EXPECT_FALSE(p.over(1000 + kLong)) << "no older than that may it become";
  p.rest();
  EXPECT_FALSE(p.waits());
  EXPECT_FALSE(p.over(1000 + kShort));
}

TEST(LogPatience, CountsFromTheLastMomentAtWhichAllThatIsWrittenStoodThere) {
  LogPatience p;
  int64_t now = 5000;
  p.note(0, 10, now);
  for (uint64_t end = 10; end < 200; end += 10) {  // one piece after the other, each within the patience
    now += kShort / 3;
    p.note(end, end + 10, now);
    EXPECT_FALSE(p.over(now)) << end;
  }
  p.note(199, 300, now + 1);
  EXPECT_TRUE(p.over(now + kShort));
}

class LogPatienceOf : public testing::TestWithParam<PersistenceKind> {
 protected:
  void acknowledge(AppendFsync policy, bool expected) {
    TempFolder folder;
    FailingDisk disk;
    LogRig rig(1, LogRig::options(GetParam(), folder.path(), policy), disk);
    ASSERT_TRUE(rig.start()) << rig.lines.text;
    rig.server.run({"SET", "key", "value"});
    const uint64_t first = rig.written();
    EXPECT_LT(rig.acknowledged(), first) << "it waits";
    auto turn = [&rig] {
      rig.server.executor(0).begin_turn(rig.server.clock().unix_us());
      rig.append->turn(rig.server.executor(0), false);
    };
    rig.server.clock().advance_us(kShort - 1);
    turn();
    EXPECT_LT(rig.acknowledged(), first);
    if (policy != AppendFsync::kAlways) {
      EXPECT_GE(rig.server.executor(0).next_due_ms(), 0) << "a turn is wanted";
    }
    rig.server.clock().advance_us(1);
    turn();
    EXPECT_EQ(expected, rig.acknowledged() >= first);
    EXPECT_LE(rig.acknowledged(), first + LogPatience::kMostBytes);
    rig.server.clock().advance_us(kLong);
    rig.append->turn(rig.server.executor(0), true);
    EXPECT_LT(rig.acknowledged(), first) << "it has become old";
    rig.pump();
    rig.pass_ms(100);
    rig.pass_ms(100);
    EXPECT_EQ(rig.acknowledged(), rig.written());
    rig.server.run({"SET", "key", "another"});
    EXPECT_LT(rig.acknowledged(), rig.written()) << "the next waits as the first did";
  }
};

TEST_P(LogPatienceOf, RepliesLeaveBeforeASlowWrite) { acknowledge(AppendFsync::kEverysec, true); }
TEST_P(LogPatienceOf, WithoutAnyFsyncTheyDoAsWell) { acknowledge(AppendFsync::kNo, true); }
TEST_P(LogPatienceOf, ThoseThatWaitForTheDiskDoNot) { acknowledge(AppendFsync::kAlways, false); }

INSTANTIATE_TEST_SUITE_P(Formats, LogPatienceOf, testing::Values(PersistenceKind::kAof, PersistenceKind::kWal),
                         [](const auto& p) { return std::string(p.param == PersistenceKind::kWal ? "wal" : "aof"); });

}  // namespace
}  // namespace ringwood
