#include <gtest/gtest.h>

#include "engine/exec/control.h"
#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

TEST(Config, SetCountsFromTheNextCommandOnOnEveryShard) {
  for (int shards : {1, 3}) {
    InProcess s(shards);
    EXPECT_EQ(s.run({"CONFIG", "GET", "hash-max-listpack-entries"}), "*2\r\n$25\r\nhash-max-listpack-entries\r\n$3\r\n512\r\n");
    s.send(0, {"CONFIG", "SET", "hash-max-listpack-entries", "1", "maxmemory", "1gb"});
    s.send(0, {"CONFIG", "GET", "maxmemory"});
    EXPECT_EQ(s.receive(0), "+OK\r\n*2\r\n$9\r\nmaxmemory\r\n$10\r\n1073741824\r\n");
    for (int i = 0; i < 9; i++) {
      std::string key = "h" + std::to_string(i);
      s.run({"HSET", key, "a", "1", "b", "2"});
      EXPECT_EQ(s.run({"OBJECT", "ENCODING", key}), "$9\r\nhashtable\r\n");
    }
  }
}

TEST(Config, AMapInResp3) {
  InProcess s;
  EXPECT_EQ(s.run3({"CONFIG", "GET", "port", "nosuch"}), "%1\r\n$4\r\nport\r\n$4\r\n6379\r\n");
}

TEST(Config, ABadPairChangesNothing) {
  InProcess s;
  EXPECT_EQ(s.run({"CONFIG", "SET", "maxmemory", "5mb", "nosuch", "1"}),
            "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'\r\n");
  EXPECT_EQ(s.run({"CONFIG", "SET", "maxmemory", "5mb", "port"}), "-ERR syntax error\r\n");
  EXPECT_EQ(s.run({"CONFIG", "GET", "maxmemory"}), "*2\r\n$9\r\nmaxmemory\r\n$1\r\n0\r\n");
}

struct Process final : ProcessControl {
  OwnedBytes refusal;
  OwnedBytes apply(const Options&, Options& next, std::span<const Directive* const> changed, const Directive*& at_fault) override {
    at_fault = changed[0];
    next.dir = "/corrected";
    return refusal;
  }
  OwnedBytes rewrite_config(const Options&, bool) override { return refusal; }
  void shutdown(Call&, uint32_t flags) override { last_flags = flags; }
  bool abort_shutdown(Call&) override { return !refusal.empty(); }
  OwnedBytes read_acl_file(OwnedBytes& text) override { return text = acl_text, refusal; }
  OwnedBytes write_acl_file(Bytes text) override { return acl_text = text, refusal; }
  OwnedBytes acl_text;
  uint32_t last_flags = 0;
};

TEST(Config, TheProcessMayCorrectOrRefuseAChange) {
  InProcess s;
  Process process;
  s.engine().process = &process;
  EXPECT_EQ(s.run({"CONFIG", "SET", "port", "7000"}), "+OK\r\n");
  EXPECT_EQ(s.run({"CONFIG", "GET", "dir"}), "*2\r\n$3\r\ndir\r\n$10\r\n/corrected\r\n");
  process.refusal = "Unable to listen on this port";
  EXPECT_EQ(s.run({"CONFIG", "SET", "port", "7001"}),
            "-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port\r\n");
  EXPECT_EQ(s.run({"CONFIG", "GET", "port"}), "*2\r\n$4\r\nport\r\n$4\r\n7000\r\n");
}

TEST(Config, RewriteNeedsAFile) {
  InProcess s;
  Process process;
  s.engine().process = &process;
  EXPECT_EQ(s.run({"CONFIG", "REWRITE"}), "-ERR The server is running without a config file\r\n");
  s.engine().config_file = "/etc/x.conf";
  EXPECT_EQ(s.run({"CONFIG", "REWRITE"}), "+OK\r\n");
  process.refusal = "Permission denied";
  EXPECT_EQ(s.run({"CONFIG", "REWRITE"}), "-ERR Rewriting config file: Permission denied\r\n");
}

TEST(Shutdown, WordsThatContradictEachOtherAreRefused) {
  InProcess s;
  Process process;
  s.engine().process = &process;
  EXPECT_EQ(s.run({"SHUTDOWN", "SAVE", "NOSAVE"}), "-ERR syntax error\r\n");
  EXPECT_EQ(s.run({"SHUTDOWN", "ABORT", "NOW"}), "-ERR syntax error\r\n");
  EXPECT_EQ(s.run({"SHUTDOWN", "ABORT"}), "-ERR No shutdown in progress.\r\n");
  s.run({"SHUTDOWN", "nosave", "FORCE"});
  EXPECT_EQ(process.last_flags, kShutdownNosave | kShutdownForce);
}

}  // namespace
}  // namespace ringwood
