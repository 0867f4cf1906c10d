#include "net/connection.h"

#include <gtest/gtest.h>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

TEST(QueryBuffer, HoldsWhatWasAppendedAndNotConsumed) {
  Seeded random;
  QueryBuffer b;
  std::string model;
  for (int i = 0; i < 5000; i++) {
    if (random.chance(60)) {
      std::string piece = random.bytes(random.below(random.chance(5) ? 50000 : 300));
      b.append(piece);
      model += piece;
    } else if (!model.empty()) {
      size_t n = random.chance(30) ? model.size() : random.below(model.size());
      b.consume(n);
      model.erase(0, n);
    }
    if (random.chance(20)) b.tidy();
    ASSERT_EQ(b.view(), model);
    ASSERT_EQ(b.size(), model.size());
  }
}

TEST(QueryBuffer, GrowsInLinearTimeAndKeepsNothingWhenEmpty) {
  QueryBuffer b;
  std::string piece(16384, 'x');
  size_t moves = 0;
  for (int i = 0; i < 1000; i++) {
    if (!b.fits(piece.size())) moves++;
    b.append(piece);
  }
  EXPECT_LT(moves, 40u);
  b.consume(b.size());
  b.tidy();
  EXPECT_EQ(b.capacity(), 0u);
}

TEST(QueryBuffer, ReceivesInPlace) {
  QueryBuffer b;
  b.append("head");
  b.reserve(100);
  ASSERT_GE(b.room_size(), 100u);
  std::memcpy(b.room(), "tail", 4);
  b.commit(4);
  EXPECT_EQ(b.view(), "headtail");
}

}  // namespace
}  // namespace ringwood
