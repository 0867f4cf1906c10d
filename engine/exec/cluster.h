#pragma once
// The cluster as commands see it. net/cluster_plane.h does the work, on the first thread; without one this server is no node of a cluster.
#include <functional>

#include "engine/base/bytes.h"

namespace ringwood {

class Call;
class Executor;
class Reply;

namespace cluster {
class ClusterMachine;
class SlotMigrationControl;
}  // namespace cluster

// What an operator's command asks of the node.
struct ClusterRequest {
  // Called once, on the first thread; `now_ms` is the time. Whatever it replies travels home.
  std::function<void(cluster::ClusterMachine& machine, Executor& first, Reply& reply, int64_t now_ms)> run;
  // It may change who serves what: it runs while every shard is held, so that each command runs before it or behind it, and the reply
  // leaves when what has changed is in nodes.conf.
  bool changes = false;
};

class ClusterControl {
 public:
  // Suspends the call.
  virtual void ask(Call& call, ClusterRequest request) = 0;
  // PUBLISH and SPUBLISH: to the other nodes, or to those of this shard. From any thread.
  virtual void publish(Executor& here, Bytes channel, Bytes message, bool sharded) = 0;
  // INFO: links of the bus, and the bytes that wait to be sent over them. From any thread.
  virtual int64_t links() const = 0;
  virtual int64_t link_memory() const = 0;
  // DEBUG CLUSTERLINK KILL: answers like ask(). DEBUG DROP-CLUSTER-PACKET-FILTER: messages of this type are not heard; -1: all are.
  virtual void kill_links(Call& call, Bytes node, bool to, bool from) = 0;
  virtual void drop_packets(int64_t type) = 0;
  // FLUSHALL or FLUSHDB has emptied a database, while every shard is held. From any thread.
  virtual void flushed() = 0;
  // CLUSTER SYNCSLOTS: what nodes say to each other, and to their replicas and files, while slots move as one (net/slot_migrations.h). Every shard is held, but
  // where a client asks for the beginning (ESTABLISH).
  virtual void sync_slots(Call& call) = 0;
  // A value of slots that are being imported has come in part. An image to which the log behind it is to fit begins when it has come whole: the pieces that
  // came before are not in the log's tail. Every shard is held.
  virtual bool value_arrives() const = 0;
  // This replica's data set is replaced by another one: what values have come of is gone with it. Every shard is held.
  virtual void data_set_ends() = 0;
  // Those that are under way or were of late; on the first thread.
  virtual cluster::SlotMigrationControl& migrations() = 0;
  // --- on the first thread, for requests
  // Writes nodes.conf; the reply of a request that `changes` tells when it has failed.
  virtual void save() = 0;
  // CLUSTER LINKS, and the counter of links that were closed because too much waited to be sent.
  virtual void describe_links(Reply& reply) = 0;
  virtual uint64_t links_over_limit() const = 0;
  // CLUSTER RESET of a replica and the like: keys in this database.
  virtual size_t keys() const = 0;

 protected:
  ~ClusterControl() = default;
};

}  // namespace ringwood
