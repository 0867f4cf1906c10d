#pragma once
// Replication between servers in virtual time: the production machines (cluster/replica_handshake.h, sync_payload.h, replica_peer.h, replication_history.h,
// stream_frame.h, planned_failover.h), links that are slow, lose what is on their way and whose two ends learn of it at different times, so that a new link
// may stand while the old one still speaks, servers that stand still, die and come back with an older data set, and orders that change who follows whom.
// The part of the carriers (net/master_link.h, replica_desk.h, replication.h) is here, in short.
//
// A data set is what its writes have left: a number of them, and a hash in which their order counts. What must never happen: two servers that say they stand
// at the same place of one history, and do not have the same.
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/planned_failover.h"
#include "cluster/replica_handshake.h"
#include "cluster/replica_peer.h"
#include "cluster/replication_history.h"
#include "cluster/stream_frame.h"
#include "cluster/sync_payload.h"
#include "engine/base/random.h"

namespace ringwood {

class ReplicationSim {
 public:
  ReplicationSim(uint64_t seed, size_t nodes);
  struct Faults {
    int64_t delay_ms = 10;  // at most, of what goes over a link
    double cut = 0;         // part of what is sent with which its link breaks
  };
  Faults faults;
  size_t backlog = 2000;  // bytes that a master keeps

  // A millisecond at a time, with clients that write wherever they are let. Ends early with a fault.
  void run(int64_t ms);
  bool writing = true;

  // --- orders; what is refused does nothing
  void follow(size_t node, size_t master);
  void lead(size_t node);
  bool fail_over(size_t node, size_t target, int64_t timeout_ms);
  void cut(size_t node);  // all its links
  void stand_still(size_t node, int64_t ms);
  void save(size_t node);
  // A master that nobody follows counts no longer what it writes.
  void drop_backlog(size_t node);
  // Dies and comes back with what it last saved, and the part that it plays.
  void restart(size_t node);

  bool leads(size_t node) const { return !nodes_[node].replica; }
  bool failing_over(size_t node) const { return nodes_[node].failover.active(); }
  // All follow this one, over links that stand, and have all that it has.
  bool settled(size_t root) const;
  size_t full_syncs() const { return full_; }
  size_t partial_syncs() const { return partial_; }
  uint64_t writes() const { return writes_; }
  const std::string& fault() const { return fault_; }
  Random& random() { return random_; }

 private:
  struct Data {
    uint64_t count = 0, hash = 0;
    bool operator==(const Data& o) const { return count == o.count && hash == o.hash; }
  };
  // One direction of a connection.
  struct Pipe {
    std::deque<std::pair<int64_t, OwnedBytes>> pieces;  // with the time at which each arrives
    int64_t last_ms = 0, ends_ms = -1;                  // when the receiver hears of the end; -1: it has not ended
    bool lost = false;                                  // what is sent from now on does not arrive
  };
  struct Connection {
    size_t dialler = 0, accepter = 0;
    Pipe there, back;                                // to the accepter, to the dialler
    bool dialler_open = true, accepter_open = true;  // as each of them knows
    OwnedBytes requests;                             // at the accepter, not cut into commands yet
    ReplicaTraits traits;
  };
  using Connections = std::list<Connection>;
  struct Peer {
    Connection* connection = nullptr;
    ReplicaPeer machine;
    int64_t read = -1;  // of the log; -1: not attached
    int64_t acknowledged = 0, due_ms = 0;
    OwnedBytes image, mark;
    size_t image_at = 0;
    bool framed = false, marked = false;
  };
  enum class Link : uint8_t { kOff, kConnect, kHandshake, kTransfer, kLoading, kConnected };
  struct Node {
    bool frames = true, direct = false;  // is ours; loads an image as it comes into what it has
    Data data;
    ReplicationHistory history;
    int64_t end = 0, log_begin = 0;
    OwnedBytes log;
    bool keeps_backlog = false;
    struct {
      Data data;
      ReplicationHistory history;
      int64_t end = 0;
      bool placed = false;
    } saved;
    int64_t still_until = 0;
    // as a replica
    bool replica = false, can_continue = false;
    size_t master = 0;
    Link link = Link::kOff;
    Connection* connection = nullptr;
    std::unique_ptr<ReplicaHandshake> handshake;
    SyncPayload payload;
    FrameDecoder decoder;
    bool framed = false, begun = false;
    OwnedBytes line, image, stream, new_id;
    int64_t new_offset = 0, dial_ms = 0, loaded_ms = 0, ack_ms = 0;
    // as a master
    std::list<Peer> peers;
    PlannedFailover failover;
  };

  void step();
  void deliver();
  void send(Connection& c, bool there, Bytes bytes);
  void break_link(Connection& c);
  void hang_up(Connection& c, bool dialler);
  void ended(Connection& c, bool at_dialler);

  // the master's side
  void requests(Node& n, Connection& c);
  void psync(Node& n, Connection& c, Bytes id, int64_t from, bool failover);
  void cut_image(Node& n, Peer& p);
  void feed(Node& n, Peer& p);
  void append(Node& n, Bytes bytes);
  StreamRange range(const Node& n) const;
  void drop_peers(Node& n);
  void put_write(Node& n);
  void look_at_failover(Node& n);
  void end_failover(Node& n, bool taken);

  // the replica's side
  void dial(Node& n);
  void received(Node& n, Bytes bytes);
  void shaken(Node& n);
  void take_image(Node& n, Bytes bytes);
  void take_stream(Node& n, Bytes bytes);
  void apply(Node& n);
  void data_set_ends(Node& n);
  void loaded(Node& n);
  void acknowledge(Node& n);
  void drop_link(Node& n);

  void become_master(Node& n);
  void become_replica(Node& n, size_t master);
  void new_history(Node& n);
  void note(const Node& n);
  void note_at(Bytes id, int64_t offset, const Data& data);
  void wrong(const std::string& what) {
    if (fault_.empty()) fault_ = "at " + std::to_string(now_) + " ms: " + what;
  }
  size_t index(const Node& n) const { return static_cast<size_t>(&n - nodes_.data()); }

  Random random_;
  std::vector<Node> nodes_;
  Connections connections_;
  int64_t now_ = 0;
  uint64_t writes_ = 0;
  size_t full_ = 0, partial_ = 0;
  std::map<std::pair<OwnedBytes, int64_t>, Data> places_;  // what stands where
  std::string fault_;
};

}  // namespace ringwood
