#include "engine/base/lzf.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

// Exact-size heap blocks, so that the address sanitizer sees any access beside them.
struct Block {
  explicit Block(size_t n) : data(new char[n]), size(n) {}
  explicit Block(Bytes b) : Block(b.size()) { std::memcpy(data.get(), b.data(), b.size()); }
  Bytes view() const { return Bytes(data.get(), size); }
  std::unique_ptr<char[]> data;
  size_t size;
};

OwnedBytes compressible(Seeded& seeded, size_t n) {
  OwnedBytes s;
  while (s.size() < n) {
    if (s.size() > 10 && seeded.chance(60)) {
      size_t from = seeded.below(s.size());
      size_t count = 1 + seeded.below(seeded.chance(20) ? 400 : 12);
      for (size_t k = 0; k < count; k++) s += s[from + k];
    } else {
      s += static_cast<char>(seeded.below(seeded.chance(50) ? 4 : 256));
    }
  }
  s.resize(n);
  return s;
}

TEST(Lzf, ReadsAStreamWrittenByHand) {
  char out[64];
  // three literals, a copy of 5 from 3 back (overlapping), a long copy of 10 from 1 back
  Bytes stream(
      "\x02"
      "abc"
      "\x60\x02"
      "\xe0\x01\x00",
      9);
  size_t n = lzf::decompress(stream, out, sizeof out);
  EXPECT_EQ(Bytes(out, n), "abcabcabbbbbbbbbbb");
}

TEST(Lzf, GivesBackWhatItWasGiven) {
  Seeded seeded;
  for (int i = 0; i < 3000; i++) {
    OwnedBytes input = compressible(seeded, 1 + seeded.below(i % 50 == 0 ? 100000 : 600));
    Block in(input), packed(input.size() + input.size() / 32 + 1), back(input.size());
    size_t n = lzf::compress(in.view(), packed.data.get(), packed.size);
    ASSERT_GT(n, 0u);
    Block exact(Bytes(packed.data.get(), n));
    ASSERT_EQ(lzf::decompress(exact.view(), back.data.get(), back.size), input.size());
    ASSERT_EQ(back.view(), input);
    if (input.size() > 1) {  // one byte less of room is a failure, not an overflow
      Block tight(input.size() - 1);
      ASSERT_EQ(lzf::decompress(exact.view(), tight.data.get(), tight.size), 0u);
      Block small(n - 1);
      ASSERT_EQ(lzf::compress(in.view(), small.data.get(), small.size), 0u);
      Block same(n);
      size_t again = lzf::compress(in.view(), same.data.get(), same.size);
      ASSERT_TRUE(again == n || again == 0);  // a copy item asks for 3 bytes of room though it may need 2
    }
  }
}

TEST(Lzf, SavesSpaceOnRepetitiveText) {
  OwnedBytes text;
  for (int i = 0; i < 1000; i++) text += "key:" + std::to_string(i) + " ";
  char out[16384];
  size_t n = lzf::compress(text, out, sizeof out);
  EXPECT_GT(n, 0u);
  EXPECT_LT(n, text.size() * 6 / 10);
  EXPECT_EQ(lzf::compress(OwnedBytes(1000, 'a'), out, 20), 14u);
}

// Not every place of what does not repeat is tried; what repeats behind it, at whatever distance, is found all the same.
TEST(Lzf, SavesSpaceBehindALongStretchThatDoesNotRepeat) {
  Seeded seeded;
  for (size_t stretch : {1000u, 100000u, 20000000u}) {
    const OwnedBytes noise = seeded.bytes(stretch + 4099);
    for (size_t distance : {5u, 77u, 4096u, 4099u}) {
      OwnedBytes text = noise.substr(0, stretch + distance);
      for (size_t i = 0; i < 60000; i++) text += text[stretch + i];
      OwnedBytes out(text.size() * 33 / 32 + 1, '\0');
      const size_t n = lzf::compress(text, out.data(), out.size());
      EXPECT_LT(n, stretch * 33 / 32 + 30000) << stretch << " bytes, then repeats of " << distance;
      OwnedBytes back(text.size(), '\0');
      ASSERT_EQ(lzf::decompress(Bytes(out).substr(0, n), back.data(), back.size()), text.size());
      ASSERT_EQ(back, text);
    }
  }
}

TEST(Lzf, RefusesAnEmptyInputAndAnIncompressibleOneWithoutRoom) {
  Seeded seeded;
  char out[300];
  EXPECT_EQ(lzf::compress("", out, sizeof out), 0u);
  EXPECT_EQ(lzf::compress(seeded.bytes(256), out, 252), 0u);
}

TEST(Lzf, StaysInsideItsBuffersOnHostileStreams) {
  Seeded seeded;
  int accepted = 0;
  for (int i = 0; i < 50000; i++) {
    OwnedBytes stream = seeded.bytes(1 + seeded.below(40));
    if (i % 2) {
      OwnedBytes input = compressible(seeded, 200);
      char packed[300];
      stream = OwnedBytes(packed, lzf::compress(input, packed, sizeof packed));
      stream[seeded.below(stream.size())] ^= static_cast<char>(1 << seeded.below(8));
      stream.resize(1 + seeded.below(stream.size()));
    }
    Block in(stream), out(200);
    size_t n = lzf::decompress(in.view(), out.data.get(), out.size);
    ASSERT_LE(n, out.size);
    accepted += n > 0;
  }
  EXPECT_GT(accepted, 100);
  EXPECT_LT(accepted, 49900);
}

}  // namespace
}  // namespace ringwood
