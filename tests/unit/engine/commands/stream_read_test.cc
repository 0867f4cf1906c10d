#include "engine/commands/stream_read.h"

#include "engine/exec/call.h"
#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

class StreamReadCommands : public CommandTest {
 protected:
  // Entries whose only field is f = v.
  static std::string entries(const std::vector<std::string>& ids) {
    std::string text = "*" + std::to_string(ids.size()) + "\r\n";
    for (const std::string& id : ids) text += "*2\r\n" + bulk(id) + bulks({"f", "v"});
    return text;
  }
  static std::string one(const std::string& key, const std::string& content) { return "*1\r\n*2\r\n" + bulk(key) + content; }
  void add(const std::string& key, int from, int to) {
    for (int i = from; i <= to; i++) run("XADD " + key + " " + std::to_string(i) + " f v");
  }
  std::string pending(const std::string& key) { return run("XPENDING " + key + " g - + 10"); }
};
INSTANTIATE_TEST_SUITE_P(Shards, StreamReadCommands, testing::Values(1, 2));

const std::string kBadId = "-ERR Invalid stream ID specified as stream command argument\r\n";
std::string no_group(const std::string& key) {
  return error("NOGROUP No such key '" + key + "' or consumer group 'g' in XREADGROUP with GROUP option");
}

TEST_P(StreamReadCommands, ReadingAnswersWhatIsAboveTheIds) {
  add("a", 1, 3);
  add("b", 1, 2);
  EXPECT_EQ(run("XREAD STREAMS a 0"), one("a", entries({"1-0", "2-0", "3-0"})));
  EXPECT_EQ(run("XREAD STREAMS a 2-0"), one("a", entries({"3-0"})));
  EXPECT_EQ(run("XREAD COUNT 1 STREAMS a 1"), one("a", entries({"2-0"})));
  EXPECT_EQ(run("xread count -5 streams a 1"), one("a", entries({"2-0", "3-0"})));
  EXPECT_EQ(run("XREAD STREAMS a b none a 2 0 0 3"),
            "*2\r\n*2\r\n" + bulk("a") + entries({"3-0"}) + "*2\r\n" + bulk("b") + entries({"1-0", "2-0"}));
  EXPECT_EQ(run3("XREAD STREAMS a b 2 1"), "%2\r\n" + bulk("a") + entries({"3-0"}) + bulk("b") + entries({"2-0"}));
  for (const char* line : {"XREAD STREAMS a 3", "XREAD STREAMS a $", "XREAD STREAMS none 0", "XREAD STREAMS none $",
                           "XREAD STREAMS a 18446744073709551615-18446744073709551615"}) {
    EXPECT_EQ(run(line), kNullArray) << line;
    EXPECT_EQ(run3(line), kNull3) << line;
  }
  EXPECT_EQ(run("XREAD BLOCK 0 STREAMS a 2"), one("a", entries({"3-0"})));  // it need not wait
  run("XDEL a 3");
  EXPECT_EQ(run("XREAD STREAMS a 2"), kNullArray);
}

TEST_P(StreamReadCommands, ReadingRefusesWhatIsWrong) {
  add("a", 1, 1);
  EXPECT_EQ(run("XREAD STREAMS a b 0"),
            error("ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified."));
  EXPECT_EQ(run("XREAD COUNT 1 STREAMS"), kSyntax);
  EXPECT_EQ(run("XREAD COUNT 1 JUNK a 0"), kSyntax);
  EXPECT_EQ(run("XREAD COUNT 1 BLOCK 5"), kSyntax);
  EXPECT_EQ(run("XREAD COUNT x STREAMS a 0"), kNotInteger);
  EXPECT_EQ(run("XREAD BLOCK x STREAMS a 0"), error("ERR timeout is not an integer or out of range"));
  EXPECT_EQ(run("XREAD BLOCK 1.5 STREAMS a 0"), error("ERR timeout is not an integer or out of range"));
  EXPECT_EQ(run("XREAD BLOCK -1 STREAMS a 0"), error("ERR timeout is negative"));
  EXPECT_EQ(run("XREAD BLOCK 9223372036854775807 STREAMS a 0"), error("ERR timeout is out of range"));
  EXPECT_EQ(run("XREAD GROUP g c STREAMS a 0"), error("ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."));
  EXPECT_EQ(run("XREAD NOACK STREAMS a 0"), error("ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."));
  EXPECT_EQ(run("XREAD STREAMS a >"),
            error("ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."));
  EXPECT_EQ(run("XREAD STREAMS a x"), kBadId);
  EXPECT_EQ(run("XREAD STREAMS a -"), kBadId);
  EXPECT_EQ(run("XREAD STREAMS a"), error("ERR wrong number of arguments for 'xread' command"));
  run("SET str 1");
  EXPECT_EQ(run("XREAD STREAMS a str 0 0"), kWrongType);
  EXPECT_EQ(run("XREADGROUP GROUP g c STREAMS str >"), kWrongType);
}

TEST_P(StreamReadCommands, GroupReadingRefusesWhatIsWrong) {
  add("a", 1, 1);
  run("XGROUP CREATE a g 0");
  EXPECT_EQ(run("XREADGROUP COUNT 1 COUNT 1 STREAMS a >"), error("ERR Missing GROUP option for XREADGROUP"));
  EXPECT_EQ(run("XREADGROUP GROUP g c STREAMS a b >"),
            error("ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."));
  EXPECT_EQ(run("XREADGROUP GROUP g c STREAMS a $"),
            error("ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a "
                  "proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."));
  EXPECT_EQ(run("XREADGROUP GROUP g c STREAMS a x"), kBadId);
  EXPECT_EQ(run("XREADGROUP GROUP g c STREAMS none >"), no_group("none"));
  add("b", 1, 1);
  EXPECT_EQ(run("XREADGROUP GROUP g c STREAMS a b > >"), no_group("b"));
  EXPECT_EQ(run("XREADGROUP GROUP g c JUNK STREAMS a >"), kSyntax);
  EXPECT_EQ(pending("a"), kEmpty);  // nothing was delivered meanwhile
}

TEST_P(StreamReadCommands, AGroupDeliversEachEntryOnce) {
  run("XGROUP CREATE a g $ MKSTREAM");
  add("a", 1, 4);
  changes(), events();
  EXPECT_EQ(run("XREADGROUP GROUP g alice COUNT 2 STREAMS a >"), one("a", entries({"1-0", "2-0"})));
  EXPECT_EQ(events(), "xgroup-createconsumer a");
  EXPECT_EQ(changes(), 2);
  EXPECT_EQ(run3("XREADGROUP GROUP g bob STREAMS a >"), "%1\r\n" + bulk("a") + entries({"3-0", "4-0"}));
  EXPECT_EQ(run("XREADGROUP GROUP g bob STREAMS a >"), kNullArray);
  EXPECT_EQ(run("XREADGROUP GROUP g bob STREAMS a 18446744073709551615-18446744073709551615"), kNullArray);
  EXPECT_EQ(changes(), 2);
  auto line = [](const char* id, const char* name) { return "*4\r\n" + bulk(id) + bulk(name) + ":0\r\n:1\r\n"; };
  EXPECT_EQ(pending("a"), "*4\r\n" + line("1-0", "alice") + line("2-0", "alice") + line("3-0", "bob") + line("4-0", "bob"));
  EXPECT_NE(run("XINFO GROUPS a").find("entries-read\r\n:4\r\n$3\r\nlag\r\n:0\r\n"), std::string::npos);
  EXPECT_EQ(run("XREADGROUP GROUP g new BLOCK 5 STREAMS a 0"), one("a", kEmpty));  // history does not wait
  EXPECT_EQ(events(), "xgroup-createconsumer a, xgroup-createconsumer a");
}

TEST_P(StreamReadCommands, HistoryIsDeliveredAgain) {
  run("XGROUP CREATE a g $ MKSTREAM");
  add("a", 1, 3);
  run("XREADGROUP GROUP g alice STREAMS a >");
  run("XDEL a 2");
  server.advance_ms(1000);
  changes(), events();
  std::string gone = "*2\r\n" + bulk("2-0") + kNullArray;
  EXPECT_EQ(run("XREADGROUP GROUP g alice COUNT 2 STREAMS a 0"), one("a", "*2\r\n" + entries({"1-0"}).substr(4) + gone));
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(run3("XREADGROUP GROUP g alice STREAMS a 1"),
            "%1\r\n" + bulk("a") + "*2\r\n*2\r\n" + bulk("2-0") + kNull3 + entries({"3-0"}).substr(4));
  EXPECT_EQ(run("XREADGROUP GROUP g bob STREAMS a 0"), one("a", kEmpty));
  auto line = [](const char* id, int idle, int deliveries) {
    return "*4\r\n" + bulk(id) + bulk("alice") + number(idle) + number(deliveries);
  };
  EXPECT_EQ(pending("a"), "*3\r\n" + line("1-0", 0, 2) + line("2-0", 1000, 1) + line("3-0", 0, 2));
}

TEST_P(StreamReadCommands, WithoutAcknowledgementNothingIsPending) {
  run("XGROUP CREATE a g $ MKSTREAM");
  add("a", 1, 2);
  EXPECT_EQ(run("XREADGROUP GROUP g alice NOACK STREAMS a >"), one("a", entries({"1-0", "2-0"})));
  EXPECT_EQ(pending("a"), kEmpty);
  EXPECT_EQ(run("XREADGROUP GROUP g alice STREAMS a >"), kNullArray);
  EXPECT_NE(run("XINFO STREAM a FULL").find("active-time\r\n:-1"), std::string::npos);
}

TEST_P(StreamReadCommands, AGroupThatIsSetBackTakesEntriesFromTheirOwners) {
  run("XGROUP CREATE a g $ MKSTREAM");
  add("a", 1, 2);
  run("XREADGROUP GROUP g alice STREAMS a >");
  run("XGROUP SETID a g 1");
  server.advance_ms(10);
  EXPECT_EQ(run("XREADGROUP GROUP g bob STREAMS a >"), one("a", entries({"2-0"})));
  EXPECT_EQ(pending("a"),
            "*2\r\n*4\r\n" + bulk("1-0") + bulk("alice") + ":10\r\n:1\r\n*4\r\n" + bulk("2-0") + bulk("bob") + ":0\r\n:1\r\n");
  EXPECT_EQ(run("XGROUP DELCONSUMER a g alice"), number(1));
}

TEST_P(StreamReadCommands, ReadersCountTheirEntriesAsFarAsTheyCan) {
  run("XGROUP CREATE a g $ MKSTREAM");
  auto progress = [this] {
    std::string reply = run("XINFO GROUPS a");
    return reply.substr(reply.find("entries-read") + 14);
  };
  add("a", 1, 5);
  run("XREADGROUP GROUP g alice COUNT 1 STREAMS a >");
  EXPECT_EQ(progress(), ":1\r\n$3\r\nlag\r\n:4\r\n");
  run("XDEL a 4");
  run("XREADGROUP GROUP g alice COUNT 1 STREAMS a >");
  EXPECT_EQ(progress(), kNull + "$3\r\nlag\r\n" + kNull);
  run("XREADGROUP GROUP g alice STREAMS a >");
  EXPECT_EQ(progress(), ":5\r\n$3\r\nlag\r\n:0\r\n");
}

TEST_P(StreamReadCommands, SeveralStreamsMayLieOnSeveralShards) {
  for (int i = 0; i < 8; i++) {
    run("XGROUP CREATE k" + std::to_string(i) + " g $ MKSTREAM");
    add("k" + std::to_string(i), 1, 1);
  }
  std::string expected = "*8\r\n", keys, ids;
  for (int i = 0; i < 8; i++) {
    expected += "*2\r\n" + bulk("k" + std::to_string(i)) + entries({"1-0"});
    keys += " k" + std::to_string(i);
    ids += " >";
  }
  EXPECT_EQ(run("XREADGROUP GROUP g alice STREAMS" + keys + ids), expected);
  EXPECT_EQ(run("XREADGROUP GROUP g alice STREAMS" + keys + ids), kNullArray);
  EXPECT_EQ(changes(), 8 * 4);
}

TEST_P(StreamReadCommands, WaitWithTheIdsThatTheyFound) {
  add("a", 1, 3);
  std::vector<Bytes> args{"XREAD", "BLOCK", "0", "STREAMS", "a", "none", "a", "$", "$", "7"};
  stream_read::Request r{.first_key = 4, .streams = 3};
  r.wanted.resize(3);
  r.wanted[0].after = {3, 0};
  std::vector<OwnedBytes> expected{"XREAD", "BLOCK", "0", "STREAMS", "a", "none", "a", "3-0", "0-0", "7"};
  EXPECT_EQ(stream_read::arguments_to_wait_with(args, r), expected);
}

TEST_P(StreamReadCommands, TheirKeysStandBehindTheirOwnWordStreams) {
  EXPECT_EQ(run("COMMAND GETKEYS XREAD COUNT 1 STREAMS a b 0 0"), bulks({"a", "b"}));
  EXPECT_EQ(run("COMMAND GETKEYS XREADGROUP GROUP g streams STREAMS a >"), bulks({"a"}));
  EXPECT_EQ(run("COMMAND GETKEYS XREAD COUNT 1 a 0"), error("ERR Invalid arguments specified for command"));
  // A consumer of the name misleads the key specification; the command's own function knows better, and so the shard is the right one.
  add("a", 1, 1);
  run("XGROUP CREATE a g 0");
  EXPECT_EQ(run("XREADGROUP COUNT 9 GROUP g STREAMS STREAMS a >"), one("a", entries({"1-0"})));
}

}  // namespace
}  // namespace ringwood
