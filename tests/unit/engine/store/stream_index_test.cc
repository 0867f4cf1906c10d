#include "engine/store/stream_index.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

using Model = std::map<StreamId, uint64_t>;

void expect_same(const StreamIndex<uint64_t>& index, const Model& model) {
  ASSERT_EQ(model.size(), index.check());
  auto p = index.first();
  for (const auto& [id, value] : model) {
    ASSERT_TRUE(p.valid());
    ASSERT_EQ(id, p.id());
    ASSERT_EQ(value, p.value());
    p.next();
  }
  ASSERT_FALSE(p.valid());
  p = index.last();
  for (auto it = model.rbegin(); it != model.rend(); ++it, p.prev()) ASSERT_TRUE(p.valid() && p.id() == it->first);
  ASSERT_FALSE(p.valid());
}

TEST(StreamIndex, HoldsWhatAMapHolds) {
  Seeded seeded;
  StreamIndex<uint64_t> index;
  Model model;
  uint64_t top = 0;
  for (int step = 0; step < 60000; step++) {
    bool growing = (step / 6000) % 2 == 0;
    StreamId id{seeded.below(3000), seeded.below(2)};
    if (seeded.chance(30)) id = {3000 + top++, 0};
    if (seeded.chance(growing ? 70 : 20)) {
      auto [value, added] = index.insert(id, static_cast<uint64_t>(step));
      ASSERT_EQ(model.emplace(id, step).second, added);
      ASSERT_EQ(model[id], *value);
    } else if (seeded.chance(60) && !model.empty()) {  // from the front, as trimming does
      auto next = index.erase(index.first());
      model.erase(model.begin());
      ASSERT_EQ(model.empty(), !next.valid());
      if (next.valid()) {
        ASSERT_EQ(model.begin()->first, next.id());
      }
    } else {
      auto p = index.at_least(id);
      auto it = model.lower_bound(id);
      ASSERT_EQ(it != model.end(), p.valid());
      if (it != model.end()) {
        ASSERT_EQ(it->first, p.id());
        p = index.erase(p);
        it = model.erase(it);
        ASSERT_EQ(it != model.end(), p.valid());
        if (p.valid()) {
          ASSERT_EQ(it->first, p.id());
        }
      }
    }
    auto below = model.upper_bound(id);
    auto p = index.at_most(id);
    ASSERT_EQ(below != model.begin(), p.valid());
    if (p.valid()) {
      ASSERT_EQ(std::prev(below)->first, p.id());
    }
    ASSERT_EQ(model.count(id) == 1, index.find(id) != nullptr);
    if (step % 500 == 0) expect_same(index, model);
  }
  expect_same(index, model);
}

TEST(StreamIndex, FillsItsChunksWhenIdsAscendAndIsSmallWhenItHoldsOne) {
  StreamIndex<uint64_t> index;
  index.insert({1, 1}, 1);
  EXPECT_LE(index.memory(), 80u);
  for (uint64_t i = 2; i < 10000; i++) index.insert({i, 0}, i);
  EXPECT_LT(index.memory(), 10000 * 27u);
  StreamIndex<Nothing> set;
  for (uint64_t i = 0; i < 10000; i++) set.insert({i, 0}, {});
  EXPECT_LT(set.memory(), 10000 * 18u);
}

}  // namespace
}  // namespace ringwood
