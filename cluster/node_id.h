#pragma once
// The name of a node, and of a shard: 40 hex digits, drawn at random once (160 bits, so that nobody has to ask whether it is taken).
#include <array>
#include <compare>

#include "engine/base/bytes.h"
#include "engine/base/random.h"

namespace ringwood::cluster {

struct NodeId {
  static constexpr size_t kSize = 40;
  std::array<char, kSize> text{};  // all zero: nobody

  static NodeId random(Random& from) {
    NodeId id;
    std::memcpy(id.text.data(), from.hex(kSize).data(), kSize);
    return id;
  }
  // False when that is not 40 characters 0-9a-z (as Redis checks it: its own are hex, but nothing depends on that).
  static bool parse(Bytes b, NodeId& id) {
    if (b.size() != kSize) return false;
    for (char c : b)
      if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'))) return false;
    std::memcpy(id.text.data(), b.data(), kSize);
    return true;
  }
  Bytes view() const { return {text.data(), kSize}; }
  bool empty() const { return text[0] == 0; }
  auto operator<=>(const NodeId&) const = default;
};

struct NodeIdHash {
  size_t operator()(const NodeId& id) const { return load<uint64_t>(id.text.data()); }  // random already
};

}  // namespace ringwood::cluster
