#include "persist/old_blobs.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

using persist::ZiplistReader;
using persist::ZipmapReader;
using Model = std::vector<OwnedBytes>;
using PairModel = std::vector<std::pair<OwnedBytes, OwnedBytes>>;

// Exact-size heap copy, for the address sanitizer.
struct Block {
  explicit Block(Bytes b) : data(new char[b.size()]), size(b.size()) { std::memcpy(data.get(), b.data(), b.size()); }
  Bytes view() const { return Bytes(data.get(), size); }
  std::unique_ptr<char[]> data;
  size_t size;
};

Model read_all(ZiplistReader& reader) {
  Model all;
  listpack::Value v;
  while (reader.next(v)) all.push_back(v.to_string());
  return all;
}

bool valid_ziplist(Bytes blob) {
  Block copy(blob);
  return ZiplistReader(copy.view()).valid();
}

template <class T>
OwnedBytes little(T v) {
  return OwnedBytes(reinterpret_cast<const char*>(&v), sizeof v);
}

// Writes a ziplist as Redis did. `wide` picks longer encodings than needed, as cascading updates may leave them.
OwnedBytes make_ziplist(const Model& elements, bool wide = false) {
  OwnedBytes body;
  size_t previous = 0, tail = 10;
  for (const OwnedBytes& element : elements) {
    OwnedBytes entry =
        previous < 254 && !wide ? OwnedBytes(1, static_cast<char>(previous)) : "\xfe" + little(static_cast<uint32_t>(previous));
    int64_t n;
    size_t size = element.size();
    if (parse_int64(element, n)) {
      if (n >= 0 && n <= 12)
        entry += static_cast<char>(0xf1 + n);
      else if (n == static_cast<int8_t>(n))
        entry += "\xfe" + little(static_cast<int8_t>(n));
      else if (n == static_cast<int16_t>(n))
        entry += "\xc0" + little(static_cast<int16_t>(n));
      else if (n >= -(1 << 23) && n < 1 << 23)
        entry += "\xf0" + little(n).substr(0, 3);
      else if (n == static_cast<int32_t>(n))
        entry += "\xd0" + little(static_cast<int32_t>(n));
      else
        entry += "\xe0" + little(n);
    } else {
      if (size < 64)
        entry += static_cast<char>(size);
      else if (size < 16384)
        entry += OwnedBytes{static_cast<char>(0x40 | size >> 8), static_cast<char>(size)};
      else
        entry += "\x80" + little(__builtin_bswap32(static_cast<uint32_t>(size)));
      entry += element;
    }
    tail = 10 + body.size();
    previous = entry.size();
    body += entry;
  }
  return little(static_cast<uint32_t>(body.size() + 11)) + little(static_cast<uint32_t>(tail)) +
         little(static_cast<uint16_t>(std::min<size_t>(elements.size(), 65535))) + body + "\xff";
}

OwnedBytes random_element(Seeded& seeded) {
  if (seeded.chance(50)) return int64_text(static_cast<int64_t>(seeded.next()) >> seeded.below(64));
  return seeded.bytes(seeded.chance(5) ? seeded.below(20000) : seeded.below(300));
}

TEST(Ziplist, ReadsTheExampleOfRedissOwnDescription) {
  ZiplistReader reader(Bytes("\x0f\0\0\0\x0c\0\0\0\x02\0\0\xf3\x02\xf6\xff", 15));
  ASSERT_TRUE(reader.valid());
  EXPECT_EQ(reader.count(), 2u);
  EXPECT_EQ(read_all(reader), (Model{"2", "5"}));
}

TEST(Ziplist, ReadsEveryEncoding) {
  Model elements = {"",
                    "hello",
                    "0",
                    "12",
                    "13",
                    "-1",
                    "-128",
                    "127",
                    "128",
                    "-32768",
                    "32768",
                    "-8388608",
                    "8388607",
                    "8388608",
                    "-8388609",
                    "007",
                    "2147483647",
                    "-2147483648",
                    "2147483648",
                    "-9223372036854775808",
                    OwnedBytes(63, 'a'),
                    OwnedBytes(64, 'b'),
                    OwnedBytes(16383, 'c'),
                    OwnedBytes(16384, 'd'),
                    "end"};
  for (bool wide : {false, true}) {
    Block blob(make_ziplist(elements, wide));
    ZiplistReader reader(blob.view());
    ASSERT_TRUE(reader.valid());
    EXPECT_EQ(read_all(reader), elements);
    listpack::Value v;
    EXPECT_FALSE(reader.next(v));
  }
  ZiplistReader empty(Bytes("\x0b\0\0\0\x0a\0\0\0\0\0\xff", 11));
  EXPECT_TRUE(empty.valid());
  EXPECT_EQ(empty.count(), 0u);
}

TEST(Ziplist, CountsBeyondWhatItsHeaderHolds) {
  Model many(70000, "1");
  OwnedBytes blob = make_ziplist(many);
  ZiplistReader reader(blob);
  EXPECT_TRUE(reader.valid());
  EXPECT_EQ(reader.count(), 70000u);
  EXPECT_EQ(read_all(reader).size(), 70000u);
}

TEST(Ziplist, RefusesEachKindOfDamage) {
  OwnedBytes good = make_ziplist({"abc", "1000", OwnedBytes(300, 'x'), "z"});
  ASSERT_TRUE(valid_ziplist(good));
  auto with = [&](size_t at, char byte) {
    OwnedBytes bad = good;
    bad[at] = byte;
    return bad;
  };
  EXPECT_FALSE(valid_ziplist(""));
  EXPECT_FALSE(valid_ziplist(good.substr(0, 10)));
  EXPECT_FALSE(valid_ziplist(good + "\xff"));
  EXPECT_FALSE(valid_ziplist(with(0, 1)));
  EXPECT_FALSE(valid_ziplist(with(4, 10)));       // tail is not the last entry
  EXPECT_FALSE(valid_ziplist(with(7, '\x7f')));   // tail is outside
  EXPECT_FALSE(valid_ziplist(with(8, 3)));        // count
  EXPECT_FALSE(valid_ziplist(with(10, 1)));       // something before the first entry
  EXPECT_FALSE(valid_ziplist(with(11, 4)));       // string one longer
  EXPECT_FALSE(valid_ziplist(with(11, '\x80')));  // string of gigabytes
  EXPECT_FALSE(valid_ziplist(with(11, '\xc1')));  // no such encoding
  EXPECT_FALSE(valid_ziplist(with(11, '\xff')));
  EXPECT_FALSE(valid_ziplist(with(15, 6)));       // size of the entry before
  EXPECT_FALSE(valid_ziplist(with(15, '\xff')));  // an end mark in the middle
  EXPECT_FALSE(valid_ziplist(with(good.size() - 1, 0)));
  listpack::Value v;
  ZiplistReader damaged(Bytes("xxxxxxxxxxxxxxx"));
  EXPECT_FALSE(damaged.next(v));
}

TEST(Ziplist, NeverReadsOutsideOfAHostileBlob) {
  Seeded seeded;
  int accepted = 0;
  for (int i = 0; i < 20000; i++) {
    Model elements;
    for (uint64_t n = seeded.below(5); n > 0; n--) elements.push_back(random_element(seeded).substr(0, 60));
    OwnedBytes blob = make_ziplist(elements);
    bool touched = seeded.chance(90);
    if (touched) blob[10 + seeded.below(blob.size() - 10)] = static_cast<char>(seeded.next());
    Block exact(blob);
    ZiplistReader reader(exact.view());
    if (!touched) {
      ASSERT_TRUE(reader.valid());
      ASSERT_EQ(read_all(reader), elements);
    } else if (reader.valid()) {
      accepted++;
      ASSERT_EQ(read_all(reader).size(), reader.count());
    }
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_LT(accepted, 18000);
}

OwnedBytes zipmap_length(size_t n) { return n < 254 ? OwnedBytes(1, static_cast<char>(n)) : "\xfe" + little(static_cast<uint32_t>(n)); }

OwnedBytes make_zipmap(const PairModel& pairs, size_t unused = 0) {
  OwnedBytes blob(1, static_cast<char>(std::min<size_t>(pairs.size(), 254)));
  for (const auto& [field, value] : pairs) {
    blob += zipmap_length(field.size()) + field + zipmap_length(value.size()) + static_cast<char>(unused) + value + OwnedBytes(unused, '?');
  }
  return blob + "\xff";
}

bool valid_zipmap(Bytes blob) {
  Block copy(blob);
  return ZipmapReader(copy.view()).valid();
}

PairModel read_all(ZipmapReader& reader) {
  PairModel all;
  Bytes field, value;
  while (reader.next(field, value)) all.emplace_back(field, value);
  return all;
}

TEST(Zipmap, ReadsTheExampleOfRedissOwnDescription) {
  Block blob(
      Bytes("\x02\x03"
            "foo\x03\x00"
            "bar\x05"
            "hello\x05\x00"
            "world\xff",
            24));
  ZipmapReader reader(blob.view());
  ASSERT_TRUE(reader.valid());
  EXPECT_EQ(read_all(reader), (PairModel{{"foo", "bar"}, {"hello", "world"}}));
}

TEST(Zipmap, ReadsLongStringsUnusedBytesAndManyPairs) {
  PairModel pairs = {{"", ""}, {OwnedBytes(253, 'f'), OwnedBytes(254, 'v')}, {OwnedBytes(70000, 'g'), "\xff"}};
  for (size_t unused : {0, 4, 255}) {
    Block blob(make_zipmap(pairs, unused));
    ZipmapReader reader(blob.view());
    ASSERT_TRUE(reader.valid());
    EXPECT_EQ(read_all(reader), pairs);
  }
  PairModel many;
  for (int i = 0; i < 1000; i++) many.emplace_back(std::to_string(i), "v");
  OwnedBytes blob = make_zipmap(many);
  ZipmapReader reader(blob);
  EXPECT_TRUE(reader.valid());
  EXPECT_EQ(reader.count(), 1000u);
}

TEST(Zipmap, RefusesEachKindOfDamage) {
  OwnedBytes good = make_zipmap({{"foo", "bar"}, {"a", "b"}});
  ASSERT_TRUE(valid_zipmap(good));
  auto with = [&](size_t at, char byte) {
    OwnedBytes bad = good;
    bad[at] = byte;
    return bad;
  };
  EXPECT_FALSE(valid_zipmap(""));
  EXPECT_FALSE(valid_zipmap("\xff"));
  EXPECT_FALSE(valid_zipmap(Bytes("\0\xff", 2)));  // no pair
  EXPECT_FALSE(valid_zipmap(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(valid_zipmap(with(0, 3)));       // count
  EXPECT_FALSE(valid_zipmap(with(1, 100)));     // field leaves the blob
  EXPECT_FALSE(valid_zipmap(with(1, '\xfe')));  // field of gigabytes
  EXPECT_FALSE(valid_zipmap(with(1, '\xff')));  // an end mark in the middle
  EXPECT_FALSE(valid_zipmap(with(6, 100)));     // unused bytes leave the blob
  EXPECT_FALSE(valid_zipmap(with(5, 14)));
  EXPECT_FALSE(valid_zipmap(good.substr(0, 5) + "\xff"));  // a field without a value
}

TEST(Zipmap, NeverReadsOutsideOfAHostileBlob) {
  Seeded seeded;
  int accepted = 0;
  for (int i = 0; i < 20000; i++) {
    PairModel pairs;
    for (uint64_t n = 1 + seeded.below(4); n > 0; n--) pairs.emplace_back(seeded.bytes(seeded.below(9)), seeded.bytes(seeded.below(9)));
    OwnedBytes blob = make_zipmap(pairs, seeded.below(4));
    blob[seeded.below(blob.size())] = static_cast<char>(seeded.next());
    Block exact(blob);
    ZipmapReader reader(exact.view());
    if (!reader.valid()) continue;
    accepted++;
    ASSERT_EQ(read_all(reader).size(), reader.count());
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_LT(accepted, 19000);
}

}  // namespace
}  // namespace ringwood
