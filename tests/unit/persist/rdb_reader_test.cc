#include "persist/rdb_reader.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/store/hash.h"
#include "engine/store/list.h"
#include "engine/store/set.h"
#include "engine/store/zset.h"
#include "tests/support/seed.h"
#include "tests/unit/persist/rdb_support.h"
#include "tests/unit/persist/redis7_payloads.h"

namespace ringwood {
namespace {

using namespace std::string_literals;
using State = rdb::RdbReader::State;
const Limits kLimits;

OwnedBytes text(const Entry* e) {
  char room[24];
  return OwnedBytes(e->string_view(room));
}

// Every element with a space behind it, in the order in which it stands there.
OwnedBytes joined(const Entry* e) {
  OwnedBytes out;
  auto add = [&](const listpack::Value& v) { out += v.to_string() + " "; };
  if (e->type() == Type::kList) list::for_each(e->object(), add);
  if (e->type() == Type::kSet) set::for_each(e->object(), add);
  if (e->type() == Type::kHash)
    hash::for_each(e->object(), kBeforeAllTime, [&](const listpack::Value& f, const listpack::Value& v) { add(f), add(v); });
  if (e->type() == Type::kZSet)
    zset::for_each(e->object(), [&](const listpack::Value& m, double score) {
      add(m);
      out += std::to_string(static_cast<int>(score)) + " ";
    });
  return out;
}

OwnedBytes listpack_of(std::initializer_list<Bytes> elements) {
  uint8_t* lp = listpack::create();
  for (Bytes e : elements) listpack::append(lp, e);
  OwnedBytes blob(listpack::blob(lp));
  listpack::release(lp);
  return blob;
}
// A string of fewer than 64 bytes as it stands in a file.
OwnedBytes str(const OwnedBytes& s) { return OwnedBytes(1, static_cast<char>(s.size())) + s; }
OwnedBytes version11(const OwnedBytes& parts) { return with_checksum("REDIS0011" + parts + "\xff"); }
// One key "k" of a type.
OwnedBytes key_file(int type, const OwnedBytes& value) { return version11(OwnedBytes(1, static_cast<char>(type)) + str("k") + value); }

OwnedBytes error_of(const OwnedBytes& file) {
  DataSet data;
  return read_image(file, data);
}

TEST(RdbReader, LoadsWhatRedis7Saved) {
  for (int shards : {1, 3}) {
    DataSet data(shards);
    ASSERT_EQ("", read_image(from_hex(redis7::kFile), data));
    EXPECT_EQ(redis7::kFileDigest, data.digest());
    EXPECT_EQ(static_cast<size_t>(redis7::kFileKeys), data.size());
    EXPECT_EQ(4102444800000, data.find(0, "embstr")->expiry_ms());
    EXPECT_EQ(-1, data.find(0, "raw")->expiry_ms());
    EXPECT_EQ("1", text(data.find(3, "other-db")));
    ASSERT_EQ(1u, data.functions.size());
    EXPECT_EQ(0u, data.functions[0].find("#!lua name=mylib"));
    ASSERT_FALSE(data.aux.empty());
    EXPECT_EQ("redis-ver=7.0.15", data.aux[0]);
    ASSERT_EQ(2u, data.hints.size());
    EXPECT_EQ("0:21,1", data.hints[0]);
    EXPECT_EQ("3:2,0", data.hints[1]);
  }
}

TEST(RdbReader, GivesTheSameInPiecesOfAnySize) {
  OwnedBytes file = from_hex(redis7::kFile);
  for (size_t piece : {1, 2, 3, 7, 64, 1000}) {
    DataSet data;
    ASSERT_EQ("", read_image(file, data, piece)) << piece;
    EXPECT_EQ(redis7::kFileDigest, data.digest()) << piece;
  }
}

TEST(RdbReader, RefusesAFileThatEndsAnywhereBeforeItsEnd) {
  OwnedBytes file = from_hex(redis7::kFile);
  for (size_t n = 0; n < file.size(); n++) {
    DataSet data;
    OwnedBytes error = read_image(Bytes(file).substr(0, n), data);
    ASSERT_EQ("offset " + std::to_string(n) + ": ", error.substr(0, error.find(": ") + 2)) << n;
    ASSERT_NE(OwnedBytes::npos, error.find("ends here")) << error;
  }
}

TEST(RdbReader, FindsEveryChangedByte) {
  OwnedBytes file = from_hex(redis7::kFile);
  Seeded random;
  for (size_t at = 0; at < file.size(); at++) {
    OwnedBytes damaged = file;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 + random.below(255)));
    DataSet data;
    OwnedBytes error = read_image(damaged, data);
    // A checksum of zero would mean that there is none; eight bytes of one change cannot become that.
    ASSERT_EQ(0u, error.find("offset ")) << at;
  }
}

TEST(RdbReader, SurvivesRandomDamageWithoutAChecksum) {
  Seeded random;
  OwnedBytes file = from_hex(redis7::kFile);
  file.replace(file.size() - 8, 8, 8, '\0');
  for (int round = 0; round < 4000; round++) {
    OwnedBytes damaged = file;
    for (uint64_t n = 1 + random.below(4); n--;) {
      size_t at = random.below(damaged.size());
      switch (random.below(4)) {
        case 0: damaged[at] = static_cast<char>(random.next()); break;
        case 1: damaged.erase(at, 1 + random.below(9)); break;
        case 2: damaged.insert(at, random.bytes(1 + random.below(9))); break;
        default: damaged[at] = static_cast<char>(random.chance(50) ? 0xff : 0x81); break;
      }
    }
    DataSet data;
    OwnedBytes error = read_image(damaged, data, round % 3 ? 0 : 1 + random.below(100));
    if (error.empty()) data.digest();  // what was accepted can be walked
  }
}

TEST(RdbReader, ReadsTheOldestVersions) {
  // Version 1 has neither checksum nor milliseconds: an expiry in seconds, a list, a set, a hash, scores as text.
  OwnedBytes file = "REDIS0001\xfe\x02"s + "\xfd\x80\x99\x86\x74"s + "\x00"s + str("s") + str("value")                     //
                    + "\x01"s + str("l") + "\x02"s + str("a") + "\xc0\x05"s                                                //
                    + "\x02"s + str("set") + "\x01"s + str("m")                                                            //
                    + "\x03"s + str("z") + "\x03"s + str("high") + "\xfe"s + str("one") + str("1") + str("low") + "\xff"s  //
                    + "\x04"s + str("h") + "\x01"s + str("f") + str("v") + "\xff"s;
  DataSet data;
  ASSERT_EQ("", read_image(file, data, 1));
  ASSERT_EQ(5u, data.size());
  EXPECT_EQ("value", text(data.find(2, "s")));
  EXPECT_EQ(int64_t{0x74869980} * 1000, data.find(2, "s")->expiry_ms());
  EXPECT_EQ("a 5 ", joined(data.find(2, "l")));
  EXPECT_EQ("m ", joined(data.find(2, "set")));
  EXPECT_EQ("f v ", joined(data.find(2, "h")));
  double score;
  ASSERT_TRUE(zset::score(data.find(2, "z")->object(), "high", score));
  EXPECT_EQ(INFINITY, score);
  ASSERT_TRUE(zset::score(data.find(2, "z")->object(), "low", score));
  EXPECT_EQ(-INFINITY, score);
}

TEST(RdbReader, ReadsZiplistsZipmapsAndOldQuicklists) {
  // ziplist of "a", 2 ("a" is a string of one byte, 2 an immediate)
  OwnedBytes zl = "\x10\x00\x00\x00\x0d\x00\x00\x00\x02\x00\x00\x01\x61\x03\xf3\xff"s;
  OwnedBytes zipmap = "\x01\x01"s + "f" + "\x01\x00"s + "v" + "\xff";
  DataSet data;
  OwnedBytes file = "REDIS0006\xfe\x00"s + "\x09" + str("zipmap") + str(zipmap) + "\x0a" + str("list") + str(zl) + "\x0c" + str("zset") +
                    str(zl)  //
                    + "\x0d" + str("hash") + str(zl) + "\x0e" + str("quick") + "\x02" + str(zl) + str(zl) + "\xff";
  ASSERT_EQ("", read_image(with_checksum(file), data));
  EXPECT_EQ("f v ", joined(data.find(0, "zipmap")));
  EXPECT_EQ("a 2 ", joined(data.find(0, "list")));
  EXPECT_EQ("a 2 ", joined(data.find(0, "zset")));
  EXPECT_EQ("a 2 ", joined(data.find(0, "hash")));
  EXPECT_EQ("a 2 a 2 ", joined(data.find(0, "quick")));
  for (const char* key : {"zipmap", "zset", "hash"}) EXPECT_EQ(Encoding::kListpack, data.find(0, key)->encoding()) << key;
}

TEST(RdbReader, AppliesTheLimitsThatAreConfiguredNow) {
  Limits small;
  small.hash_max_listpack_entries = 1;
  small.zset_max_listpack_entries = 1;
  small.set_max_listpack_entries = 1;
  small.set_max_intset_entries = 1;
  OwnedBytes pairs = listpack_of({"a", "1", "b", "2"});
  OwnedBytes file = version11("\x10" + str("h") + str(pairs) + "\x11" + str("z") + str(pairs) + "\x14" + str("s") + str(pairs) + "\x0b" +
                              str("i") + str("\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x02\x00"s));
  DataSet data, converted;
  ASSERT_EQ("", read_image(file, data));
  ASSERT_EQ("", read_image(file, converted, 0, small));
  EXPECT_EQ(data.digest(), converted.digest());
  EXPECT_EQ(Encoding::kListpack, data.find(0, "h")->encoding());
  EXPECT_EQ(Encoding::kListpack, data.find(0, "z")->encoding());
  EXPECT_EQ(Encoding::kListpack, data.find(0, "s")->encoding());
  EXPECT_EQ(Encoding::kIntset, data.find(0, "i")->encoding());
  EXPECT_EQ(Encoding::kHashtable, converted.find(0, "h")->encoding());
  EXPECT_EQ(Encoding::kSkiplist, converted.find(0, "z")->encoding());
  EXPECT_EQ(Encoding::kHashtable, converted.find(0, "s")->encoding());
  EXPECT_EQ(Encoding::kHashtable, converted.find(0, "i")->encoding());
}

TEST(RdbReader, KeepsAgeAndFrequencyForTheKeyThatFollows) {
  DataSet data;
  ASSERT_EQ("", read_image(version11("\xf8\x40\x64\x00"s + str("a") + str("x") + "\xf9\xc8\x00"s + str("b") + str("x") + "\x00"s +
                                     str("c") + str("x")),
                           data));
  EXPECT_EQ((std::vector<int64_t>{100, -1, -1}), data.idle);
  EXPECT_EQ((std::vector<int>{-1, 200, -1}), data.frequency);
}

TEST(RdbReader, PassesOverEmptyCollectionsAndHints) {
  DataSet data;
  rdb::RdbReader reader(kLimits, {}, data);
  OwnedBytes file = version11("\xf4\x01\x02\x03"s + "\x02" + str("set") + "\x00"s + "\x12" + str("list") + "\x00"s + "\x10" + str("hash") +
                              str(listpack_of({})) + "\x00"s + str("k") + str("v"));
  EXPECT_EQ(State::kEnd, reader.feed(file)) << reader.error();
  EXPECT_EQ(3u, reader.empty_keys());
  EXPECT_EQ(1u, data.size());
}

TEST(RdbReader, GivesBackWhatStandsBehindTheEnd) {
  DataSet data;
  rdb::RdbReader reader(kLimits, {}, data);
  EXPECT_EQ(State::kEnd, reader.feed(version11("") + "*1\r\n"));
  EXPECT_EQ(State::kEnd, reader.feed("PING"));
  EXPECT_EQ("*1\r\nPING", reader.rest());
  EXPECT_EQ(18u, reader.offset());
}

TEST(RdbReader, SortsAListpackThatIsNotInOrder) {
  DataSet data;
  ASSERT_EQ("", read_image(key_file(17, str(listpack_of({"b", "2", "a", "1"}))), data));
  EXPECT_EQ("a 1 b 2 ", joined(data.find(0, "k")));
}

TEST(RdbReader, WritesIntegersInAListpackAsIntegers) {
  // One element "7" as a string, which Redis itself never writes.
  OwnedBytes odd = "\x0a\x00\x00\x00\x01\x00\x81\x37\x02\xff"s;
  DataSet data;
  ASSERT_EQ("", read_image(key_file(20, str(odd)), data));
  EXPECT_TRUE(set::contains(data.find(0, "k")->object(), "7"));
}

TEST(RdbReader, SeesWhatStandsTwiceAtTheEndOfALargeValue) {
  const OwnedBytes many{"\x80\x00\x00\xea\x61", 5};  // a length of 60,001
  OwnedBytes members, pairs;
  for (int i = 0; i < 60000; i++) {
    members += str("member " + std::to_string(i));
    pairs += str("field " + std::to_string(i)) + str("v");
  }
  DataSet data;
  EXPECT_EQ("", read_image(key_file(2, many + members + str("another")), data));
  const OwnedBytes twice = error_of(key_file(2, many + members + str("member 59998"))),
                   field = error_of(key_file(4, many + pairs + str("field 3") + str("v")));
  EXPECT_NE(OwnedBytes::npos, twice.find("key \"k\", SET, integrity check failed: a member stands there twice")) << twice;
  EXPECT_NE(OwnedBytes::npos, field.find("key \"k\", HASH, integrity check failed: a field stands there twice")) << field;
}

TEST(RdbReader, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ("offset 0: not an RDB file: it does not begin with REDIS", error_of("REDIX0011\xff"));
  EXPECT_EQ("offset 0: not an RDB file: no version behind REDIS", error_of("REDISx011\xff"));
  EXPECT_EQ("offset 0: RDB version 13 is not known here: 1 to 12 can be loaded", error_of("REDIS0013\xff"));
  EXPECT_EQ("offset 0: RDB version 0 is not known here: 1 to 12 can be loaded", error_of("REDIS0000\xff"));
  EXPECT_EQ("offset 9: unknown opcode or value type 100", error_of(version11("d")));
  EXPECT_EQ("offset 9: database 16 is beyond the 16 that are configured (databases)", error_of(version11("\xfe\x10")));
  EXPECT_EQ("offset 9: unknown opcode or value type 24", error_of(key_file(24, "")));  // version 11 has no fields that expire
  EXPECT_EQ("offset 9: key \"k\" holds a value of a module (type 7, MODULE_2, RDB version 11), which cannot be loaded",
            error_of(key_file(7, "")));
  EXPECT_EQ("offset 15: key \"k\", SET, integrity check failed: a member stands there twice",
            error_of(key_file(2, "\x02" + str("a") + str("a"))));
  EXPECT_EQ("offset 12: key \"k\", SET_LISTPACK, integrity check failed: a member stands there twice",
            error_of(key_file(20, str(listpack_of({"1", "a", "1"})))));
  EXPECT_EQ("offset 12: key \"k\", HASH_LISTPACK, integrity check failed: a field stands there twice",
            error_of(key_file(16, str(listpack_of({"a", "1", "a", "2"})))));
  EXPECT_EQ("offset 12: key \"k\", HASH_LISTPACK, integrity check failed: an odd number of elements where pairs belong",
            error_of(key_file(16, str(listpack_of({"a"})))));
  EXPECT_EQ("offset 12: key \"k\", ZSET_LISTPACK, integrity check failed: a score is not a number",
            error_of(key_file(17, str(listpack_of({"a", "nan"})))));
  EXPECT_EQ("offset 12: key \"k\", SET_LISTPACK, integrity check failed: the listpack is damaged", error_of(key_file(20, str("nonsense"))));
  EXPECT_EQ("offset 12: key \"k\", STRING, integrity check failed: unknown string encoding 5", error_of(key_file(0, "\xc5")));
  EXPECT_EQ("offset 13: key \"k\", ZSET_2, integrity check failed: a score is not a number",
            error_of(key_file(5, "\x01" + str("m") + "\x00\x00\x00\x00\x00\x00\xf8\x7f"s)));
  EXPECT_EQ("offset 13: key \"k\", LIST_QUICKLIST_2, integrity check failed: an unknown kind of list node",
            error_of(key_file(18, "\x01\x03" + str("m"))));
  OwnedBytes file = key_file(0, str("v"));
  file.back() = static_cast<char>(file.back() + 1);
  EXPECT_EQ("offset 15: CRC error, the checksum does not match: the file is damaged", error_of(file));
}

TEST(RdbReader, AllocatesNothingForALengthThatIsALie) {
  for (const OwnedBytes& value : {"\x81\x00\x00\x00\x00\xf0\x00\x00\x00"s, "\x80\xff\xff\xf0\x00"s}) {
    for (int type : {0, 1, 2, 4, 5, 11, 16, 18}) {
      DataSet data;
      size_t before = memory::used();
      rdb::RdbReader reader(kLimits, {}, data);
      reader.feed("REDIS0011" + OwnedBytes(1, static_cast<char>(type)) + str("k") + value + "abc");
      EXPECT_LT(memory::used() - before, size_t{1} << 18) << type;
    }
  }
  // 60 bytes that claim to unpack to 4 GB
  EXPECT_EQ("offset 12: key \"k\", STRING, integrity check failed: impossible sizes of a compressed string",
            error_of(key_file(0, "\xc3\x3c\x80\xff\xff\x00\x00"s + OwnedBytes(60, 'x'))));
}

}  // namespace
}  // namespace ringwood
