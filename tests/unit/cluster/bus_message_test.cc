#include "cluster/bus_message.h"

#include <gtest/gtest.h>

#include "tests/support/seed.h"

namespace ringwood::cluster {
namespace {

NodeId name(char c) {
  NodeId id;
  id.text.fill(c);
  return id;
}

BusMessage ping() {
  BusMessage m;
  m.type = BusType::kPing;
  m.sender = name('a');
  m.master = name('b');
  m.current_epoch = 0x0102030405060708;
  m.config_epoch = 9;
  m.offset = 1000;
  m.slots.set(0);
  m.slots.set(9);
  m.slots.set(16383);
  m.ip = "10.1.2.3";
  m.port = 6379;
  m.second_port = 6380;
  m.cluster_port = 16379;
  m.flags = kNodeReplica | kNodeMyself;
  m.cluster_ok = true;
  m.gossip.push_back({name('c'), 7, 8, "::1", 1, 2, kNodeMaster | kNodePfail, 3});
  m.gossip.push_back({name('d'), 0, 0, "", 4, 5, kNodeNoAddress, 6});
  m.hostname = "host.example";
  m.human_name = "one";
  m.shard = name('e');
  m.forgotten.push_back({name('f'), 60});
  return m;
}

OwnedBytes tell(const BusMessage& m) {
  OwnedBytes text = OwnedBytes(bus_type_name(m.type)) + " " + OwnedBytes(m.sender.view()) + " " + OwnedBytes(m.master.view());
  for (uint64_t n : {m.current_epoch, m.config_epoch, m.offset, uint64_t{m.port}, uint64_t{m.second_port}, uint64_t{m.cluster_port},
                     uint64_t{m.flags}, uint64_t{m.cluster_ok}, m.about_epoch})
    text += " " + std::to_string(n);
  text += " " + m.ip + " " + m.hostname + " " + m.human_name + " " + m.channel + " " + m.payload + " " + OwnedBytes(m.about.view());
  m.slots.for_each_range([&](int a, int b) { text += " " + std::to_string(a) + "-" + std::to_string(b); });
  m.about_slots.for_each_range([&](int a, int b) { text += " about " + std::to_string(a) + "-" + std::to_string(b); });
  for (const Gossip& g : m.gossip) {
    text += " gossip " + OwnedBytes(g.id.view()) + " " + g.ip;
    for (uint64_t n : {uint64_t{g.ping_sent_s}, uint64_t{g.pong_received_s}, uint64_t{g.port}, uint64_t{g.cluster_port}, uint64_t{g.flags},
                       uint64_t{g.second_port}})
      text += " " + std::to_string(n);
  }
  if (m.shard) text += " shard " + OwnedBytes(m.shard->view());
  for (const Forgotten& f : m.forgotten) text += " forgotten " + OwnedBytes(f.id.view()) + " " + std::to_string(f.seconds);
  return text;
}

void goes_round(const BusMessage& m) {
  OwnedBytes bytes = encode(m);
  EXPECT_EQ(frame_size(bytes), static_cast<int64_t>(bytes.size()));
  BusMessage back;
  EXPECT_EQ(decode(bytes, back), BusError::kNone);
  EXPECT_EQ(tell(back), tell(m));
}

TEST(BusMessage, EveryTypeSaysTheSameAfterTheJourney) {
  goes_round(ping());
  BusMessage m = ping();
  m.gossip.clear(), m.forgotten.clear(), m.shard.reset(), m.hostname.clear(), m.human_name.clear();
  for (BusType t : {BusType::kPing, BusType::kPong, BusType::kMeet, BusType::kAuthRequest, BusType::kAuthAck, BusType::kMfStart}) {
    m.type = t;
    goes_round(m);
  }
  m.type = BusType::kFail;
  m.about = name('9');
  goes_round(m);
  m.type = BusType::kUpdate;
  m.about_epoch = 77;
  m.about_slots.set(100);
  m.about_slots.set(101);
  goes_round(m);
  m = ping();
  m.gossip.clear(), m.forgotten.clear(), m.shard.reset(), m.hostname.clear(), m.human_name.clear();
  m.type = BusType::kPublishShard;
  m.channel = "news";
  m.payload = OwnedBytes(3000, 'x');
  goes_round(m);
}

// Offsets of Redis 7's clusterMsg, as its own assertions state them.
TEST(BusMessage, StandsWhereRedisLooksForIt) {
  OwnedBytes b = encode(ping());
  EXPECT_EQ(b.substr(0, 4), "RCmb");
  EXPECT_EQ(b.substr(8, 6), OwnedBytes("\0\1\x18\xeb\0\0", 6));  // version, port, type
  EXPECT_EQ(b.substr(14, 2), OwnedBytes("\0\2", 2));             // gossip entries
  EXPECT_EQ(b.substr(16, 8), OwnedBytes("\1\2\3\4\5\6\7\10", 8));
  EXPECT_EQ(b.substr(40, 40), OwnedBytes(40, 'a'));
  EXPECT_EQ(b[80], 1);
  EXPECT_EQ(b[81], 2);
  EXPECT_EQ(static_cast<unsigned char>(b[80 + 2047]), 0x80);
  EXPECT_EQ(b.substr(2128, 40), OwnedBytes(40, 'b'));
  EXPECT_EQ(b.substr(2168, 9), OwnedBytes("10.1.2.3\0", 9));
  EXPECT_EQ(b.substr(2214, 2), OwnedBytes("\0\4", 2));  // extensions
  EXPECT_EQ(b.substr(2246, 8), OwnedBytes("\x18\xec\x3f\xfb\0\x12\0\4", 8));
  EXPECT_EQ(b.substr(2256, 40), OwnedBytes(40, 'c'));
  EXPECT_EQ(b.substr(2256 + 104, 40), OwnedBytes(40, 'd'));
  // The first extension: length 24, type hostname, padded with zeros to eight bytes.
  EXPECT_EQ(b.substr(2256 + 208, 24), OwnedBytes("\0\0\0\x18\0\0\0\0host.example\0\0\0\0", 24));
  EXPECT_EQ(encode(BusMessage{.type = BusType::kMfStart}).size(), 2256u);
}

TEST(BusMessage, OfOldVersionsHasNoExtensions) {
  BusMessage m = ping();
  m.hostname.clear(), m.human_name.clear(), m.shard.reset(), m.forgotten.clear();
  OwnedBytes b = encode(m);
  EXPECT_EQ(b.size(), 2256u + 2 * 104);
  EXPECT_EQ(b[2253] & kMessageExtensions, 0);
}

TEST(BusMessage, AFrameIsMeasuredFromItsFirstBytes) {
  OwnedBytes b = encode(ping());
  for (size_t n : {0, 1, 4, 7}) EXPECT_EQ(frame_size(Bytes(b).substr(0, n)), 0) << n;
  EXPECT_EQ(frame_size(Bytes(b).substr(0, 8)), static_cast<int64_t>(b.size()));
  EXPECT_EQ(frame_size("GET / HTTP/1.1"), -1);
  EXPECT_EQ(frame_size("RX"), -1);
  EXPECT_EQ(frame_size(Bytes("RCmb\0\0\0\1", 8)), -1);          // shorter than a header
  EXPECT_EQ(frame_size(Bytes("RCmb\xff\xff\xff\xff", 8)), -1);  // nothing is that long
}

TEST(BusMessage, WhatDoesNotFitItsLengthIsRefused) {
  const OwnedBytes good = encode(ping());
  BusMessage m;
  EXPECT_EQ(decode(Bytes(good).substr(0, 2000), m), BusError::kTooShort);
  EXPECT_NE(decode(Bytes(good).substr(0, good.size() - 1), m), BusError::kNone);
  EXPECT_NE(decode(good + "x", m), BusError::kNone);
  OwnedBytes b = good;
  b[9] = 2;
  EXPECT_EQ(decode(b, m), BusError::kVersion);
  b = good;
  b[13] = 99;
  EXPECT_EQ(decode(b, m), BusError::kUnknownType);
  b = good;
  b[14] = 9;  // gossip beyond the end
  EXPECT_EQ(decode(b, m), BusError::kLength);
  b = good;
  b[40] = ' ';  // not a name
  EXPECT_EQ(decode(b, m), BusError::kName);
  b = good;
  b[2170] = '\n';  // an address that would break nodes.conf
  EXPECT_EQ(decode(b, m), BusError::kName);
  b = good;
  b[2256 + 208 + 3] = 7;  // an extension's length
  EXPECT_EQ(decode(b, m), BusError::kExtension);
  BusMessage p = ping();
  p.type = BusType::kPublish;
  p.channel = "c";
  p.payload = "p";
  b = encode(p);
  b[2256] = static_cast<char>(0xff);
  EXPECT_EQ(decode(b, m), BusError::kLength);
}

TEST(BusMessage, NoDamageGoesBeyondAnError) {
  Seeded seed;
  const OwnedBytes good = encode(ping());
  for (int i = 0; i < 20000; i++) {
    OwnedBytes b = good;
    for (uint64_t n = 1 + seed.below(4); n; n--)
      b[seed.chance(50) ? seed.below(b.size()) : 2200 + seed.below(b.size() - 2200)] = static_cast<char>(seed.next());
    if (seed.chance(30)) b.resize(seed.below(b.size()));
    BusMessage m, again;
    if (decode(b, m) != BusError::kNone) continue;
    ASSERT_EQ(decode(encode(m), again), BusError::kNone);
    ASSERT_EQ(tell(again), tell(m));
  }
}

}  // namespace
}  // namespace ringwood::cluster
