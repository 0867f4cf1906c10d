// XREAD and XREADGROUP that wait. Clients 1 and up are on other threads where there are several.
#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

class StreamBlocking : public CommandTest {
 protected:
  static InProcess::Args words(const std::string& line) {
    InProcess::Args result;
    std::istringstream in(line);
    for (std::string w; in >> w;) result.push_back(w);
    return result;
  }
  void wait(size_t client, const std::string& line) {
    server.send(client, words(line));
    EXPECT_EQ(server.receive(client), "") << line;
    EXPECT_TRUE(server.blocked(client)) << line;
  }
  // One stream with entries whose only field is f = v.
  static std::string one(const std::string& key, const std::vector<std::string>& ids) {
    std::string text = "*1\r\n*2\r\n" + bulk(key) + "*" + std::to_string(ids.size()) + "\r\n";
    for (const std::string& id : ids) text += "*2\r\n" + bulk(id) + bulks({"f", "v"});
    return text;
  }
  static std::string no_group(const std::string& key) {
    return error("NOGROUP No such key '" + key + "' or consumer group 'g' in XREADGROUP with GROUP option");
  }
};
INSTANTIATE_TEST_SUITE_P(Shards, StreamBlocking, testing::Values(1, 2, 3));

TEST_P(StreamBlocking, ReadersGetWhatIsAddedAfterTheyCame) {
  run("XADD s 5-1 f v");
  wait(1, "XREAD BLOCK 0 STREAMS s $");
  wait(2, "XREAD BLOCK 0 STREAMS s s s $ $ 7");
  wait(3, "XREAD COUNT 1 BLOCK 0 STREAMS s 6-0");
  run("XADD s 5-2 f v");
  EXPECT_EQ(server.receive(1), one("s", {"5-2"}));
  EXPECT_EQ(server.receive(2), "*2\r\n" + one("s", {"5-2"}).substr(4) + one("s", {"5-2"}).substr(4));
  EXPECT_TRUE(server.blocked(3));
  run("XADD s 6-1 f v");
  EXPECT_EQ(server.receive(3), one("s", {"6-1"}));
}

TEST_P(StreamBlocking, ReadersOfAnAbsentStreamGetItsFirstEntry) {
  wait(1, "XREAD BLOCK 0 STREAMS s $");
  run("XADD s 0-1 f v");
  EXPECT_EQ(server.receive(1), one("s", {"0-1"}));
}

TEST_P(StreamBlocking, ReadersOfSeveralStreamsAreServedByAny) {
  for (const char* key : {"a", "b", "c", "d"}) {
    wait(1, "XREAD BLOCK 0 STREAMS a b c d $ $ $ $");
    run(std::string("XADD ") + key + " 1-1 f v");
    EXPECT_EQ(server.receive(1), one(key, {"1-1"}));
    run("XADD a * f v");
    run("XADD b * f v");
    EXPECT_FALSE(server.blocked(1));
    run("DEL a b c d");
  }
}

TEST_P(StreamBlocking, ATransactionIsSeenWhole) {
  wait(1, "XREAD BLOCK 0 STREAMS s $");
  run("MULTI");
  run("XADD s 1 f v");
  run("XADD s 2 f v");
  run("EXEC");
  EXPECT_EQ(server.receive(1), one("s", {"1-0", "2-0"}));
}

TEST_P(StreamBlocking, WhatIsGoneAgainWakesNobody) {
  wait(1, "XREAD BLOCK 0 STREAMS s $");
  run("MULTI");
  run("XADD s 1 f v");
  run("DEL s");
  run("RPUSH s x");
  run("EXEC");
  EXPECT_TRUE(server.blocked(1));
  run("DEL s");
  run("XADD s 2 f v");
  EXPECT_EQ(server.receive(1), one("s", {"2-0"}));
}

TEST_P(StreamBlocking, TimeRunsOut) {
  wait(1, "XREAD BLOCK 100 STREAMS s $");
  run("XGROUP CREATE t g $ MKSTREAM");
  wait(2, "XREADGROUP GROUP g c BLOCK 100 STREAMS t >");
  server.advance_ms(99);
  EXPECT_TRUE(server.blocked(1));
  server.advance_ms(2);
  EXPECT_EQ(server.receive(1), kNullArray);
  EXPECT_EQ(server.receive(2), kNullArray);
  run("MULTI");
  run("XREAD BLOCK 0 STREAMS s $");
  EXPECT_EQ(run("EXEC"), "*1\r\n" + kNullArray);
}

TEST_P(StreamBlocking, ConsumersGetAnEntryEach) {
  run("XGROUP CREATE s g $ MKSTREAM");
  wait(1, "XREADGROUP GROUP g alice BLOCK 0 STREAMS s >");
  wait(2, "XREADGROUP GROUP g bob BLOCK 0 STREAMS s >");
  run("XADD s 1 f v");
  EXPECT_EQ(server.receive(1), one("s", {"1-0"}));
  EXPECT_TRUE(server.blocked(2));
  run("XADD s 2 f v");
  EXPECT_EQ(server.receive(2), one("s", {"2-0"}));
  EXPECT_EQ(run("XPENDING s g"),
            "*4\r\n:2\r\n" + bulk("1-0") + bulk("2-0") + "*2\r\n*2\r\n" + bulk("alice") + bulk("1") + "*2\r\n" + bulk("bob") + bulk("1"));
}

TEST_P(StreamBlocking, ConsumersAreToldThatTheirGroupHasGone) {
  auto prepare = [this] {
    run("DEL s");
    run("XGROUP CREATE s g $ MKSTREAM");
    wait(1, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
  };
  for (const char* line : {"XGROUP DESTROY s g", "DEL s", "FLUSHALL", "UNLINK s"}) {
    prepare();
    run(line);
    EXPECT_EQ(server.receive(1), no_group("s")) << line;
  }
  prepare();
  run("SET s text");
  EXPECT_EQ(server.receive(1), kWrongType);
  prepare();
  run("XADD other 1 f v");
  run("XGROUP CREATE other g 0");
  run("RENAME other s");
  EXPECT_EQ(server.receive(1), one("s", {"1-0"}));
  prepare();
  run("PEXPIRE s 10");
  server.advance_ms(100);
  EXPECT_EQ(server.receive(1), no_group("s"));
}

TEST_P(StreamBlocking, ConsumersOfSeveralStreamsAreToldOfAny) {
  for (const char* key : {"a", "b", "c"}) {
    for (const char* each : {"a", "b", "c"}) run(std::string("XGROUP CREATE ") + each + " g $ MKSTREAM");
    wait(1, "XREADGROUP GROUP g c BLOCK 0 STREAMS a b c > > >");
    run(std::string("XGROUP DESTROY ") + key + " g");
    EXPECT_EQ(server.receive(1), no_group(key));
    run("DEL a b c");
  }
}

}  // namespace
}  // namespace ringwood
