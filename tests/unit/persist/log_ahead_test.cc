// appendfsync always on a file whose blocks are written ahead: what the file holds when, and what happens where that cannot be.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "persist/aof_parser.h"
#include "tests/unit/persist/log_rig.h"
#include "tests/unit/persist/temp_folder.h"

namespace ringwood {
namespace {

class LogAheadTest : public testing::TestWithParam<PersistenceKind> {
 protected:
  void SetUp() override { disk.direct = true; }
  Options options(AppendFsync policy = AppendFsync::kAlways) const { return LogRig::options(GetParam(), folder.path(), policy); }
  bool wal() const { return GetParam() == PersistenceKind::kWal; }
  std::string log_folder() const { return wal() ? "waldir" : "appendonlydir"; }
  size_t bytes_on_disk() const {
    size_t n = 0;
    for (const auto& f : std::filesystem::directory_iterator(folder.file(log_folder())))
      if (!f.path().filename().string().ends_with(".manifest")) n += f.file_size();
    return n;
  }
  static void end(LogRig& rig) {
    for (int i = 0; i < 10 && !rig.append->flush(); i++) rig.pass_ms(100);
    ASSERT_TRUE(rig.append->flush());
  }
  static void fill(LogRig& rig, int from, int to) {
    for (int i = from; i < to; i++) {
      rig.server.run({"SET", "k" + std::to_string(i), std::string(static_cast<size_t>(i % 700), 'x')});
      if (i % 3 == 0) rig.pump();
    }
    rig.pump();
    ASSERT_EQ(rig.acknowledged(), rig.written());
  }

  TempFolder folder;
  FailingDisk disk;
};

INSTANTIATE_TEST_SUITE_P(Formats, LogAheadTest, testing::Values(PersistenceKind::kAof, PersistenceKind::kWal),
                         [](const auto& p) { return std::string(p.param == PersistenceKind::kWal ? "wal" : "aof"); });

TEST_P(LogAheadTest, ACommitIsOneWriteOfWholeBlocks) {
  std::vector<IoRequest::Op> done;
  disk.fault = [&](const IoRequest& r, const std::string& path) {
    if (path.find(log_folder()) != std::string::npos) done.push_back(r.op);
    if (r.op == IoRequest::Op::kWriteSync) {
      EXPECT_TRUE(r.size % 4096 == 0 && r.offset % 4096 == 0);
    }
    return 0;
  };
  LogRig rig(1, options(), disk);
  ASSERT_TRUE(rig.start()) << rig.lines.text;
  rig.server.run({"SET", "k", "v"});
  rig.pump();
  done.clear();
  for (int i = 0; i < 5; i++) {
    rig.server.run({"SET", "k", "v"});
    rig.pump();
  }
  EXPECT_EQ(std::vector<IoRequest::Op>(5, IoRequest::Op::kWriteSync), done);
}

// Whoever has got his reply asks again: the next commit begins when a turn brings no more, and takes what the turns before it have brought.
TEST_P(LogAheadTest, ACommitWaitsForThoseWhoComeTurnByTurn) {
  int commits = 0;
  disk.fault = [&](const IoRequest& r, const std::string&) {
    commits += r.op == IoRequest::Op::kWriteSync;
    return 0;
  };
  LogRig rig(1, options(), disk);
  ASSERT_TRUE(rig.start()) << rig.lines.text;
  rig.server.run({"SET", "k", "v"});
  rig.pump();
  commits = 0;
  rig.server.run({"SET", "k", "v"});
  ASSERT_EQ(1, commits);
  disk.step();
  for (int i = 0; i < 5; i++) {
    rig.server.send(0, i % 2 ? InProcess::Args{"GET", "k"} : InProcess::Args{"SET", "k", "v"});
    rig.server.turn(0);
    EXPECT_EQ(1, commits) << i;
  }
  rig.server.turn(0);
  EXPECT_EQ(2, commits);
  rig.pump();
  EXPECT_EQ(2, commits);
  EXPECT_EQ(rig.acknowledged(), rig.written());
}

// INFO, and what decides about a rewrite, knows the content alone; the file ends with it when the process ends, and when another policy is chosen.
TEST_P(LogAheadTest, TheFileEndsWithItsContentInTheEnd) {
  {
    LogRig rig(1, options(), disk);
    ASSERT_TRUE(rig.start()) << rig.lines.text;
    fill(rig, 0, 50);
    EXPECT_GT(bytes_on_disk(), 200000u);
    EXPECT_LT(rig.size(), 40000u);
    end(rig);
    EXPECT_EQ(rig.size(), bytes_on_disk());
  }
  const size_t at_end = bytes_on_disk();
  LogRig rig(1, options(), disk);
  ASSERT_TRUE(rig.start()) << rig.lines.text;
  EXPECT_EQ(at_end, rig.size());
  fill(rig, 50, 80);
  EXPECT_GT(bytes_on_disk(), 200000u);
  ASSERT_EQ(rig.server.run({"CONFIG", "SET", "appendfsync", "everysec"}), "+OK\r\n");
  rig.pass_ms(1500);
  EXPECT_EQ(rig.size(), bytes_on_disk());
  fill(rig, 80, 100);
  rig.pass_ms(1500);
  EXPECT_EQ(rig.size(), bytes_on_disk());
  ASSERT_EQ(rig.server.run({"CONFIG", "SET", "appendfsync", "always"}), "+OK\r\n");
  rig.pass_ms(1500);
  EXPECT_GT(bytes_on_disk(), 200000u);
  fill(rig, 100, 120);
  EXPECT_EQ(rig.server.run({"DBSIZE"}), ":120\r\n");
}

// The process is gone: what stands behind the content is cut off by the next start, and the log goes on there.
TEST_P(LogAheadTest, AfterACrashTheFileIsCutToItsContent) {
  for (int round = 0; round < 8; round++) {
    LogRig rig(1 + round % 2, options(), disk);
    ASSERT_TRUE(rig.start()) << round << rig.lines.text;
    EXPECT_FALSE(rig.lines.has("short read")) << rig.lines.text;
    ASSERT_EQ(rig.server.run({"DBSIZE"}), ":" + std::to_string(round * 37) + "\r\n");
    fill(rig, round * 37, round * 37 + 37);
  }
}

// It may be gone between any two steps of a rewrite, in which the file is sealed and followed by another.
TEST_P(LogAheadTest, AfterACrashInARewriteAllIsThere) {
  bool whole = false;
  for (int steps = 0; steps < 300 && !whole; steps++) {
    TempFolder place;
    FailingDisk own;
    own.direct = true;
    std::string digest;
    {
      LogRig rig(1, LogRig::options(GetParam(), place.path()), own);
      ASSERT_TRUE(rig.start()) << rig.lines.text;
      fill(rig, 0, 20);
      digest = rig.digest();
      rig.server.run({"BGREWRITEAOF"});
      for (int i = 0; i < steps; i++) rig.step();
      whole = rig.append->rewrites() == 2;
    }
    LogRig again(1, LogRig::options(GetParam(), place.path()), own);
    ASSERT_TRUE(again.start()) << "after " << steps << " steps\n" << again.lines.text;
    ASSERT_EQ(again.digest(), digest) << "after " << steps << " steps";
  }
  EXPECT_TRUE(whole);
}

TEST_P(LogAheadTest, MoreBlocksComeBeforeTheyAreNeeded) {
  Options o = options();
  o.wal_segment_size = 64 << 20;
  Seeded r;
  std::string digest;
  {
    LogRig rig(1, o, disk);
    ASSERT_TRUE(rig.start()) << rig.lines.text;
    for (int i = 0; i < 60; i++) {
      rig.server.run({"SET", "k" + std::to_string(i), r.bytes(i == 30 ? 3000000 : 10000)});
      rig.pump();
      ASSERT_EQ(rig.acknowledged(), rig.written()) << i;
    }
    EXPECT_GT(bytes_on_disk(), rig.size() + 1000000);
    digest = rig.digest();
  }
  LogRig rig(1, o, disk);
  ASSERT_TRUE(rig.start()) << rig.lines.text;
  EXPECT_EQ(digest, rig.digest());
  EXPECT_FALSE(rig.lines.has("short read")) << rig.lines.text;
}

// No room for blocks ahead is no trouble while there is room for what is written.
TEST_P(LogAheadTest, WithoutRoomForBlocksAheadTheFileGrowsAsItIsWritten) {
  Seeded r;
  disk.fault = [](const IoRequest& q, const std::string& path) {
    const bool log = path.ends_with(".log") || path.ends_with(".incr.aof");
    return log && q.op == IoRequest::Op::kWrite && q.size >= 100000 ? ENOSPC : 0;
  };
  {
    LogRig rig(1, options(), disk);
    ASSERT_TRUE(rig.start()) << rig.lines.text;
    fill(rig, 0, 60);
    EXPECT_EQ(rig.size(), bytes_on_disk());
    disk.fault = nullptr;
    rig.pass_ms(20000);  // it is tried again
    fill(rig, 60, 70);
    EXPECT_GT(bytes_on_disk(), 200000u);
    disk.fault = [](const IoRequest& q, const std::string&) { return q.op == IoRequest::Op::kWrite ? ENOSPC : 0; };
    for (int i = 0; i < 60; i++) {  // up to the last block that is there
      rig.server.run({"SET", "big" + std::to_string(i), r.bytes(100000)});
      rig.pump();
    }
    EXPECT_TRUE(rig.lines.has("Error writing to the AOF file")) << rig.lines.text;
    EXPECT_EQ(rig.server.run({"SET", "x", "y"}).substr(0, 8), "-MISCONF");
    disk.fault = nullptr;
    for (int i = 0; i < 200; i++) rig.pass_ms(100);
    EXPECT_EQ(rig.server.run({"SET", "x", "y"}), "+OK\r\n");
    rig.pump();
    EXPECT_EQ(rig.acknowledged(), rig.written());
  }
  LogRig again(1, options(), disk);
  ASSERT_TRUE(again.start()) << again.lines.text;
  EXPECT_EQ(again.server.run({"GET", "x"}), "$1\r\ny\r\n");
}

// Commits of all sizes, among them some that end within a command (of more than a segment of the log), with restarts between them: a reader of the
// append-only file meets commands alone until it comes to the filler, and nothing but filler behind that.
TEST_P(LogAheadTest, NoNoteStandsBetweenCommands) {
  if (wal()) return;
  Seeded r;
  size_t sent = 0;
  for (int round = 0; round < 3; round++) {
    LogRig rig(1 + round % 2, options(), disk);
    ASSERT_TRUE(rig.start()) << rig.lines.text;
    for (int i = 0; i < 100; i++, sent++) {
      const size_t size = i % 50 == 49 ? (512 << 10) - 200 + r.below(400) : r.below(200);
      rig.server.run({"SET", "k", std::string(size, r.chance(30) ? '#' : 'v')});
      if (r.chance(70)) rig.pump();
    }
    rig.pump();
    ASSERT_EQ(rig.acknowledged(), rig.written());
    size_t sets = 0;
    for (const auto& f : std::filesystem::directory_iterator(folder.file(log_folder()))) {
      if (!f.path().filename().string().ends_with(".incr.aof")) continue;
      const std::string file = folder.read(log_folder() + "/" + f.path().filename().string());
      AofParser parser;
      size_t at = 0;
      while (at < file.size() && file[at] == '*') {
        ASSERT_EQ(AofParser::Status::kCommand, parser.parse(Bytes(file).substr(at))) << round << " at " << at;
        sets += parser.args()[0] == "SET";
        at += parser.consumed();
      }
      ASSERT_GT(file.size(), at);
      EXPECT_NE(std::string::npos, file.find("#ahead", at));
      for (; at < file.size(); at = file.find('\n', at) + 1) ASSERT_EQ('#', file[at]) << round << " at " << at;
    }
    EXPECT_EQ(sent, sets);
  }
}

// A power cut within commits of many sectors, each of which may be there or not: what was acknowledged is, and nothing else is in parts.
TEST_P(LogAheadTest, OfATornCommitNothingIsLoadedThatNobodyWrote) {
  Seeded r;
  std::map<std::string, std::set<std::string>> possible;  // values that a key may have
  for (int round = 0; round < 25; round++) {
    {
      LogRig rig(1, options(), disk);
      ASSERT_TRUE(rig.start()) << round << rig.lines.text;
      for (auto& [key, values] : possible) {
        std::string reply = rig.server.run({"GET", key});
        ASSERT_TRUE(values.count(reply)) << round << " " << key << " " << reply.substr(0, 200) << "\n" << rig.lines.text;
        values = {reply};
      }
      for (uint64_t i = 0, n = 1 + r.below(40); i < n; i++) {
        const std::string key = "k" + std::to_string(r.below(8)),
                          value = std::string(r.below(3000), r.chance(30) ? '#' : 'v') + std::to_string(i);
        if (!possible.count(key)) possible[key] = {"$-1\r\n"};
        rig.server.run({"SET", key, value});
        possible[key].insert("$" + std::to_string(value.size()) + "\r\n" + value + "\r\n");
        if (r.chance(40)) rig.pump();
        if (rig.acknowledged() == rig.written())
          for (auto& [k, values] : possible) values = {rig.server.run({"GET", k})};
      }
    }
    disk.power_cut(r);
  }
}

}  // namespace
}  // namespace ringwood
