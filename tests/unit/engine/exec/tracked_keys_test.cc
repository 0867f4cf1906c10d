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

TEST(TrackedKeys, ReadersWithAPlaceAreNamedByItsOwner) {
  TrackedKeys t;
  t.listen(true, false);
  t.give_place(0, 70);
  t.give_place(63, 71);
  for (int again = 0; again < 2; again++) {
    t.remember("a", {71, 63});
    t.remember("a", {70, 0});
    t.remember("a", 72);
  }
  t.remember("b", {70, 0});
  EXPECT_EQ(t.items.get(), 4);
  EXPECT_EQ(t.uses(0), 2);
  t.key_modified("a", true);
  auto invalid = t.take_invalid();
  ASSERT_EQ(invalid.size(), 1u);
  EXPECT_EQ(invalid[0].readers, (std::vector<uint64_t>{70, 71, 72}));
  EXPECT_EQ(t.items.get(), 1);
  EXPECT_EQ(t.uses(0), 1);
  EXPECT_EQ(t.uses(63), 0);
}

TEST(TrackedKeys, WhoHasReadWithoutAPlaceAndThenWithOneIsToldOnce) {
  TrackedKeys t;
  t.listen(true, false);
  t.remember("a", 70);
  t.give_place(5, 70);
  t.remember("a", {70, 5});
  t.key_modified("a", true);
  auto invalid = t.take_invalid();
  ASSERT_EQ(invalid.size(), 1u);
  EXPECT_EQ(invalid[0].readers, std::vector<uint64_t>{70});
  EXPECT_EQ(t.items.get(), 0);
}

// Two leave, the second while the bits of the first are being cleared; the one who stays is told of everything still.
TEST(TrackedKeys, ThePlaceOfAClientThatHasGoneEmptiesLittleByLittle) {
  TrackedKeys t;
  t.listen(true, false);
  constexpr int kKeys = 20000;
  for (uint64_t reader = 0; reader < 3; reader++) {
    t.give_place(static_cast<int>(reader), reader + 1);
    for (int i = 0; i < kKeys; i++) t.remember("key:" + std::to_string(i), {reader + 1, static_cast<int>(reader)});
  }
  EXPECT_FALSE(t.sweep());
  t.leave_place(1);
  EXPECT_TRUE(t.sweep());
  t.leave_place(2);
  EXPECT_GT(t.uses(1), 0);
  while (t.sweep()) {
  }
  EXPECT_EQ(t.uses(1) + t.uses(2), 0);
  EXPECT_EQ(t.uses(0), kKeys);
  EXPECT_EQ(t.items.get(), kKeys);
  t.give_place(1, 9);
  t.remember("key:7", {9, 1});
  EXPECT_FALSE(t.sweep());
  t.key_modified("key:7", true);
  EXPECT_EQ(t.take_invalid().at(0).readers, (std::vector<uint64_t>{1, 9}));
}

TEST(TrackedKeys, FlushingEmptiesAllPlaces) {
  TrackedKeys t;
  t.listen(true, false);
  t.give_place(3, 4);
  t.remember("a", {4, 3});
  t.leave_place(3);
  t.flush();
  EXPECT_EQ(t.uses(3), 0);
  EXPECT_FALSE(t.sweep());
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
