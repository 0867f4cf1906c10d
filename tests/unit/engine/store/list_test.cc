#include "engine/store/list.h"

#include <gtest/gtest.h>

#include <deque>

#include "engine/store/object_free.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

using list::End;

struct Holder {
  Object o = list::create();
  ~Holder() { free_object(Type::kList, o); }
};
std::vector<std::string> content(const Object& o, IndexRange r, bool reverse = false) {
  std::vector<std::string> out;
  list::for_each(o, r, reverse, [&](list::Element e) { out.push_back(e.to_string()); });
  return out;
}
void expect_same(const Object& o, const std::deque<std::string>& model) {
  ASSERT_EQ(list::length(o), model.size());
  ASSERT_EQ(content(o, {0, model.size()}), std::vector<std::string>(model.begin(), model.end()));
  ASSERT_EQ(content(o, {0, model.size()}, true), std::vector<std::string>(model.rbegin(), model.rend()));
}
std::string value(Seeded& seeded) {
  return seeded.chance(50) ? std::to_string(seeded.below(20)) : std::string(seeded.below(60), 'v') + std::to_string(seeded.below(20));
}

size_t model_remove(std::deque<std::string>& m, int64_t count, const std::string& v) {
  size_t removed = 0, most = count == 0 ? SIZE_MAX : static_cast<size_t>(std::abs(count));
  for (size_t i = 0; i < m.size() && removed < most;) {
    size_t at = count < 0 ? m.size() - 1 - i : i;
    if (m[at] == v) {
      m.erase(m.begin() + static_cast<std::ptrdiff_t>(at));
      removed++;
    } else {
      i++;
    }
  }
  return removed;
}
std::vector<size_t> model_positions(const std::deque<std::string>& m, const std::string& v, int64_t rank, size_t count, size_t maxlen) {
  std::vector<size_t> out;
  int64_t seen = 0;
  for (size_t i = 0; i < m.size() && (maxlen == 0 || i < maxlen); i++) {
    size_t at = rank < 0 ? m.size() - 1 - i : i;
    if (m[at] != v || ++seen < std::abs(rank)) continue;
    out.push_back(at);
    if (count && out.size() == count) break;
  }
  return out;
}

void fuzz(Seeded& seeded, const Limits& limits, size_t top) {
  Holder h;
  std::deque<std::string> model;
  bool growing = true;
  size_t conversions = 0;
  Encoding last = h.o.encoding();
  for (int step = 0; step < 12000; step++) {
    if (model.size() > top) growing = false;
    if (model.size() < 3) growing = true;
    std::string v = value(seeded);
    switch (seeded.below(growing ? 8 : 12)) {
      case 0:
      case 1: {
        std::string w = value(seeded);
        Bytes both[] = {v, w};
        list::push(h.o, End::kTail, both, 2, limits);
        model.push_back(v);
        model.push_back(w);
        break;
      }
      case 2: {
        std::string w = value(seeded);
        Bytes both[] = {v, w};
        list::push(h.o, End::kHead, both, 2, limits);
        model.push_front(v);
        model.push_front(w);
        break;
      }
      case 3: {
        std::string pivot = value(seeded);
        bool after = seeded.chance(50);
        auto it = std::find(model.begin(), model.end(), pivot);
        ASSERT_EQ(list::insert(h.o, pivot, after, v, limits), it != model.end());
        if (it != model.end()) model.insert(it + after, v);
        break;
      }
      case 4: {
        int64_t i = static_cast<int64_t>(seeded.below(model.size() + 2)) - (seeded.chance(50) ? 0 : static_cast<int64_t>(model.size()));
        int64_t at = i < 0 ? i + static_cast<int64_t>(model.size()) : i;
        bool there = at >= 0 && at < static_cast<int64_t>(model.size());
        ASSERT_EQ(list::set(h.o, i, v, limits), there);
        if (there) model[static_cast<size_t>(at)] = v;
        list::Element e;
        ASSERT_EQ(list::get(h.o, i, e), there);
        if (there) {
          ASSERT_EQ(e.to_string(), v);
        }
        break;
      }
      case 5: {
        int64_t rank = static_cast<int64_t>(seeded.below(3)) + 1;
        if (seeded.chance(50)) rank = -rank;
        size_t count = seeded.below(3), maxlen = seeded.below(4) * 10;
        ASSERT_EQ(list::positions(h.o, v, rank, count, maxlen), model_positions(model, v, rank, count, maxlen));
        break;
      }
      case 6:
        if (model.empty()) break;
        ASSERT_EQ(list::peek(h.o, End::kHead).to_string(), model.front());
        ASSERT_EQ(list::pop(h.o, End::kHead, limits), model.front());
        model.pop_front();
        break;
      case 7:
        if (model.empty()) break;
        ASSERT_EQ(list::pop(h.o, End::kTail, limits), model.back());
        model.pop_back();
        break;
      case 8: {
        int64_t count = static_cast<int64_t>(seeded.below(5)) - 2;
        ASSERT_EQ(list::remove(h.o, count, v, limits), model_remove(model, count, v));
        break;
      }
      case 9: {
        IndexRange r = index_range(static_cast<int64_t>(seeded.below(5)), -1 - static_cast<int64_t>(seeded.below(5)), model.size());
        ASSERT_EQ(list::trim(h.o, r, limits), model.size() - r.size());
        model =
            std::deque<std::string>(model.begin() + static_cast<std::ptrdiff_t>(r.from), model.begin() + static_cast<std::ptrdiff_t>(r.to));
        break;
      }
      case 10: {
        size_t from = seeded.below(model.size() + 1), n = std::min<size_t>(seeded.below(30), model.size() - from);
        ASSERT_EQ(list::remove_range(h.o, {from, from + n}, limits), n);
        model.erase(model.begin() + static_cast<std::ptrdiff_t>(from), model.begin() + static_cast<std::ptrdiff_t>(from + n));
        break;
      }
      default: {
        Object copy = list::duplicate(h.o);
        EXPECT_EQ(copy.encoding(), h.o.encoding());
        free_object(Type::kList, h.o);
        h.o = copy;
      }
    }
    if (h.o.encoding() != last) conversions++;
    last = h.o.encoding();
    if (step % 50 == 0) expect_same(h.o, model);
    if (h.o.encoding() == Encoding::kListpack) {  // Redis counts the bytes of what is pushed without its overhead
      ASSERT_FALSE(Quicklist::exceeds_limit(limits.list_max_listpack_size,
                                            listpack::bytes(h.o.as<uint8_t>()) - std::min<size_t>(32, listpack::bytes(h.o.as<uint8_t>())),
                                            model.size()));
    }
  }
  expect_same(h.o, model);
  EXPECT_GT(conversions, 1u);
  EXPECT_EQ(object_length(Type::kList, h.o), model.size());
  EXPECT_GT(object_memory(Type::kList, h.o, 5), 0u);
}

TEST(List, HoldsWhatADequeHoldsInBothEncodings) {
  Seeded seeded;
  Limits limits;
  limits.list_max_listpack_size = 20;
  fuzz(seeded, limits, 200);
  limits.list_max_listpack_size = -1;
  fuzz(seeded, limits, 400);
  limits.list_packed_threshold = 30;
  fuzz(seeded, limits, 400);
}

TEST(List, LeavesTheListpackWhenItWouldExceedTheLimitAndComesBackAtHalfOfIt) {
  Limits limits;
  limits.list_max_listpack_size = 10;
  Holder h;
  for (int i = 0; i < 10; i++) list::push(h.o, End::kTail, "x", limits);
  EXPECT_EQ(h.o.encoding(), Encoding::kListpack);
  list::push(h.o, End::kTail, "x", limits);
  EXPECT_EQ(h.o.encoding(), Encoding::kQuicklist);
  list::remove_range(h.o, {10, 11}, limits);  // the second node goes
  list::remove_range(h.o, {0, 4}, limits);
  EXPECT_EQ(list::length(h.o), 6u);
  EXPECT_EQ(h.o.encoding(), Encoding::kQuicklist);
  list::pop(h.o, End::kHead, limits);
  EXPECT_EQ(h.o.encoding(), Encoding::kListpack);
}

TEST(List, ConvertsByTheSumOfAllPushedBytesBeforePushing) {
  Limits limits;
  std::string big(5000, 'a');
  Holder h;
  list::push(h.o, End::kTail, big, limits);
  EXPECT_EQ(h.o.encoding(), Encoding::kListpack);
  Bytes two[] = {big, "b"};
  list::push(h.o, End::kTail, two, 2, limits);
  EXPECT_EQ(h.o.encoding(), Encoding::kQuicklist);
  EXPECT_EQ(content(h.o, {1, 3}), (std::vector<std::string>{big, "b"}));
}

TEST(List, OfOneLargeElementStaysAQuicklist) {
  Limits limits;
  limits.list_packed_threshold = 100;
  limits.list_max_listpack_size = -1;
  Holder h;
  list::push(h.o, End::kTail, std::string(5000, 'a'), limits);
  EXPECT_EQ(h.o.encoding(), Encoding::kQuicklist);
  list::push(h.o, End::kHead, "b", limits);
  EXPECT_EQ(list::pop(h.o, End::kHead, limits), "b");
  EXPECT_EQ(h.o.encoding(), Encoding::kQuicklist);
  EXPECT_TRUE(list::set(h.o, 0, "small", limits));
  EXPECT_EQ(h.o.encoding(), Encoding::kListpack);
}

TEST(List, BuiltFromNodesTakesTheEncodingThatTheLimitsAskFor) {
  Limits limits;
  Object o = list::create_quicklist(limits);
  uint8_t* lp = listpack::create();
  listpack::append(lp, Bytes("one"));
  o.as<Quicklist>()->append_listpack(lp);
  list::fit(o, limits);
  EXPECT_EQ(o.encoding(), Encoding::kListpack);
  EXPECT_EQ(content(o, {0, 1}), std::vector<std::string>{"one"});
  limits.list_max_listpack_size = -1;
  list::push(o, End::kTail, std::string(3000, 'q'), limits);
  lp = listpack::duplicate(o.as<uint8_t>());
  free_object(Type::kList, o);
  for (int i = 0; i < 3; i++) listpack::append(lp, Bytes(std::string(1000, 'r')));
  o = list::adopt(lp);
  list::fit(o, limits);
  EXPECT_EQ(o.encoding(), Encoding::kQuicklist);
  EXPECT_EQ(list::length(o), 5u);
  free_object(Type::kList, o);
}

TEST(IndexRange, FollowsRedisInNegativeAndOutlyingIndices) {
  auto check = [](int64_t a, int64_t b, size_t n, size_t from, size_t to) {
    IndexRange r = index_range(a, b, n);
    EXPECT_EQ(r.from, from);
    EXPECT_EQ(r.to, to);
  };
  check(0, -1, 5, 0, 5);
  check(-3, -2, 5, 2, 4);
  check(-100, 100, 5, 0, 5);
  check(3, 2, 5, 0, 0);
  check(5, 6, 5, 0, 0);
  check(0, -6, 5, 0, 0);
  check(INT64_MIN, INT64_MAX, 5, 0, 5);
  check(INT64_MIN, INT64_MIN, 5, 0, 0);
  check(0, -1, 0, 0, 0);
}

}  // namespace
}  // namespace ringwood
