// A replica and its dead master's place, message by message.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "cluster/cluster_machine.h"
#include "cluster/nodes_conf.h"

namespace ringwood::cluster {
namespace {

constexpr int64_t kTimeout = 2000;

// Five masters with ten slots each, of which the first is dead; the machine is its only replica, and has links to all.
struct Orphan {
  Orphan() : random(1), self(NodeId::random(random)) {
    ClusterConfig c;
    c.node_timeout_ms = kTimeout;
    c.announced = {"10.0.0.9", 6379, 0, 16379};
    OwnedBytes conf;
    for (int i = 0; i < 5; i++) {
      masters.push_back(NodeId::random(random));
      conf += name(masters.back()) + " 10.0.0." + std::to_string(i) + ":6379@16379,,shard-id=" + name(masters.back()) + " master - 0 0 " +
              std::to_string(i + 1) + " connected " + std::to_string(10 * i) + "-" + std::to_string(10 * i + 9) + "\n";
    }
    conf += name(self) + " 10.0.0.9:6379@16379,,shard-id=" + name(masters[0]) + " myself,slave " + name(masters[0]) +
            " 0 0 1 connected\nvars currentEpoch 5 lastVoteEpoch 0\n";
    machine = std::make_unique<ClusterMachine>(c, self, masters[0], random, now);
    SavedCluster saved;
    EXPECT_EQ(read_nodes_conf(conf, saved), "");
    machine->restore(saved, now);
    machine->set_replication({.offset = 7, .following = true, .down_since_ms = now});
    machine->tick(now += 100);
    for (const Output& o : machine->take_outputs())
      if (o.kind == Output::Kind::kConnect) machine->link_up(o.link, now);
  }
  static OwnedBytes name(const NodeId& id) { return OwnedBytes(id.view()); }
  static SlotSet slots(int first, int last) {
    SlotSet s;
    for (int i = first; i <= last; i++) s.set(i);
    return s;
  }
  // What that master says, with these of its slots under that epoch.
  void hear(size_t from, BusType type, const SlotSet& claims, uint64_t config_epoch) {
    BusMessage m;
    m.type = type;
    m.sender = masters[from];
    m.current_epoch = std::max(epoch, config_epoch);
    m.config_epoch = config_epoch;
    m.slots = claims;
    m.port = 6379;
    m.cluster_port = 16379;
    m.flags = kNodeMaster;
    m.about = masters[0];
    machine->receive(machine->find(masters[from])->link, encode(m), "10.0.0.9", "10.0.0." + std::to_string(from), ++now);
  }
  void hear(size_t from, BusType type) {
    const int first = static_cast<int>(from) * 10;
    hear(from, type, slots(first, first + 9), from + 1);
  }
  // It has been told of the death, and asks for votes.
  void ask() {
    hear(1, BusType::kFail);
    machine->take_outputs();
    for (int i = 0; i < 20 && !epoch; i++) {
      machine->tick(now += 100);
      for (const Output& o : machine->take_outputs()) {
        BusMessage m;
        if (o.kind == Output::Kind::kSend && decode(o.bytes, m) == BusError::kNone && m.type == BusType::kAuthRequest)
          epoch = m.current_epoch;
      }
    }
  }
  bool has_won() const { return machine->view().myself().is_master(); }

  int64_t now = 1700000000000;
  Random random;
  NodeId self;
  std::vector<NodeId> masters;
  std::unique_ptr<ClusterMachine> machine;
  uint64_t epoch = 0;
};

TEST(ClusterElection, AMajorityOfTheMastersMakesAReplicaOneOfThem) {
  Orphan o;
  o.ask();
  ASSERT_EQ(o.epoch, 6u);
  o.hear(1, BusType::kAuthAck);
  o.hear(2, BusType::kAuthAck);
  EXPECT_FALSE(o.has_won());
  o.hear(3, BusType::kAuthAck);
  EXPECT_TRUE(o.has_won());
  EXPECT_EQ(o.machine->view().myself().config_epoch, 6u);
  EXPECT_EQ(o.machine->view().myself().slot_count, 10);
}

// Two have voted and given their slots to a third: of the three masters that are left two are a majority, but five had a vote in this epoch.
TEST(ClusterElection, AMajorityIsOfThoseWhoCouldVoteWhenTheyWereAsked) {
  Orphan o;
  o.ask();
  ASSERT_EQ(o.epoch, 6u);
  o.hear(1, BusType::kAuthAck);
  o.hear(2, BusType::kAuthAck);
  o.hear(3, BusType::kPing, Orphan::slots(10, 39), 7);
  EXPECT_EQ(o.machine->view().size(), 3u);
  o.machine->tick(o.now += 100);
  EXPECT_FALSE(o.has_won());
  o.hear(4, BusType::kAuthAck);
  EXPECT_TRUE(o.has_won());
}

}  // namespace
}  // namespace ringwood::cluster
