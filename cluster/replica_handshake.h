#pragma once
// What a replica and its master say to each other before the stream: the replica's side, as a pure machine. Lines come in, bytes to send and remarks for the
// log go out.
//
//   kPing -> kAuth -> kPort -> kAddress -> kCapabilities -> kVersion -> kPsync -> kFull | kContinue | kOldSync
//
// States that there is no cause for are passed over (no password: no kAuth). Any state but the last three may go to kFailed, and is then begun again by whoever
// keeps the link. The table of answers stands in replica_handshake.cc.
#include <initializer_list>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/options.h"

namespace ringwood {

class ReplicaHandshake {
 public:
  enum class State : uint8_t {
    kPing,
    kAuth,
    kPort,
    kAddress,
    kCapabilities,
    kVersion,
    kPsync,
    kFull,      // a payload with the whole data set comes next; id() and offset() are the master's
    kContinue,  // the stream comes next, from where we were; id() is the master's present one
    kOldSync,   // as kFull, from a master that tells no id
    kFailed,
  };
  struct Settings {
    OwnedBytes user, password;  // no password: none is sent
    int port = 0;               // that our clients use
    OwnedBytes address;         // the one to announce; empty: none is
    OwnedBytes version;         // of Redis that we say we are
    OwnedBytes known_id;        // the history that we have; empty: none
    int64_t known_offset = 0;   // up to and with this byte
    bool failover = false;      // asks the other side to become a master
    bool frames = true;         // says that frames are understood (cluster/stream_frame.h)
  };
  struct Remark {
    LogLevel level;
    OwnedBytes text;
  };
  struct Step {
    OwnedBytes send;
    std::vector<Remark> remarks;
  };

  explicit ReplicaHandshake(Settings settings) : settings_(std::move(settings)) {}

  // The connection stands.
  Step begin();
  // A line of the master's, without its end. Not after one of the final states.
  Step line(Bytes text);

  State state() const { return state_; }
  bool over() const { return state_ >= State::kFull; }
  bool failed() const { return state_ == State::kFailed; }
  // The other side was asked to become a master, and will not.
  bool refused() const { return refused_; }
  const OwnedBytes& id() const { return id_; }
  int64_t offset() const { return offset_; }
  // What follows is framed.
  bool framed() const { return framed_; }

 private:
  State next_needed(State after) const;
  OwnedBytes request(State state) const;
  void enter(State state, Step& step);
  void answer_to_psync(Bytes text, Step& step);
  void full_sync(Bytes text, Step& step);
  void go_on(Bytes text, Step& step);

  Settings settings_;
  State state_ = State::kPing;
  OwnedBytes id_;
  int64_t offset_ = -1;
  bool refused_ = false, framed_ = false;
};

}  // namespace ringwood
