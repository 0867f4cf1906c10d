#include <map>

#include "engine/exec/digest.h"
#include "tests/support/seed.h"
#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

class FieldExpiry : public CommandTest {
 protected:
  static std::string ints(std::initializer_list<int64_t> v) {
    std::string text = "*" + std::to_string(v.size()) + "\r\n";
    for (int64_t n : v) text += number(n);
    return text;
  }
  std::string at(int64_t ms_from_now) { return std::to_string(server.now_ms() + ms_from_now); }
  int64_t expired_fields() {
    int64_t n = 0;
    for (Shard* s : server.engine().shards) n += s->stats.expired_fields.get();
    return n;
  }
  void active_expire(bool on) {
    for (Shard* s : server.engine().shards) s->active_expire = on;
  }
};
INSTANTIATE_TEST_SUITE_P(Shards, FieldExpiry, testing::Values(1, 2));

TEST_P(FieldExpiry, EveryFormSetsATimeAndIsAnsweredByAll) {
  run("HSET h a 1 b 2 c 3 d 4 e 5");
  events(), changes();
  EXPECT_EQ(run("HEXPIRE h 100 FIELDS 2 a z"), ints({1, -2}));
  EXPECT_EQ(run("HPEXPIRE h 1500 FIELDS 1 b"), ints({1}));
  EXPECT_EQ(run("HEXPIREAT h " + std::to_string(server.now_ms() / 1000 + 50) + " FIELDS 1 c"), ints({1}));
  EXPECT_EQ(run3("hpexpireat h " + at(2600) + " fields 1 d"), ints({1}));
  EXPECT_EQ(events(), "hexpire h, hexpire h, hexpire h, hexpire h");
  EXPECT_EQ(changes(), 4);
  EXPECT_EQ(encoding("h"), "listpackex");
  EXPECT_EQ(run("HPTTL h FIELDS 6 a b c d e z"), ints({100000, 1500, 50000 - server.now_ms() % 1000, 2600, -1, -2}));
  EXPECT_EQ(run("HTTL h FIELDS 3 a b d"), ints({100, 2, 3}));  // rounded up
  EXPECT_EQ(run3("HPEXPIRETIME h FIELDS 3 b e z"), ints({server.now_ms() + 1500, -1, -2}));
  EXPECT_EQ(run("HEXPIRETIME h FIELDS 2 c e"), ints({server.now_ms() / 1000 + 50, -1}));
  for (const char* line : {"HEXPIRE no 10 FIELDS 2 a b", "HTTL no FIELDS 2 a b", "HPTTL no FIELDS 2 a b", "HEXPIRETIME no FIELDS 2 a b",
                           "HPEXPIRETIME no FIELDS 2 a b", "HPERSIST no FIELDS 2 a b", "HPEXPIREAT no 1 XX FIELDS 2 a b"})
    EXPECT_EQ(run(line), ints({-2, -2})) << line;
  EXPECT_EQ(entry("no"), nullptr);
}

TEST_P(FieldExpiry, ConditionsCompareWithTheTimeThatIsThere) {
  run("HSET h a 1 b 2");
  run("HEXPIRE h 100 FIELDS 1 a");
  events(), changes();
  EXPECT_EQ(run("HEXPIRE h 200 NX FIELDS 1 a"), ints({0}));
  EXPECT_EQ(run("HEXPIRE h 200 XX FIELDS 2 a b"), ints({1, 0}));
  EXPECT_EQ(run("HEXPIRE h 200 GT FIELDS 2 a b"), ints({0, 0}));
  EXPECT_EQ(run("HEXPIRE h 201 gt FIELDS 2 a b"), ints({1, 0}));
  EXPECT_EQ(run("HEXPIRE h 201 LT FIELDS 1 a"), ints({0}));
  EXPECT_EQ(run("HEXPIRE h 50 LT FIELDS 2 a b"), ints({1, 1}));
  run("HPERSIST h FIELDS 1 b");
  EXPECT_EQ(run("HEXPIRE h 70 NX FIELDS 2 a b"), ints({0, 1}));
  EXPECT_EQ(run("HTTL h FIELDS 2 a b"), ints({50, 70}));
  EXPECT_EQ(run("HEXPIREAT h 1 GT FIELDS 1 a"), ints({0}));  // a condition that fails deletes nothing
  EXPECT_EQ(run("HEXISTS h a"), number(1));
}

TEST_P(FieldExpiry, ATimeThatHasPassedDeletesAtOnce) {
  run("HSET h a 1 b 2 c 3");
  events(), changes();
  EXPECT_EQ(run("HEXPIRE h 0 FIELDS 2 a a"), ints({2, -2}));
  EXPECT_EQ(events(), "hdel h");
  EXPECT_EQ(run("HPEXPIREAT h " + at(0) + " FIELDS 1 b"), ints({2}));
  EXPECT_EQ(run("HEXPIREAT h 1 FIELDS 2 c z"), ints({2, -2}));
  EXPECT_EQ(events(), "hdel h, hdel h, del h");
  EXPECT_EQ(changes(), 3);
  EXPECT_EQ(entry("h"), nullptr);
}

TEST_P(FieldExpiry, WrongArgumentsAreNamed) {
  run("HSET h a 1");
  run("SET s x");
  const std::string fields = error("ERR Mandatory argument FIELDS is missing or not at the right position");
  const std::string count = error("ERR Parameter `numFields` should be greater than 0");
  const std::string number_of_fields = error("ERR Number of fields must be a positive integer");
  const std::string match = error("ERR The `numfields` parameter must match the number of arguments");
  EXPECT_EQ(run("HEXPIRE h x FIELDS 1 a"), kNotInteger);
  EXPECT_EQ(run("HEXPIRE h -1 FIELDS 1 a"), error("ERR invalid expire time, must be >= 0"));
  EXPECT_EQ(run("HEXPIRE h 9223372036854775807 FIELDS 1 a"), error("ERR invalid expire time in 'hexpire' command"));
  EXPECT_EQ(run("HPEXPIRE h 70368744177664 FIELDS 1 a"), error("ERR invalid expire time in 'hpexpire' command"));
  EXPECT_EQ(run("HPEXPIREAT h 70368744177664 FIELDS 1 a"), error("ERR invalid expire time in 'hpexpireat' command"));
  EXPECT_EQ(run("HPEXPIREAT h 70368744177663 FIELDS 1 a"), ints({1}));
  EXPECT_EQ(run("HEXPIRE h 1 FIELD 1 a"), fields);
  EXPECT_EQ(run("HEXPIRE h 1 NX XX FIELDS 1 a"), fields);
  EXPECT_EQ(run("HEXPIRE h 1 NX 1 a b"), fields);
  EXPECT_EQ(run("HEXPIRE h 1 FIELDS 0 a"), count);
  EXPECT_EQ(run("HEXPIRE h 1 FIELDS x a"), count);
  EXPECT_EQ(run("HEXPIRE h 1 FIELDS 2 a"), match);
  EXPECT_EQ(run("HEXPIRE h 1 FIELDS 1 a b"), match);
  EXPECT_EQ(run("HEXPIRE h 1 a b"), error("ERR wrong number of arguments for 'hexpire' command"));
  for (const std::string name : {"HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME", "HPERSIST", "HGETDEL"}) {
    EXPECT_EQ(run(name + " h FIELD 1 a"), fields);
    EXPECT_EQ(run(name + " h FIELDS 0 a"), number_of_fields);
    EXPECT_EQ(run(name + " h FIELDS x a"), number_of_fields);
    EXPECT_EQ(run(name + " h FIELDS 2 a"), match);
    EXPECT_EQ(run(name + " s FIELDS 1 a"), kWrongType);
  }
  for (const char* line : {"HEXPIRE s 1 FIELDS 1 a", "HPEXPIRE s 1 FIELDS 1 a", "HEXPIREAT s 1 FIELDS 1 a", "HPEXPIREAT s 1 FIELDS 1 a",
                           "HGETEX s FIELDS 1 a", "HSETEX s FIELDS 1 a 1"})
    EXPECT_EQ(run(line), kWrongType) << line;
}

TEST_P(FieldExpiry, PersistTakesTimesAway) {
  run("HSET h a 1 b 2");
  run("HEXPIRE h 100 FIELDS 1 a");
  events(), changes();
  EXPECT_EQ(run("HPERSIST h FIELDS 3 a b z"), ints({1, -1, -2}));
  EXPECT_EQ(events(), "hpersist h");
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(run("HPERSIST h FIELDS 1 a"), ints({-1}));
  EXPECT_EQ(events(), "");
  server.advance_ms(1000000);
  EXPECT_EQ(run("HMGET h a b"), bulks({"1", "2"}));
}

TEST_P(FieldExpiry, FieldsGoByThemselvesAndTheHashWithTheLast) {
  for (bool large : {false, true}) {
    run("HSET h a 1 b 2");
    if (large) server.run({"HSET", "h", "a", std::string(100, 'x')});
    run("HPEXPIRE h 20 FIELDS 1 a");
    run("HPEXPIRE h 50 FIELDS 1 b");
    EXPECT_EQ(encoding("h"), large ? "hashtable" : "listpackex");
    int64_t before = expired_fields();
    events(), changes();
    server.advance_ms(20);  // it lives through its last millisecond
    EXPECT_EQ(run("HLEN h"), number(2));
    server.advance_ms(1);
    EXPECT_EQ(events(), "hexpired h");
    EXPECT_EQ(run("HLEN h"), number(1));
    EXPECT_EQ(run("HGETALL h"), bulks({"b", "2"}));
    server.advance_ms(30);
    EXPECT_EQ(events(), "hexpired h, del h");
    EXPECT_EQ(entry("h"), nullptr);
    EXPECT_EQ(expired_fields() - before, 2);
  }
}

TEST_P(FieldExpiry, ManyFieldsOfOneHashGoInPieces) {
  std::vector<std::string> args{"HPEXPIRE", "h", "10", "FIELDS", "5000"};
  for (int i = 0; i < 5000; i++) {
    run("HSET h f" + std::to_string(i) + " v");
    args.push_back("f" + std::to_string(i));
  }
  run("HSET h stays v");
  server.run(args);
  run("HPEXPIRE h 5000 FIELDS 1 f4999");
  events();
  server.advance_ms(11);
  EXPECT_EQ(run("HLEN h"), number(2));
  EXPECT_EQ(members("HKEYS h").size(), 2u);
  EXPECT_EQ(expired_fields(), 4999);
}

TEST_P(FieldExpiry, AnExpiredFieldIsUnseenBeforeItIsGone) {
  active_expire(false);
  for (bool large : {false, true}) {
    run("DEL h");
    run("HSET h a 1 b 2 n 5 f 1.5");
    if (large) server.run({"HSET", "h", "b", std::string(100, 'x')});
    const std::string b = large ? std::string(100, 'x') : "2";
    run("HPEXPIRE h 10 FIELDS 3 a n f");
    server.advance_ms(11);
    events();
    EXPECT_EQ(run("HLEN h"), number(4));  // as in Redis
    EXPECT_EQ(run("HGET h a"), kNull);
    EXPECT_EQ(run("HMGET h a b"), "*2\r\n" + kNull + bulk(b));
    EXPECT_EQ(run("HEXISTS h a"), number(0));
    EXPECT_EQ(run("HSTRLEN h a"), number(0));
    EXPECT_EQ(run("HGETALL h"), bulks({"b", b}));
    EXPECT_EQ(run3("HGETALL h"), "%1\r\n" + bulk("b") + bulk(b));
    EXPECT_EQ(run("HKEYS h"), bulks({"b"}));
    EXPECT_EQ(run("HVALS h"), bulks({b}));
    EXPECT_EQ(run("HSCAN h 0 COUNT 100"), "*2\r\n" + bulk("0") + bulks({"b", b}));
    EXPECT_EQ(run("HRANDFIELD h"), bulk("b"));
    EXPECT_EQ(run("HRANDFIELD h 10"), bulks({"b"}));
    EXPECT_EQ(run("HRANDFIELD h -2"), bulks({"b", "b"}));
    EXPECT_EQ(run("HTTL h FIELDS 2 a b"), ints({-2, -1}));
    EXPECT_EQ(run("HPERSIST h FIELDS 1 a"), ints({-2}));
    EXPECT_EQ(events(), "");
    EXPECT_EQ(run("HEXPIRE h 10 FIELDS 1 a"), ints({-2}));  // a command that changes fields removes those that it finds expired
    EXPECT_EQ(events(), "hexpired h");
    EXPECT_EQ(run("HINCRBY h n 2"), number(2));
    EXPECT_EQ(events(), "hexpired h, hincrby h");
    EXPECT_EQ(run("HINCRBYFLOAT h f 2"), bulk("2"));
    EXPECT_EQ(run("HPTTL h FIELDS 2 n f"), ints({-1, -1}));
    EXPECT_EQ(run("HDEL h b"), number(1));
    events();
  }
  run("DEL h");
  for (const char* line : {"HSET h a 2", "HSETNX h a 2"}) {
    run("HSETEX h PX 10 FIELDS 1 a 1");
    server.advance_ms(11);
    events();
    EXPECT_EQ(run(line), number(1)) << line;
    EXPECT_EQ(events(), "hexpired h, hset h");
    EXPECT_EQ(run("HTTL h FIELDS 1 a"), ints({-1}));
  }
  run("HPEXPIRE h 10 FIELDS 1 a");
  server.advance_ms(11);
  EXPECT_EQ(run("HRANDFIELD h"), kNull);
  EXPECT_EQ(run("HRANDFIELD h 2"), kEmpty);
  EXPECT_EQ(run("HGETALL h"), kEmpty);
  EXPECT_EQ(run("EXISTS h"), number(1));
  events();
  EXPECT_EQ(run("HDEL h a"), number(0));
  EXPECT_EQ(events(), "hexpired h, del h");
  EXPECT_EQ(entry("h"), nullptr);
}

TEST_P(FieldExpiry, OverwritingDropsATimeAndChangingKeepsIt) {
  run("HSET h a 1 b 2 c 3 d 4");
  run("HEXPIRE h 100 FIELDS 4 a b c d");
  run("HSET h a 2");
  run("HMSET h b 2");
  run("HINCRBY h c 2");
  run("HINCRBYFLOAT h d 0.5");
  run("HSETNX h c 9");
  EXPECT_EQ(run("HTTL h FIELDS 4 a b c d"), ints({-1, -1, 100, 100}));
  EXPECT_EQ(run("HMGET h a b c d"), bulks({"2", "2", "5", "4.5"}));
}

TEST_P(FieldExpiry, GetexReadsAndSetsOrTakesTimes) {
  run("HSET h a 1 b 2");
  events(), changes();
  EXPECT_EQ(run("HGETEX h FIELDS 2 a z"), "*2\r\n" + bulk("1") + kNull);
  EXPECT_EQ(run3("HGETEX no FIELDS 2 a z"), "*2\r\n" + kNull3 + kNull3);
  EXPECT_EQ(events(), "");
  EXPECT_EQ(encoding("h"), "listpack");
  EXPECT_EQ(run("HGETEX h EX 10 FIELDS 2 a z"), "*2\r\n" + bulk("1") + kNull);
  EXPECT_EQ(run("HPTTL h FIELDS 2 a b"), ints({10000, -1}));
  run("HGETEX h PX 20 FIELDS 1 b");
  EXPECT_EQ(run("HPTTL h FIELDS 1 b"), ints({20}));
  run("HGETEX h EXAT " + std::to_string(server.now_ms() / 1000 + 5) + " FIELDS 1 b");
  EXPECT_EQ(run("HEXPIRETIME h FIELDS 1 b"), ints({server.now_ms() / 1000 + 5}));
  run("HGETEX h PXAT " + at(777) + " FIELDS 1 b");
  EXPECT_EQ(run("HPTTL h FIELDS 1 b"), ints({777}));
  EXPECT_EQ(events(), "hexpire h, hexpire h, hexpire h, hexpire h");
  EXPECT_EQ(run("HGETEX h PERSIST FIELDS 2 a z"), "*2\r\n" + bulk("1") + kNull);
  EXPECT_EQ(run("HGETEX h PERSIST FIELDS 1 a"), bulks({"1"}));
  EXPECT_EQ(events(), "hpersist h");
  EXPECT_EQ(changes(), 5);
  EXPECT_EQ(run("HGETEX h EX 0 FIELDS 2 a a"), bulks({"1", "1"}));
  EXPECT_EQ(events(), "hdel h");
  EXPECT_EQ(run("HGETEX h PXAT 1 FIELDS 1 b"), bulks({"2"}));
  EXPECT_EQ(events(), "hdel h, del h");
  EXPECT_EQ(entry("h"), nullptr);
}

TEST_P(FieldExpiry, SetexSetsFieldsUnderConditionsAndWithTimes) {
  EXPECT_EQ(run("HSETEX h FXX FIELDS 1 a 1"), number(0));
  EXPECT_EQ(entry("h"), nullptr);
  EXPECT_EQ(run("HSETEX h FNX EX 10 FIELDS 2 a 1 b 2"), number(1));
  EXPECT_EQ(events(), "hset h, hexpire h");
  EXPECT_EQ(changes(), 2);
  EXPECT_EQ(run("HPTTL h FIELDS 2 a b"), ints({10000, 10000}));
  EXPECT_EQ(run("HSETEX h FNX FIELDS 2 a 9 c 9"), number(0));
  EXPECT_EQ(run("HSETEX h fxx FIELDS 2 a 9 c 9"), number(0));
  EXPECT_EQ(events(), "");
  EXPECT_EQ(run("HSETEX h KEEPTTL FXX FIELDS 2 a 3 b 4"), number(1));
  EXPECT_EQ(run("HPTTL h FIELDS 2 a b"), ints({10000, 10000}));
  EXPECT_EQ(run("HSETEX h FIELDS 1 a 5"), number(1));
  EXPECT_EQ(run("HPTTL h FIELDS 2 a b"), ints({-1, 10000}));
  EXPECT_EQ(run("HMGET h a b"), bulks({"5", "4"}));
  run("HSETEX h PXAT " + at(50) + " FIELDS 1 a 6");
  EXPECT_EQ(run("HPTTL h FIELDS 1 a"), ints({50}));
  run("HSETEX h EXAT " + std::to_string(server.now_ms() / 1000 + 5) + " FIELDS 1 a 7");
  EXPECT_EQ(run("HEXPIRETIME h FIELDS 1 a"), ints({server.now_ms() / 1000 + 5}));
  events();
  EXPECT_EQ(run("HSETEX h PX 0 FIELDS 1 a 8"), number(1));
  EXPECT_EQ(events(), "hset h, hdel h");
  EXPECT_EQ(run("HEXISTS h a"), number(0));
  EXPECT_EQ(run("HSETEX new EXAT 1 FIELDS 1 a 8"), number(1));
  EXPECT_EQ(events(), "hset new, hdel new, del new");
  EXPECT_EQ(entry("new"), nullptr);
}

TEST_P(FieldExpiry, OptionsOfGetexAndSetexExcludeEachOther) {
  run("HSET h a 1");
  const std::string one = error("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
  const std::string one_get = error("ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified");
  EXPECT_EQ(run("HSETEX h EX 1 KEEPTTL FIELDS 1 a 1"), one);
  EXPECT_EQ(run("HSETEX h EX 1 PX 1 FIELDS 1 a 1"), one);
  EXPECT_EQ(run("HSETEX h FNX FXX FIELDS 1 a 1"), error("ERR Only one of FXX or FNX arguments can be specified"));
  EXPECT_EQ(run("HSETEX h PERSIST FIELDS 1 a 1"), error("ERR unknown argument: PERSIST"));
  EXPECT_EQ(run("HSETEX h EX x FIELDS 1 a 1"), kNotInteger);
  EXPECT_EQ(run("HSETEX h EX -1 FIELDS 1 a 1"), error("ERR invalid expire time, must be >= 0"));
  EXPECT_EQ(run("HSETEX h EX 9223372036854775807 FIELDS 1 a 1"), error("ERR invalid expire time in 'hsetex' command"));
  EXPECT_EQ(run("HSETEX h FNX KEEPTTL PX 1 EX"), one);
  EXPECT_EQ(run("HSETEX h FNX FNX FNX EX"), error("ERR Only one of FXX or FNX arguments can be specified"));
  EXPECT_EQ(run("HSETEX h FNX a 1 EX"), error("ERR unknown argument: a"));
  EXPECT_EQ(run("HSETEX h FIELDS 1 a 1 b"), error("ERR The `numfields` parameter must match the number of arguments"));
  EXPECT_EQ(run("HSETEX h FIELDS 2 a 1"), error("ERR The `numfields` parameter must match the number of arguments"));
  EXPECT_EQ(run("HSETEX h FIELDS 0 a 1"), error("ERR Number of fields must be a positive integer"));
  EXPECT_EQ(run("HGETEX h EX 1 PERSIST FIELDS 1 a"), one_get);
  EXPECT_EQ(run("HGETEX h KEEPTTL FIELDS 1 a"), error("ERR unknown argument: KEEPTTL"));
  EXPECT_EQ(run("HGETEX h PX -1 FIELDS 1 a"), error("ERR invalid expire time, must be >= 0"));
  EXPECT_EQ(run("HGETEX h PERSIST a 1"), error("ERR unknown argument: a"));
  EXPECT_EQ(run("HGETEX h PX 10 EX"), one_get);
  EXPECT_EQ(run("HGETEX h PERSIST PX 10"), one_get);
  EXPECT_EQ(run("HGETEX h EX 10 FIELDS"), error("ERR Mandatory argument FIELDS is missing or not at the right position"));
  EXPECT_EQ(run("HGETALL h"), bulks({"a", "1"}));
}

TEST_P(FieldExpiry, GetdelAnswersAndRemoves) {
  run("HSET h a 1 b 2 c 3");
  run("HEXPIRE h 10 FIELDS 1 b");
  events(), changes();
  EXPECT_EQ(run("HGETDEL h FIELDS 3 a z a"), "*3\r\n" + bulk("1") + kNull + kNull);
  EXPECT_EQ(run3("HGETDEL no FIELDS 1 a"), "*1\r\n" + kNull3);
  EXPECT_EQ(events(), "hdel h");
  EXPECT_EQ(run("HGETDEL h FIELDS 2 b c"), bulks({"2", "3"}));
  EXPECT_EQ(events(), "hdel h, del h");
  EXPECT_EQ(changes(), 3);
  EXPECT_EQ(entry("h"), nullptr);
}

TEST_P(FieldExpiry, TimesGoWithTheKeyWhereverItGoes) {
  for (bool large : {false, true}) {
    run("FLUSHALL");
    run("HSET h a 1 b 2");
    if (large) server.run({"HSET", "h", "b", std::string(100, 'x')});
    run("HPEXPIRE h 1000 FIELDS 1 a");
    EXPECT_EQ(run("COPY h {x}copy"), number(1));
    EXPECT_EQ(run("HPTTL {x}copy FIELDS 2 a b"), ints({1000, -1}));
    EXPECT_EQ(encoding("{x}copy"), encoding("h"));
    EXPECT_EQ(run("RENAME h {y}other"), kOk);
    EXPECT_EQ(run("EXPIRE {y}other 100"), number(1));  // moves the entry
    EXPECT_EQ(run("PERSIST {y}other"), number(1));
    EXPECT_EQ(run("MOVE {y}other 3"), number(1));
    EXPECT_EQ(run("SWAPDB 3 4"), kOk);
    server.run({"SELECT", "4"});
    EXPECT_EQ(run("HPTTL {y}other FIELDS 1 a"), ints({1000}));
    EXPECT_EQ(run("MOVE {y}other 0"), number(1));
    server.run({"SELECT", "0"});
    server.advance_ms(1001);
    EXPECT_EQ(run("HKEYS {x}copy"), bulks({"b"}));
    EXPECT_EQ(run("HLEN {y}other"), number(1));
    // Whatever takes the key's place takes it out of the index of times.
    run("HPEXPIRE {y}other 10 FIELDS 1 b");
    run("SET {y}other x");
    run("HPEXPIRE {x}copy 10 FIELDS 1 b");
    run("FLUSHALL");
    server.advance_ms(100);
    for (Shard* s : server.engine().shards) EXPECT_EQ(s->field_expiry.size(), 0u);
  }
}

TEST_P(FieldExpiry, IsInTheDigestAndInMemoryUsage) {
  run("HSET h a 1 b 2");
  auto digest = [&] { return digest_text(value_digest(*entry("h"))); };
  std::string plain = digest();
  run("HEXPIRE h 100 FIELDS 1 a");
  EXPECT_NE(plain, digest());
  EXPECT_EQ(run("MEMORY USAGE h").substr(0, 1), ":");
  run("HPERSIST h FIELDS 1 a");
  EXPECT_EQ(digest(), plain);
  EXPECT_EQ(run("TYPE h"), "+hash\r\n");
}

TEST_P(FieldExpiry, AFieldThatGoesIsAChangeToAWatcher) {
  run("HSET h a 1 b 2");
  run("HPEXPIRE h 10 FIELDS 1 a");
  server.run_as(1, {"WATCH", "h"});
  server.advance_ms(11);
  server.run_as(1, {"MULTI"});
  server.run_as(1, {"HEXPIRE", "h", "5", "FIELDS", "1", "b"});
  EXPECT_EQ(server.run_as(1, {"EXEC"}), kNullArray);
  server.run_as(1, {"MULTI"});
  server.run_as(1, {"HEXPIRE", "h", "5", "FIELDS", "1", "b"});
  EXPECT_EQ(server.run_as(1, {"EXEC"}), "*1\r\n" + ints({1}));
}

// Every command of hashes at random against a map, while time passes.
TEST_P(FieldExpiry, DoesWhatAModelDoes) {
  Seeded seeded;
  struct Field {
    int64_t value;
    int64_t when;  // 0: none
  };
  std::map<std::string, std::map<std::string, Field>> model;
  for (int step = 0; step < 6000; step++) {
    int64_t now = server.now_ms();
    std::string key = "h" + std::to_string(seeded.below(4)), field = "f" + std::to_string(seeded.below(key == "h3" ? 600 : 8));
    auto& hash = model[key];
    for (auto i = hash.begin(); i != hash.end();) i = i->second.when && i->second.when < now ? hash.erase(i) : std::next(i);
    auto at_field = hash.find(field);
    bool there = at_field != hash.end();
    std::string v = std::to_string(seeded.below(100));
    std::string one = " FIELDS 1 " + field;
    int64_t ms = static_cast<int64_t>(seeded.below(60));
    std::string context = "step " + std::to_string(step) + " " + key + " " + field;
    switch (seeded.below(10)) {
      case 0:
        ASSERT_EQ(run("HSET " + key + " " + field + " " + v), number(!there)) << context;
        hash[field] = {std::stoll(v), 0};
        break;
      case 1:
        ASSERT_EQ(run("HSETEX " + key + " PX " + std::to_string(ms) + one + " " + v), number(1)) << context;
        hash[field] = {std::stoll(v), now + ms};
        if (!ms) hash.erase(field);
        break;
      case 2:
        ASSERT_EQ(run("HPEXPIRE " + key + " " + std::to_string(ms) + one), ints({!there ? -2 : ms ? 1 : 2})) << context;
        if (there) at_field->second.when = now + ms;
        if (there && !ms) hash.erase(field);
        break;
      case 3:
        ASSERT_EQ(run("HINCRBY " + key + " " + field + " 3"), number(there ? at_field->second.value + 3 : 3)) << context;
        there ? at_field->second.value += 3 : (hash[field] = {3, 0}).value;
        break;
      case 4:
        ASSERT_EQ(run("HDEL " + key + " " + field), number(there)) << context;
        hash.erase(field);
        break;
      case 5:
        ASSERT_EQ(run("HPERSIST " + key + one), ints({!there ? -2 : at_field->second.when ? 1 : -1})) << context;
        if (there) at_field->second.when = 0;
        break;
      case 6:
        ASSERT_EQ(run("HGETEX " + key + " PX " + std::to_string(ms + 1) + one),
                  there ? bulks({std::to_string(at_field->second.value)}) : "*1\r\n" + kNull);
        if (there) at_field->second.when = now + ms + 1;
        break;
      case 7:
        ASSERT_EQ(run("HPTTL " + key + one), ints({!there ? -2 : at_field->second.when ? at_field->second.when - now : -1})) << context;
        break;
      case 8: {
        std::string other = "h" + std::to_string(seeded.below(4));
        if (other == key) break;
        ASSERT_EQ(run("COPY " + key + " " + other + " REPLACE"), number(!hash.empty())) << context;
        if (!hash.empty()) model[other] = hash;
        break;
      }
      default: server.advance_ms(static_cast<int64_t>(seeded.below(20)));
    }
    if (step % 20) continue;
    now = server.now_ms();
    std::map<std::string, std::string> seen, wanted;
    for (auto& [name, f] : hash)
      if (!f.when || f.when >= now) wanted[name] = std::to_string(f.value);
    std::vector<std::string> reply = members("HGETALL " + key);
    for (size_t i = 0; i < reply.size(); i += 2) seen[reply[i]] = reply[i + 1];
    ASSERT_EQ(seen, wanted) << context;
    ASSERT_EQ(run("HLEN " + key), number(static_cast<int64_t>(wanted.size()))) << context;  // nothing is late here
    ASSERT_EQ(entry(key) != nullptr, !wanted.empty()) << context;
  }
  server.advance_ms(1000);
  for (Shard* s : server.engine().shards) EXPECT_EQ(s->field_expiry.size(), 0u);
}

}  // namespace
}  // namespace ringwood
