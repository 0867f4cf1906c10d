#pragma once
// Carries the source's side of slots that move as one (cluster/slot_export.h decides): dials the target, sends the image and then the log, holds writes at
// the end. Lives on the first thread, by shared_ptr: what it has asked for may come when it is over.
#include <atomic>
#include <deque>
#include <functional>
#include <memory>

#include "cluster/slot_export.h"
#include "engine/exec/executor.h"
#include "net/loop.h"
#include "net/settling.h"
#include "net/slot_log_filter.h"
#include "net/slot_stream.h"
#include "net/stream_owner.h"
#include "persist/snapshot_format.h"
#include "persist/snapshot_sink.h"

namespace ringwood {

namespace cluster {
class ClusterMachine;
}
class Snapshots;

// What both sides of a move ask of the node.
class SlotMoveOwner {
 public:
  virtual cluster::ClusterMachine& machine() = 0;
  // What the machine has been told is to be carried out. A change of who serves what is told while every shard is held.
  virtual void machine_moved() = 0;
  // The slots are taken over: the claim goes to the disk, `take` runs with every shard held, the slots are served, and only then the others hear of it.
  virtual void claim(const cluster::SlotMove& move, uint64_t epoch, std::function<void(Executor&)> take) = 0;
  // Writes are held, or this export holds them no more.
  virtual void hold_writes(int64_t until_ms) = 0;
  virtual void resume_writes() = 0;
  virtual std::atomic<int>& open_values() = 0;  // of imports, which have come in part

 protected:
  ~SlotMoveOwner() = default;
};

class SlotExporter final : public std::enable_shared_from_this<SlotExporter>, StreamOwner, OutputSource, LogFollower, SnapshotSink {
 public:
  SlotExporter(SlotMoveOwner& owner, Loop& loop, Snapshots& snapshots, const cluster::SlotMove& move, OwnedBytes host, int port);
  ~SlotExporter();
  SlotExporter(const SlotExporter&) = delete;

  // Begins, once.
  void start();
  const cluster::SlotExport& machine() const { return machine_; }
  bool cancel();
  void impossible(Bytes why);
  // The view has changed.
  void look_at_view();
  // Every turn, and ten times a second.
  void turn();
  void tick(int64_t now_ms);
  bool holds_writes() const { return holds_writes_; }
  cluster::SlotMoveReport report() const;

 private:
  using Do = cluster::SlotExport::Do;
  // StreamOwner
  void connected(Connection& c, int error) override;
  void received(Connection& c, Bytes bytes) override;
  void resumed(Connection&) override {}
  void lost(Connection& c) override;
  // OutputSource
  void drained(Connection&) override { pump(); }
  void closed(Connection&) override {}
  // LogFollower
  void log_grew(Executor&) override;
  // SnapshotSink
  void at_cut(Executor& home, SnapshotInfo& info) override;
  void take(OutBuffer chunk) override;
  void complete() override;
  void broken() override;

  int64_t now_ms() const;
  void carry_out();
  void carry_out(Do what);
  void dial();
  void ask_for_image();
  void read_log();
  void pump();
  void told(const std::vector<OwnedBytes>& words);
  void check();
  void hang_up();
  void say(Bytes bytes);
  void tell_stream();
  // All that has been written is handed to the connection.
  bool all_out() const;
  int64_t keys_sent() const;

  static constexpr size_t kSendBytes = 256 * 1024;  // in the connection's buffer at most
  SlotMoveOwner& owner_;
  Loop& loop_;
  Snapshots& snapshots_;
  MutationLog& log_;
  Log& text_;
  const OwnedBytes host_;
  const int port_;
  cluster::SlotExport machine_;
  SlotBits bits_;
  Connection* connection_ = nullptr;
  SlotWords words_;
  Settling settling_;
  bool settles_ = false;

  bool asks_for_image_ = false, snapping_ = false, image_whole_ = false, image_over_ = false;
  std::shared_ptr<SlotExporter> kept_;  // as long as the snapshot may speak to it
  std::deque<OutBuffer> image_;         // pieces to be sent
  LogReader reader_;
  SlotLogFilter filter_;
  OutBuffer tail_;  // of the log, to be sent
  size_t tail_at_ = 0;
  uint64_t out_ = 0;  // bytes of the stream that have been handed to the connection
  uint64_t granted_epoch_ = 0;
  int64_t keys_ = 0, keys_in_all_ = 0;
  int64_t next_sign_ms_ = 0;
  bool holds_writes_ = false, carrying_out_ = false, told_end_ = false;
  int64_t held_since_us_ = 0, held_us_ = -1;
};

}  // namespace ringwood
