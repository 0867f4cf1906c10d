#include "engine/exec/redirect.h"

#include <gtest/gtest.h>

#include "tests/harness/bare_engine.h"
#include "tests/unit/engine/exec/rig.h"

namespace ringwood {
namespace {

using rig::bulk;
using rig::Rig;
using rig::TestClient;
using Why = Redirection::Why;
using Words = std::vector<std::string>;

// Three nodes: this one is the first. Every slot is this one's, but for those that a test gives away.
std::unique_ptr<SlotMap> map_of_three() {
  auto map = std::make_unique<SlotMap>();
  map->ok = true;
  map->nodes = {{"10.0.0.1", "", 1}, {"10.0.0.2", "two.example", 2}, {"10.0.0.3", "", 3}};
  map->owners.assign(kSlots, 0);
  return map;
}

class Redirect : public testing::Test {
 protected:
  static std::vector<Bytes> views(const Words& words) { return {words.begin(), words.end()}; }
  Redirection ask(const Words& words, bool asking = false, bool reads_replica = false, const ShardSet& held = all_shards(2)) {
    std::vector<Bytes> args = views(words);
    return redirect(bare.engine(), options, *map, {*bare.engine().commands->find(args), args, nullptr, asking, reads_replica}, held,
                    BareEngine::kStartUs / 1000);
  }
  void set(const std::string& key) {
    KeyRef k(key);
    bare.engine().shard_of(k.slot).database(0).set_string(k, nullptr, "v", Database::kDropExpiry, 0);
  }
  void give(Bytes key, SlotMap::Place to) { map->owners[key_slot(key)] = to; }
  std::string text(const Redirection& r) const {
    OutBuffer out;
    Reply reply(out, 2);
    write_redirection(r, options, reply);
    return std::string(out.view());
  }

  BareEngine bare{2};
  Options options;
  std::unique_ptr<SlotMap> map = map_of_three();
};

TEST_F(Redirect, WhatIsOursOrHasNoKeysIsServedHere) {
  EXPECT_EQ(ask({"GET", "a"}).why, Why::kNone);
  EXPECT_EQ(ask({"MGET", "{a}1", "{a}2"}).why, Why::kNone);
  EXPECT_EQ(ask({"DBSIZE"}).why, Why::kNone);
  EXPECT_EQ(ask({"EVAL", "return 1", "0"}).why, Why::kNone);
}

TEST_F(Redirect, KeysOfSeveralSlotsAreRefused) {
  EXPECT_EQ(ask({"MGET", "a", "b"}).why, Why::kCrossSlot);
  EXPECT_EQ(ask({"SSUBSCRIBE", "a", "b"}).why, Why::kCrossSlot);
  EXPECT_EQ(text(ask({"MSET", "a", "1", "b", "2"})), "-CROSSSLOT Keys in request don't hash to the same slot\r\n");
}

TEST_F(Redirect, AnothersSlotIsToldWithItsAddress) {
  give("a", 1);
  EXPECT_EQ(text(ask({"GET", "a"})), "-MOVED 15495 10.0.0.2:2\r\n");
  EXPECT_EQ(text(ask({"SPUBLISH", "a", "x"})), "-MOVED 15495 10.0.0.2:2\r\n");
  options.cluster_preferred_endpoint_type = ClusterEndpointType::kHostname;
  EXPECT_EQ(text(ask({"GET", "a"})), "-MOVED 15495 two.example:2\r\n");
  options.cluster_preferred_endpoint_type = ClusterEndpointType::kUnknownEndpoint;
  EXPECT_EQ(text(ask({"GET", "a"})), "-MOVED 15495 :2\r\n");
  give("a", SlotMap::kNobody);
  EXPECT_EQ(text(ask({"GET", "a"})), "-CLUSTERDOWN Hash slot not served\r\n");
}

TEST_F(Redirect, ADownClusterServesReadsWhereThatIsAllowed) {
  map->ok = false;
  EXPECT_EQ(ask({"GET", "a"}).why, Why::kDown);
  EXPECT_EQ(ask({"SPUBLISH", "a", "x"}).why, Why::kNone);
  options.cluster_allow_pubsubshard_when_down = false;
  EXPECT_EQ(ask({"SPUBLISH", "a", "x"}).why, Why::kDown);
  options.cluster_allow_reads_when_down = true;
  EXPECT_EQ(ask({"GET", "a"}).why, Why::kNone);
  EXPECT_EQ(ask({"SET", "a", "1"}).why, Why::kDownForWrites);
}

TEST_F(Redirect, TheKeysOfACommandWithAFunctionAreWhatTheFunctionSays) {
  map->owners.assign(kSlots, SlotMap::kNobody);
  EXPECT_EQ(ask({"XREAD", "STREAMS", "a", "b", "0"}).why, Why::kNone);  // its handler says that one is missing
  EXPECT_EQ(ask({"XREAD", "STREAMS", "a", "0"}).why, Why::kUnserved);
  EXPECT_EQ(ask({"SORT", "a"}).why, Why::kUnserved);
  give("a", 0);
  EXPECT_EQ(ask({"SORT", "a", "STORE", "b"}).why, Why::kCrossSlot);
  EXPECT_EQ(ask({"GEORADIUS", "a", "0", "0", "1", "m", "STORE", "b"}).why, Why::kCrossSlot);
}

TEST_F(Redirect, AReplicaServesReadsOfItsMastersSlotsToWhoHasSaidReadonly) {
  give("a", 1);
  map->master = 1;
  EXPECT_EQ(ask({"GET", "a"}).why, Why::kMoved);
  EXPECT_EQ(ask({"GET", "a"}, false, true).why, Why::kNone);
  EXPECT_EQ(ask({"SET", "a", "1"}, false, true).why, Why::kMoved);
  EXPECT_EQ(ask({"SSUBSCRIBE", "a"}).why, Why::kNone);
  give("b", 2);
  EXPECT_EQ(ask({"GET", "b"}, false, true).why, Why::kMoved);
}

TEST_F(Redirect, AMigratingSlotServesWhatIsHereAndSendsOnWhatIsNot) {
  map->open[key_slot("a")] = {.migrating_to = 2};
  set("{a}1");
  EXPECT_EQ(ask({"GET", "{a}1"}).why, Why::kNone);
  EXPECT_EQ(text(ask({"GET", "{a}2"})), "-ASK 15495 10.0.0.3:3\r\n");
  EXPECT_EQ(text(ask({"MGET", "{a}1", "{a}2"})), "-TRYAGAIN Multiple keys request during rehashing of slot\r\n");
  EXPECT_EQ(ask({"MGET", "{a}2", "{a}3"}).why, Why::kAsk);
  EXPECT_EQ(ask({"SPUBLISH", "a", "x"}).why, Why::kNone);  // to the end, by the source
  EXPECT_EQ(ask({"GET", "{a}1"}, false, false, ShardSet{}).why, Why::kLook);
  // MIGRATE has sent it, and is about to remove it: it is here until it has.
  bare.engine().shard_of(key_slot("a")).in_flight.add(0, "{a}2");
  EXPECT_EQ(ask({"GET", "{a}2"}).why, Why::kNone);
}

TEST_F(Redirect, AnImportingSlotServesWhoHasSaidAsking) {
  give("a", 1);
  map->open[key_slot("a")] = {.importing_from = 1};
  EXPECT_EQ(ask({"GET", "a"}).why, Why::kMoved);
  EXPECT_EQ(ask({"GET", "a"}, true).why, Why::kNone);
  EXPECT_EQ(ask({"GET", "a"}, true, false, ShardSet{}).why, Why::kNone);
  EXPECT_EQ(ask({"MGET", "{a}1", "{a}2"}, true).why, Why::kTryAgain);
  EXPECT_EQ(ask({"MGET", "{a}1", "{a}2"}, true, false, ShardSet{}).why, Why::kLook);
  set("{a}1");
  set("{a}2");
  EXPECT_EQ(ask({"MGET", "{a}1", "{a}2"}, true).why, Why::kNone);
  EXPECT_EQ(ask({"MGET", "{a}1", "{a}2"}).why, Why::kMoved);
}

// With cluster-cross-slot local keys of several slots of this node may go together; the slots of "a" and "b" are two.
class RedirectAcross : public Redirect {
 protected:
  RedirectAcross() { options.cluster_cross_slot = ClusterCrossSlot::kLocal; }
};

TEST_F(RedirectAcross, SeveralSlotsOfThisNodeAreServedHere) {
  EXPECT_EQ(ask({"MSET", "a", "1", "b", "2"}).why, Why::kNone);
  EXPECT_EQ(ask({"SSUBSCRIBE", "a", "b"}).why, Why::kNone);
  EXPECT_EQ(ask({"EVAL", "return 1", "2", "a", "b"}).why, Why::kNone);
}

TEST_F(RedirectAcross, ASlotThatLivesElsewhereIsRefused) {
  give("b", 1);
  EXPECT_EQ(ask({"MGET", "a", "b"}).why, Why::kCrossSlot);
  EXPECT_EQ(ask({"MGET", "b", "a"}).why, Why::kCrossSlot);
  EXPECT_EQ(ask({"GET", "b"}).why, Why::kMoved);
  give("a", 1);  // both at the same other node, which may not serve them together
  EXPECT_EQ(ask({"MGET", "a", "b"}).why, Why::kCrossSlot);
  give("b", SlotMap::kNobody);
  EXPECT_EQ(ask({"MGET", "a", "b"}).why, Why::kCrossSlot);
}

TEST_F(RedirectAcross, AReplicaReadsAcrossItsMastersSlots) {
  give("a", 1);
  give("b", 1);
  map->master = 1;
  EXPECT_EQ(ask({"MGET", "a", "b"}, false, true).why, Why::kNone);
  EXPECT_EQ(ask({"MGET", "a", "b"}).why, Why::kCrossSlot);
  EXPECT_EQ(ask({"MSET", "a", "1", "b", "2"}, false, true).why, Why::kCrossSlot);
}

TEST_F(RedirectAcross, AMigratingSlotAmongThemIsServedWhileItsKeysAreHere) {
  map->open[key_slot("b")] = {.migrating_to = 2};
  set("{b}1");
  EXPECT_EQ(ask({"MGET", "{a}1", "{b}1", "{a}2"}).why, Why::kNone);  // that keys of "a" are missing says nothing
  EXPECT_EQ(ask({"MGET", "{b}1", "{a}1"}).why, Why::kNone);
  EXPECT_EQ(ask({"MGET", "{a}1", "{b}2"}).why, Why::kTryAgain);
  EXPECT_EQ(ask({"MGET", "{b}2", "{a}1"}).why, Why::kTryAgain);
  EXPECT_EQ(ask({"MGET", "{b}2", "{b}3"}).why, Why::kAsk);
  EXPECT_EQ(ask({"MGET", "{a}1", "{b}1"}, false, false, ShardSet{}).why, Why::kLook);
}

TEST_F(RedirectAcross, AnImportedSlotIsNotOursYet) {
  give("b", 1);
  map->open[key_slot("b")] = {.importing_from = 1};
  set("b");
  EXPECT_EQ(ask({"MGET", "a", "b"}, true).why, Why::kCrossSlot);
  EXPECT_EQ(ask({"MGET", "b", "a"}, true).why, Why::kCrossSlot);
}

TEST(SlotMaps, KeepsAMapForAsLongAsAThreadMayReadIt) {
  SlotMaps maps(map_of_three(), 2);
  maps.turn(0);
  maps.turn(1);
  const SlotMap& first = maps.current();
  maps.publish(map_of_three());
  EXPECT_EQ(maps.current().version, 1u);
  maps.turn(0);
  maps.publish(map_of_three());
  EXPECT_EQ(first.nodes.size(), 3u);  // thread 1 is in the turn in which it has read it (AddressSanitizer would tell)
  maps.turn(0);
  maps.turn(1);
  maps.publish(map_of_three());
  EXPECT_EQ(maps.current().version, 3u);
}

// --- on threads

TEST(RedirectOnThreads, APipelineOnAnOpenSlotKeepsItsOrder) {
  Rig r(2);
  std::string key = r.key_on(1);
  auto map = map_of_three();
  map->open[key_slot(key)] = {.migrating_to = 1};
  SlotMaps maps(std::move(map), 2);
  r.bare().engine().slot_maps = &maps;
  r.bare().engine().state.fetch_or(kStateCluster);
  KeyRef k(key);
  r.bare().shard(1).database(0).set_string(k, nullptr, "", Database::kDropExpiry, 0);
  r.settle();
  TestClient& c = r.client(0);
  std::string expected, all;
  for (char letter = 'a'; letter < 'h'; letter++) {
    c.requests.push_back({"append", key, std::string(1, letter)});
    expected += bulk(all += letter);
  }
  r.settle();
  EXPECT_EQ(c.received, expected);
}

TEST(RedirectOnThreads, WhatIsOnItsWayWhenTheSlotGoesIsSentAfterIt) {
  Rig r(2);
  std::string key = r.key_on(1);
  SlotMaps maps(map_of_three(), 2);
  r.bare().engine().slot_maps = &maps;
  r.bare().engine().state.fetch_or(kStateCluster);
  r.settle();
  TestClient& c = r.client(0);
  c.requests.push_back({"append", key, "x"});
  r.turn(0);  // admitted, and on its way to the other thread
  auto next = map_of_three();
  next->owners[key_slot(key)] = 2;
  maps.publish(std::move(next));
  r.settle();
  EXPECT_EQ(c.received, "-MOVED " + std::to_string(key_slot(key)) + " 10.0.0.3:3\r\n");
  EXPECT_EQ(r.bare().shard(1).database(0).size(), 0u);
}

}  // namespace
}  // namespace ringwood
