#include "persist/commit_gathering.h"

#include <gtest/gtest.h>

namespace ringwood {
namespace {

TEST(CommitGathering, AmongReadsACommitWaitsForHalfAMillisecond) {
  CommitGathering g;
  g.begun(1000, 0);
  EXPECT_TRUE(g.waits(1050, 20, 60));
  EXPECT_TRUE(g.waits(1400, 100, 600));
  EXPECT_FALSE(g.waits(1500, 120, 660));
}

TEST(CommitGathering, WhereMostIsWritingItDoesNot) {
  CommitGathering g;
  g.begun(1000, 0);
  EXPECT_FALSE(g.waits(1050, 20, 20 * 30));
}

TEST(CommitGathering, ItEndsWhenThereIsNothingElseToDo) {
  CommitGathering g;
  g.begun(1000, 0);
  EXPECT_TRUE(g.waits(1050, 20, 60));
  EXPECT_TRUE(g.waits(1050, 20, 60));  // the same turn
  EXPECT_FALSE(g.waits(1060, 20, 60));
  g.begun(1060, 20);
  EXPECT_TRUE(g.waits(1080, 40, 60));
  EXPECT_TRUE(g.waits(1080, 40, 60));
  EXPECT_TRUE(g.waits(1100, 50, 60));  // something came
}

TEST(CommitGathering, AClockThatIsSetBackDelaysNothing) {
  CommitGathering g;
  g.begun(1000000, 0);
  EXPECT_FALSE(g.waits(50, 20, 60));
}

}  // namespace
}  // namespace ringwood
