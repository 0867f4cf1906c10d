#include "engine/store/set.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "engine/store/object_free.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

using Model = std::set<std::string>;

struct Holder {
  Object o = set::create_intset();
  ~Holder() { free_object(Type::kSet, o); }
};
Model content(const Object& o) {
  Model m;
  size_t n = 0;
  set::for_each(o, [&](set::Element e) {
    m.insert(e.to_string());
    n++;
  });
  EXPECT_EQ(m.size(), n);
  return m;
}
Object filled(const Model& m, const Limits& limits) {
  Object o = set::create_intset();
  for (auto& s : m) set::add(o, Bytes(s), limits);
  return o;
}

// Members that keep a set in each of the encodings, and some that drive it out.
std::string member(Seeded& seeded, int kind) {
  if (kind == 0 || (kind == 1 && seeded.chance(50))) return std::to_string(static_cast<int64_t>(seeded.below(2000)) - 1000);
  return "m" + std::to_string(seeded.below(kind == 2 ? 100000 : 500));
}

TEST(Set, HoldsWhatASetHoldsInEveryEncoding) {
  Seeded seeded;
  Random random(seeded.seed());
  Limits limits;
  std::set<Encoding> encodings;
  for (int kind = 0; kind < 3; kind++) {
    Holder h;
    Model model;
    for (int step = 0; step < 20000; step++) {
      std::string m = member(seeded, kind);
      bool growing = (step / 4000) % 2 == 0;
      if (seeded.chance(growing ? 60 : 30)) {
        ASSERT_EQ(set::add(h.o, Bytes(m), limits), model.insert(m).second);
      } else if (seeded.chance(50)) {
        ASSERT_EQ(set::remove(h.o, Bytes(m)), model.erase(m) == 1);
      } else if (!model.empty() && !growing) {
        std::string popped = set::pop(h.o, random);
        ASSERT_EQ(model.erase(popped), 1u) << popped;
      }
      ASSERT_EQ(set::contains(h.o, Bytes(m)), model.count(m) == 1);
      ASSERT_EQ(set::size(h.o), model.size());
      encodings.insert(h.o.encoding());
      if (step % 1000 == 0) {
        ASSERT_EQ(content(h.o), model);
        Object copy = set::duplicate(h.o);
        EXPECT_EQ(copy.encoding(), h.o.encoding());
        free_object(Type::kSet, h.o);
        h.o = copy;
        set::shrink_to_fit(h.o);
      }
    }
    ASSERT_EQ(content(h.o), model);
    EXPECT_EQ(object_length(Type::kSet, h.o), model.size());
    EXPECT_GT(object_memory(Type::kSet, h.o, 0), 0u);
  }
  EXPECT_EQ(encodings.size(), 3u);
}

TEST(Set, ChangesItsEncodingWhereRedisDoes) {
  Limits limits;
  Holder h;
  for (int i = 0; i < 512; i++) set::add(h.o, Bytes(std::to_string(i)), limits);
  EXPECT_EQ(h.o.encoding(), Encoding::kIntset);
  set::add(h.o, Bytes("512"), limits);
  EXPECT_EQ(h.o.encoding(), Encoding::kHashtable);

  Object small = filled({"1", "2"}, limits);
  set::add(small, Bytes("x"), limits);
  EXPECT_EQ(small.encoding(), Encoding::kListpack);
  EXPECT_EQ(content(small), (Model{"1", "2", "x"}));
  set::add(small, Bytes(std::string(65, 'y')), limits);
  EXPECT_EQ(small.encoding(), Encoding::kHashtable);
  free_object(Type::kSet, small);

  small = set::create_for("a", 1, limits);
  EXPECT_EQ(small.encoding(), Encoding::kListpack);
  for (int i = 0; i < 128; i++) set::add(small, Bytes("m" + std::to_string(i)), limits);
  EXPECT_EQ(small.encoding(), Encoding::kListpack);
  set::add(small, Bytes("more"), limits);
  EXPECT_EQ(small.encoding(), Encoding::kHashtable);
  EXPECT_EQ(set::size(small), 129u);
  free_object(Type::kSet, small);

  // An intset with more members than a listpack may have goes to the hash table at once.
  Model integers;
  for (int i = 0; i < 128; i++) integers.insert(std::to_string(i));
  small = filled(integers, limits);
  set::add(small, Bytes("x"), limits);
  EXPECT_EQ(small.encoding(), Encoding::kHashtable);
  free_object(Type::kSet, small);
}

TEST(Set, IsCreatedForItsFirstMemberAndTheirNumber) {
  Limits limits;
  auto encoding = [&](Bytes first, size_t n) {
    Object o = set::create_for(first, n, limits);
    Encoding e = o.encoding();
    free_object(Type::kSet, o);
    return e;
  };
  EXPECT_EQ(encoding("12", 512), Encoding::kIntset);
  EXPECT_EQ(encoding("12", 513), Encoding::kHashtable);
  EXPECT_EQ(encoding("012", 128), Encoding::kListpack);
  EXPECT_EQ(encoding("a", 129), Encoding::kHashtable);
  Holder h;
  set::add(h.o, Bytes("1"), limits);
  set::before_add(h.o, 513, limits);
  EXPECT_EQ(h.o.encoding(), Encoding::kHashtable);
  EXPECT_TRUE(set::contains(h.o, Bytes("1")));
}

TEST(Set, PopsManyAtRandomAndKeepsTheRest) {
  Seeded seeded;
  Random random(seeded.seed());
  Limits limits;
  for (int kind = 0; kind < 3; kind++) {
    for (int round = 0; round < 40; round++) {
      Model model;
      size_t n = kind == 1 ? 2 + seeded.below(100) : 2 + seeded.below(400);
      while (model.size() < n) model.insert(kind == 0 ? std::to_string(model.size() * 3) : "m" + std::to_string(seeded.below(100000)));
      Object o = filled(model, limits);
      size_t count = 1 + seeded.below(n - 1);
      std::vector<OwnedBytes> popped;
      set::pop_many(o, count, random, limits, popped);
      ASSERT_EQ(popped.size(), count);
      ASSERT_EQ(set::size(o), n - count);
      for (auto& p : popped) ASSERT_EQ(model.erase(p), 1u);
      ASSERT_EQ(content(o), model);
      free_object(Type::kSet, o);
    }
  }
}

TEST(Set, OfWhichFewAreLeftAfterPopManyIsBuiltAnew) {
  Random random(1);
  Limits limits;
  Model model;
  for (int i = 0; i < 300; i++) model.insert("m" + std::to_string(i));
  Object o = filled(model, limits);
  EXPECT_EQ(o.encoding(), Encoding::kHashtable);
  std::vector<OwnedBytes> popped;
  set::pop_many(o, 290, random, limits, popped);
  EXPECT_EQ(o.encoding(), Encoding::kListpack);
  EXPECT_EQ(set::size(o), 10u);
  free_object(Type::kSet, o);
}

TEST(Set, GivesDistinctRandomMembersEachEquallyOften) {
  Seeded seeded;
  Random random(seeded.seed());
  Limits limits;
  for (int kind = 0; kind < 3; kind++) {
    Model model;
    for (int i = 0; i < (kind == 2 ? 200 : 100); i++) model.insert(kind == 0 ? std::to_string(i) : "m" + std::to_string(i));
    Object o = filled(model, limits);
    for (size_t count : {size_t{10}, model.size() * 3 / 4}) {
      std::map<std::string, int> hits;
      const int rounds = 2000;
      for (int r = 0; r < rounds; r++) {
        Model got;
        set::random_distinct(o, count, random, [&](set::Element e) { ASSERT_TRUE(got.insert(e.to_string()).second); });
        ASSERT_EQ(got.size(), count);
        for (auto& g : got) hits[g]++;
      }
      double expected = rounds * static_cast<double>(count) / static_cast<double>(model.size());
      for (auto& m : model) EXPECT_NEAR(hits[m], expected, 6 * std::sqrt(expected)) << m;
    }
    size_t all = 0;
    set::random_distinct(o, model.size() + 5, random, [&](set::Element) { all++; });
    EXPECT_EQ(all, model.size());
    std::map<std::string, int> hits;
    for (size_t i = 0; i < model.size() * 200; i++) hits[set::random(o, random).to_string()]++;
    for (auto& m : model) EXPECT_NEAR(hits[m], 200, 6 * std::sqrt(200.0)) << m;
    free_object(Type::kSet, o);
  }
}

TEST(Set, BecomesAnIntsetOnlyWhenEveryMemberIsAnInteger) {
  Limits limits;
  Object o = set::create_table(3);
  for (const char* m : {"3", "-1", "2"}) set::add(o, Bytes(m), limits);
  set::to_intset_if_possible(o, limits);
  EXPECT_EQ(o.encoding(), Encoding::kIntset);
  EXPECT_EQ(content(o), (Model{"-1", "2", "3"}));
  set::add(o, Bytes("x"), limits);
  set::to_intset_if_possible(o, limits);
  EXPECT_EQ(o.encoding(), Encoding::kListpack);
  free_object(Type::kSet, o);
}

TEST(Set, FitsAnAdoptedBlobToTheLimits) {
  Limits limits;
  limits.set_max_listpack_entries = 2;
  limits.set_max_intset_entries = 2;
  uint8_t* lp = listpack::create();
  for (const char* m : {"a", "7", "c"}) listpack::append(lp, Bytes(m));
  Object o = set::adopt_listpack(lp);
  set::fit(o, limits);
  EXPECT_EQ(o.encoding(), Encoding::kHashtable);
  EXPECT_EQ(content(o), (Model{"a", "7", "c"}));
  free_object(Type::kSet, o);
  uint8_t* is = intset::create();
  for (int64_t v : {1, 2, 3}) intset::add(is, v);
  o = set::adopt_intset(is);
  set::fit(o, limits);
  EXPECT_EQ(o.encoding(), Encoding::kHashtable);
  EXPECT_EQ(content(o), (Model{"1", "2", "3"}));
  free_object(Type::kSet, o);
}

TEST(Set, ScansSmallEncodingsWholeAndLargeOnesByCursor) {
  Limits limits;
  for (size_t n : {5, 1000}) {
    Model model, seen;
    for (size_t i = 0; i < n; i++) model.insert("m" + std::to_string(i));
    Object o = filled(model, limits);
    uint64_t cursor = 0;
    size_t steps = 0;
    do {
      cursor = set::scan(o, cursor, [&](set::Element e) { seen.insert(e.to_string()); });
      steps++;
    } while (cursor);
    EXPECT_EQ(seen, model);
    EXPECT_EQ(steps == 1, n == 5);
    free_object(Type::kSet, o);
  }
}

}  // namespace
}  // namespace ringwood
