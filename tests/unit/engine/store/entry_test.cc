#include "engine/store/entry.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/base/memory.h"

namespace ringwood {
namespace {

TEST(Entry, KeepsKeyAndValueInEveryLayout) {
  size_t before = memory::used();
  char scratch[24];
  for (bool expiry : {false, true})
    for (size_t key_size : {size_t{0}, size_t{1}, size_t{16}, size_t{300}, size_t{70000}})
      for (size_t size : {size_t{0}, size_t{1}, size_t{64}, size_t{8192}, size_t{8193}, size_t{100000}}) {
        std::string key(key_size, 'k'), value(size, 'v');
        Entry* e = Entry::make_string(key, value, Encoding::kRaw, expiry);
        EXPECT_EQ(e->key(), key);
        EXPECT_TRUE(e->is(key));
        EXPECT_FALSE(e->is(key + "x"));
        EXPECT_EQ(e->string_view(scratch), value);
        EXPECT_EQ(e->has_block(), size > Entry::kInlineMax);
        EXPECT_EQ(e->has_node(), expiry);
        EXPECT_EQ(e->type(), Type::kString);
        EXPECT_EQ(e->encoding(), Encoding::kRaw);
        EXPECT_EQ(e->expiry_ms(), -1);
        e->set_access(0x7abcdef);
        e->set_epoch(Entry::kEpochMax);
        e = Entry::remake(e, "other", !expiry);
        EXPECT_EQ(e->key(), "other");
        EXPECT_EQ(e->string_view(scratch), value);
        EXPECT_EQ(e->access(), 0x7abcdefu);
        EXPECT_EQ(e->epoch(), Entry::kEpochMax);
        EXPECT_EQ(e->encoding(), Encoding::kRaw);
        Entry* twin = Entry::duplicate(e, key);
        EXPECT_EQ(twin->string_view(scratch), value);
        Entry::destroy(e);
        EXPECT_EQ(twin->string_view(scratch), value);
        Entry::destroy(twin);
      }
  EXPECT_EQ(memory::used(), before);
}

TEST(Entry, HoldsIntegersUnaligned) {
  for (const char* key : {"", "a", "ab", "abc", "abcdefgh"})
    for (int64_t v : {INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{42}, INT64_MAX}) {
      Entry* e = Entry::make_int(key, v, false);
      EXPECT_TRUE(e->is_int());
      EXPECT_EQ(e->encoding(), Encoding::kInt);
      EXPECT_EQ(e->int_value(), v);
      char scratch[24];
      EXPECT_EQ(e->string_view(scratch), std::to_string(v));
      Entry::destroy(e);
    }
}

// 16 bytes of key and 64 of value: the size that the measurements of bytes a key speak of.
TEST(Entry, OfAnOrdinarySizeTakesOneSmallBlock) {
  Entry* e = Entry::make_string(std::string(16, 'k'), std::string(64, 'v'), Encoding::kRaw, false);
  EXPECT_LE(e->shell_memory(), 96u);
  Entry::destroy(e);
}

TEST(Entry, LivesThroughTheWholeOfItsLastMillisecond) {
  Entry* e = Entry::make_int("a", 1, true);
  EXPECT_FALSE(e->expired(kMaxExpiryMs));
  e->node()->when_ms = 1000;
  EXPECT_FALSE(e->expired(1000));
  EXPECT_TRUE(e->expired(1001));
  Entry::destroy(e);
}

}  // namespace
}  // namespace ringwood
