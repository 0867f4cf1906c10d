#include "engine/store/zset_builder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "engine/base/memory.h"
#include "engine/store/object_free.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

using Model = std::map<std::string, double>;

std::vector<std::pair<double, std::string>> in_order(const Model& model) {
  std::vector<std::pair<double, std::string>> order;
  for (auto& [member, score] : model) order.emplace_back(score, member);
  std::sort(order.begin(), order.end());
  return order;
}

void expect_same(const Object& o, const Model& model) {
  auto order = in_order(model);
  ASSERT_EQ(zset::size(o), order.size());
  size_t i = 0;
  zset::for_each(o, [&](zset::Element e, double score) {
    char room[kMaxIntChars];
    ASSERT_EQ(std::string(e.text(room)), order[i].second);
    ASSERT_EQ(score, order[i++].first);
  });
  for (auto& [member, score] : model) {
    double found = 0;
    ASSERT_TRUE(zset::score(o, member, found)) << member;
    ASSERT_EQ(found, score);
  }
}

TEST(ZSetBuilder, PutsMembersInOrderWhateverOrderTheyComeIn) {
  Seeded seeded;
  auto& rng = seeded.engine();
  Limits limits;
  for (size_t n : {1, 5, 127, 128, 129, 3000}) {
    for (unsigned scores : {1u, 7u, 1000000u}) {
      Model model;
      while (model.size() < n) model[std::to_string(rng() % (n * 10))] = static_cast<double>(rng() % scores) - 3;
      auto order = in_order(model);
      for (int kind = 0; kind < 3; kind++) {
        if (kind == 1) std::reverse(order.begin(), order.end());
        if (kind == 2) std::shuffle(order.begin(), order.end(), rng);
        zset::Builder b;
        b.begin(kind == 0 ? 0 : n);
        for (auto& [score, member] : order) ASSERT_TRUE(b.add(member, score));
        ASSERT_FALSE(b.add(order[0].second, 5));
        Object o = b.finish(limits);
        EXPECT_EQ(o.encoding(), n <= limits.zset_max_listpack_entries ? Encoding::kListpack : Encoding::kSkiplist);
        expect_same(o, model);
        ASSERT_EQ(zset::add(o, 1.5, "one more", zset::kNone, limits).outcome, zset::Outcome::kAdded);
        model["one more"] = 1.5;
        expect_same(o, model);
        model.erase("one more");
        free_object(Type::kZSet, o);
      }
    }
  }
}

// Members that begin alike, that begin others, that are empty, and whose bytes are at both ends: what a word of each cannot tell apart.
TEST(ZSetBuilder, SortsMembersByAllTheirBytes) {
  Seeded seeded;
  Limits limits;
  for (const char* prefix : {"", "member:", "a prefix longer than a word:"}) {
    for (unsigned scores : {1u, 3u, 1000000u}) {
      Model model;
      while (model.size() < 3000) {
        std::string member = prefix;
        for (size_t n = seeded.below(20); n > 0; n--) member += "\0\1a\x7f\x80\xff"[seeded.below(6)];
        model[member] = seeded.below(50) ? static_cast<double>(seeded.below(scores)) / 7 : -0.0;  // which equals 0
      }
      auto order = in_order(model);
      std::shuffle(order.begin(), order.end(), seeded.engine());
      zset::Builder b;
      b.begin(order.size());
      for (auto& [score, member] : order) ASSERT_TRUE(b.add(member, score));
      Object o = b.finish(limits);
      expect_same(o, model);
      free_object(Type::kZSet, o);
    }
  }
}

TEST(ZSetBuilder, FreesWhatIsNotFinished) {
  size_t before = memory::used();
  {
    zset::Builder b;
    b.begin(100);
    for (int i = 0; i < 1000; i++) b.add(std::to_string(i), i);
    b.begin(1);
    b.add("a", 1);
  }
  EXPECT_EQ(memory::used(), before);
}

}  // namespace
}  // namespace ringwood
