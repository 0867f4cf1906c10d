#include "engine/base/bits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "engine/base/bit_kernels.h"

namespace ringwood {
namespace {

uint64_t seed() {
  const char* s = std::getenv("RINGWOOD_SEED");
  return s ? std::strtoull(s, nullptr, 10) : 4711;
}

class Bits : public testing::Test {
 protected:
  uint64_t below(uint64_t n) { return random_() % n; }
  // Bytes at their own end of a heap block, so that a sanitizer sees reading behind them. Mostly random; sometimes all alike.
  std::string text(size_t n) {
    std::string s(n, below(2) ? '\0' : '\xff');
    if (below(3))
      for (char& c : s) c = static_cast<char>(random_());
    s.shrink_to_fit();
    return s;
  }
  size_t some_size() {
    const size_t kinds[] = {below(4), below(20), below(140), below(2200), 8192 * below(4) + below(100)};
    return kinds[below(5)];
  }
  std::mt19937_64 random_{seed()};
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed())};
};

bool model_bit(const std::string& s, uint64_t at) { return at / 8 < s.size() && (static_cast<uint8_t>(s[at / 8]) & (128 >> at % 8)); }

TEST_F(Bits, EveryKernelCountsTheOnes) {
  for (const bits::Kernels& k : bits::kernels()) {
    SCOPED_TRACE(k.name);
    for (int i = 0; i < 300; i++) {
      std::string s = text(some_size());
      uint64_t expected = 0;
      for (uint64_t at = 0; at < s.size() * 8; at++) expected += model_bit(s, at);
      size_t skip = s.empty() ? 0 : below(std::min<size_t>(s.size(), 9));
      for (uint64_t at = 0; at < skip * 8; at++) expected -= model_bit(s, at);
      ASSERT_EQ(k.count(octets(s) + skip, s.size() - skip), expected) << s.size();
    }
  }
}

TEST_F(Bits, EveryKernelCombinesAsOneByteAtATimeWould) {
  for (const bits::Kernels& k : bits::kernels()) {
    SCOPED_TRACE(k.name);
    for (int i = 0; i < 300; i++) {
      size_t n = some_size();
      std::string a = text(n), b = text(n);
      std::vector<uint8_t> out(n + 1, 0x5a);
      const struct {
        bits::Kernels::Combine run;
        int (*model)(int, int);
      } all[] = {{k.and_bytes, [](int x, int y) { return x & y; }},
                 {k.or_bytes, [](int x, int y) { return x | y; }},
                 {k.xor_bytes, [](int x, int y) { return x ^ y; }}};
      for (const auto& each : all) {
        each.run(out.data(), octets(a), octets(b), n);
        for (size_t j = 0; j < n; j++) ASSERT_EQ(out[j], (each.model(a[j], b[j]) & 255)) << j << " of " << n;
        std::string in_place = a;
        auto* target = reinterpret_cast<uint8_t*>(in_place.data());
        each.run(target, target, octets(b), n);
        ASSERT_TRUE(std::equal(target, target + n, out.data()));
      }
      k.not_bytes(out.data(), octets(a), n);
      for (size_t j = 0; j < n; j++) ASSERT_EQ(out[j], (~a[j] & 255)) << j << " of " << n;
      ASSERT_EQ(out[n], 0x5a);
    }
  }
}

TEST_F(Bits, TheLastKernelNeedsNoSpecialMachine) {
  ASSERT_FALSE(bits::kernels().empty());
  EXPECT_STREQ(bits::kernels().back().name, "portable");
}

TEST_F(Bits, ARangeIsCountedAndSearchedBitByBit) {
  for (int i = 0; i < 600; i++) {
    std::string s = text(1 + below(below(10) ? 90 : 900));
    if (below(2)) s[below(s.size())] ^= static_cast<char>(1 << below(8));
    uint64_t first = below(s.size() * 8), last = first + below(s.size() * 8 - first);
    uint64_t ones = 0;
    int64_t found[2] = {-1, -1};
    for (uint64_t at = last + 1; at-- > first;) {
      ones += model_bit(s, at);
      found[model_bit(s, at)] = static_cast<int64_t>(at);
      ASSERT_EQ(bits::test(s, at), model_bit(s, at));
    }
    SCOPED_TRACE(std::to_string(first) + " to " + std::to_string(last) + " of " + std::to_string(s.size()) + " bytes");
    ASSERT_EQ(bits::count(s, first, last), ones);
    ASSERT_EQ(bits::find(s, first, last, false), found[0]);
    ASSERT_EQ(bits::find(s, first, last, true), found[1]);
  }
  EXPECT_FALSE(bits::test("\xff", 8));
  EXPECT_FALSE(bits::test("", 0));
}

TEST_F(Bits, SourcesOfUnequalLengthAreLengthenedWithZeros) {
  for (int i = 0; i < 300; i++) {
    std::vector<std::string> sources;
    std::vector<Bytes> views;
    for (size_t n = 1 + below(5); n; n--) sources.push_back(text(some_size()));
    size_t size = 0;
    for (const std::string& s : sources) views.push_back(s), size = std::max(size, s.size());
    std::string out(size, 'x');
    for (bits::Op op : {bits::Op::kAnd, bits::Op::kOr, bits::Op::kXor}) {
      bits::combine(op, views, out.data(), size);
      for (size_t j = 0; j < size; j++) {
        unsigned expected = j < sources[0].size() ? static_cast<uint8_t>(sources[0][j]) : 0;
        for (size_t k = 1; k < sources.size(); k++) {
          unsigned other = j < sources[k].size() ? static_cast<uint8_t>(sources[k][j]) : 0;
          expected = op == bits::Op::kAnd ? expected & other : op == bits::Op::kOr ? expected | other : expected ^ other;
        }
        ASSERT_EQ(static_cast<uint8_t>(out[j]), expected) << j;
      }
    }
    out.resize(sources[0].size());
    bits::combine(bits::Op::kNot, {views.data(), 1}, out.data(), out.size());
    for (size_t j = 0; j < out.size(); j++) ASSERT_EQ(static_cast<uint8_t>(out[j]), static_cast<uint8_t>(~sources[0][j])) << j;
  }
}

TEST_F(Bits, FieldsOfEveryWidthAndPlaceAreReadAndWritten) {
  for (unsigned width = 1; width <= 64; width++) {
    for (int i = 0; i < 40; i++) {
      std::string s = text(9 + below(8));
      uint64_t at = below(s.size() * 8 - width + 1), value = random_();
      std::string expected = s;
      for (unsigned j = 0; j < width; j++) {
        uint64_t bit = at + j;
        auto byte = static_cast<uint8_t>(expected[bit / 8] & ~(128 >> bit % 8));
        if (value >> (width - 1 - j) & 1) byte |= static_cast<uint8_t>(128 >> bit % 8);
        expected[bit / 8] = static_cast<char>(byte);
      }
      SCOPED_TRACE(std::to_string(width) + " bits at " + std::to_string(at));
      bits::set(s.data(), s.size(), at, width, value);
      ASSERT_EQ(s, expected);
      ASSERT_EQ(bits::get(s, at, width), value & (~uint64_t{0} >> (64 - width)));
      uint64_t behind = at + below(s.size() * 8), read = 0;
      for (unsigned j = 0; j < width; j++) read = read << 1 | (model_bit(s, behind + j) ? 1 : 0);
      ASSERT_EQ(bits::get(s, behind, width), read) << behind;
    }
  }
}

}  // namespace
}  // namespace ringwood
