#pragma once
// A replica's link to its master: dials, shakes hands (cluster/replica_handshake.h), takes the data set (cluster/sync_payload.h, persist/received_file.h)
// and has the stream applied (net/stream_applier.h). When the link is lost it dials again. Lives on the first thread.
//
//   kOff -> kConnect -> kConnecting -> kHandshake -> kTransfer -> kLoading -> kConnected
//                                          |                                     ^
//                                          +------ the master can go on ---------+
// From every state but kOff a loss leads back to kConnect.
#include <memory>
#include <string>

#include "cluster/replica_handshake.h"
#include "cluster/stream_frame.h"
#include "cluster/sync_payload.h"
#include "engine/exec/replication.h"
#include "net/direct_load.h"
#include "net/loop.h"
#include "net/stream_applier.h"
#include "net/stream_owner.h"
#include "persist/data_load.h"
#include "persist/received_file.h"

namespace ringwood {

// What the link asks of the replication that it is a part of.
class MasterLinkOwner {
 public:
  // The history that the data set has, and the place in it, for a partial resync.
  virtual const OwnedBytes& history() const = 0;
  virtual int64_t offset() const = 0;
  // A full sync is about to replace the data set, whose history ends; the master's stream goes on from this offset. Every shard is held.
  virtual void new_data_set(int64_t offset) = 0;
  // The data set is the master's as of that place in this history.
  virtual void synced(const OwnedBytes& id) = 0;
  // The master goes on from our place, under this id.
  virtual void continued(const OwnedBytes& id) = 0;
  // A piece of the stream has been applied, and has left this database selected. Every shard is held.
  virtual void streamed(Bytes bytes, int database) = 0;
  // The link is up, or it is not any more.
  virtual void link_changed() = 0;
  // The master is one that we give our own part to, and is told so. It has taken it, or refuses.
  virtual bool hands_over() const = 0;
  virtual void handed_over(bool taken) = 0;

 protected:
  ~MasterLinkOwner() = default;
};

class MasterLink final : StreamOwner, StreamObserver, LeaseJob, DirectLoadOwner {
 public:
  enum class State : uint8_t { kOff, kConnect, kConnecting, kHandshake, kTransfer, kLoading, kConnected };

  MasterLink(Loop& loop, DataLoad& load, Persistence& persistence, MasterLinkOwner& owner, int process_id);
  MasterLink(const MasterLink&) = delete;

  // Leaves the present master, if there is one, and begins with this one.
  void follow(const std::string& host, int port);
  void stop();
  // The data set has a place in a history from which a master may go on (set when it was loaded with one, or has been a master's).
  void can_continue(bool on, int database);
  // Every turn.
  void turn(int64_t now_ms) {
    if (__builtin_expect(now_ms >= next_look_ms_ || dial_now_, 0)) look(now_ms);
    if (__builtin_expect(state_ == State::kTransfer, 0)) go_on_receiving();
  }
  // Tells the master how far we are.
  void acknowledge();
  // The same, as soon as the commands that are being applied count.
  void acknowledge_soon() { ack_wanted_ = true; }

  State state() const { return state_; }
  // Database that the stream has selected.
  int database() const { return connection_ ? connection_->database : database_; }
  bool up() const { return state_ == State::kConnected; }
  void describe(ReplicationStatus& s) const;
  // For status() on any thread.
  struct Figures {
    Counter io_ms, sync_read, sync_io_ms, received;
  };
  const Figures& figures() const { return figures_; }

 private:
  // StreamOwner
  void connected(Connection& c, int error) override;
  void received(Connection& c, Bytes bytes) override;
  void resumed(Connection& c) override;
  bool ends_later(Connection& c) override;
  void lost(Connection& c) override;
  // StreamObserver
  void applied(Bytes bytes) override;
  void wants_more() override;
  void broken(const char* why) override;
  // A REPLICAOF that held the shards before us may have ended our part as a replica.
  bool may_apply(Executor& home) const override { return home.engine().state.load(std::memory_order_relaxed) & kStateReplica; }
  void command_failed(Bytes error, Bytes command) override;
  void cannot_be_kept() override;
  // LeaseJob: the old data set goes, the new one comes
  void run(Executor& home) override;
  void finished(Executor&) override {}
  // DirectLoadOwner
  void data_set_ends() override { end_data_set(); }
  void loaded_directly(const DataLoad::Result& result) override;

  void look(int64_t now_ms);
  void go_on_receiving();
  void check_silence(int64_t now_ms);
  void dial();
  void drop();
  void enter(State state);
  void take(const ReplicaHandshake::Step& step);
  void take_lines(Bytes bytes);
  void shaken();
  void begin_image();
  bool wants_direct(DirectLoad::Place& place) const;
  size_t image_waiting() const { return direct_ ? direct_load_.waiting() : file_.waiting(); }
  void take_image(Bytes bytes);
  void take_image_frames(Bytes& bytes);
  void put_image(Bytes image, int part);
  void take_stream(Bytes bytes);
  void image_header_read();
  void image_over();
  void end_data_set();
  void discard_cached_master();
  void remove_file();
  static void file_done(void* context, int error, const char* step);
  static void load_done(void* context, const DataLoad::Result& result);
  void loaded(const DataLoad::Result& result);
  void begin_stream(int database);
  void send(Bytes bytes);
  void sync_failed(const char* why);

  static constexpr size_t kMostWaiting = 16 << 20;  // bytes that came and are not taken care of: nothing more is received then
  Loop& loop_;
  DataLoad& load_;
  Persistence& persistence_;
  MasterLinkOwner& owner_;
  Log& log_;
  const int process_id_;
  StreamApplier applier_;
  ReceivedFile file_;
  DirectLoad direct_load_;
  bool direct_ = false;  // the image of now goes there, not to the file

  State state_ = State::kOff;
  std::string host_;
  int port_ = 0;
  Connection* connection_ = nullptr;
  std::unique_ptr<ReplicaHandshake> handshake_;
  OwnedBytes line_;  // the beginning of one
  SyncPayload payload_;
  FrameDecoder frames_;
  bool framed_ = false;  // what comes behind the handshake, from a master that is one of ours
  bool header_seen_ = false;
  bool can_continue_ = false;
  int database_ = 0;
  OwnedBytes new_id_;  // of the full sync under way
  int64_t new_offset_ = 0;
  bool dial_now_ = false;
  bool ack_wanted_ = false;
  bool ended_ = false;  // the master sends no more: what it has sent is being applied
  int64_t next_look_ms_ = 0, next_dial_ms_ = 0, next_ack_ms_ = 0;
  int64_t heard_ms_ = 0;        // the last byte of the handshake or the image came
  int64_t down_since_ms_ = 0;   // since it was up last; 0: it never was
  int64_t next_remark_ms_ = 0;  // on the disk
  Figures figures_;
};

}  // namespace ringwood
