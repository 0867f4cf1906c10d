#pragma once
// Replication as one thing: which part this server plays, in which history of writes it stands, and the links that come of it. Its state is the first
// thread's;
// what others ask for travels there as a task, what they want to know is a copy.
#include <atomic>
#include <memory>
#include <mutex>

#include "cluster/planned_failover.h"
#include "cluster/replication_history.h"
#include "engine/base/random.h"
#include "engine/exec/mutation_log.h"
#include "engine/exec/replication.h"
#include "net/master_link.h"
#include "net/replica_desk.h"
#include "net/settling.h"

namespace ringwood {

class Replication final : public ReplicationControl, MasterLinkOwner, ReplicaDeskOwner {
 public:
  Replication(Engine& engine, Log& log);
  ~Replication();
  Replication(const Replication&) = delete;

  // When the loops stand: the first of them, and how data sets are loaded.
  void open(Loop& first, DataLoad& load, Persistence& persistence, int process_id);
  // The data set of the start has been loaded; a file may know its place in a history. Follows whom the options name.
  void start(const DataLoad::Result& loaded);
  // Every turn of the first thread. True when there is more to do at once.
  bool turn(int64_t now_ms);

  // The cluster has decided so: on the first thread, while every shard is held.
  void become_replica(Executor& first, const OwnedBytes& host, int port);
  void become_master(Executor& first);

  // ReplicationControl
  ReplicationStatus status() const override;
  AckCount acknowledged_by(int64_t offset) const override;
  int64_t offset_now() const override { return offset(); }
  void replicaof(Call& call, Bytes host, int port) override;
  void change_id(Executor& here) override;
  void reset_counters() override;
  void replconf(Call& call) override;
  void psync(Call& call, bool old, Bytes id, int64_t from, bool failover) override;
  void failover(Call& call, const FailoverWish& wish) override;
  void abort_failover(Call& call) override;
  bool failing_over() const override { return failing_over_.load(std::memory_order_relaxed); }

  // CONFIG SET has another min-replicas-to-write: from now on the gate asks, until the first thread knows more.
  void look_at_gate() {
    if (!(engine_.state.load(std::memory_order_relaxed) & kStateReplica)) set_state(kStateFewReplicas, true);
  }

  // --- before the server ends, on the first thread
  // Every replica has acknowledged all there is.
  bool replicas_have_all() const;
  void ask_replicas() { desk_->ask(); }
  void log_lagging() const;
  void ask_replicas(Executor& here) override;

 private:
  struct RoleChange;
  struct FailoverCall;
  struct PartSwitch;
  struct Admission {
    Connection* connection;
    bool old;
    OwnedBytes id;
    int64_t from;
  };
  // MasterLinkOwner
  const OwnedBytes& history() const override { return history_.id; }
  int64_t offset() const override { return static_cast<int64_t>(mutations_->end()); }
  void new_data_set(int64_t offset) override;
  void synced(const OwnedBytes& id) override;
  void continued(const OwnedBytes& id) override;
  void streamed(Bytes bytes, int database) override;
  void link_changed() override;
  bool hands_over() const override { return failover_.state() == PlannedFailover::State::kInProgress; }
  void handed_over(bool taken) override;
  // ReplicaDeskOwner
  const ReplicationHistory& present_history() const override { return history_; }
  void backlog_begins() override;
  void backlog_dropped() override;
  bool leads() const override { return !replica_; }
  int stream_database() const override { return replica_ ? link_->database() : -1; }
  void replicas_changed() override;
  void acknowledged() override;

  void change_part(Executor& here, Bytes host, int port);
  void follow(const OwnedBytes& host, int port);
  void lead();
  // FAILOVER, in replication_failover.cc
  std::vector<PlannedFailover::Replica> replicas_known() const;
  void send_failover(Call& call, const FailoverWish& wish, bool abort);
  OwnedBytes begin_failover(const FailoverWish& wish);
  void look_at_failover(int64_t now_ms);
  void give_up_failover(const char* why);
  void end_failover();
  void show_failover();
  void switched(const PartSwitch& s);
  void become_master();
  void take_part_of(Connection& master, const OwnedBytes& id, int64_t from);
  void admit_successor(const PartSwitch& s);
  void show_part(Bytes host, int port);
  void on_every_thread(void (*run)(Task&, Executor&));
  void set_state(uint32_t bit, bool on);
  std::shared_ptr<void> hold_for_import();
  void new_id();

  Engine& engine_;
  Log& log_;
  MutationLog* mutations_ = nullptr;
  Random random_;  // for ids
  mutable std::mutex history_mutex_;
  ReplicationHistory history_;  // changed by the first thread, under the mutex
  bool replica_ = false;
  Loop* loop_ = nullptr;
  const Options* options_ = nullptr;  // those that the gate for writes was last set by
  std::unique_ptr<MasterLink> link_;
  std::unique_ptr<ReplicaDesk> desk_;
  std::vector<Admission> admissions_;  // of this turn
  PlannedFailover failover_;
  Settling settling_;       // of the writes before it
  bool switching_ = false;  // a PartSwitch of it is under way
  std::atomic<bool> failing_over_{false};
  std::atomic<int> importers_{0};
  // What status() copies.
  mutable std::mutex status_mutex_;
  ReplicationStatus status_;
  ReplicaDesk::BacklogBounds backlog_bounds_;
  int64_t full_base_ = 0, partial_base_ = 0, refused_base_ = 0;  // where the counters stood at CONFIG RESETSTAT
};

}  // namespace ringwood
