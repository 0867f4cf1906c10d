// A replica and its dead master's place, message by message.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "cluster/cluster_machine.h"
#include "cluster/nodes_conf.h"

namespace ringwood::cluster {
namespace {

constexpr int64_t kTimeout = 2000;

// That node of the cluster that nodes.conf tells of, with links to all others.
std::unique_ptr<ClusterMachine> node_of(const OwnedBytes& conf, const Address& announced, const NodeId& self, const NodeId& shard,
                                        Random& random, int64_t& now) {
  ClusterConfig c;
  c.node_timeout_ms = kTimeout;
  c.announced = announced;
  auto machine = std::make_unique<ClusterMachine>(c, self, shard, random, now);
  SavedCluster saved;
  EXPECT_EQ(read_nodes_conf(conf, saved), "");
  machine->restore(saved, now);
  machine->tick(now += 100);
  for (const Output& o : machine->take_outputs())
    if (o.kind == Output::Kind::kConnect) machine->link_up(o.link, now);
  return machine;
}

// Five masters with ten slots each, of which the first is dead; the machine is its only replica, and has links to all.
struct Orphan {
  Orphan() : random(1), self(NodeId::random(random)) {
    OwnedBytes conf;
    for (int i = 0; i < 5; i++) {
      masters.push_back(NodeId::random(random));
      conf += name(masters.back()) + " 10.0.0." + std::to_string(i) + ":6379@16379,,shard-id=" + name(masters.back()) + " master - 0 0 " +
              std::to_string(i + 1) + " connected " + std::to_string(10 * i) + "-" + std::to_string(10 * i + 9) + "\n";
    }
    conf += name(self) + " 10.0.0.9:6379@16379,,shard-id=" + name(masters[0]) + " myself,slave " + name(masters[0]) +
            " 0 0 1 connected\nvars currentEpoch 5 lastVoteEpoch 0\n";
    machine = node_of(conf, {"10.0.0.9", 6379, 0, 16379}, self, masters[0], random, now);
    machine->set_replication({.offset = 7, .following = true, .down_since_ms = now});
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

// The first of five masters with ten slots each; the fourth and the fifth have a replica. It has links to all.
struct Voter {
  Voter() : random(1) {
    OwnedBytes conf;
    for (int i = 0; i < 7; i++) {
      ids.push_back(NodeId::random(random));
      const bool replica = i >= kMasters;
      const int master = replica ? i - 2 : i;
      conf += name(i) + " 10.0.0." + std::to_string(i) + ":6379@16379,,shard-id=" + name(master) + (i ? " " : " myself,") +
              (replica ? "slave " + name(master) : "master -") + " 0 0 " + std::to_string(master + 1) + " connected" +
              (replica ? "" : " " + std::to_string(10 * i) + "-" + std::to_string(10 * i + 9)) + "\n";
    }
    machine = node_of(conf + "vars currentEpoch 5 lastVoteEpoch 0\n", {"10.0.0.0", 6379, 0, 16379}, ids[0], ids[0], random, now);
  }
  OwnedBytes name(int node) const { return OwnedBytes(ids[static_cast<size_t>(node)].view()); }
  void hear(int from, BusType type, int about = 0) {
    const bool replica = from >= kMasters;
    const int master = replica ? from - 2 : from;
    BusMessage m;
    m.type = type;
    m.sender = ids[static_cast<size_t>(from)];
    m.current_epoch = epoch;
    m.config_epoch = elected_in && from == 3 ? elected_in : static_cast<uint64_t>(master) + 1;
    for (int i = 0; i < 10; i++) m.slots.set(10 * master + i);
    m.port = 6379;
    m.cluster_port = 16379;
    m.flags = replica ? kNodeReplica : kNodeMaster;
    if (replica) m.master = ids[static_cast<size_t>(master)];
    m.about = ids[static_cast<size_t>(about)];
    machine->receive(machine->find(m.sender)->link, encode(m), "10.0.0.0", "10.0.0." + std::to_string(from), ++now);
  }
  bool votes_for(int replica) {
    machine->take_outputs();
    epoch++;
    hear(replica, BusType::kAuthRequest);
    bool voted = false;
    for (const Output& o : machine->take_outputs()) {
      BusMessage m;
      voted |= o.kind == Output::Kind::kSend && decode(o.bytes, m) == BusError::kNone && m.type == BusType::kAuthAck;
    }
    return voted;
  }
  // It has voted against the fourth master, and does not know what came of it. Later that is here, and as many of the others as said; the fifth is dead.
  void divide(int others) {
    hear(1, BusType::kFail, 3);
    ASSERT_TRUE(votes_for(5));
    now += 3 * kTimeout;
    hear(3, BusType::kPong);
    ASSERT_FALSE(machine->find(ids[3])->failed());
    for (int i = 1 + others; i < 3; i++) hear(3, BusType::kFail, i);
    hear(3, BusType::kFail, 4);
  }

  static constexpr int kMasters = 5;
  int64_t now = 1700000000000;
  Random random;
  std::vector<NodeId> ids;
  std::unique_ptr<ClusterMachine> machine;
  uint64_t epoch = 5;
  uint64_t elected_in = 0;  // when the fourth master was, again
};

// Elsewhere its successor may vote in the same epoch: without it the voters that are seen are no majority.
TEST(ClusterElection, WhoMayHaveBeenReplacedDoesNotMakeAMajority) {
  for (const int others : {0, 1}) {
    Voter v;
    v.divide(others);
    EXPECT_FALSE(v.votes_for(6)) << others;
  }
  Voter v;
  v.divide(2);
  EXPECT_TRUE(v.votes_for(6));
}

TEST(ClusterElection, WhoIsFollowedStillHasNotBeenReplaced) {
  Voter v;
  v.divide(1);
  v.hear(5, BusType::kPong);
  EXPECT_TRUE(v.votes_for(6));
}

TEST(ClusterElection, WhoHasBeenElectedSinceIsAMaster) {
  Voter v;
  v.divide(1);
  v.elected_in = ++v.epoch;
  v.hear(3, BusType::kPing);
  EXPECT_TRUE(v.votes_for(6));
}

TEST(ClusterElection, AVoteIsNotRefusedForEver) {
  Voter v;
  v.divide(1);
  v.now += 10 * kTimeout;
  EXPECT_TRUE(v.votes_for(6));
}

}  // namespace
}  // namespace ringwood::cluster
