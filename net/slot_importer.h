#pragma once
// Carries the target's side of slots that move as one (cluster/slot_import.h decides): applies what the source sends in a database that nobody sees, and takes
// the slots over when it is told to. Lives on the first thread, by shared_ptr.
#include <memory>

#include "cluster/slot_import.h"
#include "net/loop.h"
#include "net/slot_exporter.h"
#include "net/stream_applier.h"
#include "net/stream_owner.h"
#include "persist/slot_loader.h"

namespace ringwood {

namespace cluster {
class ClusterView;
}

class SlotImporter final : public std::enable_shared_from_this<SlotImporter>, StreamOwner, StreamObserver {
 public:
  // `database`: an empty one, for this import alone.
  SlotImporter(SlotMoveOwner& owner, Loop& loop, const cluster::SlotMove& move, int database);
  SlotImporter(const SlotImporter&) = delete;

  // The source's connection, which has arrived here; what it said has been found right.
  void start(Connection& c);
  const cluster::SlotImport& machine() const { return machine_; }
  int database() const { return database_; }
  // Nothing of it is left: the database may be used again.
  bool gone() const { return machine_.over() && !dropping_ && !taking_ && !connection_ && !applier_.busy(); }
  bool owns(const Client* c) const { return c && connection_ == c; }
  // One of the source's words, with every shard held.
  void command(Call& call);
  void impossible(Bytes why);
  void look_at_view();
  void tick(int64_t now_ms);
  cluster::SlotMoveReport report() const;

 private:
  using Do = cluster::SlotImport::Do;
  // StreamOwner
  void connected(Connection&, int) override {}
  void received(Connection& c, Bytes bytes) override;
  void resumed(Connection&) override { applier_.more(); }
  void lost(Connection& c) override;
  // StreamObserver
  void applied(Bytes bytes) override;
  void wants_more() override;
  void broken(const char* why) override { impossible("What the source says cannot be understood: " + OwnedBytes(why)); }
  void command_failed(Bytes error, Bytes command) override;
  bool may_apply(Executor& home) const override;

  int64_t now_ms() const;
  void carry_out();
  void take_over();
  void show(Executor& home);
  void drop();
  void hang_up();
  bool out_of_memory() const;

  static constexpr size_t kMostWaiting = 2 << 20;  // bytes that have come and are not applied: nothing more is received then
  SlotMoveOwner& owner_;
  Loop& loop_;
  Log& text_;
  const int database_;
  cluster::SlotImport machine_;
  StreamApplier applier_;
  SlotLoader loader_;
  Connection* connection_ = nullptr;
  bool dropping_ = false, taking_ = false;
};

// What CLUSTER SYNCSLOTS FINISH means, wherever it is said: the keys of the database become keys of the one in use, or go. Every shard is held.
void finish_import(Executor& here, int database, bool success);
// The same for what this node has by now in a view: keys of slots that are its own are taken, all others go. Told to replicas and the file.
struct Settled {
  size_t ours = 0, others = 0;  // slots with keys
};
Settled settle_import(Executor& here, int database, const cluster::ClusterView& view, Bytes name);

}  // namespace ringwood
