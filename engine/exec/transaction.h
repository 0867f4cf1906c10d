#pragma once
// A client's MULTI: the commands that wait for EXEC, and the keys that it watches. Made by the first MULTI or WATCH; belongs to the client.
#include <atomic>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/exec/out_buffer.h"
#include "engine/exec/owned_args.h"
#include "engine/exec/shard_set.h"

namespace ringwood {

class Client;
struct Command;
struct SlotMapping;
struct Engine;

// A reply owed: what a suspended command keeps until it can answer.
struct OwedReply {
  Client* client;
  uint64_t slot;
};

struct Transaction {
  struct Queued {
    const Command* command;
    OwnedArgs args;
  };
  struct Watch {
    int database;
    uint16_t slot;
    OwnedBytes key;
  };

  bool broken = false;               // a command could not be queued: EXEC aborts
  std::atomic<bool> touched{false};  // a watched key has changed
  OwnedBytes refusal;                // why EXEC itself was not admitted, an error's text; or empty
  OwnedBytes redirection;            // where its keys are instead, an error's text; or empty
  std::vector<Queued> queue;
  uint32_t refused_in = 0;  // EngineState bits in which one of the queue is refused
  size_t bytes = 0;         // of memory that the queue takes
  std::vector<Watch> watches;

  void push(const Command& command, std::span<const Bytes> args);
  bool watching(int database, Bytes key) const;
  // The shards of the watched keys, and of what the queued commands need.
  void add_watched_shards(const SlotMapping& mapping, ShardSet& out) const;
  void add_queued_shards(const Client& client, const SlotMapping& mapping, ShardSet& out) const;
  // Watches nothing any more. The shards of the watched keys must be held.
  void unwatch(Engine& engine);
  // As if MULTI had not been called.
  void discard();
};

// The reply of an EXEC of which some commands answer later (CLIENT LIST asks other threads): the text so far, with the places where theirs belong.
struct UnfinishedExec {
  struct Part {
    size_t at;  // in text
    OwnedBytes reply;
  };
  OwedReply owed{nullptr, 0};
  OutBuffer text;
  std::vector<Part> parts;  // ascending
  size_t missing = 0;

  OwnedBytes whole() const;
};

}  // namespace ringwood
