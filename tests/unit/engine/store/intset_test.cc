#include "engine/store/intset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

struct Ints {
  uint8_t* is = intset::create();
  Ints() = default;
  explicit Ints(std::initializer_list<int64_t> members) {
    for (int64_t v : members) intset::add(is, v);
  }
  Ints(const Ints&) = delete;
  ~Ints() { intset::release(is); }
};

bool valid(Bytes blob, bool deep = true) {
  std::unique_ptr<char[]> copy(new char[blob.size()]);  // exact size, for the address sanitizer
  std::memcpy(copy.get(), blob.data(), blob.size());
  return intset::validate(Bytes(copy.get(), blob.size()), deep);
}

TEST(Intset, LaysItsMembersOutAsRedisDoes) {
  EXPECT_EQ(intset::blob(Ints{}.is), Bytes("\x02\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(intset::blob(Ints{5, -1}.is), Bytes("\x02\0\0\0\x02\0\0\0\xff\xff\x05\0", 12));
  EXPECT_EQ(intset::blob(Ints{5, 32768}.is), Bytes("\x04\0\0\0\x02\0\0\0\x05\0\0\0\0\x80\0\0", 16));
  EXPECT_EQ(intset::blob(Ints{5, INT64_MIN}.is), Bytes("\x08\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\x80\x05\0\0\0\0\0\0\0", 24));
}

TEST(Intset, AgreesWithASetUnderRandomChanges) {
  Seeded seeded;
  for (int round = 0; round < 100; round++) {
    Ints ints;
    std::set<int64_t> model;
    unsigned widest = static_cast<unsigned>(seeded.below(64));
    for (int step = 0; step < 300; step++) {
      int64_t v = static_cast<int64_t>(seeded.next()) >> (63 - seeded.below(widest + 1));
      if (seeded.chance(60)) {
        ASSERT_EQ(intset::add(ints.is, v), model.insert(v).second);
      } else if (seeded.chance(50) && !model.empty()) {
        size_t i = seeded.below(model.size());
        auto at = std::next(model.begin(), static_cast<ptrdiff_t>(i));
        ASSERT_EQ(intset::get(ints.is, i), *at);
        seeded.chance(50) ? intset::remove_at(ints.is, i) : static_cast<void>(intset::remove(ints.is, *at));
        model.erase(at);
      } else {
        ASSERT_EQ(intset::remove(ints.is, v), model.erase(v) == 1);
      }
      ASSERT_EQ(intset::length(ints.is), model.size());
      ASSERT_EQ(intset::contains(ints.is, v), model.count(v) == 1);
      ASSERT_EQ(intset::lower_bound(ints.is, v), static_cast<size_t>(std::distance(model.begin(), model.lower_bound(v))));
      ASSERT_LE(intset::bytes(ints.is), memory::usable(ints.is));
      ASSERT_EQ(valid(intset::blob(ints.is)), !model.empty());
    }
    size_t i = 0;
    for (int64_t v : model) ASSERT_EQ(intset::get(ints.is, i++), v);
    if (!model.empty()) {
      ASSERT_EQ(intset::min(ints.is), *model.begin());
      ASSERT_EQ(intset::max(ints.is), *model.rbegin());
    }
  }
}

TEST(Intset, WidensAtTheEdgesOfEachWidth) {
  for (int64_t edge : {int64_t{32768}, int64_t{-32769}, int64_t{2147483648}, int64_t{-2147483649}}) {
    Ints ints{1, 2};
    int64_t inside = edge < 0 ? edge + 1 : edge - 1;
    intset::add(ints.is, inside);
    size_t before = intset::width(ints.is);
    EXPECT_FALSE(intset::contains(ints.is, edge));
    EXPECT_TRUE(intset::add(ints.is, edge));
    EXPECT_EQ(intset::width(ints.is), before * 2);
    EXPECT_EQ(edge < 0 ? intset::min(ints.is) : intset::max(ints.is), edge);
    EXPECT_TRUE(intset::contains(ints.is, 1) && intset::contains(ints.is, 2) && intset::contains(ints.is, inside));
  }
}

TEST(Intset, PicksEachMemberEquallyOften) {
  Ints ints{10, 20, 30, 40};
  Random random(3);
  int counts[4] = {};
  for (int i = 0; i < 4000; i++) counts[intset::random_member(ints.is, random) / 10 - 1]++;
  for (int n : counts) EXPECT_NEAR(n, 1000, 150);
}

TEST(Intset, CopiesAndGivesMemoryBack) {
  Ints ints;
  for (int i = 0; i < 1000; i++) intset::add(ints.is, i * 100000);
  uint8_t* copy = intset::duplicate(ints.is);
  EXPECT_EQ(intset::blob(copy), intset::blob(ints.is));
  size_t full = memory::usable(copy);
  while (intset::length(copy) > 5) intset::remove_at(copy, 2);
  EXPECT_LT(memory::usable(copy), full / 10);
  EXPECT_EQ(intset::max(copy), 99900000);
  intset::release(copy);
}

TEST(IntsetValidate, RefusesEachKindOfDamage) {
  OwnedBytes good(intset::blob(Ints{1, 2, 3}.is));
  ASSERT_TRUE(valid(good));
  auto with = [&](size_t at, char byte) {
    OwnedBytes bad = good;
    bad[at] = byte;
    return bad;
  };
  EXPECT_FALSE(valid(""));
  EXPECT_FALSE(valid(good.substr(0, 7)));
  EXPECT_FALSE(valid(good + "x"));
  EXPECT_FALSE(valid(with(0, 3)));
  EXPECT_FALSE(valid(with(0, 4)));
  EXPECT_FALSE(valid(with(4, 4)));
  EXPECT_FALSE(valid(with(7, '\xff')));
  EXPECT_FALSE(valid(Bytes("\x02\0\0\0\0\0\0\0", 8)));
  EXPECT_FALSE(valid(with(8, 2)));  // a repeat
  EXPECT_FALSE(valid(with(8, 9)));  // out of order
  EXPECT_TRUE(valid(with(8, 9), false));
}

}  // namespace
}  // namespace ringwood
