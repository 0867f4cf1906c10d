#include "cluster/replica_handshake.h"

#include <gtest/gtest.h>

#include "cluster/stream_frame.h"

namespace ringwood {
namespace {

using State = ReplicaHandshake::State;
const OwnedBytes kId(40, 'a');
const OwnedBytes kOther(40, 'b');

ReplicaHandshake::Settings plain() {
  ReplicaHandshake::Settings s;
  s.port = 7000;
  s.version = "7.2.6";
  return s;
}

// Brings a machine of these settings into a state by the answers of a good master.
ReplicaHandshake at(State state, ReplicaHandshake::Settings s) {
  ReplicaHandshake h(std::move(s));
  h.begin();
  for (int i = 0; i < 10 && h.state() != state; i++) h.line(h.state() == State::kPing ? "+PONG" : "+OK");
  EXPECT_EQ(h.state(), state);
  return h;
}

struct Transition {
  State from;
  Bytes line;
  State to;
};

TEST(ReplicaHandshake, TransitionTable) {
  ReplicaHandshake::Settings full = plain();
  full.password = "secret";
  full.address = "10.0.0.1";
  full.known_id = kId;
  full.known_offset = 99;
  const OwnedBytes full_line = "+FULLRESYNC " + kOther + " 1234", same = "+CONTINUE " + kId, changed = "+CONTINUE " + kOther;
  const Transition table[] = {
      {State::kPing, "+PONG", State::kAuth},
      {State::kPing, "-NOAUTH Authentication required.", State::kAuth},
      {State::kPing, "-NOPERM no", State::kAuth},
      {State::kPing, "-LOADING wait", State::kFailed},
      {State::kAuth, "+OK", State::kPort},
      {State::kAuth, "-WRONGPASS no", State::kFailed},
      {State::kPort, "+OK", State::kAddress},
      {State::kPort, "-ERR what", State::kAddress},
      {State::kAddress, "+OK", State::kCapabilities},
      {State::kAddress, "-ERR what", State::kCapabilities},
      {State::kCapabilities, "-ERR what", State::kVersion},
      {State::kVersion, "-ERR what", State::kPsync},
      {State::kPsync, "", State::kPsync},
      {State::kPsync, full_line, State::kFull},
      {State::kPsync, "+FULLRESYNC short 12", State::kFailed},
      {State::kPsync, "+FULLRESYNC", State::kFailed},
      {State::kPsync, "+CONTINUE", State::kContinue},
      {State::kPsync, same, State::kContinue},
      {State::kPsync, changed, State::kContinue},
      {State::kPsync, "-NOMASTERLINK no", State::kFailed},
      {State::kPsync, "-LOADING wait", State::kFailed},
      {State::kPsync, "-ERR unknown command", State::kOldSync},
      {State::kPsync, "hello", State::kOldSync},
  };
  for (const Transition& t : table) {
    ReplicaHandshake h = at(t.from, full);
    h.line(t.line);
    EXPECT_EQ(h.state(), t.to) << static_cast<int>(t.from) << " on " << t.line;
  }
}

TEST(ReplicaHandshake, PassesOverWhatNobodyNeeds) {
  ReplicaHandshake h(plain());
  EXPECT_EQ(h.begin().send, "*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(h.line("+PONG").send, "*3\r\n$8\r\nREPLCONF\r\n$14\r\nlistening-port\r\n$4\r\n7000\r\n");
  EXPECT_EQ(h.line("+OK").send,
            "*7\r\n$8\r\nREPLCONF\r\n$4\r\ncapa\r\n$3\r\neof\r\n$4\r\ncapa\r\n$6\r\npsync2\r\n$4\r\ncapa\r\n$16\r\nringwood-frames1\r\n");
  EXPECT_EQ(h.line("+OK").send, "*3\r\n$8\r\nREPLCONF\r\n$7\r\nversion\r\n$5\r\n7.2.6\r\n");
  EXPECT_EQ(h.line("+OK").send, "*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n");
}

TEST(ReplicaHandshake, AsksForTheByteBehindTheLastOne) {
  ReplicaHandshake::Settings s = plain();
  s.known_id = kId;
  s.known_offset = 99;
  ReplicaHandshake h = at(State::kVersion, s);
  EXPECT_EQ(h.line("+OK").send, "*3\r\n$5\r\nPSYNC\r\n$40\r\n" + kId + "\r\n$3\r\n100\r\n");
  h.line("+CONTINUE " + kOther);
  EXPECT_EQ(h.id(), kOther);
  EXPECT_EQ(h.offset(), 99);
}

TEST(ReplicaHandshake, AMasterWithoutIdsLeavesTheKnownOne) {
  ReplicaHandshake::Settings s = plain();
  s.known_id = kId;
  ReplicaHandshake h = at(State::kPsync, s);
  h.line("+CONTINUE");
  EXPECT_EQ(h.id(), kId);
}

TEST(ReplicaHandshake, FramesAreForWhoHasAskedForThem) {
  for (bool frames : {true, false}) {
    ReplicaHandshake::Settings s = plain();
    s.known_id = kId;
    s.known_offset = 7;
    s.frames = frames;
    ReplicaHandshake plainly = at(State::kPsync, s), go_on = at(State::kPsync, s), full = at(State::kPsync, s);
    plainly.line("+CONTINUE " + kOther);
    EXPECT_EQ(plainly.state(), State::kContinue);
    EXPECT_FALSE(plainly.framed());
    go_on.line("+CONTINUE " + kOther + OwnedBytes(kFramesWord));
    full.line("+FULLRESYNC " + kOther + " 12" + OwnedBytes(kFramesWord));
    EXPECT_EQ(go_on.framed(), frames);
    EXPECT_EQ(full.framed(), frames);
    EXPECT_EQ(full.state(), frames ? State::kFull : State::kFailed);
    if (!frames) continue;
    EXPECT_EQ(go_on.id(), kOther);
    EXPECT_EQ(full.offset(), 12);
  }
}

TEST(ReplicaHandshake, UserAndPassword) {
  ReplicaHandshake::Settings s = plain();
  s.user = "me", s.password = "secret";
  ReplicaHandshake h(s);
  h.begin();
  EXPECT_EQ(h.line("-NOAUTH x").send, "*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$6\r\nsecret\r\n");
}

TEST(ReplicaHandshake, AFailoverIsNeverTurnedIntoAPlainSync) {
  ReplicaHandshake::Settings s = plain();
  s.known_id = kId, s.failover = true;
  ReplicaHandshake h = at(State::kVersion, s);
  EXPECT_NE(h.line("+OK").send.find("FAILOVER"), OwnedBytes::npos);
  EXPECT_EQ(h.line("-NOMASTERLINK later").send, "");
  EXPECT_TRUE(h.failed());
  EXPECT_TRUE(h.refused());
}

}  // namespace
}  // namespace ringwood
