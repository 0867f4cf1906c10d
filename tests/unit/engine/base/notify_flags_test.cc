#include "engine/base/notify_flags.h"

#include <gtest/gtest.h>

namespace ringwood {
namespace {

TEST(NotifyFlags, LettersBecomeBits) {
  EXPECT_EQ(parse_notify_flags(""), 0u);
  EXPECT_EQ(parse_notify_flags("KEA"), kNotifyKeyspace | kNotifyKeyevent | kNotifyAll);
  EXPECT_EQ(parse_notify_flags("g$lshzxetdmn"), kNotifyAll | kNotifyKeyMiss | kNotifyNew);
  EXPECT_EQ(parse_notify_flags("KQ"), std::nullopt);
  EXPECT_EQ(parse_notify_flags(Bytes("K\0", 2)), std::nullopt);
}

TEST(NotifyFlags, BitsAreShownInRedisOrder) {
  EXPECT_EQ(format_notify_flags(0), "");
  EXPECT_EQ(format_notify_flags(*parse_notify_flags("KEA")), "AKE");
  EXPECT_EQ(format_notify_flags(*parse_notify_flags("mEKx$")), "$xKEm");
  EXPECT_EQ(format_notify_flags(*parse_notify_flags("g$lshzxetd")), "A");
}

TEST(NotifyFlags, EverySetOfBitsReadsBack) {
  for (uint32_t flags = 0; flags < 1u << 15; ++flags) {
    if (flags & (1u << 12)) continue;  // no letter: Redis's bit for modules' "loaded" event
    ASSERT_EQ(parse_notify_flags(format_notify_flags(flags)), flags);
  }
}

}  // namespace
}  // namespace ringwood
