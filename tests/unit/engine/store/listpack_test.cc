#include "engine/store/listpack.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "engine/store/listpack_random.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

struct Pack {
  uint8_t* lp = listpack::create();
  Pack() = default;
  explicit Pack(std::initializer_list<Bytes> elements) {
    for (Bytes e : elements) listpack::append(lp, e);
  }
  Pack(const Pack&) = delete;
  ~Pack() { listpack::release(lp); }
  std::vector<OwnedBytes> all() const {
    std::vector<OwnedBytes> v;
    for (listpack::Position p = listpack::first(lp); p; p = listpack::next(p)) v.push_back(listpack::get(p).to_string());
    return v;
  }
  std::vector<OwnedBytes> all_backwards() const {
    std::vector<OwnedBytes> v;
    for (listpack::Position p = listpack::last(lp); p; p = listpack::previous(lp, p)) v.insert(v.begin(), listpack::get(p).to_string());
    return v;
  }
};
using Model = std::vector<OwnedBytes>;

// Validates an exact-size copy, so that the address sanitizer sees any read beside it.
bool valid(Bytes blob, bool deep = true) {
  std::unique_ptr<char[]> copy(new char[blob.size()]);
  std::memcpy(copy.get(), blob.data(), blob.size());
  return listpack::validate(Bytes(copy.get(), blob.size()), deep);
}

OwnedBytes random_element(Seeded& seeded) {
  switch (seeded.below(6)) {
    case 0: return int64_text(static_cast<int64_t>(seeded.next()) >> seeded.below(64));
    case 1: return int64_text(static_cast<int64_t>(seeded.below(300)) - 100);
    case 2: return seeded.bytes(seeded.below(200));
    case 3: return seeded.chance(10) ? seeded.bytes(4000 + seeded.below(200)) : "007";
    case 4: return seeded.chance(3) ? seeded.bytes(16300 + seeded.below(200)) : "";
    default: return "field" + std::to_string(seeded.below(20));
  }
}

TEST(Listpack, LaysOutEveryEncodingAsRedisDoes) {
  auto entry = [](Bytes element) {
    Pack pack{element};
    return OwnedBytes(listpack::blob(pack.lp).substr(listpack::kHeaderBytes));
  };
  EXPECT_EQ(listpack::blob(Pack{}.lp), Bytes("\x07\0\0\0\0\0\xff", 7));
  EXPECT_EQ(listpack::blob(Pack{"a", "1"}.lp), Bytes("\x0c\0\0\0\x02\0\x81"
                                                     "a\x02\x01\x01\xff",
                                                     12));
  EXPECT_EQ(entry("0"), Bytes("\0\x01\xff", 3));
  EXPECT_EQ(entry("127"), Bytes("\x7f\x01\xff", 3));
  EXPECT_EQ(entry("128"), Bytes("\xc0\x80\x02\xff", 4));
  EXPECT_EQ(entry("-1"), Bytes("\xdf\xff\x02\xff", 4));
  EXPECT_EQ(entry("-4096"), Bytes("\xd0\x00\x02\xff", 4));
  EXPECT_EQ(entry("4095"), Bytes("\xcf\xff\x02\xff", 4));
  EXPECT_EQ(entry("4096"), Bytes("\xf1\x00\x10\x03\xff", 5));
  EXPECT_EQ(entry("-32768"), Bytes("\xf1\x00\x80\x03\xff", 5));
  EXPECT_EQ(entry("32768"), Bytes("\xf2\x00\x80\x00\x04\xff", 6));
  EXPECT_EQ(entry("-8388608"), Bytes("\xf2\x00\x00\x80\x04\xff", 6));
  EXPECT_EQ(entry("8388608"), Bytes("\xf3\x00\x00\x80\x00\x05\xff", 7));
  EXPECT_EQ(entry("-2147483648"), Bytes("\xf3\x00\x00\x00\x80\x05\xff", 7));
  EXPECT_EQ(entry("2147483648"), Bytes("\xf4\x00\x00\x00\x80\0\0\0\0\x09\xff", 11));
  EXPECT_EQ(entry("-9223372036854775808"), Bytes("\xf4\0\0\0\0\0\0\0\x80\x09\xff", 11));
  EXPECT_EQ(entry(""), Bytes("\x80\x01\xff", 3));
  EXPECT_EQ(entry("01"), Bytes("\x82"
                               "01\x03\xff",
                               5));
  OwnedBytes x63(63, 'x'), x64(64, 'x'), x126(126, 'x'), x4095(4095, 'x'), x4096(4096, 'x');
  EXPECT_EQ(entry(x63), "\xbf" + x63 + "\x40\xff");
  EXPECT_EQ(entry(x64), "\xe0\x40" + x64 + "\x42\xff");
  EXPECT_EQ(entry(x126), "\xe0\x7e" + x126 + OwnedBytes("\x01\x80\xff", 3));  // 128 needs two bytes backwards
  EXPECT_EQ(entry(x4095), "\xef\xff" + x4095 + "\x20\x81\xff");
  EXPECT_EQ(entry(x4096), OwnedBytes("\xf0\x00\x10\x00\x00", 5) + x4096 + "\x20\x85\xff");
  OwnedBytes x16377(16377, 'x'), x16378(16378, 'x');
  EXPECT_EQ(entry(x16377), OwnedBytes("\xf0\xf9\x3f\x00\x00", 5) + x16377 + "\x7f\xfe\xff");                   // 16382
  EXPECT_EQ(entry(x16378), OwnedBytes("\xf0\xfa\x3f\x00\x00", 5) + x16378 + OwnedBytes("\0\xff\xff\xff", 4));  // 16383: Redis takes three
}

TEST(Listpack, AgreesWithAVectorUnderRandomChanges) {
  Seeded seeded;
  for (int round = 0; round < 60; round++) {
    Pack pack;
    Model model;
    for (int step = 0; step < 150; step++) {
      OwnedBytes element = random_element(seeded);
      int64_t number;
      bool as_number = parse_int64(element, number) && seeded.chance(50);
      size_t at = model.empty() ? 0 : seeded.below(model.size());
      auto spot = model.begin() + static_cast<ptrdiff_t>(at);
      listpack::Position p = listpack::seek(pack.lp, static_cast<int64_t>(at));
      switch (seeded.below(model.empty() ? 3 : 10)) {
        case 0:
        case 1:
          as_number ? listpack::append(pack.lp, number) : listpack::append(pack.lp, element);
          model.push_back(element);
          break;
        case 2:
          as_number ? listpack::prepend(pack.lp, number) : listpack::prepend(pack.lp, element);
          model.insert(model.begin(), element);
          break;
        case 3:
          p = as_number ? listpack::insert(pack.lp, number, p, listpack::Where::kBefore)
                        : listpack::insert(pack.lp, element, p, listpack::Where::kBefore);
          EXPECT_TRUE(listpack::equals(p, element));
          model.insert(spot, element);
          break;
        case 4:
          p = listpack::insert(pack.lp, element, p, listpack::Where::kAfter);
          EXPECT_TRUE(listpack::equals(p, element));
          model.insert(spot + 1, element);
          break;
        case 5:
        case 6:
          p = as_number ? listpack::replace(pack.lp, p, number) : listpack::replace(pack.lp, p, element);
          EXPECT_TRUE(listpack::equals(p, element));
          *spot = element;
          break;
        case 7: {
          size_t n = std::min(seeded.below(4), model.size() - at);
          p = listpack::erase(pack.lp, p, n);
          model.erase(spot, spot + static_cast<ptrdiff_t>(n));
          if (at < model.size()) {
            EXPECT_EQ(p, listpack::seek(pack.lp, static_cast<int64_t>(at)));
          } else if (n > 0) {
            EXPECT_EQ(p, nullptr);
          }
          break;
        }
        case 8: {
          size_t n = std::min(seeded.below(4), model.size() - at);
          int64_t index = static_cast<int64_t>(at) - (seeded.chance(50) ? static_cast<int64_t>(model.size()) : 0);
          EXPECT_EQ(listpack::erase_range(pack.lp, index, n), n);
          model.erase(spot, spot + static_cast<ptrdiff_t>(n));
          break;
        }
        case 9: {
          std::vector<listpack::Position> positions;
          Model left;
          size_t i = 0;
          for (listpack::Position q = listpack::first(pack.lp); q; q = listpack::next(q), i++) {
            if (seeded.chance(10)) {
              positions.push_back(q);
            } else {
              left.push_back(model[i]);
            }
          }
          listpack::erase_many(pack.lp, positions.data(), positions.size());
          model = left;
          break;
        }
      }
      ASSERT_EQ(listpack::length(pack.lp), model.size());
      ASSERT_TRUE(valid(listpack::blob(pack.lp)));
      ASSERT_EQ(pack.all(), model) << "round " << round << " step " << step;
      ASSERT_LE(listpack::bytes(pack.lp), memory::usable(pack.lp));
    }
    ASSERT_EQ(pack.all_backwards(), model);
  }
}

TEST(Listpack, FindsByIndexFromBothEnds) {
  Pack pack{"a", "b", "3", "d"};
  for (int i = 0; i < 4; i++) {
    EXPECT_EQ(listpack::get(listpack::seek(pack.lp, i)).to_string(), pack.all()[static_cast<size_t>(i)]);
    EXPECT_EQ(listpack::seek(pack.lp, i), listpack::seek(pack.lp, i - 4));
  }
  for (int64_t i : {int64_t{4}, int64_t{-5}, INT64_MAX, INT64_MIN}) EXPECT_EQ(listpack::seek(pack.lp, i), nullptr);
  EXPECT_EQ(listpack::first(Pack{}.lp), nullptr);
  EXPECT_EQ(listpack::last(Pack{}.lp), nullptr);
}

TEST(Listpack, FindsAnElementPassingOverTheValues) {
  Pack pack{"one", "two", "two", "3", "3", "one", "03", ""};
  auto index_of = [&](Bytes text, unsigned skip) {
    listpack::Position hit = listpack::find(listpack::first(pack.lp), text, skip);
    int i = -1;
    for (listpack::Position p = listpack::first(pack.lp); hit && p; p = listpack::next(p), i++)
      if (p == hit) return i + 1;
    return -1;
  };
  EXPECT_EQ(index_of("one", 1), 0);
  EXPECT_EQ(index_of("two", 0), 1);
  EXPECT_EQ(index_of("two", 1), 2);
  EXPECT_EQ(index_of("3", 0), 3);
  EXPECT_EQ(index_of("3", 1), 4);
  EXPECT_EQ(index_of("03", 1), 6);
  EXPECT_EQ(index_of("", 0), 7);
  EXPECT_EQ(index_of("", 1), -1);
  EXPECT_EQ(index_of("4", 0), -1);
  EXPECT_EQ(index_of("one", 2), 0);
  EXPECT_EQ(index_of("on", 0), -1);
  EXPECT_EQ(listpack::find(nullptr, "x"), nullptr);
}

TEST(Listpack, ComparesNumbersByValueAndTextByBytes) {
  Pack pack{"12", "012", ""};
  listpack::Position p = listpack::first(pack.lp);
  EXPECT_TRUE(listpack::equals(p, "12"));
  EXPECT_FALSE(listpack::equals(p, "012"));
  EXPECT_FALSE(listpack::equals(p, "13"));
  EXPECT_TRUE(listpack::equals(listpack::next(p), "012"));
  EXPECT_FALSE(listpack::equals(listpack::next(p), "12"));
  EXPECT_TRUE(listpack::equals(listpack::last(pack.lp), ""));
}

TEST(Listpack, CountsBeyondWhatItsHeaderHolds) {
  Pack pack;
  std::vector<Bytes> many(65534, "1");
  listpack::append_all(pack.lp, many.data(), many.size());
  EXPECT_EQ(listpack::length(pack.lp), 65534u);
  listpack::append(pack.lp, "2");
  listpack::append(pack.lp, "3");
  const uint8_t* reader = pack.lp;
  EXPECT_EQ(listpack::length(reader), 65536u);
  EXPECT_EQ(load<uint16_t>(pack.lp + 4), listpack::kUnknownCount);
  EXPECT_TRUE(valid(listpack::blob(pack.lp)));
  EXPECT_EQ(listpack::get(listpack::seek(pack.lp, -1)).integer, 3);
  EXPECT_EQ(listpack::get(listpack::seek(pack.lp, 65534)).integer, 2);
  EXPECT_EQ(listpack::seek(pack.lp, 65536), nullptr);
  EXPECT_EQ(listpack::seek(pack.lp, -65537), nullptr);
  EXPECT_EQ(listpack::erase_range(pack.lp, -3, 3), 3u);
  EXPECT_EQ(load<uint16_t>(pack.lp + 4), listpack::kUnknownCount);
  EXPECT_EQ(listpack::length(pack.lp), 65533u);
  EXPECT_EQ(load<uint16_t>(pack.lp + 4), 65533);
}

TEST(Listpack, MergesAndCopies) {
  Pack first{"a", "1"}, second{"b"};
  listpack::merge(first.lp, second.lp);
  EXPECT_EQ(second.lp, nullptr);
  EXPECT_EQ(first.all(), (Model{"a", "1", "b"}));
  EXPECT_EQ(listpack::length(first.lp), 3u);
  EXPECT_TRUE(valid(listpack::blob(first.lp)));
  uint8_t* copy = listpack::duplicate(first.lp);
  EXPECT_EQ(listpack::blob(copy), listpack::blob(first.lp));
  listpack::append(copy, "c");
  EXPECT_EQ(first.all().size(), 3u);
  listpack::release(copy);
}

TEST(Listpack, AppendsManyAsItAppendsOne) {
  Seeded seeded;
  for (int i = 0; i < 50; i++) {
    Model elements;
    for (uint64_t n = seeded.below(20); n > 0; n--) elements.push_back(random_element(seeded));
    std::vector<Bytes> views(elements.begin(), elements.end());
    Pack one{"x"}, many{"x"};
    size_t predicted = listpack::bytes(one.lp);
    for (Bytes v : views) {
      listpack::append(one.lp, v);
      predicted += listpack::entry_bytes(v);
    }
    listpack::append_all(many.lp, views.data(), views.size());
    ASSERT_EQ(listpack::blob(one.lp), listpack::blob(many.lp));
    ASSERT_EQ(listpack::bytes(one.lp), predicted);
  }
}

TEST(Listpack, GivesMemoryBackWhenItShrinks) {
  Pack pack;
  for (int i = 0; i < 1000; i++) listpack::append(pack.lp, "some element");
  size_t full = memory::usable(pack.lp);
  listpack::erase_range(pack.lp, 0, 990);
  EXPECT_LT(memory::usable(pack.lp), full / 4);
  uint8_t* roomy = listpack::create(4096);
  EXPECT_GE(memory::usable(roomy), 4096u);
  listpack::append(roomy, "x");
  listpack::shrink_to_fit(roomy);
  EXPECT_LT(memory::usable(roomy), 100u);
  EXPECT_TRUE(valid(listpack::blob(roomy)));
  listpack::release(roomy);
}

TEST(Listpack, RefusesToGrowPastTheSafeSize) {
  Pack pack{"x"};
  EXPECT_TRUE(listpack::safe_to_add(pack.lp, 1000));
  EXPECT_TRUE(listpack::safe_to_add(pack.lp, listpack::kMaxSafeBytes - listpack::bytes(pack.lp)));
  EXPECT_FALSE(listpack::safe_to_add(pack.lp, listpack::kMaxSafeBytes - listpack::bytes(pack.lp) + 1));
  EXPECT_FALSE(listpack::safe_to_add(pack.lp, SIZE_MAX));
}

TEST(ListpackValidate, RefusesEachKindOfDamage) {
  OwnedBytes good(listpack::blob(Pack{"abc", "5", "1000", OwnedBytes(70, 'x')}.lp));
  ASSERT_TRUE(valid(good));
  auto with = [&](size_t at, char byte) {
    OwnedBytes bad = good;
    bad[at] = byte;
    return bad;
  };
  EXPECT_FALSE(valid(""));
  EXPECT_FALSE(valid(good.substr(0, 6)));
  EXPECT_FALSE(valid(good + "\xff"));
  EXPECT_FALSE(valid(with(0, 1), false));
  EXPECT_FALSE(valid(with(good.size() - 1, 0), false));
  EXPECT_TRUE(valid(with(4, 3), false));
  EXPECT_FALSE(valid(with(4, 3)));                                                     // count
  EXPECT_FALSE(valid(with(6, '\x84')));                                                // one longer than its backward length says
  EXPECT_FALSE(valid(with(6, '\xff')));                                                // an end mark in the middle
  EXPECT_FALSE(valid(with(6, '\xf5')));                                                // no such encoding
  EXPECT_FALSE(valid(with(10, 7)));                                                    // backward length
  EXPECT_FALSE(valid(with(6, '\xf0')));                                                // a string of gigabytes
  for (char tag : {'\xf0', '\xf1', '\xf2', '\xf3', '\xf4', '\xe0', '\xc0', '\x81'}) {  // head without its payload
    OwnedBytes cut("\x08\0\0\0\x01\0\0\xff", 8);
    cut[6] = tag;
    EXPECT_FALSE(valid(cut)) << static_cast<int>(tag);
  }
}

TEST(ListpackValidate, ProvesThatEverythingInsideCanBeRead) {
  Seeded seeded;
  int accepted = 0;
  for (int i = 0; i < 30000; i++) {
    Pack pack;
    for (uint64_t n = seeded.below(6); n > 0; n--) listpack::append(pack.lp, random_element(seeded).substr(0, 40));
    OwnedBytes blob(listpack::blob(pack.lp));
    for (uint64_t n = 1 + seeded.below(2); n > 0; n--) blob[4 + seeded.below(blob.size() - 4)] = static_cast<char>(seeded.next());
    std::unique_ptr<uint8_t[]> exact(new uint8_t[blob.size()]);
    std::memcpy(exact.get(), blob.data(), blob.size());
    if (!listpack::validate(Bytes(reinterpret_cast<char*>(exact.get()), blob.size()), true)) continue;
    accepted++;
    const uint8_t* lp = exact.get();
    Model forwards, backwards;
    for (listpack::Position p = listpack::first(lp); p; p = listpack::next(p)) forwards.push_back(listpack::get(p).to_string());
    for (listpack::Position p = listpack::last(lp); p; p = listpack::previous(lp, p)) {
      backwards.insert(backwards.begin(), listpack::get(p).to_string());
    }
    ASSERT_EQ(forwards, backwards);
    ASSERT_EQ(forwards.size(), listpack::length(lp));
    EXPECT_EQ(listpack::find(listpack::first(lp), "no such element"), nullptr);
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_LT(accepted, 29000);
}

TEST(ListpackRandom, PicksEachPairEquallyOften) {
  Pack pack;
  for (int i = 0; i < 10; i++) {
    listpack::append(pack.lp, "key" + std::to_string(i));
    listpack::append(pack.lp, i);
  }
  Random random(1);
  std::map<OwnedBytes, int> single, repeated, distinct;
  for (int i = 0; i < 10000; i++) {
    listpack::Pair pair = listpack::random_pair(pack.lp, 2, random);
    ASSERT_EQ(pair.key.to_string(), "key" + pair.value.to_string());
    single[pair.key.to_string()]++;
    std::vector<listpack::Pair> out;
    listpack::random_distinct_pairs(pack.lp, 2, 3, random, out);
    ASSERT_EQ(out.size(), 3u);
    ASSERT_LT(out[0].value.integer, out[1].value.integer);
    ASSERT_LT(out[1].value.integer, out[2].value.integer);
    for (const auto& p : out) distinct[p.key.to_string()]++;
  }
  std::vector<listpack::Pair> out;
  listpack::random_pairs(pack.lp, 2, 10000, random, out);
  int ascending = 0;
  for (size_t i = 0; i < out.size(); i++) {
    ASSERT_EQ(out[i].key.to_string(), "key" + out[i].value.to_string());
    repeated[out[i].key.to_string()]++;
    ascending += i > 0 && out[i - 1].value.integer <= out[i].value.integer;
  }
  EXPECT_NEAR(ascending, 5500, 300);
  for (auto* counts : {&single, &repeated}) {
    EXPECT_EQ(counts->size(), 10u);
    for (auto& [key, n] : *counts) EXPECT_NEAR(n, 1000, 150) << key;
  }
  for (auto& [key, n] : distinct) EXPECT_NEAR(n, 3000, 250) << key;
}

TEST(ListpackRandom, TakesAllWhenMoreAreWantedAndWorksOnSets) {
  Pack pack{"a", "b", "c"};
  Random random(1);
  std::vector<listpack::Pair> out;
  listpack::random_distinct_pairs(pack.lp, 1, 10, random, out);
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(out[0].key.to_string() + out[1].key.to_string() + out[2].key.to_string(), "abc");
  std::vector<listpack::Position> positions;
  listpack::random_positions(pack.lp, 1, 2, random, positions);
  ASSERT_EQ(positions.size(), 2u);
  listpack::erase_many(pack.lp, positions.data(), positions.size());
  EXPECT_EQ(listpack::length(pack.lp), 1u);
  std::set<OwnedBytes> seen;
  Pack two{"x", "y"};
  for (int i = 0; i < 100; i++) seen.insert(listpack::random_pair(two.lp, 1, random).key.to_string());
  EXPECT_EQ(seen.size(), 2u);
}

}  // namespace
}  // namespace ringwood
