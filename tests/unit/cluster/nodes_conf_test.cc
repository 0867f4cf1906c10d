#include "cluster/nodes_conf.h"

#include <gtest/gtest.h>

#include "cluster/cluster_machine.h"

namespace ringwood::cluster {
namespace {

OwnedBytes forty(char c) { return OwnedBytes(40, c); }

// As Redis 7.2 wrote it.
const OwnedBytes kRedis72 = forty('a') + " 127.0.0.1:7001@17001,,tls-port=0,shard-id=" + forty('1') +
                            " myself,master - 0 1700000000000 3 connected 0-5460 5462 [100->-" + forty('b') + "] [6000-<-" + forty('c') +
                            "]\n" +  //
                            forty('b') + " 127.0.0.1:7002@17002,host.example,tls-port=0,nodename=two,shard-id=" + forty('2') +
                            " master,fail? - 1700000000100 1700000000000 2 disconnected 5463-10922\n" +  //
                            forty('c') + " ::1:7003@17003,,tls-port=0,shard-id=" + forty('1') + " slave,fail " + forty('a') +
                            " 0 1700000000000 3 connected\n"
                            "vars currentEpoch 7 lastVoteEpoch 6\n";

TEST(NodesConf, ReadsWhatRedisHasWritten) {
  SavedCluster saved;
  ASSERT_EQ(read_nodes_conf(kRedis72, saved), "");
  EXPECT_EQ(saved.current_epoch, 7u);
  EXPECT_EQ(saved.last_vote_epoch, 6u);
  ASSERT_EQ(saved.nodes.size(), 3u);
  const SavedNode& a = saved.nodes[0];
  EXPECT_EQ(a.flags, kNodeMyself | kNodeMaster);
  EXPECT_EQ(a.slots.count(), 5462);
  EXPECT_TRUE(a.slots.test(5462) && !a.slots.test(5461));
  ASSERT_EQ(a.migrating.size(), 1u);
  EXPECT_EQ(a.migrating[0].first, 100);
  ASSERT_EQ(a.importing.size(), 1u);
  EXPECT_EQ(a.importing[0].second.view(), forty('c'));
  const SavedNode& b = saved.nodes[1];
  EXPECT_EQ(b.hostname, "host.example");
  EXPECT_EQ(b.human_name, "two");
  EXPECT_TRUE(b.ping_pending);
  EXPECT_EQ(b.flags, kNodeMaster | kNodePfail);
  const SavedNode& c = saved.nodes[2];
  EXPECT_EQ(c.address.ip, "::1");
  EXPECT_EQ(c.address.port, 7003);
  EXPECT_EQ(c.master.view(), forty('a'));
}

TEST(NodesConf, ReadsTheFilesOfOlderVersions) {
  SavedCluster saved;
  ASSERT_EQ(read_nodes_conf(forty('a') + " :0 myself,master - 0 0 0 connected\n", saved), "");  // 3.0, alone
  EXPECT_EQ(saved.nodes[0].address.cluster_port, 10000);
  saved = {};
  ASSERT_EQ(read_nodes_conf(
                forty('a') + " 10.0.0.1:7001@17001 myself,master - 0 0 0 connected 0-16383\nvars currentEpoch 1 lastVoteEpoch 0\n", saved),
            "");
  EXPECT_FALSE(saved.nodes[0].shard);
  EXPECT_EQ(saved.nodes[0].slots.count(), kSlots);
}

// A machine that goes on from a file writes the same file.
TEST(NodesConf, WritesWhatItHasRead) {
  SavedCluster saved;
  ASSERT_EQ(read_nodes_conf(kRedis72, saved), "");
  Random random(1);
  ClusterConfig config;
  config.announced = {"127.0.0.1", 7001, 0, 17001};
  config.ip_announced = true;
  ClusterMachine machine(config, saved.nodes[0].id, *saved.nodes[0].shard, random, 1700000000200);
  machine.restore(saved, 1700000000200);
  EXPECT_EQ(machine.invariants(), "");
  SavedCluster again;
  ASSERT_EQ(read_nodes_conf(machine.nodes_conf(), again), "") << machine.nodes_conf();
  ASSERT_EQ(again.nodes.size(), 3u);
  EXPECT_EQ(again.current_epoch, 7u);
  for (const SavedNode& n : saved.nodes) {
    auto same = std::find_if(again.nodes.begin(), again.nodes.end(), [&](const SavedNode& o) { return o.id == n.id; });
    ASSERT_NE(same, again.nodes.end());
    EXPECT_EQ(same->flags, n.flags);
    EXPECT_EQ(same->address, n.address);
    EXPECT_EQ(same->slots, n.slots);
    EXPECT_EQ(same->shard, n.shard);
    EXPECT_EQ(same->hostname, n.hostname);
    EXPECT_EQ(same->human_name, n.human_name);
    EXPECT_EQ(same->epoch, n.epoch);
    EXPECT_EQ(same->master, n.master);
    EXPECT_EQ(same->migrating, n.migrating);
    EXPECT_EQ(same->importing, n.importing);
  }
}

// As Redis does.
TEST(NodesConf, PassesOverVariablesThatItDoesNotKnow) {
  SavedCluster saved;
  EXPECT_EQ(read_nodes_conf(forty('a') + " :0 myself,master - 0 0 0 connected\nvars colour blue currentEpoch 4 unclaimed 3-4,9\n", saved),
            "");
  EXPECT_EQ(saved.current_epoch, 4u);
  SlotSet unclaimed;
  for (int slot : {3, 4, 9}) unclaimed.set(slot);
  EXPECT_TRUE(saved.unclaimed_by_owner == unclaimed);
}

TEST(NodesConf, SaysInWhichLineItIsWrong) {
  SavedCluster saved;
  const OwnedBytes first = forty('a') + " 127.0.0.1:1@2 myself,master - 0 0 0 connected\n";
  for (const OwnedBytes& second :
       {OwnedBytes("x\n"), forty('b') + " 127.0.0.1 master - 0 0 0 connected\n",
        forty('b') + " 127.0.0.1:70000@1 master - 0 0 0 connected\n", forty('b') + " 127.0.0.1:1@2 king - 0 0 0 connected\n",
        forty('b') + " 127.0.0.1:1@2 master - 0 0 0 connected 16384\n",
        forty('b') + " 127.0.0.1:1@2 master - 0 0 0 connected [5->-nobody]\n", OwnedBytes("vars currentEpoch x\n"),
        OwnedBytes("vars unclaimed 5-\n"), OwnedBytes("vars unclaimed 5,16384\n"), OwnedBytes("vars unclaimed 5,\n"),
        forty('B') + " 127.0.0.1:1@2 master - 0 0 0 connected\n"}) {
    saved = {};
    EXPECT_EQ(read_nodes_conf(first + second, saved), "line 2 cannot be understood") << second;
  }
  saved = {};
  EXPECT_EQ(read_nodes_conf(first + first, saved), "more than one node is called \"myself\"");
  saved = {};
  EXPECT_EQ(read_nodes_conf("vars currentEpoch 1 lastVoteEpoch 1\n", saved), "no node is called \"myself\"");
}

}  // namespace
}  // namespace ringwood::cluster
