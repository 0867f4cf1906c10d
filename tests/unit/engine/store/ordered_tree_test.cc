#include "engine/store/ordered_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "engine/base/memory.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

using Key = std::pair<double, std::string>;

struct Pair {
  OrderedTree tree;
  std::vector<std::pair<Key, ScoredMember*>> model;  // sorted

  ~Pair() {
    for (auto& [k, m] : model) ScoredMember::destroy(m);
  }
  auto lower(const Key& k) {
    return std::lower_bound(model.begin(), model.end(), k, [](const auto& a, const Key& b) { return a.first < b; });
  }
  void insert(double score, const std::string& member) {
    auto it = lower({score, member});
    if (it != model.end() && it->first == Key{score, member}) return;
    ScoredMember* m = ScoredMember::create(score, member);
    tree.insert(m);
    model.insert(it, {{score, member}, m});
  }
  void erase(size_t i) {
    tree.erase(model[i].second);
    ScoredMember::destroy(model[i].second);
    model.erase(model.begin() + static_cast<std::ptrdiff_t>(i));
  }
  void update(size_t i, double score) {
    auto [key, m] = model[i];
    model.erase(model.begin() + static_cast<std::ptrdiff_t>(i));
    auto it = lower({score, key.second});
    if (it != model.end() && it->first == Key{score, key.second}) {  // the same member at that score already
      model.insert(lower(key), {key, m});
      return;
    }
    tree.update_score(m, score);
    model.insert(it, {{score, key.second}, m});
  }
  void expect_same() {
    ASSERT_EQ(tree.check(), model.size());
    size_t i = 0;
    for (auto p = tree.first(); p.valid(); p.next()) ASSERT_EQ(p.member(), model[i++].second);
    ASSERT_EQ(i, model.size());
    for (auto p = tree.last(); p.valid(); p.prev()) ASSERT_EQ(p.member(), model[--i].second);
    ASSERT_EQ(i, 0u);
  }
};

double some_score(std::mt19937_64& rng, int kind) {
  if (kind == 0) return static_cast<double>(rng() % 50);                     // many equal
  if (kind == 1) return static_cast<double>(rng() % 1000000) / 7.0 - 50000;  // mostly different
  return 0;                                                                  // all equal: lexicographic sets
}

TEST(OrderedTree, HoldsWhatASortedVectorHolds) {
  Seeded seeded;
  auto& rng = seeded.engine();
  for (int kind = 0; kind < 3; kind++) {
    Pair p;
    for (int step = 0; step < 20000; step++) {
      bool growing = (step / 5000) % 2 == 0;
      unsigned dice = static_cast<unsigned>(rng() % 100);
      if (p.model.empty() || dice < (growing ? 65u : 15u)) {
        p.insert(some_score(rng, kind), std::to_string(rng() % 100000));
      } else if (dice < 80) {
        p.erase(rng() % p.model.size());
      } else {
        size_t i = rng() % p.model.size();
        double s = dice < 90 ? p.model[i].first.first + 0.001 : some_score(rng, kind);
        p.update(i, s);
      }
      if (step % 16 == 0 && !p.model.empty()) {
        size_t i = rng() % p.model.size();
        auto& [key, m] = p.model[i];
        ASSERT_EQ(p.tree.rank(key.first, key.second), i);
        ASSERT_EQ(p.tree.rank(m), i);
        ASSERT_EQ(p.tree.at(i).member(), m);
        double s = some_score(rng, kind);
        auto less = std::lower_bound(p.model.begin(), p.model.end(), s, [](const auto& a, double b) { return a.first.first < b; });
        auto more = std::upper_bound(p.model.begin(), p.model.end(), s, [](double b, const auto& a) { return b < a.first.first; });
        ASSERT_EQ(p.tree.count_below(s, false), static_cast<size_t>(less - p.model.begin()));
        ASSERT_EQ(p.tree.count_below(s, true), static_cast<size_t>(more - p.model.begin()));
      }
      if (step % 1000 == 0) p.expect_same();
    }
    p.expect_same();
    while (!p.model.empty()) p.erase(rng() % p.model.size());
    p.expect_same();
    EXPECT_EQ(p.tree.memory(), sizeof(OrderedTree));
  }
}

TEST(OrderedTree, CountsByMemberWhereAllScoresAreEqual) {
  Seeded seeded;
  auto& rng = seeded.engine();
  Pair p;
  for (int i = 0; i < 3000; i++) p.insert(0, std::to_string(rng() % 10000));
  for (int i = 0; i < 500; i++) {
    std::string bound = std::to_string(rng() % 10000);
    auto it = p.lower({0, bound});
    size_t less = static_cast<size_t>(it - p.model.begin());
    bool equal = it != p.model.end() && it->first.second == bound;
    ASSERT_EQ(p.tree.count_below_lex(bound, false), less);
    ASSERT_EQ(p.tree.count_below_lex(bound, true), less + equal);
  }
  EXPECT_EQ(p.tree.count_below_lex("", false), 0u);
}

TEST(OrderedTree, CountingByMemberOnMixedScoresStaysWithinBounds) {
  Seeded seeded;
  auto& rng = seeded.engine();
  Pair p;
  for (int i = 0; i < 3000; i++) p.insert(static_cast<double>(rng() % 100), std::to_string(rng() % 10000));
  for (int i = 0; i < 500; i++) ASSERT_LE(p.tree.count_below_lex(std::to_string(rng() % 10000), true), p.tree.size());
}

TEST(OrderedTree, ErasesRangesInOrderAndHandsThemOut) {
  Seeded seeded;
  auto& rng = seeded.engine();
  for (int round = 0; round < 60; round++) {
    Pair p;
    size_t n = 1 + rng() % 4000;
    for (size_t i = 0; i < n; i++) p.insert(some_score(rng, round % 3), std::to_string(rng() % 100000));
    while (!p.model.empty()) {
      size_t from = rng() % p.model.size();
      size_t to = from + 1 + rng() % std::min<size_t>(p.model.size() - from, 1 + rng() % 1500);
      size_t i = from;
      p.tree.erase_range(from, to, [&](ScoredMember* m) {
        ASSERT_EQ(m, p.model[i++].second);
        ScoredMember::destroy(m);
      });
      ASSERT_EQ(i, to);
      p.model.erase(p.model.begin() + static_cast<std::ptrdiff_t>(from), p.model.begin() + static_cast<std::ptrdiff_t>(to));
      p.expect_same();
    }
  }
}

TEST(OrderedTree, IsBuiltOfElementsInOrderAndChangesLikeAnyOther) {
  Seeded seeded;
  auto& rng = seeded.engine();
  for (size_t n : {1, 2, 61, 62, 63, 125, 62 * 31, 62 * 31 + 1, 62 * 31 * 2 + 7, 20000}) {
    Pair p;
    std::vector<OrderedTree::Entry> entries;
    for (size_t i = 0; i < n; i++) {
      double score = static_cast<double>(i / 10);
      std::string member = std::to_string(1000000 + i);
      entries.push_back({score, ScoredMember::create(score, member)});
      p.model.push_back({{score, member}, entries.back().member});
    }
    p.tree.build(entries.data(), n);
    p.expect_same();
    EXPECT_EQ(p.tree.size(), n);
    for (int i = 0; i < 300; i++) p.insert(static_cast<double>(rng() % (n / 10 + 1)), std::to_string(rng() % 1000));
    p.expect_same();
    for (int i = 0; i < 600 && !p.model.empty(); i++) p.erase(rng() % p.model.size());
    p.expect_same();
  }
}

TEST(OrderedTree, KeepsOneMemberPerBlockOfEveryLength) {
  for (size_t size : {0, 1, 3, 4, 5, 100, 70000}) {
    std::string bytes(size, 'x');
    ScoredMember* m = ScoredMember::create(1.5, bytes);
    EXPECT_EQ(m->bytes(), bytes);
    EXPECT_EQ(m->score, 1.5);
    ScoredMember::destroy(m);
  }
}

// Bytes of tree nodes a member, for elements that come in ascending, descending and random order.
TEST(OrderedTree, FillsItsNodesWell) {
  Seeded seeded;
  auto& rng = seeded.engine();
  for (int order = 0; order < 3; order++) {
    OrderedTree tree;
    std::vector<ScoredMember*> members;
    constexpr int kItems = 100000;
    for (int i = 0; i < kItems; i++) {
      double score = order == 0 ? i : order == 1 ? -i : static_cast<double>(rng());
      members.push_back(ScoredMember::create(score, "m" + std::to_string(i)));
      tree.insert(members.back());
    }
    tree.check();
    double bytes_per_member = static_cast<double>(tree.memory()) / kItems;
    RecordProperty("bytes_per_member_" + std::to_string(order), std::to_string(bytes_per_member));
    EXPECT_LT(bytes_per_member, order == 2 ? 21.5 : 18.5);
    tree.clear();
    for (ScoredMember* m : members) ScoredMember::destroy(m);
  }
}

}  // namespace
}  // namespace ringwood
