// Short writes of the log that are made within the turn, where the system lets them wait.
#include <gtest/gtest.h>

#include "tests/unit/persist/log_rig.h"
#include "tests/unit/persist/temp_folder.h"

namespace ringwood {
namespace {

class SlowWriteTest : public testing::TestWithParam<PersistenceKind> {};

INSTANTIATE_TEST_SUITE_P(Formats, SlowWriteTest, testing::Values(PersistenceKind::kAof, PersistenceKind::kWal),
                         [](const auto& p) { return std::string(p.param == PersistenceKind::kWal ? "wal" : "aof"); });

// A system that has no room makes the writer wait in its turn: the next ones do not, for twice as long each time that this comes again.
TEST_P(SlowWriteTest, TheNextOnesGoByTheRing) {
  TempFolder folder;
  FailingDisk disk;
  disk.at_once = true;
  LogRig rig(1, LogRig::options(GetParam(), folder.path(), AppendFsync::kEverysec), disk);
  ASSERT_TRUE(rig.start()) << rig.lines.text;
  rig.pump();
  bool slow = false;
  disk.fault = [&](const IoRequest& r, const std::string&) {
    if (slow && r.op == IoRequest::Op::kWrite) rig.server.clock().advance_ms(5);
    return 0;
  };
  auto at_once = [&] {
    rig.server.run({"SET", "k", "v"});
    const bool written = rig.acknowledged() == rig.written();
    rig.pump();
    return written;
  };
  for (int for_ms : {50, 100, 200}) {
    slow = true;
    EXPECT_TRUE(at_once());
    slow = false;
    rig.server.clock().advance_ms(for_ms - 10);
    EXPECT_FALSE(at_once()) << for_ms;
    rig.server.clock().advance_ms(11);
    EXPECT_TRUE(at_once()) << for_ms;
  }
}

}  // namespace
}  // namespace ringwood
