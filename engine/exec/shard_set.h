#pragma once
// A set of shards: those that a request needs, or that a job holds.
#include <bitset>

namespace ringwood {

constexpr int kMaxShards = 256;
using ShardSet = std::bitset<kMaxShards>;

// Of a server with that many.
inline ShardSet all_shards(int shards) {
  ShardSet all;
  for (int i = 0; i < shards; i++) all.set(static_cast<size_t>(i));
  return all;
}

}  // namespace ringwood
