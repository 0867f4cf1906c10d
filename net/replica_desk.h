#pragma once
// A master's replicas: takes them in (PSYNC), gives them the data set as of one cut, and feeds them the mutation log behind it. Several that wait together
// share one snapshot. What a replica has not been sent yet stands in the log, once for all of them. Lives on the first thread, as do the replicas'
// connections.
#include <algorithm>
#include <list>
#include <memory>
#include <vector>

#include "cluster/replica_peer.h"
#include "engine/exec/executor.h"
#include "engine/exec/mutation_log.h"
#include "engine/exec/replication.h"
#include "net/frame_encoder.h"
#include "net/loop.h"
#include "net/stream_owner.h"
#include "persist/snapshot_sink.h"
#include "persist/snapshots.h"

namespace ringwood {

// What the desk asks of the replication that it is a part of.
class ReplicaDeskOwner {
 public:
  virtual const ReplicationHistory& present_history() const = 0;
  // The first replica has come, and there is no backlog: a new history begins with it.
  virtual void backlog_begins() = 0;
  // Nobody has wanted it for long: what is written from now on leaves no trace.
  virtual void backlog_dropped() = 0;
  // The stream is our own, not a master's that is handed on.
  virtual bool leads() const = 0;
  // Database that the stream is in; -1: the next command selects one.
  virtual int stream_database() const = 0;
  virtual void replicas_changed() = 0;
  // A replica has told how far it is.
  virtual void acknowledged() = 0;

 protected:
  ~ReplicaDeskOwner() = default;
};

class ReplicaDesk final : OutputSource, LogFollower, SnapshotSink, LeaseJob {
 public:
  ReplicaDesk(Loop& loop, Snapshots& snapshots, ReplicaDeskOwner& owner);
  ~ReplicaDesk();
  ReplicaDesk(const ReplicaDesk&) = delete;

  // PSYNC, or SYNC with `old`. The connection is this thread's and has nothing else to be answered.
  void admit(Connection& c, bool old, Bytes id, int64_t from);
  // REPLCONF ACK.
  void acknowledged(Connection& c, int64_t offset, int64_t on_disk);
  void disconnect_all();
  // Asks all of them how far they are; nothing is put into the stream during a pause.
  void ask();
  // Every turn. True when there is more to do at once.
  bool turn(int64_t now_ms) {
    if (__builtin_expect(peers_.empty() && !log_.backlog(), 1)) return false;
    return look(now_ms);
  }

  bool any() const { return !peers_.empty(); }
  void describe(ReplicationStatus& s, const Options& options, int64_t now_ms) const;
  StreamRange backlog() const;
  // What limits the backlog at its old end: its size, or the slowest replica, for which more is kept.
  struct BacklogBounds {
    bool any = false;
    int64_t oldest = 0, kept = 0, held_from = INT64_MAX;
    StreamRange range(int64_t end) const {
      if (!any) return {};
      return {true, std::min(std::max(oldest, std::min(end - kept, held_from)), end), end};
    }
  };
  BacklogBounds backlog_bounds() const;
  // The backlog goes, with what depends on it.
  void drop_backlog();
  void keep_backlog();
  uint64_t wanted_backlog() const;

 private:
  struct Peer {
    Connection* connection = nullptr;
    ReplicaPeer machine;
    LogReader reader;
    bool old = false;  // SYNC: hears no offset
    int64_t waits_since_ms = 0, ack_ms = 0, acknowledged = 0, on_disk = 0;
    int64_t over_since_ms = 0;     // above the soft limit
    uint64_t fed_to = 0;           // the log's end when it last got something of it
    uint64_t inherited_bytes = 0;  // that it was behind when its image had been sent; until it has caught up
    size_t chunk = 0;              // of the image: the next one
    size_t at = 0;                 // sent of it
    uint64_t bytes_out = 0;        // of the connection, when it last took something of the image
    int64_t moved_ms = 0;
  };
  using Peers = std::list<Peer>;

  // OutputSource
  void drained(Connection& c) override;
  void closed(Connection& c) override;
  // LogFollower
  void log_grew(Executor& here) override;
  // SnapshotSink
  void at_cut(Executor& home, SnapshotInfo& info) override;
  void take(OutBuffer chunk) override;
  void complete() override;
  void broken() override;
  // LeaseJob: begins a snapshot
  void run(Executor& home) override;
  void finished(Executor&) override { asked_ = false; }

  bool look(int64_t now_ms);
  bool snapshot_is_due(int64_t now_ms) const;
  void keep_alive(int64_t now_ms);
  void put_between(Bytes command);
  void note_offset(int64_t now_ms);
  int64_t lag_ms(const Peer& p, int64_t now_ms) const;
  void check_limits(int64_t now_ms);
  void feed(Peer& p);
  void feed_image(Peer& p);
  void feed_log(Peer& p);
  void begin_catching_up(Peer& p);
  void append(Connection& c, Bytes bytes);
  void count_frame(size_t bytes);
  void put_frame(Peer& p, Bytes piece);
  static bool framed(const Peer& p) { return !p.old && traits(p).frames; }
  void image_sent(Peer& p);
  bool give_image(Peer& p);
  bool joins_image(Peer& p);
  const ReplicaTraits* next_served() const;
  static const ReplicaTraits& traits(const Peer& p);
  void release_chunks();
  struct CallOff;
  int receivers() const;
  void call_off();
  Peer* find(const Connection& c);
  OwnedBytes name(const Peer& p) const;
  void send(Peer& p, Bytes bytes);

  static constexpr uint64_t kMostLag = uint64_t{4} << 30;  // half of the log's window: nobody may be further behind
  static constexpr size_t kSendBytes = 256 * 1024;         // in a connection's buffer at most; the rest waits where it stands
  static constexpr size_t kImageBytes = 64 * 1024;         // likewise, of an image: the kernel takes them in the turns of clients who wait
  static constexpr size_t kCatchUpBytes = 64 * 1024;       // likewise, of what somebody is behind, beside all that has come since
  static constexpr uint64_t kPackLag = uint64_t{1} << 20;  // who is so far behind has a link that is slower than the writers
  Loop& loop_;
  Snapshots& snapshots_;
  ReplicaDeskOwner& owner_;
  MutationLog& log_;
  Log& text_;
  Peers peers_;
  struct End {
    int64_t offset, when_ms;
  };
  static constexpr size_t kMostEnds = 3000;
  std::vector<End> ends_;   // of the log, ascending
  bool asked_ = false;      // for the lease
  bool held_ = false;       // the stream, as Network::stream_holds wants it
  bool ask_later_ = false;  // ask(), when a pause is over
  bool snapping_ = false;   // a snapshot for replicas is under way
  bool image_whole_ = false;
  bool marked_ = false;  // the image of now
  bool framed_ = false;  // likewise: all who get it understand frames
  int64_t cut_ = 0;      // its place in the log
  OwnedBytes mark_;
  FrameEncoder frame_encoder_;
  // The last frame of the stream, for others that are at the same place.
  OutBuffer frame_;
  size_t frame_counted_ = 0;  // bytes of it in NetStats::replica_memory
  uint64_t frame_at_ = 0;
  size_t frame_raw_ = 0;
  std::vector<OutBuffer> chunks_;
  uint64_t image_bytes_ = 0;
  size_t released_ = 0;  // of chunks_
  int64_t next_look_ms_ = 0, next_ping_ms_ = 0, last_ping_ms_ = 0;
  int64_t alone_since_ms_ = 0;
  int64_t full_ = 0, partial_ = 0, refused_ = 0;  // synchronisations
};

}  // namespace ringwood
