#include "persist/disk_bound.h"

#include <gtest/gtest.h>

#include "tests/unit/persist/log_rig.h"
#include "tests/unit/persist/snapshot_rig.h"
#include "tests/unit/persist/temp_folder.h"

namespace ringwood {
namespace {

constexpr uint64_t kMb = 1 << 20;

// A log under a steady load, each image as big as the last. Answers the most that the disk held, in MB.
uint64_t most_of(DiskBound& bound, uint64_t image, uint64_t data, double log_per_image_byte, int images) {
  uint64_t log = 0, most = 0;
  for (int i = 0; i < images; i++) {
    DiskBound::Sizes s{(image + log) * kMb, image * kMb, image * kMb, 2 * data * kMb};
    while (!bound.due(s)) s.disk = (image + ++log) * kMb;
    bound.begin(s);
    uint64_t room = 0, grown = 0;
    bool held = false;
    for (uint64_t written = 1; written <= image + 1; written++) {
      room += written <= image ? bound.room_at(written * kMb) : bound.room_at_end();
      const auto wanted = static_cast<uint64_t>(static_cast<double>(written * kMb) * log_per_image_byte);
      held |= wanted > room;
      grown = std::min(wanted, room);
    }
    most = std::max(most, s.disk / kMb + image + grown / kMb);
    bound.end(grown, held);
    log = grown / kMb;
  }
  return most;
}

TEST(DiskBound, IsKeptWhateverTheLoad) {
  for (double load : {0.0, 0.01, 0.3, 1.0, 20.0})
    for (uint64_t image : {300, 600, 900, 940}) {
      DiskBound bound;
      EXPECT_LE(most_of(bound, image, 1000, load, 20), 2001u) << image << " " << load;
    }
}

TEST(DiskBound, LetsTheLogGrowAThirtySecondPartOfAnImageWhereThereIsNoRoomAtAll) {
  DiskBound bound;
  EXPECT_FALSE(bound.due({1030, 1000, 1000, 2000}));
  EXPECT_TRUE(bound.due({1031, 1000, 1000, 2000}));
  bound.begin({1031, 1000, 1000, 2000});
  EXPECT_EQ(bound.room_at(1000) + bound.room_at_end(), 1000u / 32);
}

TEST(DiskBound, GivesTheRoomInStepWithTheImageAndOnlyOnce) {
  DiskBound bound;
  bound.begin({1000, 500, 500, 2000});  // 500 are left
  EXPECT_EQ(bound.room_at(250), 200u);
  EXPECT_EQ(bound.room_at(250), 0u);
  EXPECT_EQ(bound.room_at(100), 0u);
  EXPECT_EQ(bound.room_at(600), 200u);
  EXPECT_EQ(bound.room_at_end(), 100u);
  EXPECT_EQ(bound.room_at_end(), 0u);
}

TEST(DiskBound, BesideASaveTheNextImageKeepsItsLeast) {
  DiskBound bound;
  bound.begin_elsewhere({1000, 320, 320, 2000});
  EXPECT_EQ(bound.room_at(320) + bound.room_at_end(), 2000u - 1000 - 320 - 10);
  bound.begin_elsewhere({1000, 960, 960, 1900});  // there is none
  EXPECT_EQ(bound.room_at(960) + bound.room_at_end(), 960u / 64);
}

// Who was held back beside one image finds more room beside the next, since that begins earlier.
TEST(DiskBound, BeginsEarlierWhereTheLastOneHeldWritersBack) {
  DiskBound bound;
  const DiskBound::Sizes s{1500, 400, 400, 2000};
  EXPECT_FALSE(bound.due(s));
  bound.begin({1580, 400, 400, 2000});
  bound.end(20, true);
  EXPECT_FALSE(bound.due(s));
  bound.end(100, true);
  EXPECT_TRUE(bound.due(s));
  bound.end(0, false);
  EXPECT_FALSE(bound.due(s));
}

// A log whose data set is overwritten with values that do not get smaller.
struct Overwritten {
  static constexpr uint64_t kData = 1000 * 3060;
  Overwritten(int shards, int percentage) : rig(shards, options(percentage), disk) {
    for (int i = 0; i < 400; i++) values.push_back(r.bytes(3000));
    EXPECT_TRUE(rig.start());
    set();
    rig.pass_ms(100);
    for (int i = 0; i < 10; i++) {
      if (i % 5 == 0) rig.server.run({"BGREWRITEAOF"});                                         // the second knows what the data are
      rig.server.engine().startup_memory = memory::used() - rig.server.log().memory() - kData;  // a rig has much else
      rig.pass_ms(100);
    }
  }
  Options options(int percentage) const {
    Options o = LogRig::options(PersistenceKind::kWal, place.path(), AppendFsync::kEverysec);
    o.auto_aof_rewrite_min_size = 1 << 20;
    o.wal_disk_percentage = percentage;
    o.auto_aof_rewrite_percentage = 100000;  // it begins for the bound alone
    o.wal_segment_size = 64 << 20;
    return o;
  }
  void set() {
    for (int i = 0; i < 1000; i++) rig.server.run({"SET", "key:" + std::to_string(i), values[r.below(values.size())]});
  }
  uint64_t on_disk() const {
    uint64_t bytes = 0;
    for (const auto& f : std::filesystem::directory_iterator(place.file("waldir"))) bytes += f.file_size();
    return bytes;
  }
  void pass_tenths(int n) {
    for (int i = 0; i < n; i++) rig.pass_ms(100);
  }
  void end() {
    for (int i = 0; i < 10 && !rig.append->flush(); i++) rig.pass_ms(100);
  }

  Seeded r;
  std::vector<std::string> values;
  TempFolder place;
  FailingDisk disk;
  LogRig rig;
};

// Compaction cannot begin while BGSAVE is under way: who writes more than the bound leaves waits for its end, and for the compaction that follows.
TEST(DiskBound, HoldsBesideASave) {
  for (int shards : {1, 3}) {
    for (int percentage : {0, 200}) {
      Overwritten o(shards, percentage);
      LogRig& rig = o.rig;
      const int64_t rewrites = rig.append->rewrites();
      rig.server.run({"CONFIG", "SET", "rdb-key-save-delay", "5000"});
      ASSERT_EQ(rig.server.run({"BGSAVE"}), "+Background saving started\r\n");
      rig.server.run({"CONFIG", "SET", "rdb-key-save-delay", "0"});
      rig.pass_ms(100);
      o.set();
      rig.pass_ms(500);
      ASSERT_TRUE(rig.persistence.snapshots().busy());
      EXPECT_EQ(rig.append->rewrites(), rewrites);
      if (percentage) {
        EXPECT_LT(rig.acknowledged(), rig.written());
        EXPECT_LT(o.on_disk(), o.kData * 13 / 10);  // a write may go beyond it by 512 KiB, which is much here
      } else {
        EXPECT_EQ(rig.acknowledged(), rig.written());
        EXPECT_GT(o.on_disk(), o.kData * 19 / 10);
      }
      o.pass_tenths(60);
      EXPECT_EQ(rig.acknowledged(), rig.written());
      EXPECT_EQ(rig.append->rewrites(), rewrites + (percentage ? 1 : 0));
      EXPECT_EQ(rig.persistence.saves(), 1);
      o.end();
    }
  }
}

// How long a replica takes for the image of its full sync, or the target of a slot move for its, is not ours to say: nobody is held back for it, the log
// grows beyond the bound, and the compaction begins when it has ended.
TEST(DiskBound, IsSuspendedBesideAnImageForAnotherServer) {
  for (int shards : {1, 3}) {
    Overwritten o(shards, 200);
    LogRig& rig = o.rig;
    const int64_t rewrites = rig.append->rewrites();
    Snapshots& snapshots = rig.persistence.snapshots();
    SlowSink replica(snapshots);
    SnapshotRig::Cut cut;
    cut.snapshots = &snapshots;
    cut.sink = &replica;
    rig.server.executor(0).with_all_shards(&cut);
    rig.server.settle();
    ASSERT_TRUE(cut.begun);
    for (int i = 0; i < 3; i++) {
      o.set();
      rig.pass_ms(500);
      EXPECT_EQ(rig.acknowledged(), rig.written());
    }
    ASSERT_TRUE(snapshots.busy());
    EXPECT_EQ(rig.append->rewrites(), rewrites);
    EXPECT_GT(o.on_disk(), o.kData * 3);
    while (!replica.ended()) {
      replica.consume(8);
      rig.step();
    }
    EXPECT_EQ(replica.completed, 1);
    o.pass_tenths(20);
    EXPECT_EQ(rig.append->rewrites(), rewrites + 1);
    EXPECT_LT(o.on_disk(), o.kData * 2);
    o.end();
  }
}

}  // namespace
}  // namespace ringwood
