#pragma once
// The connections of the cluster bus: bytes to frames and back, under the numbers that the node's machine knows them by. Decides nothing. On the
// first thread.
#include <memory>
#include <unordered_map>

#include "cluster/cluster_node.h"
#include "net/loop.h"
#include "net/stream_owner.h"

namespace ringwood {

class ClusterBusOwner {
 public:
  virtual void link_accepted(cluster::LinkId link, Bytes peer_ip) = 0;
  virtual void link_up(cluster::LinkId link) = 0;
  virtual void link_down(cluster::LinkId link) = 0;
  // One whole frame of the bus. The link may have been closed by what came before.
  virtual void frame(cluster::LinkId link, Bytes bytes, Bytes own_ip, Bytes peer_ip) = 0;
  // All that has arrived has been handed over.
  virtual void frames_done() = 0;

 protected:
  ~ClusterBusOwner() = default;
};

class ClusterBus final : public LinkAcceptor {
 public:
  struct Link {
    Connection* connection = nullptr;
    cluster::LinkId id = cluster::kNoLink;
    int64_t created_ms = 0;
    OwnedBytes own_ip, peer_ip;  // when it stands
    OwnedBytes rest;             // of a frame that is not whole yet
  };

  ClusterBus(Loop& loop, Log& log, ClusterBusOwner& owner) : loop_(loop), log_(log), owner_(owner) {}
  ClusterBus(const ClusterBus&) = delete;

  // Answered by link_up or link_down, later or at once.
  void connect(cluster::LinkId link, const OwnedBytes& ip, int port, const std::string& from);
  void send(cluster::LinkId link, Bytes bytes);
  void close(cluster::LinkId link);
  // Closes those with more bytes to be sent than that (0: any number may be).
  void check_limit(uint64_t bytes, int64_t now_ms);

  const Link* find(cluster::LinkId link) const {
    auto i = links_.find(link);
    return i == links_.end() ? nullptr : i->second.get();
  }
  size_t count() const { return links_.size(); }
  size_t waiting_bytes() const;
  uint64_t over_limit() const { return over_limit_; }

 private:
  // LinkAcceptor, StreamOwner
  void accepted(int fd) override;
  void connected(Connection& c, int error) override;
  void received(Connection& c, Bytes bytes) override;
  void resumed(Connection&) override {}
  bool at_any_time() const override { return true; }
  void lost(Connection& c) override;

  Link& add(cluster::LinkId id, Connection* c);
  static OwnedBytes ip_of(const std::string& address);

  Loop& loop_;
  Log& log_;
  ClusterBusOwner& owner_;
  std::unordered_map<cluster::LinkId, std::unique_ptr<Link>> links_;
  std::unordered_map<const Connection*, Link*> by_connection_;
  cluster::LinkId next_accepted_ = 2;  // even: the machine numbers those that it opens, odd
  uint64_t over_limit_ = 0;
};

}  // namespace ringwood
