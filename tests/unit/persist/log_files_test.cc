// Which files a log consists of when a rewrite meets a full one, fails, or is cut short by the process's end: none may be missing between two others.
#include <gtest/gtest.h>

#include "tests/unit/persist/log_rig.h"
#include "tests/unit/persist/temp_folder.h"

namespace ringwood {
namespace {

struct Kind {
  PersistenceKind kind;
  int shards;
};

class LogFiles : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { disk.at_once = shards() == 1; }
  int shards() const { return GetParam().shards; }
  static Options options(const TempFolder& in) { return LogRig::options(GetParam().kind, in.path(), AppendFsync::kEverysec); }

  TempFolder folder;
  FailingDisk disk;
};

INSTANTIATE_TEST_SUITE_P(Formats, LogFiles,
                         testing::Values(Kind{PersistenceKind::kAof, 1}, Kind{PersistenceKind::kAof, 3}, Kind{PersistenceKind::kWal, 1},
                                         Kind{PersistenceKind::kWal, 3}));

// A file that is full while a rewrite is about to be cut: the file that the rewrite has made goes on from it, and no other one before that is begun.
TEST_P(LogFiles, AFileThatIsFullAtTheCutEndsWithIt) {
  if (GetParam().kind != PersistenceKind::kWal) return;
  Seeded r;
  Options o = options(folder);
  o.auto_aof_rewrite_min_size = 1000;
  LogRig rig(shards(), o, disk);
  ASSERT_TRUE(rig.start());
  int n = 0;
  auto set = [&] { rig.server.run({"SET", "key:" + std::to_string(n++), r.bytes(1000)}); };
  while (rig.size() + 3000 < static_cast<size_t>(o.wal_segment_size)) set();
  bool cut = false;
  disk.fault = [&](const IoRequest& q, const std::string& path) {
    if (q.op == IoRequest::Op::kOpen && path.find("temp-rewriteaof") != std::string::npos) cut = disk.syncs_hang = true;
    return 0;
  };
  rig.server.run({"BGREWRITEAOF"});
  for (int i = 0; i < 1000 && !cut; i++) {
    set();
    rig.step();
  }
  ASSERT_TRUE(cut);
  for (int i = 0; i < 50; i++) {  // the change to the next file waits for the disk meanwhile
    set();
    rig.step();
  }
  ASSERT_TRUE(disk.hangs());
  disk.syncs_hang = false;
  rig.pass_ms(100);
  for (int i = 0; i < 10; i++) set();
  rig.pass_ms(1100);
  EXPECT_EQ(rig.append->rewrites(), 2);

  TempFolder copy;
  folder.copy_to(copy);  // what a start would find
  FailingDisk another;
  LogRig next(shards(), options(copy), another);
  ASSERT_TRUE(next.start()) << next.lines.text;
  EXPECT_EQ(next.digest(), rig.digest());
}

// The end comes while the change to a rewrite's file waits for the disk, and the next rewrite has made one behind that: neither has been begun.
TEST_P(LogFiles, FilesThatWereNeverBegunAreNoGapInTheLog) {
  Options o = options(folder);
  LogRig rig(shards(), o, disk);
  ASSERT_TRUE(rig.start());
  for (int i = 0; i < 10; i++) rig.server.run({"INCR", "n"});
  disk.syncs_hang = true;
  for (int i = 0; i < 2; i++) {
    rig.server.run({"INCR", "n"});
    rig.server.run({"BGREWRITEAOF"});
    rig.pass_ms(100);
  }
  ASSERT_TRUE(disk.hangs());
  TempFolder copy;
  folder.copy_to(copy);  // what a start would find
  o.dir = copy.path();
  for (const std::string n : {"11", "12", "13"}) {  // the twelfth waits for the change
    FailingDisk another;
    LogRig next(shards(), o, another);
    ASSERT_TRUE(next.start()) << next.lines.text;
    EXPECT_EQ(next.server.run({"GET", "n"}), "$2\r\n" + n + "\r\n");
    next.server.run({"INCR", "n"});
    next.pass_ms(1100);
    if (n == "12") next.server.run({"BGREWRITEAOF"});
    next.pass_ms(100);
  }
}

// What a rewrite has failed before its cut has made is no file of the log.
TEST_P(LogFiles, ARewriteThatFailsBeforeItsCutLeavesNoGap) {
  for (int failing = 1; failing < 12; failing++) {
    TempFolder own;
    FailingDisk other;
    Options o = options(own);
    LogRig rig(shards(), o, other);
    ASSERT_TRUE(rig.start());
    rig.server.run({"SET", "k", "1"});
    rig.pump();
    int count = 0;
    other.fault = [&](const IoRequest& q, const std::string& path) {
      return path.find("temp-rewriteaof") == std::string::npos && q.op != IoRequest::Op::kDataSync && q.op != IoRequest::Op::kClose &&
                     ++count == failing
                 ? EIO
                 : 0;
    };
    rig.server.run({"BGREWRITEAOF"});
    rig.pass_ms(100);
    other.fault = nullptr;
    // The next one comes as far as behind its cut.
    other.hanging_file = "temp-rewriteaof";
    rig.server.run({"BGREWRITEAOF"});
    rig.pass_ms(6000);
    rig.server.run({"SET", "k", "2"});
    rig.pass_ms(1100);
    TempFolder copy;
    own.copy_to(copy);
    o.dir = copy.path();
    FailingDisk another;
    LogRig next(shards(), o, another);
    ASSERT_TRUE(next.start()) << "request " << failing << "\n" << next.lines.text;
    EXPECT_EQ(next.server.run({"GET", "k"}), "$1\r\n2\r\n") << "request " << failing;
  }
}

}  // namespace
}  // namespace ringwood
