#include "engine/store/table.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/hash.h"
#include "engine/base/memory.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

std::string key_of(uint64_t i) { return "key:" + std::to_string(i); }

void put(Table& t, const std::string& key, int64_t value) { t.insert(Entry::make_int(key, value, false), hash_bytes(key)); }

bool take(Table& t, const std::string& key) {
  uint64_t h = hash_bytes(key);
  const Place place = t.find(key, h);
  if (!place) return false;
  Entry::destroy(t.detach(place, h));
  return true;
}

void expect_same(const Table& t, const std::unordered_map<std::string, int64_t>& model) {
  ASSERT_EQ(t.size(), model.size());
  size_t n = 0;
  t.for_each([&](Entry* e) {
    auto it = model.find(std::string(e->key()));
    ASSERT_NE(it, model.end());
    ASSERT_EQ(it->second, e->int_value());
    n++;
  });
  ASSERT_EQ(n, model.size());
  for (const auto& [key, value] : model) {
    const Place place = t.find(key, hash_bytes(key));
    ASSERT_TRUE(place) << key;
    ASSERT_EQ(place.entry()->int_value(), value);
  }
}

TEST(Table, HoldsWhatAMapHoldsThroughGrowthAndShrinkage) {
  Seeded seeded;
  size_t before = memory::used();
  {
    Table t;
    std::unordered_map<std::string, int64_t> model;
    for (unsigned percent : {90u, 50u, 10u, 70u, 0u}) {  // of inserts
      for (int i = 0; i < 30000; i++) {
        std::string key = key_of(seeded.below(20000));
        if (seeded.chance(percent)) {
          if (!model.count(key)) put(t, key, i), model[key] = i;
        } else {
          ASSERT_EQ(take(t, key), model.erase(key) == 1);
        }
      }
      expect_same(t, model);
    }
    for (auto& [key, value] : model) ASSERT_TRUE(take(t, key));
    EXPECT_TRUE(t.empty());
    EXPECT_EQ(t.buckets(), 0u);
    EXPECT_EQ(t.memory(), 0u);
  }
  EXPECT_EQ(memory::used(), before);
}

TEST(Table, GrowsToThreeHundredThousandKeysAndBackInSmallSteps) {
  constexpr uint64_t kKeys = 300'000;
  Table t;
  size_t largest_step = 0;
  for (uint64_t i = 0; i < kKeys; i++) {
    size_t buckets = t.buckets();
    put(t, key_of(i), static_cast<int64_t>(i));
    largest_step = std::max(largest_step, t.buckets() - buckets);
  }
  EXPECT_EQ(largest_step, 1u);
  EXPECT_GT(t.size(), t.buckets() * 8);
  EXPECT_LT(t.memory(), kKeys * 11);  // 64 bytes a bucket, 9.5 entries in it, and overflow
  for (uint64_t i = 0; i < kKeys; i++) ASSERT_TRUE(t.find(key_of(i), hash_bytes(key_of(i))));
  EXPECT_FALSE(t.find("absent", hash_bytes("absent")));
  for (uint64_t i = 0; i < kKeys - 100; i++) ASSERT_TRUE(take(t, key_of(i)));
  for (uint64_t i = kKeys - 100; i < kKeys; i++) ASSERT_TRUE(t.find(key_of(i), hash_bytes(key_of(i))));
  EXPECT_LT(t.buckets(), 100u);
  EXPECT_LT(t.memory(), 100u * 64 * 3);
}

// As a million keys are on 16384 slots: what a key costs besides its entry.
TEST(Table, TakesElevenBytesAKeyWhereSlotsHaveSixty) {
  Seeded seeded;
  constexpr size_t kTables = 400, kKeys = 61 * kTables;
  std::vector<Table> tables(kTables);
  for (uint64_t i = 0; i < kKeys; i++) put(tables[seeded.below(kTables)], key_of(i), 0);
  size_t bytes = kTables * sizeof(Table);
  for (const Table& t : tables) bytes += t.memory();
  EXPECT_LT(static_cast<double>(bytes) / kKeys, 11.0);
}

// Buckets stand where they were first put, in the table's own list of segments and in its directory.
TEST(Table, NeverMovesABucketThoughItGrowsAndShrinks) {
  Table t;
  const std::string first = key_of(0);
  put(t, first, 7);
  size_t least = t.memory();
  for (size_t most : {40u, 150u, 170u, 400u, 5000u}) {  // within the table, on the border, in the directory
    for (uint64_t i = 1; i < most; i++) put(t, key_of(i), 0);
    EXPECT_LT(t.memory(), most * 14 + 256) << most;
    for (uint64_t i = 1; i < most; i++) ASSERT_TRUE(take(t, key_of(i)));
    ASSERT_EQ(t.find(first, hash_bytes(first)).entry()->int_value(), 7);
    EXPECT_LE(t.memory(), least + 3 * 128) << most;
  }
}

// All keys in one bucket's chain, whatever the number of buckets: tags and chains must still tell them apart.
TEST(Table, SurvivesKeysWithOneHash) {
  Table t;
  constexpr uint64_t kHash = 0x4200000000000000ull;
  // insert() trusts the caller's hash, splitting computes the true one; so no split may happen here.
  for (int i = 0; i < 5; i++) t.insert(Entry::make_int(key_of(static_cast<uint64_t>(i)), i, false), kHash);
  for (int i = 0; i < 5; i++) {
    const Place place = t.find(key_of(static_cast<uint64_t>(i)), kHash);
    ASSERT_TRUE(place);
    EXPECT_EQ(place.entry()->int_value(), i);
  }
  EXPECT_FALSE(t.find(key_of(9), kHash));
}

// Redis's guarantee: what stands in the table during the whole iteration is reported at least once, whatever comes and goes meanwhile.
TEST(Table, ScanReportsEveryKeyThatStaysWhileTheTableGrowsAndShrinks) {
  Seeded seeded;
  for (int round = 0; round < 60; round++) {
    Table t;
    std::set<std::string> stays;
    size_t fixed = 1 + seeded.below(2000);
    for (uint64_t i = 0; i < fixed; i++) put(t, "stay:" + std::to_string(i), 0), stays.insert("stay:" + std::to_string(i));
    std::vector<std::string> others;
    uint64_t next_other = 0;
    auto grow = [&](size_t n) {
      for (size_t i = 0; i < n; i++) {
        others.push_back(key_of(next_other++));
        put(t, others.back(), 0);
      }
    };
    auto shrink = [&](size_t n) {
      for (size_t i = 0; i < n && !others.empty(); i++) {
        std::swap(others[seeded.below(others.size())], others.back());
        ASSERT_TRUE(take(t, others.back()));
        others.pop_back();
      }
    };
    if (round % 3 != 0) grow(fixed * (1 + seeded.below(10)));
    std::set<std::string> seen;
    uint64_t cursor = 0;
    size_t steps = 0;
    do {
      cursor = t.scan(cursor, [&](Entry* e) { seen.insert(std::string(e->key())); });
      if (round % 3 == 0) grow(seeded.below(40));
      if (round % 3 == 1) shrink(seeded.below(60));
      if (round % 3 == 2) seeded.chance(50) ? grow(seeded.below(100)) : shrink(seeded.below(100));
      ASSERT_LT(++steps, 1'000'000u);
    } while (cursor);
    for (const std::string& key : stays) ASSERT_TRUE(seen.count(key)) << key << " in round " << round;
  }
}

TEST(Table, ScanOfAQuietTableReportsEachKeyOnce) {
  for (uint64_t n : {0, 1, 6, 7, 100, 1000, 5000}) {
    Table t;
    for (uint64_t i = 0; i < n; i++) put(t, key_of(i), 0);
    std::multiset<std::string> seen;
    uint64_t cursor = 0;
    do cursor = t.scan(cursor, [&](Entry* e) { seen.insert(std::string(e->key())); });
    while (cursor);
    EXPECT_EQ(seen.size(), n);
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), n);
  }
}

TEST(Table, AnyCursorEndsAScan) {
  Seeded seeded;
  Table t;
  for (uint64_t i = 0; i < 3000; i++) put(t, key_of(i), 0);
  for (int i = 0; i < 200; i++) {
    uint64_t cursor = seeded.next() >> seeded.below(64);
    size_t steps = 0;
    do cursor = t.scan(cursor, [](Entry*) {});
    while (cursor && ++steps < 10'000);
    ASSERT_LT(steps, 10'000u);
  }
}

TEST(Table, SamplesEveryKeyAboutEquallyOften) {
  Seeded seeded;
  for (uint64_t n : {1, 5, 60, 700}) {
    Table t;
    for (uint64_t i = 0; i < n; i++) put(t, key_of(i), 0);
    std::map<std::string, int> drawn;
    const int draws = static_cast<int>(n) * 400;
    int tries = 0;
    for (int i = 0; i < draws; tries++)
      if (Entry* e = t.sample(seeded.next())) drawn[std::string(e->key())]++, i++;
    EXPECT_LT(tries, draws * 40);
    ASSERT_EQ(drawn.size(), n);
    for (auto& [key, times] : drawn) {
      EXPECT_GT(times, 400 / 3) << key << " of " << n;
      EXPECT_LT(times, 400 * 3) << key << " of " << n;
    }
  }
}

}  // namespace
}  // namespace ringwood
