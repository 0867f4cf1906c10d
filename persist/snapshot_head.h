#pragma once
// What stands in an image before and behind the keys.
#include <span>

#include "engine/exec/out_buffer.h"
#include "engine/exec/shard.h"
#include "persist/snapshot_info.h"

namespace ringwood {

// Raises the version where the data need it. Every shard is held.
void raise_version(SnapshotInfo& info, std::span<Shard* const> shards);
// Header, AUX fields, functions, and how many keys each database has. Every shard is held.
void put_head(OutBuffer& out, std::span<Shard* const> shards, std::span<const OwnedBytes> functions, const SnapshotInfo& info);
// The end mark and the checksum; `sum_before` is the CRC64 of everything before.
void put_tail(OutBuffer& out, const SnapshotInfo& info, uint64_t sum_before);

}  // namespace ringwood
