// The pure parts of the append-only file: its manifest, the parser of its commands, and a data set as commands.
#include <gtest/gtest.h>

#include "engine/base/resp_command.h"
#include "persist/aof_commands.h"
#include "persist/aof_manifest.h"
#include "persist/aof_parser.h"
#include "tests/harness/in_process.h"
#include "tests/support/seed.h"

namespace ringwood {
namespace {

TEST(AofManifest, ReadsWhatItWrites) {
  AofManifest m;
  m.set_base("appendonly.aof", ".base.rdb");
  m.add_incr("appendonly.aof");
  m.add_incr("appendonly.aof");
  EXPECT_EQ(m.text(),
            "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\nfile appendonly.aof.2.incr.aof seq "
            "2 type i\n");
  m.retire_incr(1);
  m.set_base("appendonly.aof", ".base.aof");
  EXPECT_EQ(m.text(),
            "file appendonly.aof.2.base.aof seq 2 type b\nfile appendonly.aof.1.base.rdb seq 1 type h\n"
            "file appendonly.aof.1.incr.aof seq 1 type h\nfile appendonly.aof.2.incr.aof seq 2 type i\n");
  AofManifest again;
  EXPECT_FALSE(parse_manifest(m.text(), again));
  EXPECT_EQ(again.text(), m.text());
  EXPECT_EQ(again.add_incr("a").name, "a.3.incr.aof");
}

TEST(AofManifest, QuotesNamesThatNeedIt) {
  AofManifest m, again;
  m.add_incr(" a\"b\n");
  EXPECT_FALSE(parse_manifest(m.text(), again));
  EXPECT_EQ(again.incr[0].name, " a\"b\n.1.incr.aof");
}

TEST(AofManifest, SaysWhatIsWrong) {
  struct Bad {
    const char* text;
    const char* reason;
    int line;
  };
  const Bad cases[] = {
      {"", "Found an empty AOF manifest", 0},
      {"file a seq 1 type b", "The AOF manifest file contains too long line", 1},
      {"# a comment\n\n", "Invalid AOF manifest file format", 2},
      {"file a seq 1 type\n", "Invalid AOF manifest file format", 1},
      {"file a seq 1\n", "Invalid AOF manifest file format", 1},
      {"file a seq 0 type b\n", "Invalid AOF manifest file format", 1},
      {"file a/b seq 1 type b\n", "File can't be a path, just a filename", 1},
      {"file a seq 1 type x\n", "Unknown AOF file type", 1},
      {"file a seq\xf2"
       "2 type b\xf2"
       "file b seq 2 type i\n",
       "Invalid AOF manifest file format", 1},
      {"filG a seq 2 type bfile b seq 2 type i\n", "Invalid AOF manifest file format", 1},
      {"filG a seq 2 type b file b seq 2 type i\n", "Invalid AOF manifest file format", 1},
      {"file a seq 1 type b\nfile b seq 2 type b\n", "Found duplicate base file information", 2},
      {"file a seq 2 type i\nfile b seq 1 type i\n", "Found a non-monotonic sequence number", 2},
      {"file a seq 1 type b file b seq 1 type i\n", "Two files stand in one line", 1},
      {"#ile a seq 1 type b\nfile b seq 1 type i\n", "Invalid AOF manifest file format", 1},
      {"file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type h\n", "A file is called history, but nothing has taken its place", 0},
      {"file a.1.base.rdb seq 1 type h\nfile a.1.incr.aof seq 1 type i\n", "A file is called history, but nothing has taken its place", 0},
      {"file a.2.base.rdb seq 2 type b\nfile a.1.base.rdb seq 1 type h\nfile a.2.incr.aof seq 2 type i\nfile a.3.incr.aof seq 3 type h\n",
       "A file is called history, but nothing has taken its place", 0},
  };
  for (const Bad& bad : cases) {
    AofManifest m;
    auto error = parse_manifest(bad.text, m);
    ASSERT_TRUE(error) << bad.text;
    EXPECT_STREQ(error->reason, bad.reason) << bad.text;
    EXPECT_EQ(error->line, bad.line) << bad.text;
  }
  AofManifest m;
  EXPECT_FALSE(parse_manifest("file a seq 1 type b more words\n# end\n", m));
  // A base without a log behind it, as BGREWRITEAOF leaves it with appendonly no.
  EXPECT_FALSE(parse_manifest("file a.2.base.rdb seq 2 type b\nfile a.1.base.rdb seq 1 type h\nfile a.1.incr.aof seq 1 type h\n", m));
}

TEST(AofParser, TakesWholeCommandsAlone) {
  const std::string command = "*2\r\n$3\r\nGET\r\n$0\r\n\r\n";
  AofParser p;
  for (size_t n = 0; n < command.size(); n++) EXPECT_EQ(p.parse(Bytes(command).substr(0, n)), AofParser::Status::kMore) << n;
  const std::string more = command + "*1";  // arguments are views into it
  ASSERT_EQ(p.parse(more), AofParser::Status::kCommand);
  EXPECT_EQ(p.consumed(), command.size());
  ASSERT_EQ(p.args().size(), 2u);
  EXPECT_EQ(p.args()[0], "GET");
  EXPECT_EQ(p.args()[1], "");
  EXPECT_EQ(p.parse("#TS:1\r\n*1"), AofParser::Status::kNote);
  EXPECT_EQ(p.consumed(), 7u);
  for (const char* bad : {"GET a\r\n", "*0\r\n", "*-1\r\n", "*x\r\n", "*1\r\n+a\r\n", "*1\r\n$-1\r\n", "*1\r\n$99999999999\r\n",
                          "*01\r\n$1\r\na\r\n", "*1\r\n$01\r\na\r\n", "*1\r\n$1\r\nab\n", "*1\r\n$1\n\na\r\n"})
    EXPECT_EQ(p.parse(bad), AofParser::Status::kBad) << bad;
}

// Numbers of any length and arguments of any bytes, with others behind them and broken off.
TEST(AofParser, TakesArgumentsOfAnySize) {
  Seeded random;
  AofParser p;
  for (int round = 0; round < 2000; round++) {
    std::vector<std::string> words(1 + random.below(round % 50 ? 4 : 120));
    for (std::string& w : words) w = random.bytes(random.below(random.chance(80) ? 20 : random.chance(90) ? 200 : 20000));
    OwnedBytes text;
    put_command(text, words);
    const size_t cut = random.below(text.size());
    ASSERT_EQ(p.parse(Bytes(text).substr(0, cut)), AofParser::Status::kMore);
    const OwnedBytes input = text + (random.chance(50) ? text.substr(0, cut) : "");
    ASSERT_EQ(p.parse(input), AofParser::Status::kCommand);
    ASSERT_EQ(p.consumed(), text.size());
    ASSERT_EQ(p.lines(), static_cast<int64_t>(1 + 2 * words.size()));
    ASSERT_EQ(p.stop().fault, AofParser::Fault::kNone);
    ASSERT_TRUE(std::equal(words.begin(), words.end(), p.args().begin(), p.args().end()));
  }
}

// Who has to find the place in a file is told it.
TEST(AofParser, SaysWhereAndWhyItStopped) {
  using Fault = AofParser::Fault;
  AofParser p;
  auto stop = [&p](Bytes input, AofParser::Status status) {
    EXPECT_EQ(p.parse(input), status) << input;
    return p.stop();
  };
  EXPECT_EQ(stop("*1\r\n$4\r\nPINGxx", AofParser::Status::kBad).fault, Fault::kTerminator);  // no CR LF: not passed over
  EXPECT_EQ(p.stop().at, 8u);
  EXPECT_EQ(p.lines(), 2);
  EXPECT_EQ(stop("*1\n$4\r\nPING\r\n", AofParser::Status::kBad).fault, Fault::kLineEnd);
  EXPECT_EQ(stop("*2\r\n$4\r\nPING\r\n#1\r\n", AofParser::Status::kBad).fault, Fault::kMark);
  EXPECT_EQ(p.stop().at, 14u);
  AofParser::Stop cut = stop("*1\r\n$4\r\nPI", AofParser::Status::kMore);
  EXPECT_EQ(cut.fault, Fault::kBytes);
  EXPECT_EQ(cut.at, 8u);
  EXPECT_EQ(cut.number, 6);
  EXPECT_EQ(cut.present, 2);
  EXPECT_EQ(stop("*1\r\n", AofParser::Status::kMore).fault, Fault::kNothing);
  EXPECT_EQ(stop("#TS:1", AofParser::Status::kMore).fault, Fault::kNote);
  EXPECT_EQ(stop("!", AofParser::Status::kBad).fault, Fault::kNoCommand);
}

// A data set written as commands makes the same data set.
TEST(AofCommands, MakeTheSameDataSet) {
  for (int shards : {1, 3}) {
    Options o;
    o.enable_debug_command = ProtectedAction::kYes;
    InProcess server(shards, o), copy(1, o);
    for (int i = 0; i < 300; i++) {
      std::string n = std::to_string(i);
      server.run({"SET", "s" + n, "v" + n});
      server.run({"RPUSH", "list", n});
      server.run({"SADD", "set", "m" + n});
      server.run({"SADD", "intset", n});
      server.run({"ZADD", "zset", std::to_string(i / 7.0), n});
      server.run({"HSET", "hash", "f" + n, n});
      server.run({"XADD", "stream", std::to_string(i + 1) + "-1", "f", n, "g", "x"});
    }
    for (const InProcess::Args& a :
         std::initializer_list<InProcess::Args>{{"SET", "t", "v", "PXAT", "99999999999999"},
                                                {"HSET", "timed", "a", "1", "b", "2"},
                                                {"HPEXPIREAT", "timed", "9999999999999", "FIELDS", "1", "a"},
                                                {"XDEL", "stream", "3-1"},
                                                {"XGROUP", "CREATE", "stream", "g", "0"},
                                                {"XREADGROUP", "GROUP", "g", "c", "COUNT", "5", "STREAMS", "stream", ">"},
                                                {"XGROUP", "CREATECONSUMER", "stream", "g", "idle"},
                                                {"XGROUP", "CREATE", "empty", "g", "$", "MKSTREAM"},
                                                {"SELECT", "3"},
                                                {"SET", "other", "database"}})
      ASSERT_NE(server.run(a)[0], '-') << a[0];
    AofParser p;
    for (const OutBuffer& chunk : commands_of_data_set(server.engine().shards, {}, server.now_ms())) {
      Bytes rest = chunk.view();
      while (!rest.empty()) {
        ASSERT_EQ(p.parse(rest), AofParser::Status::kCommand);
        std::string reply = copy.run({p.args().begin(), p.args().end()});
        ASSERT_NE(reply[0], '-') << p.args()[0] << " " << reply;
        rest.remove_prefix(p.consumed());
      }
    }
    copy.run({"SELECT", "0"});
    server.run({"SELECT", "0"});
    EXPECT_EQ(server.run({"DEBUG", "DIGEST"}), copy.run({"DEBUG", "DIGEST"}));
    EXPECT_EQ(server.run({"XINFO", "STREAM", "stream", "FULL"}).size(), copy.run({"XINFO", "STREAM", "stream", "FULL"}).size());
  }
}

}  // namespace
}  // namespace ringwood
