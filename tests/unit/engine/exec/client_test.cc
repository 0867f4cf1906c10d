#include "engine/exec/client.h"

#include <gtest/gtest.h>

#include <deque>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

void answer(Client& c, Bytes reply) {
  OutBuffer& out = c.reply_buffer();
  size_t start = out.size();
  out.append(reply);
  c.end_reply(start);
}

std::string taken(Client& c) {
  std::string s(c.out.view());
  c.out.clear();
  return s;
}

TEST(Client, WritesRepliesStraightIntoOutWhileNothingIsOutstanding) {
  Client c;
  answer(c, "+A\r\n");
  EXPECT_EQ(&c.reply_buffer(), &c.out);
  EXPECT_FALSE(c.slots_open());
  EXPECT_EQ(taken(c), "+A\r\n");
}

TEST(Client, HoldsRepliesBackBehindAnOpenSlot) {
  Client c;
  uint64_t first = c.open_slot();
  answer(c, "2");
  uint64_t third = c.open_slot();
  answer(c, "4");
  EXPECT_EQ(taken(c), "");
  c.fill_slot(third, "3");
  EXPECT_EQ(taken(c), "");
  EXPECT_TRUE(c.slots_open());
  c.fill_slot(first, "1");
  EXPECT_EQ(taken(c), "1234");
  EXPECT_FALSE(c.slots_open());
}

TEST(Client, ExpectsRepliesOfOtherThreadsUntilTheLastHasCome) {
  Client c;
  answer(c, "1");
  EXPECT_FALSE(c.replies_due());
  uint64_t second = c.open_slot();
  uint64_t third = c.open_slot();
  EXPECT_TRUE(c.replies_due());
  c.fill_slot(second, "2");
  EXPECT_TRUE(c.replies_due());
  c.fill_slot(third, "3");
  EXPECT_FALSE(c.replies_due());
  // What waits for longer does not hold back the replies before it.
  c.open_slot();
  c.waiting = true;
  EXPECT_FALSE(c.replies_due());
}

TEST(Client, KeepsTheOrderOfRequestsWhateverTheOrderOfAnswers) {
  Seeded random;
  for (int round = 0; round < 200; round++) {
    Client c;
    struct Expected {
      std::string text;
      bool known;
      uint64_t slot;
    };
    std::deque<Expected> model;
    std::string expected, got;
    for (int step = 0; step < 200 || !model.empty(); step++) {
      bool drain = step >= 200;
      unsigned what = drain ? 99 : static_cast<unsigned>(random.below(100));
      std::string text = std::to_string(round) + "/" + std::to_string(step) + std::string(random.below(300), 'x') + ";";
      if (what < 30) {
        answer(c, text);
        model.push_back({text, true, 0});
      } else if (what < 60) {
        model.push_back({text, false, c.open_slot()});
      } else {
        std::vector<Expected*> open;
        for (Expected& e : model)
          if (!e.known) open.push_back(&e);
        if (open.empty()) continue;
        Expected* e = open[random.below(open.size())];
        c.fill_slot(e->slot, e->text);
        e->known = true;
      }
      while (!model.empty() && model.front().known) {
        expected += model.front().text;
        model.pop_front();
      }
      got += taken(c);
      ASSERT_EQ(got, expected) << "round " << round << " step " << step;
    }
    EXPECT_FALSE(c.slots_open());
    EXPECT_EQ(&c.reply_buffer(), &c.out);
  }
}

// A client that pipelines for ever never has a moment with nothing outstanding: what it has been answered must not pile up.
TEST(Client, TakesNoMoreMemoryWhenSomethingIsAlwaysOutstanding) {
  Client c;
  std::string reply(1000, 'r');
  uint64_t oldest = c.open_slot();
  size_t most = 0;
  for (int i = 0; i < 20000; i++) {
    answer(c, reply);
    uint64_t next = c.open_slot();
    c.fill_slot(oldest, "*");
    oldest = next;
    ASSERT_EQ(c.out.size(), reply.size() + 1);
    c.out.clear();
    most = std::max(most, c.reply_buffer().capacity());
  }
  EXPECT_LT(most, 100000u);
}

TEST(Client, IsSilentWithReplyModeOff) {
  Client c;
  c.reply_mode = Client::ReplyMode::kOff;
  answer(c, "no");
  uint64_t slot = c.open_slot();
  answer(c, "no");
  c.reply_mode = Client::ReplyMode::kOn;
  answer(c, "yes");
  EXPECT_EQ(taken(c), "");
  c.fill_slot(slot, "no");
  EXPECT_EQ(taken(c), "yes");
}

TEST(Client, SkipsOneReplyAfterClientReplySkip) {
  for (bool later : {false, true}) {
    Client c;
    c.reply_mode = Client::ReplyMode::kSkipNext;  // what CLIENT REPLY SKIP does; it answers nothing itself
    answer(c, "");
    if (later) {
      c.fill_slot(c.open_slot(), "skipped");
    } else {
      answer(c, "skipped");
    }
    answer(c, "shown");
    EXPECT_EQ(taken(c), "shown");
    EXPECT_EQ(c.reply_mode, Client::ReplyMode::kOn);
  }
}

TEST(Client, SkipsTheRightOneOfSeveralThatAreOutstanding) {
  Client c;
  uint64_t before = c.open_slot();
  c.reply_mode = Client::ReplyMode::kSkipNext;
  answer(c, "");
  uint64_t skipped = c.open_slot();
  uint64_t after = c.open_slot();
  c.fill_slot(after, "after");
  c.fill_slot(skipped, "skipped");
  c.fill_slot(before, "before,");
  EXPECT_EQ(taken(c), "before,after");
}

}  // namespace
}  // namespace ringwood
