// XINFO.
#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

class StreamInfoCommands : public CommandTest {
 protected:
  static std::string field(const std::string& name, const std::string& value) { return bulk(name) + value; }
  static std::string entry_text(const std::string& id) { return "*2\r\n" + bulk(id) + bulks({"f", "v"}); }
  void fill() {
    run("XGROUP CREATE s g $ MKSTREAM");
    for (int i = 1; i <= 3; i++) run("XADD s " + std::to_string(i) + " f v");
    server.advance_ms(10);
    delivered_ = server.now_ms();
    run("XREADGROUP GROUP g alice COUNT 2 STREAMS s >");
    run("XGROUP CREATECONSUMER s g bob");
    run("XDEL s 1");
    server.advance_ms(5);
  }
  int64_t delivered_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Shards, StreamInfoCommands, testing::Values(1, 2));

TEST_P(StreamInfoCommands, AStreamIsDescribed) {
  fill();
  std::string common = field("length", number(2)) + field("radix-tree-keys", number(1)) + field("radix-tree-nodes", number(2)) +
                       field("last-generated-id", bulk("3-0")) + field("max-deleted-entry-id", bulk("1-0")) +
                       field("entries-added", number(3)) + field("recorded-first-entry-id", bulk("2-0"));
  std::string rest = field("groups", number(1)) + field("first-entry", entry_text("2-0")) + field("last-entry", entry_text("3-0"));
  EXPECT_EQ(run("XINFO STREAM s"), "*20\r\n" + common + rest);
  EXPECT_EQ(run3("XINFO STREAM s"), "%10\r\n" + common + rest);
  run("XTRIM s MAXLEN 0");
  std::string reply = run("XINFO STREAM s");
  EXPECT_NE(reply.find(field("radix-tree-keys", number(0)) + field("radix-tree-nodes", number(1))), std::string::npos);
  EXPECT_NE(reply.find(field("first-entry", kNull) + field("last-entry", kNull)), std::string::npos);
}

TEST_P(StreamInfoCommands, AStreamIsDescribedInFull) {
  fill();
  std::string time = number(delivered_);
  auto text = [&](bool three, const std::string& entries, const std::string& of_group, const std::string& of_alice) {
    auto map = [three](int n) { return three ? "%" + std::to_string(n) + "\r\n" : "*" + std::to_string(2 * n) + "\r\n"; };
    std::string alice = map(5) + field("name", bulk("alice")) + field("seen-time", time) + field("active-time", time) +
                        field("pel-count", number(2)) + field("pending", of_alice);
    std::string bob = map(5) + field("name", bulk("bob")) + field("seen-time", time) + field("active-time", number(-1)) +
                      field("pel-count", number(0)) + field("pending", kEmpty);
    std::string group = map(7) + field("name", bulk("g")) + field("last-delivered-id", bulk("2-0")) + field("entries-read", number(2)) +
                        field("lag", number(1)) + field("pel-count", number(2)) + field("pending", of_group) +
                        field("consumers", "*2\r\n" + alice + bob);
    return map(9) + field("length", number(2)) + field("radix-tree-keys", number(1)) + field("radix-tree-nodes", number(2)) +
           field("last-generated-id", bulk("3-0")) + field("max-deleted-entry-id", bulk("1-0")) + field("entries-added", number(3)) +
           field("recorded-first-entry-id", bulk("2-0")) + field("entries", entries) + field("groups", "*1\r\n" + group);
  };
  auto of_group = [&](const char* id) { return "*4\r\n" + bulk(id) + bulk("alice") + time + number(1); };
  auto of_alice = [&](const char* id) { return "*3\r\n" + bulk(id) + time + number(1); };
  std::string entries = "*2\r\n" + entry_text("2-0") + entry_text("3-0");
  std::string group = "*2\r\n" + of_group("1-0") + of_group("2-0"), alice = "*2\r\n" + of_alice("1-0") + of_alice("2-0");
  EXPECT_EQ(run("XINFO STREAM s FULL"), text(false, entries, group, alice));
  EXPECT_EQ(run3("XINFO STREAM s full count 0"), text(true, entries, group, alice));
  EXPECT_EQ(run("XINFO STREAM s FULL COUNT -1"), text(false, entries, group, alice));
  EXPECT_EQ(run("XINFO STREAM s FULL COUNT 1"),
            text(false, "*1\r\n" + entry_text("2-0"), "*1\r\n" + of_group("1-0"), "*1\r\n" + of_alice("1-0")));
  for (int i = 10; i < 30; i++) run("XADD s " + std::to_string(i) + " f v");
  EXPECT_NE(run("XINFO STREAM s FULL").find(field("entries", "*10\r\n")), std::string::npos);
  EXPECT_NE(run("XINFO STREAM s FULL COUNT 0").find(field("entries", "*22\r\n")), std::string::npos);
}

TEST_P(StreamInfoCommands, GroupsAreDescribed) {
  run("XADD t 1 f v");
  EXPECT_EQ(run("XINFO GROUPS t"), kEmpty);
  fill();
  std::string text = field("name", bulk("g")) + field("consumers", number(2)) + field("pending", number(2)) +
                     field("last-delivered-id", bulk("2-0")) + field("entries-read", number(2)) + field("lag", number(1));
  EXPECT_EQ(run("XINFO GROUPS s"), "*1\r\n*12\r\n" + text);
  EXPECT_EQ(run3("XINFO GROUPS s"), "*1\r\n%6\r\n" + text);
  run("XGROUP SETID s g 1-5");
  EXPECT_NE(run("XINFO GROUPS s").find(field("entries-read", kNull) + field("lag", number(2))), std::string::npos);
  run("XDEL s 3");
  run("XADD s 4 f v");
  EXPECT_NE(run("XINFO GROUPS s").find(field("lag", kNull)), std::string::npos);
}

TEST_P(StreamInfoCommands, ConsumersAreDescribed) {
  fill();
  std::string alice = field("name", bulk("alice")) + field("pending", number(2)) + field("idle", number(5)) + field("inactive", number(5));
  std::string bob = field("name", bulk("bob")) + field("pending", number(0)) + field("idle", number(5)) + field("inactive", number(-1));
  EXPECT_EQ(run("XINFO CONSUMERS s g"), "*2\r\n*8\r\n" + alice + "*8\r\n" + bob);
  EXPECT_EQ(run3("XINFO CONSUMERS s g"), "*2\r\n%4\r\n" + alice + "%4\r\n" + bob);
}

TEST_P(StreamInfoCommands, RefuseWhatIsWrong) {
  fill();
  for (const char* line : {"XINFO STREAM none", "XINFO GROUPS none", "XINFO CONSUMERS none g", "XINFO STREAM none JUNK"})
    EXPECT_EQ(run(line), error("ERR no such key")) << line;
  EXPECT_EQ(run("XINFO CONSUMERS s none"), error("NOGROUP No such consumer group 'none' for key name 's'"));
  for (const char* line :
       {"XINFO STREAM s JUNK", "XINFO STREAM s FULL COUNT", "XINFO STREAM s FULL JUNK 1", "XINFO STREAM s FULL COUNT 1 2"})
    EXPECT_EQ(run(line), error("ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.")) << line;
  EXPECT_EQ(run("XINFO STREAM s FULL COUNT x"), kNotInteger);
  EXPECT_EQ(run("XINFO GROUPS s x"), error("ERR wrong number of arguments for 'xinfo|groups' command"));
  EXPECT_EQ(run("XINFO NONE s"), error("ERR unknown subcommand 'NONE'. Try XINFO HELP."));
  EXPECT_EQ(run("XINFO HELP").substr(0, 4), "*9\r\n");
  run("SET str 1");
  for (const char* line : {"XINFO STREAM str", "XINFO GROUPS str", "XINFO CONSUMERS str g"}) EXPECT_EQ(run(line), kWrongType) << line;
}

}  // namespace
}  // namespace ringwood
