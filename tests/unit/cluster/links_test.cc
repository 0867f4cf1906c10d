// A node's links to the others, as its machine has them opened, used and given up.
#include <gtest/gtest.h>

#include <memory>

#include "cluster/cluster_machine.h"
#include "cluster/nodes_conf.h"

namespace ringwood::cluster {
namespace {

constexpr int64_t kNow = 1700000000000, kTimeout = 2000;

// Two masters that know each other; the machine is the first.
struct Pair {
  Pair() : random(1), self(NodeId::random(random)), other(NodeId::random(random)) {
    ClusterConfig c;
    c.node_timeout_ms = kTimeout;
    c.announced = {"10.0.0.1", 6379, 0, 16379};
    machine = std::make_unique<ClusterMachine>(c, self, self, random, kNow);
    SavedCluster saved;
    OwnedBytes conf = name(self) + " 10.0.0.1:6379@16379,,shard-id=" + name(self) + " myself,master - 0 0 1 connected 0-8191\n" +
                      name(other) + " 10.0.0.2:6379@16379,,shard-id=" + name(other) + " master - 0 0 2 connected 8192-16383\n" +
                      "vars currentEpoch 2 lastVoteEpoch 0\n";
    EXPECT_EQ(read_nodes_conf(conf, saved), "");
    machine->restore(saved, kNow);
    machine->take_outputs();
  }
  static OwnedBytes name(const NodeId& id) { return OwnedBytes(id.view()); }
  // The links that this step opens, closes, or uses for that kind of message.
  std::vector<LinkId> links(Output::Kind kind, BusType type = BusType::kPing) {
    std::vector<LinkId> found;
    for (const Output& o : outputs) {
      BusMessage m;
      if (o.kind != kind || (kind == Output::Kind::kSend && (decode(o.bytes, m) != BusError::kNone || m.type != type))) continue;
      found.push_back(o.link);
    }
    return found;
  }
  void tick(int64_t after) {
    machine->tick(kNow + after);
    outputs = machine->take_outputs();
  }

  Random random;
  NodeId self, other;
  std::unique_ptr<ClusterMachine> machine;
  std::vector<Output> outputs;
};

TEST(ClusterLinks, WhatIsSaidWhileALinkIsBeingOpenedWaitsForIt) {
  Pair p;
  p.tick(100);
  const std::vector<LinkId> opened = p.links(Output::Kind::kConnect);
  ASSERT_EQ(opened.size(), 1u);
  p.machine->publish("news", "hello", false, kNow + 101);
  p.outputs = p.machine->take_outputs();
  EXPECT_EQ(p.links(Output::Kind::kSend, BusType::kPublish), opened);
  p.machine->link_up(opened[0], kNow + 102);
  p.machine->publish("news", "again", false, kNow + 103);
  p.outputs = p.machine->take_outputs();
  EXPECT_EQ(p.links(Output::Kind::kSend, BusType::kPublish), opened);
}

TEST(ClusterLinks, AConnectionThatDoesNotComeAboutIsTriedAnew) {
  Pair p;
  p.tick(100);
  const std::vector<LinkId> first = p.links(Output::Kind::kConnect);
  ASSERT_EQ(first.size(), 1u);
  p.tick(100 + kTimeout);
  EXPECT_TRUE(p.links(Output::Kind::kConnect).empty());
  p.tick(101 + kTimeout);
  EXPECT_EQ(p.links(Output::Kind::kClose), first);
  const std::vector<LinkId> second = p.links(Output::Kind::kConnect);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_NE(second, first);
  // The silence counts from then on, as if a ping had gone unanswered.
  EXPECT_FALSE(p.machine->find(p.other)->timed_out());
  p.tick(102 + 2 * kTimeout);
  EXPECT_TRUE(p.machine->find(p.other)->timed_out());
  // One that stands is kept.
  const std::vector<LinkId> third = p.links(Output::Kind::kConnect);
  ASSERT_EQ(third.size(), 1u);
  p.machine->link_up(third[0], kNow + 103 + 2 * kTimeout);
  p.tick(110 + 2 * kTimeout);
  EXPECT_TRUE(p.links(Output::Kind::kClose).empty());
}

}  // namespace
}  // namespace ringwood::cluster
