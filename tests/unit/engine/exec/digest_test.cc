#include "engine/exec/digest.h"

#include <gtest/gtest.h>

#include "tests/unit/persist/rdb_support.h"
#include "tests/unit/persist/redis7_payloads.h"

namespace ringwood {
namespace {

TEST(Digest, OfEveryTypeIsThatOfRedis7WhateverTheEncoding) {
  Limits tiny;
  tiny.hash_max_listpack_entries = tiny.set_max_intset_entries = tiny.set_max_listpack_entries = tiny.zset_max_listpack_entries = 0;
  tiny.list_max_listpack_size = 1;
  for (const redis7::Payload& p : redis7::kPayloads)
    for (const Limits& limits : {Limits{}, tiny}) {
      EntryOwner e;
      ASSERT_EQ(RestoreStatus::kRestored, restore_dump(from_hex(p.hex), "key", false, limits, e.entry)) << p.name;
      EXPECT_EQ(p.digest, digest_text(value_digest(*e.entry))) << p.name;
    }
}

TEST(Digest, OfADataSetIsThatOfRedis7HoweverItIsSharded) {
  for (int shards : {1, 2, 4}) {
    DataSet data(shards);
    ASSERT_EQ("", read_image(from_hex(redis7::kFile), data));
    EXPECT_EQ(redis7::kFileDigest, data.digest());
  }
}

TEST(Digest, OfNothingIsZero) {
  DataSet data;
  EXPECT_EQ(OwnedBytes(40, '0'), data.digest());
}

TEST(Digest, SeesExpiryDatabaseAndName) {
  auto of = [](int database, Bytes key, int64_t when) {
    DataSet data;
    Entry* e = Entry::make_string(key, "v", Encoding::kEmbstr, when > 0);
    if (when > 0) e->node()->when_ms = static_cast<uint64_t>(when) & kMaxExpiryMs;
    data.put(database, e);
    return data.digest();
  };
  OwnedBytes base = of(0, "k", 0);
  EXPECT_NE(base, of(1, "k", 0));
  EXPECT_NE(base, of(0, "j", 0));
  EXPECT_NE(base, of(0, "k", 1000));
  EXPECT_EQ(of(0, "k", 2000), of(0, "k", 1000));  // that it expires counts, not when
}

}  // namespace
}  // namespace ringwood
