#include "engine/store/quicklist.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

constexpr size_t kPacked = size_t{1} << 30;

std::string some_value(Seeded& seeded, size_t longest) {
  switch (seeded.below(4)) {
    case 0: return std::to_string(seeded.below(1000000));
    case 1: return seeded.bytes(seeded.below(longest));
    default: return seeded.bytes(seeded.below(12));
  }
}

void expect_same(const Quicklist& list, const std::deque<std::string>& model) {
  list.check();
  ASSERT_EQ(list.size(), model.size());
  size_t i = 0;
  for (auto c = list.at(0); c.valid(); c.next()) {
    ASSERT_EQ(c.value().to_string(), model[i]);
    ASSERT_TRUE(c.equals(model[i]));
    i++;
  }
  ASSERT_EQ(i, model.size());
  for (auto c = list.at(-1); c.valid(); c.prev()) ASSERT_EQ(c.value().to_string(), model[--i]);
  ASSERT_EQ(i, 0u);
}

void fuzz(Seeded& seeded, int fill, size_t packed, size_t longest, int steps) {
  Quicklist list(fill);
  std::deque<std::string> model;
  for (int step = 0; step < steps; step++) {
    bool growing = (step / (steps / 4)) % 2 == 0;
    uint64_t dice = seeded.below(100);
    std::string value = some_value(seeded, longest);
    if (model.empty() || dice < (growing ? 20u : 5u)) {
      list.push_back(value, packed);
      model.push_back(value);
    } else if (dice < (growing ? 40u : 10u)) {
      list.push_front(value, packed);
      model.push_front(value);
    } else if (dice < (growing ? 70u : 30u)) {
      size_t i = seeded.below(model.size());
      bool after = seeded.chance(50);
      auto c = list.at(static_cast<int64_t>(i));
      if (after)
        list.insert_after(c, value, packed);
      else
        list.insert_before(c, value, packed);
      model.insert(model.begin() + static_cast<std::ptrdiff_t>(i + after), value);
    } else if (dice < 80) {
      size_t i = seeded.below(model.size());
      list.replace(list.at(static_cast<int64_t>(i)), value, packed);
      model[i] = value;
    } else if (dice < 85) {
      for (size_t n = seeded.chance(5) ? seeded.below(60) : 1; n-- && !model.empty();) {
        list.pop_front();
        model.pop_front();
      }
    } else if (dice < 99) {
      size_t i = seeded.chance(30) ? 0 : seeded.below(model.size());
      auto following = list.erase(list.at(static_cast<int64_t>(i)));
      model.erase(model.begin() + static_cast<std::ptrdiff_t>(i));
      ASSERT_EQ(following.valid(), i < model.size());
      if (following.valid()) {
        ASSERT_EQ(following.value().to_string(), model[i]);
      }
    } else {
      size_t from = seeded.below(model.size());
      size_t n = seeded.below(growing ? 10 : model.size() / 4 + 2);
      size_t gone = list.erase_range(from, n);
      ASSERT_EQ(gone, std::min(n, model.size() - from));
      model.erase(model.begin() + static_cast<std::ptrdiff_t>(from), model.begin() + static_cast<std::ptrdiff_t>(from + gone));
    }
    if (!model.empty()) {
      int64_t i = static_cast<int64_t>(seeded.below(model.size()));
      ASSERT_EQ(list.at(i).value().to_string(), model[static_cast<size_t>(i)]);
      ASSERT_EQ(list.at(i - static_cast<int64_t>(model.size())).value().to_string(), model[static_cast<size_t>(i)]);
    }
    if (step % 500 == 0) expect_same(list, model);
  }
  expect_same(list, model);
  std::unique_ptr<Quicklist> copy(list.duplicate());
  list.erase_range(0, model.size() / 2);
  expect_same(*copy, model);
  copy->erase_range(0, model.size() + 10);
  EXPECT_EQ(copy->size(), 0u);
  EXPECT_EQ(copy->nodes(), 0u);
  EXPECT_FALSE(copy->at(0).valid());
}

TEST(Quicklist, HoldsWhatADequeHoldsUnderEveryRuleOfNodeSize) {
  Seeded seeded;
  for (int fill : {-2, -1, -5, 1, 3, 100}) fuzz(seeded, fill, kPacked, 200, fill == 1 ? 6000 : 12000);
}

TEST(Quicklist, HoldsLargeElementsInNodesOfTheirOwn) {
  Seeded seeded;
  fuzz(seeded, -2, 50, 100, 12000);
  fuzz(seeded, 4, 8, 30, 8000);
}

TEST(Quicklist, HoldsElementsLongerThanANode) {
  Seeded seeded;
  fuzz(seeded, -1, kPacked, 9000, 3000);
}

TEST(Quicklist, FollowsTheLimitOfBytesAndOfElements) {
  Quicklist four_kb(-1), three(3);
  for (int i = 0; i < 1000; i++) {
    four_kb.push_back(std::string(90, 'a'), kPacked);
    three.push_front("x", kPacked);
  }
  four_kb.for_each_node([](const Quicklist::Node& n) { EXPECT_LE(n.bytes, 4096u); });
  EXPECT_EQ(four_kb.nodes(), (1000 + 42) / 43u);
  EXPECT_EQ(three.nodes(), 334u);
  EXPECT_EQ(Quicklist::node_limit(-2).bytes, 8192u);
  EXPECT_EQ(Quicklist::node_limit(-9).bytes, 65536u);
  EXPECT_EQ(Quicklist::node_limit(0).count, 1u);
  EXPECT_TRUE(Quicklist::exceeds_limit(10, 100, 11));
  EXPECT_TRUE(Quicklist::exceeds_limit(10, 8193, 1));
  EXPECT_FALSE(Quicklist::exceeds_limit(-2, 8192, 1000000));
}

TEST(Quicklist, MakesAPlainNodeFromAnElementAtTheThreshold) {
  Quicklist list(-2);
  for (const char* v : {"a", "b", "c"}) list.push_back(v, 5);
  list.insert_after(list.at(1), "large", 5);
  EXPECT_EQ(list.nodes(), 3u);
  int plain = 0;
  list.for_each_node([&](const Quicklist::Node& n) { plain += n.plain; });
  EXPECT_EQ(plain, 1);
  list.replace(list.at(2), "sm", 5);
  EXPECT_EQ(list.at(2).value().to_string(), "sm");
  EXPECT_EQ(list.at(3).value().to_string(), "c");
}

TEST(Quicklist, SeeksIntoAListOfAMillionElements) {
  Quicklist list(-2);
  for (int i = 0; i < 1000000; i++) list.push_back(std::to_string(i), kPacked);
  for (int64_t i : {0, 1, 499999, 500000, 777777, 999999}) {
    EXPECT_EQ(list.at(i).value().integer, i);
    EXPECT_EQ(list.at(i - 1000000).value().integer, i);
  }
  EXPECT_FALSE(list.at(1000000).valid());
  EXPECT_FALSE(list.at(-1000001).valid());
  EXPECT_LT(list.memory(0), 1000000 * 6.2);
}

}  // namespace
}  // namespace ringwood
