#pragma once
// Which shards a command needs.
#include <span>

#include "engine/base/bytes.h"
#include "engine/exec/shard_set.h"

namespace ringwood {

class Client;
struct Command;
struct SlotMapping;

// Adds them to `out`; none for a command that touches no key, and for one whose arguments are wrong (its handler tells what is wrong).
void add_shards(const Command& command, std::span<const Bytes> args, const Client& client, const SlotMapping& mapping, ShardSet& out);

}  // namespace ringwood
