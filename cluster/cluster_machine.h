#pragma once
// A cluster node's mind: everything that Redis Cluster decides, without a socket, a file or a clock. Messages, ticks, the fate of links and an operator's
// commands go in; what is to be sent, connected, written down and done comes out, in the order in which it must happen (what must be durable before a
// message leaves stands before it).
//
// One decision a file: membership.cc (who belongs, under which address), gossip.cc (what pings carry), failure.cc (who is down), election.cc (who follows
// a dead master, and manual failover), slots.cc (who owns what, whose configuration is newer), spread.cc (replicas that move to masters without),
// health.cc (does the cluster serve), operators.cc (CLUSTER's commands). Timings and rules are Redis 7.2's, since mixed clusters must agree.
#include <algorithm>
#include <vector>

#include "cluster/cluster_view.h"
#include "engine/base/options.h"

namespace ringwood::cluster {

struct SavedCluster;

// From redis.conf; may change at any time (set_config).
struct ClusterConfig {
  int64_t node_timeout_ms = 15000;
  int64_t ping_interval_ms = 0;  // 0: half of the timeout
  bool require_full_coverage = true;
  int64_t replica_validity_factor = 10;
  int64_t repl_ping_period_ms = 10000;
  size_t migration_barrier = 1;
  bool allow_replica_migration = true;
  bool replica_no_failover = false;
  Address announced;          // what this node says of itself; an empty ip is found out by others
  bool ip_announced = false;  // announced.ip comes from the configuration
  OwnedBytes hostname, human_name;
};

// What the machine must know of this node's replication; the carrier keeps it up to date.
struct ReplicationState {
  uint64_t offset = 0;
  bool following = false;       // a master has been named to replicate from
  bool connected = false;       // to it
  int64_t last_contact_ms = 0;  // with it, while connected
  int64_t down_since_ms = 0;    // while not
};

// Why a replica does not take its dead master's place.
enum class NoFailover : uint8_t { kNone, kDataAge, kWaitingDelay, kExpired, kWaitingVotes };

struct Output {
  enum class Kind : uint8_t {
    kPersist,        // write nodes_conf() down; `sync` it before what follows is done
    kConnect,        // link to address; answered by link_up or link_down
    kClose,          // link
    kSend,           // bytes over link
    kSlotMap,        // the map has changed: publish view() anew
    kFollow,         // replicate from address
    kStopFollowing,  // become a master, keeping the data
    kPauseWrites,    // until until_ms
    kResumeWrites,
    kDropSlots,  // keys in these slots are no longer ours
    kDropData,   // all of it
    kPublish,    // text: channel, bytes: message; sharded
    kLog,        // text
  } kind;
  LinkId link = kNoLink;
  Address address;
  OwnedBytes text, bytes;
  SlotSet slots;
  int64_t until_ms = 0;
  bool sync = false;
  bool sharded = false;
  LogLevel level = LogLevel::kNotice;
};

class ClusterMachine {
 public:
  // `random` is kept: it draws names, delays and whom to ping.
  ClusterMachine(ClusterConfig config, NodeId self, NodeId shard, Random& random, int64_t now_ms);
  ClusterMachine(const ClusterMachine&) = delete;

  // Right after the constructor, which was given the name that the file calls "myself".
  void restore(const SavedCluster& saved, int64_t now_ms);

  // --- what happens. Every function takes the time, in unix ms, and leaves outputs to be taken.
  void tick(int64_t now_ms);  // ten times a second
  void link_accepted(LinkId link, Bytes peer_ip, int64_t now_ms);
  void link_up(LinkId link, int64_t now_ms);
  void link_down(LinkId link, int64_t now_ms);
  // One frame. `own_ip`: this end of the socket; `peer_ip`: the other. A frame that is none is counted and dropped.
  void receive(LinkId link, Bytes frame, Bytes own_ip, Bytes peer_ip, int64_t now_ms);
  void set_config(ClusterConfig config, int64_t now_ms);
  // As if they had broken: ours to the node, and its to us.
  void kill_links(ClusterNode& n, bool to, bool from, int64_t now_ms);
  void set_replication(const ReplicationState& state) { replication_ = state; }
  // kPauseWrites has been done: no write is under way any more, and what set_replication() has said is where the replica must come to.
  void writes_paused(int64_t now_ms);
  // To all nodes, or to those of this shard.
  void publish(Bytes channel, Bytes message, bool sharded, int64_t now_ms);

  // --- an operator's commands: an error's text as Redis has it, or empty. In operators.cc.
  OwnedBytes meet(Bytes ip, int64_t port, int64_t cluster_port, int64_t now_ms);
  OwnedBytes forget(const NodeId& id, int64_t now_ms);
  OwnedBytes add_slots(const SlotSet& slots, int64_t now_ms);
  OwnedBytes delete_slots(const SlotSet& slots, int64_t now_ms);
  OwnedBytes flush_slots(bool empty, int64_t now_ms);
  OwnedBytes set_slot_migrating(int slot, const NodeId& to, int64_t now_ms);
  OwnedBytes set_slot_importing(int slot, const NodeId& from, int64_t now_ms);
  OwnedBytes set_slot_stable(int slot, int64_t now_ms);
  OwnedBytes set_slot_node(int slot, const NodeId& owner, bool has_keys, int64_t now_ms);
  OwnedBytes replicate(const NodeId& master, bool empty, int64_t now_ms);
  enum class Failover : uint8_t { kDefault, kForce, kTakeover };
  OwnedBytes fail_over(Failover how, int64_t now_ms);
  OwnedBytes reset(bool hard, bool empty, int64_t now_ms);
  OwnedBytes set_config_epoch(int64_t epoch, int64_t now_ms);
  OwnedBytes bump_epoch(int64_t now_ms);  // "BUMPED 5" or "STILL 5"

  // --- slots that move as one: handover.cc
  uint64_t grant(const SlotSet& slots, int64_t now_ms);
  void take_back(const SlotSet& slots, int64_t now_ms);
  void claim_granted(const SlotSet& slots, uint64_t epoch, int64_t now_ms);
  void withhold(const SlotSet& slots, bool on, int64_t now_ms);
  void ask_about(const SlotSet& slots, int64_t now_ms);
  void reclaim(uint64_t granted, int64_t now_ms);

  // --- what it knows
  const ClusterView& view() const { return view_; }
  bool ok() const { return ok_; }
  // It hears a majority of the masters, and has for a while.
  bool in_touch(int64_t now_ms) const;
  const ClusterConfig& config() const { return config_; }
  const ReplicationState& replication() const { return replication_; }
  uint64_t sent(BusType t) const { return sent_[static_cast<size_t>(t)]; }
  uint64_t received(BusType t) const { return received_[static_cast<size_t>(t)]; }
  uint64_t dropped() const { return dropped_; }  // frames that were none, or from nobody
  // How many masters have reported it as failing, of late.
  size_t failure_reports(ClusterNode& n, int64_t now_ms);
  ClusterNode* find(const NodeId& id) { return view_.find(id); }
  bool manual_failover() const { return manual_.until_ms != 0; }
  // nodes.conf as it stands.
  OwnedBytes nodes_conf() const;

  // Takes what is to be done since the last time.
  std::vector<Output> take_outputs() {
    std::vector<Output> out;
    out.swap(outputs_);
    return out;
  }
  OwnedBytes invariants() const { return view_.invariants(); }

 private:
  struct Forgetting {
    NodeId id;
    int64_t until_ms;
  };
  // A link and who is behind it: null while that is not known.
  struct Link {
    ClusterNode* node = nullptr;
    bool inbound = false;
  };
  struct Arrival {
    LinkId link;
    Link* via;
    const BusMessage& message;
    Bytes own_ip, peer_ip;
    ClusterNode* sender;  // null: nobody we know
  };

  // What one input has stirred up, and is done once at its end (settle).
  enum Todo : unsigned { kElection = 1, kHealth = 2, kSave = 4, kSync = 8, kManual = 16, kMap = 32 };
  void later(unsigned todo) { todo_ |= todo; }
  void settle();

  // membership.cc
  Link* find_link(LinkId link);
  ClusterNode* sender_of(LinkId link, Link& via, const BusMessage& m);
  void drop_link(LinkId link);
  ClusterNode& add_stranger(uint16_t flags);
  void remove_node(ClusterNode& n);
  void reconnect();
  void open_link(ClusterNode& n);
  void greet(Arrival& a);
  bool shake_hands(Arrival& a);
  bool update_address(ClusterNode& n, const Arrival& a);
  void learn_names(ClusterNode& sender, const BusMessage& m);
  void learn_role(ClusterNode& sender, const BusMessage& m);
  void forget_for(const NodeId& id, int64_t seconds);
  bool forgotten(const NodeId& id) const;
  void forget_expired();
  void join_shard(ClusterNode& n, const NodeId& shard);

  // gossip.cc
  BusMessage header(BusType type) const;
  BusMessage greeting(BusType type);
  void ping(LinkId link, ClusterNode* to, BusType type);
  void add_gossip(BusMessage& m);
  void ping_somebody();
  void take_gossip(Arrival& a);
  void gossip_about(ClusterNode& n, const Gossip& g, ClusterNode* sender);
  void send(LinkId link, const BusMessage& m);
  void send(LinkId link, BusType type, Bytes bytes);
  void broadcast(const BusMessage& m);
  void broadcast_pong(bool shard_only);

  // failure.cc
  void watch_nodes();
  void report_failure(ClusterNode& n, ClusterNode& from, bool failed);
  void mark_failing(ClusterNode& n);
  void take_fail(Arrival& a);
  void answered(ClusterNode& n);

  // election.cc
  // When its master has been declared dead, the replica with the most data asks for votes after the first of these and some part, at random, of the second.
  static constexpr int64_t kFailSpreadsMs = 500, kSpreadMs = 500;
  void run_election();
  void ask_for_votes(int64_t asked_age, int64_t timeout);
  bool may_be_replaced(const ClusterNode& master) const;
  bool votes_may_count_twice() const;
  void consider_vote(Arrival& a);
  void count_vote(Arrival& a);
  void take_over();
  void cannot(NoFailover why);
  size_t votes_needed();
  int rank() const;
  void manual_progress();
  void end_manual();
  void begin_manual_at_master(Arrival& a);

  // election_queue.cc
  bool others_first();
  void note_lost_epoch(const BusMessage& m);

  // slots.cc
  void take_claim(ClusterNode& owner, uint64_t epoch, const SlotSet& claimed);
  void note_unclaimed(const ClusterNode& owner, const SlotSet& claimed);
  void correct(Arrival& a);
  void take_update(Arrival& a);
  void settle_collision(ClusterNode& sender);
  bool bump_without_consensus();
  void follow(ClusterNode& master);
  void note_epoch(uint64_t epoch) { view_.current_epoch = std::max(view_.current_epoch, epoch); }

  // spread.cc
  struct Orphans {
    size_t masters = 0, most_replicas = 0, ours = 0;
  };
  void consider_spreading(const Orphans& o);

  // health.cc
  void judge_health();
  bool reaches_majority() const;
  int64_t rejoin_delay() const;

  // handover.cc
  bool precedes_grant(int slot, uint64_t epoch) const;

  void take_ping(Arrival& a);
  void take_publish(Arrival& a);
  void dispatch(Arrival& a);
  void put(Output o) { outputs_.push_back(std::move(o)); }
  [[gnu::format(printf, 3, 4)]] void log(LogLevel level, const char* format, ...);
  // What begins every function that takes the time.
  void at(int64_t now_ms) {
    now_ms_ = now_ms;
    step_ = outputs_.size();
  }
  ClusterNode& me() const { return view_.myself(); }

  ClusterConfig config_;
  Random& random_;
  ClusterView view_;
  ReplicationState replication_;
  int64_t now_ms_;
  std::vector<Output> outputs_;
  size_t step_ = 0;  // where this input's outputs begin
  unsigned todo_ = 0;
  uint64_t ticks_ = 0;

  struct Grant {
    SlotSet slots;
    uint64_t epoch;
  };
  std::vector<Grant> grants_;  // the youngest last; those of which nothing is outstanding go with the next

  std::unordered_map<LinkId, Link> links_;
  LinkId next_link_ = 1;  // of those that we open: odd; the carrier numbers those that it accepts, even
  std::vector<Forgetting> forgetting_;
  uint64_t pings_ = 0;
  size_t possibly_failed_ = 0;

  struct {
    int64_t at_ms = 0;  // of the last or the next election
    size_t votes = 0;
    size_t needed = 0;  // a majority, as it was when votes were asked for
    bool asked = false;
    int rank = 0;
    uint64_t epoch = 0;
    NoFailover why_not = NoFailover::kNone;
    int64_t why_logged_ms = 0;
    NodeId awaited, passed;  // of the queue of dead masters: whose election is waited for; up to whom it is not any more
    int64_t awaited_since_ms = 0;
  } election_;
  struct {
    int64_t until_ms = 0;            // 0: none under way
    bool paused = false;             // at the master: nothing is written any more
    ClusterNode* replica = nullptr;  // at the master: who asked
    bool has_offset = false;         // at the replica: of the master, since it has stopped writing
    uint64_t offset = 0;
    bool may_start = false;
  } manual_;

  bool ok_ = false;
  int64_t first_judged_ms_ = 0, minority_ms_ = 0;
  uint64_t sent_[kBusTypes] = {}, received_[kBusTypes] = {}, dropped_ = 0;
};

}  // namespace ringwood::cluster
