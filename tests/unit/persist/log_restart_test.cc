// A replica's log begins anew with each full sync, at whatever point its file is.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <utility>

#include "engine/base/resp_command.h"
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

// A replica whose process may end at any moment: the folder holds a state then that its data set has been in, of one history alone.
class EndedAtAnyStep : public testing::TestWithParam<Kind> {
 protected:
  static bool long_form() { return std::getenv("RINGWOOD_LONG") != nullptr; }
  static Options options(const TempFolder& in) {
    Options o = LogRig::options(GetParam().kind, in.path(), GetParam().ahead ? AppendFsync::kAlways : AppendFsync::kEverysec);
    o.wal_segment_size = 200;  // a command or two
    return o;
  }

  // One of its own, with every state that it has been in.
  struct Replica {
    explicit Replica(const Kind& k) {
      disk.at_once = k.shards == 1;
      disk.direct = k.ahead;
      rig = std::make_unique<LogRig>(k.shards, options(folder), disk);
    }
    void note() { states.insert(rig->digest()); }
    void own_writes() {
      for (int i = 0; i < 6; i++) {
        rig->server.run({"SET", "old:" + std::to_string(i), std::to_string(commands++)});
        note();
      }
    }
    // What the link does, with every shard held: another master's data set, and its place.
    void full_sync() {
      selected = false;
      rig->server.log().set_silent(true);
      rig->server.executor(0).refresh_all_effects();
      rig->server.log().restart_at(rig->written() + 12345);
      rig->server.run({"FLUSHALL"});
      for (int i = 0; i < 4; i++) rig->server.run({"SET", "loaded:" + std::to_string(i), std::to_string(commands)});
      note();
    }
    // A command of the master's. Where the cut comes between these two it stands in the image and behind it, and makes no difference the second time.
    void streamed() {
      const std::string key = "new:" + std::to_string(commands % 7), value = std::to_string(commands);
      commands++;
      rig->server.run({"SET", key, value});
      const OwnedBytes select = std::exchange(selected, true) ? OwnedBytes() : wire_command({"SELECT", "0"});
      rig->server.log().append_raw(0, select + wire_command({"SET", key, value}), 0);
      rig->server.settle();
      note();
    }
    std::string found_by_a_start() const {
      TempFolder copy;
      folder.copy_to(copy);
      FailingDisk fresh;
      LogRig next(GetParam().shards, options(copy), fresh);
      return next.start() ? next.digest() : next.lines.text;
    }

    TempFolder folder;
    FailingDisk disk;
    std::unique_ptr<LogRig> rig;
    std::set<std::string> states;
    int commands = 0;
    bool selected = false;
  };

  // Full syncs come at two steps; below 0: no second one. `failures` images that are begun behind the first fail.
  static void run(int first, int second, bool rewriting, int failures = 0) {
    const std::string what = "full syncs at steps " + std::to_string(first) + " and " + std::to_string(second);
    Replica r(GetParam());
    r.disk.fault = [&](const IoRequest& q, const std::string& path) {
      return q.op == IoRequest::Op::kRename && path.find("temp-rewriteaof") != std::string::npos && r.selected && failures-- > 0 ? EIO : 0;
    };
    ASSERT_TRUE(r.rig->start());
    r.own_writes();
    r.rig->pump();
    if (rewriting) r.rig->server.run({"BGREWRITEAOF"});
    for (int step = 0; step < std::max(first, second) + kStepsOfARewrite; step++) {
      if (step == first || step == second) r.full_sync();
      step < first ? r.own_writes() : r.streamed();
      r.rig->server.advance_ms(5);
      r.rig->step();
      if (step < first || (!long_form() && (step + first) % 7)) continue;
      const std::string found = r.found_by_a_start();
      ASSERT_TRUE(r.states.count(found)) << what << ", ended at " << step << "\n" << found;
    }
    for (int i = 0; i < 300 && static_cast<int64_t>(r.rig->written()) != r.rig->server.log().synced(); i++) {
      if (i % 20 == 0) {
        for (int n = 0; n < 20; n++) {  // more than a file of the log is to hold
          r.streamed();
          r.rig->step();
        }
        ASSERT_TRUE(r.states.count(r.found_by_a_start())) << what;
      }
      r.rig->pass_ms(100);
    }
    EXPECT_EQ(static_cast<int64_t>(r.rig->written()), r.rig->server.log().synced()) << what;
    EXPECT_LE(failures, 0);
    ASSERT_EQ(r.rig->digest(), r.found_by_a_start()) << what;
  }
  static constexpr int kStepsOfARewrite = 50;
};

INSTANTIATE_TEST_SUITE_P(Formats, EndedAtAnyStep,
                         testing::Values(Kind{PersistenceKind::kAof, 1, false}, Kind{PersistenceKind::kAof, 3, true},
                                         Kind{PersistenceKind::kWal, 1, true}, Kind{PersistenceKind::kWal, 3, false}));

TEST_P(EndedAtAnyStep, TheLogHoldsNoHistoryBehindAnother) { run(2, -1, false); }

// The files of that rewrite are in the manifest in part, or their image is under way.
TEST_P(EndedAtAnyStep, AndNoneWhereTheFullSyncCameDuringARewrite) {
  for (int at = 0; at < kStepsOfARewrite && !HasFatalFailure(); at += long_form() ? 1 : 5) run(at, -1, true);
}

TEST_P(EndedAtAnyStep, AndNoneWhereAnotherFullSyncCameDuringTheRewriteBehindTheFirst) {
  for (int after = 1; after < kStepsOfARewrite && !HasFatalFailure(); after += long_form() ? 1 : 9) run(1, 1 + after, after % 2);
}

TEST_P(EndedAtAnyStep, AndNoneWhereTheRewriteBehindItFails) { run(1, 60, false, 2); }

// The disk was full within a command when the full sync came: its rest never comes, and the file is followed by another one all the same.
TEST_P(EndedAtAnyStep, AndNoneWhereAWriteHadBrokenOffWithinACommand) {
  const std::string large = Seeded().bytes(MutationLog::kSegmentBytes * 2);  // does not get smaller
  for (int failing = 0; failing < 40 && !HasFatalFailure(); failing += long_form() ? 1 : 20) {
    const std::string what = "the disk is full for " + std::to_string(failing) + " steps";
    Replica r(GetParam());
    ASSERT_TRUE(r.rig->start());
    r.own_writes();
    r.rig->pump();
    r.disk.space = MutationLog::kSegmentBytes * 3 / 2;
    r.rig->server.run({"SET", "old:large", large});
    r.note();
    for (int step = 0; step < 40; step++) r.rig->step();
    ASSERT_TRUE(GetParam().ahead || r.rig->lines.has("Error writing to the AOF file"));  // ahead: its blocks may be there already
    r.full_sync();
    for (int step = 0; step < failing + kStepsOfARewrite; step++) {
      if (step == failing) r.disk.space = -1;
      r.streamed();
      r.rig->server.advance_ms(50);
      r.rig->step();
      if (!long_form() && step % 7 != failing % 7) continue;
      const std::string found = r.found_by_a_start();
      ASSERT_TRUE(r.states.count(found)) << what << ", ended at " << step << "\n" << found;
    }
    for (int i = 0; i < 300 && static_cast<int64_t>(r.rig->written()) != r.rig->server.log().synced(); i++) r.rig->pass_ms(100);
    EXPECT_EQ(static_cast<int64_t>(r.rig->written()), r.rig->server.log().synced()) << what;
    ASSERT_EQ(r.rig->digest(), r.found_by_a_start()) << what;
  }
}

// The same with a disk that goes on, at any step of such a write: the file that is to follow the old one may be in the making.
TEST_P(EndedAtAnyStep, AndNoneWhereItCameWithinTheWriteOfACommand) {
  const std::string large = Seeded().bytes(MutationLog::kSegmentBytes * 3);
  for (int first = 0; first < 16 && !HasFatalFailure(); first += long_form() ? 1 : 3) {
    Replica r(GetParam());
    ASSERT_TRUE(r.rig->start());
    r.own_writes();
    r.rig->pump();
    r.rig->server.run({"SET", "old:large", large});
    r.note();
    for (int step = 0; step < first; step++) r.rig->step();
    r.full_sync();
    for (int step = 0; step < kStepsOfARewrite; step++) {
      r.streamed();
      r.rig->server.advance_ms(5);
      r.rig->step();
      if (!long_form() && step % 7 != first % 7) continue;
      const std::string found = r.found_by_a_start();
      ASSERT_TRUE(r.states.count(found)) << "full sync at step " << first << ", ended at " << step << "\n" << found;
    }
  }
}

// The cut of a rewrite that was asked for before comes while the master's data set is being loaded.
TEST_P(EndedAtAnyStep, AnImageIsNotOfHalfALoadedDataSet) {
  Replica r(GetParam());
  ASSERT_TRUE(r.rig->start());
  r.own_writes();
  r.rig->pump();
  r.rig->server.run({"BGREWRITEAOF"});
  r.rig->append->turn(r.rig->server.executor(0), true);  // it begins
  r.full_sync();
  r.rig->server.engine().state.fetch_or(kStateLoading);
  while (r.disk.step()) r.rig->server.settle();
  r.rig->server.engine().state.fetch_and(~uint32_t{kStateLoading});
  r.rig->server.run({"SET", "loaded:last", "1"});
  for (int i = 0; i < 20; i++) r.rig->pass_ms(100);
  EXPECT_EQ(r.rig->digest(), r.found_by_a_start());
}

}  // namespace
}  // namespace ringwood
