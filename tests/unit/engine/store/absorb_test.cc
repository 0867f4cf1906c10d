// Database::absorb: all keys of one database become keys of another one.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "engine/store/database.h"
#include "tests/support/seed.h"
#include "tests/unit/engine/store/database_model.h"

namespace ringwood {
namespace {

using Model = std::map<std::string, Value>;

// Two databases of one shard, which share its indexes.
struct Two {
  explicit Two(int shards = 1) : mapping(shards) {}
  void set(Database& d, Model& model, const std::string& key, const std::string& text, int64_t expiry) {
    const KeyRef k(key);
    d.set_string(k, d.find(k), text, expiry > 0 ? expiry : Database::kDropExpiry, 7);
    model[key] = {text, expiry > 0 ? expiry : -1};
  }
  void absorb() {
    own.absorb(other);
    for (auto& [key, v] : in_other) in_own.emplace(key, v);  // what is here already stays
    in_other.clear();
    while (graveyard.dig(1000)) {
    }
  }
  static void check(const Database& d, const Model& model) {
    ASSERT_EQ(d.size(), model.size());
    size_t with_expiry = 0;
    int64_t sum = 0;
    std::map<int, size_t> slots;
    for (const auto& [key, v] : model) {
      Entry* e = d.find(KeyRef(key));
      ASSERT_NE(e, nullptr) << key;
      ASSERT_EQ(text_of(e), v.text);
      ASSERT_EQ(e->expiry_ms(), v.expiry) << key;
      with_expiry += v.expiry >= 0;
      if (v.expiry >= 0) sum += v.expiry;
      slots[key_slot(key)]++;
    }
    ASSERT_EQ(d.volatile_keys(), with_expiry);
    if (with_expiry) {
      ASSERT_NEAR(static_cast<double>(d.mean_ttl_ms(0)), static_cast<double>(sum) / static_cast<double>(with_expiry), 32);
    }
    std::map<int, size_t> used;
    for (int s = d.next_used_slot(0); s >= 0; s = d.next_used_slot(s + 1)) used[s] = d.slot_size(static_cast<uint16_t>(s));
    ASSERT_EQ(used, slots);
  }
  void check() {
    ASSERT_NO_FATAL_FAILURE(check(own, in_own));
    ASSERT_NO_FATAL_FAILURE(check(other, in_other));
    ASSERT_EQ(index.size(), own.volatile_keys() + other.volatile_keys());
  }

  ExpiryIndex index, field_index;
  Graveyard graveyard{&index, &field_index};
  SlotMapping mapping;
  Database own{0, 0, mapping, &index, &field_index, &graveyard}, other{1, 0, mapping, &index, &field_index, &graveyard};
  Model in_own, in_other;
};

TEST(Absorb, TakesAllKeysWithTheirTimes) {
  Seeded s;
  for (int round = 0; round < 30; round++) {
    Two t;
    // Slots of one alone, of both, and keys of both.
    const uint64_t keys = 1 + s.below(400), shared = s.below(3) ? s.below(40) : 0;
    auto expiry = [&s] { return s.chance(40) ? kNow + static_cast<int64_t>(s.below(100'000)) : 0; };
    for (uint64_t i = 0; i < keys; i++) t.set(t.own, t.in_own, "own" + std::to_string(s.below(keys)), s.bytes(s.below(40)), expiry());
    for (int again = 0; again < 3; again++) {
      for (uint64_t i = 0; i < keys; i++)
        t.set(t.other, t.in_other, "other" + std::to_string(s.below(keys)), s.bytes(s.below(40)), expiry());
      for (uint64_t i = 0; i < shared; i++)
        t.set(t.other, t.in_other, "x{own" + std::to_string(s.below(keys)) + "}", s.bytes(s.below(40)), expiry());
      for (uint64_t i = 0; i < shared; i++)
        t.set(t.other, t.in_other, "own" + std::to_string(s.below(keys)), s.bytes(s.below(40)), expiry());
      ASSERT_NO_FATAL_FAILURE(t.check());
      t.absorb();
      ASSERT_NO_FATAL_FAILURE(t.check());
      // What has been absorbed is a key like any other.
      for (uint64_t i = 0; i < keys / 2; i++) {
        const std::string key = (s.below(2) ? "other" : "own") + std::to_string(s.below(keys));
        if (s.below(2)) {
          ASSERT_EQ(t.own.erase(KeyRef(key)), t.in_own.erase(key) == 1);
        } else {
          t.set(t.own, t.in_own, key, s.bytes(s.below(90)), expiry());
        }
      }
      ASSERT_NO_FATAL_FAILURE(t.check());
    }
    // All that is due is handed out, each once.
    size_t due = 0, handed = 0;
    for (auto& [key, v] : t.in_own) due += v.expiry >= 0;
    while (t.index.advance(kNow + 200'000, 10, [&](ExpiryNode* n) {
      const std::string key(Entry::from_node(n)->key());
      ASSERT_EQ(t.in_own.at(key).expiry, static_cast<int64_t>(n->when_ms));
      ASSERT_TRUE(t.own.erase(KeyRef(key)));
      t.in_own.erase(key);
      handed++;
    })) {
    }
    EXPECT_EQ(handed, due);
    ASSERT_NO_FATAL_FAILURE(t.check());
  }
}

TEST(Absorb, GivesBackToTheIndexWhatCameDueMeanwhile) {
  Two t;
  t.set(t.other, t.in_other, "due", "1", kNow);
  t.set(t.other, t.in_other, "gone", "1", kNow);
  t.set(t.other, t.in_other, "later", "1", kNow + 1000);
  size_t put_off = 0;
  while (t.index.advance(kNow + 1, 10, [&](ExpiryNode* n) {
    t.other.put_off(Entry::from_node(n));
    put_off++;
  })) {
  }
  EXPECT_EQ(put_off, 2u);
  ASSERT_TRUE(t.other.erase(KeyRef("gone")));
  t.in_other.erase("gone");
  t.absorb();
  ASSERT_NO_FATAL_FAILURE(t.check());
  std::set<std::string> handed;
  while (t.index.advance(kNow + 2, 10, [&](ExpiryNode* n) {
    handed.insert(std::string(Entry::from_node(n)->key()));
    ASSERT_TRUE(t.own.erase(KeyRef(Entry::from_node(n)->key())));
  })) {
  }
  EXPECT_EQ(handed, std::set<std::string>{"due"});
}

TEST(Absorb, OfAnEmptyOneChangesNothing) {
  Two t;
  t.absorb();
  ASSERT_NO_FATAL_FAILURE(t.check());
  t.set(t.own, t.in_own, "a", "1", 0);
  t.absorb();
  ASSERT_NO_FATAL_FAILURE(t.check());
}

}  // namespace
}  // namespace ringwood
