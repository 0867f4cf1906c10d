#pragma once
// Replication as commands and INFO see it. net/replication.h does the work, on the first thread; without one (in tests, in tools) the server is a master
// that cannot be followed.
#include <atomic>
#include <cstdint>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

class Call;
class Executor;
struct FailoverWish;  // cluster/planned_failover.h

// What the first thread last told of itself: a copy, for any thread.
struct ReplicationStatus {
  // The history of the data set, and the place in it.
  OwnedBytes id, previous_id;
  int64_t previous_until = -1;
  int64_t offset = 0;
  int stream_database = 0;  // that the master's stream has selected

  // Of a replica.
  enum class Link : uint8_t { kConnect, kConnecting, kHandshake, kSync, kConnected };
  bool replica = false;
  OwnedBytes master_host;
  int master_port = 0;
  Link link = Link::kConnect;
  int64_t master_io_ms = 0;     // unix time of the last byte from the master; 0: there is no link
  int64_t down_since_ms = 0;    // unix time; 0: never up
  bool syncing = false;         // a full sync is under way
  int64_t sync_total = 0;       // bytes of its image, 0: a mark ends it, -1: not known yet
  int64_t sync_read = 0;        // of them received
  int64_t sync_io_ms = 0;       // unix time at which they last were
  int64_t received_offset = 0;  // of the stream, applied or not

  // Of a master, or of a replica in the middle of a chain.
  struct Replica {
    enum class State : uint8_t { kWaiting, kSendingImage, kOnline };
    OwnedBytes address;
    int port = 0;
    State state = State::kWaiting;
    int64_t acknowledged = 0;  // offset
    int64_t on_disk = 0;       // offset that it has synced to its disk
    int64_t ack_ms = 0;        // unix time of the last acknowledgement
    int64_t lag_ms = 0;        // since the first byte that it has not acknowledged was written, about
  };
  std::vector<Replica> replicas;
  int good_replicas = 0;  // those that min-replicas-max-lag lets count
  bool backlog = false;
  int64_t backlog_first = 0, backlog_bytes = 0;
  const char* failover = "no-failover";

  // Counters of INFO stats.
  int64_t full_syncs = 0, partial_syncs = 0, refused_partial_syncs = 0;
};

// Replicas that have an offset: in memory, and on disk.
struct AckCount {
  int replicas = 0, on_disk = 0;
};

class ReplicationControl {
 public:
  // --- any thread
  virtual ReplicationStatus status() const = 0;
  virtual AckCount acknowledged_by(int64_t offset) const = 0;
  virtual int64_t offset_now() const = 0;
  // Asks the replicas how far they are. Clients that wait for the answer are counted in ack_waiters, and looked at when one comes.
  virtual void ask_replicas(Executor& here) = 0;
  std::atomic<int> ack_waiters{0};
  // Replicas that keep up, as min-replicas-to-write counts them.
  std::atomic<int> good_replicas{0};
  // CONFIG RESETSTAT: the counters of synchronisations, under a lease of all shards.
  virtual void reset_counters() = 0;
  // DEBUG CHANGE-REPL-ID: soon.
  virtual void change_id(Executor& here) = 0;

  // --- commands
  // REPLICAOF; without a host the server becomes a master. Every shard is held. Replies now, or suspends the call.
  virtual void replicaof(Call& call, Bytes host, int port) = 0;
  virtual void replconf(Call& call) = 0;
  // PSYNC, or SYNC with `old`. `from`: the first byte that is wanted.
  // With `failover` the asker is our master, which gives its part to us.
  virtual void psync(Call& call, bool old, Bytes id, int64_t from, bool failover) = 0;
  // FAILOVER, and FAILOVER ABORT: suspend the call and reply when it has begun or was refused, or is given up.
  virtual void failover(Call& call, const FailoverWish& wish) = 0;
  virtual void abort_failover(Call& call) = 0;
  virtual bool failing_over() const = 0;

 protected:
  ~ReplicationControl() = default;
};

}  // namespace ringwood
