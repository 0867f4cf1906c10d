#include "engine/exec/acl_log.h"

#include <gtest/gtest.h>

namespace ringwood {
namespace {

AclLogEntry entry(AclReason reason, OwnedBytes object, int64_t ms, OwnedBytes client = {}) {
  return {.reason = reason,
          .context = AclContext::kToplevel,
          .object = std::move(object),
          .user = "bob",
          .client = std::move(client),
          .created_ms = ms,
          .updated_ms = ms};
}

TEST(AclLog, CountsEqualEntriesOfAMinuteInOne) {
  AclLog log;
  log.add(entry(AclReason::kKey, "a", 1000, "first"), 10);
  log.add(entry(AclReason::kKey, "b", 1500), 10);
  log.add(entry(AclReason::kKey, "a", 61000, "second"), 10);
  auto all = log.newest(10);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].object, "a");  // the newest again
  EXPECT_EQ(all[0].count, 2);
  EXPECT_EQ(all[0].client, "second");
  EXPECT_EQ(all[0].created_ms, 1000);
  EXPECT_EQ(all[0].updated_ms, 61000);
  EXPECT_EQ(all[0].id, 0);
  log.add(entry(AclReason::kKey, "a", 61000 + 60001), 10);
  EXPECT_EQ(log.newest(10).size(), 3u);
  EXPECT_EQ(log.newest(1)[0].id, 2);
  EXPECT_EQ(log.refused(AclReason::kKey), 4);
  EXPECT_EQ(log.refused(AclReason::kAuth), 0);
}

TEST(AclLog, DropsTheOldest) {
  AclLog log;
  for (int i = 0; i < 5; i++) log.add(entry(AclReason::kCommand, std::to_string(i), 0), 3);
  auto all = log.newest(10);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].object, "4");
  EXPECT_EQ(all[2].object, "2");
  log.add(entry(AclReason::kCommand, "x", 0), 0);
  EXPECT_TRUE(log.newest(10).empty());
  log.clear();
  EXPECT_TRUE(log.newest(10).empty());
}

}  // namespace
}  // namespace ringwood
