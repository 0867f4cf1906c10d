#pragma once
// The data set as commands: the base of an append-only directory without an RDB preamble (aof-use-rdb-preamble no). Redis 7.0 reads it, but for fields that
// expire.
#include <span>
#include <vector>

#include "engine/exec/out_buffer.h"
#include "engine/exec/shard.h"

namespace ringwood {

// In chunks of about a megabyte. Every shard is held.
std::vector<OutBuffer> commands_of_data_set(std::span<Shard* const> shards, std::span<const OwnedBytes> functions, int64_t now_ms);

}  // namespace ringwood
