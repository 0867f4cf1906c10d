// XPENDING, XCLAIM and XAUTOCLAIM.
#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

class StreamClaimCommands : public CommandTest {
 protected:
  // A group g of stream s that has delivered entries 1-0 to n-0 to alice.
  void SetUp() override { run("XGROUP CREATE s g $ MKSTREAM"); }
  void deliver(int n) {
    for (int i = 1; i <= n; i++) run("XADD s " + std::to_string(i) + " f v");
    run("XREADGROUP GROUP g alice STREAMS s >");
    changes(), events();
  }
  static std::string entry_text(const std::string& id) { return "*2\r\n" + bulk(id) + bulks({"f", "v"}); }
  static std::string line(const std::string& id, const std::string& name, int64_t idle, int64_t deliveries) {
    return "*4\r\n" + bulk(id) + bulk(name) + number(idle) + number(deliveries);
  }
  std::string pending() { return run("XPENDING s g - + 100"); }
};
INSTANTIATE_TEST_SUITE_P(Shards, StreamClaimCommands, testing::Values(1, 2));

const std::string kBadId = "-ERR Invalid stream ID specified as stream command argument\r\n";
const std::string kNoGroup = error("NOGROUP No such key 's' or consumer group 'no'");
const std::string kNoKey = error("NOGROUP No such key 'none' or consumer group 'g'");

TEST_P(StreamClaimCommands, PendingIsSummedUp) {
  EXPECT_EQ(run("XPENDING s g"), "*4\r\n:0\r\n" + kNull + kNull + kNullArray);
  EXPECT_EQ(run3("XPENDING s g"), "*4\r\n:0\r\n_\r\n_\r\n_\r\n");
  deliver(3);
  run("XGROUP CREATECONSUMER s g idle");
  run("XCLAIM s g bob 0 2");
  EXPECT_EQ(run("XPENDING s g"),
            "*4\r\n:3\r\n" + bulk("1-0") + bulk("3-0") + "*2\r\n*2\r\n" + bulk("alice") + bulk("2") + "*2\r\n" + bulk("bob") + bulk("1"));
}

TEST_P(StreamClaimCommands, PendingIsListed) {
  deliver(3);
  server.advance_ms(50);
  run("XCLAIM s g bob 0 2");
  std::string a = line("1-0", "alice", 50, 1), b = line("2-0", "bob", 0, 2), c = line("3-0", "alice", 50, 1);
  EXPECT_EQ(pending(), "*3\r\n" + a + b + c);
  EXPECT_EQ(run("XPENDING s g - + 2"), "*2\r\n" + a + b);
  EXPECT_EQ(run("XPENDING s g (1 (3-0 9"), "*1\r\n" + b);
  EXPECT_EQ(run("XPENDING s g 2 + 9 alice"), "*1\r\n" + c);
  EXPECT_EQ(run("XPENDING s g - + 9 bob"), "*1\r\n" + b);
  EXPECT_EQ(run("XPENDING s g - + 9 nobody"), kEmpty);
  EXPECT_EQ(run("XPENDING s g IDLE 50 - + 9"), "*2\r\n" + a + c);
  EXPECT_EQ(run("XPENDING s g idle 50 - + 1 alice"), "*1\r\n" + a);
  EXPECT_EQ(run("XPENDING s g IDLE 51 - + 9"), kEmpty);
  EXPECT_EQ(run("XPENDING s g - + 0"), kEmpty);
  EXPECT_EQ(run("XPENDING s g - + -1"), kEmpty);
  EXPECT_EQ(run("XPENDING s g 3 1 9"), kEmpty);
}

TEST_P(StreamClaimCommands, PendingRefusesWhatIsWrong) {
  for (const char* line : {"XPENDING s g -", "XPENDING s g - +", "XPENDING s g IDLE 5 - +", "XPENDING s g IDLE 5 - + 5 c x y"})
    EXPECT_EQ(run(line), kSyntax) << line;
  EXPECT_EQ(run("XPENDING s g - + x"), kNotInteger);
  EXPECT_EQ(run("XPENDING s g IDLE x - + 5"), kNotInteger);
  EXPECT_EQ(run("XPENDING s g x + 5"), kBadId);
  EXPECT_EQ(run("XPENDING s g - x 5"), kBadId);
  EXPECT_EQ(run("XPENDING s g (18446744073709551615-18446744073709551615 + 5"), error("ERR invalid start ID for the interval"));
  EXPECT_EQ(run("XPENDING s g - (0-0 5"), error("ERR invalid end ID for the interval"));
  EXPECT_EQ(run("XPENDING s no"), kNoGroup);
  EXPECT_EQ(run("XPENDING none g - + 5"), kNoKey);
  run("SET str 1");
  EXPECT_EQ(run("XPENDING str g"), kWrongType);
}

TEST_P(StreamClaimCommands, ClaimingHandsEntriesOver) {
  deliver(4);
  server.advance_ms(100);
  EXPECT_EQ(run("XCLAIM s g bob 101 1"), kEmpty);
  EXPECT_EQ(events(), "xgroup-createconsumer s");
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(run("XCLAIM s g bob 100 1 3 9"), "*2\r\n" + entry_text("1-0") + entry_text("3-0"));
  EXPECT_EQ(changes(), 2);
  EXPECT_EQ(run("XCLAIM s g bob 0 2-0 JUSTID"), bulks({"2-0"}));
  EXPECT_EQ(pending(),
            "*4\r\n" + line("1-0", "bob", 0, 2) + line("2-0", "bob", 0, 1) + line("3-0", "bob", 0, 2) + line("4-0", "alice", 100, 1));
  EXPECT_EQ(run("XCLAIM s g bob 0 1 IDLE 7 RETRYCOUNT 9 JUSTID"), bulks({"1-0"}));
  EXPECT_EQ(run("XCLAIM s g bob 0 2 IDLE -7"), "*1\r\n" + entry_text("2-0"));  // in the future: now
  EXPECT_EQ(run("XCLAIM s g bob -5 3 TIME " + std::to_string(server.now_ms() - 11) + " retrycount -1"), "*1\r\n" + entry_text("3-0"));
  EXPECT_EQ(pending(),
            "*4\r\n" + line("1-0", "bob", 7, 9) + line("2-0", "bob", 0, 2) + line("3-0", "bob", 11, 3) + line("4-0", "alice", 100, 1));
  EXPECT_EQ(run("XCLAIM s g bob 0 4 TIME " + std::to_string(server.now_ms() + 11) + " justid"), bulks({"4-0"}));
  EXPECT_EQ(run("XPENDING s g 4 4 1"), "*1\r\n" + line("4-0", "bob", 0, 1));
}

TEST_P(StreamClaimCommands, ClaimingByForceMakesEntriesPending) {
  deliver(1);
  run("XADD s 2 f v");
  EXPECT_EQ(run("XCLAIM s g bob 0 2"), kEmpty);
  EXPECT_EQ(run("XCLAIM s g bob 1000 2 7 FORCE"), "*1\r\n" + entry_text("2-0"));
  EXPECT_EQ(run("XPENDING s g - + 9 bob"), "*1\r\n" + line("2-0", "bob", 0, 2));
  run("XACK s g 2");
  EXPECT_EQ(run("XCLAIM s g bob 0 2 FORCE JUSTID"), bulks({"2-0"}));
  EXPECT_EQ(run("XPENDING s g - + 9 bob"), "*1\r\n" + line("2-0", "bob", 0, 1));
}

TEST_P(StreamClaimCommands, ClaimingForgetsDeletedEntries) {
  deliver(2);
  run("XDEL s 1");
  run("XGROUP CREATECONSUMER s g bob");
  changes(), events();
  EXPECT_EQ(run("XCLAIM s g bob 1000 1"), kEmpty);
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(pending(), "*1\r\n" + line("2-0", "alice", 0, 1));
}

TEST_P(StreamClaimCommands, ClaimingMovesTheGroupOn) {
  deliver(1);
  run("XGROUP CREATECONSUMER s g bob");
  changes(), events();
  EXPECT_EQ(run("XCLAIM s g bob 0 9 LASTID 0-5"), kEmpty);
  EXPECT_EQ(changes(), 0);
  EXPECT_EQ(run("XCLAIM s g bob 0 9 LASTID 7-5"), kEmpty);
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(members("XINFO GROUPS s").at(5), "7-5");
  EXPECT_EQ(run("XCLAIM s g bob 0 1 LASTID 8-0 JUSTID"), bulks({"1-0"}));
  EXPECT_EQ(changes(), 1);  // the claim tells it
}

TEST_P(StreamClaimCommands, ClaimingRefusesWhatIsWrong) {
  deliver(1);
  EXPECT_EQ(run("XCLAIM s no bob x 1"), kNoGroup);
  EXPECT_EQ(run("XCLAIM none g bob x 1"), kNoKey);
  EXPECT_EQ(run("XCLAIM s g bob x 1"), error("ERR Invalid min-idle-time argument for XCLAIM"));
  EXPECT_EQ(run("XCLAIM s g bob 0 1 IDLE x"), error("ERR Invalid IDLE option argument for XCLAIM"));
  EXPECT_EQ(run("XCLAIM s g bob 0 1 TIME x"), error("ERR Invalid TIME option argument for XCLAIM"));
  EXPECT_EQ(run("XCLAIM s g bob 0 1 RETRYCOUNT x"), error("ERR Invalid RETRYCOUNT option argument for XCLAIM"));
  EXPECT_EQ(run("XCLAIM s g bob 0 1 LASTID x"), kBadId);
  EXPECT_EQ(run("XCLAIM s g bob 0 1 nonsense"), error("ERR Unrecognized XCLAIM option 'nonsense'"));
  EXPECT_EQ(run("XCLAIM s g bob 0 1 FORCE 2"), error("ERR Unrecognized XCLAIM option '2'"));
  EXPECT_EQ(run("XCLAIM s g bob 0 1 IDLE"), error("ERR Unrecognized XCLAIM option 'IDLE'"));
  EXPECT_EQ(run("XCLAIM s g bob 0"), error("ERR wrong number of arguments for 'xclaim' command"));
  EXPECT_EQ(run("XCLAIM s g bob 0 FORCE"), kEmpty);  // no ID at all
  EXPECT_EQ(run("XINFO CONSUMERS s g").substr(0, 4), "*2\r\n");
  run("SET str 1");
  EXPECT_EQ(run("XCLAIM str g bob 0 1"), kWrongType);
}

TEST_P(StreamClaimCommands, AutomaticClaimingWalksOverAllThatIsPending) {
  deliver(5);
  server.advance_ms(100);
  run("XCLAIM s g alice 0 2 JUSTID");
  changes();
  EXPECT_EQ(run("XAUTOCLAIM s g bob 100 - COUNT 2"), "*3\r\n" + bulk("4-0") + "*2\r\n" + entry_text("1-0") + entry_text("3-0") + kEmpty);
  EXPECT_EQ(changes(), 3);
  EXPECT_EQ(run("XAUTOCLAIM s g bob 100 4-0 JUSTID"), "*3\r\n" + bulk("0-0") + bulks({"4-0", "5-0"}) + kEmpty);
  EXPECT_EQ(run("XAUTOCLAIM s g bob 100 (5-0"), "*3\r\n" + bulk("0-0") + kEmpty + kEmpty);
  EXPECT_EQ(pending(), "*5\r\n" + line("1-0", "bob", 0, 2) + line("2-0", "alice", 0, 1) + line("3-0", "bob", 0, 2) +
                           line("4-0", "bob", 0, 1) + line("5-0", "bob", 0, 1));
}

TEST_P(StreamClaimCommands, AutomaticClaimingTellsDeletedEntries) {
  deliver(4);
  run("XDEL s 1");
  run("XDEL s 3");
  EXPECT_EQ(run("XAUTOCLAIM s g bob 0 - COUNT 3"), "*3\r\n" + bulk("4-0") + "*1\r\n" + entry_text("2-0") + bulks({"1-0", "3-0"}));
  EXPECT_EQ(pending(), "*2\r\n" + line("2-0", "bob", 0, 2) + line("4-0", "alice", 0, 1));
}

TEST_P(StreamClaimCommands, AutomaticClaimingLooksAtTenTimesItsCount) {
  deliver(25);
  EXPECT_EQ(run("XAUTOCLAIM s g bob 1000 - COUNT 2"), "*3\r\n" + bulk("21-0") + kEmpty + kEmpty);
}

TEST_P(StreamClaimCommands, AutomaticClaimingRefusesWhatIsWrong) {
  EXPECT_EQ(run("XAUTOCLAIM s g bob x -"), error("ERR Invalid min-idle-time argument for XAUTOCLAIM"));
  EXPECT_EQ(run("XAUTOCLAIM s g bob 0 x"), kBadId);
  EXPECT_EQ(run("XAUTOCLAIM s g bob 0 (18446744073709551615-18446744073709551615"), error("ERR invalid start ID for the interval"));
  for (const char* count : {"0", "x", "-1", "8070450532247928833"})
    EXPECT_EQ(run(std::string("XAUTOCLAIM s g bob 0 - COUNT ") + count), error("ERR COUNT must be > 0")) << count;
  EXPECT_EQ(run("XAUTOCLAIM s g bob 0 - COUNT"), kSyntax);
  EXPECT_EQ(run("XAUTOCLAIM s g bob 0 - nonsense"), kSyntax);
  EXPECT_EQ(run("XAUTOCLAIM s no bob 0 -"), kNoGroup);
  EXPECT_EQ(run("XAUTOCLAIM none g bob 0 -"), kNoKey);
  run("SET str 1");
  EXPECT_EQ(run("XAUTOCLAIM str g bob 0 -"), kWrongType);
}

}  // namespace
}  // namespace ringwood
