#include "persist/snapshot_head.h"

#include <gtest/gtest.h>

#include "tests/unit/persist/rdb_support.h"
#include "tests/unit/persist/redis7_payloads.h"

namespace ringwood {
namespace {

TEST(Snapshot, IsReadBackAsTheSameData) {
  DataSet original(3);
  ASSERT_EQ("", read_image(from_hex(redis7::kFile), original));
  for (int version = 9; version <= 12; version++) {
    SnapshotInfo info;
    info.write.version = version;
    info.server_version = "7.2.6";
    info.now_ms = 1700000000123;
    OwnedBytes image = original.image(info);
    EXPECT_EQ("REDIS00" + OwnedBytes(version < 10 ? "0" : "") + std::to_string(version), image.substr(0, 9));
    DataSet copy(2);
    ASSERT_EQ("", read_image(image, copy)) << version;
    EXPECT_EQ(original.digest(), copy.digest()) << version;
    EXPECT_EQ((std::vector<OwnedBytes>{"redis-ver=7.2.6", "redis-bits=64", "ctime=1700000000", "used-mem=0", "aof-base=0"}), copy.aux);
    EXPECT_EQ(version >= 10 ? original.functions : std::vector<OwnedBytes>{}, copy.functions);
    EXPECT_EQ(4102444800000, copy.find(0, "embstr")->expiry_ms());
    EXPECT_EQ((std::vector<OwnedBytes>{"0:21,1", "3:2,0"}), copy.hints);
  }
}

TEST(Snapshot, WritesAgeOrFrequencyUnderAPolicyThatUsesThem) {
  DataSet original, lru, lfu;
  Entry* e = Entry::make_string("k", "v", Encoding::kEmbstr, false);
  e->set_access((40u << 8) | 9);
  original.put(0, e);
  SnapshotInfo info;
  info.access = {MaxmemoryPolicy::kVolatileLru, int64_t{access::seconds_of(e->access()) + 77} * 1000, 1};
  ASSERT_EQ("", read_image(original.image(info), lru));
  EXPECT_EQ(std::vector<int64_t>{77}, lru.idle);
  info.access = {MaxmemoryPolicy::kAllkeysLfu, 43 * 60000, 1};
  ASSERT_EQ("", read_image(original.image(info), lfu));
  EXPECT_EQ(std::vector<int>{6}, lfu.frequency);
  EXPECT_EQ(std::vector<int64_t>{-1}, lfu.idle);
}

TEST(Snapshot, OfNothingIsAFileWithoutKeys) {
  DataSet empty, copy;
  ASSERT_EQ("", read_image(empty.image({}), copy));
  EXPECT_EQ(0u, copy.size());
  EXPECT_TRUE(copy.hints.empty());
}

}  // namespace
}  // namespace ringwood
