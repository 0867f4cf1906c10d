#include "engine/store/stream_group.h"

#include <gtest/gtest.h>

#include "tests/support/seed.h"

namespace ringwood {
namespace {

struct Expected {
  std::string consumer;
  int64_t delivered_ms;
  uint64_t deliveries;
};
using Model = std::map<StreamId, Expected>;

void expect_same(const StreamGroup& group, const Model& model) {
  ASSERT_EQ(model.size(), group.pending().check());
  std::map<std::string, size_t> owned;
  auto p = group.pending().first();
  for (const auto& [id, e] : model) {
    ASSERT_EQ(id, p.id());
    ASSERT_EQ(e.consumer, p.value().consumer->name);
    ASSERT_EQ(e.delivered_ms, p.value().delivered_ms);
    ASSERT_EQ(e.deliveries, p.value().deliveries);
    ASSERT_TRUE(p.value().consumer->pending.contains(id));
    owned[e.consumer]++;
    p.next();
  }
  for (const auto& [name, consumer] : group.consumers()) ASSERT_EQ(owned[name], consumer.pending.check());
}

TEST(StreamGroup, HoldsPendingEntriesAsAMapDoes) {
  Seeded seeded;
  StreamGroup group({5, 5}, 3);
  Model model;
  for (int step = 0; step < 20000; step++) {
    std::string name = "c" + std::to_string(seeded.below(6));
    StreamId id{seeded.below(500), seeded.below(2)};
    if (seeded.chance(60)) {
      bool there = group.find_consumer(name) != nullptr;
      ASSERT_EQ(!there, group.create_consumer(name, step) != nullptr);
      uint64_t deliveries = seeded.below(5);
      group.deliver(id, *group.find_consumer(name), step, deliveries);
      model[id] = {name, step, deliveries};
    } else if (seeded.chance(99)) {
      ASSERT_EQ(model.erase(id) == 1, group.acknowledge(id));
    } else {
      int64_t expected =
          group.find_consumer(name) ? static_cast<int64_t>(std::erase_if(model, [&](auto& e) { return e.second.consumer == name; })) : -1;
      ASSERT_EQ(expected, group.delete_consumer(name));
    }
    if (step % 400 == 0) {
      expect_same(group, model);
      StreamGroup copy({0, 0}, 0);
      copy.copy_from(group);
      expect_same(copy, model);
    }
  }
}

TEST(StreamGroup, LoadsOwnersOnlyForWhatIsPendingAndOnlyOnce) {
  StreamGroup group({5, 5}, 3);
  StreamConsumer* a = group.create_consumer("a", 1);
  StreamConsumer* b = group.create_consumer("b", 1);
  EXPECT_EQ(-1, a->active_ms);
  EXPECT_TRUE(group.load_pending({1, 0}, 10, 2));
  EXPECT_FALSE(group.load_pending({1, 0}, 10, 2));
  EXPECT_FALSE(group.all_owned());
  EXPECT_FALSE(group.load_owner({2, 0}, *a));
  EXPECT_TRUE(group.load_owner({1, 0}, *a));
  EXPECT_FALSE(group.load_owner({1, 0}, *b));
  EXPECT_TRUE(group.all_owned());
  expect_same(group, {{{1, 0}, {"a", 10, 2}}});
}

}  // namespace
}  // namespace ringwood
