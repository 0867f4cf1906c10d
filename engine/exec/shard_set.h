#pragma once
// A set of shards: those that a request needs, or that a job holds.
#include <bitset>

namespace ringwood {

constexpr int kMaxShards = 256;
using ShardSet = std::bitset<kMaxShards>;

}  // namespace ringwood
