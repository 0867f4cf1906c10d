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

void fill_large(InProcess& server, const std::string& tag) {
  InProcess::Args h{"HSET", "h" + tag}, t{"SADD", "t" + tag}, z{"ZADD", "z" + tag};
  for (int i = 0; i < 2000; i++) {
    std::string f = "f" + std::to_string(i);
    h.insert(h.end(), {f, "value"});
    t.push_back(f);
    z.insert(z.end(), {std::to_string(i % 50), f});
  }
  for (const auto& args : {h, t, z}) server.run(args);
}

// Large values of which a part has been written go to another shard, change and are removed there, are freed in pieces, or are evicted.
TEST(Snapshots, HoldLargeValuesThatLeaveMeanwhile) {
  const std::vector<InProcess::Args> all_leave[] = {
      {{"RENAME", "h{1}", "h{2}"},
       {"HSET", "h{2}", "f1", "new"},
       {"HDEL", "h{2}", "f2"},
       {"RENAME", "t{1}", "t{3}"},
       {"SPOP", "t{3}", "100"},
       {"RENAME", "z{1}", "z{2}"},
       {"ZINCRBY", "z{2}", "1", "f3"},
       {"UNLINK", "h{2}", "t{3}", "z{2}"}},
      {{"UNLINK", "h{1}", "t{1}", "z{1}"}},
      {{"FLUSHALL", "ASYNC"}},
      {{"CONFIG", "SET", "maxmemory-policy", "allkeys-random"}, {"CONFIG", "SET", "maxmemory", "1"}, {"SET", "refused", "1"}},
  };
  for (int shards : {1, 3}) {
    for (const auto& leave : all_leave) {
      for (int steps : {0, 20, 60}) {
        SnapshotRig rig(shards);
        fill_large(rig.server, "{1}");
        fill(rig.server, 20);
        OwnedBytes before = rig.digest();
        SlowSink sink(rig.snapshots);
        ASSERT_TRUE(rig.start(sink));
        for (int i = 0; i < steps; i++) {
          sink.consume(1);
          rig.server.settle();
        }
        // Each of the three is begun.
        rig.server.run({"HSET", "h{1}", "f1500", "changed"});
        rig.server.run({"SREM", "t{1}", "f1500"});
        rig.server.run({"ZINCRBY", "z{1}", "1", "f1500"});
        for (const auto& args : leave) rig.server.run(args);
        rig.server.settle();
        rig.finish(sink);
        EXPECT_EQ(1, sink.completed);
        EXPECT_EQ(before, digest_of(sink.image)) << leave.front()[0] << " with " << shards << " shards after " << steps << " steps";
        rig.server.run({"CONFIG", "SET", "maxmemory", "0"});
      }
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
