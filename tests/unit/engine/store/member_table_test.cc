#include "engine/store/member_table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/base/memory.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

struct Box {
  std::string key;
  int value;
};
struct BoxTraits {
  using Item = Box;
  static Bytes key(const Box* b) { return b->key; }
  static void release(Box* b) { delete b; }
};
using Table = MemberTable<BoxTraits>;

std::string key_of(uint64_t i) { return "member:" + std::to_string(i); }
void put(Table& t, const std::string& key, int value = 0) { t.insert(new Box{key, value}, hash_bytes(key)); }

TEST(MemberTable, HoldsWhatAMapHoldsThroughGrowthAndShrinkage) {
  Seeded seeded;
  auto& rng = seeded.engine();
  Table table;
  std::map<std::string, int> model;
  for (int phase = 0; phase < 6; phase++) {
    unsigned grow = phase % 2 == 0 ? 75 : 20;  // per cent of inserts
    for (int i = 0; i < 60000; i++) {
      std::string key = key_of(rng() % 50000);
      uint64_t hash = hash_bytes(key);
      auto there = model.find(key);
      Box* found = table.find(key, hash);
      ASSERT_EQ(found != nullptr, there != model.end());
      if (found) {
        ASSERT_EQ(found->value, there->second);
      }
      if (rng() % 100 < grow) {
        int value = static_cast<int>(rng() % 1000);
        if (found && rng() % 2)
          delete table.replace(new Box{key, value}, hash);
        else if (found)
          found->value = value;
        else
          put(table, key, value);
        model[key] = value;
      } else {
        ASSERT_EQ(table.erase(key, hash), model.erase(key) == 1);
      }
      ASSERT_EQ(table.size(), model.size());
    }
    size_t seen = 0;
    table.for_each([&](Box* b) {
      seen++;
      ASSERT_EQ(model.at(b->key), b->value);
    });
    ASSERT_EQ(seen, model.size());
  }
}

TEST(MemberTable, GrowsBeyondAWindowOfHashBitsAndShrinksToNothing) {
  // More than 2^16 buckets: the items' stored hash bits are exchanged on the way up and on the way down.
  constexpr uint64_t kItems = 800000;
  Table table;
  for (uint64_t i = 0; i < kItems; i++) put(table, key_of(i));
  ASSERT_GT(table.buckets(), 65536u);
  for (uint64_t i = 0; i < kItems; i += 7) ASSERT_NE(table.find(key_of(i), hash_bytes(key_of(i))), nullptr);
  for (uint64_t i = 0; i < kItems; i++) ASSERT_TRUE(table.erase(key_of(i), hash_bytes(key_of(i)))) << i;
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.buckets(), 1u);
  EXPECT_LT(table.memory(), 1024u);
}

TEST(MemberTable, CostsFewerThanSixteenBytesAMemberAndAccountsForThemExactly) {
  for (uint64_t items : {1000, 5000, 7000, 10000, 100000, 150000}) {
    std::vector<Box*> boxes;
    for (uint64_t i = 0; i < items; i++) boxes.push_back(new Box{key_of(i), 0});
    size_t before = memory::used();
    auto* table = new Table;
    for (Box* b : boxes) table->insert(b, hash_bytes(b->key));
    size_t used = memory::used() - before;
    double each = static_cast<double>(table->memory()) / static_cast<double>(items);
    EXPECT_LT(each, items < 10000 ? 17.5 : 16.0) << items;
    RecordProperty("bytes_per_member_" + std::to_string(items), std::to_string(each));
#ifndef RINGWOOD_SYSTEM_MALLOC
    EXPECT_GE(used, table->memory());
    EXPECT_LT(static_cast<double>(used), static_cast<double>(table->memory()) * 1.08);
#endif
    (void)used;
    delete table;
  }
}

TEST(MemberTable, ScanGivesEveryLastingItemWhileTheTableGrowsAndShrinks) {
  Seeded seeded;
  auto& rng = seeded.engine();
  for (int round = 0; round < 60; round++) {
    Table table;
    std::set<std::string> lasting, passing;
    size_t kept = 1 + rng() % 400;
    for (size_t i = 0; i < kept; i++) lasting.insert("stays:" + std::to_string(i));
    for (auto& k : lasting) put(table, k);
    uint64_t next = 0, cursor = 0;
    std::set<std::string> seen;
    int64_t wave = 0;
    do {
      // Waves of growth and shrinkage that cross several levels during one iteration.
      if (wave == 0) wave = static_cast<int64_t>(rng() % 6000) - 3000;
      for (int i = 0; i < 150 && wave > 0; i++, wave--) {
        std::string k = key_of(next++);
        put(table, k);
        passing.insert(k);
      }
      for (int i = 0; i < 150 && wave < 0; i++) {
        if (passing.empty()) {
          wave = 0;
          break;
        }
        wave++;
        auto it = passing.begin();
        ASSERT_TRUE(table.erase(*it, hash_bytes(*it)));
        passing.erase(it);
      }
      cursor = table.scan(cursor, [&](Box* b) { seen.insert(b->key); });
    } while (cursor != 0);
    for (auto& k : lasting) ASSERT_TRUE(seen.count(k)) << k << " in round " << round;
  }
}

TEST(MemberTable, ScanWithoutChangesGivesEachItemOnce) {
  for (uint64_t items : {0, 1, 5, 7, 100, 1000, 4321}) {
    Table table;
    for (uint64_t i = 0; i < items; i++) put(table, key_of(i));
    std::map<std::string, int> seen;
    uint64_t cursor = 0;
    do cursor = table.scan(cursor, [&](Box* b) { seen[b->key]++; });
    while (cursor != 0);
    ASSERT_EQ(seen.size(), items);
    for (auto& [k, n] : seen) ASSERT_EQ(n, 1) << k;
  }
}

TEST(MemberTable, RandomItemsAreEvenlyDistributed) {
  Seeded seeded;
  Random random(seeded.seed());
  for (size_t items : {1, 6, 50, 300}) {
    Table table;
    for (size_t i = 0; i < items; i++) put(table, key_of(i));
    std::map<std::string, size_t> hits;
    const size_t draws = items * 400;
    for (size_t i = 0; i < draws; i++) hits[table.random(random)->key]++;
    ASSERT_EQ(hits.size(), items);
    double chi2 = 0;
    for (auto& [k, n] : hits) chi2 += (static_cast<double>(n) - 400) * (static_cast<double>(n) - 400) / 400;
    double freedom = static_cast<double>(items) - 1;
    EXPECT_LT(chi2, freedom + 6 * std::sqrt(2 * freedom) + 1);
  }
}

TEST(MemberTable, RandomComesBackFromATableThatWasReservedFarTooLarge) {
  Seeded seeded;
  Random random(seeded.seed());
  Table table;
  table.reserve(1000000);
  put(table, "lonely");
  ASSERT_NE(table.random(random), nullptr);
  EXPECT_EQ(table.random(random)->key, "lonely");
}

TEST(MemberTable, ReservedRoomHoldsItsItemsWithoutFurtherGrowth) {
  Table table;
  table.reserve(10000);
  size_t buckets = table.buckets();
  for (uint64_t i = 0; i < 10000; i++) put(table, key_of(i));
  EXPECT_EQ(table.buckets(), buckets);
  for (uint64_t i = 0; i < 10000; i++) ASSERT_NE(table.find(key_of(i), hash_bytes(key_of(i))), nullptr);
}

}  // namespace
}  // namespace ringwood
