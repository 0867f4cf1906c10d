#pragma once
// A node of a cluster: the machine that decides (cluster/cluster_machine.h), and whatever carries its decisions out: links, nodes.conf, the slot map that
// all threads read, replication. Lives on the first thread; commands of other threads come as tasks.
//
// What the machine puts out is done in its order, and what must be durable first holds back all that follows. Only the slot map is not held back: what
// this node serves changes at once, for an operator's command while all shards are held.
#include <deque>
#include <memory>
#include <optional>

#include "cluster/cluster_machine.h"
#include "engine/base/random.h"
#include "engine/exec/cluster.h"
#include "engine/exec/slot_map.h"
#include "net/cluster_bus.h"
#include "net/network.h"
#include "net/nodes_file.h"
#include "net/replication.h"
#include "net/slot_migrations.h"
#include "net/slot_sweeper.h"

namespace ringwood {

class ClusterPlane final : public ClusterControl, ClusterBusOwner, SlotMigrationsOwner {
 public:
  ClusterPlane(Engine& engine, Log& log, Network& network, Replication& replication);
  ~ClusterPlane();
  ClusterPlane(const ClusterPlane&) = delete;

  // Before anything runs, where cluster-enabled is yes: reads nodes.conf, and names in the options the master that it names. False when it cannot be a
  // node, which has been logged.
  bool load(OptionsHolder& options);
  // Adds the listeners of the bus.
  bool listen(const Options& options);
  // When the loops stand.
  void open(Loop& first, int process_id);
  // Every turn of the first thread.
  void turn(int64_t now_ms);
  // The same from inside of a script of the first thread that takes long: the others must not take this node for dead.
  void turn_while_busy();
  // ClusterControl
  void ask(Call& call, ClusterRequest request) override;
  void publish(Executor& here, Bytes channel, Bytes message, bool sharded) override;
  void save() override;
  void describe_links(Reply& reply) override;
  int64_t links() const override { return links_.get(); }
  int64_t link_memory() const override { return link_bytes_.get() + announcing_.load(std::memory_order_relaxed); }
  void kill_links(Call& call, Bytes node, bool to, bool from) override;
  void drop_packets(int64_t type) override { dropped_type_ = type; }
  void flushed() override { migrations_.flushed(); }
  void sync_slots(Call& call) override { migrations_.sync(call); }
  bool value_arrives() const override { return migrations_.value_arrives(); }
  void data_set_ends() override { migrations_.data_set_ends(); }
  cluster::SlotMigrationControl& migrations() override { return migrations_; }
  uint64_t links_over_limit() const override { return bus_->over_limit(); }
  size_t keys() const override;

 private:
  using Output = cluster::Output;
  struct Question;
  struct Step {  // an output, or what is to be done behind those before it
    Output output;
    std::function<void()> then;
  };

  // ClusterBusOwner
  void link_accepted(cluster::LinkId link, Bytes peer_ip) override;
  void link_up(cluster::LinkId link) override;
  void link_down(cluster::LinkId link) override;
  void frame(cluster::LinkId link, Bytes bytes, Bytes own_ip, Bytes peer_ip) override;
  void frames_done() override { collect(); }
  // SlotMigrationsOwner
  cluster::ClusterMachine& machine() override { return *machine_; }
  void machine_moved() override { collect(); }
  void claim(const cluster::SlotMove& move, uint64_t epoch, std::function<void(Executor&)> take) override;

  cluster::ClusterConfig config(const Options& o) const;
  cluster::ReplicationState replication_state() const;
  void answer(const std::shared_ptr<Question>& q, Executor& first);
  void send_home(const std::shared_ptr<Question>& q);
  void send_task_home(const std::shared_ptr<Question>& q, void (*run)(Executor& home, Question& question));
  void take_options();
  void tick(int64_t now_ms);
  void collect();
  void line_up(Output&& o);  // behind what is to be done before it
  void drain();
  void carry_out(Output& o);
  void write_file();
  void follow(const cluster::Address& master);
  void stop_following();
  void drop_slots(const cluster::SlotSet& slots);
  void drop_data();
  void pause_writes(int64_t until_ms);
  void with_all_shards(std::function<void(Executor&)> work);
  void publish_map();
  void deliver_published();
  int64_t now_ms() const { return engine_.clock->unix_ms(); }

  Engine& engine_;
  Log& log_;
  Network& network_;
  Replication& replication_;
  Random random_;
  NodesFile file_;
  std::unique_ptr<cluster::ClusterMachine> machine_;
  std::unique_ptr<SlotMaps> maps_;
  std::unique_ptr<ClusterBus> bus_;
  SlotMigrations migrations_;
  SlotSweeper sweeper_;
  Loop* loop_ = nullptr;
  Counter links_, link_bytes_;
  std::atomic<int64_t> announcing_{0};     // bytes of messages that are on their way to this thread, for every link that they go out by
  std::atomic<int64_t> dropped_type_{-1};  // DEBUG
  const Options* options_ = nullptr;       // that the machine was last told of
  int64_t next_tick_ms_ = 0;

  std::deque<Step> steps_;
  bool draining_ = false, map_changed_ = false;
  std::vector<cluster::SlotMove> claims_;  // taken over, and not served yet
  bool taking_over_ = false;               // nothing further is done before the next of them is served
  bool held_back_ = false;                 // nothing further is done before the file is written
  bool save_wanted_ = false;               // the file is to be written anew, at the end of this turn or when it has been written
  bool sync_wanted_ = false;               // and must be on disk then
  int save_error_ = 0;                     // of the last write, an errno
  std::vector<Output> published_;          // messages for subscribers here
};

}  // namespace ringwood
