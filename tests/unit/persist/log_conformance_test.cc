// What every log format keeps: one suite, for the append-only file and the write-ahead log.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "engine/base/memory.h"
#include "tests/unit/persist/log_rig.h"
#include "tests/unit/persist/temp_folder.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
// A power cut takes the rig away while tasks are on their way between its threads. They are their senders' memory, and go with the process.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:ringwood::Snapshots::start_held\n"; }
#endif
#endif

namespace ringwood {
namespace {

struct Kind {
  PersistenceKind kind;
  int shards;
  bool ahead;  // the file system lets a file's blocks be written ahead (appendfsync always)
};

// The short form of each test goes by a part of the cases; RINGWOOD_LONG=1 takes them all.
int shortly(int step) { return std::getenv("RINGWOOD_LONG") ? 1 : step; }

class LogConformance : public testing::TestWithParam<Kind> {
 protected:
  Options options(AppendFsync policy = AppendFsync::kAlways) const { return LogRig::options(GetParam().kind, folder.path(), policy); }
  std::string log_folder() const { return GetParam().kind == PersistenceKind::kWal ? "waldir" : "appendonlydir"; }
  // The log file that is written to.
  std::string last_file() const {
    std::string last;
    int64_t highest = -1;
    for (const auto& f : std::filesystem::directory_iterator(folder.file(log_folder()))) {
      std::string name = f.path().filename();
      size_t from = name.find_first_of("123456789");
      bool log = name.ends_with(".log") || name.ends_with(".incr.aof");
      if (!log || from == std::string::npos) continue;
      if (int64_t n = std::stoll(name.substr(from)); n > highest) highest = n, last = log_folder() + "/" + name;
    }
    return last;
  }
  std::string base_file() const { return log_folder() + (wal() ? "/wal.1.image" : "/appendonly.aof.1.base.rdb"); }
  // Both ways of writing have their turn.
  void SetUp() override {
    disk.at_once = shards() == 1;
    disk.direct = ahead();
  }
  bool ahead() const { return GetParam().ahead; }
  int shards() const { return GetParam().shards; }
  bool wal() const { return GetParam().kind == PersistenceKind::kWal; }

  TempFolder folder;
  FailingDisk disk;
};

INSTANTIATE_TEST_SUITE_P(Formats, LogConformance,
                         testing::Values(Kind{PersistenceKind::kAof, 1, false}, Kind{PersistenceKind::kAof, 3, true},
                                         Kind{PersistenceKind::kWal, 1, true}, Kind{PersistenceKind::kWal, 3, false}),
                         [](const auto& p) {
                           return std::string(p.param.kind == PersistenceKind::kWal ? "wal" : "aof") + std::to_string(p.param.shards) +
                                  (p.param.ahead ? "_ahead" : "");
                         });

InProcess::Args random_command(Seeded& r) {
  std::string k = std::to_string(r.below(300)), n = std::to_string(r.next() % 1000);
  switch (r.below(14)) {
    case 0: return {"SET", "s" + k, std::string(r.below(400), 'x') + n};
    case 1: return {"INCR", "i" + k};
    case 2: return {"RPUSH", "l" + k, n, "element"};
    case 3: return {"SADD", "t" + k, n, "m" + n};
    case 4: return {"SPOP", "t" + k};
    case 5: return {"ZADD", "z" + k, n, "m" + n};
    case 6: return {"HSET", "h" + k, "f" + n, n};
    case 7: return {"XADD", "x" + k, "*", "f", n};
    case 8: return {"MSET", "a" + k, n, "b" + k, n, "c" + k, n};
    case 9: return {"RENAME", "s" + k, "s" + n};
    case 10: return {"SUNIONSTORE", "u" + k, "t" + k, "t" + n};
    case 11: return {"SET", "e" + k, n, "EX", "100000"};
    case 12: return {"SELECT", std::to_string(r.below(3))};
    default: return r.below(20) ? InProcess::Args{"DEL", "h" + k} : InProcess::Args{"FLUSHDB"};
  }
}

TEST_P(LogConformance, WhatWasWrittenIsThereAfterEveryRestart) {
  Seeded r;
  std::string digest;
  for (int round = 0; round < 6; round++) {
    LogRig rig(shards(), options(round % 2 ? AppendFsync::kAlways : AppendFsync::kEverysec), disk);
    ASSERT_TRUE(rig.start()) << rig.lines.text;
    if (round) {
      ASSERT_EQ(rig.digest(), digest) << round;
    }
    for (int i = 0; i < 2500; i++) {
      rig.server.run(random_command(r));
      if (i % 500 == 250) {
        rig.server.run({"MULTI"});
        for (int n = 0; n < 5; n++) rig.server.run({"INCR", "multi" + std::to_string(n)});
        rig.server.run({"EXEC"});
      }
      if (i == 1200 && round % 3 == 1) {
        ASSERT_EQ(rig.server.run({"BGREWRITEAOF"})[0], '+');
      }
      if (i % 100 == 0) rig.step();
    }
    rig.server.run({"SELECT", "0"});
    digest = rig.digest();
    for (int i = 0; i < 10 && !rig.append->flush(); i++) rig.pass_ms(100);
    ASSERT_TRUE(rig.append->flush());
  }
  if (wal()) {
    EXPECT_GT(std::distance(std::filesystem::directory_iterator(folder.file("waldir")), std::filesystem::directory_iterator()), 4);
  }
}

TEST_P(LogConformance, WhatWaitsForTheDiskHasANameInLatency) {
  std::map<std::string, int> named;
  disk.fault = [&](const IoRequest& r, const std::string& path) {
    const bool of_log = path.find(log_folder()) != std::string::npos;
    if (of_log && r.op == IoRequest::Op::kWrite && r.event_class) named[r.event_class]++, named[r.event]++;
    if (of_log && (r.op == IoRequest::Op::kDataSync || r.op == IoRequest::Op::kWriteSync) && r.event) named[r.event]++;
    if (of_log && r.op == IoRequest::Op::kWriteSync && r.event_class) named[r.event_class]++;
    return 0;
  };
  LogRig rig(shards(), options(), disk);
  ASSERT_TRUE(rig.start()) << rig.lines.text;
  rig.pump();
  rig.server.run({"SET", "k", "v"});
  rig.pump();
  EXPECT_GT(named["aof-write"], 0);
  EXPECT_EQ(named["aof-write-alone"] > 0, !ahead());  // there both are one
  EXPECT_GT(named["aof-fsync-always"], 0);
}

// What is handed to the system within the turn needs no other turn for its reply.
TEST_P(LogConformance, AShortWriteIsMadeAtOnce) {
  disk.at_once = true;
  LogRig rig(shards(), options(AppendFsync::kEverysec), disk);
  ASSERT_TRUE(rig.start()) << rig.lines.text;
  rig.pump();
  rig.server.run({"SET", "k", "v"});
  EXPECT_EQ(rig.acknowledged(), rig.written());
  rig.server.run({"SET", "k", Seeded().bytes(100000)});  // no short one
  EXPECT_LT(rig.acknowledged(), rig.written());
  rig.pump();
  EXPECT_EQ(rig.acknowledged(), rig.written());
}

// Group commit: what comes while an fsync is under way costs one write and one fsync when it has ended, however much it is.
TEST_P(LogConformance, WhatGathersDuringAnFsyncSharesTheNext) {
  disk.at_once = true;
  int writes = 0, syncs = 0;
  LogRig rig(shards(), options(), disk);
  ASSERT_TRUE(rig.start()) << rig.lines.text;
  rig.server.run({"SET", "k", "v"});
  rig.pump();
  disk.fault = [&](const IoRequest& r, const std::string& path) {
    if (path.find(log_folder()) == std::string::npos) return 0;
    writes += r.op == IoRequest::Op::kWrite || r.op == IoRequest::Op::kWriteSync;
    syncs += r.op == IoRequest::Op::kDataSync || r.op == IoRequest::Op::kWriteSync;
    return 0;
  };
  disk.syncs_hang = true;
  const uint64_t before = rig.written();
  for (int i = 0; i < 100; i++) {
    rig.server.run({"SET", "k" + std::to_string(i), "v"});
    rig.step();
  }
  EXPECT_EQ(ahead() ? 0 : 1, writes);  // it hangs
  EXPECT_EQ(before, rig.acknowledged());
  disk.syncs_hang = false;
  rig.pump();
  EXPECT_EQ(rig.acknowledged(), rig.written());
  EXPECT_EQ(2, writes);
  EXPECT_EQ(2, syncs);
}

// A number of INFO persistence; -1 where it is not there.
static int64_t info_field(const LogRig& rig, const std::string& name) {
  InfoText info;
  rig.append->write_info(info, 0);
  const std::string text = "\r\n" + std::string(info.text), key = "\r\n" + name + ":";
  const size_t at = text.find(key);
  return at == std::string::npos ? -1 : std::stoll(text.substr(at + key.size()));
}

TEST_P(LogConformance, InfoTellsWhenWritersWaitForTheLog) {
  LogRig rig(shards(), options(AppendFsync::kEverysec), disk);
  ASSERT_TRUE(rig.start()) << rig.lines.text;
  rig.server.log().set_limit(5000);
  rig.server.run({"SET", "k", "v"});
  rig.pump();
  EXPECT_EQ(0, info_field(rig, "mutation_log_lag"));
  EXPECT_EQ(0, info_field(rig, "mutation_log_writers_held"));
  // What has come and the file has had no turn for.
  rig.server.log().append_raw(0, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$6000\r\n" + std::string(6000, 'v') + "\r\n", 0);
  EXPECT_LT(6000, info_field(rig, "mutation_log_lag"));
  EXPECT_EQ(5000, info_field(rig, "mutation_log_limit"));
  EXPECT_EQ(1, info_field(rig, "mutation_log_writers_held"));
  rig.pass_ms(100);
  EXPECT_EQ(0, info_field(rig, "mutation_log_lag"));
  EXPECT_EQ(0, info_field(rig, "mutation_log_writers_held"));
  EXPECT_LT(0, info_field(rig, "mutation_log_memory"));
}

TEST_P(LogConformance, AnFsyncThatKeepsTheNextWaitingIsCounted) {
  LogRig rig(shards(), options(AppendFsync::kEverysec), disk);
  ASSERT_TRUE(rig.start()) << rig.lines.text;
  auto delayed = [&] { return info_field(rig, "aof_delayed_fsync"); };
  rig.pump();
  disk.syncs_hang = true;
  rig.server.run({"SET", "k", "v"});
  rig.pass_ms(1100);  // it is asked for
  rig.pass_ms(2500);  // nobody waits for another one
  EXPECT_EQ(0, delayed());
  rig.server.run({"SET", "k", "w"});
  rig.pass_ms(100);
  EXPECT_EQ(1, delayed());
  rig.pass_ms(1000);
  EXPECT_EQ(1, delayed());
  rig.pass_ms(1500);
  EXPECT_EQ(2, delayed());
  rig.append->reset_info();
  EXPECT_EQ(0, delayed());
  disk.syncs_hang = false;
  rig.pump();
  rig.server.run({"SET", "k", "x"});
  rig.pass_ms(5000);
  EXPECT_EQ(0, delayed());
}

// Written by some shards, read by others: an image's parts hold keys of any shard then.
TEST_P(LogConformance, ItMakesNoDifferenceHowManyShardsRead) {
  Seeded r;
  std::string digest;
  for (int readers : {2, 1, 4, 3, 3}) {
    LogRig rig(readers, options(AppendFsync::kEverysec), disk);
    ASSERT_TRUE(rig.start()) << rig.lines.text;
    if (!digest.empty()) {
      ASSERT_EQ(rig.digest(), digest) << readers;
    }
    for (int i = 0; i < 1200; i++) {
      rig.server.run(random_command(r));
      if (i == 700) rig.server.run({"BGREWRITEAOF"});
      if (i % 100 == 0) rig.step();
    }
    for (int i = 0; i < 3000; i++) rig.server.run({"HSET", "large", "field" + std::to_string(r.below(100000)), r.bytes(30)});
    rig.server.run({"SELECT", "0"});
    digest = rig.digest();
    for (int i = 0; i < 10 && !rig.append->flush(); i++) rig.pass_ms(100);
    ASSERT_TRUE(rig.append->flush());
  }
}

// Counters, one command after the other: what is acknowledged is known of each moment.
struct Counters {
  std::map<std::string, int64_t> sent, acknowledged;
  std::vector<std::pair<uint64_t, std::string>> open;  // log offsets behind writes not yet acknowledged

  void write(LogRig& rig, Seeded& r) {
    std::string k = "c" + std::to_string(r.below(40));
    std::string reply = rig.server.run({"INCR", k});
    if (reply[0] != ':') return;  // MISCONF
    sent[k] = std::stoll(reply.substr(1));
    open.emplace_back(rig.written(), k);
    look(rig);
  }
  void look(LogRig& rig) {
    const uint64_t durable = rig.acknowledged();
    size_t n = 0;
    std::map<std::string, int64_t> behind;  // writes of the same key that are still open
    for (const auto& [offset, k] : open) n += offset <= durable;
    for (size_t i = n; i < open.size(); i++) behind[open[i].second]++;
    for (size_t i = 0; i < n; i++) acknowledged[open[i].second] = sent[open[i].second] - behind[open[i].second];
    open.erase(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(n));
  }
  void check(LogRig& rig, const std::string& when) {
    for (auto& [k, n] : sent) {
      std::string reply = rig.server.run({"GET", k});
      int64_t found = reply == "$-1\r\n" ? 0 : std::stoll(reply.substr(reply.find('\n') + 1));
      ASSERT_GE(found, acknowledged[k]) << when << " " << k << "\n" << rig.lines.text;
      ASSERT_LE(found, n) << when << " " << k;
      n = acknowledged[k] = found;
    }
    open.clear();
  }
};

TEST_P(LogConformance, APowerCutLosesNothingThatWasAcknowledged) {
  Seeded r;
  Counters counters;
  for (int round = 0; round < 60 / shortly(10); round++) {
    {
      LogRig rig(shards(), options(), disk);
      ASSERT_TRUE(rig.start()) << round << "\n" << rig.lines.text;
      counters.check(rig, "round " + std::to_string(round));
      if (testing::Test::HasFatalFailure()) return;
      for (uint64_t n = r.below(400), i = 0; i < n; i++) {
        counters.write(rig, r);
        if (i == 50 && r.chance(50)) rig.server.run({"BGREWRITEAOF"});
        for (uint64_t steps = r.below(3); steps; steps--) rig.step();
        counters.look(rig);
      }
    }
    disk.power_cut(r);
  }
}

// What was answered two seconds before the power went is there, also while the log is rewritten or goes on in another file.
TEST_P(LogConformance, WithEverysecAPowerCutTakesBackTwoSecondsAtMost) {
  Seeded r;
  std::map<std::string, int64_t> sent;
  for (int round = 0; round < 60 / shortly(10); round++) {
    std::vector<std::pair<int64_t, std::map<std::string, int64_t>>> answered;  // and when
    int64_t end;
    {
      LogRig rig(shards(), options(AppendFsync::kEverysec), disk);
      ASSERT_TRUE(rig.start()) << round << "\n" << rig.lines.text;
      Counters counters;
      counters.sent = sent;
      counters.check(rig, "round " + std::to_string(round));
      for (uint64_t n = 20 + r.below(400), i = 0; i < n; i++) {
        counters.write(rig, r);
        if (i == 50 && r.chance(50)) rig.server.run({"BGREWRITEAOF"});
        if (i == 90) rig.server.run({"SET", "big", r.bytes(70000)});
        rig.server.advance_ms(static_cast<int64_t>(r.below(60)));
        for (uint64_t steps = 1 + r.below(3); steps; steps--) rig.step();
        counters.look(rig);
        answered.emplace_back(rig.server.now_ms(), counters.acknowledged);
      }
      end = rig.server.now_ms();
      sent = counters.sent;
    }
    disk.power_cut(r);
    while (!answered.empty() && answered.back().first > end - 2000) answered.pop_back();
    LogRig rig(shards(), options(AppendFsync::kEverysec), disk);
    ASSERT_TRUE(rig.start()) << round << "\n" << rig.lines.text;
    Counters after;
    after.sent = sent;
    if (!answered.empty()) after.acknowledged = answered.back().second;
    after.check(rig, "after round " + std::to_string(round));
    if (testing::Test::HasFatalFailure()) return;
    sent = after.sent;
    for (int i = 0; i < 10 && !rig.append->flush(); i++) rig.pass_ms(100);
  }
}

// A replica's file holds the old data set until a base of the master's is on the disk: WAITAOF is told so.
TEST_P(LogConformance, AfterAFullSyncNothingCountsAsSyncedUntilThereIsABase) {
  LogRig rig(shards(), options(), disk);
  ASSERT_TRUE(rig.start());
  for (int i = 0; i < 10; i++) rig.server.run({"INCR", "n"});
  rig.pump();
  ASSERT_EQ(static_cast<int64_t>(rig.written()), rig.server.log().synced());
  bool base = false;
  disk.fault = [&](const IoRequest& q, const std::string& path) {
    base |= q.op == IoRequest::Op::kRename && path.find("temp-rewriteaof") != std::string::npos;
    return 0;
  };
  const uint64_t master = rig.written() + 12345;
  rig.server.log().restart_at(master);
  EXPECT_EQ(0, rig.server.log().synced());
  for (int i = 0; i < 300 && !base; i++) {
    rig.server.run({"INCR", "n"});
    rig.step();
    if (!base) {
      ASSERT_EQ(0, rig.server.log().synced());
    }
  }
  ASSERT_TRUE(base);
  for (int i = 0; i < 20; i++) rig.pass_ms(100);
  EXPECT_EQ(static_cast<int64_t>(rig.written()), rig.server.log().synced());
  EXPECT_GT(rig.server.log().synced(), static_cast<int64_t>(master));
}

// Until the log has been rewritten nobody is told that anything is safe, whatever the next fsync says.
TEST_P(LogConformance, AfterAFailedFsyncNothingCountsUntilTheLogIsRewritten) {
  Seeded r;
  Counters counters;
  {
    LogRig rig(shards(), options(), disk);
    ASSERT_TRUE(rig.start());
    for (int i = 0; i < 50; i++) counters.write(rig, r);
    rig.pump();
    counters.look(rig);
    const uint64_t before = rig.acknowledged();
    EXPECT_EQ(before, rig.written());
    bool failed = false, base = false;
    disk.fault = [&](const IoRequest& q, const std::string& path) {
      base |= q.op == IoRequest::Op::kRename && path.find("temp-rewriteaof") != std::string::npos;
      if (failed || q.op != (ahead() ? IoRequest::Op::kWriteSync : IoRequest::Op::kDataSync)) return 0;
      failed = true;
      return EIO;
    };
    for (int i = 0; i < 30; i++) counters.write(rig, r);
    for (int i = 0; i < 300 && !base; i++) {
      rig.step();
      if (!base) {
        ASSERT_EQ(rig.acknowledged(), before);
      }
      if (rig.lines.has("Fail to fsync") && !base && i % 3 == 0) {
        EXPECT_EQ(rig.server.run({"SET", "x", "y"}).substr(0, 8), "-MISCONF");
      }
    }
    EXPECT_TRUE(failed && base);
    for (int i = 0; i < 20; i++) rig.pass_ms(100);
    EXPECT_TRUE(rig.lines.has("Fail to fsync the AOF file"));
    EXPECT_EQ(rig.server.run({"SET", "x", "y"}), "+OK\r\n");
    rig.pump();
    counters.look(rig);
    EXPECT_EQ(rig.acknowledged(), rig.written());
    EXPECT_TRUE(counters.open.empty());
  }
  disk.fault = nullptr;
  disk.power_cut(r);
  LogRig again(shards(), options(), disk);
  ASSERT_TRUE(again.start()) << again.lines.text;
  counters.check(again, "after the power cut");
}

TEST_P(LogConformance, AFullDiskRefusesWritesAndLosesNothing) {
  Seeded r;
  Counters counters;
  {
    LogRig rig(shards(), options(), disk);
    ASSERT_TRUE(rig.start());
    for (int i = 0; i < 50; i++) counters.write(rig, r);
    rig.pump();
    disk.space = 100;  // ends within a write
    for (int i = 0; i < 20; i++) {
      counters.write(rig, r);
      rig.step();
    }
    for (int i = 0; i < 60 && ahead() && rig.append->write_ok(); i++) {  // the blocks that are there are used first
      rig.server.run({"SET", "big", r.bytes(100000)});
      rig.pump();
    }
    rig.pump();
    EXPECT_EQ(rig.server.run({"SET", "x", "y"}).substr(0, 8), "-MISCONF");
    EXPECT_LT(rig.acknowledged(), rig.written());
    rig.pass_ms(3000);
    EXPECT_EQ(rig.server.run({"GET", "x"}), "$-1\r\n");
    disk.space = -1;
    for (int i = 0; i < 20; i++) rig.pass_ms(100);
    EXPECT_EQ(rig.server.run({"SET", "x", "y"}), "+OK\r\n");
    rig.pump();
    counters.look(rig);
    EXPECT_EQ(rig.acknowledged(), rig.written());
    EXPECT_TRUE(rig.lines.has("AOF write error looks solved"));
  }
  LogRig again(shards(), options(), disk);
  ASSERT_TRUE(again.start()) << again.lines.text;
  EXPECT_EQ(again.server.run({"GET", "x"}), "$1\r\ny\r\n");
  counters.check(again, "after the restart");
}

// Every single request of a life with writes, full files and a rewrite fails once; then the power goes.
TEST_P(LogConformance, AnyRequestMayFail) {
  int requests = 1 << 20;
  for (int n = 1; n < requests; n += shortly(1 + n / 3)) {
    TempFolder own;
    Options o = options();
    o.dir = own.path();
    FailingDisk other;
    int count = 0;
    other.fault = [&](const IoRequest& q, const std::string&) { return q.op != IoRequest::Op::kClose && ++count == n ? EIO : 0; };
    Seeded r;
    Counters counters;
    {
      LogRig rig(shards(), o, other);
      if (!rig.start()) {
        EXPECT_LE(count, 40) << "refused to start: " << rig.lines.text;
        continue;
      }
      for (int i = 0; i < 120; i++) {
        counters.write(rig, r);
        if (i == 40) rig.server.run({"SET", "big", r.bytes(70000)});
        if (i == 60) rig.server.run({"BGREWRITEAOF"});
        rig.step();
        counters.look(rig);
      }
      for (int i = 0; i < 80; i++) rig.pass_ms(100);
      counters.look(rig);
      EXPECT_EQ(rig.acknowledged(), rig.written()) << "request " << n << "\n" << rig.lines.text;
      EXPECT_EQ(rig.server.run({"SET", "x", "y"}), "+OK\r\n") << "request " << n << "\n" << rig.lines.text;
      if (count < n) requests = n;  // there are no more
    }
    other.fault = nullptr;
    other.power_cut(r);
    LogRig again(shards(), o, other);
    ASSERT_TRUE(again.start()) << "request " << n << "\n" << again.lines.text;
    counters.check(again, "request " + std::to_string(n));
    if (testing::Test::HasFatalFailure()) return;
  }
}

// The file that is written to, cut at every byte: what is loaded is what was written up to some moment, whole commands and transactions.
TEST_P(LogConformance, ATornTailIsCutOffAndWrittenOn) {
  size_t content_size = 0;
  {
    LogRig rig(shards(), options(), disk);
    ASSERT_TRUE(rig.start());
    for (int i = 0; i < 12; i++) {
      rig.server.run({"RPUSH", "list", std::to_string(i)});
      rig.server.run({"MULTI"});
      rig.server.run({"SET", "{list}a", std::to_string(i)});
      rig.server.run({"SET", "other", std::to_string(i)});
      rig.server.run({"EXEC"});
      if (i % 3 == 0) rig.pump();
    }
    rig.pump();
    content_size = rig.size() - std::filesystem::file_size(folder.file(base_file()));
  }
  const std::string name = last_file(), whole = folder.read(name).substr(0, content_size);
  ASSERT_GT(whole.size(), 300u);
  for (size_t n = 0; n <= whole.size(); n += static_cast<size_t>(shortly(ahead() ? 31 : 11)) + n % 3) {
    folder.write(name, whole.substr(0, n));
    for (int round = 0; round < 2; round++) {  // the second one after what the first has put right, and written
      LogRig rig(shards(), options(), disk);
      ASSERT_TRUE(rig.start()) << n << "\n" << rig.lines.text;
      std::string length = rig.server.run({"LLEN", "list"});
      int64_t items = std::stoll(length.substr(1)) - round;
      std::string a = rig.server.run({"GET", "{list}a"}), b = rig.server.run({"GET", "other"});
      ASSERT_EQ(a, b) << n;
      int64_t last = a == "$-1\r\n" ? -1 : std::stoll(a.substr(a.find('\n') + 1));
      ASSERT_TRUE(last == items - 1 || last == items - 2) << n << ": " << last << " of " << items;
      ASSERT_EQ(rig.lines.has("short read"), round == 0 && rig.lines.has("Truncating the AOF")) << n << rig.lines.text;
      ASSERT_EQ(rig.server.run({"RPUSH", "list", "more"}), ":" + std::to_string(items + round + 1) + "\r\n");
      rig.pump();
      ASSERT_EQ(rig.acknowledged(), rig.written());
    }
  }
  Options strict = options();
  strict.aof_load_truncated = false;
  folder.write(name, whole.substr(0, whole.size() - 5));
  LogRig rig(shards(), strict, disk);
  EXPECT_FALSE(rig.start());
  EXPECT_TRUE(rig.lines.has("Unexpected end of file")) << rig.lines.text;
  EXPECT_TRUE(rig.lines.has(name.substr(name.find('/') + 1)));
  EXPECT_EQ(folder.read(name).size(), whole.size() - 5);  // untouched
}

TEST_P(LogConformance, AMissingFileIsNamed) {
  Seeded r;
  {
    LogRig rig(shards(), options(), disk);
    ASSERT_TRUE(rig.start());
    for (int i = 0; i < 3; i++) {
      rig.server.run({"SET", "big" + std::to_string(i), r.bytes(70000)});
      rig.pump();
    }
  }
  for (const auto& f : std::filesystem::directory_iterator(folder.file(log_folder()))) {
    const std::string name = f.path().filename(), path = log_folder() + "/" + name;
    if (name.ends_with(".manifest")) continue;
    std::string bytes = folder.read(path);
    std::filesystem::remove(f.path());
    LogRig rig(shards(), options(), disk);
    EXPECT_FALSE(rig.start()) << name;
    EXPECT_TRUE(rig.lines.has(name)) << rig.lines.text;
    folder.write(path, bytes);
  }
}

// Compaction begins early enough: at no moment the files take twice the memory of the data set.
TEST_P(LogConformance, TheDiskStaysBelowTwiceTheData) {
  if (!wal()) return;
  Options o = options(AppendFsync::kNo);
  o.auto_aof_rewrite_percentage = 100;
  o.auto_aof_rewrite_min_size = 1 << 20;
  o.wal_segment_size = 256 << 10;
  LogRig rig(shards(), o, disk);
  ASSERT_TRUE(rig.start());
  rig.server.engine().startup_memory = memory::used();
  Seeded r;
  for (int i = 0; i < 3000; i++) rig.server.run({"SET", "key:" + std::to_string(i), r.bytes(900)});
  uint64_t most = 0, data = memory::used() - rig.server.engine().startup_memory - rig.server.log().memory();
  for (int i = 0; i < 10000; i++) {
    rig.server.run({"SET", "key:" + std::to_string(r.below(3000)), r.bytes(900)});
    if (i % 50) continue;
    rig.pass_ms(20);
    uint64_t disk_bytes = 0;
    for (const auto& f : std::filesystem::directory_iterator(folder.file("waldir"))) disk_bytes += f.file_size();
    most = std::max(most, disk_bytes);
  }
  EXPECT_GT(rig.append->rewrites(), 2);
  EXPECT_LT(most, 2 * data) << data;
}

// While an image is made the log takes the room that the bound leaves: who writes more waits for the image's end, and everything goes on then.
TEST_P(LogConformance, WritersAreHeldBackForTheBound) {
  if (!wal()) return;
  Seeded r;
  std::vector<std::string> values;  // that do not get smaller
  for (int i = 0; i < 400; i++) values.push_back(r.bytes(3000));
  for (int percentage : {0, 200}) {
    TempFolder place;
    Options o = LogRig::options(PersistenceKind::kWal, place.path(), AppendFsync::kEverysec);
    o.auto_aof_rewrite_min_size = 1 << 20;
    o.wal_disk_percentage = percentage;
    o.wal_segment_size = 64 << 20;
    LogRig rig(shards(), o, disk);
    ASSERT_TRUE(rig.start());
    constexpr uint64_t kData = 1000 * 3060;
    uint64_t n = 0;
    auto set = [&](int times) {
      for (int i = 0; i < times; i++, n++) rig.server.run({"SET", "key:" + std::to_string(n % 1000), values[r.below(values.size())]});
    };
    set(1000);
    rig.pass_ms(100);
    for (int i = 0; i < 2; i++) {  // the second has an image before it
      rig.server.run({"BGREWRITEAOF"});
      rig.server.engine().startup_memory = memory::used() - rig.server.log().memory() - kData;  // a rig has much else
      if (i) disk.hanging_file = "temp-rewriteaof";
      rig.pass_ms(100);
    }
    ASSERT_TRUE(disk.hangs());
    ASSERT_EQ(rig.append->rewrites(), 2);
    set(1000);
    rig.pass_ms(500);
    uint64_t bytes = 0;
    for (const auto& f : std::filesystem::directory_iterator(place.file("waldir"))) bytes += f.file_size();
    const double times = static_cast<double>(bytes) / static_cast<double>(kData);
    if (percentage) {
      EXPECT_LT(rig.acknowledged(), rig.written());
      EXPECT_LT(times, 2.3);  // a write may go beyond it by 512 KiB, which is much here
    } else {
      EXPECT_EQ(rig.acknowledged(), rig.written());
      EXPECT_GT(times, 2.7);
    }
    disk.hanging_file.clear();
    rig.pass_ms(100);
    EXPECT_EQ(rig.acknowledged(), rig.written());
    EXPECT_EQ(rig.append->rewrites(), 3);
    for (int i = 0; i < 10 && !rig.append->flush(); i++) rig.pass_ms(100);
  }
}

// Our own log alone can tell: an append-only file has no checksums.
TEST_P(LogConformance, AChangedByteIsNeverLoadedSilently) {
  if (!wal()) return;
  {
    LogRig rig(shards(), options(), disk);
    ASSERT_TRUE(rig.start());
    for (int i = 0; i < 200; i++) rig.server.run({"RPUSH", "list", std::to_string(i)});
    rig.server.run({"BGREWRITEAOF"});
    for (int i = 0; i < 20; i++) rig.pass_ms(100);
    for (int i = 200; i < 230; i++) {
      rig.server.run({"RPUSH", "list", std::to_string(i)});
      if (i % 4 == 0) rig.pump();
    }
    rig.pump();
  }
  Seeded r;
  std::vector<std::string> names;
  for (const auto& f : std::filesystem::directory_iterator(folder.file("waldir")))
    names.push_back("waldir/" + f.path().filename().string());
  std::map<std::string, std::string> whole;
  for (const std::string& n : names) whole[n] = folder.read(n);
  for (int round = 0; round < 600 / shortly(10); round++) {
    const std::string& name = names[r.below(names.size())];
    std::string bytes = whole[name];
    bytes[r.below(bytes.size())] ^= static_cast<char>(1 << r.below(8));
    folder.write(name, bytes);
    LogRig rig(shards(), options(), disk);
    if (rig.start()) {
      EXPECT_TRUE(rig.lines.has("offset ") && rig.lines.has("Truncating")) << name << "\n" << rig.lines.text;
      std::string all = rig.server.run({"LRANGE", "list", "0", "-1"});
      int64_t n = std::stoll(all.substr(1));
      EXPECT_GE(n, 200);
      EXPECT_NE(all.find(std::to_string(n - 1)), std::string::npos);
    } else {
      EXPECT_TRUE(rig.lines.has("offset ") || rig.lines.has("manifest is damaged")) << name << "\n" << rig.lines.text;
      EXPECT_TRUE(rig.lines.has(name.substr(7)) || name.ends_with("manifest")) << name << "\n" << rig.lines.text;
    }
    for (const std::string& n : names) folder.write(n, whole[n]);
  }
}

}  // namespace
}  // namespace ringwood
