#pragma once
// A running server as the source: we are a replica of it. The handshake and the payload are the machines that the server uses (cluster/);
// a thread of its own receives into a spool and tells the source how far we are, so that neither waits for the target.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "cluster/replica_handshake.h"
#include "net/client/link.h"
#include "tools/import/spool.h"

namespace ringwood {

class LiveSource {
 public:
  struct Address {
    client::Endpoint at;
    client::Credentials who;
  };
  // A place in the source's stream. No id: none.
  struct Place {
    OwnedBytes id;
    int64_t offset = 0;  // behind the last byte that is known
  };
  enum class Begin : uint8_t { kImage, kGoesOn, kFailed };

  LiveSource(Address address, OwnedBytes folder) : address_(std::move(address)), folder_(std::move(folder)) {}
  ~LiveSource() { stop(); }
  LiveSource(const LiveSource&) = delete;
  LiveSource& operator=(const LiveSource&) = delete;

  // Connects and shakes hands. kImage: a payload comes first, then the stream from place() on; kGoesOn: the stream goes on from `known`.
  Begin start(const Place& known);
  const Place& place() const { return place_; }
  // The next bytes, in the place of what `out` holds; none when nothing has come within so many milliseconds. False: the link is gone and
  // all has been used, error() says why.
  bool read(OwnedBytes& out, int timeout_ms);
  // The stream is used up to there: what the source is told. Nothing is told before it has been called.
  void used_to(int64_t offset) { used_.store(offset, std::memory_order_relaxed); }
  // Received and not read.
  uint64_t waiting() const;
  void stop();
  OwnedBytes error() const;

 private:
  bool shake(const Place& known, ReplicaHandshake& machine);
  bool send_now(Bytes bytes);
  void receive();
  void acknowledge(int64_t now_ms);
  void fail(OwnedBytes why);

  const Address address_;
  const OwnedBytes folder_;
  client::Link link_;
  int fd_ = -1;
  Place place_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<int64_t> used_{-1};
  int64_t next_ack_ms_ = 0, told_ = -1;  // of the thread

  mutable std::mutex mutex_;
  std::condition_variable came_;
  std::optional<Spool> spool_;
  bool gone_ = false;
  OwnedBytes error_;
};

}  // namespace ringwood
