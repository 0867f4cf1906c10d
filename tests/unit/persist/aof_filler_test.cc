// What stands behind the content of an append-only file whose blocks are written ahead, and the way back.
#include "persist/aof_filler.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

constexpr uint64_t kId = 0x0123456789abcdef;

std::string filler(size_t n, uint64_t offset) {
  std::string out(n, '\0');
  aof::fill(out.data(), n, offset, kId);
  return out;
}

std::string padded(std::string content) {
  char room[64];
  return content.append(room, aof::pad(room, content.size()));
}

// A file of so many bytes of content.
std::string file_of(const std::string& content, size_t blocks = 2) {
  const size_t size = (content.size() / 4096 + blocks) * 4096;
  return content + filler(size - content.size(), content.size());
}

// Bytes that end a line, as commands do.
std::string content_of(size_t n, char c = 'x') { return n < 2 ? std::string(n, '\n') : std::string(n - 2, c) + "\r\n"; }

struct Found {
  std::string content;
  bool filled, torn;
};

Found read(const std::string& file, size_t step) {
  AofContent reader;
  const size_t tail = std::min<size_t>(file.size(), 128);
  reader.begin(Bytes(file).substr(file.size() - tail), file.size());
  Found f{};
  for (size_t at = 0; at < file.size(); at += step) f.content += reader.take(Bytes(file).substr(at, step), false);
  f.content += reader.take({}, true);
  f.filled = reader.filled();
  f.torn = reader.torn();
  return f;
}

TEST(AofFiller, TheContentIsFoundWhereverItEnds) {
  for (size_t n = 0; n < 1200; n++)
    for (size_t step : {size_t{100000}, size_t{97}}) {
      const std::string content = content_of(n), whole = padded(content);
      Found f = read(file_of(whole), step);
      ASSERT_EQ(content, f.content.substr(0, n)) << n;
      ASSERT_EQ(f.content.find_first_not_of("#\n", n), std::string::npos) << n;
      ASSERT_TRUE(f.content.empty() || f.content.back() == '\n') << n;
      ASSERT_TRUE(f.filled && !f.torn) << n;
      ASSERT_EQ(whole.substr(0, f.content.size()), f.content) << n;
    }
}

// Redis reads lines by fgets with 128 bytes, and passes over those that begin with '#'.
TEST(AofFiller, RedisReadsNotes) {
  for (size_t n = 0; n < 1200; n++) {
    const std::string file = file_of(padded(content_of(n)));
    for (size_t at = n; at < file.size();) {
      ASSERT_EQ('#', file[at]) << n << " at " << at;
      at = std::min(file.find('\n', at) + 1, at + 127);
    }
    ASSERT_EQ('\n', file.back());
  }
}

// Any sectors of a commit may be missing: what was there before it is, and of it what stands before the first that is missing.
TEST(AofFiller, OfATornCommitTheBeginningIsLeft) {
  Seeded r;
  for (int round = 0; round < 3000; round++) {
    const std::string before = padded(content_of(r.below(3000)));
    const std::string after = padded(before + content_of(1 + r.below(3000), r.chance(30) ? '#' : 'y'));
    std::string old = file_of(before, 4), now = after + filler(old.size() - after.size(), after.size());
    std::string torn = old;
    size_t first_missing = now.size();
    for (size_t at = before.size() / 512 * 512; at < after.size(); at += 512)
      if (r.chance(50))
        torn.replace(at, 512, now, at, 512);
      else
        first_missing = std::min(first_missing, at);
    Found f = read(torn, 1 + r.below(5000));
    const bool any = torn != old;
    if (first_missing > after.size()) {
      ASSERT_EQ(after.substr(0, f.content.size()), f.content);
      ASSERT_GE(f.content.size() + 64, after.size());
      ASSERT_FALSE(f.torn);
    } else if (first_missing < before.size() || first_missing == before.size() / 512 * 512) {
      ASSERT_EQ(before.substr(0, f.content.size()), f.content);
      ASSERT_GE(f.content.size() + 64, before.size());
      ASSERT_EQ(f.torn, any);
    } else {
      ASSERT_LE(f.content.size(), first_missing);
      ASSERT_EQ(after.substr(0, f.content.size()), f.content);
    }
  }
}

// Redis goes on behind the filler: then it is notes like any other.
TEST(AofFiller, WhatIsWrittenBehindItIsContent) {
  const std::string file = file_of(content_of(1000)) + "*1\r\n$4\r\nPING\r\n";
  Found f = read(file, 1000);
  EXPECT_EQ(file, f.content);
  EXPECT_FALSE(f.filled);
}

// A power cut while blocks are made.
TEST(AofFiller, TheFileMayEndAnywhereInIt) {
  const std::string content = padded(content_of(700)), file = file_of(content);
  for (size_t n = content.size() + 128; n < file.size(); n += 1 + n % 7) {
    Found f = read(file.substr(0, n), 300);
    ASSERT_EQ(content, f.content) << n;
    ASSERT_TRUE(f.filled && !f.torn) << n;
  }
}

}  // namespace
}  // namespace ringwood
