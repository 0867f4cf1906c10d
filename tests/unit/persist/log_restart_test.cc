// A replica's log begins anew with each full sync, at whatever point its file is.
#include <gtest/gtest.h>

#include "tests/unit/persist/log_rig.h"
#include "tests/unit/persist/temp_folder.h"

namespace ringwood {
namespace {

struct Kind {
  PersistenceKind kind;
  int shards;
  bool ahead;
};

class LogRestart : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    disk.at_once = GetParam().shards == 1;
    disk.direct = GetParam().ahead;
  }
  TempFolder folder;
  FailingDisk disk;
};

INSTANTIATE_TEST_SUITE_P(Formats, LogRestart,
                         testing::Values(Kind{PersistenceKind::kAof, 3, true}, Kind{PersistenceKind::kWal, 1, true},
                                         Kind{PersistenceKind::kWal, 3, false}));

// A replica is told of another master while a rewrite waits for the old file to be made durable: where the next file was to begin is of a history
// that has ended.
TEST_P(LogRestart, BeforeTheNextFileBeginsHoldsNoRewriteUp) {
  LogRig rig(GetParam().shards, LogRig::options(GetParam().kind, folder.path(), AppendFsync::kEverysec), disk);
  ASSERT_TRUE(rig.start());
  for (int i = 0; i < 10; i++) rig.server.run({"INCR", "n"});
  rig.pump();
  uint64_t master = 0;
  bool cut = false;
  disk.fault = [&](const IoRequest& q, const std::string& path) {
    cut |= q.op == IoRequest::Op::kOpen && path.find("temp-rewriteaof") != std::string::npos;
    if (master || !cut || q.op != IoRequest::Op::kDataSync) return 0;
    master = rig.written() + 12345;
    rig.server.log().restart_at(master);
    return 0;
  };
  rig.server.run({"INCR", "n"});
  rig.server.run({"BGREWRITEAOF"});
  for (int i = 0; i < 300; i++) {
    rig.server.run({"INCR", "n"});
    rig.pass_ms(10);
  }
  ASSERT_GT(master, 0u);
  for (int i = 0; i < 20; i++) rig.pass_ms(100);
  EXPECT_EQ(static_cast<int64_t>(rig.written()), rig.server.log().synced());
  EXPECT_GT(rig.server.log().synced(), static_cast<int64_t>(master));
}

}  // namespace
}  // namespace ringwood
