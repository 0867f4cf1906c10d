#include "engine/store/volatile_hash.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "engine/store/hash.h"
#include "engine/store/object_free.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

struct Field {
  std::string value;
  int64_t when = 0;
  bool live(int64_t now) const { return when == 0 || when >= now; }
};
using Model = std::map<std::string, Field>;

int64_t earliest(const Model& m) {
  int64_t t = 0;
  for (auto& [name, f] : m)
    if (f.when && (!t || f.when < t)) t = f.when;
  return t;
}

void expect_same(const Object& o, const Model& model, int64_t now, Random& random) {
  std::map<std::string, std::string> live, seen, scanned;
  Model all;
  for (auto& [name, f] : model)
    if (f.live(now)) live[name] = f.value;
  hash::for_each(o, now,
                 [&](const hash::Element& f, const hash::Element& v) { ASSERT_TRUE(seen.emplace(f.to_string(), v.to_string()).second); });
  ASSERT_EQ(seen, live);
  uint64_t cursor = 0;
  do cursor = hash::scan(o, cursor, now, [&](const hash::Element& f, const hash::Element& v) { scanned[f.to_string()] = v.to_string(); });
  while (cursor);
  ASSERT_EQ(scanned, live);
  hash::for_each_with_time(o, [&](const hash::Element& f, const hash::Element& v, int64_t when) {
    all[f.to_string()] = {v.to_string(), when};
  });
  ASSERT_EQ(all.size(), model.size());
  for (auto& [name, f] : model) {
    ASSERT_EQ(all[name].when, f.when);
    ASSERT_EQ(all[name].value, f.value);
  }
  ASSERT_EQ(hash::length(o), model.size());
  ASSERT_EQ(hash::live_length(o, now), live.size());
  ASSERT_EQ(hash::earliest_time(o), earliest(model));
  if (live.empty()) return;
  hash::random_picks(o, 20, now, random,
                     [&](const hash::Element& f, const hash::Element& v) { ASSERT_EQ(live.at(f.to_string()), v.to_string()); });
  for (size_t n : {size_t{1}, live.size() / 2, live.size(), live.size() + 3}) {
    std::set<std::string> picked;
    hash::random_distinct(o, n, now, random, [&](const hash::Element& f, const hash::Element&) {
      ASSERT_TRUE(live.count(f.to_string()));
      ASSERT_TRUE(picked.insert(f.to_string()).second);
    });
    ASSERT_EQ(picked.size(), std::min(n, live.size()));
  }
}

// kind 0: few short fields; 1: many; 2: few, some of them long.
TEST(VolatileHash, HoldsWhatAModelHoldsWhileTimePasses) {
  Seeded seeded;
  Random random(seeded.next());
  Limits limits;
  for (int kind = 0; kind < 3; kind++) {
    Object o = hash::create();
    Model model;
    int64_t now = 1000;
    auto some_field = [&] {
      std::string f = "f" + std::to_string(seeded.below(kind == 1 ? 2000 : 60));
      return kind == 2 && f.size() == 3 && seeded.chance(50) ? f + std::string(300, 'x') : f;
    };
    for (int step = 0; step < 15000; step++) {
      std::string f = some_field();
      auto it = model.find(f);
      switch (seeded.below(7)) {
        case 0:
        case 1: {
          std::string v = kind == 2 && seeded.chance(30) ? seeded.bytes(1500) : std::to_string(seeded.below(1000));
          bool keep = seeded.chance(30);
          ASSERT_EQ(hash::set(o, f, v, limits, keep ? hash::FieldTime::kKeep : hash::FieldTime::kDrop), it == model.end());
          model[f].value = v;
          if (!keep) model[f].when = 0;
          break;
        }
        case 2:
        case 3:
          if (it == model.end()) break;
          it->second.when = now + static_cast<int64_t>(seeded.below(400)) - 20;
          hash::set_time(o, f, it->second.when);
          break;
        case 4:
          if (it == model.end()) break;
          hash::set_time(o, f, 0);
          it->second.when = 0;
          break;
        case 5: ASSERT_EQ(hash::remove(o, f), model.erase(f) == 1); break;
        default: {
          now += static_cast<int64_t>(seeded.below(6));
          if (!hash::is_volatile(o) || seeded.chance(60)) break;
          size_t most = seeded.below(10), passed = 0;
          for (auto& [name, field] : model) passed += !field.live(now);
          size_t removed = volatile_hash::remove_passed(o, now, most);
          ASSERT_EQ(removed, std::min(most, passed));
          // The earliest go first: what is left is not earlier than anything that went.
          for (auto i = model.begin(); i != model.end();)
            i = hash::time_of(o, i->first, kBeforeAllTime) < 0 ? model.erase(i) : std::next(i);
          break;
        }
      }
      std::string g = some_field();
      auto at = model.find(g);
      bool live = at != model.end() && at->second.live(now);
      hash::Element v;
      ASSERT_EQ(hash::get(o, g, now, v), live);
      if (live) {
        ASSERT_EQ(v.to_string(), at->second.value);
      }
      ASSERT_EQ(hash::value_length(o, g, now), live ? at->second.value.size() : 0u);
      ASSERT_EQ(hash::time_of(o, g, now), live ? at->second.when : -1);
      if (step % 250 == 0) {
        ASSERT_NO_FATAL_FAILURE(expect_same(o, model, now, random)) << "kind " << kind << " step " << step;
        if (o.encoding() == Encoding::kVolatileTable) volatile_hash::timed(o).times.check();
        Object copy = hash::duplicate(o);
        ASSERT_EQ(copy.encoding(), o.encoding());
        EXPECT_GT(object_memory(Type::kHash, copy, 5), 0u);
        free_object(Type::kHash, o);
        o = copy;
      }
    }
    EXPECT_EQ(o.encoding(), kind == 0 ? Encoding::kListpackEx : Encoding::kVolatileTable);
    free_object(Type::kHash, o);
  }
}

TEST(VolatileHash, AFieldWithoutATimeCostsWhatItCostInAPlainTable) {
  Limits limits;
  Object plain = hash::create_table(1000), timed = hash::create_table(1000);
  for (int i = 0; i < 1000; i++) {
    std::string f = "field:" + std::to_string(i);
    hash::set(plain, f, "value", limits);
    hash::set(timed, f, "value", limits);
  }
  size_t before = object_memory(Type::kHash, timed, 0);
  EXPECT_EQ(before, object_memory(Type::kHash, plain, 0));
  hash::set_time(timed, "field:7", 5);
  EXPECT_LT(object_memory(Type::kHash, timed, 0), before + 300);  // the head, the heap, and twelve bytes
  hash::set_time(timed, "field:7", 0);
  EXPECT_EQ(hash::earliest_time(timed), 0);
  EXPECT_EQ(object_length(Type::kHash, timed), 1000u);
  free_object(Type::kHash, plain);
  free_object(Type::kHash, timed);
}

TEST(VolatileHash, BecomesATableWhereAPlainOneDoes) {
  Limits limits;
  auto volatile_listpack = [&](int n) {
    Object o = hash::create();
    for (int i = 0; i < n; i++) hash::set(o, "f" + std::to_string(i), "v", limits);
    hash::set_time(o, "f0", 1000);
    EXPECT_EQ(o.encoding(), Encoding::kListpackEx);
    return o;
  };
  auto expect_table = [](Object& o, size_t length) {
    EXPECT_EQ(o.encoding(), Encoding::kVolatileTable);
    EXPECT_EQ(hash::length(o), length);
    EXPECT_EQ(hash::time_of(o, "f0", kBeforeAllTime), 1000);
    EXPECT_EQ(hash::time_of(o, "f1", kBeforeAllTime), 0);
    EXPECT_EQ(hash::earliest_time(o), 1000);
    free_object(Type::kHash, o);
  };
  Object o = volatile_listpack(128);
  hash::set(o, "one more", "v", limits);
  expect_table(o, 129);
  o = volatile_listpack(2);
  hash::set(o, "long", std::string(65, 'x'), limits);
  expect_table(o, 3);
  o = volatile_listpack(2);
  std::string value(65, 'x');
  Bytes pair[] = {"a", value};
  hash::before_set(o, pair, 2, limits);
  expect_table(o, 2);
  o = volatile_listpack(2);
  std::vector<Bytes> many(2 * 129, "x");
  hash::before_set(o, many.data(), many.size(), limits);
  expect_table(o, 2);
  o = volatile_listpack(100);
  limits.hash_max_listpack_entries = 99;
  hash::fit(o, limits);
  expect_table(o, 100);
}

TEST(VolatileHash, AFieldLivesThroughItsLastMillisecond) {
  Limits limits;
  for (bool large : {false, true}) {
    Object o = large ? hash::create_table(4) : hash::create();
    hash::set(o, "f", "v", limits);
    hash::set_time(o, "f", 1000);
    hash::Element v;
    EXPECT_TRUE(hash::get(o, "f", 1000, v));
    EXPECT_FALSE(hash::get(o, "f", 1001, v));
    EXPECT_EQ(volatile_hash::remove_passed(o, 1000, 10), 0u);
    EXPECT_EQ(volatile_hash::remove_passed(o, 1001, 10), 1u);
    free_object(Type::kHash, o);
  }
}

}  // namespace
}  // namespace ringwood
