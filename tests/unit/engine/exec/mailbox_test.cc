#include "engine/exec/mailbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace ringwood {
namespace {

struct Numbered : Message {
  size_t number = 0;
};

TEST(Mailbox, IsFirstInFirstOutAndKeepsWhatDoesNotFit) {
  auto box = std::make_unique<Mailbox>();
  EXPECT_TRUE(box->empty());
  EXPECT_EQ(box->pop(), nullptr);
  std::vector<Numbered> sent(Mailbox::kPlaces * 2 + 100);
  for (size_t i = 0; i < sent.size(); i++) {
    sent[i].number = i;
    box->push(&sent[i]);
  }
  EXPECT_FALSE(box->empty());
  EXPECT_FALSE(box->flush());
  size_t next = 0;
  while (next < sent.size()) {
    size_t before = next;
    while (Message* m = box->pop()) ASSERT_EQ(static_cast<Numbered*>(m)->number, next++);
    ASSERT_EQ(next - before, std::min(Mailbox::kPlaces, sent.size() - before));
    EXPECT_EQ(box->flush(), sent.size() - next <= Mailbox::kPlaces);
  }
  EXPECT_TRUE(box->empty());
  EXPECT_TRUE(box->flush());
}

// What waits because the ring was full goes before what is pushed later, also when there is room again.
TEST(Mailbox, KeepsOrderWhenRoomComesBeforeTheFlush) {
  auto box = std::make_unique<Mailbox>();
  std::vector<Numbered> sent(Mailbox::kPlaces + 2);
  for (size_t i = 0; i < sent.size(); i++) sent[i].number = i;
  for (size_t i = 0; i <= Mailbox::kPlaces; i++) box->push(&sent[i]);
  ASSERT_NE(box->pop(), nullptr);
  box->push(&sent.back());
  EXPECT_FALSE(box->flush());
  size_t next = 1;
  for (int i = 0; i < 2; i++, box->flush())
    while (Message* m = box->pop()) ASSERT_EQ(static_cast<Numbered*>(m)->number, next++);
  EXPECT_EQ(next, sent.size());
}

// Run under ThreadSanitizer: what a message points to is the receiver's, without any other ordering.
TEST(Mailbox, CarriesPlainMemoryBetweenTwoThreadsAndBack) {
  auto there = std::make_unique<Mailbox>();
  auto back = std::make_unique<Mailbox>();
  constexpr size_t kMessages = 20000;
  constexpr size_t kInFlight = 1500;  // above the ring's places
  std::thread other([&] {
    for (size_t seen = 0; seen < kMessages;) {
      Message* m = there->pop();
      if (!m) {
        back->flush();
        std::this_thread::yield();
        continue;
      }
      auto* n = static_cast<Numbered*>(m);
      n->number *= 3;
      back->push(n);
      seen++;
    }
    while (!back->flush()) std::this_thread::yield();
  });
  std::vector<Numbered> pool(kInFlight);
  size_t sent = 0, received = 0;
  while (received < kMessages) {
    while (sent < kMessages && sent - received < kInFlight) {
      Numbered& n = pool[sent % kInFlight];
      n.number = sent++;
      there->push(&n);
    }
    there->flush();
    Message* m = back->pop();
    if (!m) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_EQ(static_cast<Numbered*>(m)->number, received * 3);
    received++;
  }
  other.join();
}

}  // namespace
}  // namespace ringwood
