#include "cluster/sync_payload.h"

#include <gtest/gtest.h>

namespace ringwood {
namespace {

struct Got {
  SyncPayload payload;
  OwnedBytes image, rest;
};

// The same bytes, cut into pieces of n.
void feed(Got& got, Bytes all, size_t n) {
  for (size_t at = 0; at < all.size(); at += n) {
    Bytes piece = all.substr(at, n);
    if (got.payload.state() != SyncPayload::State::kEnd) got.payload.feed(piece, [&](Bytes b) { got.image += b; });
    got.rest += piece;
  }
}

TEST(SyncPayload, WithALength) {
  OwnedBytes image(300, 'x');
  for (size_t n : {1, 2, 7, 299, 1000}) {
    Got got;
    feed(got, "\n\n$300\r\n" + image + "*1\r\n$4\r\nPING\r\n", n);
    EXPECT_EQ(got.payload.state(), SyncPayload::State::kEnd) << n;
    EXPECT_EQ(got.payload.length(), 300);
    EXPECT_EQ(got.image, image) << n;
    EXPECT_EQ(got.rest, "*1\r\n$4\r\nPING\r\n") << n;
  }
}

TEST(SyncPayload, WithAMark) {
  OwnedBytes mark(40, 'm'), image = "mmmm" + OwnedBytes(100, 'y') + OwnedBytes(39, 'm') + "z";
  for (size_t n : {1, 3, 39, 40, 41, 64, 1000}) {
    Got got;
    feed(got, "\r\n$EOF:" + mark + "\r\n" + image + mark, n);
    EXPECT_EQ(got.payload.state(), SyncPayload::State::kEnd) << n;
    EXPECT_EQ(got.payload.length(), -1);
    EXPECT_EQ(got.image, image) << n;
    EXPECT_EQ(got.payload.bytes(), static_cast<int64_t>(image.size()));
    EXPECT_EQ(got.rest, "");
  }
}

TEST(SyncPayload, FramesAreLeftWhereTheyAre) {
  for (size_t n : {1, 3, 9, 100}) {
    Got got;
    feed(got, "\n$FRAMES\r\nframes", n);
    EXPECT_EQ(got.payload.state(), SyncPayload::State::kImage);
    EXPECT_TRUE(got.payload.framed());
    EXPECT_EQ(got.rest, "frames") << n;
    EXPECT_EQ(got.image, "");
    got.payload.image_came(10);
    got.payload.image_ended();
    EXPECT_EQ(got.payload.state(), SyncPayload::State::kEnd);
    EXPECT_EQ(got.payload.bytes(), 10);
    EXPECT_EQ(got.payload.length(), -1);
  }
}

TEST(SyncPayload, RefusesAnythingElse) {
  for (Bytes line : {"-ERR no\r\n", "$x\r\n", "$-1\r\n", "$EOF:short\r\n", "hello\n"}) {
    Got got;
    feed(got, line, 100);
    EXPECT_EQ(got.payload.state(), SyncPayload::State::kFailed) << line;
    EXPECT_FALSE(got.payload.error().empty());
  }
  Got endless;
  feed(endless, OwnedBytes(5000, 'a'), 64);
  EXPECT_EQ(endless.payload.state(), SyncPayload::State::kFailed);
}

TEST(SyncPayload, AnEmptyImageEndsAtOnce) {
  Got got;
  feed(got, "$0\r\nrest", 100);
  EXPECT_EQ(got.payload.state(), SyncPayload::State::kEnd);
  EXPECT_EQ(got.rest, "rest");
}

}  // namespace
}  // namespace ringwood
