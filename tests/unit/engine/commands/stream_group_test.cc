// XGROUP and XACK.
#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

class StreamGroupCommands : public CommandTest {
 protected:
  // What XINFO GROUPS says of the first group: last delivered ID and entries read.
  std::string progress(const std::string& key) {
    std::string reply = run("XINFO GROUPS " + key);
    size_t at = reply.find("last-delivered-id");
    return at == std::string::npos ? "" : reply.substr(at + 19, reply.find("$3\r\nlag") - at - 19);
  }
};
INSTANTIATE_TEST_SUITE_P(Shards, StreamGroupCommands, testing::Values(1, 2));

const std::string kBadId = "-ERR Invalid stream ID specified as stream command argument\r\n";
const std::string kNoKey = error(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty "
    "stream automatically.");
std::string bad_subcommand(const std::string& word) {
  return error("ERR unknown subcommand or wrong number of arguments for '" + word + "'. Try XGROUP HELP.");
}

TEST_P(StreamGroupCommands, AreCreatedOnce) {
  EXPECT_EQ(run("XGROUP CREATE s g $"), kNoKey);
  EXPECT_EQ(run("XGROUP CREATE s g x MKSTREAM"), kBadId);
  EXPECT_EQ(entry("s"), nullptr);
  EXPECT_EQ(run("XGROUP CREATE s g $ MKSTREAM"), kOk);
  EXPECT_EQ(events(), "xgroup-create s");
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(progress("s"), bulk("0-0") + bulk("entries-read") + kNull);
  EXPECT_EQ(run("XGROUP CREATE s g $"), error("BUSYGROUP Consumer Group name already exists"));
  EXPECT_EQ(run("XGROUP CREATE s g $ MKSTREAM"), error("BUSYGROUP Consumer Group name already exists"));
  EXPECT_EQ(changes(), 0);
  run("XADD t 5-1 f v");
  EXPECT_EQ(run("XGROUP CREATE t g $ ENTRIESREAD 3"), kOk);
  EXPECT_EQ(progress("t"), bulk("5-1") + bulk("entries-read") + number(3));
  EXPECT_EQ(run("XGROUP CREATE t f 4 mkstream entriesread -1"), kOk);
  EXPECT_EQ(progress("t"), bulk("4-0") + bulk("entries-read") + kNull);
}

TEST_P(StreamGroupCommands, RefuseWhatIsWrong) {
  run("XGROUP CREATE s g 0 MKSTREAM");
  EXPECT_EQ(run("XGROUP CREATE s h 0 JUNK"), bad_subcommand("CREATE"));
  EXPECT_EQ(run("XGROUP CREATE s h 0 ENTRIESREAD"), bad_subcommand("CREATE"));
  EXPECT_EQ(run("XGROUP create s h 0 MKSTREAM MKSTREAM MKSTREAM MKSTREAM"), bad_subcommand("create"));
  EXPECT_EQ(run("XGROUP CREATE s h 0 ENTRIESREAD x"), kNotInteger);
  EXPECT_EQ(run("XGROUP CREATE s h 0 ENTRIESREAD -2"), error("ERR value for ENTRIESREAD must be positive or -1"));
  EXPECT_EQ(run("XGROUP CREATE s h + "), kBadId);
  EXPECT_EQ(run("XGROUP CREATE s h"), error("ERR wrong number of arguments for 'xgroup|create' command"));
  EXPECT_EQ(run("XGROUP SETID s g 0 MKSTREAM"), bad_subcommand("SETID"));
  EXPECT_EQ(run("XGROUP SETID s g 0 ENTRIESREAD 1 ENTRIESREAD 1"), bad_subcommand("SETID"));
  EXPECT_EQ(run("XGROUP NONE s g"), error("ERR unknown subcommand 'NONE'. Try XGROUP HELP."));
  EXPECT_EQ(run("XGROUP"), error("ERR wrong number of arguments for 'xgroup' command"));
  run("SET str 1");
  for (const char* line :
       {"CREATE str g $", "CREATE str g $ MKSTREAM", "SETID str g $", "DESTROY str g", "CREATECONSUMER str g c", "DELCONSUMER str g c"})
    EXPECT_EQ(run(std::string("XGROUP ") + line), kWrongType) << line;
  for (const char* line : {"SETID no g $", "DESTROY no g", "CREATECONSUMER no g c", "DELCONSUMER no g c"})
    EXPECT_EQ(run(std::string("XGROUP ") + line), kNoKey) << line;
  for (const char* line : {"SETID s no $", "CREATECONSUMER s no c", "DELCONSUMER s no c"})
    EXPECT_EQ(run(std::string("XGROUP ") + line), error("NOGROUP No such consumer group 'no' for key name 's'")) << line;
}

TEST_P(StreamGroupCommands, CanBeSetToAnyId) {
  run("XADD s 5-1 f v");
  run("XGROUP CREATE s g $");
  changes(), events();
  EXPECT_EQ(run("XGROUP SETID s g 3 ENTRIESREAD 2"), kOk);
  EXPECT_EQ(progress("s"), bulk("3-0") + bulk("entries-read") + number(2));
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(events(), "xgroup-setid s");
  EXPECT_EQ(run("XGROUP SETID s g $"), kOk);
  EXPECT_EQ(progress("s"), bulk("5-1") + bulk("entries-read") + kNull);
  EXPECT_EQ(run("XGROUP SETID s g -"), kOk);
  EXPECT_EQ(progress("s"), bulk("0-0") + bulk("entries-read") + kNull);
  EXPECT_EQ(run("XGROUP SETID s g x"), kBadId);
}

TEST_P(StreamGroupCommands, AreDestroyed) {
  run("XGROUP CREATE s g $ MKSTREAM");
  changes(), events();
  EXPECT_EQ(run("XGROUP DESTROY s g"), number(1));
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(events(), "xgroup-destroy s");
  EXPECT_EQ(run("XGROUP DESTROY s g"), number(0));
  EXPECT_EQ(changes(), 0);
  EXPECT_EQ(run("EXISTS s"), number(1));
}

TEST_P(StreamGroupCommands, HaveConsumers) {
  run("XGROUP CREATE s g $ MKSTREAM");
  changes(), events();
  EXPECT_EQ(run("XGROUP CREATECONSUMER s g alice"), number(1));
  EXPECT_EQ(run("XGROUP CREATECONSUMER s g alice"), number(0));
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(events(), "xgroup-createconsumer s");
  run("XADD s 1 f v");
  run("XADD s 2 f v");
  run("XREADGROUP GROUP g alice STREAMS s >");
  changes(), events();
  EXPECT_EQ(run("XGROUP DELCONSUMER s g bob"), number(0));
  EXPECT_EQ(changes(), 0);
  EXPECT_EQ(run("XGROUP DELCONSUMER s g alice"), number(2));
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(events(), "xgroup-delconsumer s");
  EXPECT_EQ(run("XPENDING s g"), "*4\r\n:0\r\n" + kNull + kNull + kNullArray);
}

TEST_P(StreamGroupCommands, Help) {
  EXPECT_EQ(run("XGROUP HELP").substr(0, 5), "*14\r\n");
  EXPECT_EQ(run("XGROUP HELP x"), error("ERR wrong number of arguments for 'xgroup|help' command"));
}

TEST_P(StreamGroupCommands, AcknowledgingIsAllOrNothing) {
  run("XGROUP CREATE s g 0 MKSTREAM");
  for (int i = 1; i <= 4; i++) run("XADD s " + std::to_string(i) + " f v");
  run("XREADGROUP GROUP g alice COUNT 3 STREAMS s >");
  changes(), events();
  EXPECT_EQ(run("XACK s g 1 x"), kBadId);
  EXPECT_EQ(run("XACK s g 1-0 2 4 1"), number(2));
  EXPECT_EQ(changes(), 2);
  EXPECT_EQ(events(), "");
  EXPECT_EQ(run("XACK s g 1"), number(0));
  EXPECT_EQ(run("XACK s none 1"), number(0));
  EXPECT_EQ(run("XACK none g x"), number(0));
  EXPECT_EQ(run("XPENDING s g"), "*4\r\n:1\r\n" + bulk("3-0") + bulk("3-0") + "*1\r\n*2\r\n" + bulk("alice") + bulk("1"));
  run("SET str 1");
  EXPECT_EQ(run("XACK str g 1"), kWrongType);
}

}  // namespace
}  // namespace ringwood
