#include "persist/disk_bound.h"

#include <gtest/gtest.h>

namespace ringwood {
namespace {

constexpr uint64_t kMb = 1 << 20;

// A log under a steady load, each image as big as the last. Answers the most that the disk held, in MB.
uint64_t most_of(DiskBound& bound, uint64_t image, uint64_t data, double log_per_image_byte, int images) {
  uint64_t log = 0, most = 0;
  for (int i = 0; i < images; i++) {
    DiskBound::Sizes s{(image + log) * kMb, image * kMb, image * kMb, 2 * data * kMb};
    while (!bound.due(s)) s.disk = (image + ++log) * kMb;
    bound.begin(s);
    uint64_t room = 0, grown = 0;
    bool held = false;
    for (uint64_t written = 1; written <= image + 1; written++) {
      room += written <= image ? bound.room_at(written * kMb) : bound.room_at_end();
      const auto wanted = static_cast<uint64_t>(static_cast<double>(written * kMb) * log_per_image_byte);
      held |= wanted > room;
      grown = std::min(wanted, room);
    }
    most = std::max(most, s.disk / kMb + image + grown / kMb);
    bound.end(grown, held);
    log = grown / kMb;
  }
  return most;
}

TEST(DiskBound, IsKeptWhateverTheLoad) {
  for (double load : {0.0, 0.01, 0.3, 1.0, 20.0})
    for (uint64_t image : {300, 600, 900, 940}) {
      DiskBound bound;
      EXPECT_LE(most_of(bound, image, 1000, load, 20), 2001u) << image << " " << load;
    }
}

TEST(DiskBound, LetsTheLogGrowAThirtySecondPartOfAnImageWhereThereIsNoRoomAtAll) {
  DiskBound bound;
  EXPECT_FALSE(bound.due({1030, 1000, 1000, 2000}));
  EXPECT_TRUE(bound.due({1031, 1000, 1000, 2000}));
  bound.begin({1031, 1000, 1000, 2000});
  EXPECT_EQ(bound.room_at(1000) + bound.room_at_end(), 1000u / 32);
}

TEST(DiskBound, GivesTheRoomInStepWithTheImageAndOnlyOnce) {
  DiskBound bound;
  bound.begin({1000, 500, 500, 2000});  // 500 are left
  EXPECT_EQ(bound.room_at(250), 200u);
  EXPECT_EQ(bound.room_at(250), 0u);
  EXPECT_EQ(bound.room_at(100), 0u);
  EXPECT_EQ(bound.room_at(600), 200u);
  EXPECT_EQ(bound.room_at_end(), 100u);
  EXPECT_EQ(bound.room_at_end(), 0u);
}

// Who was held back beside one image finds more room beside the next, since that begins earlier.
TEST(DiskBound, BeginsEarlierWhereTheLastOneHeldWritersBack) {
  DiskBound bound;
  const DiskBound::Sizes s{1500, 400, 400, 2000};
  EXPECT_FALSE(bound.due(s));
  bound.begin({1580, 400, 400, 2000});
  bound.end(20, true);
  EXPECT_FALSE(bound.due(s));
  bound.end(100, true);
  EXPECT_TRUE(bound.due(s));
  bound.end(0, false);
  EXPECT_FALSE(bound.due(s));
}

}  // namespace
}  // namespace ringwood
