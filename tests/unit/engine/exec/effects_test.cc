#include "engine/exec/effects.h"

#include <gtest/gtest.h>

#include <algorithm>
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
    effects.turn(true, true, true, false);
  }
  std::string text() {
    if (effects.pending()) effects.hand_over(log, 0);
    return rest(reader);
  }
};

// What the append-only file has of the log from `from` on.
std::string for_file(MutationLog& log, uint64_t from, const std::string& all) {
  std::string text;
  for (uint64_t at = from, end = from + all.size(); at < end;) {
    const MutationLog::Range hidden = log.next_hidden(at);
    if (hidden.begin > at) text += all.substr(at - from, std::min(hidden.begin, end) - at);
    at = std::min(hidden.begin > at ? std::max(hidden.begin, at) : hidden.end, end);
  }
  return text;
}

// redis.set_repl: one stream, of which replicas and the file each have what is theirs, within a transaction or without.
TEST(Effects, WhatIsForTheFileAloneIsNoMoreThanAPingForReplicas) {
  const std::string set_a = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n", set_b = "*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n2\r\n";
  const std::string multi = "*1\r\n$5\r\nMULTI\r\n", exec = "*1\r\n$4\r\nEXEC\r\n", select = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n";
  const std::string ping_a = "*2\r\n$4\r\nPING\r\n$" + std::to_string(set_a.size()) + "\r\n" + set_a + "\r\n";
  for (bool with_replicas : {true, false}) {
    for (bool with_file : {true, false}) {
      Stream s;
      s.log.note_hidden(with_file);
      s.effects.turn(true, with_replicas, with_file, false);
      const uint64_t from = s.log.end();
      s.effects.narrow(EffectFor::kFile);
      s.effects.add(0, {"SET", "a", "1"});
      s.effects.narrow(EffectFor::kReplicas);
      s.effects.add(0, {"SET", "b", "2"});
      s.effects.narrow(EffectFor::kAll);
      s.effects.end_unit();
      const std::string all = s.text();
      const bool both = with_file && with_replicas;
      const std::string a = with_file ? (with_replicas ? ping_a : set_a) : "", b = with_replicas ? set_b : "";
      const std::string first = all.empty() ? "" : select;
      EXPECT_EQ(all, both ? multi + select + a + b + exec : first + a + b);
      if (with_file) {
        EXPECT_EQ(for_file(s.log, from, all), both ? multi + select + set_a + exec : first + set_a);
      }
    }
  }
}

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
