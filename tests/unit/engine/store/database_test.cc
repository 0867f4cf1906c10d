#include "engine/store/database.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/base/memory.h"
#include "tests/support/seed.h"
#include "tests/unit/engine/store/database_model.h"

namespace ringwood {
namespace {

// One shard of several beside a map; every key used lies on the shard.
class Pair {
 public:
  Pair(int shards, int shard) : mapping_(shards), db_(3, shard, mapping_, &index_, &field_index_, &graveyard_) {
    for (int i = 0; keys_.size() < 400; i++) {
      std::string key = "k" + std::to_string(i) + std::string(static_cast<size_t>(i % 40), 'x');
      if (mapping_.shard(key_slot(key)) == shard) keys_.push_back(key);
    }
  }
  const std::string& some_key(Seeded& s) { return keys_[s.below(keys_.size())]; }

  void set(const std::string& key, const std::string& text, int64_t expiry) {
    KeyRef k(key);
    Entry* e = db_.set_string(k, db_.find(k), text, expiry, 7);
    ASSERT_EQ(e, db_.find(k));
    ASSERT_EQ(e->access(), 7u);
    Value& v = model_[key];
    if (expiry != Database::kKeepExpiry) v.expiry = expiry > 0 ? expiry : -1;
    v.text = text;
  }
  void set_int(const std::string& key, int64_t n, int64_t expiry) {
    KeyRef k(key);
    db_.set_int(k, db_.find(k), n, expiry, 7);
    Value& v = model_[key];
    if (expiry != Database::kKeepExpiry) v.expiry = expiry > 0 ? expiry : -1;
    v.text = std::to_string(n);
  }
  void resize(const std::string& key, size_t size, const std::string& patch) {
    KeyRef k(key);
    Entry* e = db_.resize_string(k, db_.find(k), size, 9);
    ASSERT_EQ(e, db_.find(k));
    Value& v = model_[key];
    v.text.resize(size);
    ASSERT_EQ(e->encoding(), Encoding::kRaw);
    ASSERT_EQ(text_of(e), v.text);
    size_t n = std::min(size, patch.size());
    std::memcpy(e->string_data() + size - n, patch.data(), n);
    v.text.replace(size - n, n, patch.substr(0, n));
  }
  void expire(const std::string& key, int64_t when) {
    KeyRef k(key);
    Entry* e = db_.find(k);
    if (!e) return;
    e = db_.set_expiry(k, e, when);
    ASSERT_EQ(e, db_.find(k));
    model_[key].expiry = std::min(when, kMaxExpiryMs);
  }
  void persist(const std::string& key) {
    Entry* e = db_.find(KeyRef(key));
    if (!e) return;
    ASSERT_EQ(db_.clear_expiry(e), model_[key].expiry >= 0);
    model_[key].expiry = -1;
  }
  void erase(const std::string& key) { ASSERT_EQ(db_.erase(KeyRef(key)), model_.erase(key) == 1); }
  void rename(const std::string& from, const std::string& to) {
    KeyRef f(from), t(to);
    if (from == to || !db_.find(f)) return;
    db_.erase(t);
    Entry* e = db_.detach(f);
    ASSERT_EQ(e->expiry_ms(), model_[from].expiry);
    ASSERT_TRUE(db_.adopt(t, Entry::remake(e, to, e->expiry_ms() >= 0)));
    ASSERT_FALSE(db_.adopt(t, db_.find(t)));
    model_[to] = model_[from];
    model_.erase(from);
  }
  void run_expiry(int64_t now) {
    while (index_.advance(now, 10, [&](ExpiryNode* n) {
      ASSERT_EQ(n->database, 3u);
      std::string key(Entry::from_node(n)->key());
      ASSERT_EQ(model_.at(key).expiry, static_cast<int64_t>(n->when_ms));
      ASSERT_LE(model_.at(key).expiry, now);
      erase(key);
    })) {
    }
    for (auto& [key, v] : model_) ASSERT_TRUE(v.expiry < 0 || v.expiry > now) << key;
  }

  void check() {
    ASSERT_EQ(db_.size(), model_.size());
    size_t with_expiry = 0;
    for (auto& [key, v] : model_) {
      Entry* e = db_.find(KeyRef(key));
      ASSERT_NE(e, nullptr) << key;
      ASSERT_EQ(text_of(e), v.text) << key;
      ASSERT_EQ(e->expiry_ms(), v.expiry) << key;
      ASSERT_EQ(e->string_size(), v.text.size());
      with_expiry += v.expiry >= 0;
    }
    ASSERT_EQ(db_.volatile_keys(), with_expiry);
    ASSERT_EQ(index_.size(), with_expiry);
    std::set<int> slots;
    for (auto& [key, v] : model_) slots.insert(key_slot(key));
    std::set<int> used;
    for (int s = db_.next_used_slot(0); s >= 0; s = db_.next_used_slot(s + 1)) used.insert(s);
    ASSERT_EQ(used, slots);
    size_t n = 0;
    db_.for_each([&](Entry*) { n++; });
    ASSERT_EQ(n, model_.size());
  }
  void clear() {
    db_.clear();
    while (graveyard_.dig(1000)) {
    }
    model_.clear();
  }

 private:
  ExpiryIndex index_, field_index_;
  Graveyard graveyard_{&index_, &field_index_};
  SlotMapping mapping_;
  Database db_;
  std::map<std::string, Value> model_;
  std::vector<std::string> keys_;
};

std::string some_text(Seeded& s) {
  switch (s.below(6)) {
    case 0: return std::to_string(static_cast<int64_t>(s.next()));
    case 1: return std::to_string(s.below(100));
    case 2: return s.bytes(s.below(20));
    case 3: return s.bytes(s.below(100));
    case 4: return s.bytes(8150 + s.below(100));  // around what stays inline
    default: return s.bytes(s.below(20000));
  }
}

int64_t some_expiry(Seeded& s) {
  switch (s.below(4)) {
    case 0: return Database::kKeepExpiry;
    case 1: return kNow + static_cast<int64_t>(s.below(5000));
    default: return Database::kDropExpiry;
  }
}

TEST(Database, HoldsWhatAMapHolds) {
  Seeded seeded;
  size_t before = memory::used();
  for (int shards : {1, 3}) {
    Pair p(shards, shards - 1);
    int64_t now = kNow;
    for (int i = 0; i < 20000; i++) {
      std::string key = p.some_key(seeded);
      switch (seeded.below(12)) {
        case 0:
        case 1:
        case 2: p.set(key, some_text(seeded), some_expiry(seeded)); break;
        case 3: p.set_int(key, static_cast<int64_t>(seeded.next()), some_expiry(seeded)); break;
        case 4:
        case 5: p.resize(key, seeded.below(seeded.chance(10) ? 40000 : 200), seeded.bytes(seeded.below(50))); break;
        case 6: p.expire(key, seeded.chance(5) ? INT64_MAX : now + static_cast<int64_t>(seeded.below(3000))); break;
        case 7: p.persist(key); break;
        case 8:
        case 9: p.erase(key); break;
        case 10: p.rename(key, p.some_key(seeded)); break;
        default: now += static_cast<int64_t>(seeded.below(30)); p.run_expiry(now);
      }
      if (i % 500 == 0) p.check();
      if (i == 15000) p.clear();
      if (testing::Test::HasFatalFailure()) FAIL() << "step " << i;
    }
    p.check();
  }
  EXPECT_EQ(memory::used(), before);
}

TEST(Database, WritesInPlaceWhereTheValueFits) {
  ExpiryIndex index, field_index;
  Graveyard graveyard(&index, &field_index);
  Database db(0, 0, SlotMapping(1), &index, &field_index, &graveyard);
  KeyRef k("key");
  Entry* first = db.set_string(k, std::string(64, 'a'), false, 0);
  EXPECT_EQ(db.set_string(k, std::string(64, 'b'), false, 0), first);
  EXPECT_EQ(db.set_string(k, std::string(60, 'c'), false, 0), first);
  EXPECT_EQ(text_of(first), std::string(60, 'c'));
  Entry* number = db.set_int(k, 5, false, 0);
  EXPECT_EQ(db.set_int(k, 6, false, 0), number);
  EXPECT_EQ(text_of(number), "6");
}

TEST(Database, AnEmptyOneTakesNoMemory) {
  size_t before = memory::used();
  ExpiryIndex index, field_index;
  Graveyard graveyard(&index, &field_index);
  size_t with_index = memory::used();
  Database db(0, 0, SlotMapping(1), &index, &field_index, &graveyard);
  EXPECT_EQ(memory::used(), with_index);
  EXPECT_LT(with_index - before, 200'000u);
  EXPECT_EQ(db.next_used_slot(0), -1);
  EXPECT_EQ(db.find(KeyRef("a")), nullptr);
}

TEST(Database, DrawsRandomKeysEvenlyThoughOneHashTagHoldsMost) {
  Seeded seeded;
  ExpiryIndex index, field_index;
  Graveyard graveyard(&index, &field_index);
  Database db(0, 0, SlotMapping(1), &index, &field_index, &graveyard);
  EXPECT_EQ(db.random_entry([&] { return seeded.next(); }), nullptr);
  for (int i = 0; i < 500; i++) db.set_int(KeyRef("{tag}" + std::to_string(i)), i, false, 0);
  for (int i = 0; i < 500; i++) db.set_int(KeyRef(std::to_string(i)), i, false, 0);
  int tagged = 0;
  for (int i = 0; i < 2000; i++) tagged += db.random_entry([&] { return seeded.next(); })->key()[0] == '{';
  EXPECT_GT(tagged, 400);
  EXPECT_LT(tagged, 1600);
}

TEST(Database, ASampleOfKeysIsEvenOverSlotsOfUnevenSize) {
  ExpiryIndex index, field_index;
  Graveyard graveyard(&index, &field_index);
  Database d(0, 0, SlotMapping(1), &index, &field_index, &graveyard);
  constexpr int kKeys = 4000;
  for (int i = 0; i < kKeys; i++) {  // half of them in one slot
    std::string key = (i % 2 ? "{tag}" : "") + std::to_string(i);
    KeyRef k(key);
    d.set_string(k, nullptr, "v", 0, 0);
    EXPECT_EQ(d.find_hash(k.slot, k.hash), d.find(k));
    EXPECT_EQ(d.find_hash(k.slot, k.hash + 1), nullptr);
  }
  Seeded s;
  int tagged = 0, all = 0;
  std::set<const Entry*> seen;
  for (int i = 0; i < 20000; i++)
    d.sample_keys([&] { return s.next(); },
                  [&](Entry* e) {
                    all++;
                    tagged += e->key()[0] == '{';
                    seen.insert(e);
                  });
  EXPECT_GT(seen.size(), size_t{kKeys} * 99 / 100);
  EXPECT_NEAR(static_cast<double>(tagged) / static_cast<double>(all), 0.5, 0.03);
}

// Few databases use all 16384 slots: what the others would take is not used memory, and a key that goes gives back what its slot took.
TEST(Database, TablesOfSlotsWithoutKeysAreNoUsedMemory) {
  ExpiryIndex index, field_index;
  Graveyard graveyard(&index, &field_index);
  const int64_t before = memory::own();
  {
    Database d(0, 0, SlotMapping(1), &index, &field_index, &graveyard), other(1, 0, SlotMapping(1), &index, &field_index, &graveyard);
    d.set_int(KeyRef("first"), 1, false, 0);
    const int64_t with_one = memory::own();
    EXPECT_LT(with_one - before, 16 << 10);
    for (int i = 0; i < 1000; i++) d.set_int(KeyRef("key" + std::to_string(i)), i, false, 0);
    EXPECT_GT(memory::own() - with_one, static_cast<int64_t>(900 * sizeof(Table)));
    for (int i = 0; i < 1000; i++) EXPECT_TRUE(d.erase(KeyRef("key" + std::to_string(i))));
    EXPECT_EQ(memory::own(), with_one);
    for (int i = 0; i < 1000; i++) other.set_int(KeyRef("key" + std::to_string(i)), i, false, 0);
    for (int i = 0; i < 500; i++) d.set_int(KeyRef("key" + std::to_string(i)), -i, false, 0);
    d.absorb(other);
    d.clear();
    while (graveyard.dig(1000)) {
    }
    d.set_int(KeyRef("first"), 1, false, 0);
  }
  while (graveyard.dig(1000)) {
  }
  EXPECT_EQ(memory::own(), before);
}

}  // namespace
}  // namespace ringwood
