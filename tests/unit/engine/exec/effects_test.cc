#include "engine/exec/effects.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/base/random.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

std::string rest(LogReader& r) {
  std::string all;
  for (Bytes piece; !(piece = r.peek()).empty(); r.advance(piece.size())) all += piece;
  return all;
}

// One thread's effects with the log that they go to.
struct Stream {
  MutationLog log{1};
  LogReader reader;
  Effects effects;
  Stream() {
    EXPECT_TRUE(log.attach_at_end(reader, false));
    effects.turn(true, true, false);
  }
  std::string text() {
    if (effects.pending()) effects.hand_over(log, 0);
    return rest(reader);
  }
};

// A script's unit may be the one under way when what stands before it is handed over: the stream is the same as if all had waited for its end.
TEST(Effects, HandingOverInTheMidstOfAUnitChangesNothing) {
  Seeded seeded;
  Random random(seeded.seed());
  for (int round = 0; round < 500; round++) {
    Stream whole, cut;
    int cuts = 0;
    for (int unit = 0; unit < 8; unit++) {
      Effects::Frame frames[2];
      const bool arbitrary = random.next() % 5 == 0, abandoned = random.next() % 6 == 0;
      whole.effects.begin(frames[0], arbitrary);
      cut.effects.begin(frames[1], arbitrary);
      for (uint64_t n = random.next() % 4, i = 0; i <= n; i++) {
        if (cut.effects.ended() && random.next() % 3 == 0) {
          cut.effects.hand_over_ended(cut.log, 0);
          EXPECT_FALSE(cut.effects.ended());
          cuts++;
        }
        if (i == n) break;
        const int database = static_cast<int>(random.next() % 3);
        const std::string word(random.next() % 20, 'w');
        for (Stream* s : {&whole, &cut}) s->effects.add(database, {"SET", word});
      }
      for (Stream* s : {&whole, &cut}) {
        if (abandoned) s->effects.abandon_unit();
        s->effects.end(frames[s == &cut], false, false, 0, {});
      }
    }
    ASSERT_EQ(cut.text(), whole.text()) << "after " << cuts << " cuts";
  }
}

}  // namespace
}  // namespace ringwood
