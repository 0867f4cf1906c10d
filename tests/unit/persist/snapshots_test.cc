#include "persist/snapshots.h"

#include <gtest/gtest.h>

#include "tests/unit/persist/snapshot_rig.h"

namespace ringwood {
namespace {

void fill(InProcess& server, int keys) {
  for (int i = 0; i < keys; i++) {
    std::string n = std::to_string(i);
    server.run({"SET", "s" + n, "value " + n});
    if (i % 3 == 0) server.run({"HSET", "h" + n, "f", n, "g", n});
    if (i % 4 == 0) server.run({"RPUSH", "l" + n, "a", "b", n});
    if (i % 5 == 0) server.run({"ZADD", "z" + n, n, "m", "1", "n"});
    if (i % 7 == 0) server.run({"XADD", "x" + n, "*", "f", n});
  }
}

TEST(Snapshots, HoldWhatWasThereAtTheCut) {
  for (int shards : {1, 3}) {
    SnapshotRig rig(shards);
    fill(rig.server, 200);
    OwnedBytes before = rig.digest();
    SlowSink sink(rig.snapshots);
    ASSERT_TRUE(rig.start(sink, static_cast<size_t>(shards) - 1));
    EXPECT_EQ(1, sink.cuts);
    EXPECT_TRUE(rig.snapshots.busy());
    EXPECT_LT(sink.chunks, 10);  // it waits for the sink
    EXPECT_EQ("+OK\r\n", rig.server.run({"SET", "s1", "changed"}));
    EXPECT_EQ(":1\r\n", rig.server.run({"DEL", "s2"}));
    EXPECT_EQ("+OK\r\n", rig.server.run({"SET", "new", "key"}));
    EXPECT_EQ("+OK\r\n", rig.server.run({"RENAME", "s3", "s4"}));
    EXPECT_EQ(":1\r\n", rig.server.run({"MOVE", "s5", "3"}));
    EXPECT_EQ(":1\r\n", rig.server.run({"PEXPIRE", "s6", "10"}));
    rig.server.advance_ms(100);
    EXPECT_EQ(":1\r\n", rig.server.run({"HSET", "h0", "new", "field"}));
    OwnedBytes after = rig.digest();
    rig.finish(sink);
    EXPECT_EQ(1, sink.completed);
    EXPECT_FALSE(rig.snapshots.busy());
    EXPECT_EQ(before, digest_of(sink.image));
    EXPECT_EQ(after, rig.digest());
    // The next one holds the changes.
    SlowSink next(rig.snapshots);
    ASSERT_TRUE(rig.start(next));
    rig.finish(next);
    EXPECT_EQ(after, digest_of(next.image));
  }
}

TEST(Snapshots, KeepWhatIsFlushedOrSwappedMeanwhile) {
  for (int shards : {1, 2}) {
    for (const char* flush : {"FLUSHDB", "FLUSHALL"}) {
      SnapshotRig rig(shards);
      fill(rig.server, 100);
      rig.server.run({"SELECT", "5"});
      fill(rig.server, 30);
      rig.server.run({"SELECT", "0"});
      OwnedBytes before = rig.digest();
      SlowSink sink(rig.snapshots);
      ASSERT_TRUE(rig.start(sink));
      sink.consume(1);
      rig.server.settle();
      EXPECT_EQ("+OK\r\n", rig.server.run({"SWAPDB", "0", "5"}));
      rig.server.run({"SET", "s1", "other"});
      EXPECT_EQ("+OK\r\n", rig.server.run({flush}));
      fill(rig.server, 10);
      EXPECT_EQ("+OK\r\n", rig.server.run({"SWAPDB", "0", "7"}));
      EXPECT_EQ("+OK\r\n", rig.server.run({flush}));
      rig.finish(sink);
      EXPECT_EQ(before, digest_of(sink.image)) << flush << shards;
    }
  }
}

TEST(Snapshots, AreOneAtATimeAndCanBeCalledOff) {
  for (int shards : {1, 2}) {
    SnapshotRig rig(shards);
    fill(rig.server, 100);
    SlowSink first(rig.snapshots), second(rig.snapshots);
    ASSERT_TRUE(rig.start(first));
    EXPECT_FALSE(rig.start(second));
    EXPECT_EQ(0, second.cuts);
    rig.cancel(second);
    EXPECT_FALSE(first.ended());
    first.consume(1);
    rig.server.settle();
    rig.cancel(first, static_cast<size_t>(shards) - 1);
    EXPECT_EQ(1, first.broke);
    EXPECT_EQ(0, first.completed);
    EXPECT_FALSE(rig.snapshots.busy());
    // What the first one had written is written again.
    ASSERT_TRUE(rig.start(second));
    rig.finish(second);
    EXPECT_EQ(rig.digest(), digest_of(second.image));
    rig.cancel(second);
    EXPECT_EQ(0, second.broke);
  }
}

TEST(Snapshots, StayWholeWhenTheirNumbersComeRoundAgain) {
  SnapshotRig rig(1);
  rig.server.run({"SET", "old", "1"});
  for (int i = 0; i < 66000; i++) {
    SlowSink off(rig.snapshots);
    ASSERT_TRUE(rig.start(off)) << i;
    rig.cancel(off);
    if (i == 65534 || i == 65535 || i == 65536) {
      SlowSink sink(rig.snapshots);
      rig.snapshots.pace.chunks_under_way = 1000;
      ASSERT_TRUE(rig.start(sink));
      rig.finish(sink);
      ASSERT_EQ(rig.digest(), digest_of(sink.image)) << i;
      rig.snapshots.pace.chunks_under_way = 1;
    }
  }
}

}  // namespace
}  // namespace ringwood
