#pragma once
// May this node of a cluster run a command, or where else is the client to go: MOVED, ASK, TRYAGAIN, CROSSSLOT, CLUSTERDOWN (Redis 7.2: getNodeByQuery).
#include <span>
#include <vector>

#include "engine/exec/command_table.h"
#include "engine/exec/reply.h"
#include "engine/exec/shard_set.h"
#include "engine/exec/slot_map.h"

namespace ringwood {

class Client;
struct Engine;
struct Options;
struct Transaction;

// A command of shard channels: these decide on the slot as keys do for others, though they are none.
bool is_shard_channel_command(const Command& c);
// Indexes of the arguments that decide on the slot; false where the arguments are wrong.
bool slot_keys_of(const Command& c, std::span<const Bytes> args, std::vector<int>& out);

struct Redirection {
  enum class Why : uint8_t {
    kNone,  // served here
    kLook,  // served here or not, as its keys are there or not: to be asked again with their shards held
    kCrossSlot,
    kTryAgain,
    kDown,
    kDownForWrites,
    kUnserved,  // nobody has the slot
    kMoved,
    kAsk,
  };
  Why why = Why::kNone;
  int slot = -1;  // of the keys; -1: there are none
  const SlotMap::Node* to = nullptr;

  bool refused() const { return why > Why::kLook; }
};

struct SlotRequest {
  const Command& command;
  std::span<const Bytes> args;
  const Transaction* queue = nullptr;  // EXEC's
  bool asking = false;                 // behind ASKING
  bool reads_replica = false;          // behind READONLY
};

// `held`: the shards in which keys may be looked for.
Redirection redirect(const Engine& engine, const Options& options, const SlotMap& map, const SlotRequest& request, const ShardSet& held,
                     int64_t now_ms);
// Of a client of the calling thread.
SlotRequest slot_request(const Client& client, const Command& command, std::span<const Bytes> args);
// The error that says so; a client is sent to what cluster-preferred-endpoint-type names.
void write_redirection(const Redirection& r, const Options& options, Reply& reply);
// What a script that calls such a command is told, without "ERR ".
const char* script_redirection(const Redirection& r);

}  // namespace ringwood
