#include "engine/store/hyperloglog.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/seed.h"

namespace ringwood::hyperloglog {
namespace {

constexpr size_t kSparseMax = 3000;

OwnedBytes sketch_of(std::initializer_list<Bytes> elements) {
  OwnedBytes s = empty();
  for (Bytes e : elements) EXPECT_EQ(raise(s, mark_of(e), kSparseMax), Change::kChanged);
  return s;
}

// The bytes and estimates of these are Redis 7.0.15's.
TEST(HyperLogLog, TheLayoutIsRedisByteForByte) {
  OwnedBytes s = sketch_of({"a", "b", "c"});
  EXPECT_EQ(describe_runs(s), "Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603");
  uint64_t n;
  EXPECT_FALSE(cached_count(s, n));
  ASSERT_TRUE(count(s, n));
  cache_count(s.data(), n);
  const unsigned char expected[] = {'H', 'Y', 'L',  'L',  1,    0,    0,    0,    3,    0,    0,    0,    0,   0,
                                    0,   0,   0x60, 0xf3, 0x80, 0x50, 0xb1, 0x84, 0x4b, 0xfb, 0x80, 0x42, 0x5a};
  EXPECT_EQ(s, Bytes(reinterpret_cast<const char*>(expected), sizeof expected));
  EXPECT_TRUE(cached_count(s, n));
  EXPECT_EQ(n, 3u);
}

TEST(HyperLogLog, TheHashIsRedisForEveryLengthOfTheRest) {
  EXPECT_EQ(describe_runs(sketch_of({"1"})), "Z:7527 v:1,1 Z:8856");
  EXPECT_EQ(describe_runs(sketch_of({"123"})), "Z:1067 v:1,1 Z:15316");
  EXPECT_EQ(describe_runs(sketch_of({"12345678"})), "Z:10579 v:3,1 Z:5804");
  EXPECT_EQ(describe_runs(sketch_of({"123456789abcdef"})), "Z:1977 v:3,1 Z:14406");
}

TEST(HyperLogLog, TheEstimateIsRedis) {
  OwnedBytes s = empty();
  for (int i = 1; i <= 1000; i++) raise(s, mark_of(std::to_string(i)), kSparseMax);
  uint64_t n;
  ASSERT_TRUE(count(s, n));
  EXPECT_EQ(n, 1001u);
}

TEST(HyperLogLog, NeighboursOfOneValueJoinIntoRunsOfFour) {
  OwnedBytes s = empty();
  for (unsigned i = 0; i < 6; i++) raise(s, {i, 2}, kSparseMax);
  EXPECT_EQ(describe_runs(s), "v:2,4 v:2,2 Z:16378");
  raise(s, {1, 3}, kSparseMax);
  EXPECT_EQ(describe_runs(s), "v:2,1 v:3,1 v:2,4 Z:16378");
  EXPECT_EQ(raise(s, {1, 3}, kSparseMax), Change::kNone);
}

TEST(HyperLogLog, ASketchTurnsDenseWhenTooLongOrAValueIsTooHigh) {
  OwnedBytes s = empty();
  EXPECT_EQ(raise(s, {7, 32}, kSparseMax), Change::kChanged);
  EXPECT_FALSE(is_dense(s));
  EXPECT_EQ(raise(s, {8, 33}, kSparseMax), Change::kChanged);
  EXPECT_TRUE(is_dense(s) && valid(s));
  EXPECT_EQ(value_at(s, 7), 32);
  EXPECT_EQ(value_at(s, 8), 33);
  OwnedBytes tiny = empty();
  EXPECT_EQ(raise(tiny, {7, 1}, 0), Change::kChanged);
  EXPECT_TRUE(is_dense(tiny));
}

// Both encodings against an array of registers.
TEST(HyperLogLog, SparseAndDenseHoldWhatAnArrayHolds) {
  Seeded random;
  for (int round = 0; round < 30; round++) {
    OwnedBytes sparse = empty(), dense = sparse;
    ASSERT_TRUE(to_dense(dense));
    Registers model{};
    unsigned spread = round % 3 ? kRegisters : 40;
    for (int i = 0; i < 600; i++) {
      Mark m{static_cast<unsigned>(random.below(spread)), static_cast<unsigned>(random.below(round % 5 ? 8 : 51)) + 1};
      Change wanted = m.value > model[m.index] ? Change::kChanged : Change::kNone;
      model[m.index] = std::max(model[m.index], static_cast<uint8_t>(m.value));
      ASSERT_EQ(raise(sparse, m, kSparseMax), wanted);
      ASSERT_EQ(raise_dense(dense.data(), m), wanted);
    }
    for (unsigned i = 0; i < kRegisters; i++) {
      ASSERT_EQ(value_at(sparse, i), model[i]) << i;
      ASSERT_EQ(value_at(dense, i), model[i]) << i;
    }
    Registers merged{};
    ASSERT_TRUE(merge(sparse, merged));
    EXPECT_EQ(merged, model);
    merged = {};
    ASSERT_TRUE(merge(dense, merged));
    EXPECT_EQ(merged, model);
    uint64_t a, b;
    ASSERT_TRUE(count(sparse, a) && count(dense, b));
    EXPECT_EQ(a, b);
    EXPECT_EQ(a, count(model));
    ASSERT_TRUE(to_dense(sparse));
    EXPECT_EQ(sparse.substr(kHeaderSize), dense.substr(kHeaderSize));
  }
}

TEST(HyperLogLog, AForeignStringIsNoSketch) {
  OwnedBytes good = empty();
  EXPECT_TRUE(valid(good));
  for (Bytes bad : {Bytes(), Bytes("HYLL"), Bytes("abcdefghijklmnopqrst")}) EXPECT_FALSE(valid(bad));
  OwnedBytes s = good;
  s[4] = 2;
  EXPECT_FALSE(valid(s));
  s[4] = 0;  // dense, but not of that length
  EXPECT_FALSE(valid(s));
  ASSERT_TRUE(to_dense(good));
  EXPECT_TRUE(valid(good));
  EXPECT_FALSE(valid(good + 'x'));
}

TEST(HyperLogLog, RunsOfAnotherLengthAreCorrupt) {
  OwnedBytes s = empty();
  uint64_t n;
  Registers registers{};
  for (OwnedBytes bad : {s.substr(0, kHeaderSize), s + '\0', s + '\x40', s + '\x84', s.substr(0, kHeaderSize + 1)}) {
    ASSERT_TRUE(valid(bad));
    EXPECT_FALSE(count(bad, n));
    EXPECT_FALSE(merge(bad, registers));
    EXPECT_FALSE(to_dense(bad));
  }
  OwnedBytes cut = s.substr(0, kHeaderSize) + '\x05';
  EXPECT_EQ(raise(cut, {6, 1}, kSparseMax), Change::kCorrupt);
  EXPECT_EQ(value_at(cut, 6), -1);
  EXPECT_EQ(value_at(cut, 5), 0);
}

// Whatever the bytes say, nothing outside of them is touched (the sanitizers watch), and what can be counted can be merged, nothing else.
TEST(HyperLogLog, NonsenseIsSurvived) {
  Seeded random;
  int corrupt = 0;
  for (int round = 0; round < 3000; round++) {
    OwnedBytes s = empty();
    for (int i = 0; i < 20; i++) raise(s, mark_of(std::to_string(random.next())), kSparseMax);
    if (round % 7 == 0) to_dense(s);
    for (int i = 0; i < 3; i++) s[kHeaderSize + random.below(s.size() - kHeaderSize)] = static_cast<char>(random.next());
    uint64_t n;
    Registers registers{};
    bool good = count(s, n);
    EXPECT_EQ(merge(s, registers), good);
    corrupt += !good;
    describe_runs(s);
    for (int i = 0; i < 20; i++) raise(s, mark_of(std::to_string(random.next())), kSparseMax);
  }
  EXPECT_GT(corrupt, 500);
}

TEST(HyperLogLog, RegistersThatNoElementsGiveHaveRedisEstimate) {
  Registers registers;
  registers.fill(63);
  EXPECT_EQ(count(registers), uint64_t{1} << 63);
  registers.fill(0);
  EXPECT_EQ(count(registers), 0u);
}

}  // namespace
}  // namespace ringwood::hyperloglog
