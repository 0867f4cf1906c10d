// Snapshots while every command that writes is run at random: the image must be the state at the cut, by digest, whatever came after it.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/harness/random_writes.h"
#include "tests/unit/persist/snapshot_rig.h"

namespace ringwood {
namespace {

// Clients that run the random commands, and may be blocked by them; and one that never is.
constexpr size_t kClients = 3, kAsking = 4;

// Until nobody waits any more.
void unblock(InProcess& server) {
  for (size_t i = 0; i < kClients; i++)
    while (server.blocked(i)) server.advance_ms(20);
}

void run_rounds(int shards, int rounds, uint64_t salt) {
  Seeded random;
  for (uint64_t i = 0; i < salt; i++) random.next();
  Options options;
  options.rdb_version = random.chance(50) ? 10 : 12;
  SnapshotRig rig(shards, options);
  RandomWrites caller(random, rig.server, kAsking);
  ASSERT_EQ(std::vector<std::string>{}, caller.missing) << "writing commands that this test does not know";
  for (int round = 0; round < rounds; round++) {
    unblock(rig.server);
    caller.populate();
    unblock(rig.server);
    if (random.chance(30)) rig.server.run_as(kAsking, {"swapdb", "0", "3"});
    OwnedBytes at_cut = rig.digest();
    std::string log;
    SlowSink sink(rig.snapshots);
    rig.snapshots.pace.chunk_bytes = random.chance(50) ? 1 : 1 + random.below(2000);
    ASSERT_TRUE(rig.start(sink, random.below(static_cast<uint64_t>(shards))));
    int commands = static_cast<int>(random.below(400));
    for (int i = 0; i < commands && !sink.ended(); i++) {
      sink.consume(static_cast<int>(random.below(3)));
      InProcess::Args args = caller.next();
      for (const std::string& a : args) log += a.size() < 50 ? a + " " : "... ";
      log += "\n";
      rig.server.run_as(random.below(kClients), args);
      if (random.chance(10)) rig.server.advance_ms(static_cast<int64_t>(random.below(20)));
    }
    OwnedBytes after = rig.digest();
    rig.finish(sink);
    ASSERT_EQ(1, sink.completed);
    ASSERT_EQ(at_cut, digest_of(sink.image)) << "round " << round << " of " << shards << " shards, after\n" << log;
    ASSERT_EQ(after, rig.digest());
    rig.server.advance_ms(5000);
    if (random.chance(20)) rig.server.run_as(kAsking, {"flushall"});
  }
}

int rounds() { return std::getenv("RINGWOOD_LONG") ? 300 : 20; }

TEST(SnapshotUnderWrites, IsTheStateAtTheCutWithOneShard) { run_rounds(1, rounds(), 1); }
TEST(SnapshotUnderWrites, IsTheStateAtTheCutWithSeveralShards) { run_rounds(3, rounds(), 2); }

}  // namespace
}  // namespace ringwood
