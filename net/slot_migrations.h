#pragma once
// All slots that move as one, from and to this node: which there are, what commands ask of them, and CLUSTER SYNCSLOTS. A part of the cluster's plane; on the
// first thread.
#include <atomic>
#include <deque>
#include <memory>
#include <vector>

#include "net/slot_exporter.h"
#include "net/slot_importer.h"

namespace ringwood {

// What is asked of the plane.
class SlotMigrationsOwner {
 public:
  virtual cluster::ClusterMachine& machine() = 0;
  virtual void machine_moved() = 0;
  virtual void claim(const cluster::SlotMove& move, uint64_t epoch, std::function<void(Executor&)> take) = 0;

 protected:
  ~SlotMigrationsOwner() = default;
};

class SlotMigrations final : public cluster::SlotMigrationControl, SlotMoveOwner {
 public:
  SlotMigrations(Engine& engine, Network& network, SlotMigrationsOwner& owner) : engine_(engine), network_(network), owner_(owner) {}
  SlotMigrations(const SlotMigrations&) = delete;

  void open(Loop& first) { loop_ = &first; }
  // Every turn.
  void turn(int64_t now_ms);
  // After each step of the cluster's machine.
  void view_changed() { view_changed_ = true; }
  // From any thread, with every shard held.
  void flushed() { flushes_.fetch_add(1, std::memory_order_release); }
  // CLUSTER SYNCSLOTS, on the thread of its connection, with every shard held.
  void sync(Call& call);
  void data_set_ends() { loaders_.clear(); }
  bool value_arrives() const { return open_values_.load(std::memory_order_relaxed) > 0; }

  // SlotMigrationControl
  bool exports(int slot) const override;
  bool imports(int slot) const override;
  bool exports_any() const override;
  void start(const cluster::SlotMove& move) override;
  void cancel_exports() override;
  std::vector<cluster::SlotMoveReport> reports() const override;

 private:
  // SlotMoveOwner
  cluster::ClusterMachine& machine() override { return owner_.machine(); }
  void machine_moved() override { owner_.machine_moved(); }
  void claim(const cluster::SlotMove& move, uint64_t epoch, std::function<void(Executor&)> take) override {
    owner_.claim(move, epoch, std::move(take));
  }
  void hold_writes(int64_t until_ms) override;
  void resume_writes() override;
  std::atomic<int>& open_values() override { return open_values_; }

  void establish(Connection& c, const std::vector<OwnedBytes>& words);
  OwnedBytes judge(const std::vector<OwnedBytes>& words, cluster::SlotMove& move, int& database);
  int free_database() const;
  bool imports_into(int database) const;
  bool has_keys(int database) const;
  void look_at_flushes();
  void look_at_view();
  void look_for_orphans();
  void settle_orphans(Executor& home);
  void forget();
  bool is_master() const;

  static constexpr int64_t kTickMs = 100;
  static constexpr size_t kLogged = 1000;  // those that are over (Valkey's number)
  Engine& engine_;
  Network& network_;
  SlotMigrationsOwner& owner_;
  Loop* loop_ = nullptr;
  std::atomic<int> open_values_{0};
  std::vector<std::shared_ptr<SlotExporter>> exports_;
  std::vector<std::shared_ptr<SlotImporter>> imports_;
  std::deque<cluster::SlotMoveReport> logged_;  // the youngest first
  // Of a replica, or while a file is loaded: what each database is given by the stream.
  std::vector<std::unique_ptr<SlotLoader>> loaders_;
  std::atomic<uint64_t> flushes_{0};
  uint64_t flushes_seen_ = 0;
  int64_t next_tick_ms_ = 0;
  bool view_changed_ = false, settling_orphans_ = false;
};

}  // namespace ringwood
