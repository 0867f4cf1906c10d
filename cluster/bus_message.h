#pragma once
// One message of Redis's cluster bus, and its bytes. The layout is that of Redis 7 (cluster.h, clusterMsg: version 1 of the bus), big-endian, with fixed
// offsets: docs/formats.md has the table. Decoding trusts nothing: whatever does not fit its own length is an error, and is dropped by the caller.
#include <optional>
#include <vector>

#include "cluster/node_id.h"
#include "cluster/slot_set.h"

namespace ringwood::cluster {

enum class BusType : uint16_t {
  kPing = 0,
  kPong = 1,
  kMeet = 2,  // a ping that makes the receiver add the sender
  kFail = 3,
  kPublish = 4,
  kAuthRequest = 5,  // a replica asks for votes
  kAuthAck = 6,
  kUpdate = 7,   // who owns slots that the receiver still claims
  kMfStart = 8,  // a replica asks its master to stop writing, for a manual failover
  kModule = 9,
  kPublishShard = 10,
};
constexpr size_t kBusTypes = 11;
Bytes bus_type_name(BusType type);

// Of a node, on the wire and in memory (cluster.h, CLUSTER_NODE_...).
enum NodeFlag : uint16_t {
  kNodeMaster = 1,
  kNodeReplica = 2,
  kNodePfail = 4,
  kNodeFail = 8,
  kNodeMyself = 16,
  kNodeHandshake = 32,  // its name is not known yet
  kNodeNoAddress = 64,
  kNodeMeet = 128,       // to be greeted by MEET
  kNodeMigrateTo = 256,  // had replicas once: another's may move here when it has none
  kNodeNoFailover = 512,
};

// Of a message (clusterMsg::mflags[0]).
enum MessageFlag : uint8_t {
  kMessagePaused = 1,    // a master that has stopped writing for a manual failover
  kMessageForceAck = 2,  // vote although the master is up
  kMessageExtensions = 4,
};

// What a ping tells of a third node.
struct Gossip {
  NodeId id;
  uint32_t ping_sent_s = 0, pong_received_s = 0;
  OwnedBytes ip;
  uint16_t port = 0, cluster_port = 0, flags = 0, second_port = 0;
};

struct Forgotten {
  NodeId id;
  uint64_t seconds = 0;  // for which it stays forgotten
};

struct BusMessage {
  BusType type = BusType::kPing;
  // --- the header, in every message: the sender's view of itself
  NodeId sender, master;  // master: empty where the sender is one
  uint64_t current_epoch = 0, config_epoch = 0, offset = 0;
  SlotSet slots;  // the sender's, or its master's
  OwnedBytes ip;  // announced; empty: take the socket's
  uint16_t port = 0, second_port = 0, cluster_port = 0;
  uint16_t flags = 0;
  bool cluster_ok = false;
  uint8_t message_flags = 0;
  // --- ping, pong, meet
  std::vector<Gossip> gossip;
  OwnedBytes hostname, human_name;  // empty: none
  std::optional<NodeId> shard;
  std::vector<Forgotten> forgotten;
  // --- fail, update: whom it is about
  NodeId about;
  uint64_t about_epoch = 0;
  SlotSet about_slots;
  // --- publish
  OwnedBytes channel, payload;
};

OwnedBytes encode(const BusMessage& message);

enum class BusError : uint8_t { kNone, kTooShort, kVersion, kUnknownType, kLength, kExtension, kName };
Bytes bus_error_text(BusError error);

// `frame` is one whole message, as frame_size() measured it.
BusError decode(Bytes frame, BusMessage& message);

// The BusType of a whole frame, known or not.
int frame_type(Bytes frame);
// The size of the message that begins here: 0 when more bytes are needed to tell, -1 when this is no message (the link is to be closed).
int64_t frame_size(Bytes start);

}  // namespace ringwood::cluster
