#include <gtest/gtest.h>

#include <set>

#include "engine/exec/shard.h"
#include "tests/harness/in_process.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

const std::string kOk = "+OK\r\n", kNull = "$-1\r\n", kSyntax = "-ERR syntax error\r\n";

std::string bulk(const std::string& s) { return "$" + std::to_string(s.size()) + "\r\n" + s + "\r\n"; }
std::string number(int64_t n) { return ":" + std::to_string(n) + "\r\n"; }

// The bulk strings of a reply, in order, whatever the nesting.
std::vector<std::string> bulks(const std::string& reply) {
  std::vector<std::string> out;
  for (size_t i = 0; i < reply.size();) {
    size_t end = reply.find("\r\n", i);
    if (reply[i] == '$') {
      size_t n = std::stoul(reply.substr(i + 1, end - i - 1));
      out.push_back(reply.substr(end + 2, n));
      i = end + 2 + n + 2;
    } else {
      i = end + 2;
    }
  }
  return out;
}

class Generic : public testing::TestWithParam<int> {
 protected:
  InProcess server{GetParam()};
  std::string run(const InProcess::Args& a) { return server.run(a); }
  // In another database, by a client of its own.
  std::string run_in(int database, const InProcess::Args& a) {
    server.client(static_cast<size_t>(database)).database = database;
    return server.run_as(static_cast<size_t>(database), a);
  }
  int64_t total(Counter ShardStats::*counter) {
    int64_t n = 0;
    for (Shard* s : server.engine().shards) n += (s->stats.*counter).get();
    return n;
  }
  std::vector<std::string> scan_all(InProcess::Args options) {
    std::vector<std::string> out;
    std::string cursor = "0";
    do {
      InProcess::Args a = {"SCAN", cursor};
      a.insert(a.end(), options.begin(), options.end());
      std::vector<std::string> reply = bulks(run(a));
      cursor = reply.at(0);
      out.insert(out.end(), reply.begin() + 1, reply.end());
    } while (cursor != "0");
    return out;
  }
};
INSTANTIATE_TEST_SUITE_P(Shards, Generic, testing::Values(1, 3));

TEST_P(Generic, DeletingCountsWhatWasThere) {
  run({"MSET", "a", "1", "b", "2", "c", "3"});
  EXPECT_EQ(run({"DEL", "a", "x", "a"}), number(1));
  EXPECT_EQ(run({"UNLINK", "b", "c"}), number(2));
  EXPECT_EQ(run({"DBSIZE"}), number(0));
  run({"SET", "a", "1", "PX", "10"});
  server.clock().advance_us(11'000);
  EXPECT_EQ(run({"DEL", "a"}), number(0));
  EXPECT_EQ(total(&ShardStats::expired_keys), 1);
}

TEST_P(Generic, HitsAndMissesAreCounted) {
  run({"SET", "a", "1"});
  run({"GET", "a"});
  run({"EXISTS", "a", "b"});
  run({"TTL", "a"});
  run({"TYPE", "b"});
  run({"INCR", "a"});
  EXPECT_EQ(total(&ShardStats::keyspace_hits), 3);
  EXPECT_EQ(total(&ShardStats::keyspace_misses), 2);
}

TEST_P(Generic, TypeNamesWhatIsThere) {
  EXPECT_EQ(run({"TYPE", "a"}), "+none\r\n");
  run({"SET", "a", "1"});
  EXPECT_EQ(run({"TYPE", "a"}), "+string\r\n");
}

TEST_P(Generic, RenamingKeepsValueAndExpiryOnAnyShard) {
  for (int i = 0; i < 20; i++) {
    std::string from = "from" + std::to_string(i), to = "to" + std::to_string(i), value = std::string(static_cast<size_t>(i * 700), 'v');
    run({"SET", from, value, "EX", "100"});
    if (i % 2) run({"SET", to, "old", "EX", "7"});
    EXPECT_EQ(run({"RENAMENX", from, to}), number(i % 2 ? 0 : 1));
    EXPECT_EQ(run({"RENAME", i % 2 ? from : to, i % 2 ? to : from}), kOk);
    std::string now = i % 2 ? to : from;
    EXPECT_EQ(run({"GET", now}), bulk(value));
    EXPECT_EQ(run({"TTL", now}), number(100));
    EXPECT_EQ(run({"DBSIZE"}), number(i + 1));
  }
  size_t in_index = 0;
  for (Shard* s : server.engine().shards) in_index += s->expiry.size();
  EXPECT_EQ(in_index, 20u);
  EXPECT_EQ(run({"RENAME", "absent", "x"}), "-ERR no such key\r\n");
  EXPECT_EQ(run({"RENAME", "from0", "from0"}), kOk);
  EXPECT_EQ(run({"RENAMENX", "from0", "from0"}), number(0));
  server.advance_ms(100'001);
  EXPECT_EQ(run({"DBSIZE"}), number(0));
}

TEST_P(Generic, CopyingLeavesTwoIndependentValues) {
  run({"SET", "a", "1", "EX", "50"});
  EXPECT_EQ(run({"COPY", "a", "b"}), number(1));
  EXPECT_EQ(run({"COPY", "a", "b"}), number(0));
  EXPECT_EQ(run({"TTL", "b"}), number(50));
  run({"INCR", "a"});
  EXPECT_EQ(run({"GET", "b"}), bulk("1"));
  EXPECT_EQ(run({"COPY", "a", "b", "REPLACE"}), number(1));
  EXPECT_EQ(run({"GET", "b"}), bulk("2"));
  EXPECT_EQ(run({"COPY", "a", "a"}), "-ERR source and destination objects are the same\r\n");
  EXPECT_EQ(run({"COPY", "a", "a", "DB", "3"}), number(1));
  EXPECT_EQ(run_in(3, {"GET", "a"}), bulk("2"));
  EXPECT_EQ(run({"COPY", "a", "b", "DB", "99"}), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(run({"COPY", "a", "b", "FOO"}), kSyntax);
  EXPECT_EQ(run({"COPY", "absent", "z"}), number(0));
}

TEST_P(Generic, MovingTakesTheKeyAlong) {
  run({"SET", "a", "1", "EX", "50"});
  EXPECT_EQ(run({"MOVE", "a", "2"}), number(1));
  EXPECT_EQ(run({"EXISTS", "a"}), number(0));
  EXPECT_EQ(run_in(2, {"TTL", "a"}), number(50));
  run({"SET", "a", "2"});
  EXPECT_EQ(run({"MOVE", "a", "2"}), number(0));
  EXPECT_EQ(run({"MOVE", "a", "0"}), "-ERR source and destination objects are the same\r\n");
  EXPECT_EQ(run({"MOVE", "a", "16"}), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(run({"MOVE", "a", "x"}), "-ERR value is not an integer or out of range\r\n");
  server.advance_ms(50'001);
  EXPECT_EQ(run_in(2, {"DBSIZE"}), number(0));
  EXPECT_EQ(run({"MOVE", "a", "2"}), number(1));
}

TEST_P(Generic, SwappedDatabasesKeepTheirExpiry) {
  run({"SET", "a", "zero", "EX", "10"});
  run_in(1, {"SET", "a", "one"});
  EXPECT_EQ(run({"SWAPDB", "0", "1"}), kOk);
  EXPECT_EQ(run({"GET", "a"}), bulk("one"));
  EXPECT_EQ(run_in(1, {"GET", "a"}), bulk("zero"));
  server.advance_ms(10'001);
  EXPECT_EQ(run_in(1, {"DBSIZE"}), number(0));
  EXPECT_EQ(run({"DBSIZE"}), number(1));
  EXPECT_EQ(run({"SWAPDB", "x", "1"}), "-ERR invalid first DB index\r\n");
  EXPECT_EQ(run({"SWAPDB", "1", "x"}), "-ERR invalid second DB index\r\n");
  EXPECT_EQ(run({"SWAPDB", "1", "16"}), "-ERR DB index is out of range\r\n");
}

TEST_P(Generic, FlushingEmptiesOneDatabaseOrAll) {
  for (int i = 0; i < 100; i++) run({"SET", "k" + std::to_string(i), "v", "EX", "10"});
  run_in(1, {"SET", "a", "1"});
  EXPECT_EQ(run({"FLUSHDB"}), kOk);
  EXPECT_EQ(run({"DBSIZE"}), number(0));
  EXPECT_EQ(run_in(1, {"DBSIZE"}), number(1));
  EXPECT_EQ(run({"FLUSHALL", "ASYNC"}), kOk);
  EXPECT_EQ(run_in(1, {"DBSIZE"}), number(0));
  EXPECT_EQ(run({"FLUSHDB", "FOO"}), kSyntax);
  EXPECT_EQ(run({"FLUSHALL", "SYNC", "SYNC"}), kSyntax);
  size_t in_index = 0;
  for (Shard* s : server.engine().shards) in_index += s->expiry.size();
  EXPECT_EQ(in_index, 0u);
}

TEST_P(Generic, ExpiryIsSetAskedForAndRemoved) {
  EXPECT_EQ(run({"EXPIRE", "a", "10"}), number(0));
  EXPECT_EQ(run({"TTL", "a"}), number(-2));
  run({"SET", "a", "1"});
  EXPECT_EQ(run({"TTL", "a"}), number(-1));
  EXPECT_EQ(run({"PERSIST", "a"}), number(0));
  EXPECT_EQ(run({"EXPIRE", "a", "10"}), number(1));
  EXPECT_EQ(run({"PTTL", "a"}), number(10'000));
  EXPECT_EQ(run({"PEXPIRETIME", "a"}), number(server.now_ms() + 10'000));
  EXPECT_EQ(run({"EXPIRETIME", "a"}), number((server.now_ms() + 10'500) / 1000));
  server.advance_ms(600);
  EXPECT_EQ(run({"TTL", "a"}), number(9));
  EXPECT_EQ(run({"PERSIST", "a"}), number(1));
  EXPECT_EQ(run({"TTL", "a"}), number(-1));
  EXPECT_EQ(run({"PEXPIREAT", "a", std::to_string(server.now_ms() + 5)}), number(1));
  EXPECT_EQ(run({"PTTL", "a"}), number(5));
  EXPECT_EQ(run({"EXPIREAT", "a", std::to_string(server.now_ms() / 1000 + 20)}), number(1));
  EXPECT_EQ(run({"PEXPIRE", "a", "0"}), number(1));
  EXPECT_EQ(run({"EXISTS", "a"}), number(0));
  run({"SET", "a", "1"});
  EXPECT_EQ(run({"EXPIRE", "a", "-1"}), number(1));
  EXPECT_EQ(run({"EXISTS", "a"}), number(0));
}

TEST_P(Generic, ConditionsOfExpire) {
  run({"SET", "a", "1"});
  EXPECT_EQ(run({"EXPIRE", "a", "100", "XX"}), number(0));
  EXPECT_EQ(run({"EXPIRE", "a", "100", "GT"}), number(0));
  EXPECT_EQ(run({"EXPIRE", "a", "100", "NX"}), number(1));
  EXPECT_EQ(run({"EXPIRE", "a", "200", "NX"}), number(0));
  EXPECT_EQ(run({"EXPIRE", "a", "200", "xx", "gt"}), number(1));
  EXPECT_EQ(run({"EXPIRE", "a", "150", "GT"}), number(0));
  EXPECT_EQ(run({"EXPIRE", "a", "150", "LT"}), number(1));
  EXPECT_EQ(run({"TTL", "a"}), number(150));
  run({"PERSIST", "a"});
  EXPECT_EQ(run({"EXPIRE", "a", "99", "LT"}), number(1));
  EXPECT_EQ(run({"EXPIRE", "a", "9", "FOO"}), "-ERR Unsupported option FOO\r\n");
  EXPECT_EQ(run({"EXPIREAT", "a", "9223372036854775", "GT"}), number(1));  // the latest that there is
  EXPECT_EQ(run({"EXPIREAT", "a", "9223372036854775", "GT"}), number(0));
  EXPECT_EQ(run({"PEXPIREAT", "a", "9223372036854775807", "LT"}), number(0));
  EXPECT_EQ(run({"EXPIRE", "a", "9", "NX", "XX"}), "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n");
  EXPECT_EQ(run({"EXPIRE", "a", "9", "GT", "LT"}), "-ERR GT and LT options at the same time are not compatible\r\n");
  EXPECT_EQ(run({"EXPIRE", "a", "9223372036854775807"}), "-ERR invalid expire time in 'expire' command\r\n");
  EXPECT_EQ(run({"EXPIRE", "a", "-9223372036854775807"}), "-ERR invalid expire time in 'expire' command\r\n");
  EXPECT_EQ(run({"PEXPIRE", "a", "9223372036854770000"}), "-ERR invalid expire time in 'pexpire' command\r\n");
  EXPECT_EQ(run({"PEXPIREAT", "a", "9223372036854770000"}), number(1));
  EXPECT_EQ(run({"EXISTS", "a"}), number(1));
}

TEST_P(Generic, KeysExpireByAccessAndByTimeAtTheRightMillisecond) {
  run({"SET", "a", "1", "PX", "100"});
  server.clock().advance_us(100'000);
  EXPECT_EQ(run({"GET", "a"}), bulk("1"));
  server.clock().advance_us(1'000);
  EXPECT_EQ(run({"GET", "a"}), kNull);
  for (int i = 0; i < 1000; i++) run({"SET", "k" + std::to_string(i), "v", "PX", std::to_string(1 + i)});
  for (int i = 0; i < 10; i++) {
    server.advance_ms(100);
    EXPECT_EQ(run({"DBSIZE"}), number(1000 - (i + 1) * 100 + 1)) << i;
  }
  server.advance_ms(1);
  EXPECT_EQ(run({"DBSIZE"}), number(0));
  EXPECT_EQ(total(&ShardStats::expired_keys), 1001);
}

TEST_P(Generic, ScanListsEveryKeyAndEnds) {
  EXPECT_EQ(run({"SCAN", "0"}), GetParam() == 1 ? "*2\r\n$1\r\n0\r\n*0\r\n" : run({"SCAN", "0"}));
  std::set<std::string> all;
  for (int i = 0; i < 1000; i++) all.insert("key:" + std::to_string(i));
  for (int i = 0; i < 1000; i++) all.insert("{tag}" + std::to_string(i));
  for (const std::string& key : all) run({"SET", key, "v"});
  for (const char* count : {"1", "10", "100", "100000"}) {
    std::vector<std::string> got = scan_all({"COUNT", count});
    EXPECT_EQ(std::set<std::string>(got.begin(), got.end()), all) << count;
    EXPECT_EQ(got.size(), all.size());
  }
  EXPECT_EQ(scan_all({"MATCH", "{tag}*", "COUNT", "50"}).size(), 1000u);
  EXPECT_EQ(scan_all({"MATCH", "*"}).size(), 2000u);
  EXPECT_EQ(scan_all({"TYPE", "STRING", "COUNT", "500"}).size(), 2000u);
  EXPECT_EQ(scan_all({"TYPE", "list", "COUNT", "500"}).size(), 0u);
  EXPECT_EQ(scan_all({"TYPE", "nonsense", "COUNT", "500"}).size(), 0u);
  // One call's work is bounded by COUNT, give or take what stands together.
  EXPECT_LE(bulks(run({"SCAN", "0", "COUNT", "10"})).size(), 1u + 10 + 24);
}

TEST_P(Generic, ScanReportsEveryKeyThatStaysWhileOthersComeAndGo) {
  Seeded seeded;
  std::set<std::string> stays;
  for (int i = 0; i < 800; i++) {
    std::string key = (i % 2 ? "{t}stay" : "stay") + std::to_string(i);
    stays.insert(key);
    run({"SET", key, "v"});
  }
  for (int round = 0; round < 4; round++) {
    std::set<std::string> seen;
    std::string cursor = "0";
    int next = 0;
    do {
      std::vector<std::string> reply = bulks(run({"SCAN", cursor, "COUNT", "20"}));
      cursor = reply.at(0);
      seen.insert(reply.begin() + 1, reply.end());
      for (int i = 0; i < 20; i++) {
        std::string key = (i % 2 ? "{t}go" : "go") + std::to_string(seeded.below(4000));
        if (round % 2 == 0 || next < 1000)
          run({"SET", key, "v"}), next++;
        else
          run({"DEL", key});
      }
    } while (cursor != "0");
    for (const std::string& key : stays) ASSERT_TRUE(seen.count(key)) << key;
  }
}

TEST_P(Generic, ScanSkipsAndRemovesExpiredKeys) {
  run({"SET", "a", "1"});
  run({"SET", "b", "1", "PX", "10"});
  for (Shard* s : server.engine().shards) s->active_expire = false;
  server.advance_ms(11);
  EXPECT_EQ(run({"DBSIZE"}), number(2));
  EXPECT_EQ(run({"KEYS", "*"}), "*1\r\n" + bulk("a"));
  EXPECT_EQ(scan_all({}), std::vector<std::string>{"a"});
  EXPECT_EQ(run({"DBSIZE"}), number(1));
  EXPECT_EQ(total(&ShardStats::expired_keys), 1);
}

TEST_P(Generic, ScanReadsACursorAsAnUnsignedNumberWithASign) {
  for (const char* cursor : {"-3", "+0", "", "-18446744073709551615", "18446744073709551615"})
    EXPECT_EQ(run({"SCAN", cursor}).substr(0, 4), "*2\r\n") << cursor;
  EXPECT_EQ(run({"SCAN", "-"}), "-ERR invalid cursor\r\n");
  EXPECT_EQ(run({"SCAN", "-18446744073709551616"}), "-ERR invalid cursor\r\n");
}

TEST_P(Generic, ScanRefusesWhatItCannotRead) {
  EXPECT_EQ(run({"SCAN", "x"}), "-ERR invalid cursor\r\n");
  EXPECT_EQ(run({"SCAN", " 1"}), "-ERR invalid cursor\r\n");
  EXPECT_EQ(run({"SCAN", "99999999999999999999999"}), "-ERR invalid cursor\r\n");
  EXPECT_EQ(run({"SCAN", "0", "COUNT", "0"}), kSyntax);
  EXPECT_EQ(run({"SCAN", "0", "COUNT"}), kSyntax);
  EXPECT_EQ(run({"SCAN", "0", "COUNT", "x"}), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(run({"SCAN", "0", "FOO", "1"}), kSyntax);
  // Any number is a cursor.
  for (const char* cursor : {"1", "16383", "16384", "18446744073709551615"}) EXPECT_EQ(run({"SCAN", cursor})[0], '*');
}

TEST_P(Generic, KeysAndRandomkey) {
  EXPECT_EQ(run({"RANDOMKEY"}), kNull);
  run({"MSET", "hello", "1", "hallo", "2", "hxllo", "3", "other", "4"});
  std::vector<std::string> got = bulks(run({"KEYS", "h[ae]llo"}));
  EXPECT_EQ(std::set<std::string>(got.begin(), got.end()), (std::set<std::string>{"hello", "hallo"}));
  EXPECT_EQ(bulks(run({"KEYS", "*"})).size(), 4u);
  std::set<std::string> drawn;
  for (int i = 0; i < 200; i++) drawn.insert(bulks(run({"RANDOMKEY"})).at(0));
  EXPECT_EQ(drawn.size(), 4u);
}

// A replica's expired keys stand until its master says that they go, and so do those of a server that pauses.
TEST_P(Generic, RandomkeyEndsWhereExpiredKeysStand) {
  for (uint32_t state : {kStateReplica, kStatePaused}) {
    for (int i = 0; i < 5; i++) run({"SET", "k" + std::to_string(i), "x", "PX", "10"});
    server.engine().state.fetch_or(state);
    server.clock().advance_us(20'000);
    EXPECT_EQ(bulks(run({"RANDOMKEY"})).at(0)[0], 'k');
    server.engine().state.fetch_and(~state);
    EXPECT_EQ(run({"RANDOMKEY"}), kNull);
    run({"SET", "k", "x", "PX", "10"});
    run({"SET", "lives", "x"});
    server.engine().state.fetch_or(state);
    server.clock().advance_us(20'000);
    for (int i = 0; i < 200; i++) EXPECT_EQ(run({"RANDOMKEY"}), bulk("lives"));
    server.engine().state.fetch_and(~state);
    run({"FLUSHALL"});
  }
}

TEST_P(Generic, ObjectTellsIdleTimeAndRefcount) {
  run({"SET", "a", "x"});
  server.clock().advance_us(5'000'000);
  EXPECT_EQ(run({"OBJECT", "IDLETIME", "a"}), number(5));
  EXPECT_EQ(run({"EXISTS", "a"}), number(1));
  EXPECT_EQ(run({"OBJECT", "IDLETIME", "a"}), number(5));
  EXPECT_EQ(run({"TOUCH", "a", "b"}), number(1));
  EXPECT_EQ(run({"OBJECT", "IDLETIME", "a"}), number(0));
  EXPECT_EQ(run({"OBJECT", "REFCOUNT", "a"}), number(1));
  run({"SET", "a", "1"});
  EXPECT_EQ(run({"OBJECT", "REFCOUNT", "a"}), number(2147483647));
  EXPECT_EQ(run({"OBJECT", "ENCODING", "absent"}), kNull);
  EXPECT_EQ(run({"OBJECT", "FREQ", "a"}).substr(0, 44), "-ERR An LFU maxmemory policy is not selected");
  EXPECT_EQ(run({"OBJECT", "FOO", "a"}), "-ERR unknown subcommand 'FOO'. Try OBJECT HELP.\r\n");
  EXPECT_EQ(run({"OBJECT", "HELP"}).substr(0, 4), "*11\r");
}

TEST(Lfu, CountsAccessesAndForgetsThem) {
  Options o;
  o.maxmemory_policy = MaxmemoryPolicy::kAllkeysLfu;
  InProcess server(1, o);
  server.run({"SET", "a", "x"});
  for (int i = 0; i < 300; i++) server.run({"GET", "a"});
  int freq = std::stoi(server.run({"OBJECT", "FREQ", "a"}).substr(1));
  EXPECT_GT(freq, 7);
  EXPECT_LT(freq, 60);
  server.advance_ms(3 * 60'000);
  EXPECT_EQ(server.run({"OBJECT", "FREQ", "a"}), number(freq - 3));
  EXPECT_EQ(server.run({"OBJECT", "IDLETIME", "a"}).substr(0, 40), "-ERR An LFU maxmemory policy is selected");
}

}  // namespace
}  // namespace ringwood
