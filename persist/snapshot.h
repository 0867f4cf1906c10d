#pragma once
// The whole data set as one RDB image in memory: the simple way to a consistent file without fork. Call it while every shard is held (a lease of all);
// writing the image to disk comes after (persist/saver.h).
#include <span>
#include <vector>

#include "engine/exec/out_buffer.h"
#include "engine/exec/shard.h"
#include "persist/snapshot_info.h"

namespace ringwood {

// The file up to and with its end mark, without its checksum, in chunks of about a megabyte (a large value makes a large chunk).
std::vector<OutBuffer> encode_data_set(std::span<Shard* const> shards, std::span<const OwnedBytes> functions, const SnapshotInfo& info);

}  // namespace ringwood
