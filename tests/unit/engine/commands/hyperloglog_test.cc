#include "engine/store/hyperloglog.h"

#include "engine/exec/routing.h"
#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

class HyperLogLogCommands : public CommandTest {
 protected:
  std::string add(const std::string& key, int from, int to) {
    std::vector<std::string> args{"PFADD", key};
    for (int i = from; i < to; i++) args.push_back(std::to_string(i));
    return server.run(args);
  }
  void set(const std::string& key, const std::string& value) { EXPECT_EQ(server.run({"SET", key, value}), kOk); }
};
INSTANTIATE_TEST_SUITE_P(Shards, HyperLogLogCommands, testing::Values(1, 2));

const std::string kNoSketch = "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n";
const std::string kCorrupt = "-INVALIDOBJ Corrupted HLL object detected\r\n";

TEST_P(HyperLogLogCommands, AddingTellsWhetherAnythingChanged) {
  EXPECT_EQ(run("PFADD h"), number(1));
  EXPECT_EQ(run("PFADD h"), number(0));
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(run("PFADD h a b c"), number(1));
  EXPECT_EQ(changes(), 3);
  EXPECT_EQ(run("PFADD h a b"), number(0));
  EXPECT_EQ(changes(), 0);
  EXPECT_EQ(events(), "pfadd h, pfadd h");
  EXPECT_EQ(encoding("h"), "raw");
}

// Where COMMAND's specifications find no keys, although the command has some, nothing may run without the shards that it touches.
TEST_P(HyperLogLogCommands, KeysThatNoSpecificationFindsAreHeldNevertheless) {
  for (const std::vector<Bytes>& args : {std::vector<Bytes>{"PFMERGE", "h"}, {"GEORADIUS", "h", "1", "1", "1", "m", "STORE"}}) {
    ShardSet shards;
    add_shards(*server.engine().commands->find(args), args, server.client(0), server.engine().mapping, shards);
    EXPECT_TRUE(shards.test(static_cast<size_t>(server.engine().mapping.shard(key_slot("h"))))) << args[0];
  }
}

TEST_P(HyperLogLogCommands, CountingKeepsTheEstimate) {
  EXPECT_EQ(run("PFCOUNT missing"), number(0));
  run("PFADD h a b c");
  changes();
  EXPECT_EQ(run("PFCOUNT h"), number(3));
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(run("PFCOUNT h"), number(3));
  EXPECT_EQ(changes(), 0);
  run("PFADD h d");
  EXPECT_EQ(run("PFCOUNT h"), number(4));
}

TEST_P(HyperLogLogCommands, SeveralKeysCountAsTheirUnion) {
  add("a", 0, 10);
  add("b", 5, 15);
  EXPECT_EQ(run("PFCOUNT a b missing"), number(15));
  EXPECT_EQ(run("PFCOUNT missing none"), number(0));
}

TEST_P(HyperLogLogCommands, MergingWritesTheUnion) {
  add("a", 0, 10);
  add("b", 5, 15);
  events(), changes();
  EXPECT_EQ(run("PFMERGE d a b missing"), kOk);
  EXPECT_EQ(events(), "pfadd d");
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(run("PFCOUNT d"), number(15));
  EXPECT_EQ(run("PFDEBUG ENCODING d"), "+sparse\r\n");
  EXPECT_EQ(run("PFDEBUG TODENSE b"), number(1));
  EXPECT_EQ(run("PFMERGE d b"), kOk);
  EXPECT_EQ(run("PFDEBUG ENCODING d"), "+dense\r\n");
  EXPECT_EQ(run("PFCOUNT d"), number(15));
  EXPECT_EQ(run("PFMERGE fresh"), kOk);
  EXPECT_EQ(run("PFCOUNT fresh"), number(0));
}

TEST_P(HyperLogLogCommands, ASketchGrowsDenseByTheConfiguredSize) {
  add("h", 0, 200);
  EXPECT_EQ(run("PFDEBUG ENCODING h"), "+sparse\r\n");
  EXPECT_EQ(run("CONFIG SET hll-sparse-max-bytes 100"), kOk);
  add("h", 200, 210);
  EXPECT_EQ(run("PFDEBUG ENCODING h"), "+dense\r\n");
  EXPECT_EQ(run("STRLEN h"), number(12304));
}

TEST_P(HyperLogLogCommands, AnExpiryStays) {
  run("PFADD h a");
  run("EXPIRE h 100");
  add("h", 0, 5000);
  EXPECT_EQ(run("TTL h"), number(100));
}

TEST_P(HyperLogLogCommands, OtherValuesAreRefused) {
  run("LPUSH l x");
  set("i", "12345");
  set("s", "no HyperLogLog, but long enough");
  for (const char* command : {"PFADD", "PFCOUNT", "PFMERGE", "PFCOUNT none", "PFMERGE none", "PFDEBUG ENCODING"}) {
    EXPECT_EQ(run(std::string(command) + " l"), kWrongType) << command;
    EXPECT_EQ(run(std::string(command) + " i"), kNoSketch) << command;
    EXPECT_EQ(run(std::string(command) + " s"), kNoSketch) << command;
  }
  EXPECT_EQ(entry("none"), nullptr);
}

TEST_P(HyperLogLogCommands, CorruptRunsAreAnError) {
  std::string bad = hyperloglog::empty() + "\x05";
  bad[15] = '\x80';  // the estimate is out of date
  set("h", bad);
  for (const char* line : {"PFCOUNT h", "PFCOUNT h none", "PFMERGE d h", "PFDEBUG GETREG h", "PFDEBUG TODENSE h"})
    EXPECT_EQ(run(line), kCorrupt) << line;
  std::string cut = hyperloglog::empty().substr(0, 16);
  set("h", cut);
  EXPECT_EQ(run("PFADD h a"), kCorrupt);
  EXPECT_EQ(entry("d"), nullptr);
}

// Redis before the mend of CVE-2025-32023 (7.2.6 too) let a union end there; Debian's 7.0.15 has the mend.
TEST_P(HyperLogLogCommands, RunsBehindTheLastRegisterAreCorruptForAUnionToo) {
  run("PFADD h a b c");
  for (const char* behind : {"\x80", "\x80HYLL", "HYLL", "\x01\x80"}) {
    std::string sketch = server.run({"GET", "h"});
    sketch = sketch.substr(sketch.find("\r\n") + 2);
    sketch.resize(sketch.size() - 2);
    set("long", sketch + behind);
    for (const char* line : {"PFCOUNT long h", "PFCOUNT long", "PFMERGE merged long"}) EXPECT_EQ(run(line), kCorrupt) << line;
  }
}

TEST_P(HyperLogLogCommands, DebuggingShowsRunsAndRegisters) {
  EXPECT_EQ(run("PFDEBUG DECODE h"), error("ERR The specified key does not exist"));
  run("PFADD h a b c");
  EXPECT_EQ(run("PFDEBUG DECODE h"), bulk("Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603"));
  EXPECT_EQ(run("PFDEBUG NONSENSE h"), error("ERR Unknown PFDEBUG subcommand 'NONSENSE'"));
  changes();
  std::string registers = run("PFDEBUG GETREG h");
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(registers.substr(0, 12), "*16384\r\n:0\r\n");
  EXPECT_EQ(std::count(registers.begin(), registers.end(), '1'), 2 + 1);  // two registers, and the length
  EXPECT_EQ(run("PFDEBUG TODENSE h"), number(0));
  EXPECT_EQ(run("PFDEBUG DECODE h"), error("ERR HLL encoding is not sparse"));
}

TEST_P(HyperLogLogCommands, TheSelfTestPasses) { EXPECT_EQ(run("PFSELFTEST"), kOk); }

}  // namespace
}  // namespace ringwood
