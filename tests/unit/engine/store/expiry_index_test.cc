#include "engine/store/expiry_index.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <vector>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

constexpr int64_t kStart = 1'700'000'000'123;  // a day of November 2023

struct Node {
  ExpiryNode node{nullptr, nullptr, 0, 0};
  std::multimap<int64_t, Node*>::iterator place;
  bool linked = false;
  bool late = false;  // was due when it was added
};

// The index beside a multimap of what it should hold.
class Pair {
 public:
  explicit Pair(int64_t now) : now_(now) {
    index_.advance(now, 0, [](ExpiryNode*) {});
  }

  void add(Node& n, int64_t when) {
    n.node.when_ms = static_cast<uint64_t>(when);
    index_.add(&n.node);
    n.late = when <= now_;
    n.place = model_of(n).emplace(when, &n);
    n.linked = true;
  }
  void remove(Node& n) {
    index_.remove(&n.node);
    model_of(n).erase(n.place);
    n.linked = false;
  }
  ExpiryNode* walk() { return index_.walk(); }
  // Every node handed out must be due, and the earliest there is, to the millisecond; what was late when it was added has no order of its own.
  bool advance(int64_t now, int budget) {
    now_ = now;
    bool more = index_.advance(now, budget, [this](ExpiryNode* e) { take(e); });
    EXPECT_EQ(index_.size(), size());
    if (!more) {
      EXPECT_FALSE(due()) << "advance() says that nothing remains";
    }
    return more;
  }
  void take(ExpiryNode* e) {
    Node* n = reinterpret_cast<Node*>(e);
    ASSERT_TRUE(n->linked);
    int64_t when = static_cast<int64_t>(e->when_ms);
    ASSERT_LE(when, now_);
    if (!n->late) {
      ASSERT_EQ(model_.begin()->first, when);
    }
    ASSERT_EQ(index_.last_lag_ms(), now_ - when);
    ASSERT_EQ(e->prev, nullptr);
    model_of(*n).erase(n->place);
    n->linked = false;
    handed_out++;
  }
  bool due() const { return !late_.empty() || (!model_.empty() && model_.begin()->first <= now_); }
  size_t size() const { return model_.size() + late_.size(); }
  ExpiryIndex& index() { return index_; }
  int64_t earliest() const { return !late_.empty() ? late_.begin()->first : model_.empty() ? -1 : model_.begin()->first; }
  size_t handed_out = 0;

 private:
  ExpiryIndex index_;
  std::multimap<int64_t, Node*>& model_of(const Node& n) { return n.late ? late_ : model_; }
  std::multimap<int64_t, Node*> model_, late_;
  int64_t now_;
};

TEST(ExpiryIndex, HandsOutWhatIsDueAndNothingElse) {
  Pair p(kStart);
  std::vector<Node> nodes(4);
  p.add(nodes[0], kStart + 10);
  p.add(nodes[1], kStart + 11);
  p.add(nodes[2], kStart + 1'000'000);
  p.add(nodes[3], kStart - 5);
  EXPECT_FALSE(p.advance(kStart + 9, 100));
  EXPECT_EQ(p.handed_out, 1u);
  p.advance(kStart + 10, 100);
  EXPECT_EQ(p.handed_out, 2u);
  p.advance(kStart + 999'999, 100);
  EXPECT_EQ(p.handed_out, 3u);
  p.advance(kStart + 1'000'000, 100);
  EXPECT_EQ(p.handed_out, 4u);
  EXPECT_EQ(p.index().next_ms(), -1);
}

TEST(ExpiryIndex, CoversEveryTimeThatAKeyCanHave) {
  Pair p(kStart);
  std::vector<Node> nodes(49);
  for (int bit = 0; bit < 48; bit++) p.add(nodes[static_cast<size_t>(bit)], int64_t{1} << bit);
  p.add(nodes[48], kMaxExpiryMs);
  while (p.advance(kMaxExpiryMs - 1, 10)) {
  }
  EXPECT_EQ(p.handed_out, 48u);
  while (p.advance(kMaxExpiryMs, 10)) {
  }
  EXPECT_EQ(p.handed_out, 49u);
}

TEST(ExpiryIndex, TimeThatRunsBackwardsDoesNothing) {
  Pair p(kStart);
  Node n;
  p.add(n, kStart + 5);
  EXPECT_FALSE(p.index().advance(kStart - 1000, 10, [](ExpiryNode*) { FAIL(); }));
  p.advance(kStart + 5, 10);
  EXPECT_EQ(p.handed_out, 1u);
}

TEST(ExpiryIndex, ANodeMayMoveInMemoryAndBeRemovedTwice) {
  ExpiryIndex index;
  auto a = std::make_unique<ExpiryNode>(ExpiryNode{nullptr, nullptr, 500, 0});
  ExpiryNode b{nullptr, nullptr, 500, 0};
  index.add(a.get());
  index.add(&b);
  auto moved = std::make_unique<ExpiryNode>(*a);
  ExpiryIndex::moved(moved.get());
  a.reset();
  index.remove(&b);
  index.remove(&b);
  EXPECT_EQ(index.size(), 1u);
  index.remove(moved.get());
  EXPECT_EQ(index.size(), 0u);
  EXPECT_EQ(index.next_ms(), -1);
}

TEST(ExpiryIndex, ExpiringMayAddAndRemoveOthers) {
  ExpiryIndex index;
  index.advance(kStart, 0, [](ExpiryNode*) {});
  std::vector<ExpiryNode> nodes(3, ExpiryNode{nullptr, nullptr, static_cast<uint64_t>(kStart + 1), 0});
  index.add(&nodes[0]);
  index.add(&nodes[1]);
  std::vector<ExpiryNode*> out;
  index.advance(kStart + 1, 10, [&](ExpiryNode* n) {
    out.push_back(n);
    if (n != &nodes[0]) return;
    index.remove(&nodes[1]);
    index.add(&nodes[2]);
  });
  EXPECT_EQ(out, (std::vector<ExpiryNode*>{&nodes[0], &nodes[2]}));
}

// Times of all distances, so that every level is used.
int64_t some_distance(std::mt19937_64& rng) {
  int bits = static_cast<int>(rng() % 40);
  return static_cast<int64_t>(rng() & ((uint64_t{1} << bits) - 1)) - (rng() % 16 == 0 ? 5 : 0);
}

TEST(ExpiryIndex, AgreesWithAMultimapWhileTimeWalksAndJumps) {
  Seeded seeded;
  for (int round = 0; round < 40; round++) {
    std::mt19937_64 rng(seeded.seed() + static_cast<uint64_t>(round));
    int64_t now = kStart + static_cast<int64_t>(rng() % 1'000'000);
    Pair p(now);
    std::vector<Node> nodes(2000);
    int jump_bits = 1 + round % 36;
    for (int i = 0; i < 6000; i++) {
      Node& n = nodes[rng() % nodes.size()];
      switch (rng() % 8) {
        case 0:
        case 1:
        case 2:
          if (n.linked) p.remove(n);
          p.add(n, now + some_distance(rng));
          break;
        case 3:
          if (n.linked) p.remove(n);
          break;
        case 4:  // many at one time
          for (size_t j = 0; j < 20; j++) {
            Node& m = nodes[rng() % nodes.size()];
            if (!m.linked) p.add(m, now + (int64_t{1} << (rng() % 20)));
          }
          break;
        default: {
          if (rng() % 4 == 0) now += static_cast<int64_t>(rng() & ((uint64_t{1} << jump_bits) - 1));
          if (now > kMaxExpiryMs / 2) now = kMaxExpiryMs / 2;
          int64_t next = p.index().next_ms();
          ASSERT_TRUE(p.size() == 0 ? next == -1 : next <= std::max(now, p.earliest())) << next;
          p.advance(now, static_cast<int>(rng() % 50));
          if (::testing::Test::HasFailure()) return;
        }
      }
    }
    while (p.advance(now, 1000)) {
    }
    EXPECT_FALSE(p.due());
  }
}

// A turn a millisecond with a budget somewhat above what expires: no key may be late at all, although whole levels of them must be spread meanwhile.
TEST(ExpiryIndex, IsNeverLateWhenTheBudgetSufficesInEveryMillisecond) {
  Seeded seeded;
  auto& rng = seeded.engine();
  constexpr size_t kNodes = 300'000;
  constexpr int64_t kSpan = 90'000;  // more than one list of the third level
  Pair p(kStart);
  std::vector<Node> nodes(kNodes);
  for (Node& n : nodes) p.add(n, kStart + 1000 + static_cast<int64_t>(rng() % kSpan));
  for (int64_t now = kStart; p.size(); now++) {
    // Some 3.3 expire each millisecond, and each node is spread twice.
    p.advance(now, 48);
    ASSERT_FALSE(p.due()) << now - kStart;
  }
  EXPECT_EQ(p.handed_out, kNodes);
}

// A million keys for one moment, in one list of a high level, and only small budgets: no call may do more than its budget, the list is spread ahead, and
// the lag is
// what handing out alone takes.
TEST(ExpiryIndex, SpreadsAMillionKeysOfOneMomentInSmallPieces) {
  constexpr size_t kNodes = 1'000'000;
  constexpr int kBudget = 2000;
  ExpiryIndex index;
  index.advance(kStart, 0, [](ExpiryNode*) {});
  std::vector<ExpiryNode> nodes(kNodes, ExpiryNode{nullptr, nullptr, 0, 0});
  const int64_t when = kStart + 40 * 60 * 1000;
  for (ExpiryNode& n : nodes) {
    n.when_ms = static_cast<uint64_t>(when);
    index.add(&n);
  }
  size_t out = 0;
  int64_t now = kStart;
  for (; out < kNodes && now < when + 10'000; now++) {
    size_t before = out;
    index.advance(now, kBudget, [&](ExpiryNode*) { out++; });
    ASSERT_LE(out - before, static_cast<size_t>(kBudget));
    if (now < when) {
      ASSERT_EQ(out, 0u);
    }
  }
  EXPECT_EQ(out, kNodes);
  // The last list before the time is 256 ms long: what cannot be spread in it adds to the lag, all else has been done before.
  const int64_t steps = kNodes / kBudget;
  EXPECT_LE(now - when, steps + (steps > 256 ? steps - 256 : 0) + 8);
}

TEST(ExpiryIndex, SleepingUntilNextMsMissesNothing) {
  Seeded seeded;
  auto& rng = seeded.engine();
  Pair p(kStart);
  std::vector<Node> nodes(3000);
  for (Node& n : nodes) p.add(n, kStart + 1 + static_cast<int64_t>(rng() % (uint64_t{1} << (10 + rng() % 25))));
  int64_t now = kStart;
  size_t wakes = 0;
  while (p.size()) {
    int64_t next = p.index().next_ms();
    ASSERT_GE(next, now);
    ASSERT_LE(next, std::max(now, p.earliest()));
    now = next;
    while (p.advance(now, 64)) {
    }
    wakes++;
  }
  EXPECT_EQ(p.handed_out, nodes.size());
  EXPECT_LE(wakes, nodes.size() * 6);
}

TEST(ExpiryIndex, AWalkComesToEveryNodeOnceARound) {
  ExpiryIndex index;
  index.advance(kStart, 0, [](ExpiryNode*) {});
  EXPECT_EQ(index.walk(), nullptr);
  std::vector<ExpiryNode> nodes(500, ExpiryNode{nullptr, nullptr, 0, 0});
  for (size_t i = 0; i < nodes.size(); i++) {
    nodes[i].when_ms = static_cast<uint64_t>(kStart) + (i % 7 ? i * i * 977 : 5'000'000);
    index.add(&nodes[i]);
  }
  for (int round = 0; round < 3; round++) {
    std::map<ExpiryNode*, int> seen;
    for (size_t i = 0; i < nodes.size(); i++) seen[index.walk()]++;
    EXPECT_EQ(seen.size(), nodes.size());
  }
}

TEST(ExpiryIndex, AWalkDoesNotDisturbTheOrderOfExpiry) {
  Seeded s;
  for (int round = 0; round < 20; round++) {
    Pair pair(kStart);
    std::vector<Node> nodes(200);
    for (Node& n : nodes) pair.add(n, kStart + 1 + static_cast<int64_t>(s.below(s.below(2) ? 300 : 200'000)));
    int64_t now = kStart;
    while (pair.size()) {
      for (uint64_t i = s.below(20); i > 0; i--) {
        ExpiryNode* n = pair.walk();
        if (n && s.below(8) == 0) pair.remove(*reinterpret_cast<Node*>(n));
      }
      now += static_cast<int64_t>(s.below(3000));
      while (pair.advance(now, 1 + static_cast<int>(s.below(10)))) pair.walk();
    }
    EXPECT_EQ(pair.walk(), nullptr);
  }
}

TEST(ExpiryIndex, TheSoonestAreThoseOfTheFirstList) {
  ExpiryIndex index;
  index.advance(kStart, 0, [](ExpiryNode*) {});
  std::vector<ExpiryNode> nodes(300, ExpiryNode{nullptr, nullptr, 0, 0});
  for (size_t i = 0; i < nodes.size(); i++) {
    nodes[i].when_ms = static_cast<uint64_t>(kStart) + 10 + i / 3;
    index.add(&nodes[i]);
  }
  for (int i = 0; i < 40; i++) index.walk();
  std::vector<ExpiryNode*> seen;
  index.soonest(2, [&](ExpiryNode* n) { seen.push_back(n); });
  EXPECT_EQ(seen, (std::vector<ExpiryNode*>{&nodes[0], &nodes[1]}));
}

}  // namespace
}  // namespace ringwood
