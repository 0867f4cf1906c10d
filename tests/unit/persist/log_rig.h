#pragma once
// A server in this process with a log on a disk that the test can break.
#include "engine/base/log.h"
#include "persist/append_only.h"
#include "tests/harness/in_process.h"
#include "tests/support/failing_disk.h"

namespace ringwood {

class LinesOfLog final : public Log {
 public:
  bool wants(LogLevel level) const override { return level != LogLevel::kDebug; }
  void line(LogLevel, Bytes l) override { text.append(l).append("\n"); }
  bool has(const std::string& part) const { return text.find(part) != std::string::npos; }
  std::string text;
};

class LogRig {
 public:
  static Options options(PersistenceKind kind, const std::string& folder, AppendFsync policy = AppendFsync::kAlways) {
    Options o;
    o.persistence = kind;
    o.appendonly = kind == PersistenceKind::kAof;
    o.dir = folder;
    o.databases = 4;
    o.appendfsync = policy;
    o.auto_aof_rewrite_percentage = 0;
    o.wal_segment_size = 1 << 16;
    o.enable_debug_command = ProtectedAction::kYes;
    return o;
  }

  LogRig(int shards, const Options& o, FailingDisk& on)
      : server(shards, o),
        disk(on),
        persistence(server.engine(), std::vector<FileIo*>(static_cast<size_t>(shards), &on), 1, "7.2.6", nullptr) {
    server.engine().log = &lines;
    server.engine().persistence = &persistence;
    append = std::make_unique<AppendOnly>(server.engine(), persistence, disk, 1);
    server.engine().append_only = append.get();
  }
  ~LogRig() {
    server.settle();  // what is on its way between threads arrives: it is nobody's memory
    disk.forget();
    server.engine().append_only = nullptr;
  }

  // Loads what is there. False: it is refused, and `lines` says why.
  bool start() {
    server.executor(0).begin_turn(server.clock().unix_us());
    if (!append->prepare(server.executor(0))) return false;
    append->load(
        server.executor(0), true, false,
        [](void* self, bool good) {
          static_cast<LogRig*>(self)->started = true;
          static_cast<LogRig*>(self)->ok = good;
        },
        this);
    for (int i = 0; i < 100000 && !started; i++) step();
    return started && ok;
  }
  // One thing of each kind.
  bool step() {
    bool moved = disk.step();
    moved |= append->turn(server.executor(0), false);
    append->turn(server.executor(0), true);
    server.settle();
    return moved;
  }
  void pump() {
    for (int quiet = 0; quiet < 4;) quiet = step() ? 0 : quiet + 1;
  }
  void pass_ms(int64_t ms) {
    server.advance_ms(ms);
    pump();
  }
  uint64_t written() { return server.log().end(); }
  uint64_t acknowledged() { return server.log().durable(); }
  // Of all files, without what is written ahead.
  size_t size() {
    pass_ms(100);
    InfoText info;
    append->write_info(info, 0);
    constexpr Bytes kField = "aof_current_size:";
    const size_t at = info.text.find(kField);
    return at == OwnedBytes::npos ? 0 : std::stoul(std::string(info.text.substr(at + kField.size())));
  }
  std::string digest() { return server.run({"DEBUG", "DIGEST"}); }

  LinesOfLog lines;
  InProcess server;
  FailingDisk& disk;
  Persistence persistence;
  std::unique_ptr<AppendOnly> append;
  bool started = false, ok = false;
};

}  // namespace ringwood
