// Snapshots of some slots alone, and of a data set whose slots change databases meanwhile: what slots that move as one need.
#include <gtest/gtest.h>

#include "tests/unit/persist/snapshot_rig.h"

namespace ringwood {
namespace {

void fill(InProcess& server, int keys, const std::string& prefix) {
  for (int i = 0; i < keys; i++) {
    const std::string n = prefix + std::to_string(i);
    server.run({"SET", "s" + n, "value " + n});
    if (i % 3 == 0) server.run({"HSET", "h" + n, "f", n, "g", n});
    if (i % 4 == 0) server.run({"RPUSH", "l" + n, "a", "b", n});
    if (i % 5 == 0) server.run({"PEXPIRE", "s" + n, "100000000"});
  }
}

class SlotSink final : public SnapshotSink {
 public:
  SlotSink(Snapshots& s, const std::bitset<kSlots>& slots) : inner(s), slots_(slots) {}
  void at_cut(Executor& home, SnapshotInfo& info) override {
    info.only = &slots_;
    inner.at_cut(home, info);
  }
  void take(OutBuffer chunk) override {
    inner.take(std::move(chunk));
    inner.snapshots.consumed(*this);
  }
  void complete() override { inner.complete(); }
  void broken() override { inner.broken(); }
  SlowSink inner;

 private:
  const std::bitset<kSlots>& slots_;
};

void erase_others(Engine& engine, const std::bitset<kSlots>& slots) {
  std::vector<OwnedBytes> keys;
  for (Shard* s : engine.shards)
    for (int d = 0; d < s->databases(); d++) {
      keys.clear();
      s->database(d).for_each([&](Entry* e) {
        if (d || !slots.test(key_slot(e->key()))) keys.emplace_back(e->key());
      });
      for (const OwnedBytes& k : keys) s->database(d).erase(KeyRef(k));
    }
}

TEST(SnapshotSlots, HoldTheKeysOfTheirSlotsAlone) {
  for (int shards : {1, 3})
    for (const size_t every : {size_t{1}, size_t{2}, size_t{7}, size_t{kSlots}}) {
      SnapshotRig rig(shards);
      rig.snapshots.pace = {};
      fill(rig.server, 300, "a");
      rig.server.run({"SELECT", "2"});
      fill(rig.server, 50, "b");
      rig.server.run({"SELECT", "0"});
      std::bitset<kSlots> slots;
      for (size_t s = 0; s < kSlots; s += every) slots.set(s);
      SlotSink sink(rig.snapshots, slots);
      ASSERT_TRUE(rig.start(sink));
      // A change of keys inside and outside of them.
      for (int i = 0; i < 100; i++) rig.server.run({"SET", "new" + std::to_string(i), "x"});
      for (int i = 0; i < 1000 && !sink.inner.ended(); i++) rig.server.settle();
      ASSERT_EQ(sink.inner.completed, 1);
      DataSet data;
      ASSERT_EQ(read_image(sink.inner.image, data), "");
      EXPECT_EQ(data.repeated, 0u);
      std::vector<OwnedBytes> foreign;
      for (Shard* s : data.shards)
        for (int d = 0; d < s->databases(); d++)
          s->database(d).for_each([&](Entry* e) {
            if (d || !slots.test(key_slot(e->key()))) foreign.emplace_back(e->key());
          });
      EXPECT_TRUE(foreign.empty()) << foreign[0];
      for (int i = 0; i < 100; i++) rig.server.run({"DEL", "new" + std::to_string(i)});
      erase_others(rig.server.engine(), slots);
      EXPECT_EQ(data.digest(), rig.digest()) << every;
      // The next whole one is whole.
      SlowSink whole(rig.snapshots);
      ASSERT_TRUE(rig.start(whole));
      rig.finish(whole);
      EXPECT_EQ(rig.digest(), digest_of(whole.image));
    }
}

// An image that is under way when another database is absorbed holds each key once, in the one or the other.
TEST(SnapshotSlots, EachKeyOnceWhenADatabaseIsAbsorbedMeanwhile) {
  for (int shards : {1, 3})
    for (int consumed = 0; consumed < 60; consumed += 7) {
      SnapshotRig rig(shards);
      fill(rig.server, 40, "a");
      rig.server.run({"SELECT", "2"});
      fill(rig.server, 40, "b");
      for (int i = 0; i < 40; i++) rig.server.run({"SET", "{sa" + std::to_string(i) + "}", "in a slot of both"});
      rig.server.run({"SELECT", "0"});
      auto size = [&rig] {
        size_t n = 0;
        for (Shard* s : rig.server.engine().shards) n += s->database(0).size() + s->database(2).size();
        return n;
      };
      const size_t before = size();
      SlowSink sink(rig.snapshots);
      ASSERT_TRUE(rig.start(sink));
      for (int i = 0; i < consumed; i++) {
        sink.consume(1);
        rig.server.settle();
      }
      for (Shard* s : rig.server.engine().shards) s->database(0).absorb(s->database(2));
      ASSERT_EQ(size(), before);
      rig.server.run({"SET", "sb1", "changed afterwards"});
      rig.server.run({"DEL", "sb2"});
      rig.finish(sink);
      ASSERT_EQ(sink.completed, 1);
      DataSet data;
      ASSERT_EQ(read_image(sink.image, data), "");
      EXPECT_EQ(data.size(), before) << consumed;
      for (int i = 0; i < 40; i++) {
        const std::string key = "sb" + std::to_string(i);
        EXPECT_EQ((data.find(0, key) != nullptr) + (data.find(2, key) != nullptr), 1) << key;
      }
    }
}

}  // namespace
}  // namespace ringwood
