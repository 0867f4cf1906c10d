#include "persist/dump.h"

#include <gtest/gtest.h>

#include "engine/base/crc.h"
#include "tests/support/seed.h"
#include "tests/unit/persist/rdb_support.h"
#include "tests/unit/persist/redis7_payloads.h"

namespace ringwood {
namespace {

OwnedBytes dump(const Entry& e, const rdb::WriteOptions& options) {
  OutBuffer out;
  out.append("before");  // a payload's checksum covers the payload alone
  make_dump(out, e, options);
  return OwnedBytes(out.view().substr(6));
}

TEST(Dump, RestoresWhatRedis7Dumped) {
  for (const redis7::Payload& p : redis7::kPayloads) {
    EntryOwner e;
    ASSERT_EQ(RestoreStatus::kRestored, restore_dump(from_hex(p.hex), "key", false, {}, e.entry)) << p.name;
    EXPECT_EQ(p.digest, digest_text(value_digest(*e.entry))) << p.name;
    EXPECT_EQ("key", e.entry->key());
  }
}

TEST(Dump, IsByteForByteThatOfRedis7) {
  int compared = 0;
  for (const redis7::Payload& p : redis7::kPayloads) {
    Bytes name = p.name;
    // LZF leaves the choice of matches open; tables have another order.
    bool stream = name.starts_with("stream");  // dumped without compression
    if (!stream && (from_hex(p.hex).find('\xc3') != OwnedBytes::npos || name == "hash-table" || name == "set-small")) continue;
    compared++;
    Limits limits;
    if (name == "zset-skiplist") limits.zset_max_listpack_entries = 2;
    if (name == "list-nodes") limits.list_max_listpack_size = 3;
    EntryOwner e;
    ASSERT_EQ(RestoreStatus::kRestored, restore_dump(from_hex(p.hex), "key", false, limits, e.entry)) << p.name;
    rdb::WriteOptions options;
    if (stream) options.compress = false;
    EXPECT_EQ(from_hex(p.hex), dump(*e.entry, options)) << p.name;
  }
  EXPECT_GE(compared, 12);
}

TEST(Dump, RoundTripsAtEveryVersion) {
  for (int version = rdb::kMinWriteVersion; version <= rdb::kMaxWriteVersion; version++) {
    for (bool compress : {false, true}) {
      for (const redis7::Payload& p : redis7::kPayloads) {
        EntryOwner first, second;
        ASSERT_EQ(RestoreStatus::kRestored, restore_dump(from_hex(p.hex), "key", false, {}, first.entry));
        OwnedBytes payload = dump(*first.entry, {version, compress});
        EXPECT_EQ(version, load<uint16_t>(payload.data() + payload.size() - 10));
        ASSERT_EQ(RestoreStatus::kRestored, restore_dump(payload, "key", false, {}, second.entry)) << p.name << " at " << version;
        EXPECT_EQ(p.digest, digest_text(value_digest(*second.entry))) << p.name << " at " << version;
        // A plain list says nothing of its nodes.
        if (version > 9 || first.entry->type() != Type::kList) {
          EXPECT_EQ(first.entry->encoding(), second.entry->encoding()) << p.name << " at " << version;
        }
      }
    }
  }
}

TEST(Dump, WritesNoTypeThatItsVersionDoesNotKnow) {
  struct {
    const char* name;
    int at9, at10, at11;
  } expected[] = {{"set-small", 2, 2, 20},      {"list-listpack", 1, 18, 18}, {"hash-listpack", 4, 16, 16},
                  {"zset-listpack", 5, 17, 17}, {"set-intset", 11, 11, 11},   {"stream", 15, 19, 21}};
  for (const auto& x : expected)
    for (const redis7::Payload& p : redis7::kPayloads) {
      if (Bytes(x.name) != p.name) continue;
      EntryOwner e;
      ASSERT_EQ(RestoreStatus::kRestored, restore_dump(from_hex(p.hex), "key", false, {}, e.entry));
      EXPECT_EQ(x.at9, dump(*e.entry, {9, true})[0]) << x.name;
      EXPECT_EQ(x.at10, dump(*e.entry, {10, true})[0]) << x.name;
      EXPECT_EQ(x.at11, dump(*e.entry, {11, true})[0]) << x.name;
    }
}

TEST(Dump, RefusesAWrongFooter) {
  OwnedBytes good = from_hex(redis7::kPayloads[0].hex);
  Entry* e;
  for (size_t n = 0; n < good.size(); n++) {
    OwnedBytes bad = good;
    bad[n] = static_cast<char>(bad[n] ^ 1);
    EXPECT_EQ(RestoreStatus::kBadFooter, restore_dump(bad, "k", false, {}, e)) << n;
    EXPECT_EQ(RestoreStatus::kBadFooter, restore_dump(Bytes(good).substr(0, n), "k", false, {}, e)) << n;
  }
}

// A payload with a right checksum whatever stands in it.
OwnedBytes sealed(OwnedBytes value) {
  value.append("\x0a\x00", 2);
  return with_checksum(value);
}

TEST(Dump, TakesAnyChecksumWhereItIsNotVerifiedAndStillLooksAtTheValue) {
  OwnedBytes good = from_hex(redis7::kPayloads[0].hex);
  good.back() = static_cast<char>(good.back() ^ 1);
  EntryOwner e;
  EXPECT_EQ(RestoreStatus::kBadFooter, restore_dump(good, "k", false, {}, e.entry));
  EXPECT_EQ(RestoreStatus::kRestored, restore_dump(good, "k", false, {}, e.entry, nullptr, false));
  OwnedBytes why;
  Entry* none;
  EXPECT_EQ(RestoreStatus::kBadValue, restore_dump(sealed(from_hex("0d0561")), "k", false, {}, none, &why));
  EXPECT_EQ(why, "Hash ziplist integrity check failed: the value is cut short");
  EXPECT_EQ(RestoreStatus::kBadValue, restore_dump(sealed(from_hex("090161")), "k", false, {}, none, &why));
  EXPECT_EQ(why.substr(0, 31), "Zipmap integrity check failed: ");
}

TEST(Dump, RefusesWhatIsNoValue) {
  for (const char* hex : {"", "00", "000561", "0f00", "0700", "1600", "08", "64", "0200", "1200", "02020161016100", "1001ff"}) {
    Entry* e;
    OwnedBytes why;
    EXPECT_EQ(RestoreStatus::kBadValue, restore_dump(sealed(from_hex(hex)), "k", true, {}, e, &why)) << hex;
    EXPECT_EQ(nullptr, e) << hex;
    EXPECT_FALSE(why.empty()) << hex;
  }
}

TEST(Dump, SurvivesRandomDamage) {
  Seeded random;
  for (int round = 0; round < 4000; round++) {
    const redis7::Payload& p = redis7::kPayloads[random.below(std::size(redis7::kPayloads))];
    OwnedBytes value = from_hex(p.hex);
    value.resize(value.size() - 10);
    for (uint64_t n = 1 + random.below(3); n--;) value[random.below(value.size())] = static_cast<char>(random.next());
    ExactCopy payload(sealed(value));
    EntryOwner e;
    if (restore_dump(payload.view(), "k", false, {}, e.entry) == RestoreStatus::kRestored) value_digest(*e.entry);
  }
}

TEST(Dump, MakesRoomForATimeToLive) {
  EntryOwner e;
  ASSERT_EQ(RestoreStatus::kRestored, restore_dump(from_hex(redis7::kPayloads[0].hex), "k", true, {}, e.entry));
  EXPECT_TRUE(e.entry->has_node());
  EXPECT_EQ(-1, e.entry->expiry_ms());
}

}  // namespace
}  // namespace ringwood
