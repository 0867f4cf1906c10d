#include "engine/store/packed_zset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "engine/base/memory.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

using Row = std::vector<std::pair<double, std::string>>;

// A block that frees itself.
struct Block {
  uint8_t* z = packed_zset::create();
  Block() = default;
  explicit Block(uint8_t* block) : z(block) {}
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { memory::release(z); }
  Row row(bool reverse = false) const {
    Row r;
    packed_zset::for_each_while(z, {0, packed_zset::size(z)}, reverse, [&](const listpack::Value& m, double s) {
      r.push_back({s, m.to_string()});
      return true;
    });
    return r;
  }
};

void expect_holds(const Block& b, const Row& row) {
  ASSERT_EQ(packed_zset::size(b.z), row.size());
  ASSERT_EQ(b.row(), row);
  ASSERT_EQ(b.row(true), Row(row.rbegin(), row.rend()));
  for (size_t i = 0; i < row.size(); i++) {
    packed_zset::Found found;
    ASSERT_TRUE(packed_zset::find(b.z, row[i].second, found)) << row[i].second;
    ASSERT_EQ(found.rank, i);
    ASSERT_EQ(found.score, row[i].first);
    ASSERT_EQ(found.at, packed_zset::at(b.z, i));
  }
  ASSERT_LE(packed_zset::bytes(b.z), memory::usable(b.z));
}

// As a listpack and back, in Redis's form: members and scores in turn.
void expect_survives(const Block& b, const Row& row) {
  uint8_t* lp = packed_zset::to_listpack(b.z);
  ASSERT_TRUE(listpack::validate(listpack::blob(lp), true));
  ASSERT_EQ(listpack::length(static_cast<const uint8_t*>(lp)), 2 * row.size());
  if (!row.empty()) {
    const Block back(packed_zset::from_listpack(lp));
    ASSERT_LE(packed_zset::bytes(back.z), packed_zset::bytes(b.z));  // what had gone out of what is shared may have come back
    expect_holds(back, row);
  }
  listpack::release(lp);
}

// Lengths and numbers at which forms change.
std::string some_member(Seeded& seeded, int style) {
  static const std::string long_text(300, 'p');
  switch (style) {
    case 0: return std::to_string(seeded.below(80));
    case 1: return "user:" + std::to_string(1000 + seeded.below(80));
    case 2: return seeded.bytes(seeded.below(3));
    case 3: return long_text.substr(0, 15 + seeded.below(20)) + std::to_string(seeded.below(9));
    case 4: return long_text.substr(0, 120 + seeded.below(150));
    case 5: {
      const int64_t v = static_cast<int64_t>(seeded.next()) >> seeded.below(63);
      return std::to_string(v);
    }
    default: return std::string(seeded.below(20), '0') + std::to_string(seeded.below(60));
  }
}
double some_score(Seeded& seeded) {
  switch (seeded.below(6)) {
    case 0: return 0;
    case 1: return static_cast<double>(seeded.below(1000)) / 8 - 50;
    case 2: return static_cast<double>(static_cast<int64_t>(seeded.next()) >> seeded.below(64));
    case 3: return seeded.chance(50) ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
    case 4: return static_cast<double>(int64_t{1} << seeded.below(62)) - static_cast<double>(seeded.below(2));
    default: return static_cast<double>(seeded.below(10)) - 5;
  }
}

TEST(PackedZset, HoldsWhatASortedRowHolds) {
  Seeded seeded;
  for (int run = 0; run < 60; run++) {
    Block b;
    Row row;
    const int style = run % 8;  // 7: all of them mixed
    for (int step = 0; step < 250; step++) {
      std::string m = some_member(seeded, style == 7 ? static_cast<int>(seeded.below(7)) : style);
      packed_zset::Found found;
      auto it = std::find_if(row.begin(), row.end(), [&](const auto& e) { return e.second == m; });
      ASSERT_EQ(packed_zset::find(b.z, m, found), it != row.end());
      if (it != row.end() && seeded.chance(60)) {
        packed_zset::erase(b.z, found.at, 1);
        row.erase(it);
      } else if (it == row.end()) {
        const double s = some_score(seeded);
        ASSERT_TRUE(packed_zset::has_room(b.z, m.size()));
        packed_zset::insert(b.z, s, m);
        row.insert(std::lower_bound(row.begin(), row.end(), std::pair(s, m)), {s, m});
      }
      if (seeded.chance(3) && !row.empty()) {
        const size_t from = seeded.below(row.size()), n = seeded.below(row.size() - from + 1);
        packed_zset::erase(b.z, packed_zset::at(b.z, from), n);
        row.erase(row.begin() + static_cast<std::ptrdiff_t>(from), row.begin() + static_cast<std::ptrdiff_t>(from + n));
      }
      if (step % 20 == 0) {
        expect_holds(b, row);
        expect_survives(b, row);
      }
    }
    expect_holds(b, row);
    const Block copy(packed_zset::duplicate(b.z));
    expect_holds(copy, row);
  }
}

// The parts of a range are those of the row, both ways, and more of them than fit on the stack.
TEST(PackedZset, WalksAnyRangeBothWays) {
  Seeded seeded;
  Block b;
  Row row;
  for (int i = 0; i < 300; i++) row.push_back({i, "m" + std::to_string(seeded.below(10)) + ":" + std::to_string(i)});
  for (size_t i : {0, 299}) packed_zset::insert(b.z, row[i].first, row[i].second);
  for (size_t i = 298; i > 0; i--) packed_zset::insert(b.z, row[i].first, row[i].second);
  for (int i = 0; i < 300; i++) {
    const size_t from = seeded.below(300), n = seeded.below(300 - from + 1);
    const bool reverse = seeded.chance(50);
    Row expected(row.begin() + static_cast<std::ptrdiff_t>(from), row.begin() + static_cast<std::ptrdiff_t>(from + n)), got;
    if (reverse) std::reverse(expected.begin(), expected.end());
    const size_t stop = n ? 1 + seeded.below(n) : 0;
    expected.resize(stop);
    packed_zset::for_each_while(b.z, {from, from + n}, reverse, [&](const listpack::Value& m, double s) {
      got.push_back({s, m.to_string()});
      return got.size() < stop;
    });
    ASSERT_EQ(got, expected);
  }
}

// What a set costs whose members are like those of the benchmark (bench/memory.py), identifiers with a name in front, numbers, and alike in nothing.
TEST(PackedZset, SaysOnceWhatMembersShare) {
  auto bytes_of = [](const std::vector<std::string>& members) {
    Block b;
    double score = 0;
    for (const std::string& m : members) packed_zset::insert(b.z, score += 7919, m);
    return packed_zset::bytes(b.z);
  };
  std::vector<std::string> padded, users, numbers, unlike;
  for (int i = 0; i < 10; i++) {
    padded.push_back("member:00000000" + std::to_string(i));
    users.push_back("user:" + std::to_string(1234567 + i * 765432));
    numbers.push_back(std::to_string(1234567 + i * 765432));
    unlike.push_back(std::string(1, static_cast<char>('a' + i)) + "23456789abcdef");
  }
  EXPECT_LE(bytes_of(padded), size_t{8 + 15 + 10 * (1 + 1 + 3)});
  EXPECT_LE(bytes_of(users), size_t{8 + 5 + 10 * (1 + 7 + 3)});
  EXPECT_LE(bytes_of(numbers), size_t{8 + 10 * (1 + 3 + 3)});
  EXPECT_LE(bytes_of(unlike), size_t{8 + 10 * (1 + 15 + 3)});
  Block b;  // what is shared is that of the first two; then of nobody; then of the next ones, when all have gone
  for (const char* m : {"abcd", "abce", "abcf"}) packed_zset::insert(b.z, 1, m);
  EXPECT_EQ(packed_zset::shared(b.z), "abc");
  packed_zset::insert(b.z, 1, "ab");
  EXPECT_EQ(packed_zset::shared(b.z), "ab");
  packed_zset::insert(b.z, 1, "17");
  EXPECT_EQ(packed_zset::shared(b.z), "");
  EXPECT_EQ(b.row(), (Row{{1, "17"}, {1, "ab"}, {1, "abcd"}, {1, "abce"}, {1, "abcf"}}));
  packed_zset::erase(b.z, packed_zset::at(b.z, 0), 5);
  packed_zset::insert(b.z, 1, "xyz");
  EXPECT_EQ(packed_zset::shared(b.z), "xyz");
  EXPECT_EQ(b.row(), (Row{{1, "xyz"}}));
  packed_zset::insert(b.z, 1, std::string(1000, 'x'));
  EXPECT_EQ(packed_zset::shared(b.z), "");
}

// A score comes back to the bit, but for the sign of a zero, which Redis's listpack drops as well.
TEST(PackedZset, KeepsEveryScore) {
  Block b;
  Row row;
  std::vector<double> scores = {0, 1, -1, 0.1, 1e300, -1e-300, 5e-324, std::numeric_limits<double>::infinity()};
  for (unsigned bits = 7; bits < 63; bits++)
    for (int64_t d : {-1, 0, 1})
      for (int sign : {1, -1}) scores.push_back(static_cast<double>(sign * ((int64_t{1} << bits) + d)));
  for (double s : scores) {
    packed_zset::Found found;
    packed_zset::insert(b.z, s, "m");
    ASSERT_TRUE(packed_zset::find(b.z, "m", found));
    ASSERT_EQ(found.score, s);
    uint8_t* lp = packed_zset::to_listpack(b.z);
    ASSERT_EQ(packed_zset::listpack_score(listpack::last(lp)), s);
    listpack::release(lp);
    packed_zset::erase(b.z, found.at, 1);
  }
  packed_zset::insert(b.z, -0.0, "m");
  EXPECT_FALSE(std::signbit(b.row()[0].first));
}

TEST(PackedZset, DrawsAtRandomWithAndWithoutRepeats) {
  Seeded seeded;
  Block b;
  std::set<std::string> all;
  for (int i = 0; i < 12; i++) {
    all.insert("m" + std::to_string(i));
    packed_zset::insert(b.z, 12 - i, "m" + std::to_string(i));
  }
  Random random(seeded.next());
  std::set<std::string> seen;
  size_t n = 0;
  packed_zset::random_picks(b.z, 500, random, [&](const listpack::Value& m, double s) {
    EXPECT_EQ(m.to_string(), "m" + std::to_string(12 - static_cast<int>(s)));
    seen.insert(m.to_string());
    n++;
  });
  EXPECT_EQ(n, 500u);
  EXPECT_EQ(seen, all);
  for (size_t count : {1, 5, 12, 40}) {
    seen.clear();
    packed_zset::random_distinct(b.z, count, random, [&](const listpack::Value& m, double) { seen.insert(m.to_string()); });
    EXPECT_EQ(seen.size(), std::min<size_t>(count, 12));
  }
}

}  // namespace
}  // namespace ringwood
