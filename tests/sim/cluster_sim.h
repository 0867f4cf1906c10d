#pragma once
// A whole cluster in one thread and virtual time: the production machines (cluster/cluster_machine.h), with a network that delays, loses, cuts and
// partitions, nodes that crash and come back with what they had written down, and clocks that jump. Everything follows from the seed,
// with every compiler: a die is a statement of its own, since arguments of one call are worked out in any order.
#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "cluster/cluster_machine.h"

namespace ringwood::cluster {

class ClusterSim {
 public:
  struct Faults {
    double lose = 0;       // part of the messages that vanish
    double cut = 0;        // part of the messages with which their connection breaks
    int64_t delay_ms = 5;  // at most, of a message
    int64_t sync_ms = 0;   // at most, until what must be durable is; 0: at once
  };
  ClusterSim(uint64_t seed, int64_t node_timeout_ms) : random_(seed), timeout_(node_timeout_ms) {}
  virtual ~ClusterSim() = default;

  // Nodes 0 .. masters-1 own the slots, the others replicate them in turn; they meet, and this returns when all know all. False when they do not.
  bool create(size_t masters, size_t replicas_each);
  // The same with what create() comes to in their files already: they start within `over_ms`, as after a power cut of all, and this returns at once.
  void start_known(size_t masters, size_t replicas_each, int64_t over_ms = kTickMs);
  // Runs that long.
  void run(int64_t ms);
  // Runs until all living nodes agree that the cluster serves, and how; false after `ms`.
  bool converge(int64_t ms);

  // `sent_arrives`: what it has sent is on its way all the same, as when a process is killed; otherwise it is lost with the machine.
  void crash(size_t node, bool sent_arrives = false);
  void restart(size_t node);
  // Nodes in different groups do not hear each other. An empty set heals.
  void partition(std::set<size_t> side) { side_ = std::move(side); }
  void jump_clock(size_t node, int64_t ms) { nodes_[node].clock += ms; }
  // What the one says to the other on the bus takes that much longer, or, where that is less than nothing, is lost.
  void slow_down(size_t from, size_t to, int64_t ms) { lag_[{from, to}] = ms; }
  Faults faults;
  // An operator moves a slot between two living masters, as redis-cli --cluster reshard does; what fails, fails.
  void move_slot();
  bool fail_over(size_t replica);

  size_t size() const { return nodes_.size(); }
  bool up(size_t node) const { return nodes_[node].machine != nullptr; }
  bool is_master(size_t node) const { return up(node) && nodes_[node].machine->view().myself().is_master(); }
  size_t serving(size_t node) const { return static_cast<size_t>(nodes_[node].machine->view().myself().slot_count); }
  ClusterMachine& machine(size_t node) { return *nodes_[node].machine; }
  int64_t now() const { return now_; }
  uint64_t messages() const { return messages_; }
  uint64_t bytes() const { return bytes_; }
  // Of everything that has happened: two builds that print the same have run the same.
  uint64_t fingerprint() const { return fingerprint_; }
  // What must never happen, and has; empty: nothing.
  const std::string& fault() const { return fault_; }
  // Why the living nodes do not agree; empty: they do.
  std::string disagreement() const;
  Random& random() { return random_; }

 protected:
  bool hears(size_t a, size_t b) const { return side_.empty() || side_.count(a) == side_.count(b); }
  bool silent(size_t from, size_t to) const {
    const auto lag = lag_.find({from, to});
    return lag != lag_.end() && lag->second < 0;
  }
  int64_t clock(size_t node) const { return now_ + nodes_[node].clock; }
  const NodeId& id(size_t node) const { return nodes_[node].id; }
  // Does what the node's machine wants done, after it has been asked for something.
  void carry_out(size_t node);
  void accuse(std::string fault) {
    if (fault_.empty()) fault_ = std::move(fault);
  }
  bool waits_for_disk(size_t node) const { return nodes_[node].held_back; }
  // Slots that the node has lost: whatever keys are in them go.
  virtual void lost_slots(size_t, const SlotSet&) {}

 private:
  static constexpr int64_t kTickMs = 100;
  struct Node {
    std::unique_ptr<ClusterMachine> machine;
    std::unique_ptr<Random> random;
    NodeId id;
    int64_t clock = 0;  // ahead of the common time
    OwnedBytes conf;    // on disk
    ReplicationState replication;
    size_t following = SIZE_MAX;
    uint64_t life = 0;  // counts restarts, so that events of a former life are dropped
    bool was_master = false;
    std::deque<Output> waiting;  // behind what is to be durable first
    bool held_back = false;
  };
  struct Connection {
    size_t ends[2];
    LinkId links[2];
    bool open = true, accepted = false;
    int tries = 0;                                     // of the system's, while nobody answers
    std::vector<std::shared_ptr<OwnedBytes>> waiting;  // sent before it stood
  };
  struct Event {
    int64_t at;
    uint64_t order;
    enum class Kind : uint8_t { kTick, kConnected, kDeliver, kClosed, kSynced, kHungUp } kind;
    size_t node;
    uint64_t life, connection;
    int end;
    std::shared_ptr<OwnedBytes> bytes;
    bool operator>(const Event& o) const { return at != o.at ? at > o.at : order > o.order; }
  };
  static OwnedBytes ip(size_t node) { return "10.0." + std::to_string(node / 250) + "." + std::to_string(node % 250 + 1); }
  size_t node_at(const Address& a) const;
  ClusterConfig config(size_t node) const;
  void make(size_t node, const OwnedBytes& conf, int64_t over_ms = kTickMs);
  void handle(const Event& e);
  void carry_out(size_t node, Output& o);
  void close(uint64_t connection, size_t by);
  void push(int64_t delay, Event::Kind kind, size_t node, uint64_t connection = 0, int end = 0,
            std::shared_ptr<OwnedBytes> bytes = nullptr);
  void replicate(size_t node);
  void check(size_t node, bool changed);

  Random random_;
  int64_t timeout_;
  int64_t now_ = 1700000000000;
  uint64_t order_ = 0, messages_ = 0, bytes_ = 0, next_inbound_ = 2, steps_ = 0, fingerprint_ = 0;
  std::vector<Node> nodes_;
  std::map<OwnedBytes, size_t> by_ip_;
  std::map<uint64_t, Connection> connections_;
  uint64_t next_connection_ = 1;
  std::map<std::pair<size_t, LinkId>, std::pair<uint64_t, int>> by_link_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::set<size_t> side_;
  std::map<std::pair<size_t, size_t>, int64_t> lag_;
  std::map<uint64_t, size_t> winners_;  // of elections, by epoch
  std::string fault_;
};

}  // namespace ringwood::cluster
