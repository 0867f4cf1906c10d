#include "engine/store/stream_radix.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

size_t nodes_of(const std::set<StreamId>& ids) {
  Stream::Nodes nodes;
  for (StreamId id : ids) nodes.insert(id, nullptr);
  return radix_tree_nodes(nodes);
}

// A trie of single bytes, whose chains are then counted as the one node that they are in a radix tree.
struct Trie {
  std::map<char, std::unique_ptr<Trie>> children;

  void add(Bytes key) {
    if (key.empty()) return;
    auto& child = children[key[0]];
    if (!child) child = std::make_unique<Trie>();
    child->add(key.substr(1));
  }
  size_t count() const {
    const Trie* end = this;
    while (end->children.size() == 1) end = end->children.begin()->second.get();
    size_t n = end == this ? 1 : 2;  // the chain, and what is at its end
    for (const auto& [byte, child] : end->children) n += child->count();
    return n;
  }
};

size_t model_nodes(const std::set<StreamId>& ids) {
  Trie root;
  for (StreamId id : ids) {
    char key[kStreamIdBytes];
    store_stream_id(key, id);
    root.add({key, sizeof key});
  }
  return root.count();
}

TEST(StreamRadix, FewKeysMakeFewNodes) {
  EXPECT_EQ(nodes_of({}), 1u);
  EXPECT_EQ(nodes_of({{1, 1}}), 2u);
  EXPECT_EQ(nodes_of({{1, 1}, {1, 2}}), 4u);           // the bytes in common, the place where they part, two ends
  EXPECT_EQ(nodes_of({{1, 0}, {1, 256}}), 6u);         // a byte behind that place each
  EXPECT_EQ(nodes_of({{0, 0}, {UINT64_MAX, 0}}), 5u);  // they part at the root
  EXPECT_EQ(nodes_of({{1, 1}, {1, 2}, {1, 3}}), 5u);   // three ends
  EXPECT_EQ(nodes_of({{1, 1}, {1, 2}, {UINT64_MAX, 0}}), 7u);
}

TEST(StreamRadix, IsWhatATrieSays) {
  Seeded seeded;
  for (int round = 0; round < 300; round++) {
    std::set<StreamId> ids;
    size_t n = seeded.below(200);
    // Bytes of few values, so that keys part at every depth.
    uint64_t mask = seeded.chance(50) ? 0x0101010101010101u : 0x0300000000000301u << seeded.below(8);
    for (size_t i = 0; i < n; i++) ids.insert({seeded.next() & mask, seeded.next() & seeded.next() & mask});
    ASSERT_EQ(nodes_of(ids), ids.empty() ? 1u : model_nodes(ids)) << round;
  }
}

}  // namespace
}  // namespace ringwood
