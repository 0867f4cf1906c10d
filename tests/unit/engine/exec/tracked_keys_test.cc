#include "engine/exec/tracked_keys.h"

#include <gtest/gtest.h>

#include <set>

namespace ringwood {
namespace {

TEST(TrackedKeys, HandsOutTheReadersOfAKeyThatChangesOnce) {
  TrackedKeys t;
  t.listen(true, false);
  t.remember("a", 1);
  t.remember("a", 2);
  t.remember("a", 1);
  t.remember("b", 1);
  EXPECT_EQ(t.keys.get(), 2);
  EXPECT_EQ(t.items.get(), 3);
  t.key_modified("a", true);
  t.key_modified("a", true);
  t.key_modified("c", true);
  auto invalid = t.take_invalid();
  ASSERT_EQ(invalid.size(), 1u);
  EXPECT_EQ(invalid[0].key, "a");
  EXPECT_EQ(invalid[0].readers, (std::vector<uint64_t>{1, 2}));
  EXPECT_TRUE(t.take_invalid().empty());
  EXPECT_TRUE(t.take_changed().empty());
  EXPECT_EQ(t.keys.get(), 1);
  EXPECT_EQ(t.items.get(), 1);
}

// One reader, two, and as many as need a block of their own, which grows.
TEST(TrackedKeys, RemembersAnyNumberOfReadersInTheirOrder) {
  TrackedKeys t;
  t.listen(true, false);
  const OwnedBytes long_name(300, 'n');
  for (uint64_t n : {1, 2, 3, 4, 5, 8, 9, 100}) {
    for (const OwnedBytes& key : {OwnedBytes(), OwnedBytes("k"), long_name}) {
      std::vector<uint64_t> readers;
      for (uint64_t id = 1; id <= n; id++) {
        readers.push_back(id * 7);
        t.remember(key, id * 7);
        t.remember(key, 7);
      }
      EXPECT_EQ(t.items.get(), static_cast<int64_t>(n));
      t.key_modified(key, true);
      auto invalid = t.take_invalid();
      ASSERT_EQ(invalid.size(), 1u);
      EXPECT_EQ(invalid[0].key, key);
      EXPECT_EQ(invalid[0].readers, readers);
      EXPECT_EQ(t.items.get(), 0);
    }
  }
}

TEST(TrackedKeys, EvictsEachOfManyKeysOnce) {
  TrackedKeys t;
  t.listen(true, false);
  for (int i = 0; i < 1000; i++)
    for (uint64_t reader = 0; reader <= static_cast<uint64_t>(i % 4); reader++) t.remember("key:" + std::to_string(i), reader);
  std::set<OwnedBytes> gone;
  while (t.evict_any()) {
    auto invalid = t.take_invalid();
    ASSERT_EQ(invalid.size(), 1u);
    EXPECT_TRUE(gone.insert(invalid[0].key).second);
  }
  EXPECT_EQ(gone.size(), 1000u);
  EXPECT_EQ(t.keys.get(), 0);
  EXPECT_EQ(t.items.get(), 0);
  EXPECT_TRUE(t.on());  // somebody may read again
}

TEST(TrackedKeys, AReadBehindAChangeIsRememberedForTheNextOne) {
  TrackedKeys t;
  t.listen(true, false);
  t.key_modified("a", true);
  t.remember("a", 1);
  EXPECT_TRUE(t.take_invalid().empty());
  EXPECT_EQ(t.keys.get(), 1);
}

TEST(TrackedKeys, NotesEveryChangeWherePrefixesAreTracked) {
  TrackedKeys t;
  t.listen(true, true);
  t.key_modified("a", true);
  t.key_modified("b", false);
  auto changed = t.take_changed();
  ASSERT_EQ(changed.size(), 2u);
  EXPECT_TRUE(changed[0].by_client);
  EXPECT_FALSE(changed[1].by_client);
}

// CLIENT TRACKING OFF, FLUSHALL, CLIENT TRACKING ON: the reader is told of nothing that it read before.
TEST(TrackedKeys, WhatChangesWhileNobodyTracksIsForgotten) {
  TrackedKeys t;
  t.listen(true, false);
  t.remember("a", 1);
  t.listen(false, false);
  ASSERT_TRUE(t.on());
  t.flush();
  EXPECT_FALSE(t.on());
  t.listen(true, false);
  t.key_modified("a", true);
  EXPECT_TRUE(t.take_invalid().empty());
}

TEST(TrackedKeys, ForgetsAllOrAny) {
  TrackedKeys t;
  t.listen(true, false);
  for (const char* k : {"a", "b", "c"}) t.remember(k, 7);
  EXPECT_TRUE(t.evict_any());
  EXPECT_EQ(t.take_invalid().size(), 1u);
  EXPECT_EQ(t.keys.get(), 2);
  t.flush();
  EXPECT_TRUE(t.take_flushed());
  EXPECT_FALSE(t.take_flushed());
  EXPECT_EQ(t.keys.get(), 0);
  EXPECT_EQ(t.items.get(), 0);
  EXPECT_FALSE(t.evict_any());
}

}  // namespace
}  // namespace ringwood
