// Whose slots are whose, message by message.
#include <gtest/gtest.h>

#include <memory>

#include "cluster/cluster_machine.h"
#include "cluster/nodes_conf.h"

namespace ringwood::cluster {
namespace {

constexpr int64_t kNow = 1700000000000;

SlotSet slots(int first, int last) {
  SlotSet s;
  for (int i = first; i <= last; i++) s.set(i);
  return s;
}

NodeId name(char letter) {
  NodeId id;
  id.text.fill(letter);
  return id;
}

// Three masters, b, c and d, in the order of their names, with ten slots and the epochs 1 to 3; c is the machine, with links to both.
struct Three {
  explicit Three(int own_epoch = 2) {
    OwnedBytes conf;
    for (int i = 0; i < 3; i++) {
      const OwnedBytes id(name(static_cast<char>('b' + i)).view());
      conf += id + " 10.0.0." + std::to_string(i) + ":6379@16379,,shard-id=" + id + (i == 1 ? " myself,master" : " master") + " - 0 0 " +
              std::to_string(i == 1 ? own_epoch : i + 1) + " connected " + std::to_string(10 * i) + "-" + std::to_string(10 * i + 9) + "\n";
    }
    start(conf + "vars currentEpoch 3 lastVoteEpoch 0\n");
  }
  void start(const OwnedBytes& conf) {
    machine = std::make_unique<ClusterMachine>(ClusterConfig{}, name('c'), name('c'), random, kNow);
    SavedCluster saved;
    EXPECT_EQ(read_nodes_conf(conf, saved), "");
    machine->restore(saved, kNow);
    machine->tick(kNow);
    for (const Output& o : machine->take_outputs())
      if (o.kind == Output::Kind::kConnect) machine->link_up(o.link, kNow);
    machine->take_outputs();
  }
  // What comes of that node's claim under that epoch.
  std::vector<BusMessage> claim(char from, const SlotSet& claimed, uint64_t epoch) {
    return hear(from, claimed, epoch, {}, BusType::kPong);
  }
  // Of a replica these are its master's.
  std::vector<BusMessage> hear(char from, const SlotSet& claimed, uint64_t epoch, const NodeId& master, BusType type) {
    BusMessage m;
    m.type = type;
    m.sender = name(from);
    m.master = master;
    m.current_epoch = m.config_epoch = epoch;
    m.slots = claimed;
    m.port = 6379;
    m.cluster_port = 16379;
    m.flags = master.empty() ? kNodeMaster : kNodeReplica;
    m.about = from == 'b' ? name('d') : name('b');
    machine->receive(machine->find(name(from))->link, encode(m), "10.0.0.1", "10.0.0.9", kNow);
    return said();
  }
  std::vector<BusMessage> said() {
    std::vector<BusMessage> all;
    for (const Output& o : machine->take_outputs()) {
      saves += o.kind == Output::Kind::kPersist;
      if (o.kind != Output::Kind::kSend) continue;
      all.emplace_back();
      EXPECT_EQ(decode(o.bytes, all.back()), BusError::kNone);
    }
    EXPECT_EQ(machine->invariants(), "");
    return all;
  }
  NodeId owner(int slot) const { return machine->view().owner(slot)->id; }
  uint64_t epoch() const { return machine->view().myself().config_epoch; }

  Random random{1};
  int saves = 0;
  std::unique_ptr<ClusterMachine> machine;
};

TEST(ClusterSlots, OfTwoMastersUnderOneEpochTheOneWithTheSmallerNameMovesOn) {
  Three t;
  t.claim('d', slots(20, 29), 3);
  t.claim('b', slots(0, 9), 2);
  EXPECT_EQ(t.epoch(), 2u) << "the other one has the smaller name";
  Three u(3);
  u.claim('d', slots(20, 29), 3);
  EXPECT_EQ(u.epoch(), 4u);
}

// Somebody asks under no epoch whose slots are whose, and this node has none yet.
TEST(ClusterSlots, AQuestionIsNoCollision) {
  Three t(0);
  const std::vector<BusMessage> answer = t.claim('d', slots(0, 29), 0);
  EXPECT_EQ(t.epoch(), 0u);
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(answer[0].type, BusType::kUpdate);
  EXPECT_TRUE(answer[0].about == name('b'));
  EXPECT_TRUE(t.owner(5) == name('b') && t.owner(15) == name('c'));
}

// d has lost its slots to e, of whom we have not heard, and follows b. It says so in its pings alone; of another message the epoch is b's, and makes
// nothing of what it had before the newest.
TEST(ClusterSlots, AReplicasEpochIsNotThatOfTheSlotsThatItHadAsAMaster) {
  Three t;
  t.hear('d', slots(0, 9), 9, name('b'), BusType::kUpdate);
  EXPECT_TRUE(t.owner(25) == name('d'));
  t.claim('b', slots(0, 25), 7);
  EXPECT_TRUE(t.owner(25) == name('b')) << "a claim under an epoch above that of d's own";
  t.hear('d', slots(0, 25), 9, name('b'), BusType::kPong);
  EXPECT_FALSE(t.machine->view().find(name('d'))->is_master());
  EXPECT_EQ(t.machine->view().find(name('d'))->slot_count, 0);
}

// What this node has granted it does not claim; but somebody who had it before is told that it is this node's.
TEST(ClusterSlots, AnOldClaimToWhatWasGrantedIsAnsweredWithOneOfOurs) {
  Three t;
  EXPECT_EQ(t.machine->grant(slots(15, 19), kNow), 4u);
  t.said();
  SlotSet old = slots(0, 9);
  old.add(slots(15, 16));
  const std::vector<BusMessage> answer = t.claim('b', old, 1);
  EXPECT_TRUE(t.owner(15) == name('c'));
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(answer[0].type, BusType::kPong);
  EXPECT_TRUE(answer[0].slots == slots(10, 16));
  EXPECT_EQ(answer[0].config_epoch, 2u);
  // The claim under the epoch that was granted holds, as does one of an heir, whose epoch this node may not have known.
  t.claim('d', slots(15, 29), 4);
  EXPECT_TRUE(t.owner(15) == name('d'));
  Three u;
  u.machine->grant(slots(15, 19), kNow);
  u.claim('b', slots(0, 16), 3);
  EXPECT_TRUE(u.owner(15) == name('b'));
}

// 5 to 9, under an epoch below b's.
void expect_d_gets_what_b_does_not_claim(Three& t) {
  SlotSet all = slots(5, 9);
  all.add(slots(20, 29));
  EXPECT_TRUE(t.claim('d', all, 5).empty()) << "d would give them up";
  EXPECT_TRUE(t.owner(5) == name('d') && t.owner(4) == name('b'));
}

// d has got slots of b's, of which we have not heard, and b has a greater epoch since. What we take to be b's still it does not have under that one.
TEST(ClusterSlots, AnOwnerHasUnderANewEpochWhatItClaimsUnderIt) {
  for (BusType type : {BusType::kPong, BusType::kUpdate, BusType::kFail}) {
    Three t;
    t.hear('b', slots(0, 4), 9, {}, type);
    EXPECT_TRUE(t.owner(5) == name('b'));
    expect_d_gets_what_b_does_not_claim(t);
  }
}

TEST(ClusterSlots, WhatItsOwnerHasStoppedToClaimIsRememberedByTheFile) {
  Three t;
  t.claim('b', slots(0, 4), 9);
  t.start(t.machine->nodes_conf());
  expect_d_gets_what_b_does_not_claim(t);
}

// Nor is what we have granted ourselves in the file: we serve it again when we have been started anew.
TEST(ClusterSlots, WhatItsOwnerClaimsAgainIsForgotten) {
  Three t;
  t.saves = 0;
  t.claim('b', slots(0, 4), 1);
  EXPECT_EQ(t.saves, 1);
  t.claim('b', slots(0, 4), 1);
  EXPECT_EQ(t.saves, 1) << "nothing new";
  t.claim('b', slots(0, 9), 0);
  EXPECT_TRUE(t.machine->view().unclaimed_by_owner == slots(5, 9)) << "a question";
  t.claim('b', slots(0, 9), 1);
  EXPECT_FALSE(t.machine->view().unclaimed_by_owner.any());
  EXPECT_EQ(t.saves, 2);
  t.machine->grant(slots(10, 19), kNow);
  t.start(t.machine->nodes_conf());
  EXPECT_FALSE(t.machine->view().unclaimed_by_owner.any());
}

// What b has granted is open to the claim of the one that has it by now. d, which asks whose it is, is not that one: nor does it come to have what is nobody's.
TEST(ClusterSlots, AQuestionTakesNothing) {
  Three t;
  t.claim('b', slots(0, 4), 1);
  t.claim('d', slots(0, 39), 0);
  EXPECT_TRUE(t.owner(5) == name('b'));
  EXPECT_EQ(t.machine->view().owner(35), nullptr);
  EXPECT_TRUE(t.machine->view().unclaimed_by_owner == slots(5, 9));
  expect_d_gets_what_b_does_not_claim(t);
}

}  // namespace
}  // namespace ringwood::cluster
