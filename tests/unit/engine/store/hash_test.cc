#include "engine/store/hash.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "engine/store/object_free.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

using Model = std::map<std::string, std::string>;

Model content(const Object& o) {
  Model m;
  size_t n = 0;
  hash::for_each(o, kBeforeAllTime, [&](hash::Element f, hash::Element v) {
    m[f.to_string()] = v.to_string();
    n++;
  });
  EXPECT_EQ(m.size(), n);
  return m;
}

std::string some_value(Seeded& seeded, bool large) {
  switch (seeded.below(6)) {
    case 0: return std::to_string(seeded.below(100000));
    case 1: return large ? seeded.bytes(seeded.below(3000)) : "v";
    case 2: return "";
    default: return seeded.bytes(seeded.below(60));
  }
}

TEST(Hash, HoldsWhatAMapHoldsInBothEncodings) {
  Seeded seeded;
  Limits limits;
  for (int kind = 0; kind < 3; kind++) {
    Object o = hash::create();
    Model model;
    for (int step = 0; step < 20000; step++) {
      bool growing = (step / 4000) % 2 == 0;
      std::string f = "f" + std::to_string(seeded.below(kind == 0 ? 100 : 3000));
      if (kind == 2 && f.size() == 4) f += std::string(300, 'x');  // fields beyond the short form
      if (seeded.chance(growing ? 70 : 25)) {
        std::string v = some_value(seeded, kind != 0);
        ASSERT_EQ(hash::set(o, f, v, limits), model.count(f) == 0);
        model[f] = v;
      } else {
        ASSERT_EQ(hash::remove(o, f), model.erase(f) == 1);
      }
      std::string g = "f" + std::to_string(seeded.below(3000));
      hash::Element v;
      auto it = model.find(g);
      ASSERT_EQ(hash::get(o, g, kBeforeAllTime, v), it != model.end());
      ASSERT_EQ(hash::exists(o, g, kBeforeAllTime), it != model.end());
      ASSERT_EQ(hash::value_length(o, g, kBeforeAllTime), it == model.end() ? 0 : it->second.size());
      if (it != model.end()) {
        ASSERT_EQ(v.to_string(), it->second);
      }
      ASSERT_EQ(hash::length(o), model.size());
      if (step % 1000 == 0) {
        ASSERT_EQ(content(o), model);
        Object copy = hash::duplicate(o);
        EXPECT_EQ(copy.encoding(), o.encoding());
        free_object(Type::kHash, o);
        o = copy;
      }
    }
    ASSERT_EQ(content(o), model);
    EXPECT_EQ(o.encoding(), kind == 0 ? Encoding::kListpack : Encoding::kHashtable);
    EXPECT_EQ(object_length(Type::kHash, o), model.size());
    EXPECT_GT(object_memory(Type::kHash, o, 0), object_memory(Type::kHash, o, 5) / 4);
    free_object(Type::kHash, o);
  }
}

TEST(Hash, ChangesItsEncodingWhereRedisDoes) {
  Limits limits;
  auto encoding_after = [&](auto&& change) {
    Object o = hash::create();
    hash::set(o, "f", "1", limits);
    change(o);
    Encoding e = o.encoding();
    hash::Element v;
    EXPECT_TRUE(hash::get(o, "f", kBeforeAllTime, v));
    EXPECT_EQ(v.to_string(), "1");
    free_object(Type::kHash, o);
    return e;
  };
  auto fill = [&](Object& o, int n) {
    for (int i = 1; i < n; i++) hash::set(o, "f" + std::to_string(i), "v", limits);
  };
  EXPECT_EQ(encoding_after([&](Object& o) { fill(o, 128); }), Encoding::kListpack);
  EXPECT_EQ(encoding_after([&](Object& o) { fill(o, 129); }), Encoding::kHashtable);
  EXPECT_EQ(encoding_after([&](Object& o) { hash::set(o, "g", std::string(64, 'x'), limits); }), Encoding::kListpack);
  EXPECT_EQ(encoding_after([&](Object& o) { hash::set(o, "g", std::string(65, 'x'), limits); }), Encoding::kHashtable);
  EXPECT_EQ(encoding_after([&](Object& o) { hash::set(o, std::string(65, 'x'), "v", limits); }), Encoding::kHashtable);
  std::string long_value(65, 'y');
  Bytes args[] = {"g", "1", "h", long_value};
  EXPECT_EQ(encoding_after([&](Object& o) { hash::before_set(o, args, 2, limits); }), Encoding::kListpack);
  EXPECT_EQ(encoding_after([&](Object& o) { hash::before_set(o, args, 4, limits); }), Encoding::kHashtable);
  std::vector<Bytes> many(258, "x");
  EXPECT_EQ(encoding_after([&](Object& o) { hash::before_set(o, many.data(), 256, limits); }), Encoding::kListpack);
  EXPECT_EQ(encoding_after([&](Object& o) { hash::before_set(o, many.data(), 258, limits); }), Encoding::kHashtable);
  limits.hash_max_listpack_entries = 0;
  EXPECT_EQ(encoding_after([&](Object& o) { hash::fit(o, limits); }), Encoding::kHashtable);
}

TEST(HashField, KeepsFieldAndValueOfEveryLengthThroughUpdates) {
  Seeded seeded;
  for (size_t field_size : {0, 1, 255, 256, 5000}) {
    std::string name = seeded.bytes(field_size);
    HashField* f = HashField::create(name, "");
    for (int i = 0; i < 300; i++) {
      std::string value = seeded.bytes(seeded.chance(80) ? seeded.below(1100) : seeded.below(70000));
      HashField* changed = f->with_value(value);
      ASSERT_EQ(changed->field(), name);
      ASSERT_EQ(changed->value(), value);
      if (changed != f) HashField::destroy(f);
      f = changed;
    }
    HashField::destroy(f);
  }
}

TEST(Hash, PicksRandomFieldsEachEquallyOften) {
  Seeded seeded;
  Random random(seeded.seed());
  Limits limits;
  for (int n : {50, 300}) {
    Object o = hash::create();
    for (int i = 0; i < n; i++) hash::set(o, "f" + std::to_string(i), std::to_string(i), limits);
    std::map<std::string, int> hits;
    hash::random_picks(o, static_cast<size_t>(n) * 200, kBeforeAllTime, random, [&](hash::Element f, hash::Element v) {
      ASSERT_EQ(f.to_string(), "f" + v.to_string());
      hits[f.to_string()]++;
    });
    for (int i = 0; i < n; i++) EXPECT_NEAR(hits["f" + std::to_string(i)], 200, 6 * std::sqrt(200.0));
    for (size_t count : {size_t{5}, static_cast<size_t>(n) / 2, static_cast<size_t>(n) + 10}) {
      std::set<std::string> got;
      hash::random_distinct(o, count, kBeforeAllTime, random,
                            [&](hash::Element f, hash::Element) { ASSERT_TRUE(got.insert(f.to_string()).second); });
      EXPECT_EQ(got.size(), std::min(count, static_cast<size_t>(n)));
    }
    std::set<std::string> seen;
    uint64_t cursor = 0;
    do cursor = hash::scan(o, cursor, kBeforeAllTime, [&](hash::Element f, hash::Element) { seen.insert(f.to_string()); });
    while (cursor);
    EXPECT_EQ(seen.size(), static_cast<size_t>(n));
    free_object(Type::kHash, o);
  }
}

}  // namespace
}  // namespace ringwood
