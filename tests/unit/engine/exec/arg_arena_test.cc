#include "engine/exec/arg_arena.h"

#include <gtest/gtest.h>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

TEST(ArgArena, KeepsEveryVectorInPlaceUntilReset) {
  Seeded random;
  ArgArena arena;
  for (int round = 0; round < 50; round++) {
    std::vector<std::pair<Bytes*, size_t>> taken;
    std::vector<std::string> texts;
    texts.reserve(400);
    for (int i = 0; i < 400; i++) {
      size_t n = random.chance(2) ? 4000 + random.below(3000) : 1 + random.below(60);
      Bytes* p = arena.take(n);
      if (random.chance(20)) {  // a request that is not whole yet
        std::fill(p, p + n, Bytes("given back"));
        arena.give_back(n);
        continue;
      }
      texts.push_back(std::to_string(i));
      std::fill(p, p + n, Bytes(texts.back()));
      taken.emplace_back(p, n);
    }
    for (size_t i = 0; i < taken.size(); i++)
      for (size_t k = 0; k < taken[i].second; k++) ASSERT_EQ(taken[i].first[k], texts[i]) << "round " << round;
    arena.reset();
  }
}

TEST(ArgArena, UsesItsMemoryAgain) {
  ArgArena arena;
  Bytes* first = arena.take(10);
  arena.take(4096);
  arena.reset();
  EXPECT_EQ(arena.take(10), first);
}

// The first request of all was too large for a block and not whole: its memory goes with reset(), and nothing may be given out of it afterwards.
TEST(ArgArena, GivesNothingOutOfALargeVectorThatIsGone) {
  ArgArena arena;
  arena.take(5000);
  arena.give_back(5000);
  arena.reset();
  Bytes* p = arena.take(3);
  p[0] = p[1] = p[2] = "written";  // a freed block would be found by the sanitizer
  EXPECT_EQ(p[2], "written");
  Bytes* q = arena.take(3);
  EXPECT_EQ(q, p + 3);
  arena.reset();
  EXPECT_EQ(arena.take(3), p);
}

}  // namespace
}  // namespace ringwood
