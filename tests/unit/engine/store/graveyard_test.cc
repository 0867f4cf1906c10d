#include "engine/store/graveyard.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/base/memory.h"
#include "engine/store/database.h"
#include "engine/store/hash.h"
#include "engine/store/list.h"
#include "engine/store/set.h"
#include "engine/store/stream.h"
#include "engine/store/volatile_hash.h"
#include "engine/store/zset.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

// A database whose values are freed in pieces.
struct Ground {
  ExpiryIndex expiry, fields;
  Graveyard graveyard{&expiry, &fields};
  Database db{0, 0, SlotMapping(1), &expiry, &fields, &graveyard};
  Limits limits;

  Ground() {
    expiry.advance(1'700'000'000'000, 0, [](ExpiryNode*) {});
    fields.advance(1'700'000'000'000, 0, [](ExpiryNode*) {});
    db.set_string(KeyRef("{big}"), nullptr, "the tables there are made", 0, 0);
  }
  void put(const std::string& key, Type type, Object o) { db.set_object(KeyRef(key), type, o, 0); }
  // Digs to the end, never more than `step` at once; how often that took.
  int dig_all(size_t step) {
    int n = 1;
    while (graveyard.dig(step)) n++;
    return n;
  }
};

std::string member(int i) { return "member:" + std::to_string(i); }

Object big(Type type, int n, const Limits& limits) {
  switch (type) {
    case Type::kList: {
      Object o = list::create();
      for (int i = 0; i < n; i++) list::push(o, list::End::kTail, member(i) + std::string(100, 'x'), limits);
      return o;
    }
    case Type::kSet: {
      Object o = set::create_listpack();
      for (int i = 0; i < n; i++) set::add(o, Bytes(member(i)), limits);
      return o;
    }
    case Type::kZSet: {
      Object o = zset::create(static_cast<size_t>(n), 20, limits);
      for (int i = 0; i < n; i++) zset::add(o, i % 7, member(i), 0, limits);
      return o;
    }
    case Type::kStream: {
      Object o = stream::create();
      Stream& s = stream::of(o);
      StreamGroup* group = s.create_group("group", StreamId{}, 0);
      for (int i = 1; i <= n; i++) {
        Bytes strings[] = {"field", "value"};
        s.append({static_cast<uint64_t>(i), 0}, {strings, 1}, {});
        std::string name = "consumer" + std::to_string(i % 100);
        StreamConsumer* c = group->find_consumer(name);
        if (!c) c = group->create_consumer(name, 1);
        group->deliver({static_cast<uint64_t>(i), 0}, *c, 1, 1);
      }
      return o;
    }
    default: {
      Object o = hash::create();
      for (int i = 0; i < n; i++) hash::set(o, member(i), std::string(static_cast<size_t>(i % 1500), 'v'), limits);
      return o;
    }
  }
}

TEST(Graveyard, BigValuesAreFreedInPiecesAndWhollyInTheEnd) {
  Ground g;
  for (Type type : {Type::kList, Type::kSet, Type::kZSet, Type::kHash, Type::kStream}) {
    g.graveyard.reset_freed();
    size_t before = memory::used();
    g.put("big", type, big(type, 20'000, g.limits));
    size_t with = memory::used();
    EXPECT_TRUE(g.db.erase(KeyRef("big")));
    EXPECT_EQ(g.db.size(), 1u);
    EXPECT_EQ(g.graveyard.pending(), 1u) << type_name(type);
    EXPECT_GT(memory::used() + 4096, with) << "nothing is freed yet";
    EXPECT_TRUE(g.graveyard.dig(50));
    EXPECT_GT(memory::used(), before + (with - before) / 2);
    EXPECT_GT(g.dig_all(50), type == Type::kList || type == Type::kStream ? 3 : 100) << type_name(type);
    EXPECT_EQ(g.graveyard.pending(), 0u);
    EXPECT_EQ(g.graveyard.freed(), 1u);
    EXPECT_NEAR(static_cast<double>(memory::used()), static_cast<double>(before), 1024) << type_name(type);
  }
}

// Of very much the pages go back with what is freed, each by a system call: a step that freed as many then would take many milliseconds.
TEST(Graveyard, AStepFreesLessWherePagesGoBackWithIt) {
  Ground g;
  g.put("much", Type::kSet, big(Type::kSet, 15'000, g.limits));
  g.db.erase(KeyRef("much"));
  EXPECT_LT(g.dig_all(200), 15'000 / 100);
  g.put("very much", Type::kSet, big(Type::kSet, 60'000, g.limits));
  g.db.erase(KeyRef("very much"));
  EXPECT_GT(g.dig_all(200), 40'000 / 20);
}

TEST(Graveyard, SmallValuesAreFreedAtOnce) {
  Ground g;
  g.put("small", Type::kSet, big(Type::kSet, 10, g.limits));
  g.db.set_string(KeyRef("string"), nullptr, std::string(100'000, 'x'), 0, 0);
  g.db.erase(KeyRef("small"));
  g.db.erase(KeyRef("string"));
  EXPECT_TRUE(g.graveyard.empty());
  EXPECT_EQ(g.graveyard.freed(), 0u);
}

TEST(Graveyard, AValueThatIsReplacedGoesTheSameWay) {
  Ground g;
  g.put("k", Type::kSet, big(Type::kSet, 1000, g.limits));
  g.db.set_string(KeyRef("k"), "v", false, 0);
  EXPECT_EQ(g.graveyard.pending(), 1u);
  EXPECT_EQ(g.db.find(KeyRef("k"))->string_bytes(), "v");
}

TEST(Graveyard, ADatabaseIsEmptyAtOnceAndFreedInPieces) {
  Ground g;
  Seeded s;
  const int64_t later = 1'700'000'100'000;
  size_t before = memory::used();
  for (int i = 0; i < 30'000; i++) {
    std::string key = (i % 3 ? "{tag}" : "") + std::to_string(i);
    KeyRef k(key);
    g.db.set_string(k, nullptr, "value", i % 2 ? later + i : 0, 0);
  }
  g.put("big", Type::kHash, big(Type::kHash, 1000, g.limits));
  Object timed = big(Type::kHash, 1000, g.limits);
  volatile_hash::convert(timed);
  volatile_hash::set_time(timed, member(5), later);
  g.put("timed", Type::kHash, timed);
  g.db.clear();
  EXPECT_EQ(g.db.size(), 0u);
  EXPECT_EQ(g.db.volatile_keys(), 0u);
  EXPECT_EQ(g.db.hashes_with_times(), 0u);
  EXPECT_EQ(g.db.find(KeyRef("3")), nullptr);
  EXPECT_EQ(g.db.next_used_slot(0), -1);
  EXPECT_EQ(g.graveyard.pending(), 30'003u);
  EXPECT_EQ(g.expiry.size(), 15'000u);
  // The same keys may come back meanwhile, with other times.
  g.db.set_string(KeyRef("1"), nullptr, "new", later + 5, 0);
  EXPECT_GT(g.dig_all(100), 200);
  EXPECT_EQ(g.expiry.size(), 1u);
  EXPECT_EQ(g.fields.size(), 0u);
  EXPECT_EQ(g.graveyard.pending(), 0u);
  EXPECT_EQ(g.graveyard.freed(), 30'003u);
  EXPECT_EQ(g.db.find(KeyRef("1"))->string_bytes(), "new");
  g.db.clear();
  g.dig_all(100);
  EXPECT_NEAR(static_cast<double>(memory::used()), static_cast<double>(before), 4096);
}

TEST(Graveyard, WhatIsLeftGoesWithIt) {
  size_t before = memory::used();
  {
    Ground g;
    for (int i = 0; i < 5000; i++) g.db.set_string(KeyRef(std::to_string(i)), nullptr, "v", 0, 0);
    g.put("big", Type::kZSet, big(Type::kZSet, 1000, g.limits));
    g.put("other", Type::kSet, big(Type::kSet, 1000, g.limits));
    g.db.erase(KeyRef("other"));
    g.db.clear();
  }
  EXPECT_NEAR(static_cast<double>(memory::used()), static_cast<double>(before), 1024);
}

}  // namespace
}  // namespace ringwood
