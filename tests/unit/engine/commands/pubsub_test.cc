#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

using Args = InProcess::Args;

// The parameter is the number of shards; client i is connected to the thread i mod shards.
class PubSubTest : public testing::TestWithParam<int> {
 protected:
  PubSubTest() : server(GetParam()) {}
  static Args words(const std::string& line) {
    Args result;
    std::istringstream in(line);
    for (std::string w; in >> w;) result.push_back(w == "''" ? "" : w);
    return result;
  }
  std::string as(size_t client, const std::string& line) { return server.run_as(client, words(line)); }
  std::string got(size_t client) { return server.receive(client); }
  void resp3(size_t client) { server.client(client).resp = 3; }
  InProcess server;
};

// "*3" or ">3", and the parts: words are bulk strings, numbers in ':' integers, "nil" the null of the protocol.
std::string tell(const std::string& line, int resp = 2) {
  std::istringstream in(line);
  std::vector<std::string> w;
  for (std::string s; in >> s;) w.push_back(s);
  std::string text = (resp == 3 ? ">" : "*") + std::to_string(w.size()) + "\r\n";
  for (const std::string& s : w) {
    if (s[0] == ':')
      text += s + "\r\n";
    else
      text += s == "nil" ? (resp == 3 ? kNull3 : kNull) : bulk(s == "''" ? "" : s);
  }
  return text;
}

TEST_P(PubSubTest, AMessageGoesToTheSubscribersOfItsChannelOnWhateverThread) {
  for (size_t i = 1; i <= 4; i++) EXPECT_EQ(as(i, "SUBSCRIBE news"), tell("subscribe news :1"));
  EXPECT_EQ(as(4, "SUBSCRIBE other"), tell("subscribe other :2"));
  EXPECT_EQ(as(0, "PUBLISH news hello"), number(4));
  EXPECT_EQ(as(0, "PUBLISH other x"), number(1));
  EXPECT_EQ(as(0, "PUBLISH nobody x"), number(0));
  EXPECT_EQ(as(0, "SPUBLISH news x"), number(0));
  for (size_t i = 1; i <= 3; i++) EXPECT_EQ(got(i), tell("message news hello"));
  EXPECT_EQ(got(4), tell("message news hello") + tell("message other x"));
}

TEST_P(PubSubTest, EachChannelIsConfirmedAndCountedOnce) {
  EXPECT_EQ(as(1, "SUBSCRIBE a b a"), tell("subscribe a :1") + tell("subscribe b :2") + tell("subscribe a :2"));
  EXPECT_EQ(as(1, "PSUBSCRIBE p* p*"), tell("psubscribe p* :3") + tell("psubscribe p* :3"));
  EXPECT_EQ(as(1, "SSUBSCRIBE s a"), tell("ssubscribe s :1") + tell("ssubscribe a :2"));
  EXPECT_EQ(as(1, "UNSUBSCRIBE a x"), tell("unsubscribe a :2") + tell("unsubscribe x :2"));
  EXPECT_EQ(as(1, "PUNSUBSCRIBE p*"), tell("punsubscribe p* :1"));
  EXPECT_EQ(as(1, "SUNSUBSCRIBE s a"), tell("sunsubscribe s :1") + tell("sunsubscribe a :0"));
  EXPECT_EQ(as(1, "UNSUBSCRIBE"), tell("unsubscribe b :0"));
  EXPECT_EQ(server.client(1).subscriptions, nullptr);
  EXPECT_EQ(server.engine().pubsub->clients(), 0u);
}

TEST_P(PubSubTest, UnsubscribingFromNothingIsConfirmedWithANull) {
  EXPECT_EQ(as(1, "UNSUBSCRIBE"), tell("unsubscribe nil :0"));
  EXPECT_EQ(as(1, "PUNSUBSCRIBE"), tell("punsubscribe nil :0"));
  EXPECT_EQ(as(1, "SUNSUBSCRIBE"), tell("sunsubscribe nil :0"));
  resp3(1);
  EXPECT_EQ(as(1, "UNSUBSCRIBE"), tell("unsubscribe nil :0", 3));
  EXPECT_EQ(as(1, "SUBSCRIBE a"), tell("subscribe a :1", 3));
  EXPECT_EQ(as(1, "PUNSUBSCRIBE"), tell("punsubscribe nil :1", 3));
}

TEST_P(PubSubTest, UnsubscribingWithoutNamesEndsAllOfThatKind) {
  as(1, "SUBSCRIBE a b c");
  as(1, "PSUBSCRIBE x* y*");
  as(1, "SSUBSCRIBE s");
  std::string all = as(1, "UNSUBSCRIBE");
  EXPECT_EQ(all.size(), 3 * tell("unsubscribe a :4").size());
  for (const char* name : {"a", "b", "c"}) EXPECT_NE(all.find(bulk(name)), std::string::npos) << name;
  EXPECT_EQ(as(1, "PUBSUB CHANNELS"),
            error("ERR Can't execute 'pubsub|channels': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
                  "are allowed in this context"));
  EXPECT_EQ(as(0, "PUBSUB CHANNELS"), kEmpty);
  EXPECT_EQ(as(0, "PUBSUB NUMPAT"), number(2));
  EXPECT_EQ(as(0, "PUBSUB SHARDCHANNELS"), bulks({"s"}));
  EXPECT_EQ(as(0, "PUBLISH a m"), number(0));
}

TEST_P(PubSubTest, PatternsAddToTheReceivers) {
  as(1, "PSUBSCRIBE foo.* f[ao]o.?");
  as(2, "SUBSCRIBE foo.1");
  EXPECT_EQ(as(0, "PUBLISH foo.1 m"), number(3));
  std::string a = tell("pmessage foo.* foo.1 m"), b = tell("pmessage f[ao]o.? foo.1 m"), both = got(1);
  EXPECT_TRUE(both == a + b || both == b + a) << both;
  EXPECT_EQ(got(2), tell("message foo.1 m"));
  EXPECT_EQ(as(0, "PUBLISH fao.22 m"), number(0));
  as(2, "PSUBSCRIBE foo.1");
  EXPECT_EQ(as(0, "PUBLISH foo.1 n"), number(4));
  EXPECT_EQ(got(2), tell("message foo.1 n") + tell("pmessage foo.1 foo.1 n"));
}

TEST_P(PubSubTest, ShardChannelsAreAnotherSpaceWithoutPatterns) {
  as(1, "SSUBSCRIBE chan");
  as(2, "SUBSCRIBE chan");
  as(3, "PSUBSCRIBE *");
  EXPECT_EQ(as(0, "SPUBLISH chan s"), number(1));
  EXPECT_EQ(as(0, "PUBLISH chan p"), number(2));
  EXPECT_EQ(got(1), tell("smessage chan s"));
  EXPECT_EQ(got(2), tell("message chan p"));
  EXPECT_EQ(got(3), tell("pmessage * chan p"));
}

TEST_P(PubSubTest, NamesAndMessagesAreBytes) {
  std::string channel("a\0\r\n b", 6), message(100000, '\xff');
  EXPECT_EQ(server.run_as(1, {"SUBSCRIBE", channel}), "*3\r\n" + bulk("subscribe") + bulk(channel) + number(1));
  EXPECT_EQ(server.run_as(1, {"SUBSCRIBE", ""}), "*3\r\n" + bulk("subscribe") + bulk("") + number(2));
  EXPECT_EQ(server.run_as(0, {"PUBLISH", channel, message}), number(1));
  EXPECT_EQ(server.run_as(0, {"PUBLISH", "", ""}), number(1));
  EXPECT_EQ(got(1), "*3\r\n" + bulk("message") + bulk(channel) + bulk(message) + tell("message '' ''"));
}

TEST_P(PubSubTest, EachSubscriberIsToldInItsOwnProtocol) {
  resp3(2);
  as(1, "SUBSCRIBE a");
  EXPECT_EQ(as(2, "SUBSCRIBE a"), tell("subscribe a :1", 3));
  EXPECT_EQ(as(2, "PSUBSCRIBE a*"), tell("psubscribe a* :2", 3));
  as(0, "PUBLISH a m");
  EXPECT_EQ(got(1), tell("message a m"));
  EXPECT_EQ(got(2), tell("message a m", 3) + tell("pmessage a* a m", 3));
}

TEST_P(PubSubTest, PubsubTellsWhatThereIs) {
  as(1, "SUBSCRIBE a1 a2 b");
  as(2, "SUBSCRIBE a1");
  as(3, "PSUBSCRIBE a* b*");
  as(4, "PSUBSCRIBE a*");
  as(5, "SSUBSCRIBE s1");
  EXPECT_EQ(as(0, "PUBSUB NUMSUB a1 a2 none a1"),
            "*8\r\n" + bulk("a1") + number(2) + bulk("a2") + number(1) + bulk("none") + number(0) + bulk("a1") + number(2));
  EXPECT_EQ(as(0, "PUBSUB NUMSUB"), kEmpty);
  EXPECT_EQ(as(0, "PUBSUB NUMPAT"), number(2));
  EXPECT_EQ(as(0, "PUBSUB SHARDNUMSUB s1 a1"), "*4\r\n" + bulk("s1") + number(1) + bulk("a1") + number(0));
  EXPECT_EQ(as(0, "PUBSUB SHARDCHANNELS s*"), bulks({"s1"}));
  EXPECT_EQ(as(0, "PUBSUB SHARDCHANNELS x*"), kEmpty);
  EXPECT_EQ(as(0, "PUBSUB CHANNELS b"), bulks({"b"}));
  std::string all = as(0, "PUBSUB CHANNELS a*");
  EXPECT_TRUE(all == bulks({"a1", "a2"}) || all == bulks({"a2", "a1"})) << all;
  EXPECT_EQ(as(0, "PUBSUB CHANNELS a b"), error("ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP."));
  EXPECT_EQ(as(0, "PUBSUB SHARDCHANNELS a b"),
            error("ERR unknown subcommand or wrong number of arguments for 'SHARDCHANNELS'. Try PUBSUB HELP."));
  EXPECT_EQ(as(0, "PUBSUB NUMPAT a"), error("ERR wrong number of arguments for 'pubsub|numpat' command"));
  EXPECT_EQ(as(0, "PUBSUB"), error("ERR wrong number of arguments for 'pubsub' command"));
  EXPECT_EQ(as(0, "PUBSUB nothing"), error("ERR unknown subcommand 'nothing'. Try PUBSUB HELP."));
  EXPECT_EQ(as(0, "PUBSUB HELP").substr(0, 5), "*13\r\n");
  std::string info = as(0, "INFO stats");
  EXPECT_NE(info.find("pubsub_channels:3\r\npubsub_patterns:2\r\npubsubshard_channels:1\r\n"), std::string::npos) << info;
  EXPECT_EQ(server.engine().pubsub->clients(), 5u);
}

TEST_P(PubSubTest, ASubscriberInResp2MayAskForLittle) {
  const std::string allowed = "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";
  as(1, "SSUBSCRIBE s");
  EXPECT_EQ(as(1, "GET k"), error("ERR Can't execute 'get" + allowed));
  EXPECT_EQ(as(1, "PUBLISH s m"), error("ERR Can't execute 'publish" + allowed));
  EXPECT_EQ(as(1, "CONFIG GET x"), error("ERR Can't execute 'config|get" + allowed));
  EXPECT_EQ(as(1, "HELLO 3"), error("ERR Can't execute 'hello" + allowed));
  EXPECT_EQ(as(1, "GET"), error("ERR wrong number of arguments for 'get' command"));
  EXPECT_EQ(as(1, "PING"), bulks({"pong", ""}));
  EXPECT_EQ(as(1, "ping there"), bulks({"pong", "there"}));
  EXPECT_EQ(as(1, "PING a b"), error("ERR wrong number of arguments for 'ping' command"));
  EXPECT_EQ(as(1, "SUNSUBSCRIBE s"), tell("sunsubscribe s :0"));
  EXPECT_EQ(as(1, "PING"), "+PONG\r\n");
  EXPECT_EQ(as(1, "GET k"), kNull);
  EXPECT_NE(as(0, "INFO commandstats").find("cmdstat_get:calls=1"), std::string::npos);
}

TEST_P(PubSubTest, ASubscriberInResp3MayAskForEverything) {
  resp3(1);
  as(1, "SUBSCRIBE a");
  EXPECT_EQ(as(1, "PING"), "+PONG\r\n");
  EXPECT_EQ(as(1, "SET k v"), kOk);
  EXPECT_EQ(as(1, "GET k"), bulk("v"));
  EXPECT_EQ(as(1, "MSET k1 v k2 v k3 v"), kOk);
  EXPECT_EQ(as(1, "HELLO 2").substr(0, 3), "*14");
  EXPECT_EQ(as(1, "PING"), bulks({"pong", ""}));
}

TEST_P(PubSubTest, APublisherHearsItselfBehindItsReply) {
  resp3(0);
  as(0, "SUBSCRIBE a");
  as(0, "PSUBSCRIBE a*");
  EXPECT_EQ(as(0, "PUBLISH a m"), number(2) + tell("message a m", 3) + tell("pmessage a* a m", 3));
  EXPECT_EQ(as(0, "PUBLISH b m"), number(0));
  server.send(0, {"PUBLISH", "a", "1"});
  server.send(0, {"PUBLISH", "a", "2"});
  std::string both = got(0);
  EXPECT_LT(both.find("\r\n1\r\n"), both.find("\r\n2\r\n"));
}

TEST_P(PubSubTest, InATransactionMessagesToOneselfComeBehindItsReplies) {
  resp3(0);
  as(0, "SUBSCRIBE foo bar baz");
  for (const char* line : {"MULTI", "ECHO abc", "PUBLISH foo 1", "UNSUBSCRIBE bar", "SET k v", "PUBLISH foo 2", "ECHO def"}) as(0, line);
  EXPECT_EQ(as(0, "EXEC"), "*6\r\n" + bulk("abc") + number(1) + tell("unsubscribe bar :2", 3) + kOk + number(1) + bulk("def") +
                               tell("message foo 1", 3) + tell("message foo 2", 3));
  as(1, "MULTI");
  as(1, "SUBSCRIBE foo");
  EXPECT_EQ(as(1, "PUBLISH foo 3"), "+QUEUED\r\n");
  EXPECT_EQ(as(1, "EXEC"), "*2\r\n" + tell("subscribe foo :1") + number(2) + tell("message foo 3"));
  EXPECT_EQ(got(0), tell("message foo 3", 3));
  EXPECT_EQ(as(1, "MULTI"),
            error("ERR Can't execute 'multi': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"));
}

TEST_P(PubSubTest, ShardChannelsAreNotSubscribedToInATransaction) {
  as(1, "MULTI");
  EXPECT_EQ(as(1, "SSUBSCRIBE s"), "+QUEUED\r\n");
  as(1, "SUNSUBSCRIBE s");
  EXPECT_EQ(as(1, "EXEC"), "*2\r\n" + error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client") + tell("sunsubscribe s :0"));
  EXPECT_EQ(as(0, "PUBSUB SHARDCHANNELS"), "*0\r\n");
}

TEST_P(PubSubTest, ATransactionIsAsSilentAsReplies) {
  server.client(1).reply_mode = Client::ReplyMode::kOff;
  as(1, "MULTI");
  EXPECT_EQ(as(1, "SUBSCRIBE a"), "");
  EXPECT_EQ(as(1, "DISCARD"), "");
}

TEST_P(PubSubTest, ResetEndsEverySubscription) {
  resp3(1);
  as(1, "SUBSCRIBE a b");
  as(1, "PSUBSCRIBE p*");
  as(1, "SSUBSCRIBE s");
  server.client(1).reply_mode = Client::ReplyMode::kOff;
  EXPECT_EQ(as(1, "RESET"), "+RESET\r\n");
  EXPECT_EQ(server.client(1).resp, 2);
  EXPECT_EQ(as(1, "PING"), "+PONG\r\n");
  EXPECT_EQ(as(0, "PUBSUB CHANNELS"), kEmpty);
  EXPECT_EQ(as(0, "PUBSUB NUMPAT"), number(0));
  EXPECT_EQ(as(0, "PUBSUB SHARDCHANNELS"), kEmpty);
  EXPECT_EQ(as(0, "PUBLISH a m"), number(0));
  EXPECT_EQ(got(1), "");
}

TEST_P(PubSubTest, WhoHasQuitIsToldNothingMore) {
  as(1, "SUBSCRIBE a");
  EXPECT_EQ(as(1, "QUIT"), kOk);
  as(0, "PUBLISH a m");
  EXPECT_EQ(got(1), "");
}

TEST_P(PubSubTest, PushesComeAlsoWhereRepliesAreOff) {
  Client& c = server.client(1);
  c.resp = 3;
  c.reply_mode = Client::ReplyMode::kOff;
  EXPECT_EQ(as(1, "SUBSCRIBE a"), tell("subscribe a :1", 3));
  EXPECT_EQ(as(1, "PING"), "");
  EXPECT_EQ(as(1, "SUBSCRIBE"), "");
  EXPECT_EQ(as(0, "PUBLISH a m"), number(1));
  EXPECT_EQ(got(1), tell("message a m", 3));
  EXPECT_EQ(as(1, "PUBLISH a self"), tell("message a self", 3));
  EXPECT_EQ(as(1, "UNSUBSCRIBE a"), tell("unsubscribe a :0", 3));
  c.reply_mode = Client::ReplyMode::kSkip;
  EXPECT_EQ(as(1, "PSUBSCRIBE a"), tell("psubscribe a :1", 3));
  EXPECT_EQ(as(1, "PING"), "+PONG\r\n");
}

TEST_P(PubSubTest, CommandsKnowTheirArity) {
  for (const char* name : {"subscribe", "psubscribe", "ssubscribe", "publish", "spublish"})
    EXPECT_EQ(as(0, name), error("ERR wrong number of arguments for '" + std::string(name) + "' command"));
  EXPECT_EQ(as(0, "PUBLISH a b c"), error("ERR wrong number of arguments for 'publish' command"));
  EXPECT_EQ(as(0, "COMMAND GETKEYS SPUBLISH a b"), error("ERR The command has no key arguments"));
}

// --- keyspace events

class KeyEventTest : public PubSubTest {
 protected:
  // Client 1 listens to everything, in RESP3 so that it may act too.
  void listen(const std::string& classes) {
    EXPECT_EQ(as(0, "CONFIG SET notify-keyspace-events " + (classes.empty() ? "''" : classes)), kOk);
    resp3(1);
    as(1, "PSUBSCRIBE __key*");
  }
  // What client 1 has heard: "keyspace@0:k set, keyevent@0:set k".
  std::string heard() {
    std::string bytes = got(1), text;
    for (size_t at = 0; (at = bytes.find("__key", at)) != std::string::npos;) {
      if (bytes.compare(at, 6, "__key*") == 0) {
        at += 6;
        continue;
      }
      size_t end = bytes.find("\r\n", at), payload = bytes.find("\r\n", end + 2) + 2;
      std::string channel = bytes.substr(at + 2, end - at - 2);
      channel.erase(channel.find("__:"), 2);
      text += (text.empty() ? "" : ", ") + channel + " " + bytes.substr(payload, bytes.find("\r\n", payload) - payload);
      at = payload;
    }
    return text;
  }
};

TEST_P(KeyEventTest, NothingIsToldUnlessItIsAskedFor) {
  listen("");
  as(0, "SET k v");
  EXPECT_EQ(heard(), "");
  for (const char* useless : {"A", "K", "E", "KE"}) {  // without K or E there is no channel, without a class no event
    as(0, std::string("CONFIG SET notify-keyspace-events ") + useless);
    as(0, "SET k v");
    EXPECT_EQ(heard(), "") << useless;
  }
}

TEST_P(KeyEventTest, KeyAndEventHaveAChannelEach) {
  listen("KEA");
  as(0, "SET k v");
  EXPECT_EQ(heard(), "keyspace@0:k set, keyevent@0:set k");
  as(0, "CONFIG SET notify-keyspace-events KA");
  as(0, "SET k v");
  EXPECT_EQ(heard(), "keyspace@0:k set");
  as(0, "CONFIG SET notify-keyspace-events EA");
  as(2, "SELECT 7");
  as(2, "SET k v");
  EXPECT_EQ(heard(), "keyevent@7:set k");
}

TEST_P(KeyEventTest, OnlyTheClassesAskedForAreTold) {
  struct Case {
    char letter;
    const char *command, *event;
  };
  const Case cases[] = {{'$', "SET a v", "set a"},         {'l', "RPUSH l 1", "rpush l"}, {'s', "SADD s 1", "sadd s"},
                        {'h', "HSET h f v", "hset h"},     {'z', "ZADD z 1 m", "zadd z"}, {'t', "XADD x * f v", "xadd x"},
                        {'g', "EXPIRE a 1000", "expire a"}};
  listen("E$");
  for (const Case& on : cases) {
    as(0, "FLUSHALL");
    as(0, "CONFIG SET notify-keyspace-events ''");
    as(0, "SET a v");
    as(0, std::string("CONFIG SET notify-keyspace-events E") + on.letter);
    for (const Case& c : cases) {
      as(2, c.command);
      EXPECT_EQ(heard(), c.letter == on.letter ? std::string("keyevent@0:") + c.event : "") << on.letter << ": " << c.command;
    }
  }
}

TEST_P(KeyEventTest, NewKeysAndMissesAreClassesOfTheirOwn) {
  listen("EA");
  as(0, "SET a 1");
  as(0, "GET nothing");
  EXPECT_EQ(heard(), "keyevent@0:set a");
  as(0, "CONFIG SET notify-keyspace-events Enm");
  as(0, "SET a 2");
  as(0, "SET b 1");
  as(0, "LPUSH l 1");
  as(0, "GET nothing");
  for (const char* how : {"ENCODING", "IDLETIME", "FREQ", "REFCOUNT"}) as(0, std::string("OBJECT ") + how + " nothing");  // no miss
  EXPECT_EQ(heard(), "keyevent@0:new b, keyevent@0:new l, keyevent@0:keymiss nothing");
}

TEST_P(KeyEventTest, ExpiryIsToldWhoeverFindsIt) {
  listen("Ex");
  as(0, "SET a v PX 100");
  server.advance_ms(200);
  EXPECT_EQ(heard(), "keyevent@0:expired a");
  for (Shard* s : server.engine().shards) s->active_expire = false;
  as(0, "CONFIG SET notify-keyspace-events KEx");
  as(2, "SELECT 3");
  as(2, "SET b v PX 100");
  server.advance_ms(200);
  EXPECT_EQ(heard(), "");
  EXPECT_EQ(as(2, "GET b"), kNull);
  EXPECT_EQ(heard(), "keyspace@3:b expired, keyevent@3:expired b");
}

TEST_P(KeyEventTest, ACommandOverSeveralShardsTellsInItsOrder) {
  listen("E$g");
  as(0, "MSET a 1 b 2 c 3 d 4");
  EXPECT_EQ(heard(), "keyevent@0:set a, keyevent@0:set b, keyevent@0:set c, keyevent@0:set d");
  as(2, "DEL d c b a");
  EXPECT_EQ(heard(), "keyevent@0:del d, keyevent@0:del c, keyevent@0:del b, keyevent@0:del a");
}

TEST_P(KeyEventTest, WhoChangesAKeyHearsOfItBehindItsReply) {
  listen("E$");
  for (const char* key : {"a", "b", "c", "d"}) {
    std::string reply = as(1, std::string("SET ") + key + " v");
    EXPECT_EQ(reply, kOk + tell("pmessage __key* __keyevent@0__:set " + std::string(key), 3));
  }
  std::string reply = as(1, "MSET a 1 b 2 c 3 d 4");
  EXPECT_EQ(reply.substr(0, 5), kOk);
  EXPECT_EQ(reply.size(), 5 + 4 * tell("pmessage __key* __keyevent@0__:set a", 3).size());
}

INSTANTIATE_TEST_SUITE_P(Shards, PubSubTest, testing::Values(1, 2, 4));
INSTANTIATE_TEST_SUITE_P(Shards, KeyEventTest, testing::Values(1, 2, 4));

}  // namespace
}  // namespace ringwood
