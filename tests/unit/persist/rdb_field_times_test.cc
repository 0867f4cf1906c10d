// Hashes whose fields expire: RDB types 22 to 25.
#include <gtest/gtest.h>

#include <map>

#include "engine/store/hash.h"
#include "tests/support/seed.h"
#include "tests/unit/persist/rdb_support.h"

namespace ringwood {
namespace {

using namespace std::string_literals;

constexpr int64_t kFirst = 1893456000000, kSecond = kFirst + 1000;  // 2030-01-01 00:00:00 UTC
const OwnedBytes kFirstBytes = from_hex("00b4c5dab8010000");
// Fields a, b, c with values 1x, 2x, 3x; the times above for a and b, none for c. Written by hand, after listpack.md.
const OwnedBytes kBlob = from_hex("32000000090081610282317803f400b4c5dab80100000981620282327803f4e8b7c5dab801000009816302823378030001ff");

OwnedBytes str(const OwnedBytes& s) { return OwnedBytes(1, static_cast<char>(s.size())) + s; }
OwnedBytes pair(const OwnedBytes& time, const char* field, const char* value) { return time + str(field) + str(value); }
OwnedBytes file(int type, const OwnedBytes& value, const char* version = "0012") {
  return with_checksum("REDIS" + OwnedBytes(version) + OwnedBytes(1, static_cast<char>(type)) + str("k") + value + "\xff");
}
// A time as a length of 64 bits.
OwnedBytes length64(uint64_t n) {
  char b[9] = {'\x81'};
  store<uint64_t>(b + 1, __builtin_bswap64(n));
  return OwnedBytes(b, 9);
}
OwnedBytes i64(int64_t n) {
  char b[8];
  store<int64_t>(b, n);
  return OwnedBytes(b, 8);
}

const OwnedBytes kMetadataPreGa = "\x03" + pair(length64(kFirst), "a", "1x") + pair(length64(kSecond), "b", "2x") + pair("\0"s, "c", "3x");
const OwnedBytes kMetadata = kFirstBytes + "\x03" + pair("\x01", "a", "1x") + pair("\x43\xe9"s, "b", "2x") + pair("\0"s, "c", "3x");

struct Field {
  std::string value;
  int64_t when;
  bool operator==(const Field& o) const { return value == o.value && when == o.when; }
};
std::map<std::string, Field> content(const Entry* e) {
  std::map<std::string, Field> m;
  hash::for_each_with_time(e->object(), [&](const hash::Element& f, const hash::Element& v, int64_t when) {
    EXPECT_TRUE(m.emplace(f.to_string(), Field{v.to_string(), when}).second);
  });
  return m;
}
const std::map<std::string, Field> kContent = {{"a", {"1x", kFirst}}, {"b", {"2x", kSecond}}, {"c", {"3x", 0}}};

OwnedBytes error_of(const OwnedBytes& image) {
  DataSet data;
  return read_image(image, data);
}

TEST(RdbFieldTimes, AllFourFormsAreRead) {
  const std::map<int, OwnedBytes> forms = {{22, kMetadataPreGa}, {23, str(kBlob)}, {24, kMetadata}, {25, kFirstBytes + str(kBlob)}};
  for (const auto& [type, value] : forms)
    for (size_t piece : {size_t{0}, size_t{1}, size_t{7}})
      for (size_t most : {size_t{128}, size_t{2}}) {
        DataSet data;
        Limits limits;
        limits.hash_max_listpack_entries = most;
        ASSERT_EQ("", read_image(file(type, value), data, piece, limits)) << type;
        const Entry* e = data.find(0, "k");
        ASSERT_NE(e, nullptr);
        EXPECT_EQ(content(e), kContent) << type;
        EXPECT_EQ(e->encoding(), most == 2 ? Encoding::kVolatileTable : Encoding::kListpackEx) << type;
        EXPECT_EQ(data.shards[0]->database(0).hashes_with_times(), 1u);
        EXPECT_EQ(data.shards[0]->field_expiry.size(), 1u);
      }
}

TEST(RdbFieldTimes, TheFinalFormsAreWrittenByteForByte) {
  DataSet data;
  ASSERT_EQ("", read_image(file(22, kMetadataPreGa), data));
  const Entry* e = data.find(0, "k");
  OutBuffer small;
  EXPECT_EQ(25, rdb::value_type_of(*e, {12, false}));
  rdb::put_value(small, *e, {12, false});
  EXPECT_EQ(OwnedBytes(small.view()), kFirstBytes + str(kBlob));

  DataSet one;
  Limits limits;
  limits.hash_max_listpack_entries = 0;
  ASSERT_EQ("", read_image(file(24, kFirstBytes + "\x01" + pair("\x01", "a", "1x")), one, 0, limits));
  OutBuffer large;
  EXPECT_EQ(24, rdb::value_type_of(*one.find(0, "k"), {12, false}));
  rdb::put_value(large, *one.find(0, "k"), {12, false});
  EXPECT_EQ(OwnedBytes(large.view()), kFirstBytes + "\x01" + pair("\x01", "a", "1x"));
}

TEST(RdbFieldTimes, AFileThatHoldsThemIsOfVersionTwelveWhateverWasAskedFor) {
  for (int version : {9, 10, 11, 12}) {
    DataSet data(2), copy(3);
    ASSERT_EQ("", read_image(file(24, kMetadata), data));
    SnapshotInfo info;
    info.write.version = version;
    OwnedBytes image = data.image(info);
    EXPECT_EQ("REDIS0012", image.substr(0, 9));
    ASSERT_EQ("", read_image(image, copy));
    EXPECT_EQ(data.digest(), copy.digest());
    EXPECT_EQ(content(copy.find(0, "k")), kContent);

    OutBuffer payload;
    make_dump(payload, *data.find(0, "k"), info.write);
    EXPECT_EQ(12, load<uint16_t>(payload.view().data() + payload.size() - 10));
    EntryOwner restored;
    ASSERT_EQ(RestoreStatus::kRestored, restore_dump(payload.view(), "k", false, {}, restored.entry));
    EXPECT_EQ(content(restored.entry), kContent);

    // Without a time it is a hash like any other, in whatever encoding it stands.
    Entry* e = data.find(0, "k");
    hash::set_time(e->object(), "a", 0);
    hash::set_time(e->object(), "b", 0);
    data.shards[static_cast<size_t>(data.mapping.shard(key_slot("k")))]->database(0).field_times_changed(e);
    EXPECT_EQ(e->encoding(), Encoding::kListpackEx);
    image = data.image(info);
    EXPECT_EQ("REDIS00" + OwnedBytes(version < 10 ? "09" : std::to_string(version)), image.substr(0, 9));
    DataSet plain;
    ASSERT_EQ("", read_image(image, plain));
    EXPECT_EQ(plain.find(0, "k")->encoding(), Encoding::kListpack);
    EXPECT_EQ(data.digest(), plain.digest());
  }
}

TEST(RdbFieldTimes, AnyHashComesBackAsItWas) {
  Seeded seeded;
  Limits limits;
  for (int round = 0; round < 60; round++) {
    Object o = hash::create();
    for (uint64_t n = 1 + seeded.below(round % 3 ? 20 : 400); n--;) {
      std::string f = "f" + std::to_string(n);
      hash::set(o, f, seeded.bytes(seeded.below(round % 2 ? 30 : 200)), limits);
      if (seeded.chance(50)) hash::set_time(o, f, 1 + static_cast<int64_t>(seeded.below(kMaxFieldTimeMs)));
    }
    EntryOwner e{Entry::make_object("k", Type::kHash, o, false)}, back;
    OutBuffer payload;
    make_dump(payload, *e.entry, {12, seeded.chance(50)});
    ASSERT_EQ(RestoreStatus::kRestored, restore_dump(ExactCopy(payload.view()).view(), "k", false, {}, back.entry));
    EXPECT_EQ(content(e.entry), content(back.entry));
  }
}

TEST(RdbFieldTimes, WhatIsNotInOrderIsPutInOrderAndWhatHasNoTimesIsPlain) {
  // b before a
  OwnedBytes turned = from_hex(
      "320000000900"
      "81620282327803f4e8b7c5dab801000009"
      "81610282317803f400b4c5dab801000009"
      "816302823378030001ff");
  DataSet data;
  ASSERT_EQ("", read_image(file(25, kFirstBytes + str(turned)), data));
  EXPECT_EQ(content(data.find(0, "k")), kContent);
  EXPECT_EQ(listpack::blob(volatile_hash::lp(data.find(0, "k")->object())), kBlob);

  OwnedBytes timeless = from_hex("100000000300816302823378030001ff");
  for (const OwnedBytes& value : {i64(0) + str(timeless), i64(int64_t{1} << 48) + str(timeless)}) {
    DataSet plain;
    ASSERT_EQ("", read_image(file(25, value), plain));
    EXPECT_EQ(plain.find(0, "k")->encoding(), Encoding::kListpack);
    EXPECT_EQ(content(plain.find(0, "k")), (std::map<std::string, Field>{{"c", {"3x", 0}}}));
  }
  for (const OwnedBytes& none : {i64(0) + str(from_hex("070000000000ff"))}) {
    DataSet empty;
    ASSERT_EQ("", read_image(file(25, none), empty));
    EXPECT_EQ(empty.size(), 0u);
  }
}

TEST(RdbFieldTimes, DamageIsRefusedAndNamed) {
  const OwnedBytes no_time = ", integrity check failed: the time of a field is none";
  EXPECT_EQ("offset 9: unknown opcode or value type 22", error_of(file(22, kMetadataPreGa, "0011")));
  EXPECT_EQ("offset 9: unknown opcode or value type 25", error_of(file(25, kFirstBytes + str(kBlob), "0011")));
  EXPECT_EQ("offset 12: key \"k\", HASH_LISTPACK_EX, integrity check failed: the listpack is damaged",
            error_of(file(25, kFirstBytes + str("nonsense"))));
  EXPECT_EQ("offset 12: key \"k\", HASH_LISTPACK_EX, integrity check failed: the earliest time of the fields is none",
            error_of(file(25, i64(-1) + str(kBlob))));
  EXPECT_EQ("offset 12: key \"k\", HASH_LISTPACK_EX, integrity check failed: a number of elements that is no multiple of three",
            error_of(file(25, kFirstBytes + str(from_hex("0e00000002008163028233780"
                                                         "3ff")))));
  OwnedBytes twice = kBlob;
  twice[7 + 17] = 'a';
  EXPECT_EQ("offset 12: key \"k\", HASH_LISTPACK_EX_PRE_GA, integrity check failed: a field stands there twice",
            error_of(file(23, str(twice))));
  // A time that is a string, one below zero, one beyond the last.
  EXPECT_EQ("offset 12: key \"k\", HASH_LISTPACK_EX" + no_time,
            error_of(file(25, kFirstBytes + str(from_hex("1100000003008163028233780381780"
                                                         "2ff")))));
  EXPECT_EQ("offset 12: key \"k\", HASH_LISTPACK_EX" + no_time, error_of(file(25, kFirstBytes + str(from_hex("110000000300816302823378"
                                                                                                             "03dfff02ff")))));
  OwnedBytes late = kBlob;
  late[6 + 3 + 4 + 1 + 6] = '\x7f';
  EXPECT_EQ("offset 12: key \"k\", HASH_LISTPACK_EX_PRE_GA" + no_time, error_of(file(23, str(late))));
  EXPECT_EQ("offset 13: key \"k\", HASH_METADATA_PRE_GA" + no_time,
            error_of(file(22, "\x01" + pair(length64(uint64_t{1} << 46), "a", "1"))));
  EXPECT_EQ("offset 21: key \"k\", HASH_METADATA" + no_time,
            error_of(file(24, kFirstBytes + "\x01" + pair(length64(UINT64_MAX), "a", "1"))));
  EXPECT_EQ("offset 21: key \"k\", HASH_METADATA" + no_time,
            error_of(file(24, kFirstBytes + "\x01" + pair(length64(kMaxFieldTimeMs), "a", "1"))));
  EXPECT_EQ("offset 21: key \"k\", HASH_METADATA" + no_time, error_of(file(24, i64(0) + "\x01" + pair("\x01", "a", "1"))));
  EXPECT_EQ("offset 12: key \"k\", HASH_METADATA, integrity check failed: the earliest time of the fields is none",
            error_of(file(24, i64(-1) + "\x01" + pair("\x01", "a", "1"))));
  EXPECT_EQ("offset 26: key \"k\", HASH_METADATA, integrity check failed: a field stands there twice",
            error_of(file(24, kFirstBytes + "\x02" + pair("\x01", "a", "1") + pair("\x01", "a", "1"))));
}

TEST(RdbFieldTimes, AFileThatEndsEarlyIsRefused) {
  for (const auto& [type, value] : std::map<int, OwnedBytes>{{24, kMetadata}, {25, kFirstBytes + str(kBlob)}}) {
    OwnedBytes whole = file(type, value);
    for (size_t n = 0; n < whole.size(); n++) EXPECT_NE("", error_of(whole.substr(0, n))) << type << " " << n;
  }
}

TEST(RdbFieldTimes, RandomDamageIsSurvived) {
  Seeded seeded;
  for (int round = 0; round < 4000; round++) {
    OwnedBytes value = seeded.chance(50) ? "\x18" + kMetadata : "\x19" + kFirstBytes + str(kBlob);
    for (uint64_t n = 1 + seeded.below(3); n--;) value[1 + seeded.below(value.size() - 1)] = static_cast<char>(seeded.next());
    ExactCopy payload(with_checksum(value + "\x0c\0"s));
    EntryOwner e;
    if (restore_dump(payload.view(), "k", false, {}, e.entry) == RestoreStatus::kRestored) value_digest(*e.entry);
  }
}

}  // namespace
}  // namespace ringwood
