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

// A file of so many bytes of content.
std::string file_of(const std::string& content, size_t blocks = 2) {
  const size_t size = (content.size() / 4096 + blocks) * 4096;
  return content + filler(size - content.size(), content.size());
}

// A command of so many bytes; there is none of fewer than kLeast.
constexpr size_t kLeast = 4 + 4 + 2;
std::string command_of(size_t n, char c) {
  for (size_t digits = 1;; digits++) {
    const size_t value = n - 4 - 3 - digits - 2;
    if (std::to_string(value).size() == digits) return "*1\r\n$" + std::to_string(value) + "\r\n" + std::string(value, c) + "\r\n";
    if (digits == 9) return command_of(n - 1, c);  // between two numbers of digits: one byte fewer
  }
}

// Commands, n bytes or somewhat fewer.
std::string content_of(size_t n, char c = 'x') { return n < 2 * kLeast ? "" : command_of(n, c); }

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
      const std::string content = content_of(n);
      Found f = read(file_of(content), step);
      ASSERT_EQ(content, f.content) << n;
      ASSERT_TRUE(f.filled && !f.torn) << n;
    }
}

// Redis reads lines by fgets with 128 bytes, and passes over those that begin with '#'.
TEST(AofFiller, RedisReadsNotes) {
  for (size_t n = 0; n < 1200; n++) {
    const std::string content = content_of(n), file = file_of(content);
    for (size_t at = content.size(); at < file.size();) {
      ASSERT_EQ('#', file[at]) << n << " at " << at;
      at = std::min(file.find('\n', at) + 1, at + 127);
    }
    ASSERT_EQ('\n', file.back());
  }
}

// Any sectors of a commit may be missing: what was there before it is, and of it what stands before the first that is missing.
TEST(AofFiller, OfATornCommitTheBeginningIsLeft) {
  Seeded r;
  for (int round = 0; round < 6000; round++) {
    // Half of them end in the last line of a sector, where nothing but notes tells of the end.
    size_t size = r.below(3000);
    if (r.chance(50)) size = size / 512 * 512 + 448 + r.below(64);
    const std::string before = content_of(size);
    std::string after = before;
    for (uint64_t n = 1 + r.below(5); n; n--) after += command_of(2 * kLeast + r.below(r.chance(50) ? 40 : 3000), r.chance(30) ? '#' : 'y');
    // It may end within a command, but not everywhere.
    if (const size_t end = after.size() - r.below(30); end > before.size() && r.chance(50) && aof::may_end_within_command(end))
      after.resize(end);
    std::string old = file_of(before, 8), now = after + filler(old.size() - after.size(), after.size());
    std::string torn = old;
    size_t first_missing = now.size();
    for (size_t at = before.size() / 512 * 512; at < after.size(); at += 512)
      if (r.chance(50))
        torn.replace(at, 512, now, at, 512);
      else
        first_missing = std::min(first_missing, at);
    Found f = read(torn, 1 + r.below(5000));
    const bool any = torn != old;
    ASSERT_TRUE(f.filled);
    if (first_missing > after.size()) {
      ASSERT_EQ(after.substr(0, f.content.size()), f.content);
      ASSERT_GE(f.content.size() + 64, after.size());
      ASSERT_TRUE(f.content == after || !after.ends_with("\r\n")) << after.size() << " " << f.content.size();
      ASSERT_FALSE(f.torn);
    } else if (first_missing == before.size() / 512 * 512) {
      ASSERT_EQ(before, f.content) << before.size();
      ASSERT_EQ(f.torn, any);
    } else {
      ASSERT_LE(f.content.size(), first_missing);
      ASSERT_EQ(after.substr(0, f.content.size()), f.content);
    }
  }
}

// What looks like the end and is not: a value, notes of the time, filler behind which Redis has gone on.
TEST(AofFiller, OtherNotesAreContent) {
  for (size_t rest = 1; rest <= 64; rest++) {
    const std::string head = content_of(512 - rest), note = "#TS:1700000000\r\n",
                      marks = std::string(rest - (rest > 1), '#') + (rest > 1 ? "\n" : "");
    ASSERT_EQ(512 - rest, head.size());
    for (const std::string& more : {note + content_of(700), "*1\r\n$700\r\n" + std::string(700, '#') + "\r\n"}) {
      Found f = read(file_of(head + more), 300);
      EXPECT_EQ(head + more, f.content) << rest;
      EXPECT_TRUE(f.filled && !f.torn) << rest;
    }
    // In a value, as far as one may stand there.
    const std::string in_value = "*1\r\n$1500\r\n" + std::string(499 - rest, 'x') + "\r\n" + marks + std::string(900, 'y');
    const std::string whole = in_value + std::string(11 + 1500 - in_value.size(), 'z') + "\r\n";
    Found f = read(file_of(whole), 300);
    EXPECT_EQ(whole, f.content) << rest;
    // Filler of another start, and what Redis has written behind it.
    std::string old(1024 - head.size(), '\0');
    aof::fill(old.data(), old.size(), head.size(), kId + 1);
    f = read(file_of(head + old + content_of(600)), 300);
    EXPECT_EQ(head + old + content_of(600), f.content) << rest;
    EXPECT_TRUE(f.filled && !f.torn) << rest;
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
  const std::string content = content_of(700), file = file_of(content);
  for (size_t n = content.size() + 128; n < file.size(); n += 1 + n % 7) {
    Found f = read(file.substr(0, n), 300);
    ASSERT_EQ(content, f.content) << n;
    ASSERT_TRUE(f.filled && !f.torn) << n;
  }
}

}  // namespace
}  // namespace ringwood
